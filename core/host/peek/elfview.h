/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the reader of shared objects (elf*.c) share. */
#ifndef SPICERACK_HOST_ELFVIEW_H
#define SPICERACK_HOST_ELFVIEW_H

#include <elf.h>
#include <string.h>

#include "elf.h"

#define ELF_VIEW_MAX ((size_t)4096)

/* Always -1. */
int elf_broken(struct err *err, const char *reason);

/*
 * At most ELF_VIEW_MAX bytes from `address` and never more than `*length`, which gets how many
 * there are before the segment or its part in the file ends. Valid until the next call; NULL on
 * failure.
 */
const unsigned char *elf_view(struct elf *elf, uint64_t address, size_t *length, struct err *err);

/* Copies `length` bytes from the offset `offset` of the file, whatever segment they are in. */
MUST_CHECK int elf_read_file(struct elf *elf, uint64_t offset, void *out, size_t length,
			     struct err *err);

/* elf_read() for what does not lie in `front`. */
MUST_CHECK int elf_read_slowly(struct elf *elf, uint64_t address, unsigned char *to, size_t length,
			       struct err *err);

/* elf_read(), to be used with a constant length: nearly all reads are small and of `front`. */
static inline int elf_read_small(struct elf *elf, uint64_t address, void *out, size_t length,
				 struct err *err)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct elf_segment *segment = &elf->segments[i];
		uint64_t inside = address - segment->address;

		if (inside < segment->front_size && length <= segment->front_size - inside) {
			memcpy(out, elf->front + segment->offset + inside, length);
			return 0;
		}
	}
	return elf_read_slowly(elf, address, out, length, err);
}

/* A dynamic symbol by its number. */
MUST_CHECK int elf_symbol_read(struct elf *elf, uint32_t index, Elf64_Sym *ret_symbol,
			       struct err *err);

/* How many dynamic symbols there are, by the hash table, which alone knows. */
MUST_CHECK int elf_symbol_count(struct elf *elf, uint64_t *ret_count, struct err *err);

/* Whether the symbol is an address of this file, known before it is opened. */
bool elf_symbol_defined(const Elf64_Sym *symbol);

/* Addresses from the dynamic section. */
struct elf_relocation_tables {
	uint64_t rela, rela_size, relr, relr_size;
};

/* Fills in the elf's relocations. */
MUST_CHECK int elf_load_relocations(struct elf *elf, const struct elf_relocation_tables *tables,
				    struct err *err);

#endif
