# SPDX-License-Identifier: Apache-2.0
# Writes a table of the system calls of this machine: CC, OUTPUT.
file(WRITE ${OUTPUT}.c "#include <sys/syscall.h>\n")
execute_process(COMMAND ${CC} -E -dM ${OUTPUT}.c OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "#define __NR_[a-z0-9_]+ [0-9]+\n" macros "${macros}")
set(table "/* Generated. */\n#define SYSCALL_COUNT 1024\n\n")
string(APPEND table "static const char *const syscall_names[SYSCALL_COUNT] = {\n")
foreach(macro ${macros})
	string(REGEX REPLACE "#define __NR_([a-z0-9_]+) ([0-9]+)\n" "\t[\\2] = \"\\1\",\n" row "${macro}")
	string(APPEND table "${row}")
endforeach()
file(WRITE ${OUTPUT} "${table}};\n")
