#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh - planted bugs: do the tests find them?
#
#     run.sh [--quick N | --long] [options] [NAME...]
#
#     --list           say what there is
#     --quick N        the first N that say `Tier: quick`
#     --every N        of those it would try, by name, each Nth
#     --long           also try every other layer, to fill the matrix
#     --layer LAYER    only the bugs that LAYER is said to find, and by LAYER
#     --budget SECS    begin nothing after that time; what is left is said
#     --markdown FILE  write the matrix there
#     --build DIR      keep objects below DIR (default: build)
#     --jobs N         so many at a time (default: one per core)
#
# NAME.patch is a realistic bug in mailbox/, sched/ or actors/.  Its header:
#
#     Bug: what it breaks
#     Caught-by: LAYER TEST [ARGUMENTS]     first the one that is tried first
#     Tier: quick                           found in a second or two
#
#     unit TEST         the program tests/unit/TEST.c fails, crashes or hangs
#     stress TEST N     so does tests/stress/TEST.c with N workers
#     asan unit/TEST, asan stress/TEST N    the same under AddressSanitizer,
#     tsan unit/TEST, tsan stress/TEST N    or ThreadSanitizer
#     sim TEST [ARGS]   a seed of tests/sim/TEST.c fails (default: 3,000 seeds)
#     schedules SUBJECT ARGS                tests/schedules/SUBJECT.c fails
#     model RUN FLAG    the bug is the mutant FLAG of the model's run RUN
#
# Nothing is changed in the sources: patched files are copied, what depends on
# them is compiled again, the rest is linked as it is.  Each test has to pass
# on the sources as they are (the baseline), or what it finds says nothing.  A
# layer that this tree does not have leaves its bugs pending; those count as
# neither caught nor missed.
#
# Ends with 0: all caught; 1: one was missed, a patch does not fit any more, or
# a baseline fails; 77: nothing could be tried.

set -euo pipefail
export LC_ALL=C
ulimit -c 0

here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
build=$root/build
cc=${CC:-gcc}
mode=first long=no quick=0 every=1 list=no only= jobs=$(nproc)
budget='' markdown=''
limit=${TR_PLANTED_SECONDS:-10} # for one test; more for those that need it
names=()

layers=(model schedules sim unit stress tsan asan)

die() {
	printf 'planted: %s\n' "$*" >&2
	exit 1
}

now_ms() {
	local t=${EPOCHREALTIME/./}
	echo "${t%???}"
}

out_of_time() {
	[[ -n $budget && $SECONDS -ge $budget ]]
}

# ------------------------------------------------------------- patches ---

field() { # field NAME WHAT: the lines of the header
	sed -n "/^--- /q;s/^$2: //p" "$here/$1.patch"
}

catchers() { # catchers NAME: those lines of Caught-by that are to be tried
	field "$1" Caught-by | grep -E "^${only:-[a-z]+}( |$)" || true
}

all_names() {
	local file
	for file in "$here"/*.patch; do
		if [[ -e $file ]]; then basename "$file" .patch; fi
	done
}

patched_files() { # patched_files NAME: paths in the tree
	sed -n 's/^+++ b\///p' "$here/$1.patch"
}

# Whether this tree has what a layer needs.
layer_is_here() {
	if [[ " ${layers[*]} " != *" $1 "* ]]; then return 1; fi
	case $1 in
	schedules) [[ -e $root/tests/schedules/engine.c ]] ;;
	model) [[ -x $root/tests/models/run.sh ]] &&
	    command -v spin >/dev/null ;;
	*) true ;;
	esac
}

# layer_tests NAME LAYER: the tests to try, a line each: PROGRAM ARGUMENTS.
# First those the patch names for this layer, then those nearest to its files.
layer_tests() {
	local name=$1 layer=$2 file test
	{
		catchers "$name" | while read -r by test; do
			if [[ $by != "$layer" ]]; then continue; fi
			case $layer in
			unit | stress | sim | schedules)
				echo "$layer/$test" ;;
			*) echo "$test" ;;
			esac
		done
		if [[ $mode == long ]]; then near_tests "$name" "$layer"; fi
	} | sed 's/^\(sim\/[a-z_]*\)$/\1 --seeds 3000/' | awk '!seen[$0]++'
}

near_tests() { # near_tests NAME LAYER
	local file
	if [[ $2 == sim ]]; then echo sim/swarm; fi
	if [[ $2 != @(unit|stress|asan|tsan) ]]; then return 0; fi
	patched_files "$1" | while read -r file; do
		awk -v file="$file" '$1 == file {
			for (i = 2; i <= NF; i++) print $i
		}' "$here/areas"
	done | while read -r file; do
		case $2:$file in
		unit:unit/* | *san:unit/*) echo "$file" ;;
		stress:stress/* | *san:stress/*) echo "$file 4" ;;
		esac
	done
}

kind_of() { # kind_of LAYER: how it is compiled
	case $1 in
	asan | tsan | schedules) echo "$1" ;;
	*) echo plain ;;
	esac
}

# ------------------------------------------------------------ building ---

flags_of() { # flags_of KIND
	local common="-std=c17 -D_GNU_SOURCE -g -ftls-model=initial-exec"
	local shim="-isystem $root/cmake/shim"
	common+=" -DTR_DEBUG_ASSERTS=1 ${CPPFLAGS:-}"
	case $1 in
	plain) echo "-O1 $common" ;;
	asan) echo "-O1 $common -fsanitize=address,undefined" \
	    "-fno-sanitize-recover=all -fno-omit-frame-pointer $shim" ;;
	tsan) echo "-O1 $common -fsanitize=thread" \
	    "-fno-omit-frame-pointer $shim" ;;
	schedules) echo "-O1 $common -DTR_SCHEDULES" \
	    "-isystem $root/tests/schedules $shim" ;;
	esac
}

# program_sources PROGRAM: what it consists of, as paths in the tree.
program_sources() {
	local program=$1
	cd "$root"
	case $program in
	schedules/actors | schedules/keep | schedules/records)
		printf '%s\n' mailbox/*.c sched/*.c actors/*.c \
		    tests/schedules/players.c ;;
	schedules/*) printf '%s\n' mailbox/*.c sched/*.c ;;
	*) printf '%s\n' mailbox/*.c sched/*.c actors/*.c \
	    actors/supervise/*.c ;;
	esac | if [[ $program == schedules/* ]]; then
		# Its world takes the place of these.
		grep -vE '/(env_real|loop|pool_real)[.]c$'
		printf 'tests/schedules/%s.c\n' buffer driver engine \
		    strategy trace world
	else
		cat
	fi
	case $program in
	sim/*) printf '%s\n' sim/*.c tests/"$program"_*.c | grep -v '[*]' ;;
	unit/actors_protocol*) echo tests/protocol_far.c ;;
	esac
	echo "tests/$program.c"
}

libraries_of() { # libraries_of PROGRAM
	case $1 in
	schedules/*) echo "-lpthread" ;;
	unit/*) echo "-lcmocka -lev -lpthread -lm" ;;
	*) echo "-lev -lpthread -lm" ;;
	esac
}

# The objects of the unpatched tree, with ninja, which keeps them up to date.
write_ninja() {
	local kind source includes
	includes="-I$root -I$root/include -I$root/tests"
	{
		for kind in plain asan tsan schedules; do
			cat <<-END
			rule $kind
			  command = $cc $(flags_of "$kind") $includes -MMD -MF \$out.d -c \$in -o \$out
			  depfile = \$out.d
			END
			(cd "$root" && printf '%s\n' mailbox/*.c sched/*.c \
			    actors/*.c actors/supervise/*.c sim/*.c tests/*.c tests/unit/*.c \
			    tests/stress/*.c tests/sim/*.c \
			    tests/schedules/*.c) | grep -v '\*' |
			while read -r source; do
				echo "build $kind/$source.o: $kind $root/$source"
			done
		done
	} >"$work/build.ninja.new"
	if cmp -s "$work/build.ninja.new" "$work/build.ninja"; then
		rm "$work/build.ninja.new"
	else
		mv "$work/build.ninja.new" "$work/build.ninja"
	fi
}

# build_base FILE: lines of KIND PROGRAM; objects, then programs.
build_base() {
	local kind program
	while read -r kind program; do
		program_sources "$program" | sed "s|.*|$kind/&.o|"
	done <"$1" | sort -u >"$work/targets"
	xargs ninja -C "$work" -j "$jobs" <"$work/targets" \
	    >"$work/ninja.log" 2>&1 || {
		tail -n 30 "$work/ninja.log" >&2
		die "the tree does not compile"
	}
	while read -r kind program; do
		(link_base "$kind" "$program") &
		throttle
	done <"$1"
	wait
}

# link BIN KIND PROGRAM OBJECT...
link() {
	local bin=$1 kind=$2 program=$3
	shift 3
	# shellcheck disable=SC2046,SC2086
	"$cc" $(flags_of "$kind") "$@" $(libraries_of "$program") \
	    ${LDFLAGS:-} -o "$bin"
}

link_base() { # link_base KIND PROGRAM
	local bin=$work/bin/$1/$2 objects object
	mapfile -t objects < <(program_sources "$2" |
	    sed "s|.*|$work/$1/&.o|")
	mkdir -p "$(dirname "$bin")"
	for object in "${objects[@]}"; do
		if [[ ! $bin -nt $object ]]; then
			link "$bin" "$1" "$2" "${objects[@]}"
			return
		fi
	done
}

throttle() {
	while [[ $(jobs -rp | wc -l) -ge $jobs ]]; do wait -n || true; done
}

# overlay NAME: copies of the patched files, with the bug.  false: it does not
# fit any more.
overlay() {
	local tree=$work/trees/$1 file
	rm -rf "$tree"
	mkdir -p "$tree"
	patched_files "$1" | while read -r file; do
		mkdir -p "$tree/$(dirname "$file")"
		cp "$root/$file" "$tree/$file"
	done
	patch -s -f -F0 -p1 -d "$tree" <"$here/$1.patch" \
	    >"$tree/patch.log" 2>&1
}

compile_patched() { # compile_patched TREE KIND SOURCE
	local tree=$1 from=$root/$3
	if [[ -e $tree/$3 ]]; then from=$tree/$3; fi
	# shellcheck disable=SC2046
	"$cc" $(flags_of "$2") -I"$tree" -I"$tree/include" -I"$root" \
	    -I"$root/include" -I"$root/tests" -c "$from" -o "$tree/$2/$3.o"
}

# build_patched NAME KIND PROGRAM: prints where the program is.
build_patched() {
	local name=$1 kind=$2 program=$3 tree=$work/trees/$1
	local objects=() files source object mine bin
	bin=$tree/bin/$kind/$program
	files=$(patched_files "$name" | sed "s|^|$root/|")
	mkdir -p "$(dirname "$bin")"
	while read -r source; do
		object=$work/$kind/$source.o
		mine=$tree/$kind/$source.o
		if grep -qF "$files" "$object.d"; then
			objects+=("$mine")
			if [[ -e $mine ]]; then continue; fi
			mkdir -p "$(dirname "$mine")"
			compile_patched "$tree" "$kind" "$source" &
			throttle
		else
			objects+=("$object")
		fi
	done < <(program_sources "$program")
	wait
	# What did not compile is missed here.
	link "$bin" "$kind" "$program" "${objects[@]}" || return 1
	echo "$bin"
}

# ------------------------------------------------------------- running ---

# ThreadSanitizer needs its own place in the address space.
unrandomised() {
	local bits=0
	if [[ -r /proc/sys/vm/mmap_rnd_bits ]]; then
		bits=$(</proc/sys/vm/mmap_rnd_bits)
	fi
	if [[ $bits -gt 28 ]] && setarch -R true 2>/dev/null; then
		echo "setarch -R"
	fi
}

# The time a test took without a bug, as a file name.
baseline_of() { # baseline_of LAYER PROGRAM ARGS...
	local IFS=-
	echo "$work/baseline/${*//\//-}"
}

# run_test SECONDS BIN KIND LOG ARGS...: its exit status.
run_test() {
	local limit=$1 bin=$2 kind=$3 log=$4 wrap=() status=0
	shift 4
	if [[ $kind == tsan ]]; then read -ra wrap <<<"$(unrandomised)"; fi
	ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 \
	    UBSAN_OPTIONS=halt_on_error=1 \
	    TSAN_OPTIONS=halt_on_error=1 \
	    timeout -k 2 "$limit" "${wrap[@]}" "$bin" "$@" \
	    >"$log" 2>&1 </dev/null || status=$?
	return "$status"
}

# What a failed test says, in a few words.
reason() { # reason LAYER LOG STATUS
	local text=
	case $1 in
	sim) text=$(grep -oE -m 1 'seed [0-9]+' "$2" || true) ;;
	asan) text=$(sed -n 's/.*ERROR: [A-Za-z]*: \([a-z-]*\).*/\1/p
		s/.*\(runtime error\).*/\1/p' "$2" | head -n 1) ;;
	tsan) text=$(sed -n \
	    's/.*WARNING: ThreadSanitizer: \([a-z -]*[a-z]\).*/\1/p' "$2" |
	    head -n 1) ;;
	schedules) text=$(sed -n 's/^=> //p' "$2" | head -n 1) ;;
	esac
	if [[ -z $text ]]; then
		# cmocka's name of the test, or an assertion of the library.
		text=$(sed -n 's/^\[  FAILED  \] \([a-z_][a-z_0-9]*\)$/\1/p
			s/^troupe: .*\/\([a-z_]*\.[ch]:[0-9]*: .*\)/\1/p
			s/^FAILED: \(.*\) (.*/\1/p' "$2" | head -n 1)
	fi
	case $3 in
	124 | 137) text="${text:+$text, }hangs" ;;
	13[4-9]) text=${text:-crashes} ;;
	esac
	echo "${text:-status $3}" | cut -c 1-70 | tr '|' '!'
}

try_model() { # try_model NAME RUN FLAG: as try_test
	local log=$work/results/$1/model.log
	bash "$root/tests/models/run.sh" --mutants "$2" >"$log" 2>&1 || true
	if grep -qE "^$2 +$3 .* caught: " "$log"; then
		echo "$2 -D$3"
		return 0
	fi
	return 1
}

# try_test NAME LAYER PROGRAM ARGS...: 0: caught, and says how; 1: missed; 2:
# it could not be tried.
try_test() {
	local name=$1 layer=$2 program=$3 kind bin log usual status=0
	shift 3
	kind=$(kind_of "$layer")
	log=$work/results/$name/$layer.log
	if [[ $layer == model ]]; then
		try_model "$name" "$program" "$@"
		return
	fi
	bin=$(build_patched "$name" "$kind" "$program" 2>"$log") || return 2
	# One that takes five times as long as without the bug hangs.
	usual=$(cat "$(baseline_of "$layer" "$program" "$@").ms")
	usual=$((usual / 200))
	if [[ $layer == schedules ]]; then usual=30; fi
	run_test $((usual > limit ? usual : limit)) "$bin" "$kind" "$log" \
	    "$@" || status=$?
	rm -f "$bin"
	if [[ $status -eq 0 ]]; then return 1; fi
	# No end is no finding where the search has none without the bug.
	if [[ $layer == schedules && $status -eq 124 ]]; then return 1; fi
	echo "${program#*/}: $(reason "$layer" "$log" "$status")"
}

# try_layer NAME LAYER: results/NAME/LAYER becomes `caught MS HOW`, `missed`,
# `error HOW`, or it is not there.
try_layer() {
	local name=$1 layer=$2 start how status tried=no to words
	to=$work/results/$name/$layer
	while read -r words; do
		# shellcheck disable=SC2086
		if out_of_time || { [[ $layer != model ]] &&
		    [[ ! -e $(baseline_of "$layer" $words).ms ]]; }; then
			# Not all were tried: that says nothing.
			return 0
		fi
		tried=yes status=0
		start=$(now_ms)
		# shellcheck disable=SC2086
		how=$(try_test "$name" "$layer" $words) || status=$?
		case $status in
		0) echo "caught $(($(now_ms) - start)) $how" >"$to"
		   return 0 ;;
		2) echo "error it does not compile" >"$to"
		   return 0 ;;
		esac
	done < <(layer_tests "$name" "$layer")
	if [[ $tried == yes ]]; then echo "missed" >"$to"; fi
}

try_first() { # try_first NAME: the layers it names, until one finds it
	local name=$1 to=$work/results/$1 layer
	mkdir -p "$to"
	if ! overlay "$name"; then
		echo "error the patch does not fit any more" >"$to/patch"
	fi
	while read -r layer; do
		if [[ -e $to/patch ]]; then break; fi
		try_layer "$name" "$layer"
		if grep -qs '^caught' "$to/$layer"; then break; fi
	done < <(catchers "$name" | while read -r layer _; do
		if layer_is_here "$layer"; then echo "$layer"; fi
	done | awk '!seen[$0]++')
	say_patch "$name" || true
	if [[ $long == no ]]; then rm -rf "$work/trees/$name"; fi
}

try_others() { # try_others NAME: fill its row of the matrix
	local name=$1 to=$work/results/$1 layer
	if [[ -e $to/patch ]]; then return 0; fi
	for layer in "${layers[@]}"; do
		if layer_is_here "$layer" &&
		    ! grep -qs '^caught' "$to/$layer"; then
			try_layer "$name" "$layer"
		fi
	done
	rm -rf "$work/trees/$name"
}

# each FUNCTION: of all names, some at a time, as long as there is time.
each() {
	local name
	for name in "${names[@]}"; do
		if out_of_time; then break; fi
		("$1" "$name") &
		throttle
	done
	wait
}

# How one ended: a line.  0: caught; 1: missed or broken; 2: pending; 3: not
# begun.
say_patch() {
	local name=$1 to=$work/results/$1 layer how ms verdict
	local pending=no tried=no
	if [[ -e $to/patch ]]; then
		printf '%-24s ERROR: %s\n' "$name" \
		    "$(cut -d' ' -f2- "$to/patch")"
		return 1
	fi
	while read -r layer _; do
		if ! layer_is_here "$layer"; then pending=yes; fi
		if [[ ! -e $to/$layer ]]; then continue; fi
		tried=yes
		read -r verdict ms how <"$to/$layer" || true
		case $verdict in
		caught)
			printf '%-24s caught by: %s (%s, %d.%d s)\n' "$name" \
			    "$layer" "$how" $((ms / 1000)) $((ms / 100 % 10))
			return 0 ;;
		error)
			printf '%-24s ERROR: %s %s\n' "$name" "$ms" "$how"
			return 1 ;;
		esac
	done < <(catchers "$name")
	if [[ $pending == yes ]]; then
		printf '%-24s pending: needs %s\n' "$name" \
		    "$(catchers "$name" | head -n 1)"
		return 2
	elif [[ $tried == yes ]]; then
		printf '%-24s MISSED\n' "$name"
		return 1
	fi
	return 3
}

# ------------------------------------------------------------ baseline ---

# What is to run at all: LAYER PROGRAM ARGS, sorted.
wanted() {
	local name layer
	for name in "${names[@]}"; do
		for layer in "${layers[@]}"; do
			if layer_is_here "$layer" && [[ $layer != model ]]; then
				layer_tests "$name" "$layer" |
				    sed "s/^/$layer /"
			fi
		done
	done | sort -u
}

baseline() { # baseline LAYER PROGRAM ARGS...
	local layer=$1 program=$2 kind to start most=120 status=0
	to=$(baseline_of "$@")
	shift 2
	kind=$(kind_of "$layer")
	start=$(now_ms)
	# A search that finds nothing may go on for long.
	if [[ $layer == schedules ]]; then most=5; fi
	run_test "$most" "$work/bin/$kind/$program" "$kind" "$to.log" "$@" ||
	    status=$?
	if [[ $layer == schedules && $status -eq 124 ]]; then status=0; fi
	echo $(($(now_ms) - start)) >"$to.ms"
	if [[ $status -ne 0 ]]; then
		echo "baseline: $layer $program $* fails without any bug:" \
		    "$(reason "$layer" "$to.log" "$status")" |
		    tee -a "$work/baseline/failed"
	fi
}

check_baseline() {
	local line layer program rest
	mkdir -p "$work/baseline"
	wanted >"$work/wanted"
	while read -r layer program rest; do
		echo "$(kind_of "$layer") $program"
	done <"$work/wanted" | sort -u >"$work/programs"
	build_base "$work/programs"
	while read -r line; do
		# shellcheck disable=SC2086
		if [[ -e $(baseline_of $line).ms ]]; then continue; fi
		if out_of_time; then break; fi
		# shellcheck disable=SC2086
		(baseline $line) &
		throttle
	done <"$work/wanted"
	wait
	[[ ! -e $work/baseline/failed ]]
}

# -------------------------------------------------------------- report ---

cell() { # cell NAME LAYER: for the matrix
	local verdict
	if [[ ! -e $work/results/$1/$2 ]]; then
		echo " "
		return
	fi
	read -r verdict _ <"$work/results/$1/$2"
	case $verdict in
	caught) echo x ;;
	missed) echo "-" ;;
	*) echo "?" ;;
	esac
}

write_markdown() {
	local name layer
	{
		printf '| planted bug | what is wrong |'
		printf ' %s |' "${layers[@]}"
		printf '\n|---|---|'
		for layer in "${layers[@]}"; do printf '%s' ':-:|'; done
		printf '\n'
		for name in "${names[@]}"; do
			printf '| %s | %s |' "$name" \
			    "$(field "$name" Bug | tr '|' '/')"
			for layer in "${layers[@]}"; do
				printf ' %s |' "$(cell "$name" "$layer")"
			done
			printf '\n'
		done
	} >"$markdown"
}

summary() {
	local name caught=0 missed=0 pending=0 left=0 status
	for name in "${names[@]}"; do
		status=0
		say_patch "$name" >/dev/null || status=$?
		case $status in
		0) caught=$((caught + 1)) ;;
		1) missed=$((missed + 1)) ;;
		2) pending=$((pending + 1)) ;;
		*) left=$((left + 1)) ;;
		esac
	done
	if [[ -n $markdown ]]; then write_markdown; fi
	printf '%d of %d caught' "$caught" $((caught + missed))
	if [[ $pending -gt 0 ]]; then printf ', %d pending' "$pending"; fi
	if [[ $left -gt 0 ]]; then printf ', no time for %d' "$left"; fi
	printf '\n'
	if [[ $missed -gt 0 ]]; then return 1; fi
	if [[ $caught -eq 0 ]]; then return 77; fi
}

list_patches() {
	local name
	for name in "${names[@]}"; do
		printf '%-24s %s\n' "$name" "$(field "$name" Bug)"
	done
}

choose() {
	local all name
	mapfile -t all < <(all_names)
	if [[ ${#names[@]} -eq 0 ]]; then names=("${all[@]}"); fi
	for name in "${names[@]}"; do
		if [[ ! -e $here/$name.patch ]]; then
			die "there is no planted bug $name; see --list"
		fi
		if [[ -z $(field "$name" Bug) ||
		    -z $(field "$name" Caught-by) ]]; then
			die "$name.patch says not what it breaks, or not" \
			    "what catches it"
		fi
	done
	if [[ -n $only ]]; then
		mapfile -t names < <(for name in "${names[@]}"; do
			if [[ -n $(catchers "$name") ]]; then echo "$name"; fi
		done)
		layers=("$only")
	fi
	if [[ $quick -gt 0 ]]; then
		mapfile -t names < <(for name in "${names[@]}"; do
			if [[ $(field "$name" Tier) == quick ]]; then
				echo "$name"
			fi
		done | head -n "$quick" || true)
	fi
	if [[ $every -gt 1 ]]; then
		mapfile -t names < <(printf '%s\n' "${names[@]}" |
		    awk -v n="$every" 'NR % n == 1')
	fi
}

usage() {
	sed -n '/^# run.sh/,/^$/s/^# \{0,1\}//p' "$0"
	exit "$1"
}

number() {
	if [[ ! ${1:-} =~ ^[0-9]+$ ]]; then usage 2 >&2; fi
	echo "$1"
}

main() {
	local name failed=0
	while [[ $# -gt 0 ]]; do
		case $1 in
		--list) list=yes ;;
		--long) long=yes ;;
		--layer) only=${2:-} && shift ;;
		--quick) quick=$(number "${2:-}") && shift ;;
		--every) every=$(number "${2:-}") && shift ;;
		--budget) budget=$(number "${2:-}") && shift ;;
		--jobs) jobs=$(number "${2:-}") && shift ;;
		--markdown) markdown=$2 && shift ;;
		--build) build=$(realpath "$2") && shift ;;
		-h | --help) usage 0 ;;
		-*) usage 2 >&2 ;;
		*) names+=("$1") ;;
		esac
		shift
	done
	if [[ -n $only && " ${layers[*]} " != *" $only "* ]]; then
		die "there is no layer $only; there are ${layers[*]}"
	fi
	choose
	if [[ $list == yes ]]; then
		list_patches
		return
	fi
	for name in ninja patch "$cc"; do
		if ! command -v "$name" >/dev/null; then
			echo "planted: there is no $name"
			exit 77
		fi
	done
	work=$build/planted
	mkdir -p "$work"
	rm -rf "$work/results" "$work/trees"
	mkdir -p "$work/results" "$work/trees"
	write_ninja
	rm -rf "$work/baseline"
	check_baseline || failed=1
	each try_first
	if [[ $long == yes ]] && ! out_of_time; then
		mode=long
		check_baseline || failed=1
		each try_others
	fi
	summary || failed=$?
	return "$failed"
}

main "$@"
