#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# planted.sh - each planted bug (tests/planted) fits the sources as they are, and
# docs/proof.md has a row for it.  ./dev test tries some of them only.

source "$(dirname "$0")/lib.sh" "$@"

if ! command -v patch >/dev/null; then
	echo "planted: there is no patch"
	exit 77
fi

check() {
	local bug name
	cd "$1"
	for bug in tests/planted/*.patch; do
		name=$(basename "$bug" .patch)
		if ! patch -p1 --dry-run -s -f -F0 <"$bug" >/dev/null 2>&1; then
			echo "$bug:1: does not fit any more"
		fi
		if ! grep -q "^| $name |" docs/proof.md; then
			echo "docs/proof.md:1: has no row for $name"
		fi
	done
}

# ----------------------------------------------------------- self-test ---

bug() {
	cat <<'END'
Bug: none
Caught-by: nobody

--- a/a.c
+++ b/a.c
@@ -1,3 +1,3 @@
 one
-two
+2
 three
END
}

replant
plant a.c <<<$'one\ntwo\nthree'
bug | plant tests/planted/no_two.patch
plant docs/proof.md <<<'| no_two | none |'
must_pass check "$scratch"
plant docs/proof.md <<<'| no_three | none |'
must_find 'docs/proof.md:1: has no row for no_two' check "$scratch"
plant docs/proof.md <<<'| no_two | none |'
plant a.c <<<$'zero\none\ntwo\nthree'
must_pass check "$scratch"
plant a.c <<<$'one\n two\nthree'
must_find 'tests/planted/no_two.patch:1: does not fit' check "$scratch"

verdict check "$source_dir"
