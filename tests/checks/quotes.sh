#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# quotes.sh - code on a page of docs/ that is said to be from a file is in that
# file, line for line.  The page says so in a comment before the block:
#
#     <!-- from examples/bank/bank.c -->
#     ```c

source "$(dirname "$0")/lib.sh" "$@"

check_page() {
	awk -v page="$1" '
	# Where the lines of the block stand in the file, one behind the other.
	function search(    i, j) {
		for (i = 1; i + n - 1 <= lines; i++) {
			for (j = 1; j <= n && text[i + j - 1] == block[j]; j++)
				;
			if (j > n)
				return 1
		}
		return 0
	}
	function look(    line) {
		lines = 0
		while ((getline line < file) > 0)
			text[++lines] = line
		close(file)
		if (lines == 0)
			print page ":" begin ": there is no " file
		else if (n == 0)
			print page ":" begin ": an empty block"
		else if (!search())
			print page ":" begin ": is not in " file
	}
	/^<!-- from .* -->$/ { file = $3; begin = NR; next }
	/^```/ && inside { inside = 0; look(); file = ""; next }
	/^```/ && file != "" { inside = 1; n = 0; next }
	inside { block[++n] = $0; next }
	file != "" { print page ":" NR ": no block behind the comment"; file = "" }
	END { if (file != "") print page ":" begin ": a block without an end" }
	' "$1"
}

check() {
	local page
	cd "$1"
	find docs -name '*.md' | sort | while read -r page; do
		check_page "$page"
	done
}

# ----------------------------------------------------------- self-test ---

page_of() {
	replant
	plant examples/a.c <<<$'int a;\nint b;\nint c;'
	plant docs/p.md
}

page_of <<<$'text\n<!-- from examples/a.c -->\n```c\nint b;\nint c;\n```\nmore'
must_pass check "$scratch"
page_of <<<$'<!-- from examples/a.c -->\n```c\nint a;\nint c;\n```'
must_find 'docs/p.md:1: is not in examples/a.c' check "$scratch"
page_of <<<$'\n<!-- from examples/b.c -->\n```c\nint a;\n```'
must_find 'docs/p.md:2: there is no examples/b.c' check "$scratch"
page_of <<<$'<!-- from examples/a.c -->\n```c\n```'
must_find 'docs/p.md:1: an empty block' check "$scratch"
page_of <<<$'<!-- from examples/a.c -->\ntext\n'
must_find 'docs/p.md:2: no block behind the comment' check "$scratch"
page_of <<<$'<!-- from examples/a.c -->\n```c\nint a;'
must_find 'docs/p.md:1: a block without an end' check "$scratch"
page_of <<<$'```c\nint z;\n```'
must_pass check "$scratch"

verdict check "$source_dir"
