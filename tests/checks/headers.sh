#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# headers.sh - each public header compiles alone, and twice, as C17 and as
# C++17, without a warning, with each compiler that is there.

source "$(dirname "$0")/lib.sh" "$@"

flags=(-Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only)

try() { # try HEADER COMPILER LANGUAGE [FLAG...]
	local header=$1 compiler=$2 language=$3 output
	shift 3
	if ! output=$(printf '#include <%s>\n#include <%s>\n%s\n' \
	    "$header" "$header" 'int main(void) { return 0; }' |
	    "$compiler" -x "$language" "$@" "${flags[@]}" -I include - 2>&1)
	then
		echo "include/$header: $compiler, $language:" \
		    "$(grep -m 1 -E 'error|warning' <<<"$output")"
	fi
}

check() {
	local header compiler
	cd "$1"
	(cd include && find . -name '*.h' | sed 's|^\./||' | sort) |
	    while read -r header; do
		for compiler in gcc clang; do
			if command -v "$compiler" >/dev/null; then
				try "$header" "$compiler" c -std=c17 \
				    -Wshadow -Wstrict-prototypes
			fi
		done
		for compiler in g++ clang++; do
			if command -v "$compiler" >/dev/null; then
				try "$header" "$compiler" c++ -std=c++17
			fi
		done
	done
}

# ----------------------------------------------------------- self-test ---

replant
plant include/a.h <<<'typedef size_t tr_length;'
must_find 'include/a.h: gcc, c:' check "$scratch"
replant
plant include/troupe/twice.h <<<'struct tr_x { int a; };'
must_find 'include/troupe/twice.h: gcc, c:' check "$scratch"
replant
plant include/new.h <<<'int tr_f(int new);'
must_find 'include/new.h: g++, c++:' check "$scratch"
replant
plant include/good.h <<'END'
#ifndef GOOD_H
#define GOOD_H
#include <stddef.h>
size_t tr_f(int x);
#endif
END
must_pass check "$scratch"

verdict check "$source_dir"
