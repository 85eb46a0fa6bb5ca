# SPDX-License-Identifier: Apache-2.0
#[[
spicerack_add_cookbook(NAME SOURCE... [LIBRARIES LIB...] [DESTINATION DIR] [NO_INSTALL])

Builds one cookbook: NAME is its dotted name, `discovery.service-route`, and the
file becomes discovery/service-route.so below the binary directory's `cookbooks`
and, installed, below DESTINATION (default: SPICERACK_COOKBOOKS_DIR). The flags
make the compiler find what would otherwise fail in a run: mistakes in formats,
unused results, glued strings (clang, in plain tables), undefined symbols.

The file that is tested is the file that is installed, with the same RUNPATH
(CMAKE_INSTALL_RPATH, by default none): in one of its own for the build tree CMake
leaves an empty entry, the current directory, and the host refuses that.
]]
if(NOT DEFINED SPICERACK_COOKBOOKS_DIR)
	if(DEFINED PACKAGE_PREFIX_DIR)
		set(SPICERACK_COOKBOOKS_DIR lib/spicerack/cookbooks/${PROJECT_NAME})
	else()
		set(SPICERACK_COOKBOOKS_DIR ${CMAKE_INSTALL_LIBDIR}/spicerack/cookbooks/examples)
	endif()
endif()

function(spicerack_add_cookbook name)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "NO_INSTALL" "DESTINATION" "LIBRARIES")
	if(NOT name MATCHES "^[A-Za-z0-9-][A-Za-z0-9_-]*(\\.[A-Za-z0-9-][A-Za-z0-9_-]*)*$")
		message(FATAL_ERROR "spicerack_add_cookbook: '${name}' is no dotted name of a cookbook")
	endif()
	if(NOT ARG_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "spicerack_add_cookbook: ${name} has no source files")
	endif()
	if(NOT ARG_DESTINATION)
		set(ARG_DESTINATION ${SPICERACK_COOKBOOKS_DIR})
	endif()
	string(REPLACE "." "/" path ${name})
	get_filename_component(directory "${path}" DIRECTORY)
	get_filename_component(file "${path}" NAME)
	set(target "cookbook-${name}")

	add_library(${target} MODULE ${ARG_UNPARSED_ARGUMENTS})
	set_target_properties(${target} PROPERTIES
		PREFIX "" OUTPUT_NAME "${file}" SUFFIX ".so"
		LIBRARY_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/cookbooks/${directory}"
		BUILD_WITH_INSTALL_RPATH ON
		C_VISIBILITY_PRESET hidden
		C_STANDARD 17)
	target_compile_options(${target} PRIVATE
		-g -fno-optimize-sibling-calls -Wall -Wextra -Wformat=2 -Wwrite-strings -Wno-unused-parameter
		-Werror=format -Werror=incompatible-pointer-types -Werror=int-conversion
		-Werror=implicit-function-declaration -Werror=return-type -Werror=unused-result
		$<$<C_COMPILER_ID:Clang>:-Werror=string-concatenation>)
	target_link_libraries(${target} PRIVATE Spicerack::spicerack ${ARG_LIBRARIES})
	target_link_options(${target} PRIVATE
		-Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--build-id)
	if(NOT ARG_NO_INSTALL)
		install(TARGETS ${target} LIBRARY DESTINATION "${ARG_DESTINATION}/${directory}")
	endif()
endfunction()
