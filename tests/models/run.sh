#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh - search the Promela models exhaustively with spin.
#
#     run.sh [--quick | --long] [--mutants] [--budget SECONDS] [NAME...]
#     run.sh --list
#
# A model stands beside the code it models and says in its first comment how it
# is run:
#
#     run     NAME TIER KIND THREADS FLAGS...
#     mutant  FLAG NAME
#
# TIER is quick, long, or vast: what takes minutes, or was never searched to its
# end; --long has both, the vast ones last.  KIND is safety (assertions, deadlocks) or progress
# (also: no cycle without progress, under weak fairness).  A mutant is the run
# NAME with -DMUTANT_FLAG, a bug that the search has to find.
#
# Without --quick, --long or names: the quick runs.  --mutants runs the mutants
# of what was chosen instead.  A NAME is a run, or a model (all its runs of any
# tier).  With --budget what has not begun in time is left out, and what has
# not ended is stopped; both are said.
#
# "errors: 0" is not enough for a pass: the search must have been complete
# (depth and memory), and each line of a model must be reached by one of its
# searches, unless it says `unreached' in a comment.
#
# Ends with 0: all as it should be; 1: a finding; 77: there is no spin, or the
# time was over before any search was.

set -euo pipefail
export LC_ALL=C

root=$(realpath "$(dirname "$0")/../..")
depth=${MODELS_DEPTH:-1000000}
tier= mutants=no budget= deadline= status=0 ran=0 left_out=0
names=()

usage() {
	sed -n '/^# run.sh/,/^$/s/^# \{0,1\}//p' "$0"
}

# Every model's directives: model, word, arguments.
directives() {
	local model
	for model in "$root"/{mailbox,sched,actors}/*.pml; do
		if [[ ! -e $model ]]; then continue; fi
		awk -v model="$model" 'NR > 1 && /\*\// { exit }
		$1 == "*" && ($2 == "run" || $2 == "mutant") && NF > 3 {
			$1 = model
			print
		}' "$model"
	done
}

in_tier() { # in_tier TIER: of a run; whether it was chosen
	[[ $1 == "${tier:-quick}" || ( $1 == vast && $tier == long ) ]]
}

# runs: model, name, tier, kind, threads, flags of what was chosen.
runs() {
	local model word name run_tier rest base
	directives | while read -r model word name run_tier rest; do
		if [[ $word != run ]]; then continue; fi
		base=$(basename "$model" .pml)
		if [[ ${#names[@]} -gt 0 ]]; then
			if [[ " ${names[*]} " != *" $name "* &&
			    " ${names[*]} " != *" $base "* ]]; then
				continue
			fi
			if [[ -n $tier ]] && ! in_tier "$run_tier"; then
				continue
			fi
		elif ! in_tier "$run_tier"; then
			continue
		fi
		echo "$model $name $run_tier $rest"
	done | sort -s -k 3,3
}

mutants_of() { # mutants_of RUN: its mutants' flags
	directives | while read -r _ word flag name; do
		if [[ $word == mutant && $name == "$1" ]]; then
			echo "$flag"
		fi
	done
}

now_ms() { date +%s%3N; }

# search DIR MODEL KIND FLAGS...: leaves DIR/out; 124: the time was up.
search() {
	local dir=$1 model=$2 kind=$3 define=(-DSAFETY) args=() left=()
	shift 3
	if [[ $kind == progress ]]; then
		define=(-DNP -DNFAIR=3)
		args=(-l -f)
	fi
	if [[ -n $deadline ]]; then
		left=(timeout $((deadline > SECONDS ? deadline - SECONDS : 1)))
	fi
	mkdir -p "$dir"
	(
		cd "$dir"
		spin -a "$@" "$model" >spin.out 2>&1 || exit 2
		"${left[@]}" "${MODELS_CC:-gcc}" "${compile[@]}" -w -o pan pan.c \
		    "${define[@]}" \
		    -DMEMLIM="${MODELS_MB:-8000}" -DVECTORSZ=4096 \
		    >cc.out 2>&1 || exit $(($? == 124 ? 124 : 2))
		"${left[@]}" ./pan -m"$depth" -w"${MODELS_HASH:-24}" \
		    "${args[@]}" >out 2>&1
	)
}

# cover DIR MODEL: note which of the model's lines this search had, and which
# of them it reached.
cover() {
	local to=$scratch/cover/$(basename "$2" .pml)
	mkdir -p "$scratch/cover"
	(cd "$1" && ./pan -d) | awk -v all="$to.all" -v reached="$to.reached" '
	FNR == NR && /^unreached in / { process = $4; next }
	FNR == NR && match($0, /\.pml:[0-9]+, state [0-9]+,/) {
		split(substr($0, RSTART + 5, RLENGTH - 5), part, /[, ]+/)
		off[process, part[3] + 0] = 1
		next
	}
	FNR == NR { next }
	/^(proctype|init)/ { process = $1 == "init" ? ":init:" : $2; next }
	match($0, /\.pml:[0-9]+ => /) && !/=> -end-$/ {
		line = substr($0, RSTART + 5, RLENGTH - 9)
		print line >>all
		if (!((process, $2 + 0) in off))
			print line >>reached
	}' "$1/out" -
}

# Lines of a model that none of the searches reached, and that do not say so.
unreached() { # unreached MODEL
	local to=$scratch/cover/$(basename "$1" .pml)
	comm -23 <(sort -u "$to.all") <(sort -u "$to.reached") | sort -n |
	    while read -r line; do
		if ! sed -n "${line}p" "$1" | grep -q unreached; then
			echo "$(basename "$1"):$line: never reached: $(
			    sed -n "${line}s/^[[:space:]]*//p" "$1")"
		fi
	done
}

field() { # field PATTERN OUT: the number before or after it
	sed -n "$1" "$2" | head -n 1
}

figures() { # figures OUT: states, depth, memory
	local states deep mb
	states=$(field 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$1")
	deep=$(field 's/.*depth reached \([0-9]*\),.*/\1/p' "$1")
	mb=$(field 's/^ *\([0-9.]*\)[[:space:]]*total actual memory.*/\1/p' "$1")
	printf '%10.0f states, depth %6s, %5.0f MB' \
	    "${states:-0}" "${deep:--}" "${mb:-0}"
}

report() { # report NAME WHAT MS VERDICT
	printf '%-22s %-26s %s, %5d.%d s  %s\n' "$1" "$2" "$figures" \
	    $(($3 / 1000)) $(($3 / 100 % 10)) "$4"
}

out_of_time() {
	[[ -n $deadline && $SECONDS -ge $deadline ]]
}

# Why a search of the model as it is does not count as passed; nothing: it does.
complaint() { # complaint RC DIR
	local out=$2/out
	if [[ $1 -eq 2 || ! -e $out ]]; then
		echo "does not compile"
		cat "$2"/*.out 2>/dev/null | head -n 20 || true
	elif ! grep -q 'errors: 0' "$out"; then
		grep -m 1 -E '^pan:[0-9]+:|^pan: ' "$out" ||
		    echo "no verdict"
	elif [[ $1 -ne 0 ]]; then
		echo "pan ended with $1"
	elif grep -qiE 'search not completed|depth too small' "$out" ||
	    grep -qiE 'out of memory|truncated' "$out"; then
		echo "the search was not complete"
	fi
}

run_model() { # run_model MODEL NAME TIER KIND THREADS FLAGS...
	local model=$1 name=$2 kind=$4 threads=${5//_/ } dir=$scratch/$2
	local rc=0 start why figures compile=(-O2 -DCOLLAPSE)
	# Compiling takes longer than what is found in some seconds.
	if [[ $3 == quick ]]; then compile=(-O0); fi
	shift 5
	start=$(now_ms)
	search "$dir" "$model" "$kind" "$@" || rc=$?
	if [[ -e $dir/out ]]; then
		figures=$(figures "$dir/out")
	else
		figures="no figures"
	fi
	if [[ $rc -eq 124 ]]; then
		left_out=$((left_out + 1))
		report "$name" "$threads" $(($(now_ms) - start)) \
		    "stopped: no time left"
		return
	fi
	ran=$((ran + 1))
	why=$(complaint $rc "$dir")
	if [[ -z $why ]]; then
		report "$name" "$threads" $(($(now_ms) - start)) "passed"
		cover "$dir" "$model"
	else
		status=1
		report "$name" "$threads" $(($(now_ms) - start)) "FAILED"
		sed 's/^/	/' <<<"$why"
		show_trail "$dir" "$model" "$@"
	fi
	if [[ -z ${MODELS_KEEP:-} ]]; then rm -rf "$dir"; fi
}

# The last steps before an error, for a first look.
show_trail() { # show_trail DIR MODEL FLAGS...
	local dir=$1 model=$2
	shift 2
	if compgen -G "$dir/*.trail" >/dev/null; then
		(cd "$dir" && cp ./*.trail trail &&
		    spin -k trail -p -g -l "$@" "$model" 2>&1 |
		    tail -n "${MODELS_TRAIL:-60}" | sed 's/^/	| /') || true
	fi
}

run_mutant() { # run_mutant FLAG MODEL NAME TIER KIND THREADS FLAGS...
	local flag=$1 model=$2 name=$3 kind=$5 dir=$scratch/$3.$1
	local rc=0 start figures how compile=(-O0) # found soon, mostly
	shift 6
	start=$(now_ms)
	search "$dir" "$model" "$kind" "$@" "-DMUTANT_$flag" || rc=$?
	if [[ $rc -eq 124 ]]; then
		left_out=$((left_out + 1))
		echo "$name $flag: stopped: no time left"
		return
	fi
	ran=$((ran + 1))
	figures="no figures"
	if [[ -e $dir/out ]]; then figures=$(figures "$dir/out"); fi
	how=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth .*/\1/p' "$dir/out" \
	    2>/dev/null | head -n 1)
	if [[ -n $how ]] && grep -q 'errors: 1' "$dir/out"; then
		report "$name" "$flag" $(($(now_ms) - start)) \
		    "caught: $how"
	else
		status=1
		report "$name" "$flag" $(($(now_ms) - start)) "NOT CAUGHT"
		cat "$dir"/spin.out "$dir"/cc.out 2>/dev/null | head -n 5 || true
	fi
	if [[ -z ${MODELS_KEEP:-} ]]; then rm -rf "$dir"; fi
}

while [[ $# -gt 0 ]]; do
	case $1 in
	--list) directives | while read -r model word name rest; do
			if [[ $word == run ]]; then
				echo "$name ${rest%% *}"
			fi
		done
		exit 0 ;;
	--quick | --long) tier=${1#--} ;;
	--mutants) mutants=yes ;;
	--budget) budget=${2:?--budget SECONDS}; shift ;;
	-h | --help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) names+=("$1") ;;
	esac
	shift
done

if ! command -v spin >/dev/null; then
	echo "run.sh: there is no spin (Debian: apt-get install spin)" >&2
	exit 77
fi
if [[ -n $budget ]]; then deadline=$((SECONDS + budget)); fi
if [[ -n ${MODELS_KEEP:-} ]]; then
	scratch=$MODELS_KEEP
	mkdir -p "$scratch"
else
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
fi

while read -r -a args; do
	if [[ ${#args[@]} -eq 0 ]]; then continue; fi
	if [[ $mutants == no ]]; then
		if out_of_time; then
			left_out=$((left_out + 1))
			echo "${args[1]}: left out: no time left"
		else
			run_model "${args[@]}"
		fi
		continue
	fi
	for flag in $(mutants_of "${args[1]}"); do
		if out_of_time; then
			left_out=$((left_out + 1))
			echo "${args[1]} $flag: left out: no time left"
		else
			run_mutant "$flag" "${args[@]}"
		fi
	done
done < <(runs)

if [[ $((ran + left_out)) -eq 0 ]]; then
	echo "run.sh: nothing of that name" >&2
	exit 2
fi
# Of a model whose searches of one tier were all made and passed.
if [[ $mutants == no && $left_out -eq 0 && $status -eq 0 ]]; then
	for model in $(runs | cut -d ' ' -f 1 | sort -u); do
		if [[ ${#names[@]} -eq 0 ||
		    " ${names[*]} " == *" $(basename "$model" .pml) "* ]]; then
			why=$(unreached "$model")
			if [[ -n $why ]]; then
				echo "$why"
				status=1
			fi
		fi
	done
fi
what=searches
if [[ $mutants == yes ]]; then what=mutants; fi
echo "$ran $what, $left_out left out, $(
    [[ $status -eq 0 ]] && echo "no finding" || echo "FINDINGS")"
# Nothing was shown by what was left out.
if [[ $ran -eq 0 ]]; then exit 77; fi
exit $status
