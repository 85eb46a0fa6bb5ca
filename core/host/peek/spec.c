/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"

#include <limits.h>
#include <math.h>
#include <spicerack/cookbook.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/buf.h"
#include "../../runtime/mem.h"

#define NAME_MAX_LENGTH 64

const char *file_build_id(const struct file_identity *identity, char out[static FILE_BUILD_ID_SIZE])
{
	for (uint32_t i = 0; i < identity->build_id_length; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", identity->build_id[i]);
	return identity->build_id_length ? out : NULL;
}

/* What is true of a type. */
struct trait {
	size_t size, alignment;
	bool list, text, integer, number;
};

#define TRAIT(T, ...)                                                                              \
	{                                                                                          \
		.size = sizeof(T), .alignment = alignof(T), ##__VA_ARGS__                          \
	}

static const struct trait traits[] = {
	[SPK_TYPE_STRING] = TRAIT(const char *, .text = true),
	[SPK_TYPE_FLAG] = TRAIT(bool),
	[SPK_TYPE_INT] = TRAIT(int, .integer = true, .number = true),
	[SPK_TYPE_LONG] = TRAIT(long, .integer = true, .number = true),
	[SPK_TYPE_LLONG] = TRAIT(long long, .integer = true, .number = true),
	[SPK_TYPE_DOUBLE] = TRAIT(double, .number = true),
	[SPK_TYPE_PATH] = TRAIT(spk_path),
	[SPK_TYPE_DATE] = TRAIT(spk_date),
	[SPK_TYPE_TIME] = TRAIT(spk_time),
	[SPK_TYPE_DURATION] = TRAIT(spk_duration, .number = true),
	[SPK_TYPE_STRINGS] = TRAIT(spk_strings, .list = true, .text = true),
	[SPK_TYPE_INTS] = TRAIT(spk_ints, .list = true, .integer = true, .number = true),
	[SPK_TYPE_DOUBLES] = TRAIT(spk_doubles, .list = true, .number = true),
	[SPK_TYPE_CUSTOM] = TRAIT(char),
};

bool spec_name_is_sane(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";
	size_t length = strspn(name, allowed);

	return length && length <= NAME_MAX_LENGTH && name[length] == '\0' && name[0] != '-' &&
	       name[0] != '_';
}

/* What is being judged, and for whom. */
struct judge {
	const struct cookbook_spec *spec;
	const struct subcommand_spec *subcommand; /* NULL: the cookbook's own table */
	spec_flaw *flaw;
	void *data;
	size_t flaws;
};

/* Tells a flaw, with its subcommand and argument in front. */
static void __attribute__((__format__(__printf__, 4, 5)))
bad(struct judge *judge, enum finding_kind kind, const struct arg_spec *arg, const char *format,
    ...)
{
	struct buf text = {0};
	va_list args;

	if (judge->subcommand)
		buf_printf(&text, "subcommand '%s': ", judge->subcommand->name);
	if (arg)
		buf_printf(&text, "argument '%s': ", arg->name);
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	judge->flaws++;
	judge->flaw(judge->data, kind, arg, text.text);
	buf_free(&text);
}

static const char *judge_numbers(const struct arg_spec *arg, const struct trait *trait)
{
	bool reals = arg->type == SPK_TYPE_DOUBLE || arg->type == SPK_TYPE_DOUBLES;

	if (arg->min.set > 1 || arg->max.set > 1)
		return "a bound that is neither set nor not";
	if ((arg->min.set || arg->max.set) && !trait->number)
		return "a bound, but its type is no number";
	if ((arg->min.set && !isfinite(arg->min.real)) ||
	    (arg->max.set && !isfinite(arg->max.real)))
		return "a bound that is not finite";
	if (arg->min.set && arg->max.set &&
	    (arg->min.real > arg->max.real || (!reals && arg->min.integer > arg->max.integer)))
		return "its bounds leave nothing";
	if (arg->has_range && !trait->integer)
		return "a range, but its type is no integer";
	if (arg->has_range && arg->range_first > arg->range_last)
		return "its range is empty";
	return NULL;
}

static const char *judge_default(const struct arg_spec *arg, const struct trait *trait)
{
	bool number = arg->default_int != 0 || arg->default_double != 0;
	bool duration = arg->default_duration.ns != 0;

	if (arg->has_default && arg->default_computed)
		return "two defaults";
	if (arg->form == SPK_FORM_POSITIONAL && (arg->has_default || arg->default_computed) &&
	    (arg->arity == SPK_ONE || arg->arity == SPK_ONE_OR_MORE))
		return "a default, but it is never left out; give it an arity that allows that";
	if (!arg->has_default)
		return arg->default_list.count ? "a list that is not marked as default" : NULL;
	if (arg->default_list.count && !trait->list)
		return "a list as default, but it holds one value";
	switch (arg->type) {
	case SPK_TYPE_FLAG:
		if ((arg->default_int != 0) != arg->off || arg->default_text || duration)
			return "a default that a flag cannot have; one that starts true is .off";
		return NULL;
	case SPK_TYPE_INT:
		if (arg->default_int < INT_MIN || arg->default_int > INT_MAX)
			return "a default beyond the range of its type";
		/* fall through */
	case SPK_TYPE_LONG:
	case SPK_TYPE_LLONG:
		if (arg->default_text || duration ||
		    (arg->default_double != 0 && arg->default_double != (double)arg->default_int))
			return "a default of another type";
		return NULL;
	case SPK_TYPE_DOUBLE:
		if (arg->default_text || duration || !isfinite(arg->default_double) ||
		    (arg->default_int != 0 && arg->default_double == 0))
			return "a default of another type";
		return NULL;
	case SPK_TYPE_DURATION:
		return arg->default_text || number ? "a default of another type" : NULL;
	case SPK_TYPE_STRING:
	case SPK_TYPE_PATH:
		return number || duration ? "a default of another type" : NULL;
	case SPK_TYPE_DATE:
	case SPK_TYPE_TIME:
		return arg->default_text ? NULL : "a default of another type; write it as text";
	default:
		if (trait->list && (arg->default_text || number || duration))
			return "a default that is no list";
		return NULL;
	}
}

static const char *judge_reading(const struct arg_spec *arg, const struct trait *trait)
{
	switch (arg->as) {
	case SPK_AS_IS:
		return NULL;
	case SPK_COMMA_LIST:
		return trait->list ? NULL : "a comma list, but it holds one value";
	case SPK_UPPER:
	case SPK_LOWER:
	case SPK_TASK_ID:
	case SPK_REASON:
		return trait->text ? NULL : "a reading of text, but its type is another";
	default:
		return "an unknown reading";
	}
}

static const char *judge_option(const struct arg_spec *arg)
{
	if (arg->letter &&
	    (arg->letter <= ' ' || arg->letter > '~' || arg->letter == '-' || arg->letter == '='))
		return "a letter that cannot be typed as one";
	if (arg->letter == 'h')
		return "-h is the help's";
	for (size_t i = 0; i < arg->names.count; i++) {
		const char *name = arg->names.items[i];

		if (strncmp(name, "--", 2) != 0 || !spec_name_is_sane(name + 2))
			return "a long name that is not of the form --name";
		if (strcmp(name, "--help") == 0)
			return "--help is the help's";
	}
	if (!arg->names.count && strcmp(arg->name, "help") == 0)
		return "--help is the help's";
	return NULL;
}

static const char *judge_positional(const struct arg_spec *arg)
{
	return arg->letter || arg->names.count ? "option names, but it is a positional" : NULL;
}

/* Attributes that say what the values are. */
static const char *judge_type(const struct arg_spec *arg, const struct trait *trait)
{
	if (arg->arity >= SPK_ZERO_OR_MORE && !trait->list)
		return "several values, but it holds one";
	if (arg->off && arg->type != SPK_TYPE_FLAG)
		return ".off is for flags";
	if (arg->has_parse != (arg->type == SPK_TYPE_CUSTOM))
		return arg->has_parse ? "a parser of its own, but a type that has one"
				      : "no parser for its type";
	if (arg->repeat && arg->form == SPK_FORM_POSITIONAL)
		return "it may be repeated, which is for options";
	if (arg->repeat && !trait->list)
		return "it may be repeated, but holds one value";
	if (arg->type == SPK_TYPE_FLAG && arg->form == SPK_FORM_POSITIONAL)
		return "a flag cannot be a positional";
	if (arg->type == SPK_TYPE_FLAG && arg->arity != SPK_ONE)
		return "a flag takes no values";
	if (arg->type == SPK_TYPE_FLAG && arg->metavar)
		return "a flag has no value to choose, match or name";
	return judge_reading(arg, trait);
}

static const char *judge_choices(const struct arg_spec *arg, const struct trait *trait)
{
	if (!!arg->choices.count + !!arg->choices_from + arg->has_range > 1)
		return "choices of several kinds";
	if ((arg->choices_from && !*arg->choices_from) || (arg->pattern && !*arg->pattern))
		return "an empty .choices_from or .pattern";
	if (arg->type == SPK_TYPE_FLAG && (arg->choices.count || arg->choices_from || arg->pattern))
		return "a flag has no value to choose, match or name";
	return NULL;
}

static const char *judge_required(const struct arg_spec *arg, const struct trait *trait)
{
	if (!arg->required)
		return NULL;
	if (arg->form == SPK_FORM_POSITIONAL)
		return "required, which is for options; a positional is, by its arity";
	return arg->type == SPK_TYPE_FLAG ? "a required flag says nothing" : NULL;
}

static const char *judge_name(const struct arg_spec *arg, const struct trait *trait)
{
	return arg->form == SPK_FORM_OPTION ? judge_option(arg) : judge_positional(arg);
}

/* The numbers of a row's enumerations, which all else relies upon. */
static const char *judge_enumerations(const struct arg_spec *arg)
{
	if (arg->form != SPK_FORM_POSITIONAL && arg->form != SPK_FORM_OPTION)
		return "an unknown form";
	if (arg->type < SPK_TYPE_STRING || arg->type > SPK_TYPE_CUSTOM)
		return "an unknown type";
	return arg->arity > SPK_ONE_OR_MORE ? "an unknown arity" : NULL;
}

static const char *judge_field(const struct arg_spec *arg, uint64_t state_size)
{
	const struct trait *trait = &traits[arg->type];

	if (arg->offset > state_size || trait->size > state_size - arg->offset)
		return "its field lies outside of the structure";
	return arg->offset % trait->alignment ? "its field is not aligned" : NULL;
}

/* Tells the first flaw of a row by itself; false when there is one. */
static bool check_row(struct judge *judge, const struct arg_spec *arg)
{
	static const struct {
		enum finding_kind kind;
		const char *(*judge)(const struct arg_spec *arg, const struct trait *trait);
	} parts[] = {
		{FINDING_ARGUMENT_TYPE, judge_type},
		{FINDING_ARGUMENT_CHOICES, judge_choices},
		{FINDING_ARGUMENT_REQUIRED, judge_required},
		{FINDING_ARGUMENT_NAME, judge_name},
		{FINDING_ARGUMENT_BOUNDS, judge_numbers},
		{FINDING_ARGUMENT_DEFAULT, judge_default},
	};
	enum finding_kind kind = FINDING_BAD_TABLE;
	const char *reason = judge_enumerations(arg);

	if (!reason) {
		kind = FINDING_ARGUMENT_FIELD;
		reason = judge_field(arg, judge->spec->state_size);
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !reason; i++) {
		kind = parts[i].kind;
		reason = parts[i].judge(arg, &traits[arg->type]);
	}
	if (reason)
		bad(judge, kind, arg, "%s", reason);
	return !reason;
}

/* One use of an option name or of a part of the structure. */
struct use {
	const struct arg_spec *arg;
	const char *name;
	uint64_t start, end;
};

static int by_name(const void *a, const void *b)
{
	const struct use *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int by_start(const void *a, const void *b)
{
	const struct use *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

/* A field's name as an option's: `wipe_cache` and `wipe-cache` are the same one. */
static char *option_name(const char *field)
{
	char *name = xasprintf("--%s", field);

	for (char *c = name; *c; c++)
		if (*c == '_')
			*c = '-';
	return name;
}

static void check_names(struct judge *judge, const struct arg_spec *args, size_t count)
{
	struct use *uses = NULL;
	size_t used = 0, capacity = 0;
	bool letters[128] = {0};
	char **made = xcalloc(count, sizeof(*made));

	for (size_t i = 0; i < count; i++) {
		const struct arg_spec *arg = &args[i];

		if (arg->letter && letters[(unsigned char)arg->letter])
			bad(judge, FINDING_ARGUMENT_NAME, arg, "-%c is another's, too",
			    arg->letter);
		letters[(unsigned char)arg->letter] = true;
		for (size_t k = 0; k < arg->names.count; k++) {
			uses = xgrow(uses, used, &capacity, sizeof(*uses));
			uses[used++] = (struct use){.arg = arg, .name = arg->names.items[k]};
		}
		if (arg->names.count)
			continue;
		made[i] = arg->form == SPK_FORM_OPTION ? option_name(arg->name)
						       : xstrdup(arg->name);
		uses = xgrow(uses, used, &capacity, sizeof(*uses));
		uses[used++] = (struct use){.arg = arg, .name = made[i]};
	}
	if (used > 1)
		qsort(uses, used, sizeof(*uses), by_name);
	for (size_t i = 1; i < used; i++)
		if (strcmp(uses[i - 1].name, uses[i].name) == 0)
			bad(judge, FINDING_ARGUMENT_NAME, uses[i].arg, "the name %s is used twice",
			    uses[i].name);
	for (size_t i = 0; i < count; i++)
		free(made[i]);
	free(made);
	free(uses);
}

/* One table by itself. */
static void check_table(struct judge *judge, const struct arg_spec *args, size_t count)
{
	const struct arg_spec *open_ended = NULL;
	bool sound = true;

	for (size_t i = 0; i < count; i++) {
		if (!check_row(judge, &args[i])) {
			sound = false;
			continue;
		}
		if (args[i].form != SPK_FORM_POSITIONAL || !traits[args[i].type].list ||
		    args[i].arity == SPK_ZERO_OR_ONE)
			continue;
		if (open_ended)
			bad(judge, FINDING_ARGUMENT_TYPE, &args[i],
			    "a second positional that takes any number of values");
		open_ended = &args[i];
	}
	if (count && sound)
		check_names(judge, args, count);
}

static void add_fields(struct use *uses, size_t *used, const struct arg_spec *args, size_t count)
{
	for (size_t i = 0; i < count; i++)
		uses[(*used)++] = (struct use){.arg = &args[i],
					       .name = args[i].name,
					       .start = args[i].offset,
					       .end = args[i].offset + traits[args[i].type].size};
}

/* Neighbours in the order of their fields must not overlap. */
static bool check_apart(struct judge *judge, struct use *uses, size_t used)
{
	if (used > 1)
		qsort(uses, used, sizeof(*uses), by_start);
	for (size_t i = 1; i < used; i++) {
		if (uses[i].start < uses[i - 1].end) {
			bad(judge, FINDING_ARGUMENT_FIELD, NULL, "'%s' and '%s' share a field",
			    uses[i - 1].name, uses[i].name);
			return false;
		}
	}
	return true;
}

/* The fields that one command line fills in: the cookbook's, the chosen name's, the subcommand's.
 */
static void check_fields(struct judge *judge)
{
	const struct cookbook_spec *spec = judge->spec;
	size_t most = 0, used = 0;
	struct use *uses;
	bool apart;

	if (spec->arg_count == 0 && spec->subcommand_count == 0)
		return;
	for (size_t i = 0; i < spec->subcommand_count; i++)
		if (spec->subcommands[i].arg_count > most)
			most = spec->subcommands[i].arg_count;
	uses = xcalloc(spec->arg_count + most + 1, sizeof(*uses));
	add_fields(uses, &used, spec->args, spec->arg_count);
	if (spec->subcommand_count)
		uses[used++] = (struct use){.name = "subcommand",
					    .start = spec->subcommand_offset,
					    .end = spec->subcommand_offset + sizeof(char *)};
	apart = check_apart(judge, uses, used);
	for (size_t i = 0; apart && i < spec->subcommand_count; i++) {
		const struct subcommand_spec *subcommand = &spec->subcommands[i];

		/* The order of the common ones was changed by sorting all of them: start anew. */
		used = 0;
		if (subcommand->arg_count == 0)
			continue;
		add_fields(uses, &used, spec->args, spec->arg_count);
		uses[used++] = (struct use){.name = "subcommand",
					    .start = spec->subcommand_offset,
					    .end = spec->subcommand_offset + sizeof(char *)};
		add_fields(uses, &used, subcommand->args, subcommand->arg_count);
		apart = check_apart(judge, uses, used);
	}
	free(uses);
}

/* What may be in an exclusive group. */
static void check_groups(struct judge *judge, const struct arg_spec *args, size_t count)
{
	const struct cookbook_spec *spec = judge->spec;
	bool *positional;

	if (spec->group_count == 0)
		return;
	positional = xcalloc(spec->group_count, sizeof(*positional));
	for (size_t i = 0; i < count; i++) {
		const struct arg_spec *arg = &args[i];

		if (arg->group < 0 || !spec->groups[arg->group].exclusive)
			continue;
		if (arg->required)
			bad(judge, FINDING_ARGUMENT_GROUP, arg,
			    "required, but in an exclusive group");
		if (arg->form != SPK_FORM_POSITIONAL)
			continue;
		if (positional[arg->group])
			bad(judge, FINDING_ARGUMENT_GROUP, arg,
			    "a second positional in an exclusive group");
		else if (arg->arity != SPK_ZERO_OR_ONE)
			bad(judge, FINDING_ARGUMENT_GROUP, arg,
			    "a positional in an exclusive group must be able to be left out: "
			    ".arity = SPK_ZERO_OR_ONE");
		positional[arg->group] = true;
	}
	free(positional);
}

static void check_subcommands(struct judge *judge)
{
	const struct cookbook_spec *spec = judge->spec;

	if (spec->subcommand_count == 0)
		return;
	if (spec->subcommand_offset % alignof(char *) || spec->state_size < sizeof(char *) ||
	    spec->subcommand_offset > spec->state_size - sizeof(char *))
		bad(judge, FINDING_SUBCOMMAND, NULL,
		    "the field of the subcommand lies outside of the structure");
	for (size_t i = 0; i < spec->subcommand_count; i++) {
		const struct subcommand_spec *subcommand = &spec->subcommands[i];
		bool twice = false;

		for (size_t k = 0; k < i && !twice; k++)
			twice = strcmp(spec->subcommands[k].name, subcommand->name) == 0;
		if (twice)
			bad(judge, FINDING_SUBCOMMAND, NULL, "the subcommand '%s' is there twice",
			    subcommand->name);
		judge->subcommand = subcommand;
		check_table(judge, subcommand->args, subcommand->arg_count);
		check_groups(judge, subcommand->args, subcommand->arg_count);
		judge->subcommand = NULL;
	}
}

/* The names of the ready-made arguments are taken. */
static void check_ready_made(struct judge *judge)
{
	const struct cookbook_spec *spec = judge->spec;
	const struct {
		bool present;
		char letter;
		const char *name;
	} ready[] = {
		{spec->task_id != SPK_ABSENT, 't', "--task-id"},
		{spec->reason != SPK_ABSENT, 'r', "--reason"},
	};

	for (size_t i = 0; i < sizeof(ready) / sizeof(ready[0]); i++) {
		for (size_t k = 0; ready[i].present && k < spec->arg_count; k++) {
			const struct arg_spec *arg = &spec->args[k];
			bool taken = arg->letter == ready[i].letter;
			char *name;

			if (arg->form != SPK_FORM_OPTION)
				continue;
			for (size_t n = 0; n < arg->names.count; n++)
				taken |= strcmp(arg->names.items[n], ready[i].name) == 0;
			if (!arg->names.count) {
				name = option_name(arg->name);
				taken |= strcmp(name, ready[i].name) == 0;
				free(name);
			}
			if (taken)
				bad(judge, FINDING_ARGUMENT_NAME, arg,
				    "-%c/%s is the ready-made one's", ready[i].letter,
				    ready[i].name);
		}
	}
}

int spec_check(const struct cookbook_spec *spec, spec_flaw *flaw, void *data)
{
	struct judge judge = {.spec = spec, .flaw = flaw, .data = data};

	check_table(&judge, spec->args, spec->arg_count);
	check_groups(&judge, spec->args, spec->arg_count);
	check_subcommands(&judge);
	check_ready_made(&judge);
	if (!judge.flaws) /* else the sizes of fields may not be known */
		check_fields(&judge);
	return judge.flaws ? -1 : 0;
}
