#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# planted.sh - the planted bugs as an entry of the long tier; see
# tests/planted/run.sh.  There is no chance in the order, so --seed is ignored.

set -euo pipefail

run=$(dirname "$(realpath "$0")")/../planted/run.sh
args=()

while [[ $# -gt 0 ]]; do
	case $1 in
	--list)
		echo "bugs that were put into the library on purpose are found"
		exit 0 ;;
	--small) args+=(--quick 5) ;;
	--budget)
		# Where there is time, each layer tries each bug.
		if [[ $2 -ge 3600 ]]; then args+=(--long); fi
		args+=(--budget "$2") && shift ;;
	--build) args+=(--build "$2") && shift ;;
	--seed) shift ;;
	*)
		echo "usage: $0 [--list] [--small] [--budget SECONDS]" \
		    "[--build FOLDER] [--seed N]" >&2
		exit 2 ;;
	esac
	shift
done
exec bash "$run" "${args[@]}"
