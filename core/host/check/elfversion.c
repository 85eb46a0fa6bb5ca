/* SPDX-License-Identifier: Apache-2.0 */
#include "elfversion.h"

#include <stdlib.h>

#include "../../runtime/mem.h"
#include "../peek/elfview.h"

#define VERSIONS_MAX 4096
#define TEXT_MAX ((size_t)262144)

/* Where the tables are. */
struct tables {
	uint64_t needed, needed_count, defined, defined_count;
	size_t left; /* of the texts */
};

static int find_tables(struct elf *elf, struct elf_versions *versions, struct tables *tables,
		       struct err *err)
{
	for (size_t i = 0; i < elf->dynamic_count; i++) {
		uint64_t tag, value;

		if (elf_dynamic(elf, i, &tag, &value, err) < 0)
			return -1;
		if (tag == DT_VERSYM)
			versions->table = value;
		else if (tag == DT_VERNEED)
			tables->needed = value;
		else if (tag == DT_VERNEEDNUM)
			tables->needed_count = value;
		else if (tag == DT_VERDEF)
			tables->defined = value;
		else if (tag == DT_VERDEFNUM)
			tables->defined_count = value;
	}
	if (tables->needed_count > VERSIONS_MAX || tables->defined_count > VERSIONS_MAX)
		return elf_broken(err, "too many versions");
	return 0;
}

static int add(struct elf *elf, struct elf_versions *versions, struct tables *tables, uint64_t name,
	       const char *file, struct elf_version version, struct err *err)
{
	char *text;

	if (versions->count == VERSIONS_MAX)
		return elf_broken(err, "too many versions");
	if (elf_dynamic_text(elf, name, &tables->left, &text, err) < 0)
		return -1;
	version.name = text;
	version.file = file ? xstrdup(file) : NULL;
	versions->items = xgrow(versions->items, versions->count, &versions->capacity,
				sizeof(*versions->items));
	versions->items[versions->count++] = version;
	return 0;
}

static int read_needed(struct elf *elf, struct elf_versions *versions, struct tables *tables,
		       struct err *err)
{
	uint64_t at = tables->needed;

	for (uint64_t i = 0; at && i < tables->needed_count; i++) {
		uint64_t inner;
		Elf64_Verneed needed;
		char *file;
		int rc = 0;

		if (elf_read(elf, at, &needed, sizeof(needed), err) < 0 ||
		    elf_dynamic_text(elf, needed.vn_file, &tables->left, &file, err) < 0)
			return -1;
		inner = at + needed.vn_aux;
		for (unsigned k = 0; k < needed.vn_cnt && rc == 0; k++) {
			Elf64_Vernaux one;

			rc = elf_read(elf, inner, &one, sizeof(one), err);
			if (rc == 0)
				rc = add(elf, versions, tables, one.vna_name, file,
					 (struct elf_version){.number = one.vna_other & 0x7fff,
							      .weak = one.vna_flags & VER_FLG_WEAK},
					 err);
			if (!one.vna_next)
				break;
			inner += one.vna_next;
		}
		free(file);
		if (rc < 0)
			return -1;
		if (!needed.vn_next)
			break;
		at += needed.vn_next;
	}
	return 0;
}

static int read_defined(struct elf *elf, struct elf_versions *versions, struct tables *tables,
			struct err *err)
{
	uint64_t at = tables->defined;

	for (uint64_t i = 0; at && i < tables->defined_count; i++) {
		Elf64_Verdef defined;
		Elf64_Verdaux name;

		if (elf_read(elf, at, &defined, sizeof(defined), err) < 0)
			return -1;
		if (!(defined.vd_flags & VER_FLG_BASE)) {
			if (elf_read(elf, at + defined.vd_aux, &name, sizeof(name), err) < 0 ||
			    add(elf, versions, tables, name.vda_name, NULL,
				(struct elf_version){.number = defined.vd_ndx & 0x7fff}, err) < 0)
				return -1;
		}
		if (!defined.vd_next)
			break;
		at += defined.vd_next;
	}
	return 0;
}

int elf_versions_read(struct elf *elf, struct elf_versions *ret, struct err *err)
{
	struct tables tables = {.left = TEXT_MAX};

	*ret = (struct elf_versions){0};
	if (find_tables(elf, ret, &tables, err) < 0 || read_needed(elf, ret, &tables, err) < 0 ||
	    read_defined(elf, ret, &tables, err) < 0)
		return -1;
	return 0;
}

void elf_versions_free(struct elf_versions *versions)
{
	for (size_t i = 0; i < versions->count; i++) {
		free(versions->items[i].name);
		free(versions->items[i].file);
	}
	free(versions->items);
	*versions = (struct elf_versions){0};
}

const char *elf_version_of(struct elf *elf, const struct elf_versions *versions, uint32_t index,
			   const char **ret_file)
{
	uint16_t number;

	if (ret_file)
		*ret_file = NULL;
	if (!versions->table ||
	    elf_read(elf, versions->table + (uint64_t)index * 2, &number, sizeof(number), NULL) < 0)
		return "";
	for (size_t i = 0; i < versions->count; i++) {
		if (versions->items[i].number != (number & 0x7fff))
			continue;
		if (ret_file)
			*ret_file = versions->items[i].file;
		return versions->items[i].name;
	}
	return "";
}
