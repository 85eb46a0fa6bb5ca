/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a shared object on paper: program headers, dynamic symbols and relocations, with bounded
 * pread and nothing mapped or executed. Whatever the file says is checked before it is believed;
 * time and memory are bounded whatever it says. Section headers, which a run does not need, are
 * looked at by elf_sections() alone.
 *
 * Reasons in `err` do not name the file: the caller does.
 */
#ifndef SPICERACK_HOST_ELF_H
#define SPICERACK_HOST_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../runtime/err.h"

#define ELF_SEGMENTS_MAX 64
/* Read at once: what a cookbook without debugging information tends to have. */
#define ELF_FIRST_WINDOW 16384
#define ELF_WINDOWS 4
#define ELF_BUILD_ID_MAX 64
#define ELF_NAME_MAX 128

/* Why a file could not be opened. */
enum elf_fault {
	ELF_BROKEN,     /* cut short, contradicts itself, or cannot be read */
	ELF_FOREIGN,    /* another machine's */
	ELF_NOT_SHARED, /* no shared object at all */
};

struct elf_segment {
	uint64_t address, memory_size, offset, file_size;
	uint32_t flags;      /* PF_R, PF_W, PF_X */
	uint64_t front_size; /* how much of it lies in the elf's `front` */
};

struct elf_relocation {
	uint64_t where, addend;
	uint32_t symbol;
	uint32_t kind;
};

struct elf_window {
	uint64_t start;
	size_t length;
	unsigned char *bytes;
	unsigned long used;
};

/*
 * A file being read. Zero-initialised, or used for another file before, whose memory is used again.
 * Large: it holds the first bytes of the file.
 */
struct elf {
	/* Of this file; elf_open() sets all of them anew, up to `segments`. */
	int fd;
	const unsigned char *front; /* the first bytes, all of them with elf_open_memory() */
	uint64_t front_length, size;
	uint64_t dynamic;
	size_t dynamic_count; /* without what ends it */
	uint64_t symbols, strings, strings_size, hash, gnu_hash;
	size_t segment_count, relocation_count;
	unsigned long clock;
	uint32_t build_id_length;
	enum elf_fault fault; /* of what was refused */
	bool has_stack;       /* a PT_GNU_STACK, with these flags: */
	uint32_t stack_flags;
	uint64_t relro, relro_size; /* made read-only when it is relocated; 0: nothing */
	uint64_t section_headers;   /* offset in the file */
	uint16_t section_count, section_names;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	struct elf_relocation *relocations; /* by address */
	size_t relocation_capacity;
	struct elf_window windows[ELF_WINDOWS];
	unsigned char build_id[ELF_BUILD_ID_MAX];
	unsigned char first[ELF_FIRST_WINDOW];
};

/*
 * Reads the headers and relocations of the file open at `fd`, which stays the caller's, `size`
 * bytes long. -1 for what is no shared object of this machine, is cut short or contradicts
 * itself. In any case elf_close() it, or open the next file with it.
 */
MUST_CHECK int elf_open(struct elf *elf, int fd, uint64_t size, struct err *err);

/* The same for a file in memory, which must live as long. */
MUST_CHECK int elf_open_memory(struct elf *elf, const void *bytes, size_t size, struct err *err);

/* The same without relocations, of which a library may have more than a cookbook. */
MUST_CHECK int elf_open_library(struct elf *elf, int fd, uint64_t size, struct err *err);

void elf_close(struct elf *elf);

struct elf_symbol {
	char name[ELF_NAME_MAX];
	uint64_t address;
};

/*
 * The data symbols that the file defines and whose name is `stem` or starts with `stem` and `_`, in
 * byte order of their names. `**ret_symbols` is the caller's to free().
 */
MUST_CHECK int elf_symbols(struct elf *elf, const char *stem, struct elf_symbol **ret_symbols,
			   size_t *ret_count, struct err *err);

/* The entry `index` (below `dynamic_count`) of the dynamic section: a DT_ tag and its value. */
MUST_CHECK int elf_dynamic(struct elf *elf, size_t index, uint64_t *ret_tag, uint64_t *ret_value,
			   struct err *err);

/*
 * Reads a text that an entry of the dynamic section names, like DT_NEEDED, for free(). Its length
 * is taken off `*left`, what such texts of one file may hold together.
 */
MUST_CHECK int elf_dynamic_text(struct elf *elf, uint64_t value, size_t *left, char **ret_text,
				struct err *err);

/* Copies what will be at `address`, before relocation. -1 when that is not within the file's
 * segments. */
MUST_CHECK int elf_read(struct elf *elf, uint64_t address, void *out, size_t length,
			struct err *err);

/* The length of the string at `address`. -1 when it has no end within its segment or `limit` bytes.
 */
MUST_CHECK int elf_string_length(struct elf *elf, uint64_t address, size_t limit,
				 size_t *ret_length, struct err *err);

/*
 * The first of `length` bytes from `address` that is not zero or that a relocation changes,
 * as an offset; `length` when there is none.
 */
MUST_CHECK int elf_zeros(struct elf *elf, uint64_t address, size_t length, size_t *ret_offset,
			 struct err *err);

/* A section: what a linker or a debugger knows of the file. */
struct elf_section {
	char name[ELF_NAME_MAX]; /* cut when longer */
	uint32_t type, link;
	uint64_t flags, address, offset, size;
};

/* All sections; there may be none. `**ret_sections` is the caller's to free(). */
MUST_CHECK int elf_sections(struct elf *elf, struct elf_section **ret_sections, size_t *ret_count,
			    struct err *err);

/* A symbol of a section of the type SHT_SYMTAB or SHT_DYNSYM, or of the dynamic ones. */
struct elf_entry {
	char name[ELF_NAME_MAX]; /* "" for one that is longer */
	uint64_t address, size;
	uint32_t index;                          /* in its table */
	uint16_t section;                        /* 0: undefined */
	unsigned char type, binding, visibility; /* STT_, STB_, STV_ */
};

/* Calls `each` for every symbol of a section until it returns false. */
MUST_CHECK int elf_section_symbols(struct elf *elf, const struct elf_section *sections,
				   size_t section_count, const struct elf_section *table,
				   bool (*each)(void *data, const struct elf_entry *entry),
				   void *data, struct err *err);

/* The same for the dynamic symbols, which a stripped file has, too. */
MUST_CHECK int elf_dynamic_symbols(struct elf *elf,
				   bool (*each)(void *data, const struct elf_entry *entry),
				   void *data, struct err *err);

enum elf_pointer {
	ELF_POINTER_NULL,
	ELF_POINTER_INSIDE,  /* *ret_target is an address of this file */
	ELF_POINTER_OUTSIDE, /* another object's, or computed when the file is opened */
};

/* Where the pointer stored at `address` will lead. */
MUST_CHECK int elf_pointer(struct elf *elf, uint64_t address, enum elf_pointer *ret_kind,
			   uint64_t *ret_target, struct err *err);

/*
 * Decodes one table of packed relative relocations (SHT_RELR): `count` words, `*ret_where` gets the
 * addresses (the caller's to free()), at most `limit` of them. -1 for a table that is no such.
 */
MUST_CHECK int elf_decode_relr(const uint64_t *words, size_t count, size_t limit,
			       uint64_t **ret_where, size_t *ret_count, struct err *err);

#endif
