#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# man.sh - the manual pages that docs/man.sh makes from the public headers: one
# for each function, inline function, documented macro, type and essay; with
# all their sections; naming no function that does not exist; and such that
# groff, and mandoc where it is, have nothing to complain about.

source "$(dirname "$0")/lib.sh" "$@"
source "$(dirname "$0")/api.sh"

formatters() {
	if ! command -v groff >/dev/null; then
		echo "groff is missing: install groff-base"
	fi
	groff -man -ww -Tutf8 man?/* 2>&1 >/dev/null || true
	if command -v mandoc >/dev/null; then
		mandoc -Tlint -W warning man?/* || true
	fi
}

# What pages say: sections that are there and empty, names that are nowhere.
pages_say() {
	awk '
	function finding(text) { print FILENAME ": " text }
	function end_of_section() {
		if (heading != "" && !lines)
			finding("nothing in " heading)
	}
	FNR == 1 { heading = "" }
	/^[.]SH / {
		end_of_section()
		heading = $0
		sub(/^[.]SH /, "", heading)
		gsub(/"/, "", heading)
		lines = 0
		next
	}
	heading == "NAME" && / \\-$/ { finding("has no summary") }
	/^[^.]/ { lines++ }
	{
		rest = $0
		while (match(rest, /\\%tr_[a-z0-9_]+\\fR\(\)/)) {
			name = substr(rest, RSTART + 2, RLENGTH - 7)
			finding("speaks of " name "(), which there is not")
			rest = substr(rest, RSTART + RLENGTH)
		}
	}
	END { end_of_section() }' man?/*
}

# needs PAGE TEXT...: whole lines that the page has to have.
needs() {
	local page=$1 text lines
	shift
	if [[ ! -e $page ]]; then
		echo "$page: not there"
		return
	fi
	lines=$'\n'$(<"$page")$'\n'
	for text in "$@"; do
		if [[ $lines != *$'\n'"$text"$'\n'* ]]; then
			echo "$page: has no line $text"
		fi
	done
}

# Each thing of the headers has its page with what belongs on it.
coverage() {
	local name returns parameters doc kind lines parameter
	api_everything "$1" | cut -f 3-7 | tr '\t' '\002' |
	    while IFS=$'\002' read -r name returns parameters doc kind; do
		lines=('.SH NAME' '.SH DESCRIPTION' '.SH "SEE ALSO"')
		case $kind in
		essay) continue ;;
		function | inline | macro) ;;
		*)
			needs "man3/$name.3type" "${lines[@]}" '.SH SYNOPSIS'
			continue ;;
		esac
		if [[ $kind == function || $doc == *'\threads'* ]]; then
			lines+=('.SH OWNERSHIP' '.SH THREADS' '.SH BLOCKING')
			if [[ $returns == value ]]; then
				lines+=('.SH "RETURN VALUE"')
			fi
			for parameter in $parameters; do
				lines+=("\\fI$parameter\\fR")
			done
		fi
		needs "man3/$name.3" "${lines[@]}" '.SH SYNOPSIS'
	done
	needs man7/troupe.7 '.SH NAME'
}

# check SOURCE_DIR: the pages made from its headers.
check() {
	local out=$scratch/out
	mkdir -p "$out"
	SOURCE_DATE_EPOCH=0 sh "$source_dir/docs/man.sh" "$1/include" "$out" 1.2.3
	cd "$out"
	coverage "$1/include"
	pages_say
	formatters
}

# same_twice: nothing of the moment or the place gets into a page.
same_twice() {
	(cd "$1" && sh "$source_dir/docs/man.sh" include "$scratch/a" 1)
	(cd / && sh "$source_dir/docs/man.sh" "$1/include" "$scratch/b" 1)
	diff -r "$scratch/a" "$scratch/b" || true
}

# ----------------------------------------------------------- self-test ---

header() { # header [SED_SCRIPT]: good headers, spoilt
	replant
	sed "${1:-}" <<'END' | plant include/troupe.h
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe.h - a thing to test with.
 *
 * THE MODEL
 *
 * It counts.  See tr_count().
 *
 *     int code = 'a';
 *
 * - one item
 *   of two lines
 * - .another
 */
/* ---------------------------------------------------------- counting --- */

/** How it counts. */
enum tr_way {
	TR_UP, /* from 0 */
	TR_DOWN /* from \n */
};

/** What it counts. */
struct tr_thing {
	int size; /* in bytes,
	           * at least 1 */
	struct {
		int x; /* across */
	} inner[4]; /* more */
	/* Frees it. */
	void (*free)(void *, int size);
};

/** Called for each. */
typedef int tr_each_fn(int x, void *ctx);

/**
 * Count the letters.
 *
 * .Not a request: 'quoted' \ and `tr_ok ? 1 : 0`.
 *
 * \param text   what is read
 * \param each   called for each
 * \returns      TR_OK
 * \owner        borrows until it returns
 * \threads      any
 * \blocks       never
 */
TR_API TR_MUST_CHECK int tr_count(const char *text[2],
    int (*each)(int, void *));

/** Whether it counts. */
static inline bool
tr_counts(int x)
{
	return x;
}

/**
 * TR_COUNT(X, how...); counts at once.
 *
 * \param X    what
 * \param ...  how
 */
#define TR_COUNT(X, ...) \
	tr_count(X, __VA_ARGS__)
END
	plant include/troupe/more.h <<'END'
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More of it.  It is never enough.
 */

/** Whether there is more. */
static inline int
tr_more(void)
{
	return 1;
}
END
	plant include/troupe/inner.h <<'END'
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others are made of; it gives nothing itself.
 */
#define TR_INNER(X) X
END
}

has() { # has PAGE TEXT: whether the pages of what is planted say so
	if ! MANWIDTH=78 groff -man -Tascii -P-c -P-b -P-u \
	    "$scratch/out/$1" 2>&1 | tr -s ' \n' ' ' | grep -F -- "$2" \
	    >/dev/null; then
		echo "$1: does not say $2"
	fi
}

header
must_pass check "$scratch"
must_pass same_twice "$scratch"
must_pass has man3/tr_count.3 'tr_count - count the letters'
must_pass has man3/tr_count.3 \
    'int tr_count(const char *text[2], int (*each)(int, void *));'
must_pass has man3/tr_count.3 ".Not a request: 'quoted' \\ and tr_ok ? 1 : 0."
must_pass has man3/tr_count.3 'each Called for each.'
must_pass has man3/tr_count.3 'The compiler warns when it is not looked at.'
must_pass has man3/tr_count.3 'Any thread may call it.'
must_pass has man3/TR_COUNT.3 'TR_COUNT(X, ...)'
must_pass has man3/TR_COUNT.3 'TR_COUNT - counts at once'
must_pass has man3/TR_COUNT.3 '... How.'
must_pass has man3/tr_counts.3 'bool tr_counts(int x);'
must_pass has man3/tr_way.3type 'TR_DOWN From \n.'
must_pass has man3/tr_thing.3type 'int size In bytes, at least 1.'
must_pass has man3/tr_thing.3type 'struct ... inner[4] More. int x Across.'
must_pass has man3/tr_thing.3type 'void (*free)(void *, int size) Frees it.'
must_pass has man3/tr_each_fn.3type 'typedef int tr_each_fn(int x, void *ctx);'
must_pass has man3/tr_more.3 '#include <troupe/more.h>'
must_pass has man7/troupe.7 'THE MODEL It counts. See tr_count(3).'
must_pass has man7/troupe.7 "int code = 'a';"
must_pass has man7/troupe.7 'Counting tr_way(3type) how it counts'
must_pass has man7/troupe_more.7 'troupe_more - more of it'
must_find 'not there' needs "$scratch/out/man7/troupe_inner.7"
must_find 'does not say nothing' has man3/tr_count.3 'nothing'

header '/param each/d'
must_find 'man3/tr_count.3: has no line \fIeach\fR' check "$scratch"
header '/blocks  /d'
must_find 'man3/tr_count.3: has no line .SH BLOCKING' check "$scratch"
header '/How it counts/d'
must_find 'man3/tr_way.3type: has no summary' check "$scratch"
header 's/See tr_count()/See tr_gone()/'
must_find 'man7/troupe.7: speaks of tr_gone(), which there is not' \
    check "$scratch"
header 's/^ \* Count the letters.*/ */; s/^ \* .Not.*/ */'
must_find 'man3/tr_count.3: nothing in DESCRIPTION' check "$scratch"
header
rm "$scratch/include/troupe.h"
must_find 'man7/troupe.7: not there' check "$scratch"
replant
mkdir -p "$scratch/man3"
printf '.TH x 3\n.SH NAME\nx \\- y\n.ds\n\\fQ\n.nonsense\n' |
    plant man3/x.3
in_scratch() { (cd "$scratch" && formatters); }
must_find 'man3/x.3:6: warning' in_scratch

replant
verdict check "$source_dir"
