#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# memcheck.sh - a part of the tests and examples under valgrind's memcheck: it
# sees what was never initialised, and needs no build of its own.  Valgrind
# runs one thread at a time and some thirty times slower, so this is a choice.

set -euo pipefail

build=build/release budget=600 small=no

while [[ $# -gt 0 ]]; do
	case $1 in
	--list)
		echo "under valgrind's memcheck: unit tests, examples, a few seeds"
		exit 0 ;;
	--small) small=yes ;;
	--budget) budget=$2; shift ;;
	--seed) shift ;;
	--build) build=$2; shift ;;
	*)
		echo "memcheck.sh: unknown option $1" >&2
		exit 2 ;;
	esac
	shift
done

if ! command -v valgrind >/dev/null; then
	echo "valgrind is not there"
	exit 77
fi

# The quick and telling ones first.
programs=(
	"examples/hello 200"
	"examples/ask 20"
	"examples/bank 100"
	"examples/pool"
	"tests/sim_swarm --seeds 3 --once"
	"tests/mailbox_message"
	"tests/mailbox_pool"
	"tests/mailbox_pool_trim"
	"tests/sched_wheel"
	"tests/sched_step"
	"tests/actors_ask"
	"tests/actors_blob"
	"tests/actors_bound"
	"tests/actors_budget"
	"tests/actors_forward"
	"tests/actors_group"
	"tests/actors_lifecycle"
	"tests/actors_link"
	"tests/actors_name"
	"tests/actors_offload"
	"tests/actors_protocol"
	"tests/actors_router"
	"tests/actors_send"
	"tests/actors_stash"
	"tests/actors_stop"
)
if [[ $small == yes ]]; then programs=("${programs[@]:0:2}"); fi

begin=$SECONDS ran=0 failed=0 left=0
for program in "${programs[@]}"; do
	if ((SECONDS - begin >= budget)); then
		left=$((left + 1))
		continue
	fi
	read -ra words <<<"$program"
	path=$(find "$build" -path "*/${words[0]##*/}" -type f -perm -u+x |
	    head -n 1)
	if [[ -z $path ]]; then
		echo "${words[0]}: not built"
		exit 77
	fi
	log=$build/memcheck.log
	status=0
	# Its scheduler is fair, or one worker that spins starves the others.
	valgrind -q --error-exitcode=99 --leak-check=full --fair-sched=yes \
	    --errors-for-leak-kinds=definite "$path" "${words[@]:1}" \
	    >"$log" 2>&1 || status=$?
	ran=$((ran + 1))
	if [[ $status -ne 0 ]]; then
		failed=$((failed + 1))
		echo "$program: status $status"
		grep -v '^\[' "$log" | head -n 60
	else
		echo "$program: nothing found"
	fi
done
echo "$ran programs, $failed with findings, $left left out by the budget"
[[ $failed -eq 0 ]]
