/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of descriptors in a file, judged while they are read: what the parts of peek share.
 * Functions fail with -1 and the whole line of the reason.
 */
#ifndef SPICERACK_HOST_PEEKFIELD_H
#define SPICERACK_HOST_PEEKFIELD_H

#include <spicerack/cookbook.h>

#include "../../runtime/printable.h"
#include "elf.h"
#include "peek.h"
#include "../tree/pool.h"

#define PEEK_END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
#define PEEK_ROWS_MAX 4096
#define PEEK_GROUPS_MAX 256
#define PEEK_STATE_MAX (64u << 20)

struct peek_reader {
	struct elf elf;
	struct pool *scratch; /* for files whose memory is the reader's */
	const char *path;
	char shown[PRINTABLE_PATH_SIZE];
	uint64_t descriptor;  /* address of the one being read */
	const char *cookbook; /* the symbol behind spk_cookbook_, "" for the plain one */
	const char *table;    /* what is being read, for the reason */
	char place[112];      /* where in it */
	bool changed;         /* set when a text was made printable */
	struct pool *pool;
	size_t budget;
	struct err *err;           /* gets the first reason */
	bool failed;               /* it has */
	struct findings *findings; /* gets them all; NULL: nobody asks */
	peek_inspect *inspect;
	void *inspect_data;

	struct arg_spec *args; /* the rows of the table being read, blocks laid flat */
	size_t arg_count, arg_capacity;
	uint64_t row_size;    /* of the table that the row being read is in */
	uint64_t row_address; /* of the row being read; 0: none */
	struct group_spec groups[PEEK_GROUPS_MAX];
	uint64_t group_addresses[PEEK_GROUPS_MAX];
	size_t group_count;
};

/* A table as it lies in the file. */
struct peek_rows {
	uint64_t address;
	uint32_t count, size;
};

enum peek_text {
	TEXT_LINE,  /* shown: the first line of it, made printable */
	TEXT_PROSE, /* shown: made printable, keeping its lines */
	TEXT_EXACT, /* compared or typed: must be printable */
	TEXT_VALUE, /* the same with lines and tabs */
};

/* The path, fit to be shown. */
const char *peek_shown_path(struct peek_reader *reader);

/* The next four always return -1. What is wrong with the file, or with its cookbook being read. */
int peek_fail(struct peek_reader *reader, enum finding_kind kind, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));

/* A pointer that leads where the host cannot follow. */
int peek_unreadable(struct peek_reader *reader, const char *reason);

/* Readable, but nonsense. */
int peek_bad(struct peek_reader *reader, const char *reason);

/* A member that this version does not know, at `offset` in the structure. */
int peek_too_new(struct peek_reader *reader, size_t offset);

/* Takes from what one file may make us copy. */
MUST_CHECK int peek_charge(struct peek_reader *reader, size_t bytes);

/* As elf_read(). */
MUST_CHECK int peek_read_bytes(struct peek_reader *reader, uint64_t address, void *out,
			       size_t length);

/* Follows the data pointer stored at `address`; *ret_target is 0 for NULL. */
MUST_CHECK int peek_follow(struct peek_reader *reader, uint64_t address, const char *member,
			   uint64_t *ret_target);

/* Whether there is a function: where it lies does not matter. */
MUST_CHECK int peek_presence(struct peek_reader *reader, uint64_t address, bool *ret_present);

/*
 * Copies `given` bytes at `address` into the `known` bytes of `out`: a missing tail reads as zero,
 * an unknown one must be zero.
 */
MUST_CHECK int peek_adopt(struct peek_reader *reader, uint64_t address, size_t given, void *out,
			  size_t known, size_t least);

/* Bytes that become a bool must be one. */
MUST_CHECK int peek_check_bools(struct peek_reader *reader, const unsigned char *raw, size_t first,
				size_t last);

/* Bytes without a meaning yet must be zero. */
MUST_CHECK int peek_check_reserved(struct peek_reader *reader, const unsigned char *raw,
				   size_t first, size_t length);

/* Reads the `const char *` stored at `address`. */
MUST_CHECK int peek_read_text(struct peek_reader *reader, uint64_t address, const char *member,
			      enum peek_text use, const char **ret_text);

/* Reads the spk_strings stored at `address`. */
MUST_CHECK int peek_read_strings(struct peek_reader *reader, uint64_t address, const char *member,
				 enum peek_text use, spk_strings *ret_strings);

/* Reads one of the structures {rows, count, row_size}, which are laid out alike. */
MUST_CHECK int peek_read_table(struct peek_reader *reader, uint64_t address, size_t least,
			       size_t most, struct peek_rows *ret);

/* peekargs.c */

/* Reads the table of arguments at `table`, whose fields are counted from `offset`. */
MUST_CHECK int peek_read_args(struct peek_reader *reader, uint64_t table, uint64_t offset,
			      const struct arg_spec **ret_args, size_t *ret_count);

/* Reads the table of subcommands at `table`, their arguments, too. */
MUST_CHECK int peek_read_subcommands(struct peek_reader *reader, uint64_t table,
				     struct cookbook_spec *spec);

/* Reads the table of nested calls at `table`. */
MUST_CHECK int peek_read_calls(struct peek_reader *reader, uint64_t table,
			       struct cookbook_spec *spec);

#endif
