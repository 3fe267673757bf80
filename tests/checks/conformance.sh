#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# conformance.sh - the table of docs/supervision.md and tests/conformance/ say
# the same: each row is there once, the tests that it names exist and bear its
# id, each test is named by its row, each script is played and has a trace, and
# a trace in which Erlang and Troupe differ has its deviation in the table.
#
# A row whose test is "not yet" may have none; once it has one it has to be
# named.

source "$(dirname "$0")/lib.sh" "$@"

doc=docs/supervision.md

ids() {
	local i
	for ((i = 1; i <= ${signals:-16}; i++)); do echo "G$i"; done
	for ((i = 1; i <= ${supervisors:-25}; i++)); do echo "S$i"; done
}

# The tests of an id that are in a table of tests.
registered() {
	cat tests/conformance/*.c 2>/dev/null | tr -d '\n\t' |
	    grep -oE "KIT_TEST\( *$1_[a-z0-9_]+\)" |
	    sed 's/KIT_TEST( *//; s/)//' | sort -u || true
}

# The tests of an id that its row names.
named() {
	grep -oE "\`$1_[a-z0-9_]+\`" <<<"$2" | tr -d '`' | sort -u || true
}

# row_of ID: its cells, one per line.
row_of() {
	awk -F'|' -v id="$1" '$2 == " " id " " {
		for (i = 2; i < NF; i++) {
			gsub(/^ +| +$/, "", $i)
			print $i
		}
	}' "$doc"
}

check_row() {
	local id=$1 cells test
	mapfile -t cells < <(row_of "$id")
	if [[ ${#cells[@]} -ne 5 || -z ${cells[1]} ]]; then
		echo "$doc: $id has to have one row of five cells"
		return
	fi
	while read -r test; do
		if [[ -n $test ]]; then
			echo "$doc: $id: there is no test $test"
		fi
	done < <(comm -23 <(named "$id" "${cells[3]}") <(registered "$id"))
	while read -r test; do
		if [[ -n $test ]]; then
			echo "$doc: $id does not name its test $test"
		fi
	done < <(comm -13 <(named "$id" "${cells[3]}") <(registered "$id"))
	if [[ ${cells[3]} != "not yet" ]]; then
		if [[ -z $(named "$id" "${cells[3]}") ]]; then
			echo "$doc: $id names no test"
		fi
		if [[ -z ${cells[2]} || -z ${cells[4]} ]]; then
			echo "$doc: $id: an empty cell (a deviation can be \"none\")"
		fi
	fi
}

check_script() {
	local script=$1 row id cells
	row=${script#tests/conformance/rows/}
	row=${row%.script}
	if [[ ! -e ${script%.script}.trace ]]; then
		echo "$script: there is no trace"
	elif grep -q '^[<>]' "${script%.script}.trace"; then
		id=$(grep -oE '[GS][0-9]+' <<<"$(basename "$row")" | head -n 1)
		mapfile -t cells < <(row_of "$id")
		if [[ -z ${cells[4]:-} || ${cells[4]} == none ]]; then
			echo "${script%.script}.trace: $doc tells of no deviation"
		fi
	fi
	if ! grep -qF "play_row(\"$row\")" tests/conformance/*.c; then
		echo "$script: no test plays it"
	fi
}

check() {
	local id script
	cd "$1"
	while read -r id; do check_row "$id"; done < <(ids)
	while read -r script; do
		check_script "$script"
	done < <(find tests/conformance/rows -name '*.script' 2>/dev/null | sort)
}

# ----------------------------------------------------------- self-test ---

replant
signals=1 supervisors=1
planted_doc() { # the rows' last three cells
	plant $doc <<END
| Row | What OTP does | Troupe | Test | Deviation |
|---|---|---|---|---|
| G1 | a | $1 |
| S1 | a | $2 |
END
}
planted_test() {
	plant tests/conformance/a.c <<<"KIT_TEST($1), play_row(\"G1\");"
}
planted_doc 'the same | `G1_one` | none' '| not yet |'
planted_test G1_one
plant tests/conformance/rows/G1.script <<<'scene a'
plant tests/conformance/rows/G1.trace <<<'[a]'
must_pass check "$scratch"
planted_test G1_two
must_find 'G1: there is no test G1_one' check "$scratch"
must_find 'G1 does not name its test G1_two' check "$scratch"
plant tests/conformance/a.c <<<$'KIT_TEST(\n\t    G1_one), play_row("G1")'
must_pass check "$scratch"
plant tests/conformance/a.c <<<'KIT_TEST(G1_one), KIT_TEST(S1_one), play_row("G1")'
must_find 'S1 does not name its test S1_one' check "$scratch"
planted_test G1_one
planted_doc 'the same | it is | none' '| not yet |'
must_find 'G1 names no test' check "$scratch"
planted_doc '| `G1_one` | none' '| not yet |'
must_find 'G1: an empty cell' check "$scratch"
planted_doc 'the same | `G1_one` | none' 'it'
must_find 'S1 has to have one row' check "$scratch"
planted_doc 'the same | `G1_one` | none' '| not yet |'
plant tests/conformance/rows/G1.trace <<<$'[a]\n< a: ends e7'
must_find 'tells of no deviation' check "$scratch"
planted_doc 'the same | `G1_one` | it differs' '| not yet |'
must_pass check "$scratch"
plant tests/conformance/rows/troupe/S1.script <<<'scene a'
must_find 'S1.script: there is no trace' check "$scratch"
must_find 'S1.script: no test plays it' check "$scratch"
signals='' supervisors=''

verdict check "$source_dir"
