#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# install.sh - what is installed can be used: it is complete, knows no path of
# the place it was built in or installed to, and programs in C and C++ are
# built with it and run - by find_package and by pkg-config, with the shared
# and the static library, and with the sources as a subproject.  The Debian
# package has the same.

source "$(dirname "$0")/lib.sh" "$@"

# use COMPILER: the compiler of the build, or another, with its C++ side.
use() {
	cc=$1
	case $(basename "$cc") in
	clang*) cxx=${cc/clang/clang++} ;;
	*gcc*) cxx=${cc/gcc/g++} ;;
	*) cxx=c++ ;;
	esac
}

# Print the output of a command that fails, behind a line that says which.
quietly() {
	local what=$1 output
	shift
	if ! output=$("$@" 2>&1); then
		echo "$what: failed: $*"
		tail -n 15 <<<"$output"
		return 1
	fi
}

# runs WHAT PROGRAM: it says what a consumer says, and leaves with 0.
runs() {
	local output
	if ! output=$("$2" 2>&1) || [[ $output != "consumer: "* ]]; then
		echo "$1: $2 says ${output:-nothing}"
	fi
}

# --------------------------------------------------------- what is there ---

version_of() { sed -n 's/^#define TR_VERSION_[A-Z]* \([0-9]*\)$/\1/p' \
    "$1/include/troupe.h" | paste -sd .; }

# complete PREFIX SOURCE_DIR: the files, and how the library is called.
complete() {
	local prefix=$1 version file soname
	version=$(version_of "$2")
	for file in lib/libtroupe.a lib/libtroupe.so "lib/libtroupe.so.$version" \
	    lib/libtroupe-sim.a lib/pkgconfig/troupe-sim.pc \
	    lib/pkgconfig/troupe.pc lib/cmake/troupe/troupe-config.cmake \
	    lib/cmake/troupe/troupe-config-version.cmake \
	    share/man/man3/tr_send.3 share/man/man3/tr_options.3type \
	    share/man/man7/troupe.7 share/doc/troupe/LICENSE \
	    $(cd "$2" && find include -name '*.h') \
	    $(cd "$2" && find docs -name '*.md' -printf 'share/doc/troupe/docs/%f ')
	do
		if [[ ! -s $prefix/$file ]]; then
			echo "$file: not installed"
		fi
	done
	for file in bin lib64 include/mailbox include/sched include/actors \
	    include/ev.h; do
		if [[ -e $prefix/$file ]]; then
			echo "$file: does not belong there"
		fi
	done
	file=$prefix/lib/libtroupe.so
	if [[ ! -e $file ]]; then return; fi
	soname=$(readelf -d "$file" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
	if [[ $soname != libtroupe.so.* || ! -e $prefix/lib/$soname ]]; then
		echo "lib/libtroupe.so: its SONAME is '$soname'"
	fi
	if readelf -d "$file" | grep -E 'RPATH|RUNPATH'; then
		echo "lib/libtroupe.so: has a run path"
	fi
}

# relocatable PREFIX PATH...: no text file has one of these paths in it.
relocatable() {
	local prefix=$1 path
	shift
	for path; do
		(cd "$prefix" && grep -rlIF -- "$path" . || true) |
		    sed "s|^\./\(.*\)|\1: knows the path $path|"
	done
}

# ---------------------------------------------------------- who uses it ---

by_find_package() { # by_find_package PREFIX
	local at=$scratch/cmake-$(basename "$cc") program
	quietly "find_package" cmake -G Ninja \
	    -S "$source_dir/tests/install" -B "$at" \
	    -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
	    -DCMAKE_PREFIX_PATH="$1" \
	    -DTROUPE_VERSION="$(version_of "$source_dir")" || return 0
	quietly "find_package" cmake --build "$at" || return 0
	for program in static_c static_cc shared_c shared_cc sim_c sim_cc; do
		runs "find_package" "$at/$program"
	done
	if readelf -d "$at/static_c" | grep -q libtroupe; then
		echo "find_package: troupe::troupe is not the static library"
	fi
	if ! readelf -d "$at/shared_c" | grep -q libtroupe; then
		echo "find_package: troupe::troupe_shared is not shared"
	fi

	quietly "COMPONENTS shared" cmake -G Ninja \
	    -S "$source_dir/tests/install/shared" -B "$at-shared" \
	    -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$1" || return 0
	quietly "COMPONENTS shared" cmake --build "$at-shared" || return 0
	runs "COMPONENTS shared" "$at-shared/shared"
}

by_pkg_config() { # by_pkg_config PREFIX
	local flags version at=$scratch/pc
	mkdir -p "$at"
	export PKG_CONFIG_PATH=$1/lib/pkgconfig
	version=$(version_of "$source_dir")
	if ! quietly "pkg-config" pkg-config "--exact-version=$version" troupe
	then
		return 0
	fi

	read -ra flags <<<"$(pkg-config --cflags --libs troupe)"
	if quietly "pkg-config, C" "$cc" -std=c17 -o "$at/c" \
	    "$source_dir/tests/install/consumer.c" "${flags[@]}"; then
		LD_LIBRARY_PATH=$1/lib runs "pkg-config, C" "$at/c"
	fi
	if quietly "pkg-config, C++" "$cxx" -std=c++17 -o "$at/cc" \
	    "$source_dir/tests/install/consumer.cc" "${flags[@]}"; then
		LD_LIBRARY_PATH=$1/lib runs "pkg-config, C++" "$at/cc"
	fi

	read -ra flags <<<"$(pkg-config --static --cflags --libs troupe)"
	if quietly "pkg-config --static, C" "$cc" -std=c17 -static \
	    -o "$at/static_c" "$source_dir/tests/install/consumer.c" \
	    "${flags[@]}"; then
		runs "pkg-config --static, C" "$at/static_c"
	fi
	read -ra flags <<<"$(pkg-config --cflags --libs troupe-sim)"
	if quietly "pkg-config troupe-sim, C" "$cc" -std=c17 -o "$at/sim_c" \
	    "$source_dir/tests/install/simulated.c" "${flags[@]}"; then
		runs "pkg-config troupe-sim, C" "$at/sim_c"
	fi
	read -ra flags <<<"$(pkg-config --static --cflags --libs troupe)"
	if quietly "pkg-config --static, C++" "$cxx" -std=c++17 -static \
	    -o "$at/static_cc" "$source_dir/tests/install/consumer.cc" \
	    "${flags[@]}"; then
		runs "pkg-config --static, C++" "$at/static_cc"
	fi
}

by_subdirectory() {
	local at=$scratch/sub file
	quietly "add_subdirectory" cmake -G Ninja \
	    -S "$source_dir/tests/install/subproject" -B "$at" \
	    -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
	    -DTROUPE_SOURCE="$source_dir" || return 0
	quietly "add_subdirectory" cmake --build "$at" || return 0
	runs "add_subdirectory" "$at/parent_c"
	runs "add_subdirectory" "$at/parent_cc"
	runs "add_subdirectory" "$at/parent_sim"
	quietly "add_subdirectory" cmake --install "$at" \
	    --prefix "$scratch/sub-prefix" || return 0
	(cd "$scratch/sub-prefix" && find . ! -type d) |
	    grep -vxF -e ./bin/parent_c -e ./bin/parent_cc |
	    sed 's|^\./|add_subdirectory: installs |'
	if ninja -C "$at" -t targets all | grep -E '^troupe/(tests|bench)/'; then
		echo "add_subdirectory: has tests or benchmarks"
	fi
}

same_files() {
	diff <(cd "$1" && find . ! -type d | sort) \
	    <(cd "$2" && find . ! -type d | sort) || true
}

# as_package BUILD_DIR PREFIX: the Debian package has what is installed.
as_package() {
	local at=$scratch/deb
	if ! command -v dpkg-deb >/dev/null; then
		echo "no dpkg-deb: the package is not looked at" >&2
		return
	fi
	mkdir -p "$at"
	cd "$1"
	quietly "cpack" cpack -G DEB -B "$at" || return 0
	quietly "cpack" dpkg-deb -x "$at"/troupe_*.deb "$at/root" || return 0
	same_files "$2" "$at/root/usr"
}

# ---------------------------------------------------------------- check ---

# check BUILD_DIR: install it, move it, use it.  The prefix at installation is
# not the one of the configuration, and it is left before anybody looks.
check() {
	local first=$scratch/first/prefix moved=$scratch/moved/elsewhere
	local staged=$scratch/staged other
	quietly install cmake --install "$1" --prefix "$first" || return 0
	DESTDIR=$staged quietly "install with DESTDIR" \
	    cmake --install "$1" --prefix "$first" || return 0
	diff -r "$first" "$staged$first" || true
	mkdir -p "$(dirname "$moved")"
	mv "$first" "$moved"
	rm -rf "$staged"

	complete "$moved" "$source_dir"
	relocatable "$moved" "$scratch" "$source_dir" "$(realpath "$1")"
	use "$cc"
	by_find_package "$moved"
	by_pkg_config "$moved"
	# The other compiler, too; it has to build the library as well.
	for other in gcc clang; do
		if [[ $(basename "$cc") != "$other"* ]] &&
		    command -v "$other" >/dev/null; then
			use "$other"
			by_find_package "$moved"
			by_pkg_config "$moved"
			break
		fi
	done
	by_subdirectory
	as_package "$1" "$moved"
}

# ----------------------------------------------------------- self-test ---

prefix() { # prefix: an installation that is complete, to be spoilt
	replant
	plant source/include/troupe.h <<'END'
#define TR_VERSION_MAJOR 7
#define TR_VERSION_MINOR 1
#define TR_VERSION_PATCH 2
END
	plant source/docs/guide.md <<<'x'
	local file
	for file in include/troupe.h share/doc/troupe/docs/guide.md \
	    lib/libtroupe.a lib/pkgconfig/troupe.pc \
	    lib/libtroupe-sim.a lib/pkgconfig/troupe-sim.pc \
	    lib/cmake/troupe/troupe-config.cmake \
	    lib/cmake/troupe/troupe-config-version.cmake \
	    share/man/man3/tr_send.3 share/man/man3/tr_options.3type \
	    share/man/man7/troupe.7 share/doc/troupe/LICENSE; do
		plant "p/$file" <<<'x'
	done
	"$cc" -shared -fPIC -x c -o "$scratch/p/lib/libtroupe.so.7.1.2" \
	    -Wl,-soname,"${1:-libtroupe.so.7}" "${@:2}" - <<<'int tr_x;'
	ln -s libtroupe.so.7.1.2 "$scratch/p/lib/libtroupe.so.7"
	ln -s libtroupe.so.7.1.2 "$scratch/p/lib/libtroupe.so"
}

prefix
must_pass complete "$scratch/p" "$scratch/source"
must_pass relocatable "$scratch/p" "$scratch"
rm "$scratch/p/include/troupe.h"
must_find 'include/troupe.h: not installed' \
    complete "$scratch/p" "$scratch/source"
prefix
rm "$scratch/p/share/doc/troupe/docs/guide.md"
must_find 'guide.md: not installed' complete "$scratch/p" "$scratch/source"
prefix
rm "$scratch/p/lib/libtroupe.so.7.1.2"
must_find 'libtroupe.so.7.1.2: not installed' \
    complete "$scratch/p" "$scratch/source"
prefix
plant p/include/sched/sched.h <<<'x'
must_find 'include/sched: does not belong' \
    complete "$scratch/p" "$scratch/source"
prefix other.so
must_find "its SONAME is 'other.so'" complete "$scratch/p" "$scratch/source"
prefix libtroupe.so.7 -Wl,-rpath,/nowhere
must_find 'has a run path' complete "$scratch/p" "$scratch/source"
prefix
echo "prefix=$scratch/p" >>"$scratch/p/lib/pkgconfig/troupe.pc"
must_find 'lib/pkgconfig/troupe.pc: knows the path' \
    relocatable "$scratch/p" "$scratch"
prefix
use "$cc"
must_find 'find_package: failed' by_find_package "$scratch/p"
must_find 'pkg-config: failed' by_pkg_config "$scratch/p"
must_pass same_files "$scratch/p" "$scratch/p"
must_find 'guide.md' same_files "$scratch/p" "$scratch/p/share"
must_find 'failed: false' quietly something false
plant says <<<$'#!/bin/sh\necho no'
chmod +x "$scratch/says"
must_find 'says no' runs something "$scratch/says"
plant says <<<$'#!/bin/sh\necho "consumer: 1"; exit 3'
must_find 'says consumer: 1' runs something "$scratch/says"
plant says <<<$'#!/bin/sh\necho "consumer: 1"'
must_pass runs something "$scratch/says"

replant
verdict check "$build_dir"
