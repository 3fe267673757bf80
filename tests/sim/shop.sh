#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# shop.sh SHOP PLANTED SEEDS - whoever is killed, what was paid is booked; and a
# ledger that books without looking whether it has done so is found out.

set -u
shop=$1 planted=$2 seeds=$3

# All but a few runs kill somebody; without any this would show nothing.
if ! output=$("$shop" --seeds "$seeds" --coverage 2>&1); then
	echo "shop_sim: a seed failed:"
	echo "$output"
	exit 1
fi
if ! grep -qE '^kill +.* [1-9][0-9]*$' <<<"$output"; then
	echo "shop_sim: nobody was killed:"
	echo "$output"
	exit 1
fi
if found=$("$planted" --seeds 2000 --once 2>&1); then
	echo "shop_sim_planted: the bug was not found: $found"
	exit 1
fi
if ! grep -qE '^seed [0-9]+ failed: sale [0-9]+ is booked twice' <<<"$found"
then
	echo "shop_sim_planted: another failure: $found"
	exit 1
fi
grep -E '^[0-9]+ seeds' <<<"$output"
grep -m 1 '^seed' <<<"$found"
