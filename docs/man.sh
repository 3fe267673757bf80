#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# man.sh - make the manual pages from the public headers.
#
#     man.sh INCLUDE_DIR OUT_DIR VERSION [AWK]
#
# Writes OUT_DIR/man3 and OUT_DIR/man7, in place of what is there.  It needs
# nothing but a POSIX shell and awk, because whoever installs the library needs
# it.  SOURCE_DATE_EPOCH, if set, is the date in the pages' footer; otherwise
# they carry none, so that the same headers make the same pages.

set -eu
export LC_ALL=C

if [ $# -lt 3 ]; then
	echo "usage: $0 INCLUDE_DIR OUT_DIR VERSION [AWK]" >&2
	exit 2
fi
here=$(dirname "$0")
include=$1 out=$2 version=$3 awk=${4:-awk}

date=
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
	date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)
fi

rm -rf "$out/man3" "$out/man7" "$out/all"
mkdir -p "$out/man3" "$out/man7" "$out/all"

# troupe.h comes first: names that several headers have are its own.
find "$include" -name '*.h' | sort |
    xargs "$awk" -v all=1 -f "$here/api.awk" >"$out/all/api"
"$awk" -v dir="$out/all" -v version="$version" -v date="$date" \
    -f "$here/man_text.awk" -f "$here/man.awk" "$out/all/api"
rm "$out/all/api"

for page in "$out"/all/*; do
	case $page in
	*.7) mv "$page" "$out/man7" ;;
	*) mv "$page" "$out/man3" ;;
	esac
done
rmdir "$out/all"
