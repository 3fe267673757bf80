#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# undefined.sh - what the objects of mailbox/, sched/ and actors/ call.
#
# Clocks, threads, memory, files and all other things of the system are
# reached through sched/env.h, so that another environment (a simulator) can
# take the system's place.  Here the object files say whether that is so:
# their undefined symbols are compared with undefined.allow.  The same look
# shows when a folder needs a symbol of a folder above it.

source "$(dirname "$0")/lib.sh" "$@"

layers="mailbox sched actors"

allow=$source_dir/tests/checks/undefined.allow

# symbols DIR NM_OPTION: `source symbol` for each object below DIR.
symbols() {
	local object
	(cd "$1" && find mailbox sched actors -name '*.o' 2>/dev/null) |
	    sort | while read -r object; do
		nm -P "$2" "$1/$object" |
		    sed -n "s|^\([^ ]*\) .*|${object%.o} \1|p" |
		    sed 's/@.*//'
	done
}

check() {
	local objects=$1
	symbols "$objects" -u >"$scratch/undefined"
	symbols "$objects" --defined-only >"$scratch/defined"
	if [[ ! -s $scratch/defined ]]; then
		echo "$objects: no objects"
		return
	fi
	awk -v layers="$layers" '
	function matches(text, glob) {
		gsub(/[.]/, "[.]", glob)
		gsub(/[*]/, ".*", glob)
		return text ~ ("^" glob "$")
	}
	function allowed(file, symbol,    i) {
		for (i = 1; i <= rules; i++)
			if (matches(file, who[i]) && matches(symbol, what[i]))
				return 1
		return 0
	}
	BEGIN {
		n = split(layers, name, " ")
		for (i = 1; i <= n; i++)
			rank[name[i]] = i
	}
	{ layer = $1; sub(/\/.*/, "", layer) }
	FILENAME ~ /[.]allow$/ {
		if ($0 !~ /^#/)
			for (i = 2; i <= NF; i++) {
				who[++rules] = $1
				what[rules] = $i
			}
		next
	}
	FILENAME ~ /\/defined$/ {
		if (!($2 in home) || rank[layer] < rank[home[$2]])
			home[$2] = layer
		next
	}
	allowed($1, $2) { next }
	$2 !~ /^tri?_/ {
		print $1 ": uses " $2 ", which undefined.allow does not list"
		next
	}
	!($2 in home) { print $1 ": uses " $2 ", which is nowhere defined" }
	$2 in home && rank[home[$2]] > rank[layer] {
		print $1 ": uses " $2 " of " home[$2] ", which is above it"
	}
	' "$allow" "$scratch/defined" "$scratch/undefined"
}

# ----------------------------------------------------------- self-test ---

objects_of() { # compile what was planted
	local file
	(cd "$scratch" && find . -name '*.c') | while read -r file; do
		"$cc" -c "$scratch/$file" -o "$scratch/$file.o"
	done
}

plants() { # plants FILE CODE: one object beside three innocent ones
	replant
	plant mailbox/m.c <<<'int tri_m(int x) { return x; }'
	plant sched/s.c <<<'int tri_m(int); int tri_s(int x) { return tri_m(x); }'
	plant actors/a.c <<<'int tri_s(int); int tr_a(int x) { return tri_s(x); }'
	plant "$1" <<<"$2"
	objects_of
}

include='#include <stdlib.h>
#include <stdio.h>
#include <time.h>
#include <pthread.h>
'
plants actors/b.c "$include void *tri_b(void) { return malloc(1); }"
must_find 'actors/b.c: uses malloc' check "$scratch"
plants sched/b.c "$include long tri_b(void) { return time(NULL); }"
must_find 'sched/b.c: uses time' check "$scratch"
plants mailbox/b.c "$include int tri_b(pthread_mutex_t *m) { return pthread_mutex_lock(m); }"
must_find 'mailbox/b.c: uses pthread_mutex_lock' check "$scratch"
plants actors/b.c "$include void tri_b(int x) { printf(\"%d\", x); }"
must_find 'actors/b.c: uses printf' check "$scratch"
plants sched/loop.c "$include void *tri_b(void) { return fopen(\"x\", \"r\"); }"
must_find 'sched/loop.c: uses fopen' check "$scratch"
plants mailbox/b.c 'int tri_s(int); int tri_b(int x) { return tri_s(x); }'
must_find 'mailbox/b.c: uses tri_s of sched, which is above it' check "$scratch"
plants sched/b.c 'int tr_a(int); int tri_b(int x) { return tr_a(x); }'
must_find 'sched/b.c: uses tr_a of actors, which is above it' check "$scratch"
plants sched/b.c 'int tri_no(int); int tri_b(int x) { return tri_no(x); }'
must_find 'sched/b.c: uses tri_no, which is nowhere defined' check "$scratch"
plants sched/env_real.c "$include void tri_b(void *p) { free(p); }"
must_pass check "$scratch"
plants actors/b.c "$include int tri_b(char *b, int x) { return snprintf(b, 9, \"%d\", x); }"
must_pass check "$scratch"
replant
must_find 'no objects' check "$scratch"

verdict check "$build_dir/CMakeFiles/troupe_objects.dir"
