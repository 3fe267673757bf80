#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# limits.sh - each test that docs/limits.md names exists: a function that a
# unit test registers, or `stress_x` for the program tests/stress/x.c.

source "$(dirname "$0")/lib.sh" "$@"

# Names of tests stand in backquotes, in lower case, with three words at least,
# or begin with stress_; functions and options begin with tr_ and max_.
names() {
	grep -noE '`[a-z0-9_]+`' docs/limits.md | tr -d '`' |
	    grep -E ':(stress_[a-z_]+|[a-z0-9]+(_[a-z0-9]+){2,})$' |
	    grep -vE ':(tr|max)_'
}

check() {
	local line name found
	cd "$1"
	names | while IFS=: read -r line name; do
		found=
		case $name in
		stress_*)
			[[ -f tests/stress/${name#stress_}.c ]] && found=yes
			;;
		*)
			# In a table of tests, maybe on a line of its own.
			grep -qE "^[[:space:]]+(.*\()?$name\)" \
			    tests/unit/*.c && found=yes
			;;
		esac
		if [[ -z $found ]]; then
			echo "docs/limits.md:$line: there is no test $name"
		fi
	done
}

# ----------------------------------------------------------- self-test ---

replant
plant docs/limits.md <<<'| `tr_system_new()`, `tr_a_b_c` | `one_two_three`, `stress_a` |'
plant tests/stress/a.c <<<'int x;'
plant tests/unit/b.c <<<$'\t\tKIT_TEST(one_two_three),'
must_pass check "$scratch"
plant tests/unit/b.c <<<$'\t\tKIT_TEST(\n\t\t    one_two_three),'
must_pass check "$scratch"
plant tests/unit/b.c <<<$'static void\none_two_three(void **unused)'
must_find 'limits.md:1: there is no test one_two_three' check "$scratch"
rm "$scratch/tests/stress/a.c"
must_find 'limits.md:1: there is no test stress_a' check "$scratch"

verdict check "$source_dir"
