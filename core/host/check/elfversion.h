/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of a shared object's dynamic symbols: those that it needs and those that it defines.
 */
#ifndef SPICERACK_HOST_ELFVERSION_H
#define SPICERACK_HOST_ELFVERSION_H

#include "../peek/elf.h"

struct elf_version {
	char *name;
	char *file; /* the library that it is needed of; NULL: it is defined here */
	uint16_t number;
	bool weak; /* may be missing */
};

struct elf_versions {
	struct elf_version *items;
	size_t count, capacity;
	uint64_t table; /* address of the numbers of the symbols; 0: there is none */
};

/* Reads them; a file may have none. elf_versions_free() in any case. */
MUST_CHECK int elf_versions_read(struct elf *elf, struct elf_versions *ret, struct err *err);
void elf_versions_free(struct elf_versions *versions);

/* The version of the dynamic symbol `index`: "" for none. `ret_file`, which may be NULL, gets its
 * library or NULL. */
const char *elf_version_of(struct elf *elf, const struct elf_versions *versions, uint32_t index,
			   const char **ret_file);

#endif
