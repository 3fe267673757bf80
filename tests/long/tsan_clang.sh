#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tsan_clang.sh - unit tests, stress and examples under clang's
# ThreadSanitizer.  gcc's has them all in ./dev test; clang's, which sees some
# races that gcc's does not, has only mailbox/ and sched/ there.
#
# In random order, so that each night a budget cuts off others.

set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

budget=600 small=no build=build/release

while [[ $# -gt 0 ]]; do
	case $1 in
	--list)
		echo "clang's ThreadSanitizer: unit tests, stress, examples"
		exit 0 ;;
	--small) small=yes ;;
	--budget) budget=$2; shift ;;
	--seed) shift ;;
	--build) build=$2; shift ;;
	*)
		echo "tsan_clang.sh: unknown option $1" >&2
		exit 2 ;;
	esac
	shift
done

if ! command -v clang >/dev/null; then
	echo "clang is not there"
	exit 77
fi
if [[ $small == yes ]]; then
	# ./dev test builds this preset itself.
	echo "nothing to do in small"
	exit 0
fi

begin=$SECONDS
dir=build/tsan-clang
cmake --preset tsan-clang -DTR_BUILD_TESTS=ON >/dev/null
cmake --build "$dir" >"$build/tsan_clang.build.log"

# With more random bits of addresses than it was built for it does not start.
wrap=()
if [[ $(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0) -gt 28 ]] &&
    setarch -R true 2>/dev/null; then
	wrap=(setarch -R)
fi
mapfile -t tests < <(ctest --test-dir "$dir" -N \
    -L 'mailbox|sched|actors|stress|example|sim' |
    sed -n 's/^ *Test *#[0-9]*: //p' | shuf)

ran=0 failed=0
for name in "${tests[@]}"; do
	if ((SECONDS - begin >= budget && ran > 0)); then break; fi
	ran=$((ran + 1))
	if ! "${wrap[@]}" ctest --test-dir "$dir" -R "^${name//./\\.}\$" \
	    --output-on-failure >"$build/tsan_clang.log" 2>&1; then
		failed=$((failed + 1))
		echo "$name:"
		tail -n 80 "$build/tsan_clang.log"
	fi
done
echo "$ran of ${#tests[@]} programs, $failed failed"
[[ $failed -eq 0 ]]
