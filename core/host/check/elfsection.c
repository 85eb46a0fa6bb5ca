/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of a shared object and their symbols: for those who judge a file, not for a run. */
#include "../peek/elfview.h"

#include <stdlib.h>

#include "../../runtime/mem.h"

#define SECTIONS_MAX 4096
#define ENTRIES_MAX (1u << 20)

/* Reads a text of the string table `strings` into `out`; false: it does not fit, or has no end. */
static bool read_text(struct elf *elf, const struct elf_section *strings, uint64_t at,
		      char out[static ELF_NAME_MAX])
{
	size_t room;

	*out = '\0';
	if (at >= strings->size)
		return false;
	room = strings->size - at < ELF_NAME_MAX ? (size_t)(strings->size - at) : ELF_NAME_MAX;
	if (elf_read_file(elf, strings->offset + at, out, room, NULL) < 0) {
		*out = '\0';
		return false;
	}
	if (memchr(out, '\0', room))
		return true;
	out[room - 1] = '\0';
	return false;
}

/* Whether the section's bytes are in the file. */
static bool is_inside(const struct elf *elf, const struct elf_section *section)
{
	return section->type != SHT_NOBITS && section->offset <= elf->size &&
	       section->size <= elf->size - section->offset;
}

int elf_sections(struct elf *elf, struct elf_section **ret_sections, size_t *ret_count,
		 struct err *err)
{
	struct elf_section *sections = NULL;
	uint32_t *names = NULL;
	size_t count = elf->section_headers ? elf->section_count : 0;
	int rc = -1;

	if (count > SECTIONS_MAX)
		return elf_broken(err, "too many sections");
	if (elf->section_headers > elf->size)
		return elf_broken(err, "its sections lead beyond its end");
	sections = xcalloc(count + 1, sizeof(*sections));
	names = xcalloc(count + 1, sizeof(*names));
	for (size_t i = 0; i < count; i++) {
		Elf64_Shdr header;

		if (elf_read_file(elf, elf->section_headers + i * sizeof(header), &header,
				  sizeof(header), err) < 0)
			goto out;
		names[i] = header.sh_name;
		sections[i] = (struct elf_section){
			.type = header.sh_type,
			.link = header.sh_link,
			.flags = header.sh_flags,
			.address = header.sh_addr,
			.offset = header.sh_offset,
			.size = header.sh_size,
		};
	}
	if (elf->section_names < count && is_inside(elf, &sections[elf->section_names]))
		for (size_t i = 0; i < count; i++)
			read_text(elf, &sections[elf->section_names], names[i], sections[i].name);
	*ret_sections = sections;
	*ret_count = count;
	sections = NULL;
	rc = 0;
out:
	free(sections);
	free(names);
	return rc;
}

static void take_symbol(const Elf64_Sym *symbol, uint32_t index, struct elf_entry *entry)
{
	entry->address = symbol->st_value;
	entry->size = symbol->st_size;
	entry->index = index;
	entry->section = symbol->st_shndx;
	entry->type = ELF64_ST_TYPE(symbol->st_info);
	entry->binding = ELF64_ST_BIND(symbol->st_info);
	entry->visibility = ELF64_ST_VISIBILITY(symbol->st_other);
}

int elf_section_symbols(struct elf *elf, const struct elf_section *sections, size_t section_count,
			const struct elf_section *table,
			bool (*each)(void *data, const struct elf_entry *entry), void *data,
			struct err *err)
{
	uint64_t count = table->size / sizeof(Elf64_Sym);
	const struct elf_section *strings;

	if (table->link >= section_count)
		return elf_broken(err, "a table of symbols without names");
	strings = &sections[table->link];
	if (count > ENTRIES_MAX || !is_inside(elf, table) || !is_inside(elf, strings))
		return elf_broken(err, "a table of symbols that leads beyond its end");
	for (uint64_t i = 1; i < count; i++) {
		struct elf_entry entry;
		Elf64_Sym symbol;

		if (elf_read_file(elf, table->offset + i * sizeof(symbol), &symbol, sizeof(symbol),
				  err) < 0)
			return -1;
		take_symbol(&symbol, (uint32_t)i, &entry);
		if (!read_text(elf, strings, symbol.st_name, entry.name))
			*entry.name = '\0';
		if (!each(data, &entry))
			break;
	}
	return 0;
}

int elf_dynamic_symbols(struct elf *elf, bool (*each)(void *data, const struct elf_entry *entry),
			void *data, struct err *err)
{
	uint64_t count;

	if (!elf->symbols || !elf->strings)
		return elf_broken(err, "no table of symbols");
	if (elf_symbol_count(elf, &count, err) < 0)
		return -1;
	for (uint64_t i = 1; i < count; i++) {
		struct elf_entry entry;
		Elf64_Sym symbol;
		size_t length;

		if (elf_symbol_read(elf, (uint32_t)i, &symbol, err) < 0)
			return -1;
		take_symbol(&symbol, (uint32_t)i, &entry);
		*entry.name = '\0';
		if (symbol.st_name < elf->strings_size &&
		    elf_string_length(elf, elf->strings + symbol.st_name, ELF_NAME_MAX - 1, &length,
				      NULL) == 0 &&
		    elf_read(elf, elf->strings + symbol.st_name, entry.name, length + 1, err) < 0)
			return -1;
		if (!each(data, &entry))
			break;
	}
	return 0;
}
