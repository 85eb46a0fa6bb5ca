/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"

#include <limits.h>
#include <math.h>
#include <spicerack/cookbook.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/mem.h"

#define NAME_MAX_LENGTH 64

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

static int bad(struct err *err, const struct arg_spec *arg, const char *reason)
{
	return err_set(err, "argument '%s': %s", arg->name, reason);
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

static const char *judge_option(const struct arg_spec *arg, const struct trait *trait)
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
	if (arg->repeat && !trait->list)
		return "it may be repeated, but holds one value";
	return NULL;
}

static const char *judge_positional(const struct arg_spec *arg)
{
	if (arg->required)
		return "required, which is for options; a positional is, by its arity";
	if (arg->letter || arg->names.count)
		return "option names, but it is a positional";
	if (arg->repeat)
		return "it may be repeated, which is for options";
	if (arg->type == SPK_TYPE_FLAG)
		return "a flag cannot be a positional";
	return NULL;
}

static const char *judge_flag(const struct arg_spec *arg)
{
	if (arg->arity != SPK_ONE)
		return "a flag takes no values";
	if (arg->required)
		return "a required flag says nothing";
	if (arg->choices.count || arg->choices_from || arg->pattern || arg->metavar)
		return "a flag has no value to choose, match or name";
	return NULL;
}

/* NULL for a row that makes sense by itself, else why not. */
static const char *judge(const struct arg_spec *arg, uint64_t state_size)
{
	const struct trait *trait;
	const char *reason;

	if (arg->form != SPK_FORM_POSITIONAL && arg->form != SPK_FORM_OPTION)
		return "an unknown form";
	if (arg->type < SPK_TYPE_STRING || arg->type > SPK_TYPE_CUSTOM)
		return "an unknown type";
	if (arg->arity > SPK_ONE_OR_MORE)
		return "an unknown arity";
	trait = &traits[arg->type];
	if (arg->offset > state_size || trait->size > state_size - arg->offset)
		return "its field lies outside of the structure";
	if (arg->offset % trait->alignment)
		return "its field is not aligned";
	if (arg->arity >= SPK_ZERO_OR_MORE && !trait->list)
		return "several values, but it holds one";
	if (arg->off && arg->type != SPK_TYPE_FLAG)
		return ".off is for flags";
	if (arg->has_parse != (arg->type == SPK_TYPE_CUSTOM))
		return arg->has_parse ? "a parser of its own, but a type that has one"
				      : "no parser for its type";
	if (!!arg->choices.count + !!arg->choices_from + arg->has_range > 1)
		return "choices of several kinds";
	if ((arg->choices_from && !*arg->choices_from) || (arg->pattern && !*arg->pattern))
		return "an empty .choices_from or .pattern";
	reason = arg->form == SPK_FORM_OPTION ? judge_option(arg, trait) : judge_positional(arg);
	if (!reason && arg->type == SPK_TYPE_FLAG)
		reason = judge_flag(arg);
	if (!reason)
		reason = judge_reading(arg, trait);
	if (!reason)
		reason = judge_numbers(arg, trait);
	return reason ? reason : judge_default(arg, trait);
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

static int check_names(const struct arg_spec *args, size_t count, struct err *err)
{
	struct use *uses = NULL;
	size_t used = 0, capacity = 0;
	bool letters[128] = {0};
	char **made = xcalloc(count, sizeof(*made));
	int rc = -1;

	for (size_t i = 0; i < count; i++) {
		const struct arg_spec *arg = &args[i];

		if (arg->letter && letters[(unsigned char)arg->letter]) {
			err_set(err, "argument '%s': -%c is another's, too", arg->name,
				arg->letter);
			goto out;
		}
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
	for (size_t i = 1; i < used; i++) {
		if (strcmp(uses[i - 1].name, uses[i].name) == 0) {
			err_set(err, "argument '%s': the name %s is used twice", uses[i].arg->name,
				uses[i].name);
			goto out;
		}
	}
	rc = 0;
out:
	for (size_t i = 0; i < count; i++)
		free(made[i]);
	free(made);
	free(uses);
	return rc;
}

/* One table by itself. */
static int check_table(const struct arg_spec *args, size_t count, uint64_t state_size,
		       struct err *err)
{
	const struct arg_spec *open_ended = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *reason = judge(&args[i], state_size);

		if (reason)
			return bad(err, &args[i], reason);
		if (args[i].form != SPK_FORM_POSITIONAL || !traits[args[i].type].list ||
		    args[i].arity == SPK_ZERO_OR_ONE)
			continue;
		if (open_ended)
			return bad(err, &args[i],
				   "a second positional that takes any number of values");
		open_ended = &args[i];
	}
	return count ? check_names(args, count, err) : 0;
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
static int check_apart(struct use *uses, size_t used, struct err *err)
{
	if (used > 1)
		qsort(uses, used, sizeof(*uses), by_start);
	for (size_t i = 1; i < used; i++)
		if (uses[i].start < uses[i - 1].end)
			return err_set(err, "'%s' and '%s' share a field", uses[i - 1].name,
				       uses[i].name);
	return 0;
}

/* The fields that one command line fills in: the cookbook's, the chosen name's, the subcommand's.
 */
static int check_fields(const struct cookbook_spec *spec, struct err *err)
{
	size_t most = 0, used = 0;
	struct use *uses;
	int rc = -1;

	if (spec->arg_count == 0 && spec->subcommand_count == 0)
		return 0;
	for (size_t i = 0; i < spec->subcommand_count; i++)
		if (spec->subcommands[i].arg_count > most)
			most = spec->subcommands[i].arg_count;
	uses = xcalloc(spec->arg_count + most + 1, sizeof(*uses));
	add_fields(uses, &used, spec->args, spec->arg_count);
	if (spec->subcommand_count)
		uses[used++] = (struct use){.name = "subcommand",
					    .start = spec->subcommand_offset,
					    .end = spec->subcommand_offset + sizeof(char *)};
	if (check_apart(uses, used, err) < 0)
		goto out;
	for (size_t i = 0; i < spec->subcommand_count; i++) {
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
		if (check_apart(uses, used, err) < 0)
			goto out;
	}
	rc = 0;
out:
	free(uses);
	return rc;
}

/* What may be in an exclusive group. */
static int check_groups(const struct cookbook_spec *spec, const struct arg_spec *args, size_t count,
			struct err *err)
{
	const char *reason = NULL;
	bool *positional;
	size_t i;

	if (spec->group_count == 0)
		return 0;
	positional = xcalloc(spec->group_count, sizeof(*positional));
	for (i = 0; i < count; i++) {
		const struct arg_spec *arg = &args[i];

		if (arg->group < 0 || !spec->groups[arg->group].exclusive)
			continue;
		if (arg->required)
			reason = "required, but in an exclusive group";
		if (arg->form == SPK_FORM_POSITIONAL) {
			if (positional[arg->group])
				reason = "a second positional in an exclusive group";
			else if (arg->arity != SPK_ZERO_OR_ONE)
				reason = "a positional in an exclusive group must be able to be "
					 "left out: .arity = SPK_ZERO_OR_ONE";
			positional[arg->group] = true;
		}
		if (reason)
			break;
	}
	free(positional);
	return reason ? bad(err, &args[i], reason) : 0;
}

static int check_subcommands(const struct cookbook_spec *spec, struct err *err)
{
	if (spec->subcommand_count == 0)
		return 0;
	if (spec->subcommand_offset % alignof(char *) || spec->state_size < sizeof(char *) ||
	    spec->subcommand_offset > spec->state_size - sizeof(char *))
		return err_set(err, "the field of the subcommand lies outside of the structure");
	for (size_t i = 0; i < spec->subcommand_count; i++) {
		const struct subcommand_spec *subcommand = &spec->subcommands[i];
		struct err cause;

		for (size_t k = 0; k < i; k++)
			if (strcmp(spec->subcommands[k].name, subcommand->name) == 0)
				return err_set(err, "the subcommand '%s' is there twice",
					       subcommand->name);
		if (check_table(subcommand->args, subcommand->arg_count, spec->state_size, &cause) <
			    0 ||
		    check_groups(spec, subcommand->args, subcommand->arg_count, &cause) < 0)
			return err_set(err, "subcommand '%s': %.300s", subcommand->name,
				       cause.text);
	}
	return 0;
}

/* The names of the ready-made arguments are taken. */
static int check_ready_made(const struct cookbook_spec *spec, struct err *err)
{
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
				return err_set(err, "argument '%s': -%c/%s is the ready-made one's",
					       arg->name, ready[i].letter, ready[i].name);
		}
	}
	return 0;
}

int spec_check(const struct cookbook_spec *spec, struct err *err)
{
	if (check_table(spec->args, spec->arg_count, spec->state_size, err) < 0 ||
	    check_groups(spec, spec->args, spec->arg_count, err) < 0 ||
	    check_subcommands(spec, err) < 0 || check_ready_made(spec, err) < 0)
		return -1;
	return check_fields(spec, err);
}
