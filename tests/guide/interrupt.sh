#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# interrupt.sh STORE - the guide's store, while it waits for more input, lists
# its actors and ends in order when it is interrupted.

set -euo pipefail

dir=$(mktemp -d)
pid=
clean_up() {
	if [[ -n $pid ]]; then kill -KILL "$pid" 2>/dev/null || true; fi
	rm -rf "$dir"
}
trap clean_up EXIT

# Background jobs of a shell ignore SIGINT, and what is ignored can be turned
# into messages as well; so nothing has to be undone here.
mkfifo "$dir/in"
"$1" <"$dir/in" >"$dir/out" 2>"$dir/dump" &
pid=$!
exec 3>"$dir/in"

until_said() { # until_said TEXT FILE: up to a minute
	local i
	for ((i = 0; i < 600; i++)); do
		if grep -qF -- "$1" "$2"; then return; fi
		sleep 0.1
	done
	echo "did not say '$1'; it said:"
	cat "$dir/out" "$dir/dump"
	exit 1
}

until_said ready "$dir/out"
echo "put ann blue 3600000" >&3
until_said kept "$dir/out"
echo "dump" >&3
until_said "3 actors listed" "$dir/dump"
until_said "behavior store" "$dir/dump"
kill -INT "$pid"
status=0
wait "$pid" || status=$?
pid=
if [[ $status -ne 0 ]]; then
	echo "left with $status"
	cat "$dir/out" "$dir/dump"
	exit 1
fi
diff -u - "$dir/out" <<'END'
ready
kept
interrupted
console: 1 requests, 0 refused
store: sessions left: 1
END
