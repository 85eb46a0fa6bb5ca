/* SPDX-License-Identifier: Apache-2.0 */
#include "callsite.h"

#include <stdio.h>
#include <string.h>

static char *debug_path;

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.debuginfo_path = &debug_path,
};

void callsite_forget(struct callsite *site)
{
	if (site->dwfl)
		dwfl_end(site->dwfl);
	site->dwfl = NULL;
}

/* A sum of the code that is mapped: what else comes and goes changes no call site. */
static uint64_t sum_mappings(pid_t pid)
{
	uint64_t sum = 0xcbf29ce484222325U;
	char path[64], line[4096];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (!strstr(line, " r-xp "))
			continue;
		for (const char *c = line; *c; c++)
			sum = (sum ^ (unsigned char)*c) * 0x100000001b3U;
	}
	if (maps)
		fclose(maps);
	return sum;
}

static void read_mappings(struct callsite *site, pid_t pid)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (!dwfl)
		return;
	if (dwfl_linux_proc_report(dwfl, pid) != 0 || dwfl_report_end(dwfl, NULL, NULL) != 0 ||
	    dwfl_linux_proc_attach(dwfl, pid, true) != 0) {
		dwfl_end(dwfl);
		return;
	}
	site->dwfl = dwfl;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What the system brings along is not ours to be named. */
static bool is_of_the_system(const char *file)
{
	return file[0] != '/' || strncmp(file, "/lib", 4) == 0 ||
	       strncmp(file, "/usr/lib", 8) == 0 || strstr(file, "/alloc.so");
}

/* Their callers tell more. */
static bool is_a_helper(const char *source)
{
	return strcmp(source, "mem.c") == 0 || strcmp(source, "buf.c") == 0 ||
	       strcmp(source, "fd.c") == 0 || strcmp(source, "filelock.c") == 0;
}

/* The file that was compiled; not that of the line, for what is inlined comes from anywhere. */
static const char *source_of(Dwfl_Module *module, Dwarf_Addr address)
{
	Dwarf_Addr bias;
	Dwarf_Die *unit = dwfl_module_addrdie(module, address, &bias);

	/* clang writes no index of addresses. */
	while (!unit || dwarf_haspc(unit, address - bias) <= 0) {
		unit = dwfl_module_nextcu(module, unit, &bias);
		if (!unit)
			return NULL;
	}
	return dwarf_diename(unit);
}

static int look_at_frame(Dwfl_Frame *frame, void *data)
{
	struct callsite *site = data;
	const char *file = NULL, *function, *source = NULL;
	Dwfl_Module *module;
	Dwarf_Addr address;
	bool activation;

	if (!dwfl_frame_pc(frame, &address, &activation))
		return DWARF_CB_ABORT;
	address -= activation ? 0 : 1;
	module = dwfl_addrmodule(site->dwfl, address);
	if (module)
		dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, &file, NULL);
	function = module ? dwfl_module_addrname(module, address) : NULL;
	if (!file || is_of_the_system(file)) {
		snprintf(site->entered, sizeof(site->entered), "%s %s", function ? function : "?",
			 file ? last_part(file) : "?");
		return DWARF_CB_OK;
	}
	source = source_of(module, address);
	if (source)
		source = last_part(source);
	if (source && is_a_helper(source))
		return DWARF_CB_OK;
	snprintf(site->caller, sizeof(site->caller), "%s %s", function ? function : "?",
		 source ? source : "?");
	return DWARF_CB_ABORT;
}

void callsite_find(struct callsite *site, pid_t pid, bool look)
{
	snprintf(site->caller, sizeof(site->caller), "-");
	snprintf(site->entered, sizeof(site->entered), "-");
	if (look) {
		uint64_t sum = sum_mappings(pid);

		if (sum != site->mappings)
			callsite_forget(site);
		site->mappings = sum;
	}
	if (!site->dwfl)
		read_mappings(site, pid);
	if (site->dwfl)
		dwfl_getthread_frames(site->dwfl, pid, look_at_frame, site);
}
