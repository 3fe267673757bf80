# SPDX-License-Identifier: BSD-2-Clause
#
# What `cmake --install` puts where: both libraries, the headers, a CMake
# package, a pkg-config file, the manual pages and the documents.
#
# The tree may be moved after it was installed: nothing in it knows its own
# absolute path.  There is no target `uninstall`: a package knows what it put
# where, and for an installation by hand install_manifest.txt in the build
# directory lists it.

include(CMakePackageConfigHelpers)

foreach(dir LIB INCLUDE)
	if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}DIR}")
		message(FATAL_ERROR "CMAKE_INSTALL_${dir}DIR is absolute; make "
			"it relative to the prefix, so that troupe.pc and the "
			"CMake package can be moved with it.")
	endif()
endforeach()

# ----------------------------------------------- libraries and headers ---

install(TARGETS troupe troupe_sim EXPORT troupe-static)
install(TARGETS troupe_shared EXPORT troupe-shared)
install(FILES include/troupe.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/troupe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
	OPTIONAL FILES_MATCHING PATTERN "*.h")

# --------------------------------------------- how others find the two ---

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
# Before 1.0 a minor version may change the interface.
if(PROJECT_VERSION_MAJOR EQUAL 0)
	set(compatible SameMinorVersion)
else()
	set(compatible SameMajorVersion)
endif()
configure_package_config_file(cmake/troupe-config.cmake.in
	troupe-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(troupe-config-version.cmake
	COMPATIBILITY ${compatible})
install(FILES
	${PROJECT_BINARY_DIR}/troupe-config.cmake
	${PROJECT_BINARY_DIR}/troupe-config-version.cmake
	cmake/FindLibev.cmake
	DESTINATION ${package_dir})
foreach(component static shared)
	install(EXPORT troupe-${component} NAMESPACE troupe::
		DESTINATION ${package_dir})
endforeach()

file(RELATIVE_PATH pc_to_prefix
	/${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/troupe.pc.in troupe.pc @ONLY)
configure_file(cmake/troupe-sim.pc.in troupe-sim.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/troupe.pc
	${PROJECT_BINARY_DIR}/troupe-sim.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# ------------------------------------------------------------ documents ---

# awk alone, because a machine that builds C has it; docs/man.sh says more.
find_program(AWK_PROGRAM NAMES awk gawk mawk)
mark_as_advanced(AWK_PROGRAM)
if(AWK_PROGRAM)
	file(GLOB_RECURSE public_headers CONFIGURE_DEPENDS include/*.h)
	add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/man/made
		COMMAND sh ${PROJECT_SOURCE_DIR}/docs/man.sh
			${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/man
			${PROJECT_VERSION} ${AWK_PROGRAM}
		COMMAND ${CMAKE_COMMAND} -E touch ${PROJECT_BINARY_DIR}/man/made
		DEPENDS docs/man.sh docs/api.awk docs/man.awk
			docs/man_text.awk ${public_headers}
		COMMENT "Making the manual pages"
		VERBATIM)
	add_custom_target(man ALL DEPENDS ${PROJECT_BINARY_DIR}/man/made)
	install(DIRECTORY ${PROJECT_BINARY_DIR}/man/man3
		${PROJECT_BINARY_DIR}/man/man7
		DESTINATION ${CMAKE_INSTALL_MANDIR})
else()
	message(WARNING "There is no awk: the manual pages are left out.")
endif()

file(GLOB documents CONFIGURE_DEPENDS docs/*.md)
# Laid out as here, so that their links lead somewhere.
install(FILES LICENSE README.md CHANGELOG.md
	DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(DIRECTORY examples/guide DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
	OPTIONAL FILES_MATCHING PATTERN "*.c")

# -------------------------------------------------------------- package ---

# `cpack -G DEB` in the build directory: one package with everything above.
# What a parent project packs is its own affair.
if(NOT PROJECT_IS_TOP_LEVEL)
	return()
endif()
set(CPACK_PACKAGE_CONTACT "The Troupe authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS libev-dev) # of the static library's users
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
include(CPack)
