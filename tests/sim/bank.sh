#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bank.sh BANK PLANTED SEEDS - the example passes; the one with the planted bug
# is found, and what it prints leads to the same failure again.

set -u
bank=$1 planted=$2 seeds=$3

if ! "$bank" --seeds "$seeds"; then
	echo "bank_sim: a seed failed"
	exit 1
fi

# However few seeds the build has time for, the bug has to be found.
if found=$("$planted" --seeds 20000 --once); then
	echo "bank_sim_planted: the bug was not found: $found"
	exit 1
fi
failure=$(grep -m 1 -A 1 '^seed ' <<<"$found")
command=$(sed -n 's/^  \(.* --seed .* --trace\)$/\1/p' <<<"$found")
if [[ $failure != *'money created or lost'* || -z $command ]]; then
	echo "bank_sim_planted: another failure: $found"
	exit 1
fi
# shellcheck disable=SC2086
again=$($command)
if [[ $? != 1 || $(grep -m 1 -A 1 '^seed ' <<<"$again") != "$failure" ]]; then
	echo "bank_sim_planted: its replay is not the same:"
	echo "$failure"
	tail -n 5 <<<"$again"
	exit 1
fi
for line in 'account #[0-9]+ -> account #[0-9]+: ask deposit' \
    'its ask ends: the deadline has passed' 'FAILED: money created or lost'; do
	if ! grep -qE -- "$line" <<<"$again"; then
		echo "bank_sim_planted: the trace has no line with: $line"
		exit 1
	fi
done
echo "$failure"
