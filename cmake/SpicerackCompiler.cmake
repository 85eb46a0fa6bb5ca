# SPDX-License-Identifier: Apache-2.0
# How our own code is compiled: strict, hardened, hidden by default.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
	-Wwrite-strings -Wpointer-arith -Wcast-qual -Wundef -Wno-unused-parameter
	$<$<BOOL:${SPICERACK_WERROR}>:-Werror>
	-fno-omit-frame-pointer -fstack-protector-strong -fno-common
	"-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	add_compile_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init)
elseif(CMAKE_C_COMPILER_ID STREQUAL "Clang")
	add_compile_options(-Wstring-concatenation -Wno-gnu-statement-expression)
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)

if(SPICERACK_FUZZ)
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
		message(FATAL_ERROR "SPICERACK_FUZZ needs clang")
	endif()
	# A harness finds nothing where nobody looks.
	set(SPICERACK_SANITIZE ON)
	# For core and plugins: their code tells libFuzzer which way it went. It is an idle call where there is none.
	set(SPICERACK_COVERAGE -fsanitize=fuzzer-no-link)
endif()
if(SPICERACK_SANITIZE)
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
	add_link_options(-fsanitize=address,undefined)
	if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
		# One for the commands and what they open.
		execute_process(COMMAND ${CMAKE_C_COMPILER} -print-runtime-dir
			OUTPUT_VARIABLE sanitizers OUTPUT_STRIP_TRAILING_WHITESPACE)
		add_link_options(-shared-libasan "-Wl,-rpath,${sanitizers}")
	endif()
else()
	add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
		$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
