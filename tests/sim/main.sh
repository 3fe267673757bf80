#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# main.sh TOY - what tr_sim_main() prints, and how the program ends.

set -u
toy=$1
bad=0

# says WHAT STATUS PATTERN COMMAND...: the exit status, and a line of output.
says() {
	local what=$1 status=$2 pattern=$3 output got=0
	shift 3
	output=$("$@" 2>&1) || got=$?
	if [[ $got != "$status" ]]; then
		echo "$what: exit status $got, not $status"
		echo "$output"
		bad=1
	fi
	if ! grep -qE -- "$pattern" <<<"$output"; then
		echo "$what: no line with: $pattern"
		echo "$output"
		bad=1
	fi
}

# Without the sanitizers' own words about a program that aborts on purpose.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_abort=0

says 'all pass' 0 '^50 seeds, 0 failed, .* each twice\)' "$toy" good --seeds 50
says 'default' 0 '^100 seeds, 0 failed' "$toy" good
says 'once' 0 'each once' "$toy" good --seeds 5 --once
says 'help' 0 '^usage: good' "$toy" good --help
says 'help wins' 0 '  --strategy X' "$toy" good --nonsense --help
says 'coverage' 0 '^wake late ' "$toy" good --seeds 5 --coverage
says 'one' 0 '^seed 7 passed, hash [0-9a-f]{16}$' "$toy" good --seed 7
if [[ $("$toy" good --seed 7 | head -n 1) != "$("$toy" good --seed 7 --trace |
    grep '^seed')" ]]; then
	echo "one: the hash is another in another process, or with a trace"
	bad=1
fi
says 'budget' 0 '^[0-9]+ seeds, 0 failed' "$toy" good --seeds 100000000 --budget 1
if [[ -n $("$toy" good --seeds 5 --quiet 2>&1) ]]; then
	echo "quiet: it is not"
	bad=1
fi

says 'unknown' 2 'bad option or value: --nonsense' "$toy" good --nonsense
says 'no value' 2 'bad option or value: --seeds' "$toy" good --seeds
says 'no number' 2 'bad option or value: --seeds x' "$toy" good --seeds x
says 'negative' 2 'bad option or value: --seeds -1' "$toy" good --seeds -1
says 'too large' 2 'bad option' "$toy" good --seed 99999999999999999999
says 'workers' 2 'bad option or value: --workers 9' "$toy" good --workers 9
says 'no worker' 2 'bad option or value: --workers 0' "$toy" good --workers 0
says 'strategy' 2 'bad option or value: --strategy x' "$toy" good --strategy x
says 'trace of all' 2 'trace needs --seed' "$toy" good --trace

says 'fails' 1 '^seed [0-9]+ failed: bad luck, 3 pings$' "$toy" bad
says 'how' 1 '^  at step [0-9]+, after [0-9.]+ ms; [1-8] workers, strategy (random|pct|round-robin), faults: ' "$toy" bad
says 'goes on' 1 '^200 seeds, [1-9][0-9]+ failed' "$toy" bad --seeds 200 --keep-going
says 'replay' 1 '^  bad --seed [0-9]+ --workers 3 --strategy pct --no-faults --trace$' \
    "$toy" bad --workers 3 --strategy pct --no-faults
says 'steps' 1 'failed: it does not end: 10 steps' "$toy" good --max-steps 10
says 'differs' 1 'failed: the second run of the seed was another: its events differ' \
    "$toy" differs --seeds 3

# The line that it prints leads to the same failure, with a trace.
command=$("$toy" bad | sed -n 's/^  bad \(--seed .*\)/\1/p')
first=$("$toy" bad | grep -A 1 '^seed ')
# shellcheck disable=SC2086
says 'replayed' 1 'FAILED: bad luck, 3 pings' "$toy" bad $command
# shellcheck disable=SC2086
says 'traced' 1 'probe #[0-9]+ "pinger" -> toy #[0-9]+: ask tag 1, 0 bytes' \
    "$toy" bad $command
# shellcheck disable=SC2086
if [[ $("$toy" bad $command | grep -A 1 '^seed ') != "$first" ]]; then
	echo "replayed: it is another failure"
	bad=1
fi

# A seed that ends the program is named; here it is the first, by which the
# length is measured, unless nobody wants to know it.
ends() { # ends WHAT STATUS PATTERN OPTION...
	says "$1" "$2" "$3" bash -c "ulimit -c 0; \"\$@\"; exit \$?" bash \
	    "$toy" "$1" "${@:4}"
}
ends crash 134 '^  crash --seed 0 --strategy random --trace$' --seed 7
ends crash 134 '^  crash --seed 7 --strategy random --trace$' \
    --seed 7 --strategy random
ends crash 134 'toy #[0-9]+ takes ask' \
    --seed 7 --strategy random --trace
ends hang 142 '^  hang --seed 7 --strategy random --trace$' \
    --seed 7 --strategy random --hang 1

exit $bad
