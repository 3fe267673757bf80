#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# planted.sh SOURCE_DIR CC [NAME...]: do the schedules find bugs?
#
# Each tests/planted/NAME.patch whose header says `Caught-by: schedules SUBJECT
# OPTIONS` is applied to a copy of the library; the program of that subject,
# built from the copy, has to fail with these options within its time.

set -euo pipefail
export LC_ALL=C

source_dir=$(realpath "$1")
cc=$2
shift 2
planted=$source_dir/tests/planted
limit=${TR_PLANTED_SECONDS:-120}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

flags=(-std=c17 -D_GNU_SOURCE -DTR_SCHEDULES -O1 -g
	-isystem "$source_dir/tests/schedules"
	-isystem "$source_dir/cmake/shim")

# compile DIR OBJECTS FILE...: FILE, below DIR, to OBJECTS/FILE.o.
compile() {
	local dir=$1 objects=$2 file
	shift 2
	for file; do
		mkdir -p "$(dirname "$objects/$file")"
		"$cc" "${flags[@]}" -I"$dir" -I"$dir/include" \
		    -c "$dir/$file" -o "$objects/$file.o"
	done
}

# sources SUBJECT: the files of the library that its program consists of.
sources() {
	(cd "$source_dir" &&
	    printf '%s\n' mailbox/*.c sched/*.c |
	    grep -vE '^sched/(env_real|loop|pool_real)[.]c$')
	if [[ $1 == actors || $1 == records ]]; then
		(cd "$source_dir" && printf '%s\n' actors/*.c)
	fi
}

# What no patch changes is compiled once: the engine, and the library as it is.
for name in buffer driver engine strategy trace world; do
	compile "$source_dir" "$scratch/engine" "tests/schedules/$name.c"
done
mapfile -t all < <(sources actors)
compile "$source_dir" "$scratch/clean" "${all[@]}"

# build DIR SUBJECT PATCH: the program from the library in DIR.
build() {
	local dir=$1 subject=$2 patch=$3 file objects=()
	while read -r file; do
		if grep -qE "^[+]{3} b/($file|.*[.]h)$" "$patch"; then
			compile "$dir" "$dir/objects" "$file"
			objects+=("$dir/objects/$file.o")
		else
			objects+=("$scratch/clean/$file.o")
		fi
	done < <(sources "$subject")
	if [[ $subject == actors || $subject == records ]]; then
		objects+=("$source_dir/tests/schedules/players.c")
	fi
	"$cc" "${flags[@]}" -I"$dir" -I"$dir/include" \
	    "$source_dir/tests/schedules/$subject.c" "${objects[@]}" \
	    "$scratch"/engine/tests/schedules/*.o -o "$dir/program"
}

# try PATCH: is it found?
try() {
	local patch=$1 name caught subject options dir log status=0
	name=$(basename "$patch" .patch)
	caught=$(sed -n 's/^Caught-by: schedules //p' "$patch" | head -n 1)
	if [[ -z $caught ]]; then return 0; fi
	read -r subject options <<<"$caught"
	dir=$scratch/$name
	log=$scratch/$name.log

	mkdir -p "$dir"
	cp -r "$source_dir"/{mailbox,sched,actors,include} "$dir"
	if ! patch -s -d "$dir" -p1 <"$patch"; then
		echo "$name: the patch does not fit any more"
		return 1
	fi
	build "$dir" "$subject" "$patch"
	# shellcheck disable=SC2086
	timeout "$limit" "$dir/program" $options >"$log" 2>&1 || status=$?
	rm -rf "$dir"
	if [[ $status -eq 1 ]] && grep -q '^=> ' "$log"; then
		printf '%-22s %s: %s\n' "$name" "$subject $options" \
		    "$(sed -n 's/^=> //p' "$log" | head -n 1)"
	else
		printf '%-22s %s: NOT FOUND (status %d)\n' "$name" \
		    "$subject $options" "$status"
		return 1
	fi
}

found=0 missed=0
for patch in "$planted"/*.patch; do
	if ! grep -q '^Caught-by: schedules ' "$patch"; then continue; fi
	if [[ $# -gt 0 && " $* " != *" $(basename "$patch" .patch) "* ]]; then
		continue
	fi
	if try "$patch"; then
		found=$((found + 1))
	else
		missed=$((missed + 1))
	fi
done
echo "$found found, $missed not found"
[[ $missed -eq 0 && $found -gt 0 ]]
