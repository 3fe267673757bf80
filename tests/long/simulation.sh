#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# simulation.sh - the swarm and the bank for as many seeds as there is time
# for, each seed twice.  Where it begins is drawn, so that each night sees
# other seeds.

set -eu

build=build/release budget=600 small= seed=
while [[ $# -gt 0 ]]; do
	case $1 in
	--list)
		echo "simulated: all that the library has, under faults;" \
		    "100,000 seeds, every one twice"
		exit 0 ;;
	--small) small=1; shift ;;
	--build) build=$2; shift 2 ;;
	--budget) budget=$2; shift 2 ;;
	--seed) seed=$2; shift 2 ;;
	*) echo "usage: $0 [--list] [--small] [--build DIR] [--budget S]" \
	    "[--seed N]" >&2
	    exit 2 ;;
	esac
done

seed=${seed:-$((RANDOM * 32768 + RANDOM))}
seeds=100000
if [[ $small ]]; then seeds=20; fi
echo "seed $seed"

total=0
for name in sim_swarm sim_swarm_tight bank_sim; do
	program=$(find "$build" -name "$name" -type f -perm -u+x | head -n 1)
	if [[ -z $program ]]; then
		echo "$name: not built"
		exit 77
	fi
	status=0
	output=$("$program" --first "$seed" --seeds "$seeds" --coverage \
	    --budget "$(((budget + 2) / 3))" 2>&1) || status=$?
	echo "$output"
	if [[ $status != 0 ]]; then exit "$status"; fi
	ran=$(sed -n 's/^\([0-9]*\) seeds, .*/\1/p' <<<"$output")
	total=$((total + ran))
done
echo "$total seeds, each twice, and both runs the same"
