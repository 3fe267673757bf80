#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# supervisors.sh - random trees of supervisors (tests/sim/trees.h): Troupe in
# the simulator against a model, and Erlang against the same.  Where it begins is
# drawn, so that each night sees other trees.

set -eu

build=build/release budget=0 small= seed=
here=$(dirname "$(readlink -f "$0")")
while [[ $# -gt 0 ]]; do
	case $1 in
	--list)
		echo "random trees of supervisors do what a model says: 10,000;" \
		    "and so does Erlang: 100"
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
seeds=10000 judged=100
if [[ $small ]]; then seeds=20 judged=5; fi
echo "seed $seed"

program=$(find "$build" -name sim_trees -type f -perm -u+x | head -n 1)
if [[ -z $program ]]; then
	echo "sim_trees: not built"
	exit 77
fi
status=0
bash "$here/../sim/trees.sh" "$program" "$judged" "$seed" || status=$?
if [[ $status != 0 && $status != 77 ]]; then exit "$status"; fi
left=0
if [[ $budget -gt 0 ]]; then
	left=$((budget > SECONDS ? budget - SECONDS : 1))
fi
exec "$program" --first "$seed" --seeds "$seeds" --budget "$left"
