#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# trees.sh PROGRAM [N [FIRST]] - Erlang's supervisors play N (100) random trees
# from seed FIRST (1) on: what there is to see has to be what the model says,
# which Troupe is compared with.  PROGRAM is sim_trees.
#
# Exit status 77: there is no Erlang (Debian: erlang-base).

set -euo pipefail
export LC_ALL=C
here=$(dirname "$(readlink -f "$0")")
program=$1 trees=${2:-100} first=${3:-1}

if ! command -v erl >/dev/null || ! command -v erlc >/dev/null; then
	echo "skipped: erl and erlc are missing (Debian: erlang-base)"
	exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch # where erl keeps its cookie
erlc -Werror -o "$scratch" "$here/trees.erl"

# judge TERMS: what Erlang shows, to standard output.
judge() {
	timeout 250 erl -noshell -noinput -pa "$scratch" -run trees main "$1" \
	    </dev/null
}

"$program" --first "$first" --seeds "$trees" --term >"$scratch/term"
"$program" --first "$first" --seeds "$trees" --expect >"$scratch/expected"

# That it can fail: trees that are a little different.
"$program" --seeds 20 --term |
    sed 's/{rest_for_one,/{one_for_all,/' >"$scratch/other"
"$program" --seeds 20 --expect >"$scratch/other.expected"
judge "$scratch/other" >"$scratch/other.noted"
if cmp -s "$scratch/other.expected" "$scratch/other.noted"; then
	echo "another strategy is not seen"
	exit 1
fi

judge "$scratch/term" >"$scratch/noted"
if ! diff -U 12 --label model --label Erlang "$scratch/expected" \
    "$scratch/noted" >"$scratch/diff"; then
	head -n 100 "$scratch/diff"
	exit 1
fi
echo "$trees trees, $(grep -c ' ends ' "$scratch/noted") ends of children:" \
    "Erlang shows what the model says"
