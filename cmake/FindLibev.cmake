# SPDX-License-Identifier: BSD-2-Clause
#
# FindLibev - the target Libev::Libev.
#
# Debian's libev has neither a pkg-config file nor a CMake package.  This file
# is installed beside troupe-config.cmake: whoever links libtroupe.a needs
# libev too, wherever it is on their machine.
#
# EV_LIBRARY and EV_INCLUDE_DIR say where it is, when it is not found.

find_library(EV_LIBRARY ev)
find_path(EV_INCLUDE_DIR ev.h)
mark_as_advanced(EV_LIBRARY EV_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libev
	REQUIRED_VARS EV_LIBRARY EV_INCLUDE_DIR
	REASON_FAILURE_MESSAGE "install libev-dev (Debian), or set EV_LIBRARY \
and EV_INCLUDE_DIR")

if(Libev_FOUND AND NOT TARGET Libev::Libev)
	add_library(Libev::Libev UNKNOWN IMPORTED)
	set_target_properties(Libev::Libev PROPERTIES
		IMPORTED_LOCATION "${EV_LIBRARY}"
		INTERFACE_INCLUDE_DIRECTORIES "${EV_INCLUDE_DIR}")
	# The shared library knows by itself that it needs this one.
	if(EV_LIBRARY MATCHES "[.]a$")
		set_target_properties(Libev::Libev PROPERTIES
			INTERFACE_LINK_LIBRARIES m)
	endif()
endif()
