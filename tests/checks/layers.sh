#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# layers.sh - who may include what.
#
#   mailbox <- sched <- actors <- {io, flow, cluster, watch}
#       <- {examples, bench}
#   actors <- sim
#
# flow and cluster may use io.  Examples and benchmarks are users: they see
# <troupe.h>, <troupe/...>, the system's headers and files of their own
# folder.  <ev.h> is for sched/loop.c, libck's headers for mailbox/ck.h,
# <stdatomic.h> and atomic operations by any other name than those of
# mailbox/atomic.h for that file.  bench/peers holds other runtimes' programs
# and is not looked at.

source "$(dirname "$0")/lib.sh" "$@"

library="mailbox sched actors io flow cluster watch sim"

# The layers that files of a layer may include.
below() {
	case $1 in
	mailbox) echo "mailbox" ;;
	sched) echo "mailbox sched" ;;
	actors) echo "mailbox sched actors" ;;
	io | watch | sim) echo "mailbox sched actors $1" ;;
	flow | cluster) echo "mailbox sched actors io $1" ;;
	esac
}

# home_of VARIABLE FILE: the folder a file belongs to: its layer, or its example.
home_of() {
	local rest=${2#examples/}
	if [[ $rest != "$2" && $rest == */* ]]; then
		printf -v "$1" '%s' "examples/${rest%%/*}"
	else
		printf -v "$1" '%s' "${2%%/*}"
	fi
}

# check_include FILE LINE NAME: why FILE may not include NAME, if so.  There are a
# thousand of them, so what is usual starts no process.
check_include() {
	local file=$1 at=$1:$2 name=$3 home target
	home_of home "$file"

	case $name in
	ev.h | ev++.h)
		if [[ $file != sched/loop.c ]]; then
			echo "$at: <$name> is for sched/loop.c"
		fi
		return ;;
	ck_*.h)
		if [[ $file != mailbox/ck.h ]]; then
			echo "$at: <$name> is for mailbox/ck.h"
		fi
		return ;;
	stdatomic.h)
		if [[ $file != mailbox/atomic.h &&
		    " $library " == *" $home "* ]]; then
			echo "$at: <$name> is for mailbox/atomic.h"
		fi
		return ;;
	troupe.h | troupe/*) return ;;
	esac

	# Relative to the file first, as the compiler does, then to the root.
	if [[ -e ${file%/*}/$name ]]; then
		target=${file%/*}/$name
		if [[ $target == *./* ]]; then
			target=$(realpath -m --relative-to=. "$target")
		fi
	elif [[ -e $name ]]; then
		target=$name
	else
		case $name in
		mailbox/* | sched/* | actors/* | io/* | flow/* | cluster/* | \
		    watch/* | sim/* | examples/* | bench/* | tests/*) target=$name ;;
		*) return ;; # the system's
		esac
	fi

	home_of target "$target"
	if [[ $target == "$home" ]]; then
		return
	elif [[ " $library " != *" $home "* ]]; then
		echo "$at: $home may include its own files and <troupe.h>, not $name"
	elif [[ " $(below "$home") " != *" $target "* ]]; then
		echo "$at: $home may not include $target: $name"
	fi
}

c_files() { # of the folders that exist
	local dir dirs=()
	for dir in "$@"; do
		if [[ -d $dir ]]; then dirs+=("$dir"); fi
	done
	if [[ ${#dirs[@]} -gt 0 ]]; then
		find "${dirs[@]}" -path bench/peers -prune -o \
		    -name '*.[ch]' -print | sort
	fi
}

check_includes() {
	local file line name
	# shellcheck disable=SC2086
	c_files $library examples bench | while read -r file; do
		{ grep -nE '^[[:space:]]*#[[:space:]]*include' "$file" ||
		    true; } | tr '<>' '""' | while IFS=: read -r line name; do
			name=${name#*\"}
			check_include "$file" "$line" "${name%%\"*}"
		done
	done
}

# Atomic operations under their compiler's or C11's name, outside of comments.
check_atomics() {
	local file
	# shellcheck disable=SC2086
	c_files $library | while read -r file; do
		if [[ $file == mailbox/atomic.h ]]; then continue; fi
		awk -v file="$file" '
		{
			text = $0
			while (1) {
				if (comment) {
					at = index(text, "*/")
					if (at == 0) { text = ""; break }
					text = substr(text, at + 2)
					comment = 0
				}
				at = index(text, "/*")
				if (at == 0) break
				code = code substr(text, 1, at - 1) " "
				text = substr(text, at + 2)
				comment = 1
			}
			code = code text
			sub(/\/\/.*/, "", code)
			if (match(" " code, /[^a-z0-9_](__atomic_|__sync_|(atomic_(load|store|exchange|fetch|compare|thread|signal|flag|init))|memory_order)[a-z_]*/))
				print file ":" NR ": atomics go through " \
				    "mailbox/atomic.h:" \
				    substr(" " code, RSTART, RLENGTH)
			code = ""
		}' "$file"
	done
}

check() {
	cd "$1"
	check_includes
	check_atomics
}

# ----------------------------------------------------------- self-test ---

finds() { # finds FILE TEXT EXPECTED: a file with this text is a finding
	replant
	plant sched/env.h </dev/null
	plant actors/cell.h </dev/null
	plant io/socket.h </dev/null
	plant sim/sim.h </dev/null
	plant examples/other/other.h </dev/null
	plant "$1" <<<"$2"
	must_find "$1:$(($(wc -l <<<"$2"))): $3" check "$scratch"
}

passes() {
	replant
	plant sched/env.h </dev/null
	plant actors/cell.h </dev/null
	plant io/socket.h </dev/null
	plant sim/sim.h </dev/null
	plant examples/other/other.h </dev/null
	plant "$1" <<<"$2"
	must_pass check "$scratch"
}

finds mailbox/a.c '#include "sched/env.h"' 'mailbox may not include sched'
finds mailbox/a.c '#include "../sched/env.h"' 'mailbox may not include sched'
finds mailbox/a.c '#include <sched/env.h>' 'mailbox may not include sched'
finds sched/a.h ' # include "actors/cell.h"' 'sched may not include actors'
finds actors/a.c '#include "io/socket.h"' 'actors may not include io'
finds watch/a.c '#include "io/socket.h"' 'watch may not include io'
finds io/a.c '#include "flow/csv.h"' 'io may not include flow'
finds actors/a.c '#include "sim/sim.h"' 'actors may not include sim'
finds sim/a.c '#include "io/socket.h"' 'sim may not include io'
finds examples/x/x.c '#include "sim/sim.h"' 'examples/x may include'
finds sched/a.c '#include "tests/kit.h"' 'sched may not include tests'
finds examples/x/x.c '#include "actors/cell.h"' 'examples/x may include'
finds examples/x/x.c '#include "../other/other.h"' 'examples/x may include'
finds bench/b.c '#include "mailbox/pool.h"' 'bench may include'
finds sched/a.c '#include <ev.h>' '<ev.h> is for sched/loop.c'
finds examples/x/x.c '#include <ev.h>' '<ev.h> is for sched/loop.c'
finds sched/a.c '#include <ck_ring.h>' '<ck_ring.h> is for mailbox/ck.h'
finds actors/a.c '#include <stdatomic.h>' '<stdatomic.h> is for'
finds sched/a.c '	x = atomic_load(&y);' 'atomics go through'
finds sched/a.c '	/* a */ x = __atomic_load_n(&y, 5);' 'atomics go through'
finds sched/a.c $'/* a\n * b */ atomic_store(&y, 1);' 'atomics go through'

passes actors/a.c $'#include "actors/cell.h"\n#include "sched/env.h"'
passes sched/a.c $'#include "env.h"\n#include <troupe.h>\n#include <unistd.h>'
passes sim/a.c $'#include "sim/sim.h"\n#include "actors/cell.h"'
passes flow/a.c '#include "io/socket.h"'
passes sched/loop.c '#include <ev.h>'
passes mailbox/ck.h '#include <ck_ring.h>'
passes mailbox/atomic.h $'#include <stdatomic.h>\n#define l atomic_load'
passes sched/a.c $'/* atomic_load\n * __sync_x */ _Atomic int a; tri_load_acquire(&a);'
passes examples/other/o.c $'#include "other.h"\n#include <troupe/flow.h>'
passes bench/peers/x.c '#include <ev.h>'

verdict check "$source_dir"
