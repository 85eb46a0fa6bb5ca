/* SPDX-License-Identifier: Apache-2.0 */
#include "peek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spicerack/cookbook.h>

#include "../runtime/mem.h"
#include "../runtime/printable.h"
#include "../runtime/trust.h"
#include "elf.h"
#include "pool.h"

/* The sizes in version 1.0, which stay when the structures grow. */
#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
#define COOKBOOK_1_0 END_OF(struct spk_cookbook, rollback)
#define ARG_1_0 END_OF(struct spk_arg, block)
#define GROUP_1_0 END_OF(struct spk_group, description)
#define RULE_1_0 END_OF(struct spk_rule, value)
#define SUBCOMMAND_1_0 END_OF(struct spk_subcommand, arguments)

#define STRUCTURE_MAX 4096
#define TEXT_MAX 65536
#define ROWS_MAX 4096
#define GROUPS_MAX 256
#define SUBCOMMANDS_MAX 256
#define STATE_MAX (64u << 20)
/* What one file may make us copy, so that tables which share their strings do not multiply. */
#define BUDGET (4u << 20)
#define SYMBOL "spk_cookbook"

struct reader {
	struct elf elf;
	const char *path;     /* fit to be shown */
	const char *cookbook; /* the part of the symbol behind SYMBOL_, "" for the plain one */
	const char *table;    /* what is being read, for the reason */
	char place[112];      /* where in it */
	bool changed;         /* set when a text was made printable */
	struct pool *pool;
	size_t budget;
	struct err *err;

	struct arg_spec *args; /* the rows of the table being read, blocks laid flat */
	size_t arg_count, arg_capacity;
	uint64_t row_size; /* of the table that the row being read is in */
	struct group_spec groups[GROUPS_MAX];
	uint64_t group_addresses[GROUPS_MAX];
	size_t group_count;
};

/* A table as it lies in the file. */
struct rows {
	uint64_t address;
	uint32_t count, size;
};

static int fail(struct reader *reader, const char *before, const char *after, const char *reason)
{
	return err_set(reader->err, "%s: %s%s%s%s%s: %s%s%s", reader->path, reader->cookbook,
		       *reader->cookbook ? ": " : "", before, reader->table, after, reader->place,
		       *reader->place ? ": " : "", reason);
}

/* A pointer that leads where the host cannot follow. */
static int unreadable(struct reader *reader, const char *reason)
{
	return fail(reader, "", " not readable", reason);
}

/* Readable, but nonsense. */
static int bad(struct reader *reader, const char *reason)
{
	return fail(reader, "bad ", "", reason);
}

static int too_new(struct reader *reader, size_t offset)
{
	return err_set(reader->err,
		       "%s: %s%stoo new: its %s uses a member at offset %zu that this host does "
		       "not know",
		       reader->path, reader->cookbook, *reader->cookbook ? ": " : "", reader->table,
		       offset);
}

static int charge(struct reader *reader, size_t bytes)
{
	if (bytes > reader->budget)
		return bad(reader, "more data than a cookbook may describe itself with");
	reader->budget -= bytes;
	return 0;
}

static int read_bytes(struct reader *reader, uint64_t address, void *out, size_t length)
{
	struct err cause;

	if (elf_read(&reader->elf, address, out, length, &cause) < 0)
		return unreadable(reader, cause.text);
	return 0;
}

/* Follows the data pointer stored at `address`; *ret_target is 0 for NULL. */
static int follow(struct reader *reader, uint64_t address, const char *member, uint64_t *ret_target)
{
	enum elf_pointer kind;
	char reason[160];
	struct err cause;

	if (charge(reader, sizeof(uint64_t)) < 0)
		return -1;
	if (elf_pointer(&reader->elf, address, &kind, ret_target, &cause) < 0) {
		snprintf(reason, sizeof(reason), ".%s: %.120s", member, cause.text);
		return unreadable(reader, reason);
	}
	if (kind == ELF_POINTER_OUTSIDE || (kind == ELF_POINTER_INSIDE && *ret_target == 0)) {
		snprintf(reason, sizeof(reason), ".%s leads out of the file", member);
		return unreadable(reader, reason);
	}
	return 0;
}

/* Whether there is a function: where it lies does not matter. */
static int presence(struct reader *reader, uint64_t address, bool *ret_present)
{
	enum elf_pointer kind;
	uint64_t target;
	struct err cause;

	if (elf_pointer(&reader->elf, address, &kind, &target, &cause) < 0)
		return unreadable(reader, cause.text);
	*ret_present = kind != ELF_POINTER_NULL;
	return 0;
}

/*
 * Copies `given` bytes at `address` into the `known` bytes of `out`: a missing tail reads as zero,
 * an unknown one must be zero.
 */
static int adopt(struct reader *reader, uint64_t address, size_t given, void *out, size_t known,
		 size_t least)
{
	struct err cause;
	size_t zeros;

	if (given < least)
		return bad(reader, "smaller than in the first version");
	if (given > STRUCTURE_MAX)
		return bad(reader, "larger than any version will be");
	if (charge(reader, given) < 0)
		return -1;
	memset(out, 0, known);
	if (read_bytes(reader, address, out, given < known ? given : known) < 0)
		return -1;
	if (given <= known)
		return 0;
	if (elf_zeros(&reader->elf, address + known, given - known, &zeros, &cause) < 0)
		return unreadable(reader, cause.text);
	return zeros < given - known ? too_new(reader, known + zeros) : 0;
}

/* Bytes that become a bool must be one. */
static int check_bools(struct reader *reader, const unsigned char *raw, size_t first, size_t last)
{
	for (size_t i = first; i <= last; i++)
		if (raw[i] > 1)
			return bad(reader, "a flag that is neither true nor false");
	return 0;
}

static int check_reserved(struct reader *reader, const unsigned char *raw, size_t first,
			  size_t length)
{
	for (size_t i = first; i < first + length; i++)
		if (raw[i])
			return too_new(reader, i);
	return 0;
}

enum text_use {
	TEXT_LINE,  /* shown: the first line of it, made printable */
	TEXT_PROSE, /* shown: made printable, keeping its lines */
	TEXT_EXACT, /* compared or typed: must be printable */
	TEXT_VALUE, /* the same with lines and tabs */
};

/* The length up to the next line or tab, which TEXT_PROSE and TEXT_VALUE accept. */
static size_t run_length(const char *text)
{
	return strcspn(text, "\n\t");
}

/* Makes the text fit for its use; NULL when that cannot be. */
static const char *prepare_text(struct reader *reader, const char *text, size_t length,
				enum text_use use)
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
	copy = charge(reader, clean.length) < 0
		       ? NULL
		       : pool_text(reader->pool, buf_text(&clean), clean.length);
	buf_free(&clean);
	return copy;
}

/* Reads the `const char *` stored at `address`. */
static int read_text(struct reader *reader, uint64_t address, const char *member, enum text_use use,
		     const char **ret_text)
{
	char reason[200];
	uint64_t target;
	struct err cause;
	size_t length;
	char *text;

	*ret_text = NULL;
	if (follow(reader, address, member, &target) < 0)
		return -1;
	if (target == 0)
		return 0;
	if (elf_string_length(&reader->elf, target, TEXT_MAX, &length, &cause) < 0) {
		snprintf(reason, sizeof(reason), ".%s: %.120s", member, cause.text);
		return unreadable(reader, reason);
	}
	if (charge(reader, length + 1) < 0)
		return -1;
	text = pool_alloc(reader->pool, length + 1, 1);
	if (read_bytes(reader, target, text, length) < 0)
		return -1;
	*ret_text = prepare_text(reader, text, length, use);
	if (*ret_text)
		return 0;
	snprintf(reason, sizeof(reason), ".%s holds unprintable characters", member);
	return bad(reader, reason);
}

static int read_strings(struct reader *reader, uint64_t address, const char *member,
			enum text_use use, spk_strings *ret_strings)
{
	char reason[64];
	const char **items;
	uint64_t target, count;

	*ret_strings = (spk_strings){0};
	if (read_bytes(reader, address + offsetof(spk_strings, count), &count, sizeof(count)) < 0)
		return -1;
	if (count == 0)
		return 0;
	if (follow(reader, address + offsetof(spk_strings, items), member, &target) < 0)
		return -1;
	snprintf(reason, sizeof(reason), ".%s: a string is missing", member);
	if (target == 0)
		return bad(reader, reason);
	if (count > ROWS_MAX)
		return bad(reader, "a list longer than 4096 strings");
	if (charge(reader, (size_t)count * sizeof(*items)) < 0)
		return -1;
	items = pool_alloc(reader->pool, (size_t)count, sizeof(*items));
	for (uint64_t i = 0; i < count; i++) {
		if (read_text(reader, target + i * sizeof(*items), member, use, &items[i]) < 0)
			return -1;
		if (!items[i])
			return bad(reader, reason);
	}
	*ret_strings = (spk_strings){.items = items, .count = (size_t)count};
	return 0;
}

/* Reads one of the structures {rows, count, row_size}, which are laid out alike. */
static int read_table(struct reader *reader, uint64_t address, size_t least, size_t most,
		      struct rows *ret)
{
	uint32_t numbers[2];

	_Static_assert(offsetof(struct spk_arg_table, count) == 8, "tables begin alike");
	*ret = (struct rows){0};
	if (read_bytes(reader, address + 8, numbers, sizeof(numbers)) < 0)
		return -1;
	if (numbers[0] == 0)
		return 0;
	ret->count = numbers[0];
	ret->size = numbers[1];
	if (follow(reader, address, "rows", &ret->address) < 0)
		return -1;
	if (ret->address == 0)
		return bad(reader, "the rows are missing");
	if (ret->count > most)
		return bad(reader, "too many rows");
	if (ret->size < least)
		return bad(reader, "rows smaller than in the first version");
	if (ret->size > STRUCTURE_MAX)
		return bad(reader, "rows larger than any version will have");
	return 0;
}

static int read_group(struct reader *reader, uint64_t address, int *ret_index)
{
	unsigned char raw[sizeof(struct spk_group)];
	struct group_spec *group;
	uint32_t size;

	for (size_t i = 0; i < reader->group_count; i++) {
		if (reader->group_addresses[i] == address) {
			*ret_index = (int)i;
			return 0;
		}
	}
	if (reader->group_count == GROUPS_MAX)
		return bad(reader, "too many groups");
	if (read_bytes(reader, address, &size, sizeof(size)) < 0 ||
	    adopt(reader, address, size, raw, sizeof(raw), GROUP_1_0) < 0 ||
	    check_bools(reader, raw, offsetof(struct spk_group, exclusive),
			offsetof(struct spk_group, required)) < 0)
		return -1;
	group = &reader->groups[reader->group_count];
	*group = (struct group_spec){
		.exclusive = raw[offsetof(struct spk_group, exclusive)],
		.required = raw[offsetof(struct spk_group, required)],
	};
	if (read_text(reader, address + offsetof(struct spk_group, title), "title", TEXT_LINE,
		      &group->title) < 0 ||
	    read_text(reader, address + offsetof(struct spk_group, description), "description",
		      TEXT_PROSE, &group->description) < 0)
		return -1;
	reader->group_addresses[reader->group_count] = address;
	*ret_index = (int)reader->group_count++;
	return 0;
}

/* The pointers of one row, whose numbers are in `arg` already. */
static int read_arg_pointers(struct reader *reader, uint64_t address, struct arg_spec *arg)
{
	static const struct {
		size_t from, to;
		const char *member;
		enum text_use use;
	} texts[] = {
#define TEXT(member_, use_)                                                                        \
	{.from = offsetof(struct spk_arg, member_),                                                \
	 .to = offsetof(struct arg_spec, member_),                                                 \
	 .member = #member_,                                                                       \
	 .use = use_}
		TEXT(help, TEXT_PROSE),         TEXT(metavar, TEXT_EXACT),
		TEXT(choices_from, TEXT_EXACT), TEXT(pattern, TEXT_EXACT),
		TEXT(default_text, TEXT_VALUE),
#undef TEXT
	};
	uint64_t group;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text;

		if (read_text(reader, address + texts[i].from, texts[i].member, texts[i].use,
			      &text) < 0)
			return -1;
		memcpy((char *)arg + texts[i].to, &text, sizeof(text));
	}
	if (read_strings(reader, address + offsetof(struct spk_arg, names), "names", TEXT_EXACT,
			 &arg->names) < 0 ||
	    read_strings(reader, address + offsetof(struct spk_arg, choices), "choices", TEXT_EXACT,
			 &arg->choices) < 0 ||
	    read_strings(reader, address + offsetof(struct spk_arg, default_list), "default_list",
			 TEXT_VALUE, &arg->default_list) < 0 ||
	    presence(reader, address + offsetof(struct spk_arg, default_from),
		     &arg->default_computed) < 0 ||
	    presence(reader, address + offsetof(struct spk_arg, parse), &arg->has_parse) < 0 ||
	    follow(reader, address + offsetof(struct spk_arg, group), "group", &group) < 0)
		return -1;
	arg->group = -1;
	return group ? read_group(reader, group, &arg->group) : 0;
}

static int read_arg_rows(struct reader *reader, uint64_t table, uint64_t offset, bool nested);

/* `row` is what lies at `address`; pointers in it mean nothing yet. */
static int read_arg(struct reader *reader, uint64_t address, const struct spk_arg *row,
		    uint64_t offset, bool nested)
{
	uint64_t block;
	struct arg_spec *arg;
	size_t place;

	if (row->offset > STATE_MAX)
		return bad(reader, "its field lies outside of the structure");
	if (follow(reader, address + offsetof(struct spk_arg, block), "block", &block) < 0)
		return -1;
	if (row->form == SPK_FORM_BLOCK) {
		if (nested)
			return bad(reader, "a block within a block");
		if (!block)
			return bad(reader, "a block without a table");
		return read_arg_rows(reader, block, offset + row->offset, true);
	}
	if (block)
		return bad(reader, "a table of a block, but the form of an argument");
	if (reader->arg_count == ROWS_MAX)
		return bad(reader, "too many rows");
	if (charge(reader, sizeof(*arg)) < 0)
		return -1;
	reader->args = xgrow(reader->args, reader->arg_count, &reader->arg_capacity, sizeof(*arg));
	arg = &reader->args[reader->arg_count++];
	*arg = (struct arg_spec){
		.offset = offset + row->offset,
		.form = row->form,
		.type = row->type,
		.arity = row->arity,
		.as = row->as,
		.letter = row->letter,
		.required = row->required,
		.hidden = row->hidden,
		.repeat = row->repeat,
		.off = row->off,
		.has_default = row->has_default,
		.has_range = row->has_range,
		.range_first = row->range_first,
		.range_last = row->range_last,
		.min = row->min,
		.max = row->max,
		.default_int = row->default_int,
		.default_double = row->default_double,
		.default_duration = row->default_duration,
		.row_address = address,
		.row_size = reader->row_size,
	};
	if (read_text(reader, address + offsetof(struct spk_arg, name), "name", TEXT_EXACT,
		      &arg->name) < 0)
		return -1;
	if (!arg->name || !spec_name_is_sane(arg->name))
		return bad(reader, arg->name ? "a name that is no name" : "no name");
	place = strlen(reader->place);
	snprintf(reader->place + place, sizeof(reader->place) - place, " '%s'", arg->name);
	return read_arg_pointers(reader, address, arg);
}

static int read_arg_rows(struct reader *reader, uint64_t table, uint64_t offset, bool nested)
{
	struct rows rows;

	if (read_table(reader, table, ARG_1_0, ROWS_MAX, &rows) < 0)
		return -1;
	for (uint32_t i = 0; i < rows.count; i++) {
		uint64_t address = rows.address + (uint64_t)i * rows.size;
		unsigned char raw[sizeof(struct spk_arg)];
		size_t place = strlen(reader->place);
		struct spk_arg row;

		snprintf(reader->place + place, sizeof(reader->place) - place, "%s %u",
			 nested ? ", row" : "argument", i + 1);
		if (adopt(reader, address, rows.size, raw, sizeof(raw), ARG_1_0) < 0 ||
		    check_reserved(reader, raw, offsetof(struct spk_arg, reserved_), 1) < 0 ||
		    check_reserved(reader, raw,
				   offsetof(struct spk_arg, min) +
					   offsetof(struct spk_bound, reserved),
				   4) < 0 ||
		    check_reserved(reader, raw,
				   offsetof(struct spk_arg, max) +
					   offsetof(struct spk_bound, reserved),
				   4) < 0 ||
		    check_bools(reader, raw, offsetof(struct spk_arg, required),
				offsetof(struct spk_arg, has_range)) < 0)
			return -1;
		memcpy(&row, raw, sizeof(row));
		reader->row_size = rows.size;
		if (read_arg(reader, address, &row, offset, nested) < 0)
			return -1;
		reader->place[place] = '\0';
	}
	return 0;
}

/* Reads the table of arguments at `table`, whose fields are counted from `offset`. */
static int read_args(struct reader *reader, uint64_t table, uint64_t offset,
		     const struct arg_spec **ret_args, size_t *ret_count)
{
	struct arg_spec *copy;

	reader->arg_count = 0;
	if (read_arg_rows(reader, table, offset, false) < 0)
		return -1;
	*ret_count = reader->arg_count;
	if (reader->arg_count == 0)
		return 0;
	copy = pool_alloc(reader->pool, reader->arg_count, sizeof(*copy));
	memcpy(copy, reader->args, reader->arg_count * sizeof(*copy));
	*ret_args = copy;
	return 0;
}

static int read_subcommands(struct reader *reader, uint64_t table, struct cookbook_spec *spec)
{
	struct subcommand_spec *subcommands;
	struct rows rows;

	if (read_table(reader, table, SUBCOMMAND_1_0, SUBCOMMANDS_MAX, &rows) < 0)
		return -1;
	if (rows.count == 0)
		return 0;
	subcommands = pool_alloc(reader->pool, rows.count, sizeof(*subcommands));
	spec->subcommands = subcommands;
	spec->subcommand_count = rows.count;
	for (uint32_t i = 0; i < rows.count; i++) {
		uint64_t address = rows.address + (uint64_t)i * rows.size;
		struct subcommand_spec *subcommand = &subcommands[i];
		struct spk_subcommand row;

		snprintf(reader->place, sizeof(reader->place), "subcommand %u", i + 1);
		if (adopt(reader, address, rows.size, &row, sizeof(row), SUBCOMMAND_1_0) < 0)
			return -1;
		if (row.offset > STATE_MAX)
			return bad(reader, "its field lies outside of the structure");
		if (read_text(reader, address + offsetof(struct spk_subcommand, name), "name",
			      TEXT_EXACT, &subcommand->name) < 0 ||
		    read_text(reader, address + offsetof(struct spk_subcommand, help), "help",
			      TEXT_PROSE, &subcommand->help) < 0)
			return -1;
		if (!subcommand->name || !spec_name_is_sane(subcommand->name))
			return bad(reader, "no name, or one that is no name");
		snprintf(reader->place, sizeof(reader->place),
			 "subcommand '%s': ", subcommand->name);
		if (read_args(reader, address + offsetof(struct spk_subcommand, arguments),
			      row.offset, &subcommand->args, &subcommand->arg_count) < 0)
			return -1;
		reader->place[0] = '\0';
	}
	return 0;
}

static const struct arg_spec *find_arg(const struct arg_spec *args, size_t count, uint64_t offset)
{
	for (size_t i = 0; i < count; i++)
		if (args[i].offset == offset)
			return &args[i];
	return NULL;
}

/* The argument held at `offset`: the cookbook's own, else that of the only subcommand that has one.
 */
static int resolve_field(struct reader *reader, const struct cookbook_spec *spec, uint64_t offset,
			 const struct arg_spec **ret_arg)
{
	const struct arg_spec *arg = find_arg(spec->args, spec->arg_count, offset);
	const struct arg_spec *other;

	for (size_t i = 0; !arg && i < spec->subcommand_count; i++) {
		const struct subcommand_spec *subcommand = &spec->subcommands[i];

		arg = find_arg(subcommand->args, subcommand->arg_count, offset);
		for (size_t k = i + 1; arg && k < spec->subcommand_count; k++) {
			subcommand = &spec->subcommands[k];
			other = find_arg(subcommand->args, subcommand->arg_count, offset);
			if (other)
				return bad(reader, "a field that several subcommands share");
		}
	}
	if (!arg)
		return bad(reader, "a field that no argument fills in");
	*ret_arg = arg;
	return 0;
}

static int read_rules(struct reader *reader, uint64_t table, struct cookbook_spec *spec)
{
	struct rule_spec *rules;
	struct rows rows;

	if (read_table(reader, table, RULE_1_0, ROWS_MAX, &rows) < 0)
		return -1;
	if (rows.count == 0)
		return 0;
	rules = pool_alloc(reader->pool, rows.count, sizeof(*rules));
	spec->rules = rules;
	spec->rule_count = rows.count;
	for (uint32_t i = 0; i < rows.count; i++) {
		uint64_t address = rows.address + (uint64_t)i * rows.size;
		unsigned char raw[sizeof(struct spk_rule)];
		struct spk_rule row;

		snprintf(reader->place, sizeof(reader->place), "rule %u", i + 1);
		if (adopt(reader, address, rows.size, raw, sizeof(raw), RULE_1_0) < 0 ||
		    check_reserved(reader, raw, offsetof(struct spk_rule, reserved), 4) < 0)
			return -1;
		memcpy(&row, raw, sizeof(row));
		if (row.kind < SPK_RULE_REQUIRES || row.kind > SPK_RULE_REQUIRED_UNLESS)
			return bad(reader, "an unknown kind");
		rules[i].kind = row.kind;
		if (resolve_field(reader, spec, row.first, &rules[i].first) < 0 ||
		    resolve_field(reader, spec, row.second, &rules[i].second) < 0 ||
		    read_text(reader, address + offsetof(struct spk_rule, value), "value",
			      TEXT_VALUE, &rules[i].value) < 0)
			return -1;
		if (rules[i].first == rules[i].second)
			return bad(reader, "an argument and itself");
		if (!rules[i].value && row.kind >= SPK_RULE_REQUIRED_IF)
			return bad(reader, "no value to compare with");
	}
	reader->place[0] = '\0';
	return 0;
}

static int read_functions(struct reader *reader, uint64_t address, struct cookbook_spec *spec)
{
	const struct {
		size_t offset;
		bool *present;
	} functions[] = {
		{offsetof(struct spk_cookbook, check), &spec->has_check},
		{offsetof(struct spk_cookbook, prepare), &spec->has_prepare},
		{offsetof(struct spk_cookbook, describe), &spec->has_describe},
		{offsetof(struct spk_cookbook, lock), &spec->has_lock},
		{offsetof(struct spk_cookbook, run), &spec->has_run},
		{offsetof(struct spk_cookbook, rollback), &spec->has_rollback},
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (presence(reader, address + functions[i].offset, functions[i].present) < 0)
			return -1;
	return spec->has_run ? 0 : bad(reader, "it has no run function");
}

/* The descriptor itself, without its tables. */
static int read_descriptor(struct reader *reader, uint64_t address, struct cookbook_spec *spec)
{
	unsigned char raw[sizeof(struct spk_cookbook)];
	struct spk_cookbook theirs;
	uint32_t head[2];

	if (read_bytes(reader, address, head, sizeof(head)) < 0)
		return -1;
	if (head[1] != SPK_ABI)
		return err_set(reader->err, "%s: %s%sneeds ABI %u, this host has ABI %u",
			       reader->path, reader->cookbook, *reader->cookbook ? ": " : "",
			       head[1], SPK_ABI);
	if (adopt(reader, address, head[0], raw, sizeof(raw), COOKBOOK_1_0) < 0 ||
	    check_bools(reader, raw, offsetof(struct spk_cookbook, skip_start),
			offsetof(struct spk_cookbook, skip_start)) < 0 ||
	    check_reserved(reader, raw, offsetof(struct spk_cookbook, reserved), 3) < 0)
		return -1;
	/* The reserved flags are zero and skip_start is judged: every bool below is one. */
	memcpy(&theirs, raw, sizeof(theirs));
	spec->address = address;
	spec->state_size = theirs.state_size;
	spec->subcommand_offset = theirs.subcommand_offset;
	spec->task_id = theirs.task_id;
	spec->reason = theirs.reason;
	spec->max_concurrency = theirs.max_concurrency;
	spec->skip_start = theirs.skip_start;
	spec->lock_ttl = theirs.lock_ttl;
	spec->timeout = theirs.timeout;
	if (spec->state_size > STATE_MAX)
		return bad(reader, "a structure larger than 64 MiB");
	if (spec->task_id > SPK_REQUIRED || spec->reason > SPK_REQUIRED)
		return bad(reader, "an unknown presence of a ready-made argument");
	if (spec->max_concurrency < SPK_UNLIMITED || spec->lock_ttl.ns < 0 ||
	    spec->timeout.ns < 0)
		return bad(reader, "a lock with negative numbers");
	reader->changed = false;
	if (read_text(reader, address + offsetof(struct spk_cookbook, title), "title", TEXT_LINE,
		      &spec->title) < 0)
		return -1;
	spec->title_changed = reader->changed;
	if (read_text(reader, address + offsetof(struct spk_cookbook, owner), "owner", TEXT_LINE,
		      &spec->owner) < 0 ||
	    read_text(reader, address + offsetof(struct spk_cookbook, description), "description",
		      TEXT_PROSE, &spec->description) < 0)
		return -1;
	return read_functions(reader, address, spec);
}

static int read_cookbook(struct reader *reader, const struct elf_symbol *symbol,
			 struct cookbook_spec *spec)
{
	struct group_spec *groups;
	struct err cause;

	reader->cookbook = symbol->name + strlen(SYMBOL);
	if (*reader->cookbook)
		reader->cookbook++;
	reader->place[0] = '\0';
	reader->group_count = 0;
	reader->table = "descriptor";
	spec->symbol = pool_text(reader->pool, symbol->name, strlen(symbol->name));
	if (read_descriptor(reader, symbol->address, spec) < 0)
		return -1;
	reader->table = "argument table";
	if (read_args(reader, symbol->address + offsetof(struct spk_cookbook, arguments), 0,
		      &spec->args, &spec->arg_count) < 0)
		return -1;
	if (read_subcommands(reader, symbol->address + offsetof(struct spk_cookbook, subcommands),
			     spec) < 0)
		return -1;
	if (reader->group_count) {
		groups = pool_alloc(reader->pool, reader->group_count, sizeof(*groups));
		memcpy(groups, reader->groups, reader->group_count * sizeof(*groups));
		spec->groups = groups;
		spec->group_count = reader->group_count;
	}
	if (spec_check(spec, &cause) < 0)
		return bad(reader, cause.text);
	reader->table = "rule table";
	return read_rules(reader, symbol->address + offsetof(struct spk_cookbook, rules), spec);
}

/* Keeps of a cookbook what a list shows. */
static void keep_titles(struct pool *pool, const struct cookbook_spec *from,
			struct cookbook_spec *to)
{
	*to = *from;
	to->symbol = pool_text(pool, from->symbol, strlen(from->symbol));
	to->title = from->title ? pool_text(pool, from->title, strlen(from->title)) : NULL;
	to->owner = from->owner ? pool_text(pool, from->owner, strlen(from->owner)) : NULL;
	to->description = NULL;
	to->args = NULL;
	to->groups = NULL;
	to->rules = NULL;
	to->subcommands = NULL;
	to->arg_count = to->group_count = to->rule_count = to->subcommand_count = 0;
}

static int read_cookbooks(struct reader *reader, enum peek_depth depth, struct peek *peek)
{
	struct elf_symbol *symbols = NULL;
	struct err cause;
	int rc = -1;

	if (elf_symbols(&reader->elf, SYMBOL, &symbols, &peek->count, &cause) < 0) {
		err_set(reader->err, "%s: %s", reader->path, cause.text);
		goto out;
	}
	if (peek->count == 0) {
		err_set(reader->err, "%s: no cookbook in it", reader->path);
		goto out;
	}
	if (peek->count > ROWS_MAX / 4) {
		err_set(reader->err, "%s: too many cookbooks in it", reader->path);
		goto out;
	}
	peek->cookbooks = pool_alloc(peek->pool, peek->count, sizeof(*peek->cookbooks));
	for (size_t i = 0; i < peek->count; i++) {
		struct cookbook_spec spec = {0};

		if (read_cookbook(reader, &symbols[i], &spec) < 0)
			goto out;
		if (depth == PEEK_ALL)
			peek->cookbooks[i] = spec;
		else
			keep_titles(peek->pool, &spec, &peek->cookbooks[i]);
	}
	rc = 0;
out:
	free(symbols);
	return rc;
}

/* `bytes` NULL: the file is read from `fd`. */
static int peek_object(int fd, const void *bytes, uint64_t size, const char *path,
		       enum peek_depth depth, struct peek *ret, struct err *err)
{
	struct reader reader; /* large, and most of it a buffer: not initialised as a whole */
	char shown[PRINTABLE_PATH_SIZE];
	struct pool *scratch = NULL;
	struct err cause;
	int rc;

	reader.path = printable_path(path, shown);
	reader.err = err;
	reader.budget = BUDGET;
	reader.args = NULL;
	reader.table = "";
	reader.cookbook = "";
	reader.arg_count = reader.arg_capacity = 0;
	ret->pool = pool_new(depth == PEEK_ALL ? 0 : 600);
	reader.pool = ret->pool;
	rc = bytes ? elf_open_memory(&reader.elf, bytes, (size_t)size, &cause)
		   : elf_open(&reader.elf, fd, size, &cause);
	if (rc < 0) {
		err_set(err, "%s: %s", reader.path, cause.text);
		goto out;
	}
	if (depth == PEEK_TITLES)
		reader.pool = scratch = pool_new(0);
	ret->identity.build_id_length = reader.elf.build_id_length;
	memcpy(ret->identity.build_id, reader.elf.build_id, reader.elf.build_id_length);
	rc = read_cookbooks(&reader, depth, ret);
out:
	elf_close(&reader.elf);
	free(reader.args);
	pool_free(scratch);
	if (rc < 0)
		peek_free(ret);
	return rc;
}

int peek_memory(const void *bytes, size_t size, const char *path, enum peek_depth depth,
		struct peek *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	return peek_object(-1, bytes ? bytes : "", size, path, depth, ret, err);
}

int peek_file_at(int directory, const char *name, int flags, const char *path,
		 enum peek_depth depth, struct peek *ret, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	int missing = 0;
	struct stat st;
	int rc = -1;
	int fd;

	memset(ret, 0, sizeof(*ret));
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	if (fd < 0) {
		missing = errno == ENOENT;
		err_errno(err, "%s: cannot open", printable_path(path, shown));
		goto out;
	}
	if (fstat(fd, &st) < 0) {
		err_errno(err, "%s: cannot examine", printable_path(path, shown));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "%s: not a regular file", printable_path(path, shown));
		goto out;
	}
	if (trust_check_stat(path, &st, err) < 0)
		goto out;
	rc = peek_object(fd, NULL, (uint64_t)st.st_size, path, depth, ret, err);
	if (rc < 0)
		goto out;
	ret->identity.device = st.st_dev;
	ret->identity.inode = st.st_ino;
	ret->identity.size = (uint64_t)st.st_size;
	ret->identity.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
out:
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		errno = missing ? ENOENT : EINVAL;
	return rc;
}

int peek_file(const char *path, enum peek_depth depth, struct peek *ret, struct err *err)
{
	return peek_file_at(AT_FDCWD, path, 0, path, depth, ret, err);
}

void peek_free(struct peek *peek)
{
	pool_free(peek->pool);
	memset(peek, 0, sizeof(*peek));
}
