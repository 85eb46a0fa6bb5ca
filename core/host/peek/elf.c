/* SPDX-License-Identifier: Apache-2.0 */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "elfview.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#error "name this machine here"
#endif

#define FILE_MAX (256ull << 20)
#define WINDOW_SIZE ((size_t)16384)
#define DYNAMIC_MAX 4096
#define NOTES_MAX 65536

int elf_broken(struct err *err, const char *reason)
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
	oldest->start = offset & ~(uint64_t)(ELF_VIEW_MAX - 1);
	rest = elf->size - oldest->start;
	if (rest > WINDOW_SIZE)
		rest = WINDOW_SIZE;
	if (read_fully(elf, oldest->start, oldest->bytes, (size_t)rest, err) < 0)
		return NULL;
	oldest->length = (size_t)rest;
	return oldest->bytes + (offset - oldest->start);
}

/* `length` (at most ELF_VIEW_MAX) bytes of the file, valid until the next call. NULL on failure. */
static inline const unsigned char *view_file(struct elf *elf, uint64_t offset, size_t length,
					     struct err *err)
{
	if (offset <= elf->front_length && length <= elf->front_length - offset)
		return elf->front + offset;
	if (length > ELF_VIEW_MAX || offset > elf->size || length > elf->size - offset) {
		elf_broken(err, "leads beyond its end");
		return NULL;
	}
	return view_window(elf, offset, length, err);
}

int elf_read_file(struct elf *elf, uint64_t offset, void *out, size_t length, struct err *err)
{
	unsigned char *to = out;

	while (length) {
		size_t some = length < ELF_VIEW_MAX ? length : ELF_VIEW_MAX;
		const unsigned char *from = view_file(elf, offset, some, err);

		if (!from)
			return -1;
		memcpy(to, from, some);
		to += some;
		offset += some;
		length -= some;
	}
	return 0;
}

/* The segment that `address` lies in, NULL for none. Segments are few and in order. */
static inline const struct elf_segment *segment_of(const struct elf *elf, uint64_t address)
{
	for (size_t i = 0; i < elf->segment_count; i++)
		if (address - elf->segments[i].address < elf->segments[i].memory_size)
			return &elf->segments[i];
	return NULL;
}

const unsigned char *elf_view(struct elf *elf, uint64_t address, size_t *length, struct err *err)
{
	static const unsigned char zeros[4096];
	const struct elf_segment *segment = segment_of(elf, address);
	uint64_t inside, rest;

	if (!segment) {
		elf_broken(err, "leads out of its segments");
		return NULL;
	}
	inside = address - segment->address;
	rest = inside < segment->file_size ? segment->file_size - inside
					   : segment->memory_size - inside;
	if (rest > ELF_VIEW_MAX)
		rest = ELF_VIEW_MAX;
	if (*length > rest)
		*length = (size_t)rest;
	if (inside >= segment->file_size)
		return zeros;
	return view_file(elf, segment->offset + inside, *length, err);
}

int elf_read_slowly(struct elf *elf, uint64_t address, unsigned char *to, size_t length,
		    struct err *err)
{
	while (length) {
		size_t some = length;
		const unsigned char *from = elf_view(elf, address, &some, err);

		if (!from)
			return -1;
		memcpy(to, from, some);
		to += some;
		address += some;
		length -= some;
	}
	return 0;
}

int elf_read(struct elf *elf, uint64_t address, void *out, size_t length, struct err *err)
{
	return elf_read_small(elf, address, out, length, err);
}

int elf_string_length(struct elf *elf, uint64_t address, size_t limit, size_t *ret_length,
		      struct err *err)
{
	size_t length = 0;

	while (length <= limit) {
		size_t some = limit - length + 1;
		const unsigned char *from = elf_view(elf, address + length, &some, err);
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

/* Takes one entry of the dynamic section: 1 for the one that ends it. */
static int take_dynamic(struct elf *elf, const Elf64_Dyn *entry,
			struct elf_relocation_tables *tables, struct err *err)
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
		tables->rela = value;
		break;
	case DT_RELASZ:
		tables->rela_size = value;
		break;
	case DT_RELR:
		tables->relr = value;
		break;
	case DT_RELRSZ:
		tables->relr_size = value;
		break;
	case DT_SYMENT:
		if (value != sizeof(Elf64_Sym))
			return elf_broken(err, "symbols of another size");
		break;
	case DT_RELAENT:
		if (value != sizeof(Elf64_Rela))
			return elf_broken(err, "relocations of another size");
		break;
	case DT_RELRENT:
		if (value != 8)
			return elf_broken(err, "relocations of another size");
		break;
	case DT_FLAGS_1:
		if (value & DF_1_PIE) {
			elf->fault = ELF_NOT_SHARED;
			return err_set(err, "a program, not a shared object");
		}
		break;
	default:
		break;
	}
	return 0;
}

static int read_dynamic(struct elf *elf, const Elf64_Phdr *header,
			struct elf_relocation_tables *tables, struct err *err)
{
	size_t count = (size_t)(header->p_memsz / sizeof(Elf64_Dyn));
	int rc = 0;

	if (count > DYNAMIC_MAX)
		count = DYNAMIC_MAX;
	elf->dynamic = header->p_vaddr;
	while (elf->dynamic_count < count) {
		size_t some = (count - elf->dynamic_count) * sizeof(Elf64_Dyn);
		const unsigned char *from = elf_view(
			elf, elf->dynamic + elf->dynamic_count * sizeof(Elf64_Dyn), &some, err);

		if (!from)
			return -1;
		some /= sizeof(Elf64_Dyn);
		if (!some)
			return elf_broken(err, "a dynamic section cut short");
		for (size_t i = 0; i < some; i++, elf->dynamic_count++) {
			Elf64_Dyn entry;

			memcpy(&entry, from + i * sizeof(entry), sizeof(entry));
			rc = take_dynamic(elf, &entry, tables, err);
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

int elf_dynamic_text(struct elf *elf, uint64_t value, size_t *left, char **ret_text,
		     struct err *err)
{
	uint64_t address;
	size_t length;
	char *text;

	if (__builtin_add_overflow(elf->strings, value, &address))
		return elf_broken(err, "leads out of its segments");
	if (elf_string_length(elf, address, *left, &length, err) < 0)
		return -1;
	text = xcalloc(length + 1, 1);
	if (elf_read(elf, address, text, length, err) < 0) {
		free(text);
		return -1;
	}
	*left -= length;
	*ret_text = text;
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
		return elf_broken(err, "too many segments");
	if (header->p_filesz > header->p_memsz || header->p_offset > elf->size ||
	    header->p_filesz > elf->size - header->p_offset)
		return elf_broken(err, "cut short");
	if (header->p_memsz > UINT64_MAX / 2 || header->p_vaddr > UINT64_MAX / 2)
		return elf_broken(err, "segments beyond memory");
	if (elf->segment_count && header->p_vaddr < before->address + before->memory_size)
		return elf_broken(err, "segments out of order");
	front = header->p_offset < elf->front_length ? elf->front_length - header->p_offset : 0;
	elf->segments[elf->segment_count++] = (struct elf_segment){
		.address = header->p_vaddr,
		.memory_size = header->p_memsz,
		.offset = header->p_offset,
		.file_size = header->p_filesz,
		.front_size = header->p_filesz < front ? header->p_filesz : front,
		.flags = header->p_flags,
	};
	return 0;
}

static int not_shared(struct elf *elf, const char *reason, struct err *err)
{
	elf->fault = ELF_NOT_SHARED;
	return err_set(err, "%s", reason);
}

static int check_header(struct elf *elf, const Elf64_Ehdr *header, struct err *err)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return not_shared(elf, "not a shared object", err);
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != MACHINE) {
		elf->fault = ELF_FOREIGN;
		return err_set(err, "foreign: built for another kind of machine");
	}
	if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_type != ET_DYN)
		return not_shared(elf, "not a shared object", err);
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
	    header->e_phnum > ELF_SEGMENTS_MAX)
		return elf_broken(err, "no program headers");
	if (header->e_shentsize == sizeof(Elf64_Shdr)) {
		elf->section_headers = header->e_shoff;
		elf->section_count = header->e_shnum;
		elf->section_names = header->e_shstrndx;
	}
	return 0;
}

/* Takes one program header; the dynamic section is read when all segments are known. */
static int take_segment(struct elf *elf, const Elf64_Phdr *segment, Elf64_Phdr *dynamic,
			struct err *err)
{
	switch (segment->p_type) {
	case PT_LOAD:
		return add_segment(elf, segment, err);
	case PT_DYNAMIC:
		*dynamic = *segment;
		break;
	case PT_NOTE:
		if (!elf->build_id_length && segment->p_offset < elf->size)
			read_notes(elf, segment);
		break;
	case PT_GNU_STACK:
		elf->has_stack = true;
		elf->stack_flags = segment->p_flags;
		break;
	case PT_GNU_RELRO:
		elf->relro = segment->p_vaddr;
		elf->relro_size = segment->p_memsz;
		break;
	default:
		break;
	}
	return 0;
}

/* The first bytes of the file, unless it is in memory. */
static int read_front(struct elf *elf, struct err *err)
{
	size_t length = elf->size < sizeof(elf->first) ? (size_t)elf->size : sizeof(elf->first);

	if (elf->front)
		return 0;
	if (read_fully(elf, 0, elf->first, length, err) < 0)
		return -1;
	elf->front = elf->first;
	elf->front_length = length;
	return 0;
}

static int read_headers(struct elf *elf, bool relocations, struct err *err)
{
	Elf64_Phdr dynamic_header = {0};
	struct elf_relocation_tables tables = {0};
	const unsigned char *from;
	Elf64_Ehdr header;

	if (elf->size < sizeof(header))
		return not_shared(elf, elf->size ? "not a shared object" : "an empty file", err);
	if (elf->size > FILE_MAX)
		return err_set(err, "larger than %llu MiB", FILE_MAX >> 20);
	if (read_front(elf, err) < 0)
		return -1;
	from = view_file(elf, 0, sizeof(header), err);
	if (!from)
		return -1;
	memcpy(&header, from, sizeof(header));
	if (check_header(elf, &header, err) < 0)
		return -1;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;

		if (header.e_phoff > elf->size)
			return elf_broken(err, "no program headers");
		from = view_file(elf, header.e_phoff + i * sizeof(segment), sizeof(segment), err);
		if (!from)
			return -1;
		memcpy(&segment, from, sizeof(segment));
		if (take_segment(elf, &segment, &dynamic_header, err) < 0)
			return -1;
	}
	if (!dynamic_header.p_memsz)
		return not_shared(elf, "not a shared object", err);
	if (read_dynamic(elf, &dynamic_header, &tables, err) < 0)
		return -1;
	return relocations ? elf_load_relocations(elf, &tables, err) : 0;
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
	return read_headers(elf, true, err);
}

int elf_open_library(struct elf *elf, int fd, uint64_t size, struct err *err)
{
	start(elf, fd, size);
	return read_headers(elf, false, err);
}

int elf_open_memory(struct elf *elf, const void *bytes, size_t size, struct err *err)
{
	start(elf, -1, size);
	elf->front = bytes;
	elf->front_length = size;
	return read_headers(elf, true, err);
}

void elf_close(struct elf *elf)
{
	for (size_t i = 0; i < ELF_WINDOWS; i++)
		free(elf->windows[i].bytes);
	free(elf->relocations);
	memset(elf, 0, offsetof(struct elf, first));
}
