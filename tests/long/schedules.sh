#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# schedules.sh - the library under chosen schedules (tests/schedules), as many
# of them as there is time for.
#
# The programs are a build of their own, beside the one that is named.

set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

subjects=(inlet runq park pool records actors keep)
budget=60 seed=$(date +%s) small=no build=build/release

while [[ $# -gt 0 ]]; do
	case $1 in
	--list)
		echo "the library under chosen schedules: ${subjects[*]}"
		exit 0 ;;
	--small) small=yes ;;
	--budget) budget=$2; shift ;;
	--seed) seed=$2; shift ;;
	--build) build=$2; shift ;;
	*)
		echo "schedules.sh: unknown option $1" >&2
		exit 2 ;;
	esac
	shift
done

dir=$build/schedules
begin=$SECONDS
cmake --preset schedules -B "$dir" >/dev/null
if [[ $small == yes ]]; then
	# All of them in short are the preset's own tests.
	cmake --build "$dir" --target schedules_inlet >/dev/null
	exec "$dir/tests/schedules/schedules_inlet"
fi
cmake --build "$dir" >/dev/null

echo "seed $seed"
failed=0 left=${#subjects[@]} all=0
for subject in "${subjects[@]}"; do
	log=$dir/$subject.log
	share=$(((budget - (SECONDS - begin)) / left))
	left=$((left - 1))
	"$dir/tests/schedules/schedules_$subject" --seed "$seed" \
	    --budget "$((share > 1 ? share : 1))" >"$log" 2>&1 ||
	    failed=$((failed + 1))
	cat "$log"
	all=$((all + $(sed -n 's/^\([0-9]*\) schedules, .*/\1/p' "$log" |
	    tail -n 1)))
done
echo "$all schedules of ${#subjects[@]} subjects, $failed failed"
[[ $failed -eq 0 ]]
