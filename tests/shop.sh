#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# shop.sh SHOP - the example's money is conserved, with crashes and without; its
# tree shows the restarts; and it says when there was no help.

set -u
shop=$1
bad=0

# says WHAT STATUS PATTERN COMMAND...: the exit status, and a line of output.
says() {
	local what=$1 status=$2 pattern=$3 output got=0
	shift 3
	output=$("$@" 2>&1) || got=$?
	if [[ $got != "$status" ]] || ! grep -qE -- "$pattern" <<<"$output"; then
		echo "$what: exit status $got, meant: $status, and a line with"
		echo "  $pattern"
		echo "$output"
		bad=1
	fi
}

says 'money' 0 '^money: ([0-9.]+) paid = \1 booked$' "$shop" --sales 500
says 'all' 0 '^500 sales booked, [1-9][0-9]* restarts$' "$shop" --sales 500
says 'tree' 0 '^    till 2 +running +[0-9]+ restart' "$shop" --sales 500
says 'mended' 0 '^  ledger +running +[1-9][0-9]* restarts?.*, the last: ink' \
    "$shop" --sales 500 --crash 10
says 'calm' 0 '^500 sales booked, 0 restarts$' "$shop" --sales 500 --crash 0
says 'hopeless' 1 '^the town gave up: too many restarts$' \
    "$shop" --sales 5 --crash 100
says 'log' 0 'till 1.*(failed|restart)' "$shop" --sales 500 --crash 10 --log
says 'help' 0 '^usage: shop' "$shop" --help
for arguments in '--crash 101' '--sales 0' '--sales x' '--seed' '--what'; do
	# shellcheck disable=SC2086
	says "bad: $arguments" 2 '^usage: shop' "$shop" $arguments
done
exit $bad
