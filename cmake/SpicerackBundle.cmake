# SPDX-License-Identifier: Apache-2.0
#[[
For bundles, beside spicerack_add_cookbook().

spicerack_add_groups(DIRECTORY)
    Every group.cfg below the directory is where the cookbooks of its group are, built and installed.

spicerack_add_library(NAME SOURCE... [LIBRARIES LIB...] [DESTINATION DIR])
    A library that several cookbooks of the bundle share: libNAME.so.0 at the top of their tree. A
    cookbook that has NAME among its LIBRARIES finds it there, by a RUNPATH below $ORIGIN. Other than
    a cookbook it exports all that is not static. Its headers are named from this directory on.

spicerack_add_driver(KIND NAME SOURCE... [LIBRARIES LIB...])
    A driver (spicerack/plugin.h, or a kind of an extender's own): KIND-NAME.so, installed where the
    host looks for drivers, SPICERACK_PLUGINS_DIR. It links nothing of spicerack's.

spicerack_add_test(COOKBOOK SOURCE... [LIBRARIES LIB...])
    A test of a cookbook, by <spicerack/testing.h>: a program of its own, run by ctest. It fails when
    it does not exit with 0. SPICERACK_TEST_SOURCE is this directory, for files beside its source.

The build ends with `spicerack check` of the whole tree, those of subdirectories included; its errors
fail the build. What is not made any more after a change is removed from the tree.
]]
function(spicerack_add_groups directory)
	set(root "${CMAKE_CURRENT_SOURCE_DIR}/${directory}")
	if(NOT IS_DIRECTORY "${root}")
		message(FATAL_ERROR "spicerack_add_groups: there is no directory '${directory}' in ${CMAKE_CURRENT_SOURCE_DIR}")
	endif()
	file(GLOB_RECURSE groups CONFIGURE_DEPENDS RELATIVE "${root}" "${root}/*group.cfg")
	foreach(group ${groups})
		configure_file("${root}/${group}" "${CMAKE_CURRENT_BINARY_DIR}/cookbooks/${group}" COPYONLY)
		set_property(GLOBAL APPEND PROPERTY SPICERACK_FILES "${CMAKE_CURRENT_BINARY_DIR}/cookbooks/${group}")
	endforeach()
	install(DIRECTORY "${root}/" DESTINATION "${SPICERACK_COOKBOOKS_DIR}"
		FILES_MATCHING PATTERN group.cfg)
endfunction()

function(spicerack_add_library name)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "DESTINATION" "LIBRARIES")
	if(NOT ARG_DESTINATION)
		set(ARG_DESTINATION ${SPICERACK_COOKBOOKS_DIR})
	endif()
	add_library(${name} SHARED ${ARG_UNPARSED_ARGUMENTS})
	# A tree takes files that end in .so for cookbooks.
	set_target_properties(${name} PROPERTIES
		SUFFIX ".so.0"
		DEBUG_POSTFIX ""
		LIBRARY_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/cookbooks$<0:>"
		BUILD_WITH_INSTALL_RPATH ON
		SPICERACK_SHARED ON
		C_STANDARD 17)
	target_include_directories(${name} PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}")
	target_compile_options(${name} PRIVATE
		-g $<$<CONFIG:>:-O2> -fno-optimize-sibling-calls ${SPICERACK_COOKBOOK_FLAGS})
	target_link_libraries(${name} PUBLIC Spicerack::spicerack PRIVATE ${ARG_LIBRARIES})
	target_link_options(${name} PRIVATE
		-Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--build-id)
	set_property(GLOBAL APPEND PROPERTY SPICERACK_FILES "${CMAKE_CURRENT_BINARY_DIR}/cookbooks/lib${name}.so.0")
	install(TARGETS ${name} LIBRARY DESTINATION "${ARG_DESTINATION}")
endfunction()

function(spicerack_add_driver kind name)
	cmake_parse_arguments(PARSE_ARGV 2 ARG "" "" "LIBRARIES")
	set(target "driver-${kind}-${name}")
	if(NOT "${kind}${name}" MATCHES "^[a-z0-9_]+$")
		message(FATAL_ERROR "spicerack_add_driver: '${kind}-${name}' is no name of a driver")
	endif()
	add_library(${target} MODULE ${ARG_UNPARSED_ARGUMENTS})
	set_target_properties(${target} PROPERTIES
		PREFIX "" OUTPUT_NAME "${kind}-${name}" DEBUG_POSTFIX "" SUFFIX ".so"
		C_VISIBILITY_PRESET hidden
		C_STANDARD 17)
	target_include_directories(${target} PRIVATE
		$<TARGET_PROPERTY:Spicerack::spicerack,INTERFACE_INCLUDE_DIRECTORIES>)
	target_compile_options(${target} PRIVATE -g $<$<CONFIG:>:-O2> -Wall -Wextra -Wno-unused-parameter)
	target_link_libraries(${target} PRIVATE ${ARG_LIBRARIES})
	target_link_options(${target} PRIVATE
		-Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--build-id)
	install(TARGETS ${target} LIBRARY DESTINATION "${SPICERACK_PLUGINS_DIR}")
endfunction()

function(spicerack_add_test name)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LIBRARIES")
	set(target "test-${name}")
	add_executable(${target} ${ARG_UNPARSED_ARGUMENTS})
	set_target_properties(${target} PROPERTIES C_STANDARD 17)
	target_compile_definitions(${target} PRIVATE
		SPICERACK_TEST_TREE="${CMAKE_CURRENT_BINARY_DIR}/cookbooks"
		SPICERACK_TEST_SOURCE="${CMAKE_CURRENT_SOURCE_DIR}")
	target_compile_options(${target} PRIVATE -g -Wall -Wextra -Wno-unused-parameter)
	target_link_libraries(${target} PRIVATE Spicerack::testing ${ARG_LIBRARIES})
	if(TARGET cookbook-${name})
		add_dependencies(${target} cookbook-${name})
	endif()
	add_test(NAME ${name} COMMAND ${target})
endfunction()

# Behind all that the project adds, in whatever directory.
function(spicerack_finish)
	spicerack_remove_old()
	get_property(targets GLOBAL PROPERTY SPICERACK_COOKBOOKS)
	get_property(trees GLOBAL PROPERTY SPICERACK_TREES)
	spicerack_find_shared(${targets})
	if(NOT targets OR NOT SPICERACK_COMMAND)
		return()
	endif()
	list(REMOVE_DUPLICATES trees)
	foreach(tree ${trees})
		set(others ${trees})
		list(REMOVE_ITEM others "${tree}")
		list(TRANSFORM others PREPEND "--tree=")
		list(APPEND commands COMMAND ${SPICERACK_COMMAND} check ${others} "${tree}")
	endforeach()
	add_custom_target(spicerack-check ALL ${commands} COMMENT "Checking the cookbooks" VERBATIM)
	add_dependencies(spicerack-check ${targets})
endfunction()

# Tells cookbooks where the bundle's own libraries are, in whatever order both were added.
function(spicerack_find_shared)
	foreach(target ${ARGN})
		get_property(libraries TARGET ${target} PROPERTY SPICERACK_LIBRARIES)
		get_property(place TARGET ${target} PROPERTY SPICERACK_LIBRARY_PLACE)
		foreach(library ${libraries})
			set(shared OFF)
			if(TARGET ${library})
				get_property(shared TARGET ${library} PROPERTY SPICERACK_SHARED)
			endif()
			if(shared)
				set_property(TARGET ${target} APPEND PROPERTY INSTALL_RPATH "${place}")
			endif()
		endforeach()
	endforeach()
endfunction()

# What an earlier configuration made and this one does not: the cookbook by its old name would be
# run, tested and called by others, as if it was still there.
function(spicerack_remove_old)
	set(list "${CMAKE_BINARY_DIR}/CMakeFiles/spicerack-files.txt")
	get_property(files GLOBAL PROPERTY SPICERACK_FILES)
	if(EXISTS "${list}")
		file(STRINGS "${list}" before)
		list(REMOVE_ITEM before ${files})
		foreach(file ${before})
			file(REMOVE "${file}")
		endforeach()
	endif()
	string(REPLACE ";" "\n" text "${files}")
	file(WRITE "${list}" "${text}\n")
endfunction()

if(DEFINED PACKAGE_PREFIX_DIR)
	if(DEFINED CMAKE_INSTALL_LIBDIR)
		set(SPICERACK_PLUGINS_DIR ${CMAKE_INSTALL_LIBDIR}/spicerack/plugins)
	else()
		set(SPICERACK_PLUGINS_DIR ${SPICERACK_LIBDIR}/spicerack/plugins)
	endif()
	find_program(SPICERACK_COMMAND spicerack HINTS "${PACKAGE_PREFIX_DIR}/bin" NO_DEFAULT_PATH)
	get_property(deferred GLOBAL PROPERTY SPICERACK_DEFERRED)
	if(NOT deferred)
		set_property(GLOBAL PROPERTY SPICERACK_DEFERRED ON)
		cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL spicerack_finish)
	endif()
endif()
