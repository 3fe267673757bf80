#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# demo.sh BUILD_DIR - loads real and generated CSV files with ingest.
#
# First the four IEEE registries that Debian ships (package ieee-data), each
# into a table of its own, with a small report from the database; then two
# million generated rows.  All it makes is in the folder demo beside BUILD_DIR,
# and is made anew each time.
set -euo pipefail

build=${1:?usage: demo.sh BUILD_DIR}
ingest=$build/examples/ingest/ingest
gen_csv=$build/examples/ingest/gen_csv
demo=$(dirname "$build")/demo
data=/usr/share/ieee-data
rows=${DEMO_ROWS:-2000000}

for program in "$ingest" "$gen_csv"; do
	if [[ ! -x $program ]]; then
		echo "demo.sh: $program is not built" >&2
		exit 1
	fi
done
for name in oui mam oui36 iab; do
	if [[ ! -r $data/$name.csv ]]; then
		echo "demo.sh: $data/$name.csv is missing:" \
		    "install the package ieee-data" >&2
		exit 1
	fi
done

mkdir -p "$demo"
rm -f "$demo"/registry.db* "$demo"/people.db* "$demo"/*.rejects

echo "== The IEEE registries: who owns which network addresses =="
echo
"$ingest" "$data"/oui.csv "$data"/mam.csv "$data"/oui36.csv "$data"/iab.csv \
    --into "$demo/registry.db"
echo
if command -v sqlite3 >/dev/null; then
	echo "Assignments per registry, and how many are text that looks like"
	echo "a number and was left as it is (002272, 5885E9):"
	sqlite3 -box "$demo/registry.db" <<-'SQL'
		with everything(registry, assignment) as (
			select 'oui', Assignment from oui union all
			select 'mam', Assignment from mam union all
			select 'oui36', Assignment from oui36 union all
			select 'iab', Assignment from iab)
		select registry, count(*) as assignments,
		    sum(assignment glob '0[0-9]*'
			and assignment not glob '*[^0-9]*') as leading_zeros,
		    sum(assignment glob '[0-9]*E[0-9]*'
			and assignment not glob '*[^0-9E]*'
			and assignment not glob '*E*E*') as like_exponents
		from everything group by registry order by assignments desc;
	SQL
	echo "The ten organisations with the most assignments:"
	sqlite3 -box "$demo/registry.db" <<-'SQL'
		with everything(name) as (
			select "Organization Name" from oui union all
			select "Organization Name" from mam union all
			select "Organization Name" from oui36 union all
			select "Organization Name" from iab)
		select name as organisation, count(*) as assignments
		from everything group by name order by assignments desc, name limit 10;
	SQL
else
	echo "(Install sqlite3 to see a report from the database.)"
fi

echo
echo "== $rows generated rows =="
echo
"$gen_csv" "$rows" >"$demo/people.csv"
"$ingest" "$demo/people.csv" --into "$demo/people.db"

echo
echo "The program:   $ingest (try --help)"
echo "The databases: $demo/registry.db (oui, mam, oui36, iab)"
echo "               $demo/people.db (people)"
