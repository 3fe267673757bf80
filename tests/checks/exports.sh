#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# exports.sh - the shared library exports what the headers declare with
# TR_API, and nothing else.  What troupe/sim.h declares is in a static library
# of its own.

source "$(dirname "$0")/lib.sh" "$@"
source "$(dirname "$0")/api.sh"

exported() {
	nm -D -P --defined-only "$1" |
	    sed 's/@.*//; s/ .*//; /^TROUPE_[0-9]*$/d' | sort -u
}

# check LIBRARY INCLUDE_DIR
check() {
	local symbol
	if [[ ! -e $1 ]]; then
		echo "$1: not there"
		return
	fi
	exported "$1" >"$scratch/exported"
	api_functions "$2" | sort -u >"$scratch/declared"
	comm -23 "$scratch/exported" "$scratch/declared" |
	    while read -r symbol; do
		echo "$(basename "$1"): exports $symbol, which no header" \
		    "declares with TR_API"
	done
	comm -13 "$scratch/exported" "$scratch/declared" |
	    while read -r symbol; do
		echo "$(basename "$1"): does not export $symbol, which a" \
		    "header declares with TR_API"
	done
}

# ----------------------------------------------------------- self-test ---

library_of() { # build a library from the code on standard input
	replant
	plant include/x.h <<'END'
TR_API int tr_one(int x);
TR_API TR_MUST_CHECK struct tr_two *tr_two(const char *a,
    int b);
TR_API void tr_three(const char *format, ...)
    TR_PRINTF(1, 2);
/* TR_API int tr_comment(void); */
END
	plant lib.c
	"$cc" -shared -fPIC -o "$scratch/lib.so" "$scratch/lib.c"
}

all='int tr_one(int x) { return x; } void *tr_two(void) { return 0; }
void tr_three(void) { }'

library_of <<<"$all"
must_pass check "$scratch/lib.so" "$scratch/include"
library_of <<<"$all int tri_inner(int x) { return x; }"
must_find 'exports tri_inner' check "$scratch/lib.so" "$scratch/include"
library_of <<<"$all int stray;"
must_find 'exports stray' check "$scratch/lib.so" "$scratch/include"
library_of <<<"int tr_one(int x) { return x; }"
must_find 'does not export tr_two' check "$scratch/lib.so" "$scratch/include"
must_find 'does not export tr_three' check "$scratch/lib.so" "$scratch/include"

# check_static LIBRARY HEADER: it defines what the header declares.
check_static() {
	local symbol
	mkdir -p "$scratch/one"
	cp "$2" "$scratch/one"
	nm -P --defined-only "$1" 2>/dev/null | sed 's/ .*//' | sort -u \
	    >"$scratch/defined"
	api_functions "$scratch/one" | sort -u | comm -13 "$scratch/defined" - |
	    while read -r symbol; do
		echo "$(basename "$1"): does not define $symbol"
	done
}

check_both() {
	rm -rf "$scratch/headers"
	cp -r "$source_dir/include" "$scratch/headers"
	rm -f "$scratch/headers/troupe/sim.h"
	check "$build_dir/libtroupe.so" "$scratch/headers"
	check_static "$build_dir/libtroupe-sim.a" \
	    "$source_dir/include/troupe/sim.h"
}

verdict check_both
