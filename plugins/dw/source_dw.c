/* SPDX-License-Identifier: Apache-2.0 */
/* The driver source-dw: lines of variables, functions and calls, by libdw. */
#include <spicerack/plugin.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of blocks and functions within each other. */
#define DEPTH_MAX 64

struct source {
	Dwarf *dwarf;
};

/* What is looked for, and where it was found. */
struct search {
	uint64_t address;     /* a variable or function that covers it, or */
	const char *function; /* a call of this function */
	Dwarf_Die unit;
	struct spk_source_line *line;
	int depth;
};

static void *open_source(int fd, struct spk_reason_buffer *reason)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source) {
		snprintf(reason->text, sizeof(reason->text), "no memory");
		return NULL;
	}
	source->dwarf = dwarf_begin(fd, DWARF_C_READ);
	if (!source->dwarf) {
		snprintf(reason->text, sizeof(reason->text), "%s", dwarf_errmsg(-1));
		free(source);
		return NULL;
	}
	return source;
}

static void close_source(void *opened)
{
	struct source *source = opened;

	dwarf_end(source->dwarf);
	free(source);
}

/* Without the directory that the compiler was started in, or the way out of it. */
static const char *below(const char *file, Dwarf_Die *unit)
{
	Dwarf_Attribute attribute;
	const char *directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
	size_t length = directory ? strlen(directory) : 0;

	if (length && strncmp(file, directory, length) == 0 && file[length] == '/')
		file += length + 1;
	while (strncmp(file, "./", 2) == 0 || strncmp(file, "../", 3) == 0)
		file = strchr(file, '/') + 1;
	return file;
}

static void tell(struct search *search, const char *file, int line, const char *name)
{
	size_t length;

	file = below(file, &search->unit);
	length = strlen(file);
	if (length >= sizeof(search->line->file)) /* the end of a path says more */
		file += length - sizeof(search->line->file) + 1;
	snprintf(search->line->file, sizeof(search->line->file), "%s", file);
	snprintf(search->line->name, sizeof(search->line->name), "%s", name ? name : "");
	search->line->line = line;
}

/* The bytes of a variable: of its type, arrays laid out. */
static uint64_t size_of(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;
	Dwarf_Word size;

	if (!dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &type) ||
	    dwarf_peel_type(&type, &type) != 0 || dwarf_aggregate_size(&type, &size) != 0)
		return 1;
	return size;
}

static bool variable_covers(Dwarf_Die *die, uint64_t address)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *operations;
	size_t count;

	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
	    dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1)
		return false;
	if (operations[0].atom == DW_OP_addrx || operations[0].atom == DW_OP_GNU_addr_index) {
		Dwarf_Attribute indirect;
		Dwarf_Addr found;

		if (dwarf_getlocation_attr(&attribute, &operations[0], &indirect) != 0 ||
		    dwarf_formaddr(&indirect, &found) != 0)
			return false;
		return address - found < size_of(die);
	}
	return operations[0].atom == DW_OP_addr && address - operations[0].number < size_of(die);
}

/* The file of a declaration; libdw takes 0 for none, but to clang it is the first of a unit. */
static const char *file_of(struct search *search, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Files *files;
	Dwarf_Word number;
	size_t count;

	if (dwarf_formudata(dwarf_attr_integrate(die, DW_AT_decl_file, &attribute), &number) != 0 ||
	    dwarf_getsrcfiles(&search->unit, &files, &count) != 0 || number >= count)
		return NULL;
	return dwarf_filesrc(files, number, NULL, NULL);
}

static bool take_declaration(struct search *search, Dwarf_Die *die)
{
	const char *file = file_of(search, die);
	int line;

	if (!file || dwarf_decl_line(die, &line) != 0)
		return false;
	tell(search, file, line, dwarf_diename(die));
	return true;
}

static bool take_call(struct search *search, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Addr address;
	Dwarf_Die callee;
	Dwarf_Line *line;
	const char *name, *file;
	int number;

	if (!dwarf_attr(die, DW_AT_call_origin, &attribute) &&
	    !dwarf_attr(die, DW_AT_abstract_origin, &attribute))
		return false;
	if (!dwarf_formref_die(&attribute, &callee))
		return false;
	name = dwarf_diename(&callee);
	if (!name || strcmp(name, search->function) != 0)
		return false;
	if (!dwarf_attr(die, DW_AT_call_return_pc, &attribute) &&
	    !dwarf_attr(die, DW_AT_low_pc, &attribute))
		return false;
	if (dwarf_formaddr(&attribute, &address) != 0)
		return false;
	line = dwarf_getsrc_die(&search->unit, address - 1);
	file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!file || dwarf_lineno(line, &number) != 0)
		return false;
	tell(search, file, number, name);
	return true;
}

static bool take(struct search *search, Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	if (search->function)
		return (tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site) &&
		       take_call(search, die);
	if (tag == DW_TAG_variable)
		return variable_covers(die, search->address) && take_declaration(search, die);
	return tag == DW_TAG_subprogram && dwarf_haspc(die, search->address) > 0 &&
	       take_declaration(search, die);
}

/* Looks at a tree of entries, from the innermost outwards. */
static bool look(struct search *search, Dwarf_Die *parent)
{
	bool found = false;
	Dwarf_Die child;

	if (search->depth == DEPTH_MAX || dwarf_child(parent, &child) != 0)
		return false;
	search->depth++;
	do {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block ||
		    tag == DW_TAG_inlined_subroutine)
			found = look(search, &child);
		found = found || take(search, &child);
	} while (!found && dwarf_siblingof(&child, &child) == 0);
	search->depth--;
	return found;
}

static int look_everywhere(struct source *source, struct search *search)
{
	Dwarf_CU *unit = NULL;
	uint8_t type;

	memset(search->line, 0, sizeof(*search->line));
	while (dwarf_get_units(source->dwarf, unit, &unit, NULL, &type, &search->unit, NULL) == 0)
		if (type == DW_UT_compile && look(search, &search->unit))
			return 1;
	return 0;
}

static int declared(void *opened, uint64_t address, struct spk_source_line *line)
{
	struct search search = {.address = address, .line = line};

	return look_everywhere(opened, &search);
}

static int called(void *opened, const char *function, struct spk_source_line *line)
{
	struct search search = {.function = function, .line = line};

	return look_everywhere(opened, &search);
}

extern const struct spk_source_driver spk_driver;
__attribute__((visibility("default"))) const struct spk_source_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_source_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "source",
		   .name = "dw"},
	.open = open_source,
	.close = close_source,
	.declared = declared,
	.called = called,
};
