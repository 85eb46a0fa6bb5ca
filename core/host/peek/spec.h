/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cookbook as the host knows it without running it: the descriptor read from
 * the file, in the host's own memory, with blocks of arguments laid flat and
 * offsets counted from the cookbook's structure.
 */
#ifndef SPICERACK_HOST_SPEC_H
#define SPICERACK_HOST_SPEC_H

#include <spicerack/argument.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../runtime/err.h"
#include "../check/finding.h"

/* What tells one file from another, checked again by the runner after it opened the file. */
struct file_identity {
	uint64_t device, inode, size;
	int64_t mtime_ns;
	uint32_t build_id_length;
	unsigned char build_id[64];
};

#define FILE_BUILD_ID_SIZE (2 * 64 + 1)

/* The build-id in hexadecimal, in `out`; NULL: there is none. */
const char *file_build_id(const struct file_identity *identity,
			  char out[static FILE_BUILD_ID_SIZE]);

/* What a text of the host's own command lines stands for, so that completion can name some. */
enum arg_meaning {
	ARG_ANYTHING,
	ARG_FILE,
	ARG_DIRECTORY,
	ARG_COOKBOOK,
	ARG_RUN,
	ARG_RUN_ALIVE, /* one that goes on */
	ARG_RUN_OWED,  /* one that owes a rollback */
	ARG_LOCK,
	ARG_LOCK_ENTRY, /* of the lock before it */
	ARG_FINDING,
	ARG_KEY,   /* of conftool's store */
	ARG_QUERY, /* for hosts */
};

struct group_spec {
	const char *title, *description; /* NULL: none */
	bool exclusive, required;
};

struct arg_spec {
	/* Copied from struct spk_arg: same names, same meaning. */
	const char *name, *help, *metavar;
	uint64_t offset;    /* from the start of the cookbook's structure */
	enum spk_form form; /* never SPK_FORM_BLOCK */
	enum spk_type type;
	enum spk_arity arity;
	enum spk_reading as;
	char letter;
	bool required, hidden, repeat, off, has_default, has_range;
	bool default_computed; /* .default_from is there */
	bool has_parse;        /* .parse is there */
	spk_strings names, choices;
	const char *choices_from;
	long long range_first, range_last;
	struct spk_bound min, max;
	const char *pattern;
	long long default_int;
	double default_double;
	const char *default_text;
	spk_duration default_duration;
	spk_strings default_list;
	int group;                /* index in cookbook_spec.groups, -1: none */
	uint64_t row_address;     /* of its struct spk_arg, as a virtual address in the file */
	uint64_t row_size;        /* as the cookbook's builder knew it */
	enum arg_meaning meaning; /* never read from a file */
};

struct rule_spec {
	enum spk_rule_kind kind;
	const struct arg_spec *first, *second;
	const char *value;
};

struct subcommand_spec {
	const char *name, *help;
	const struct arg_spec *args;
	size_t arg_count;
};

/* A cookbook that it runs, by SPK_CALL(). */
struct call_spec {
	const char *name;
	spk_strings args;
	uint64_t row_address;
};

struct cookbook_spec {
	const char *symbol; /* "spk_cookbook" or "spk_cookbook_NAME" */
	/*
	 * NULL: none. Fit to be printed: title and owner are one line, and what could move a
	 * cursor is escaped in them, in the description and in every help.
	 */
	const char *title, *owner, *description;
	bool title_changed, owner_changed; /* it had more lines or unprintable characters */
	uint64_t state_size;
	uint64_t address; /* of the descriptor in the file */
	uint64_t subcommand_offset;
	const struct arg_spec *args;
	size_t arg_count;
	const struct group_spec *groups;
	size_t group_count;
	const struct rule_spec *rules;
	size_t rule_count;
	const struct subcommand_spec *subcommands;
	size_t subcommand_count;
	bool has_calls; /* read only for a check */
	const struct call_spec *calls;
	size_t call_count;
	uint32_t task_id, reason; /* enum spk_presence */
	int32_t max_concurrency;
	bool skip_start;
	spk_duration lock_ttl, timeout;
	bool has_check, has_prepare, has_describe, has_lock, has_run, has_rollback;
};

/*
 * Receives what is wrong with the tables. `text` is the whole reason, naming the argument; `arg` is
 * its row, NULL when it is about something else.
 */
typedef void spec_flaw(void *data, enum finding_kind kind, const struct arg_spec *arg,
		       const char *text);

/*
 * Judges whether the tables make sense, so that the parser of arguments may trust them: values
 * of enumerations known, fields within the structure and apart from each other, names and letters
 * sane and used once, attributes of the right types. -1 when `flaw` was called, for the first
 * flaw of each row. Rules are not judged: they were resolved when read.
 */
MUST_CHECK int spec_check(const struct cookbook_spec *spec, spec_flaw *flaw, void *data);

/* [A-Za-z0-9][A-Za-z0-9_-]* of at most 64 characters: a field, a subcommand, a long name behind its
 * `--`. */
bool spec_name_is_sane(const char *name);

#endif
