#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# licence.sh - each source file begins with its licence: an SPDX line, which
# only a #! line may precede.

source "$(dirname "$0")/lib.sh" "$@"

check() {
	cd "$1"
	find . \( -name build -o -name .git -o -name target \) -prune -o \
	    -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' \
	    -o -name '*.py' -o -name '*.cmake' -o -name CMakeLists.txt \
	    -o -name '*.rs' -o -name '*.go' -o -name '*.erl' -o -name '*.sql' \
	    -o -name '*.map' -o -name '*.in' -o -name '*.allow' \
	    -o -name '*.[1-9]' -o -name '*.pml' -o -path ./dev \
	    -o -path './.ci/*' \) \
	    -print0 | sort -z | xargs -0 -r awk '
	FNR == 1 { script = /^#!/ }
	FNR == (script ? 2 : 1) &&
	    /SPDX-License-Identifier: BSD-2-Clause/ { good[FILENAME] }
	FNR > 1 { nextfile }
	END {
		for (i = 1; i < ARGC; i++)
			if (!(ARGV[i] in good))
				print substr(ARGV[i], 3) ":1: does not begin " \
				    "with an SPDX line"
	}'
}

# ----------------------------------------------------------- self-test ---

line='SPDX-License-Identifier: BSD-2-Clause'

replant
plant a.c <<<"/* $line */"
plant dev <<<$'#!/bin/sh\n'"# $line"
plant build/generated.c <<<'int x;'
must_pass check "$scratch"
plant b/c.h <<<'int x;'
must_find 'b/c.h:1: does not begin' check "$scratch"
replant
plant b.c <<<$'int x;\n'"/* $line */"
must_find 'b.c:1: does not begin' check "$scratch"
replant
plant dev <<<$'#!/bin/sh\n# Copyright'
must_find 'dev:1: does not begin' check "$scratch"
replant
plant CMakeLists.txt <<<'# SPDX-License-Identifier: MIT'
must_find 'CMakeLists.txt:1: does not begin' check "$scratch"
replant
plant c.py </dev/null
must_find 'c.py:1: does not begin' check "$scratch"

verdict check "$source_dir"
