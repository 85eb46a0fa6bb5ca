/* SPDX-License-Identifier: Apache-2.0 */
/* The relocations of a shared object, and the pointers that they make. */
#include "elfview.h"

#include <stdlib.h>

#include "../../runtime/mem.h"

#if defined(__x86_64__)
#define RELOCATION_NONE R_X86_64_NONE
#define RELOCATION_SYMBOL R_X86_64_64
#define RELOCATION_RELATIVE R_X86_64_RELATIVE
#elif defined(__aarch64__)
#define RELOCATION_NONE R_AARCH64_NONE
#define RELOCATION_SYMBOL R_AARCH64_ABS64
#define RELOCATION_RELATIVE R_AARCH64_RELATIVE
#else
#error "name this machine's relocations here"
#endif

#define RELOCATIONS_MAX (1u << 18)

/* Our own kinds of relocation. */
enum { KIND_RELATIVE, KIND_IN_PLACE, KIND_SYMBOL, KIND_OTHER };

/* The first relocation at or behind `address`, as an index. */
static size_t relocation_from(const struct elf *elf, uint64_t address)
{
	size_t low = 0, high = elf->relocation_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (elf->relocations[middle].where < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int elf_zeros(struct elf *elf, uint64_t address, size_t length, size_t *ret_offset, struct err *err)
{
	size_t first = relocation_from(elf, address < 7 ? 0 : address - 7);
	size_t done = 0, known = length;

	if (first < elf->relocation_count) {
		uint64_t where = elf->relocations[first].where;

		if (where <= address)
			known = 0;
		else if (where - address < length)
			known = (size_t)(where - address);
	}
	while (done < known) {
		size_t some = known - done;
		const unsigned char *from = elf_view(elf, address + done, &some, err);

		if (!from)
			return -1;
		for (size_t i = 0; i < some; i++) {
			if (from[i]) {
				*ret_offset = done + i;
				return 0;
			}
		}
		done += some;
	}
	*ret_offset = known;
	return 0;
}

int elf_pointer(struct elf *elf, uint64_t address, enum elf_pointer *ret_kind, uint64_t *ret_target,
		struct err *err)
{
	size_t first = relocation_from(elf, address < 7 ? 0 : address - 7);
	const struct elf_relocation *relocation;
	uint64_t stored;
	Elf64_Sym symbol;

	*ret_target = 0;
	if (elf_read_small(elf, address, &stored, sizeof(stored), err) < 0)
		return -1;
	relocation = first < elf->relocation_count ? &elf->relocations[first] : NULL;
	if (!relocation ||
	    (relocation->where > address && relocation->where - address >= sizeof(stored))) {
		*ret_kind = ELF_POINTER_NULL;
		if (stored)
			return elf_broken(err, "an address that is not relocated");
		return 0;
	}
	if (relocation->where != address ||
	    (first + 1 < elf->relocation_count && relocation[1].where - address < sizeof(stored)))
		return elf_broken(err, "overlapping relocations");
	*ret_kind = ELF_POINTER_INSIDE;
	switch (relocation->kind) {
	case KIND_RELATIVE:
		*ret_target = relocation->addend;
		return 0;
	case KIND_IN_PLACE:
		*ret_target = stored;
		return 0;
	case KIND_SYMBOL:
		if (elf_symbol_read(elf, relocation->symbol, &symbol, err) < 0)
			return -1;
		if (elf_symbol_defined(&symbol)) {
			*ret_target = symbol.st_value + relocation->addend;
			return 0;
		}
		break;
	default:
		break;
	}
	*ret_kind = ELF_POINTER_OUTSIDE;
	return 0;
}

int elf_decode_relr(const uint64_t *words, size_t count, size_t limit, uint64_t **ret_where,
		    size_t *ret_total, struct err *err)
{
	uint64_t *where = NULL, next = 0;
	size_t total = 0, capacity = 0;
	bool started = false;

	for (size_t i = 0; i < count; i++) {
		uint64_t word = words[i], base = next;

		if (word & 1) {
			if (!started || next > UINT64_MAX - 63 * 8)
				goto bad;
			next += 63 * 8;
			word >>= 1;
		} else {
			if (word > UINT64_MAX - 8)
				goto bad;
			base = word;
			next = word + 8;
			started = true;
			word = 1;
		}
		for (; word; word >>= 1, base += 8) {
			if (!(word & 1))
				continue;
			if (total == limit)
				goto bad;
			where = xgrow(where, total, &capacity, sizeof(*where));
			where[total++] = base;
		}
	}
	*ret_where = where;
	*ret_total = total;
	return 0;
bad:
	free(where);
	return elf_broken(err, "packed relocations that are none");
}

static int by_where(const void *a, const void *b)
{
	const struct elf_relocation *left = a, *right = b;

	return (left->where > right->where) - (left->where < right->where);
}

/* Linkers leave few out of order; when they are many this is not for them. */
static void sort_relocations(struct elf_relocation *all, size_t count)
{
	size_t moves = 0;

	for (size_t i = 1; i < count && moves <= 4 * count; i++) {
		struct elf_relocation one = all[i];
		size_t to = i;

		for (; to && all[to - 1].where > one.where; to--)
			all[to] = all[to - 1];
		all[to] = one;
		moves += i - to;
	}
	if (moves > 4 * count)
		qsort(all, count, sizeof(*all), by_where);
}

static void reserve_relocations(struct elf *elf, size_t more)
{
	size_t needed = elf->relocation_count + more;

	if (needed <= elf->relocation_capacity)
		return;
	elf->relocations = xreallocarray(elf->relocations, needed, sizeof(*elf->relocations));
	elf->relocation_capacity = needed;
}

static int load_relr(struct elf *elf, const struct elf_relocation_tables *tables, struct err *err)
{
	size_t words = (size_t)(tables->relr_size / 8), count = 0;
	uint64_t *table = NULL, *where = NULL;
	int rc = -1;

	if (!tables->relr || words == 0)
		return 0;
	if (words > RELOCATIONS_MAX)
		return elf_broken(err, "too many relocations");
	table = xcalloc(words, sizeof(*table));
	if (elf_read(elf, tables->relr, table, words * sizeof(*table), err) < 0)
		goto out;
	if (elf_decode_relr(table, words, RELOCATIONS_MAX, &where, &count, err) < 0)
		goto out;
	reserve_relocations(elf, count);
	for (size_t i = 0; i < count; i++)
		elf->relocations[i] = (struct elf_relocation){.where = where[i],
							      .kind = KIND_IN_PLACE};
	elf->relocation_count = count;
	rc = 0;
out:
	free(where);
	free(table);
	return rc;
}

int elf_load_relocations(struct elf *elf, const struct elf_relocation_tables *tables,
			 struct err *err)
{
	size_t count = tables->rela ? (size_t)(tables->rela_size / sizeof(Elf64_Rela)) : 0;
	struct elf_relocation *all;

	if (load_relr(elf, tables, err) < 0)
		return -1;
	if (count > RELOCATIONS_MAX)
		return elf_broken(err, "too many relocations");
	reserve_relocations(elf, count);
	all = elf->relocations;
	for (size_t i = 0; i < count;) {
		size_t some = (count - i) * sizeof(Elf64_Rela);
		const unsigned char *from = elf_view(elf, tables->rela + i * sizeof(Elf64_Rela),
						     &some, err);

		if (!from)
			return -1;
		some /= sizeof(Elf64_Rela);
		if (!some)
			return elf_broken(err, "relocations cut short");
		for (size_t k = 0; k < some; k++) {
			struct elf_relocation *to = &all[elf->relocation_count];
			Elf64_Rela rela;

			memcpy(&rela, from + k * sizeof(rela), sizeof(rela));
			to->where = rela.r_offset;
			to->addend = (uint64_t)rela.r_addend;
			to->symbol = ELF64_R_SYM(rela.r_info);
			switch (ELF64_R_TYPE(rela.r_info)) {
			case RELOCATION_NONE:
				continue;
			case RELOCATION_RELATIVE:
				to->kind = KIND_RELATIVE;
				break;
			case RELOCATION_SYMBOL:
				to->kind = KIND_SYMBOL;
				break;
			default:
				to->kind = KIND_OTHER;
				break;
			}
			elf->relocation_count++;
		}
		i += some;
	}
	sort_relocations(all, elf->relocation_count);
	return 0;
}
