#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# docs.sh - the public headers are the manual: each TR_API function says what
# its parameters are, what it returns, what becomes of what is passed, which
# threads may call it and whether it can wait; and each TR_E name in a comment
# exists.  An inline function may do with a sentence, but once it has a tag it
# has all of them; a macro that has one has its parameters.

source "$(dirname "$0")/lib.sh" "$@"
source "$(dirname "$0")/api.sh"

check_tags() {
	api_everything "$1" | awk -F '\t' '
	function finding(text) { print $1 ":" $2 ": " $3 "() " text }

	# The text behind a tag, up to the next one or the comment s end.
	function body(tag,    at, text) {
		at = index(doc, tag)
		if (at == 0)
			return ""
		text = substr(doc, at + length(tag))
		if ((at = index(text, "\n * \\")) > 0)
			text = substr(text, 1, at - 1)
		sub(/\*\/.*/, "", text)
		gsub(/[ \t\n*]+/, " ", text)
		sub(/^ /, "", text)
		return text
	}
	function needs(tag) {
		if (index(doc, "\n * \\" tag " ") == 0)
			finding("has no \\" tag)
		else if (body("\n * \\" tag " ") == "")
			finding("has an empty \\" tag)
	}
	$7 !~ /^(function|inline|macro)$/ { next }
	{
		doc = $6
		gsub(/\001/, "\n", doc)
		if (doc == "") {
			finding("has no comment of its own")
			next
		}
		first = doc
		gsub(/^[ \t\n*\/]+/, "", first)
		if (first == "" || first ~ /^\\/)
			finding("does not say what it does")

		if ($7 != "function" && index(doc, "\n * \\") == 0)
			next
		n = split($5, parameter, " ")
		delete known
		for (i = 1; i <= n; i++) {
			known[parameter[i]] = 1
			if (index(doc, "\n * \\param " parameter[i] " ") == 0)
				finding("has no \\param " parameter[i])
		}
		rest = doc
		while ((at = index(rest, "\n * \\param ")) > 0) {
			rest = substr(rest, at + 11)
			name = rest
			sub(/[^a-zA-Z0-9_].*/, "", name)
			if (!(name in known))
				finding("has \\param " name \
				    ", which is no parameter")
		}

		if ($7 == "macro")
			next
		if ($4 == "value")
			needs("returns")
		else if (index(doc, "\n * \\returns ") > 0)
			finding("returns nothing but has \\returns")
		needs("owner")
		needs("threads")
		needs("blocks")

		threads = body("\n * \\threads ")
		if (threads != "" &&
		    threads !~ /^(any|self|setup|signal)($|[ ,.;])/)
			finding("\\threads begins with none of any, self, " \
			    "setup, signal: " threads)
		blocks = body("\n * \\blocks ")
		if (blocks != "" && blocks !~ /^(never|up to|until)($|[ ,.;])/)
			finding("\\blocks begins with none of never, up to, " \
			    "until: " blocks)
	}'
}

# Names of errors that are used and not defined in any header.
check_errors() {
	api_headers "$1" | xargs -r awk '
	FNR == 1 { header[++headers] = FILENAME }
	/^[ \t]+TR_E[A-Z]+ *=/ || /^#define TR_E[A-Z]+/ {
		name = $0
		sub(/^(#define|[ \t])[ \t]*/, "", name)
		sub(/[^A-Z_].*/, "", name)
		defined[name] = 1
	}
	{
		rest = $0
		while (match(rest, /TR_E[A-Z]+/)) {
			used[++uses] = substr(rest, RSTART, RLENGTH)
			where[uses] = FILENAME ":" FNR
			# TR_E* and the like speak of all of them.
			if (substr(rest, RSTART + RLENGTH, 1) == "_")
				uses--
			rest = substr(rest, RSTART + RLENGTH)
		}
	}
	END {
		for (i = 1; i <= uses; i++)
			if (!(used[i] in defined))
				print where[i] ": there is no " used[i]
	}'
}

check() {
	cd "$1"
	if [[ -z $(api_functions include) ]]; then
		echo "include: no TR_API function"
	fi
	check_tags include
	check_errors include
}

# ----------------------------------------------------------- self-test ---

header() { # header [SED_SCRIPT]: a good header, spoilt
	replant
	sed "${1:-}" <<'END' | plant include/x.h
enum tr_error { TR_OK = 0,
	TR_EINVAL = -1, /* bad argument */
};

/**
 * Count the letters.
 *
 * \param text   what is read
 * \param limit  bytes at most
 * \returns      TR_OK; TR_EINVAL (empty)
 * \owner        borrows until it returns
 * \threads      any
 * \blocks       never
 */
TR_API TR_MUST_CHECK int tr_count(const char *text,
    size_t limit);

/**
 * Forget.
 *
 * \owner    none
 * \threads  self
 * \blocks   until all is forgotten
 */
TR_API void tr_forget(void);

/** Whether it is small. */
static inline bool
tr_small(int x)
{
	return x < 10;
}

/**
 * Double it.
 *
 * \param x    a number
 * \returns    twice that
 * \owner      none
 * \threads    any
 * \blocks     never
 */
static inline int
tr_twice(int x)
{
	return x * 2;
}

/**
 * Do it for all.
 *
 * \param LIST  what
 */
#define TR_ALL(LIST) LIST()
END
}

header
must_pass check "$scratch"
header '/param limit/d'
must_find 'x.h:14: tr_count() has no \param limit' check "$scratch"
header 's/param limit/param limits/'
must_find 'tr_count() has \param limits, which is no parameter' check "$scratch"
header '/returns  /d'
must_find 'tr_count() has no \returns' check "$scratch"
header 's/\\returns .*/\\returns */'
must_find 'tr_count() has an empty \returns' check "$scratch"
header '/owner    none/d'
must_find 'tr_forget() has no \owner' check "$scratch"
header '/threads  self/d'
must_find 'tr_forget() has no \threads' check "$scratch"
header 's/threads  self/threads  mine/'
must_find 'tr_forget() \threads begins with none of' check "$scratch"
header '/blocks       never/d'
must_find 'tr_count() has no \blocks' check "$scratch"
header 's/blocks       never/blocks       sometimes/'
must_find 'tr_count() \blocks begins with none of' check "$scratch"
header 's/^ \* Forget.*/ */'
must_find 'tr_forget() does not say what it does' check "$scratch"
header 's/^.*Whether it is small.*//'
must_find 'tr_small() has no comment of its own' check "$scratch"
header '/a number/d'
must_find 'tr_twice() has no \param x' check "$scratch"
header '/threads    any/d'
must_find 'tr_twice() has no \threads' check "$scratch"
header '/param LIST/s/LIST/LISTS/'
must_find 'TR_ALL() has no \param LIST' check "$scratch"
header 's/^TR_API void/int unrelated;\nTR_API void/'
must_find 'tr_forget() has no comment of its own' check "$scratch"
header 's/TR_EINVAL (/TR_EFULL (/'
must_find 'x.h:10: there is no TR_EFULL' check "$scratch"
header 's/TR_API//'
must_find 'no TR_API function' check "$scratch"

verdict check "$source_dir"
