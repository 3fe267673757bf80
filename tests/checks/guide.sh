#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# guide.sh - what the documents show is there.  A fenced block of C, or of a
# program's output, names the file it is from, and its lines are in that file
# as they stand:
#
#     ```c examples/guide/first.c
#     ```text tests/guide/first.out
#
# A block of C needs a file in the guide; elsewhere one may be by itself.  Of
# all documents: links within the repository lead to a file, anchors to a
# heading, and functions that are named in them exist.

source "$(dirname "$0")/lib.sh" "$@"
source "$(dirname "$0")/api.sh"

documents() {
	find . -maxdepth 1 -name '*.md'
	find docs examples bench -name '*.md' 2>/dev/null
}

# The blocks of one document against the files they name.
blocks() {
	awk '
	function finding(line, text) {
		print FILENAME ":" line ": " text
	}
	function content(file,    line, all) {
		if (file in text)
			return text[file]
		all = "\n"
		while ((getline line <file) > 0)
			all = all line "\n"
		close(file)
		return text[file] = all
	}
	function end_of_block() {
		inside = 0
		if (from == "") {
			if (language == "c" && FILENAME ~ /guide/)
				finding(start, "C that names no file")
			return
		}
		if (content(from) == "\n")
			finding(start, from " is not there, or empty")
		else if (block == "\n")
			finding(start, "an empty block")
		else if (index(content(from), block) == 0)
			finding(start, "this is not in " from)
	}
	inside && /^```$/ { end_of_block(); next }
	inside { block = block $0 "\n"; next }
	/^```/ {
		inside = 1
		start = FNR
		language = $1
		sub(/^```/, "", language)
		from = $2
		block = "\n"
	}
	END {
		if (inside)
			finding(start, "a block without an end")
	}' "$1"
}

# The anchors of a document as GitHub makes them from its headings.
anchors() {
	sed -n 's/^##* //p' "$1" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-'
}

# Where links lead.
links() {
	local document=$1 line target file
	sed 's/`[^`]*`//g' "$document" | grep -noE '\]\([^)]+\)' |
	    sed 's/](\(.*\))/\1/' | while IFS=: read -r line target; do
		case $target in *://* | mailto:*) continue ;; esac
		file=$(dirname "$document")/${target%%#*}
		if [[ $target == '#'* ]]; then file=$document; fi
		if [[ ! -e $file ]]; then
			echo "$document:$line: there is no $target"
		elif [[ $target == *'#'* ]] &&
		    ! anchors "$file" | grep -qxF -- "${target#*#}"; then
			echo "$document:$line: there is no heading $target"
		fi
	done
}

names() {
	local document=$1 line name
	grep -noE '\btr_[a-z0-9_]+\(' "$document" |
	    while IFS=: read -r line name; do
		if ! grep -qxF -- "${name%(}" "$scratch/names"; then
			echo "$document:$line: there is no ${name%(}()"
		fi
	done
}

# check SOURCE_DIR INCLUDE_DIR
check() {
	local document
	cd "$1"
	api_everything "$2" | cut -f 3 | sort -u >"$scratch/names"
	documents | sort | while read -r document; do
		document=${document#./}
		blocks "$document"
		links "$document"
		names "$document"
	done
	if [[ ! -e docs/guide.md ]]; then
		echo "docs/guide.md: not there"
	fi
}

# ----------------------------------------------------------- self-test ---

guide() { # guide [SED_SCRIPT]: a good guide, spoilt
	replant
	plant include/x.h <<<'TR_API int tr_count(int x);'
	printf 'int a;\nint\nmain(void)\n{\n\treturn a;\n}\n' | plant e/first.c
	sed "${1:-}" <<'END' | plant docs/guide.md
# Guide

See [below](#the-end-of-it), [another](other.md#it) and
[elsewhere](https://example.org/no).  Call `tr_count(1)`.

```c e/first.c
main(void)
{
	return a;
}
```

```sh
make it
```

## The end of it!
END
	plant docs/other.md <<<'# It'
}

checked() { check "$scratch" include; }

guide
must_pass checked
guide 's/return a/return b/'
must_find 'docs/guide.md:6: this is not in e/first.c' checked
guide 's/^main(void)$/ain(void)/'
must_find 'docs/guide.md:6: this is not in e/first.c' checked
guide 's/first.c/gone.c/'
must_find 'docs/guide.md:6: e/gone.c is not there' checked
guide 's/^```c .*/```c/'
must_find 'docs/guide.md:6: C that names no file' checked
guide '/^main/d; /^{/d; /return/d; /^}/d'
must_find 'docs/guide.md:6: an empty block' checked
guide '/^```$/d'
must_find 'a block without an end' checked
guide 's/other.md/others.md/'
must_find 'docs/guide.md:3: there is no others.md' checked
guide 's/other.md#it/other.md#that/'
must_find 'docs/guide.md:3: there is no heading other.md#that' checked
guide 's/#the-end/#the-start/'
must_find 'docs/guide.md:3: there is no heading #the-start' checked
guide 's/tr_count/tr_sum/'
must_find 'docs/guide.md:4: there is no tr_sum()' checked
guide
rm "$scratch/docs/guide.md"
must_find 'docs/guide.md: not there' checked

replant
verdict check "$source_dir" include
