# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# api.sh - the public functions, read from the headers; sourced by checks.

api_awk=$source_dir/docs/api.awk

api_headers() {
	find "$1" -name '*.h' | sort
}

# api_list INCLUDE_DIR: a line per TR_API function, see api.awk.
api_list() {
	api_headers "$1" | xargs -r awk -f "$api_awk"
}

# api_functions INCLUDE_DIR: their names.
api_functions() {
	api_list "$1" | cut -f 3
}

# api_everything INCLUDE_DIR: also inline functions, macros, types and essays.
api_everything() {
	api_headers "$1" | xargs -r awk -v all=1 -f "$api_awk"
}
