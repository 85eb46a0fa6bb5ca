/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic symbols of a shared object. */
#include "elfview.h"

#include <stdlib.h>

#include "../../runtime/mem.h"

#define STRINGS_MAX (16u << 20)
#define SYMBOLS_MAX (1u << 20)
#define BUCKETS_MAX (1u << 20)
#define CANDIDATES_MAX 4096

int elf_symbol_read(struct elf *elf, uint32_t index, Elf64_Sym *ret_symbol, struct err *err)
{
	if (!elf->symbols || index >= SYMBOLS_MAX)
		return elf_broken(err, "a relocation names no symbol");
	return elf_read_small(elf, elf->symbols + (uint64_t)index * sizeof(*ret_symbol), ret_symbol,
			      sizeof(*ret_symbol), err);
}

bool elf_symbol_defined(const Elf64_Sym *symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < SHN_LORESERVE &&
	       type != STT_TLS && type != STT_GNU_IFUNC;
}

int elf_symbol_count(struct elf *elf, uint64_t *ret_count, struct err *err)
{
	uint32_t head[4], last = 0;
	uint64_t buckets, chains;

	if (elf->hash) {
		if (elf_read(elf, elf->hash, head, 2 * sizeof(head[0]), err) < 0)
			return -1;
		*ret_count = head[1];
		return head[1] > SYMBOLS_MAX ? elf_broken(err, "too many symbols") : 0;
	}
	if (!elf->gnu_hash)
		return elf_broken(err, "no table of symbols");
	if (elf_read(elf, elf->gnu_hash, head, sizeof(head), err) < 0)
		return -1;
	if (head[0] > BUCKETS_MAX || head[1] > SYMBOLS_MAX || head[2] > BUCKETS_MAX)
		return elf_broken(err, "too many symbols");
	buckets = elf->gnu_hash + sizeof(head) + (uint64_t)head[2] * 8;
	chains = buckets + (uint64_t)head[0] * 4;
	for (uint64_t i = 0; i < head[0];) {
		size_t some = (size_t)(head[0] - i) * 4;
		const unsigned char *from = elf_view(elf, buckets + i * 4, &some, err);

		if (!from)
			return -1;
		some /= 4;
		if (!some)
			return elf_broken(err, "a table cut short");
		for (size_t k = 0; k < some; k++) {
			uint32_t bucket;

			memcpy(&bucket, from + k * 4, 4);
			if (bucket > last)
				last = bucket;
		}
		i += some;
	}
	if (last == 0) {
		*ret_count = head[1];
		return 0;
	}
	if (last < head[1])
		return elf_broken(err, "a table of symbols that contradicts itself");
	for (;; last++) {
		uint32_t chain;

		if (last >= SYMBOLS_MAX)
			return elf_broken(err, "too many symbols");
		if (elf_read_small(elf, chains + (uint64_t)(last - head[1]) * 4, &chain, 4, err) <
		    0)
			return -1;
		if (chain & 1)
			break;
	}
	*ret_count = (uint64_t)last + 1;
	return 0;
}

/* Where `stem` stands in the table of names, ascending: the scan of symbols need not read names. */
static int find_candidates(struct elf *elf, const char *stem, uint32_t *offsets, size_t *ret_count,
			   struct err *err)
{
	size_t length = strlen(stem), count = 0;
	uint64_t at = 0;

	while (elf->strings_size - at >= length) {
		size_t some = elf->strings_size - at < ELF_VIEW_MAX
				      ? (size_t)(elf->strings_size - at)
				      : ELF_VIEW_MAX;
		const unsigned char *from = elf_view(elf, elf->strings + at, &some, err);
		const unsigned char *hit = from;

		if (!from)
			return -1;
		if (some < length)
			break;
		while ((hit = memmem(hit, some - (size_t)(hit - from), stem, length))) {
			if (count == CANDIDATES_MAX)
				return elf_broken(err, "too many names of cookbooks");
			offsets[count++] = (uint32_t)(at + (size_t)(hit - from));
			hit++;
		}
		at += some - length + 1;
	}
	*ret_count = count;
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static int by_name(const void *a, const void *b)
{
	const struct elf_symbol *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* Reads the name of a candidate: 1 when it is `stem` or starts with `stem` and `_`, 0 when not. */
static int read_name(struct elf *elf, uint32_t offset, const char *stem, char *out, struct err *err)
{
	size_t length, stem_length = strlen(stem);

	if (elf_string_length(elf, elf->strings + offset, ELF_NAME_MAX - 1, &length, err) < 0)
		return err_set(err, "a cookbook with an overlong name");
	if (length >= elf->strings_size - offset)
		return elf_broken(err, "a name without end");
	if (elf_read(elf, elf->strings + offset, out, length + 1, err) < 0)
		return -1;
	if (out[stem_length] == '\0')
		return 1;
	if (out[stem_length] != '_' || out[stem_length + 1] == '\0')
		return 0;
	for (const char *c = out; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9') || *c == '_'))
			return err_set(err, "a cookbook whose name is no C identifier");
	return 1;
}

static bool is_exported_data(const Elf64_Sym *symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info), bind = ELF64_ST_BIND(symbol->st_info);
	unsigned visibility = ELF64_ST_VISIBILITY(symbol->st_other);

	return elf_symbol_defined(symbol) && (type == STT_OBJECT || type == STT_NOTYPE) &&
	       (bind == STB_GLOBAL || bind == STB_WEAK) &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

int elf_symbols(struct elf *elf, const char *stem, struct elf_symbol **ret_symbols,
		size_t *ret_count, struct err *err)
{
	struct elf_symbol *symbols = NULL;
	size_t candidates = 0, count = 0;
	uint32_t offsets[CANDIDATES_MAX];
	uint64_t total = 0;
	int rc = -1;

	if (!elf->symbols || !elf->strings || elf->strings_size > STRINGS_MAX) {
		elf_broken(err, "no table of symbols");
		goto out;
	}
	if (find_candidates(elf, stem, offsets, &candidates, err) < 0)
		goto out;
	if (candidates == 0)
		goto done;
	if (elf_symbol_count(elf, &total, err) < 0)
		goto out;
	symbols = xreallocarray(NULL, candidates, sizeof(*symbols));
	for (uint64_t i = 0; i < total;) {
		size_t some = (total - i) * sizeof(Elf64_Sym) < ELF_VIEW_MAX
				      ? (size_t)(total - i) * sizeof(Elf64_Sym)
				      : ELF_VIEW_MAX;
		unsigned char chunk[ELF_VIEW_MAX];
		const unsigned char *from = elf_view(elf, elf->symbols + i * sizeof(Elf64_Sym),
						     &some, err);

		if (!from)
			goto out;
		some /= sizeof(Elf64_Sym);
		if (!some) {
			elf_broken(err, "a table of symbols cut short");
			goto out;
		}
		memcpy(chunk, from, some * sizeof(Elf64_Sym)); /* reading a name moves the view */
		for (size_t k = 0; k < some; k++) {
			char name[ELF_NAME_MAX];
			Elf64_Sym symbol;
			int ours;

			memcpy(&symbol, chunk + k * sizeof(symbol), sizeof(symbol));
			if (!is_exported_data(&symbol) ||
			    !bsearch(&symbol.st_name, offsets, candidates, sizeof(offsets[0]),
				     by_offset))
				continue;
			ours = read_name(elf, symbol.st_name, stem, name, err);
			if (ours < 0)
				goto out;
			if (!ours)
				continue;
			if (count == candidates) { /* there are not as many names */
				err_set(err, "broken file: it defines %s twice", name);
				goto out;
			}
			memcpy(symbols[count].name, name, sizeof(name));
			symbols[count++].address = symbol.st_value;
		}
		i += some;
	}
	if (count > 1)
		qsort(symbols, count, sizeof(*symbols), by_name);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(symbols[i - 1].name, symbols[i].name) == 0) {
			err_set(err, "broken file: it defines %s twice", symbols[i].name);
			goto out;
		}
	}
done:
	*ret_symbols = symbols;
	*ret_count = count;
	symbols = NULL;
	rc = 0;
out:
	free(symbols);
	return rc;
}
