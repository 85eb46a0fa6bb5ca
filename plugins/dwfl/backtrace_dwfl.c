/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backtrace driver: elfutils' libdwfl. It looks at the objects of this process
 * and at detached debug information below /usr/lib/debug, never at the network
 * (debuginfod), and believes a file only when it is the one that was loaded.
 */
#include <dlfcn.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spicerack/plugin.h>

#define DEBUG_DIRECTORY "/usr/lib/debug"
#define MAX_BUILD_ID 64

SPK_API extern const struct spk_backtrace_driver spk_driver;

/* The build-id that a loaded object has in memory. */
struct loaded {
	uintptr_t address; /* any one inside of it */
	bool found;
	size_t length; /* 0: it has none */
	unsigned char build_id[MAX_BUILD_ID];
};

static size_t align4(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

static void read_notes(const unsigned char *notes, size_t size, struct loaded *loaded)
{
	ElfW(Nhdr) note;

	while (size >= sizeof(note)) {
		size_t name, whole;

		memcpy(&note, notes, sizeof(note));
		if (note.n_namesz > size || note.n_descsz > size)
			return;
		name = sizeof(note) + align4(note.n_namesz);
		whole = name + align4(note.n_descsz);
		if (whole > size)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes + sizeof(note), "GNU", 4) == 0 && note.n_descsz <= MAX_BUILD_ID) {
			loaded->length = note.n_descsz;
			memcpy(loaded->build_id, notes + name, note.n_descsz);
			return;
		}
		notes += whole;
		size -= whole;
	}
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct loaded *loaded = data;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];

		if (phdr->p_type == PT_LOAD &&
		    loaded->address - info->dlpi_addr - phdr->p_vaddr < phdr->p_memsz)
			loaded->found = true;
	}
	for (int i = 0; loaded->found && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];

		if (phdr->p_type == PT_NOTE && !loaded->length)
			read_notes((const unsigned char *)(info->dlpi_addr + phdr->p_vaddr),
				   phdr->p_memsz, loaded);
	}
	return loaded->found;
}

/* False when the file is not what lies at `base`: replaced since it was loaded. */
static bool is_loaded_file(Elf *elf, uintptr_t base)
{
	struct loaded loaded = {.address = base};
	const void *build_id;
	ssize_t length = dwelf_elf_gnu_build_id(elf, &build_id);

	dl_iterate_phdr(look_at_object, &loaded);
	if (!loaded.found)
		return false;
	if (length <= 0 || !loaded.length)
		return length <= 0 && !loaded.length;
	return (size_t)length == loaded.length && memcmp(build_id, loaded.build_id, length) == 0;
}

/* dwfl's callback: opens the file of a loaded object; -1 leaves the object without names. */
static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	int fd;

	if (name[0] != '/')
		return -1;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	*elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!*elf || elf_kind(*elf) != ELF_K_ELF || !is_loaded_file(*elf, (uintptr_t)base)) {
		if (*elf)
			elf_end(*elf);
		*elf = NULL;
		close(fd);
		return -1;
	}
	*file_name = strdup(name);
	return fd;
}

/* dwfl's callback: detached debug information by build-id, and the part that packages share. */
static int find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *link_name, GElf_Word crc,
			  char **debuginfo_name)
{
	char path[512] = DEBUG_DIRECTORY "/.build-id/";
	size_t used = strlen(path);
	const unsigned char *id;
	const char *shared = link_name ? strstr(link_name, ".dwz/") : NULL;
	GElf_Addr address;
	int length, fd;

	if (shared) {
		snprintf(path, sizeof(path), DEBUG_DIRECTORY "/%s", shared);
	} else {
		length = dwfl_module_build_id(module, &id, &address);
		if (length < 2 || length > MAX_BUILD_ID)
			return -1;
		for (int i = 0; i < length; i++)
			used += (size_t)snprintf(path + used, sizeof(path) - used, "%02x%s", id[i],
						 i ? "" : "/");
		snprintf(path + used, sizeof(path) - used, ".debug");
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		*debuginfo_name = strdup(path);
	return fd;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Copies a text; one that is too long loses its start, since the end of a path says more. */
static void copy_end(char *out, size_t size, const char *text)
{
	size_t length = strlen(text);

	snprintf(out, size, "%s", length < size ? text : text + length - size + 1);
}

/* The function that covers the address: a name of which the size says so, or none. */
static void name_function(Dwfl_Module *module, uintptr_t address, struct spk_frame *frame)
{
	GElf_Off offset = 0;
	GElf_Sym symbol;
	const char *name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL,
						NULL);

	if (name && (symbol.st_size == 0 || offset < symbol.st_size))
		snprintf(frame->function, sizeof(frame->function), "%.*s", (int)strcspn(name, "@"),
			 name); /* without the version of a symbol */
}

/*
 * The line by the compilation units one after the other: for objects without an index of
 * addresses, which clang does not write.
 */
static const char *find_line(Dwfl_Module *module, uintptr_t address, int *number)
{
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias = 0;
	Dwarf_Line *line;

	while ((unit = dwfl_module_nextcu(module, unit, &bias))) {
		if (dwarf_haspc(unit, address - bias) <= 0)
			continue;
		line = dwarf_getsrc_die(unit, address - bias);
		if (line && dwarf_lineno(line, number) == 0)
			return dwarf_linesrc(line, NULL, NULL);
	}
	return NULL;
}

/* The C library has no lines: where they are installed they take 50 ms to unpack. */
static bool is_c_library(const struct spk_frame *frame)
{
	return strncmp(frame->object, "libc.so", 7) == 0 ||
	       strncmp(frame->object, "ld-linux", 8) == 0;
}

static void name_line(Dwfl_Module *module, uintptr_t address, struct spk_frame *frame)
{
	Dwfl_Line *line = dwfl_module_getsrc(module, address);
	const char *file;
	int number = 0;

	if (line)
		file = dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
	else
		file = find_line(module, address, &number);
	if (file && number > 0) {
		copy_end(frame->file, sizeof(frame->file), file);
		frame->line = number;
	}
}

static void name_object(Dwfl_Module *module, struct spk_frame *frame)
{
	static const char gone[] = " (deleted)";
	const char *name = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	size_t length;

	if (!name)
		return;
	snprintf(frame->object, sizeof(frame->object), "%s", base_name(name));
	length = strlen(frame->object);
	if (length >= sizeof(gone) && strcmp(frame->object + length - sizeof(gone) + 1, gone) == 0)
		frame->object[length - sizeof(gone) + 1] = '\0';
}

/* What the dynamic linker knows of an object whose file cannot be read. */
static void ask_linker(uintptr_t address, struct spk_frame *frame)
{
	Dl_info info;

	if (!dladdr((void *)address, &info))
		return;
	if (info.dli_sname && !frame->function[0])
		snprintf(frame->function, sizeof(frame->function), "%s", info.dli_sname);
	if (info.dli_fname && !frame->object[0])
		snprintf(frame->object, sizeof(frame->object), "%s", base_name(info.dli_fname));
}

/* dwfl also answers for addresses next to an object. */
static Dwfl_Module *find_module(Dwfl *dwfl, uintptr_t address)
{
	Dwfl_Module *module = dwfl_addrmodule(dwfl, address);
	Dwarf_Addr start = 0, end = 0;

	if (module)
		dwfl_module_info(module, NULL, &start, &end, NULL, NULL, NULL, NULL);
	return address >= start && address < end ? module : NULL;
}

static int resolve(const uintptr_t *addresses, const bool *is_return, size_t count,
		   struct spk_frame *frames, struct spk_reason_buffer *reason)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = find_elf,
		.find_debuginfo = find_debuginfo,
	};
	Dwfl *dwfl = dwfl_begin(&callbacks);
	GElf_Addr bias;

	memset(frames, 0, count * sizeof(*frames));
	if (!dwfl || dwfl_linux_proc_report(dwfl, getpid()) != 0 ||
	    dwfl_report_end(dwfl, NULL, NULL) != 0) {
		snprintf(reason->text, sizeof(reason->text), "cannot list the objects: %s",
			 dwfl_errmsg(-1));
		dwfl_end(dwfl);
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		uintptr_t address = addresses[i] - is_return[i];
		Dwfl_Module *module = find_module(dwfl, address);

		if (!module)
			continue;
		name_object(module, &frames[i]);
		if (dwfl_module_getelf(module, &bias)) {
			name_function(module, address, &frames[i]);
			if (!is_c_library(&frames[i]))
				name_line(module, address, &frames[i]);
		} else {
			ask_linker(address, &frames[i]);
		}
	}
	dwfl_end(dwfl);
	return 0;
}

const struct spk_backtrace_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_backtrace_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "backtrace",
		   .name = "dwfl"},
	.resolve = resolve,
};
