/* SPDX-License-Identifier: Apache-2.0 */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/mem.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#define RELOCATION_NONE R_X86_64_NONE
#define RELOCATION_SYMBOL R_X86_64_64
#define RELOCATION_RELATIVE R_X86_64_RELATIVE
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#define RELOCATION_NONE R_AARCH64_NONE
#define RELOCATION_SYMBOL R_AARCH64_ABS64
#define RELOCATION_RELATIVE R_AARCH64_RELATIVE
#else
#error "name this machine's relocations here"
#endif

#define FILE_MAX (256ull << 20)
#define VIEW_MAX ((size_t)4096)
#define WINDOW_SIZE ((size_t)16384)
#define DYNAMIC_MAX 4096
#define NOTES_MAX 65536
#define STRINGS_MAX (16u << 20)
#define SYMBOLS_MAX (1u << 20)
#define BUCKETS_MAX (1u << 20)
#define RELOCATIONS_MAX (1u << 18)
#define CANDIDATES_MAX 4096

/* Our own kinds of relocation. */
enum { KIND_RELATIVE, KIND_IN_PLACE, KIND_SYMBOL, KIND_OTHER };

/* Addresses from the dynamic section that are only needed while opening. */
struct dynamic {
	uint64_t rela, rela_size, relr, relr_size;
};

static int broken(struct err *err, const char *reason)
{
	return err_set(err, "broken file: %s", reason);
}

static int read_fully(const struct elf *elf, uint64_t offset, unsigned char *out, size_t length,
		      struct err *err)
{
	size_t done = 0;
	ssize_t got;

	while (done < length) {
		got = pread(elf->fd, out + done, length - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "cannot read");
		if (got == 0)
			return err_set(err, "became shorter while it was read");
		done += (size_t)got;
	}
	return 0;
}

/* view_file() for what does not lie in `front`. */
static const unsigned char *view_window(struct elf *elf, uint64_t offset, size_t length,
					struct err *err)
{
	struct elf_window *oldest = &elf->windows[0];
	uint64_t rest;

	elf->clock++;
	for (size_t i = 0; i < ELF_WINDOWS; i++) {
		struct elf_window *window = &elf->windows[i];

		if (offset >= window->start && offset + length <= window->start + window->length) {
			window->used = elf->clock;
			return window->bytes + (offset - window->start);
		}
		if (window->used < oldest->used)
			oldest = window;
	}
	if (!oldest->bytes)
		oldest->bytes = xcalloc(1, WINDOW_SIZE);
	oldest->used = elf->clock;
	oldest->length = 0;
	oldest->start = offset & ~(uint64_t)(VIEW_MAX - 1);
	rest = elf->size - oldest->start;
	if (rest > WINDOW_SIZE)
		rest = WINDOW_SIZE;
	if (read_fully(elf, oldest->start, oldest->bytes, (size_t)rest, err) < 0)
		return NULL;
	oldest->length = (size_t)rest;
	return oldest->bytes + (offset - oldest->start);
}

/* `length` (at most VIEW_MAX) bytes of the file, valid until the next call. NULL on failure. */
static inline const unsigned char *view_file(struct elf *elf, uint64_t offset, size_t length,
					     struct err *err)
{
	if (offset <= elf->front_length && length <= elf->front_length - offset)
		return elf->front + offset;
	if (length > VIEW_MAX || offset > elf->size || length > elf->size - offset) {
		broken(err, "leads beyond its end");
		return NULL;
	}
	return view_window(elf, offset, length, err);
}

/* The segment that `address` lies in, NULL for none. Segments are few and in order. */
static inline const struct elf_segment *segment_of(const struct elf *elf, uint64_t address)
{
	for (size_t i = 0; i < elf->segment_count; i++)
		if (address - elf->segments[i].address < elf->segments[i].memory_size)
			return &elf->segments[i];
	return NULL;
}

/*
 * At most VIEW_MAX bytes from `address` and never more than `*length`, which gets how many there
 * are before the segment or its part in the file ends. NULL on failure.
 */
static const unsigned char *view(struct elf *elf, uint64_t address, size_t *length, struct err *err)
{
	static const unsigned char zeros[4096];
	const struct elf_segment *segment = segment_of(elf, address);
	uint64_t inside, rest;

	if (!segment) {
		broken(err, "leads out of its segments");
		return NULL;
	}
	inside = address - segment->address;
	rest = inside < segment->file_size ? segment->file_size - inside
					   : segment->memory_size - inside;
	if (rest > VIEW_MAX)
		rest = VIEW_MAX;
	if (*length > rest)
		*length = (size_t)rest;
	if (inside >= segment->file_size)
		return zeros;
	return view_file(elf, segment->offset + inside, *length, err);
}

static int read_slowly(struct elf *elf, uint64_t address, unsigned char *to, size_t length,
		       struct err *err)
{
	while (length) {
		size_t some = length;
		const unsigned char *from = view(elf, address, &some, err);

		if (!from)
			return -1;
		memcpy(to, from, some);
		to += some;
		address += some;
		length -= some;
	}
	return 0;
}

/* elf_read(), to be used with a constant length: nearly all reads are small and of `front`. */
static inline int read_at(struct elf *elf, uint64_t address, void *out, size_t length,
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
	return read_slowly(elf, address, out, length, err);
}

int elf_read(struct elf *elf, uint64_t address, void *out, size_t length, struct err *err)
{
	return read_at(elf, address, out, length, err);
}

int elf_string_length(struct elf *elf, uint64_t address, size_t limit, size_t *ret_length,
		      struct err *err)
{
	size_t length = 0;

	while (length <= limit) {
		size_t some = limit - length + 1;
		const unsigned char *from = view(elf, address + length, &some, err);
		const unsigned char *end;

		if (!from)
			return -1;
		end = memchr(from, '\0', some);
		if (end) {
			*ret_length = length + (size_t)(end - from);
			return 0;
		}
		length += some;
	}
	return err_set(err, "a text longer than %zu bytes", limit);
}

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
		const unsigned char *from = view(elf, address + done, &some, err);

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

static int symbol_read(struct elf *elf, uint32_t index, Elf64_Sym *ret_symbol, struct err *err)
{
	if (!elf->symbols || index >= SYMBOLS_MAX)
		return broken(err, "a relocation names no symbol");
	return read_at(elf, elf->symbols + (uint64_t)index * sizeof(*ret_symbol), ret_symbol,
		       sizeof(*ret_symbol), err);
}

/* Whether the symbol is an address of this file, known before it is opened. */
static bool symbol_defined(const Elf64_Sym *symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < SHN_LORESERVE &&
	       type != STT_TLS && type != STT_GNU_IFUNC;
}

int elf_pointer(struct elf *elf, uint64_t address, enum elf_pointer *ret_kind, uint64_t *ret_target,
		struct err *err)
{
	size_t first = relocation_from(elf, address < 7 ? 0 : address - 7);
	const struct elf_relocation *relocation;
	uint64_t stored;
	Elf64_Sym symbol;

	*ret_target = 0;
	if (read_at(elf, address, &stored, sizeof(stored), err) < 0)
		return -1;
	relocation = first < elf->relocation_count ? &elf->relocations[first] : NULL;
	if (!relocation ||
	    (relocation->where > address && relocation->where - address >= sizeof(stored))) {
		*ret_kind = ELF_POINTER_NULL;
		if (stored)
			return broken(err, "an address that is not relocated");
		return 0;
	}
	if (relocation->where != address ||
	    (first + 1 < elf->relocation_count && relocation[1].where - address < sizeof(stored)))
		return broken(err, "overlapping relocations");
	*ret_kind = ELF_POINTER_INSIDE;
	switch (relocation->kind) {
	case KIND_RELATIVE:
		*ret_target = relocation->addend;
		return 0;
	case KIND_IN_PLACE:
		*ret_target = stored;
		return 0;
	case KIND_SYMBOL:
		if (symbol_read(elf, relocation->symbol, &symbol, err) < 0)
			return -1;
		if (symbol_defined(&symbol)) {
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

/* How many dynamic symbols there are, by the hash table, which alone knows. */
static int count_symbols(struct elf *elf, uint64_t *ret_count, struct err *err)
{
	uint32_t head[4], last = 0;
	uint64_t buckets, chains;

	if (elf->hash) {
		if (elf_read(elf, elf->hash, head, 2 * sizeof(head[0]), err) < 0)
			return -1;
		*ret_count = head[1];
		return head[1] > SYMBOLS_MAX ? broken(err, "too many symbols") : 0;
	}
	if (!elf->gnu_hash)
		return broken(err, "no table of symbols");
	if (elf_read(elf, elf->gnu_hash, head, sizeof(head), err) < 0)
		return -1;
	if (head[0] > BUCKETS_MAX || head[1] > SYMBOLS_MAX || head[2] > BUCKETS_MAX)
		return broken(err, "too many symbols");
	buckets = elf->gnu_hash + sizeof(head) + (uint64_t)head[2] * 8;
	chains = buckets + (uint64_t)head[0] * 4;
	for (uint64_t i = 0; i < head[0];) {
		size_t some = (size_t)(head[0] - i) * 4;
		const unsigned char *from = view(elf, buckets + i * 4, &some, err);

		if (!from)
			return -1;
		some /= 4;
		if (!some)
			return broken(err, "a table cut short");
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
		return broken(err, "a table of symbols that contradicts itself");
	for (;; last++) {
		uint32_t chain;

		if (last >= SYMBOLS_MAX)
			return broken(err, "too many symbols");
		if (read_at(elf, chains + (uint64_t)(last - head[1]) * 4, &chain, 4, err) < 0)
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
		size_t some = elf->strings_size - at < VIEW_MAX ? (size_t)(elf->strings_size - at)
								: VIEW_MAX;
		const unsigned char *from = view(elf, elf->strings + at, &some, err);
		const unsigned char *hit = from;

		if (!from)
			return -1;
		if (some < length)
			break;
		while ((hit = memmem(hit, some - (size_t)(hit - from), stem, length))) {
			if (count == CANDIDATES_MAX)
				return broken(err, "too many names of cookbooks");
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
		return broken(err, "a name without end");
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

	return symbol_defined(symbol) && (type == STT_OBJECT || type == STT_NOTYPE) &&
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
		broken(err, "no table of symbols");
		goto out;
	}
	if (find_candidates(elf, stem, offsets, &candidates, err) < 0)
		goto out;
	if (candidates == 0)
		goto done;
	if (count_symbols(elf, &total, err) < 0)
		goto out;
	symbols = xreallocarray(NULL, candidates, sizeof(*symbols));
	for (uint64_t i = 0; i < total;) {
		size_t some = (total - i) * sizeof(Elf64_Sym) < VIEW_MAX
				      ? (size_t)(total - i) * sizeof(Elf64_Sym)
				      : VIEW_MAX;
		unsigned char chunk[VIEW_MAX];
		const unsigned char *from = view(elf, elf->symbols + i * sizeof(Elf64_Sym), &some,
						 err);

		if (!from)
			goto out;
		some /= sizeof(Elf64_Sym);
		if (!some) {
			broken(err, "a table of symbols cut short");
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
	return broken(err, "packed relocations that are none");
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

static int load_relr(struct elf *elf, const struct dynamic *dynamic, struct err *err)
{
	size_t words = (size_t)(dynamic->relr_size / 8), count = 0;
	uint64_t *table = NULL, *where = NULL;
	int rc = -1;

	if (!dynamic->relr || words == 0)
		return 0;
	if (words > RELOCATIONS_MAX)
		return broken(err, "too many relocations");
	table = xcalloc(words, sizeof(*table));
	if (elf_read(elf, dynamic->relr, table, words * sizeof(*table), err) < 0)
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

static int load_relocations(struct elf *elf, const struct dynamic *dynamic, struct err *err)
{
	size_t count = dynamic->rela ? (size_t)(dynamic->rela_size / sizeof(Elf64_Rela)) : 0;
	struct elf_relocation *all;

	if (load_relr(elf, dynamic, err) < 0)
		return -1;
	if (count > RELOCATIONS_MAX)
		return broken(err, "too many relocations");
	reserve_relocations(elf, count);
	all = elf->relocations;
	for (size_t i = 0; i < count;) {
		size_t some = (count - i) * sizeof(Elf64_Rela);
		const unsigned char *from = view(elf, dynamic->rela + i * sizeof(Elf64_Rela), &some,
						 err);

		if (!from)
			return -1;
		some /= sizeof(Elf64_Rela);
		if (!some)
			return broken(err, "relocations cut short");
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

/* Takes one entry of the dynamic section: 1 for the one that ends it. */
static int take_dynamic(struct elf *elf, const Elf64_Dyn *entry, struct dynamic *dynamic,
			struct err *err)
{
	uint64_t value = entry->d_un.d_val;

	switch (entry->d_tag) {
	case DT_NULL:
		return 1;
	case DT_SYMTAB:
		elf->symbols = value;
		break;
	case DT_STRTAB:
		elf->strings = value;
		break;
	case DT_STRSZ:
		elf->strings_size = value;
		break;
	case DT_HASH:
		elf->hash = value;
		break;
	case DT_GNU_HASH:
		elf->gnu_hash = value;
		break;
	case DT_RELA:
		dynamic->rela = value;
		break;
	case DT_RELASZ:
		dynamic->rela_size = value;
		break;
	case DT_RELR:
		dynamic->relr = value;
		break;
	case DT_RELRSZ:
		dynamic->relr_size = value;
		break;
	case DT_SYMENT:
		if (value != sizeof(Elf64_Sym))
			return broken(err, "symbols of another size");
		break;
	case DT_RELAENT:
		if (value != sizeof(Elf64_Rela))
			return broken(err, "relocations of another size");
		break;
	case DT_RELRENT:
		if (value != 8)
			return broken(err, "relocations of another size");
		break;
	case DT_FLAGS_1:
		if (value & DF_1_PIE)
			return err_set(err, "a program, not a shared object");
		break;
	default:
		break;
	}
	return 0;
}

static int read_dynamic(struct elf *elf, const Elf64_Phdr *header, struct dynamic *dynamic,
			struct err *err)
{
	size_t count = (size_t)(header->p_memsz / sizeof(Elf64_Dyn));
	int rc = 0;

	if (count > DYNAMIC_MAX)
		count = DYNAMIC_MAX;
	elf->dynamic = header->p_vaddr;
	while (elf->dynamic_count < count) {
		size_t some = (count - elf->dynamic_count) * sizeof(Elf64_Dyn);
		const unsigned char *from = view(
			elf, elf->dynamic + elf->dynamic_count * sizeof(Elf64_Dyn), &some, err);

		if (!from)
			return -1;
		some /= sizeof(Elf64_Dyn);
		if (!some)
			return broken(err, "a dynamic section cut short");
		for (size_t i = 0; i < some; i++, elf->dynamic_count++) {
			Elf64_Dyn entry;

			memcpy(&entry, from + i * sizeof(entry), sizeof(entry));
			rc = take_dynamic(elf, &entry, dynamic, err);
			if (rc)
				return rc < 0 ? -1 : 0;
		}
	}
	return 0;
}

int elf_dynamic(struct elf *elf, size_t index, uint64_t *ret_tag, uint64_t *ret_value,
		struct err *err)
{
	Elf64_Dyn entry;

	if (elf_read(elf, elf->dynamic + index * sizeof(entry), &entry, sizeof(entry), err) < 0)
		return -1;
	*ret_tag = (uint64_t)entry.d_tag;
	*ret_value = entry.d_un.d_val;
	return 0;
}

static uint64_t align_to(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/* Looks for the build-id. A note that cannot be read is as good as none. */
static void read_notes(struct elf *elf, const Elf64_Phdr *header)
{
	uint64_t at = 0, size = header->p_filesz < NOTES_MAX ? header->p_filesz : NOTES_MAX;
	uint64_t alignment = header->p_align == 8 ? 8 : 4;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		const unsigned char *from;
		Elf64_Nhdr note;
		uint64_t name = at + sizeof(note), text, next;

		from = view_file(elf, header->p_offset + at, sizeof(note), NULL);
		if (!from)
			return;
		memcpy(&note, from, sizeof(note));
		text = align_to(name + note.n_namesz, alignment);
		next = align_to(text + note.n_descsz, alignment);
		if (text + note.n_descsz > size)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    note.n_descsz <= ELF_BUILD_ID_MAX) {
			from = view_file(elf, header->p_offset + name, 4, NULL);
			if (!from)
				return;
			if (memcmp(from, "GNU", 4) == 0) {
				from = view_file(elf, header->p_offset + text, note.n_descsz, NULL);
				if (!from)
					return;
				memcpy(elf->build_id, from, note.n_descsz);
				elf->build_id_length = note.n_descsz;
				return;
			}
		}
		if (next > size)
			return;
		at = next;
	}
}

static int add_segment(struct elf *elf, const Elf64_Phdr *header, struct err *err)
{
	const struct elf_segment *before = elf->segments + elf->segment_count - 1;
	uint64_t front;

	if (header->p_memsz == 0)
		return 0;
	if (elf->segment_count == ELF_SEGMENTS_MAX)
		return broken(err, "too many segments");
	if (header->p_filesz > header->p_memsz || header->p_offset > elf->size ||
	    header->p_filesz > elf->size - header->p_offset)
		return broken(err, "cut short");
	if (header->p_memsz > UINT64_MAX / 2 || header->p_vaddr > UINT64_MAX / 2)
		return broken(err, "segments beyond memory");
	if (elf->segment_count && header->p_vaddr < before->address + before->memory_size)
		return broken(err, "segments out of order");
	front = header->p_offset < elf->front_length ? elf->front_length - header->p_offset : 0;
	elf->segments[elf->segment_count++] = (struct elf_segment){
		.address = header->p_vaddr,
		.memory_size = header->p_memsz,
		.offset = header->p_offset,
		.file_size = header->p_filesz,
		.front_size = header->p_filesz < front ? header->p_filesz : front,
	};
	return 0;
}

static int check_header(const Elf64_Ehdr *header, struct err *err)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, "not a shared object");
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != MACHINE)
		return err_set(err, "foreign: built for another kind of machine");
	if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_type != ET_DYN)
		return err_set(err, "not a shared object");
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
	    header->e_phnum > ELF_SEGMENTS_MAX)
		return broken(err, "no program headers");
	return 0;
}

static int read_headers(struct elf *elf, struct err *err)
{
	Elf64_Phdr dynamic_header = {0};
	struct dynamic dynamic = {0};
	const unsigned char *from;
	Elf64_Ehdr header;

	if (elf->size < sizeof(header))
		return err_set(err, elf->size ? "not a shared object" : "an empty file");
	if (elf->size > FILE_MAX)
		return err_set(err, "larger than %llu MiB", FILE_MAX >> 20);
	if (!elf->front) {
		size_t length = elf->size < sizeof(elf->first) ? (size_t)elf->size
							       : sizeof(elf->first);

		if (read_fully(elf, 0, elf->first, length, err) < 0)
			return -1;
		elf->front = elf->first;
		elf->front_length = length;
	}
	from = view_file(elf, 0, sizeof(header), err);
	if (!from)
		return -1;
	memcpy(&header, from, sizeof(header));
	if (check_header(&header, err) < 0)
		return -1;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;

		if (header.e_phoff > elf->size)
			return broken(err, "no program headers");
		from = view_file(elf, header.e_phoff + i * sizeof(segment), sizeof(segment), err);
		if (!from)
			return -1;
		memcpy(&segment, from, sizeof(segment));
		if (segment.p_type == PT_LOAD && add_segment(elf, &segment, err) < 0)
			return -1;
		if (segment.p_type == PT_DYNAMIC)
			dynamic_header = segment;
		if (segment.p_type == PT_NOTE && !elf->build_id_length &&
		    segment.p_offset < elf->size)
			read_notes(elf, &segment);
	}
	if (!dynamic_header.p_memsz)
		return err_set(err, "not a shared object");
	if (read_dynamic(elf, &dynamic_header, &dynamic, err) < 0)
		return -1;
	return load_relocations(elf, &dynamic, err);
}

/* Forgets the file before. */
static void start(struct elf *elf, int fd, uint64_t size)
{
	memset(elf, 0, offsetof(struct elf, segments));
	for (size_t i = 0; i < ELF_WINDOWS; i++)
		elf->windows[i] = (struct elf_window){.bytes = elf->windows[i].bytes};
	elf->fd = fd;
	elf->size = size;
}

int elf_open(struct elf *elf, int fd, uint64_t size, struct err *err)
{
	start(elf, fd, size);
	return read_headers(elf, err);
}

int elf_open_memory(struct elf *elf, const void *bytes, size_t size, struct err *err)
{
	start(elf, -1, size);
	elf->front = bytes;
	elf->front_length = size;
	return read_headers(elf, err);
}

void elf_close(struct elf *elf)
{
	for (size_t i = 0; i < ELF_WINDOWS; i++)
		free(elf->windows[i].bytes);
	free(elf->relocations);
	memset(elf, 0, offsetof(struct elf, first));
}
