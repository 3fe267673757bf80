#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# compare.sh BUILD_DIR [ROWS [RUNS]] - ingest beside other ways to load a file.
#
# The programs take turns, RUNS times (3), on one generated file of ROWS rows
# (2,000,000), all with the same journal and synchronous settings (JOURNAL and
# SYNC in the environment; wal and normal):
#
#   ingest    as it is
#   import    sqlite3 .import --csv, into a table declared beforehand
#   derive    ingest with the computation that the asyncio script does
#   asyncio   compare_asyncio.py
#
# It prints a line of JSON for each, with the median, and ratios; then it
# compares the databases cell by cell, types included, and fails if they differ.
set -euo pipefail

build=${1:?usage: compare.sh BUILD_DIR [ROWS [RUNS]]}
rows=${2:-2000000}
runs=${3:-3}
journal=${JOURNAL:-wal}
sync=${SYNC:-normal}
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$build/examples/ingest" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/ingest-compare.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

run_ingest() {
	"$bin/ingest" -q people.csv --into ingest.db --journal "$journal" \
	    --sync "$sync"
}

run_import() {
	sqlite3 import.db "pragma journal_mode = $journal" \
	    "pragma synchronous = $sync" \
	    'create table people(id integer, user text, email text,
	    country text, amount real, ts integer, note text)' \
	    '.import --csv --skip 1 people.csv people' >import.out
}

run_derive() {
	"$bin/ingest" -q people.csv --into derive.db --journal "$journal" \
	    --sync "$sync" --derive 'user=upper(user)' \
	    --derive 'amount=mul(amount,1.19)' --derive 'amount=round(amount,2)'
}

run_asyncio() {
	python3 "$here/compare_asyncio.py" people.csv asyncio.db "$journal" \
	    "$sync"
}

# now: seconds, with a fraction
now() {
	date +%s.%N
}

# median NAME: of the times in NAME.times
median() {
	sort -n "$1.times" | awk '{ t[NR] = $1 } END {
	    print NR % 2 ? t[(NR + 1) / 2] : (t[NR / 2] + t[NR / 2 + 1]) / 2 }'
}

"$bin/gen_csv" "$rows" >people.csv
bytes=$(stat -c %s people.csv)
for _ in $(seq "$runs"); do
	for name in ingest import derive asyncio; do
		rm -f "$name".db*
		start=$(now)
		"run_$name"
		awk -v a="$start" -v b="$(now)" \
		    'BEGIN { printf "%.3f\n", b - a }' >>"$name.times"
	done
done
for name in ingest import derive asyncio; do
	printf '{"bench":"csv_to_sqlite","program":"%s","rows":%d,' \
	    "$name" "$rows"
	printf '"bytes":%d,"journal":"%s","sync":"%s","s":%s,' \
	    "$bytes" "$journal" "$sync" "$(median "$name")"
	printf '"min":%s,"max":%s,"runs":%d}\n' \
	    "$(sort -n "$name.times" | head -1)" \
	    "$(sort -n "$name.times" | tail -1)" "$runs"
done
awk -v a="$(median import)" -v b="$(median ingest)" 'BEGIN {
    printf "import / ingest: %.2f\n", a / b }'
awk -v a="$(median asyncio)" -v b="$(median derive)" 'BEGIN {
    printf "asyncio / ingest with the same computation: %.2f\n", a / b }'

# differences A B CONDITION: rows that are not the same in both
differences() {
	sqlite3 "$1.db" "attach '$2.db' as other" "
	select (select count(*) from main.people) +
	    (select count(*) from other.people) -
	    2 * (select count(*) from main.people a join other.people b
	    on a.rowid = b.rowid where a.id is b.id and a.user is b.user
	    and a.email is b.email and a.country is b.country
	    and a.ts is b.ts and a.note is b.note
	    and typeof(a.id) = typeof(b.id)
	    and typeof(a.amount) = typeof(b.amount)
	    and typeof(a.ts) = typeof(b.ts)
	    and typeof(a.user) = typeof(b.user)
	    and typeof(a.email) = typeof(b.email)
	    and typeof(a.country) = typeof(b.country)
	    and typeof(a.note) = typeof(b.note) and $3)"
}

# A product that lies on a half may be rounded either way.
plain=$(differences ingest import 'a.amount is b.amount')
derived=$(differences derive asyncio 'abs(a.amount - b.amount) < 0.0101')
echo "rows that differ: ingest and import $plain, derive and asyncio $derived"
[[ $plain == 0 && $derived == 0 ]]
