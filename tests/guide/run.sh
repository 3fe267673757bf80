#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh EXPECTED INPUT COMMAND... - run a program of the guide with this input;
# it has to leave with 0 and to say exactly what is expected.

set -euo pipefail

expected=$1 input=$2
shift 2
output=$("$@" <"$input") || {
	echo "left with $?; it said:"
	echo "$output"
	exit 1
}
diff -u "$expected" - <<<"$output"
