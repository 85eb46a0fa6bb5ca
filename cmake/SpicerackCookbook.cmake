# SPDX-License-Identifier: Apache-2.0
#[[
spicerack_add_cookbook(NAME SOURCE... [LIBRARIES LIB...] [DESTINATION DIR] [NO_INSTALL])

Builds one cookbook: NAME is its dotted name, `discovery.service-route`, and the
file becomes discovery/service-route.so below the binary directory's `cookbooks`
and, installed, below DESTINATION (default: SPICERACK_COOKBOOKS_DIR). The flags
make the compiler find what would otherwise fail in a run: mistakes in formats,
dropped results, values not set on every path, glued strings (clang, in plain
tables), undefined symbols. What they find in practice is in tests/mistakes.

The file that is tested is the file that is installed, with the same RUNPATH
(CMAKE_INSTALL_RPATH, by default none): in one of its own for the build tree CMake
leaves an empty entry, the current directory, and the host refuses that.
]]
if(NOT DEFINED SPICERACK_COOKBOOKS_DIR)
	if(DEFINED CMAKE_INSTALL_LIBDIR AND DEFINED PACKAGE_PREFIX_DIR)
		set(SPICERACK_COOKBOOKS_DIR ${CMAKE_INSTALL_LIBDIR}/spicerack/cookbooks/${PROJECT_NAME})
	elseif(DEFINED PACKAGE_PREFIX_DIR)
		set(SPICERACK_COOKBOOKS_DIR ${SPICERACK_LIBDIR}/spicerack/cookbooks/${PROJECT_NAME})
	else()
		set(SPICERACK_COOKBOOKS_DIR ${CMAKE_INSTALL_LIBDIR}/spicerack/cookbooks/examples)
	endif()
endif()

# What is an error in a cookbook: what would fail in a run, or do something else than it says. The
# first list is for every compiler, also in spicerack.pc; the others are for one of them.
set(SPICERACK_COOKBOOK_FLAGS
	-Wall -Wextra -Wformat=2 -Wwrite-strings -Wno-unused-parameter
	-Werror=format -Werror=format-security -Werror=incompatible-pointer-types
	-Werror=int-conversion -Werror=enum-conversion -Werror=implicit-function-declaration
	-Werror=return-type -Werror=unused-result -Werror=uninitialized -Werror=address
	-Werror=nonnull -Werror=parentheses -Werror=misleading-indentation
	-Werror=sizeof-pointer-memaccess -Werror=switch)
set(SPICERACK_COOKBOOK_FLAGS_GNU -Werror=maybe-uninitialized -Werror=discarded-qualifiers)
set(SPICERACK_COOKBOOK_FLAGS_CLANG -Werror=string-concatenation -Werror=string-compare)

function(spicerack_add_cookbook name)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "NO_INSTALL" "DESTINATION" "LIBRARIES")
	if(NOT name MATCHES "^[A-Za-z0-9-][A-Za-z0-9_-]*(\\.[A-Za-z0-9-][A-Za-z0-9_-]*)*$")
		message(FATAL_ERROR "spicerack_add_cookbook: '${name}' is no dotted name of a cookbook")
	endif()
	if(NOT ARG_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "spicerack_add_cookbook: ${name} has no source files")
	endif()
	get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
	foreach(source ${ARG_UNPARSED_ARGUMENTS})
		if(source MATCHES "[.](C|cc|cpp|cxx)$" AND NOT CXX IN_LIST languages)
			message(FATAL_ERROR "spicerack_add_cookbook: ${source} of ${name} is not in C, as cookbooks are")
		endif()
	endforeach()
	if(NOT ARG_DESTINATION)
		set(ARG_DESTINATION ${SPICERACK_COOKBOOKS_DIR})
	endif()
	string(REPLACE "." "/" path ${name})
	get_filename_component(directory "${path}" DIRECTORY)
	get_filename_component(file "${path}" NAME)
	set(target "cookbook-${name}")

	add_library(${target} MODULE ${ARG_UNPARSED_ARGUMENTS})
	# Its name is the cookbook's; the empty expression keeps generators of several configurations from adding
	# a directory for each.
	set_target_properties(${target} PROPERTIES
		PREFIX "" OUTPUT_NAME "${file}" DEBUG_POSTFIX "" SUFFIX ".so"
		LIBRARY_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/cookbooks/${directory}$<0:>"
		BUILD_WITH_INSTALL_RPATH ON
		C_VISIBILITY_PRESET hidden
		C_STANDARD 17)
	# Up from the cookbook to where the bundle's own libraries are: see spicerack_find_shared().
	string(REGEX REPLACE "[^/]+" ".." up "${directory}")
	set_target_properties(${target} PROPERTIES
		SPICERACK_LIBRARIES "${ARG_LIBRARIES}" SPICERACK_LIBRARY_PLACE "$ORIGIN$<$<BOOL:${up}>:/${up}>")
	# Without a build type, too: gcc looks for values that were not set only when it optimizes.
	target_compile_options(${target} PRIVATE
		-g $<$<CONFIG:>:-O2> -fno-optimize-sibling-calls ${SPICERACK_COOKBOOK_FLAGS}
		$<$<C_COMPILER_ID:GNU>:${SPICERACK_COOKBOOK_FLAGS_GNU}>
		$<$<C_COMPILER_ID:Clang>:${SPICERACK_COOKBOOK_FLAGS_CLANG}>)
	target_link_libraries(${target} PRIVATE Spicerack::spicerack ${ARG_LIBRARIES})
	target_link_options(${target} PRIVATE
		-Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--build-id)
	set_property(GLOBAL APPEND PROPERTY SPICERACK_COOKBOOKS ${target})
	set_property(GLOBAL APPEND PROPERTY SPICERACK_TREES "${CMAKE_CURRENT_BINARY_DIR}/cookbooks")
	set_property(GLOBAL APPEND PROPERTY SPICERACK_FILES "${CMAKE_CURRENT_BINARY_DIR}/cookbooks/${path}.so")
	if(NOT ARG_NO_INSTALL)
		install(TARGETS ${target} LIBRARY DESTINATION "${ARG_DESTINATION}/${directory}")
	endif()
endfunction()
