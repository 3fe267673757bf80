#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# models.sh - the models with three threads, or with more to do, than
# ./dev test searches, and the bugs planted in those (tests/models/run.sh).

set -euo pipefail

run=$(dirname "$0")/../models/run.sh
budget=() small=no

while [[ $# -gt 0 ]]; do
	case $1 in
	--list)
		echo "Promela models of mailbox, scheduler and stop, exhaustively"
		exit 0 ;;
	--small) small=yes ;;
	--budget) budget=(--budget "${2:?--budget SECONDS}"); shift ;;
	--build | --seed) shift ;; # a search needs neither
	*) echo "models.sh: unknown argument: $1" >&2; exit 2 ;;
	esac
	shift
done

if [[ $small == yes ]]; then exec bash "$run" "${budget[@]}" mark.two; fi
status=0 begin=$SECONDS
bash "$run" --long "${budget[@]}" || status=$?
if [[ $status -ne 0 ]]; then exit "$status"; fi
if [[ ${#budget[@]} -gt 0 ]]; then
	left=$((budget[1] - (SECONDS - begin)))
	if [[ $left -le 0 ]]; then exit 0; fi
	budget=(--budget "$left")
fi
exec bash "$run" --long --mutants "${budget[@]}"
