/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of arguments, their groups, and subcommands. */
#include "peekfield.h"

#include <stdio.h>
#include <string.h>

#include "../../runtime/mem.h"

/* The sizes in version 1.0, which stay when the structures grow. */
#define ARG_1_0 PEEK_END_OF(struct spk_arg, block)
#define GROUP_1_0 PEEK_END_OF(struct spk_group, description)
#define SUBCOMMAND_1_0 PEEK_END_OF(struct spk_subcommand, arguments)
#define CALL_1_0 PEEK_END_OF(struct spk_call, args)

#define SUBCOMMANDS_MAX 256

static int read_group(struct peek_reader *reader, uint64_t address, int *ret_index)
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
	if (reader->group_count == PEEK_GROUPS_MAX)
		return peek_bad(reader, "too many groups");
	if (peek_read_bytes(reader, address, &size, sizeof(size)) < 0 ||
	    peek_adopt(reader, address, size, raw, sizeof(raw), GROUP_1_0) < 0 ||
	    peek_check_bools(reader, raw, offsetof(struct spk_group, exclusive),
			     offsetof(struct spk_group, required)) < 0)
		return -1;
	group = &reader->groups[reader->group_count];
	*group = (struct group_spec){
		.exclusive = raw[offsetof(struct spk_group, exclusive)],
		.required = raw[offsetof(struct spk_group, required)],
	};
	if (peek_read_text(reader, address + offsetof(struct spk_group, title), "title", TEXT_LINE,
			   &group->title) < 0 ||
	    peek_read_text(reader, address + offsetof(struct spk_group, description), "description",
			   TEXT_PROSE, &group->description) < 0)
		return -1;
	reader->group_addresses[reader->group_count] = address;
	*ret_index = (int)reader->group_count++;
	return 0;
}

/* The pointers of one row, whose numbers are in `arg` already. */
static int read_arg_pointers(struct peek_reader *reader, uint64_t address, struct arg_spec *arg)
{
	static const struct {
		size_t from, to;
		const char *member;
		enum peek_text use;
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

		if (peek_read_text(reader, address + texts[i].from, texts[i].member, texts[i].use,
				   &text) < 0)
			return -1;
		memcpy((char *)arg + texts[i].to, &text, sizeof(text));
	}
	if (peek_read_strings(reader, address + offsetof(struct spk_arg, names), "names",
			      TEXT_EXACT, &arg->names) < 0 ||
	    peek_read_strings(reader, address + offsetof(struct spk_arg, choices), "choices",
			      TEXT_EXACT, &arg->choices) < 0 ||
	    peek_read_strings(reader, address + offsetof(struct spk_arg, default_list),
			      "default_list", TEXT_VALUE, &arg->default_list) < 0 ||
	    peek_presence(reader, address + offsetof(struct spk_arg, default_from),
			  &arg->default_computed) < 0 ||
	    peek_presence(reader, address + offsetof(struct spk_arg, parse), &arg->has_parse) < 0 ||
	    peek_follow(reader, address + offsetof(struct spk_arg, group), "group", &group) < 0)
		return -1;
	arg->group = -1;
	return group ? read_group(reader, group, &arg->group) : 0;
}

static int read_arg_rows(struct peek_reader *reader, uint64_t table, uint64_t offset, bool nested);

/* `row` is what lies at `address`; pointers in it mean nothing yet. */
static int read_arg(struct peek_reader *reader, uint64_t address, const struct spk_arg *row,
		    uint64_t offset, bool nested)
{
	uint64_t block;
	struct arg_spec *arg;
	size_t place;

	if (row->offset > PEEK_STATE_MAX)
		return peek_bad(reader, "its field lies outside of the structure");
	if (peek_follow(reader, address + offsetof(struct spk_arg, block), "block", &block) < 0)
		return -1;
	if (row->form == SPK_FORM_BLOCK) {
		if (nested)
			return peek_bad(reader, "a block within a block");
		if (!block)
			return peek_bad(reader, "a block without a table");
		return read_arg_rows(reader, block, offset + row->offset, true);
	}
	if (block)
		return peek_bad(reader, "a table of a block, but the form of an argument");
	if (reader->arg_count == PEEK_ROWS_MAX)
		return peek_bad(reader, "too many rows");
	if (peek_charge(reader, sizeof(*arg)) < 0)
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
	if (peek_read_text(reader, address + offsetof(struct spk_arg, name), "name", TEXT_EXACT,
			   &arg->name) < 0)
		return -1;
	if (!arg->name || !spec_name_is_sane(arg->name))
		return peek_bad(reader, arg->name ? "a name that is no name" : "no name");
	place = strlen(reader->place);
	snprintf(reader->place + place, sizeof(reader->place) - place, " '%s'", arg->name);
	return read_arg_pointers(reader, address, arg);
}

static int read_arg_rows(struct peek_reader *reader, uint64_t table, uint64_t offset, bool nested)
{
	struct peek_rows rows;

	if (peek_read_table(reader, table, ARG_1_0, PEEK_ROWS_MAX, &rows) < 0)
		return -1;
	for (uint32_t i = 0; i < rows.count; i++) {
		uint64_t address = rows.address + (uint64_t)i * rows.size;
		unsigned char raw[sizeof(struct spk_arg)];
		size_t place = strlen(reader->place);
		struct spk_arg row;

		reader->row_address = address;
		snprintf(reader->place + place, sizeof(reader->place) - place, "%s %u",
			 nested ? ", row" : "argument", i + 1);
		if (peek_adopt(reader, address, rows.size, raw, sizeof(raw), ARG_1_0) < 0 ||
		    peek_check_reserved(reader, raw, offsetof(struct spk_arg, reserved_), 1) < 0 ||
		    peek_check_reserved(reader, raw,
					offsetof(struct spk_arg, min) +
						offsetof(struct spk_bound, reserved),
					4) < 0 ||
		    peek_check_reserved(reader, raw,
					offsetof(struct spk_arg, max) +
						offsetof(struct spk_bound, reserved),
					4) < 0 ||
		    peek_check_bools(reader, raw, offsetof(struct spk_arg, required),
				     offsetof(struct spk_arg, has_range)) < 0)
			return -1;
		memcpy(&row, raw, sizeof(row));
		reader->row_size = rows.size;
		if (read_arg(reader, address, &row, offset, nested) < 0)
			return -1;
		reader->place[place] = '\0';
	}
	reader->row_address = 0;
	return 0;
}

int peek_read_args(struct peek_reader *reader, uint64_t table, uint64_t offset,
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

int peek_read_calls(struct peek_reader *reader, uint64_t table, struct cookbook_spec *spec)
{
	struct peek_rows rows;
	struct call_spec *calls;

	if (peek_read_table(reader, table, CALL_1_0, PEEK_ROWS_MAX, &rows) < 0)
		return -1;
	if (rows.count == 0)
		return 0;
	calls = pool_alloc(reader->pool, rows.count, sizeof(*calls));
	spec->calls = calls;
	spec->call_count = rows.count;
	for (uint32_t i = 0; i < rows.count; i++) {
		uint64_t address = rows.address + (uint64_t)i * rows.size;
		struct spk_call row;

		reader->row_address = address;
		snprintf(reader->place, sizeof(reader->place), "call %u", i + 1);
		if (peek_adopt(reader, address, rows.size, &row, sizeof(row), CALL_1_0) < 0 ||
		    peek_read_text(reader, address + offsetof(struct spk_call, name), "name",
				   TEXT_EXACT, &calls[i].name) < 0 ||
		    peek_read_strings(reader, address + offsetof(struct spk_call, args), "args",
				      TEXT_VALUE, &calls[i].args) < 0)
			return -1;
		if (!calls[i].name)
			return peek_bad(reader, "no name");
		calls[i].row_address = address;
	}
	reader->row_address = 0;
	reader->place[0] = '\0';
	return 0;
}

int peek_read_subcommands(struct peek_reader *reader, uint64_t table, struct cookbook_spec *spec)
{
	struct subcommand_spec *subcommands;
	struct peek_rows rows;

	if (peek_read_table(reader, table, SUBCOMMAND_1_0, SUBCOMMANDS_MAX, &rows) < 0)
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
		if (peek_adopt(reader, address, rows.size, &row, sizeof(row), SUBCOMMAND_1_0) < 0)
			return -1;
		if (row.offset > PEEK_STATE_MAX)
			return peek_bad(reader, "its field lies outside of the structure");
		if (peek_read_text(reader, address + offsetof(struct spk_subcommand, name), "name",
				   TEXT_EXACT, &subcommand->name) < 0 ||
		    peek_read_text(reader, address + offsetof(struct spk_subcommand, help), "help",
				   TEXT_PROSE, &subcommand->help) < 0)
			return -1;
		if (!subcommand->name || !spec_name_is_sane(subcommand->name))
			return peek_bad(reader, "no name, or one that is no name");
		snprintf(reader->place, sizeof(reader->place),
			 "subcommand '%s': ", subcommand->name);
		if (peek_read_args(reader, address + offsetof(struct spk_subcommand, arguments),
				   row.offset, &subcommand->args, &subcommand->arg_count) < 0)
			return -1;
		reader->place[0] = '\0';
	}
	return 0;
}
