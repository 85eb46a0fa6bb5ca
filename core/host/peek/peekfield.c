/* SPDX-License-Identifier: Apache-2.0 */
#include "peekfield.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STRUCTURE_MAX 4096
#define TEXT_MAX 65536

const char *peek_shown_path(struct peek_reader *reader)
{
	return printable_path(reader->path, reader->shown);
}

int peek_fail(struct peek_reader *reader, enum finding_kind kind, const char *format, ...)
{
	char text[sizeof(reader->err->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	findings_add(reader->findings, kind, NULL,
		     reader->row_address ? reader->row_address : reader->descriptor, "%s", text);
	if (!reader->failed)
		err_set(reader->err, "%s: %s%s%s", peek_shown_path(reader), reader->cookbook,
			*reader->cookbook ? ": " : "", text);
	reader->failed = true;
	return -1;
}

int peek_unreadable(struct peek_reader *reader, const char *reason)
{
	return peek_fail(reader, FINDING_UNREADABLE_TABLE, "%s not readable: %s%s%s", reader->table,
			 reader->place, *reader->place ? ": " : "", reason);
}

int peek_bad(struct peek_reader *reader, const char *reason)
{
	return peek_fail(reader,
			 strcmp(reader->table, "descriptor") == 0 ? FINDING_BAD_DESCRIPTOR
								  : FINDING_BAD_TABLE,
			 "bad %s: %s%s%s", reader->table, reader->place, *reader->place ? ": " : "",
			 reason);
}

int peek_too_new(struct peek_reader *reader, size_t offset)
{
	return peek_fail(reader, FINDING_TOO_NEW,
			 "too new: its %s uses a member at offset %zu that this host does not know",
			 reader->table, offset);
}

int peek_charge(struct peek_reader *reader, size_t bytes)
{
	if (bytes > reader->budget)
		return peek_bad(reader, "more data than a cookbook may describe itself with");
	reader->budget -= bytes;
	return 0;
}

int peek_read_bytes(struct peek_reader *reader, uint64_t address, void *out, size_t length)
{
	struct err cause;

	if (elf_read(&reader->elf, address, out, length, &cause) < 0)
		return peek_unreadable(reader, cause.text);
	return 0;
}

int peek_follow(struct peek_reader *reader, uint64_t address, const char *member,
		uint64_t *ret_target)
{
	enum elf_pointer kind;
	char reason[160];
	struct err cause;

	if (peek_charge(reader, sizeof(uint64_t)) < 0)
		return -1;
	if (elf_pointer(&reader->elf, address, &kind, ret_target, &cause) < 0) {
		snprintf(reason, sizeof(reason), ".%s: %.120s", member, cause.text);
		return peek_unreadable(reader, reason);
	}
	if (kind == ELF_POINTER_OUTSIDE || (kind == ELF_POINTER_INSIDE && *ret_target == 0)) {
		snprintf(reason, sizeof(reason), ".%s leads out of the file", member);
		return peek_unreadable(reader, reason);
	}
	return 0;
}

int peek_presence(struct peek_reader *reader, uint64_t address, bool *ret_present)
{
	enum elf_pointer kind;
	uint64_t target;
	struct err cause;

	if (elf_pointer(&reader->elf, address, &kind, &target, &cause) < 0)
		return peek_unreadable(reader, cause.text);
	*ret_present = kind != ELF_POINTER_NULL;
	return 0;
}

int peek_adopt(struct peek_reader *reader, uint64_t address, size_t given, void *out, size_t known,
	       size_t least)
{
	struct err cause;
	size_t zeros;

	if (given < least)
		return peek_bad(reader, "smaller than in the first version");
	if (given > STRUCTURE_MAX)
		return peek_bad(reader, "larger than any version will be");
	if (peek_charge(reader, given) < 0)
		return -1;
	memset(out, 0, known);
	if (peek_read_bytes(reader, address, out, given < known ? given : known) < 0)
		return -1;
	if (given <= known)
		return 0;
	if (elf_zeros(&reader->elf, address + known, given - known, &zeros, &cause) < 0)
		return peek_unreadable(reader, cause.text);
	return zeros < given - known ? peek_too_new(reader, known + zeros) : 0;
}

int peek_check_bools(struct peek_reader *reader, const unsigned char *raw, size_t first,
		     size_t last)
{
	for (size_t i = first; i <= last; i++)
		if (raw[i] > 1)
			return peek_bad(reader, "a flag that is neither true nor false");
	return 0;
}

int peek_check_reserved(struct peek_reader *reader, const unsigned char *raw, size_t first,
			size_t length)
{
	for (size_t i = first; i < first + length; i++)
		if (raw[i])
			return peek_too_new(reader, i);
	return 0;
}

/* The length up to the next line or tab, which TEXT_PROSE and TEXT_VALUE accept. */
static size_t run_length(const char *text)
{
	return strcspn(text, "\n\t");
}

/* Makes the text fit for its use; NULL when that cannot be. */
static const char *prepare_text(struct peek_reader *reader, const char *text, size_t length,
				enum peek_text use)
{
	struct buf clean = {0};
	const char *copy;

	if (printable_is(text, length))
		return text;
	if (use == TEXT_EXACT)
		return NULL;
	reader->changed = true;
	if (use == TEXT_LINE) {
		printable_add(&clean, text, strcspn(text, "\n"));
	} else {
		for (const char *from = text; *from;) {
			size_t run = run_length(from);

			if (use == TEXT_VALUE && !printable_is(from, run)) {
				buf_free(&clean);
				return NULL;
			}
			printable_add(&clean, from, run);
			from += run;
			if (*from)
				buf_putc(&clean, *from++);
		}
	}
	copy = peek_charge(reader, clean.length) < 0
		       ? NULL
		       : pool_text(reader->pool, buf_text(&clean), clean.length);
	buf_free(&clean);
	return copy;
}

int peek_read_text(struct peek_reader *reader, uint64_t address, const char *member,
		   enum peek_text use, const char **ret_text)
{
	char reason[200];
	uint64_t target;
	struct err cause;
	size_t length;
	char *text;

	*ret_text = NULL;
	if (peek_follow(reader, address, member, &target) < 0)
		return -1;
	if (target == 0)
		return 0;
	if (elf_string_length(&reader->elf, target, TEXT_MAX, &length, &cause) < 0) {
		snprintf(reason, sizeof(reason), ".%s: %.120s", member, cause.text);
		return peek_unreadable(reader, reason);
	}
	if (peek_charge(reader, length + 1) < 0)
		return -1;
	text = pool_alloc(reader->pool, length + 1, 1);
	if (peek_read_bytes(reader, target, text, length) < 0)
		return -1;
	*ret_text = prepare_text(reader, text, length, use);
	if (*ret_text)
		return 0;
	snprintf(reason, sizeof(reason), ".%s holds unprintable characters", member);
	return peek_bad(reader, reason);
}

/* The literal that begins at `from`, with its quotes; 0: it has no end. */
static size_t literal_length(const char *from)
{
	size_t length = 1;

	while (from[length] && from[length] != *from)
		length += from[length] == '\\' && from[length + 1] ? 2 : 1;
	return from[length] ? length + 1 : 0;
}

/* Where two literals stand side by side in the source text of a list, NULL: nowhere. */
static const char *find_glued(const char *source, int *ret_length)
{
	unsigned depth = 0;

	for (const char *from = source; *from;) {
		size_t length, blanks;

		if (*from == '(')
			depth++;
		else if (*from == ')' && depth)
			depth--;
		if (*from != '"' && *from != '\'') {
			from++;
			continue;
		}
		length = literal_length(from);
		if (!length)
			return NULL;
		blanks = strspn(from + length, " \t");
		if (*from == '"' && from[length + blanks] == '"' && !depth) {
			*ret_length =
				(int)(length + blanks + literal_length(from + length + blanks));
			return from;
		}
		from += length;
	}
	return NULL;
}

/* The source text that SPK_LIST() leaves in front of the first item at `items`. */
static void judge_source(struct peek_reader *reader, uint64_t items, const char *member)
{
	static const char mark[] = SPK_LIST_MARK_;
	enum elf_pointer kind;
	const char *glued;
	uint64_t address;
	size_t length;
	int shown;
	char *text;

	if (elf_pointer(&reader->elf, items - sizeof(char *), &kind, &address, NULL) < 0 ||
	    kind != ELF_POINTER_INSIDE ||
	    elf_string_length(&reader->elf, address, TEXT_MAX, &length, NULL) < 0 ||
	    length < sizeof(mark) || peek_charge(reader, length + 1) < 0)
		return;
	text = pool_alloc(reader->pool, length + 1, 1);
	if (elf_read(&reader->elf, address, text, length, NULL) < 0 ||
	    strncmp(text, mark, sizeof(mark) - 1) != 0)
		return;
	glued = find_glued(text + sizeof(mark) - 1, &shown);
	if (glued)
		findings_add(reader->findings, FINDING_GLUED_LITERALS, NULL, reader->row_address,
			     "%s: .%s has %.*s", reader->place, member, shown, glued);
}

int peek_read_strings(struct peek_reader *reader, uint64_t address, const char *member,
		      enum peek_text use, spk_strings *ret_strings)
{
	char reason[64];
	const char **items;
	uint64_t target, count;

	*ret_strings = (spk_strings){0};
	if (peek_read_bytes(reader, address + offsetof(spk_strings, count), &count, sizeof(count)) <
	    0)
		return -1;
	if (count == 0)
		return 0;
	if (peek_follow(reader, address + offsetof(spk_strings, items), member, &target) < 0)
		return -1;
	snprintf(reason, sizeof(reason), ".%s: a string is missing", member);
	if (target == 0)
		return peek_bad(reader, reason);
	if (reader->findings)
		judge_source(reader, target, member);
	if (count > PEEK_ROWS_MAX)
		return peek_bad(reader, "a list longer than 4096 strings");
	if (peek_charge(reader, (size_t)count * sizeof(*items)) < 0)
		return -1;
	items = pool_alloc(reader->pool, (size_t)count, sizeof(*items));
	for (uint64_t i = 0; i < count; i++) {
		if (peek_read_text(reader, target + i * sizeof(*items), member, use, &items[i]) < 0)
			return -1;
		if (!items[i])
			return peek_bad(reader, reason);
	}
	*ret_strings = (spk_strings){.items = items, .count = (size_t)count};
	return 0;
}

int peek_read_table(struct peek_reader *reader, uint64_t address, size_t least, size_t most,
		    struct peek_rows *ret)
{
	uint32_t numbers[2];

	_Static_assert(offsetof(struct spk_arg_table, count) == 8, "tables begin alike");
	*ret = (struct peek_rows){0};
	if (peek_read_bytes(reader, address + 8, numbers, sizeof(numbers)) < 0)
		return -1;
	if (numbers[0] == 0)
		return 0;
	ret->count = numbers[0];
	ret->size = numbers[1];
	if (peek_follow(reader, address, "rows", &ret->address) < 0)
		return -1;
	if (ret->address == 0)
		return peek_bad(reader, "the rows are missing");
	if (ret->count > most)
		return peek_bad(reader, "too many rows");
	if (ret->size < least)
		return peek_bad(reader, "rows smaller than in the first version");
	if (ret->size > STRUCTURE_MAX)
		return peek_bad(reader, "rows larger than any version will have");
	return 0;
}
