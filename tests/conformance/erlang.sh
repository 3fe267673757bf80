#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# erlang.sh - Erlang plays the rows' scripts: it has to note what the rows'
# traces say, which is what Troupe's tests compare with.
#
#     erlang.sh               all rows
#     erlang.sh --show ROW    print what Erlang notes
#     erlang.sh --write ROW   make that the row's trace
#
# Exit status 77: there is no Erlang (Debian: erlang-base).

set -euo pipefail
export LC_ALL=C
here=$(dirname "$(readlink -f "$0")")

if ! command -v erl >/dev/null || ! command -v erlc >/dev/null; then
	echo "skipped: erl and erlc are missing (Debian: erlang-base)"
	exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch # where erl keeps its cookie
erlc -Werror -o "$scratch" "$here/judge.erl"

# judge SCRIPT...: play; the traces are in $scratch/out afterwards.
judge() {
	mkdir -p "$scratch/out"
	erl -noshell -noinput -pa "$scratch" -run judge main "$scratch/out" \
	    "$@" </dev/null
}

# What a row's trace says that Erlang should note: `< ` is Erlang's alone, `> `
# Troupe's alone.
expected() {
	sed -e '/^>/d' -e '/^#/d' -e '/^$/d' -e 's/^< //' "$1"
}

# compare SCRIPT: 1 if Erlang noted something else.
compare() {
	local name
	name=$(basename "$1" .script)
	if [[ ! -e ${1%.script}.trace ]]; then
		echo "$name: there is no trace"
		return 1
	fi
	diff -u --label "$name.trace" --label Erlang \
	    <(expected "${1%.script}.trace") "$scratch/out/$name.trace"
}

case ${1:-} in
--show | --write)
	judge "$here/rows/$2.script"
	if [[ $1 == --write ]]; then
		cp "$scratch/out/$2.trace" "$here/rows/$2.trace"
	fi
	cat "$scratch/out/$2.trace"
	exit
	;;
esac

# That it can fail: a trace with a line too many, and one too few.
rows=("$here"/rows/*.script)
mkdir "$scratch/planted"
cp "${rows[0]}" "$scratch/planted/"
planted=$scratch/planted/$(basename "${rows[0]}")
judge "$planted"
for edit in '$a nobody: ends e1' '$d'; do
	sed "$edit" "${rows[0]%.script}.trace" >"${planted%.script}.trace"
	if compare "$planted" >/dev/null; then
		echo "a wrong trace is not found"
		exit 1
	fi
done

judge "${rows[@]}"
status=0
for row in "${rows[@]}"; do
	compare "$row" || status=1
done
if [[ $status -eq 0 ]]; then
	echo "Erlang/OTP $(erl -noshell -noinput -eval \
	    'io:put_chars(erlang:system_info(otp_release)), halt().' \
	    </dev/null) notes what the traces of ${#rows[@]} rows say"
fi
exit $status
