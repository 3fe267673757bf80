# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# lib.sh - what the checks share; sourced, not run.
#
# A check is called as `bash check.sh SOURCE_DIR BUILD_DIR CC`.  It prints one
# line per finding, `file:line: what`, and fails if there is any.  Each check
# first shows that it can fail: it plants violations in a scratch folder and
# expects to find every one of them.

set -euo pipefail
export LC_ALL=C

if [[ $# -ne 3 ]]; then
	echo "usage: $0 SOURCE_DIR BUILD_DIR CC" >&2
	exit 2
fi
source_dir=$(realpath "$1")
build_dir=$(realpath "$2")
cc=$3

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

self_tests=0

# plant FILE: make a file of the scratch folder from standard input.
plant() {
	mkdir -p "$(dirname "$scratch/$1")"
	cat >"$scratch/$1"
}

# A fresh scratch folder.
replant() {
	rm -rf "$scratch"
	mkdir -p "$scratch"
}

# must_find TEXT COMMAND...: the command prints a line with this text.
must_find() {
	local text=$1 output
	shift
	self_tests=$((self_tests + 1))
	output=$("$@" || true)
	if ! grep -qF -- "$text" <<<"$output"; then
		echo "self-test: expected a finding '$text', got:" >&2
		echo "${output:-(nothing)}" >&2
		exit 1
	fi
}

# must_pass COMMAND...: the command prints nothing.
must_pass() {
	local output
	self_tests=$((self_tests + 1))
	output=$("$@" || true)
	if [[ -n $output ]]; then
		echo "self-test: expected no finding, got:" >&2
		echo "$output" >&2
		exit 1
	fi
}

# verdict COMMAND...: the real run; its output decides.
verdict() {
	local output
	if ! output=$("$@"); then
		echo "$output"
		echo "the check itself went wrong"
		exit 1
	fi
	if [[ -n $output ]]; then
		echo "$output"
		echo "$(wc -l <<<"$output") findings"
		exit 1
	fi
	echo "no finding; $self_tests self-tests passed"
}
