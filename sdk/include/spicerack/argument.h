/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The argument table of a cookbook: constant data from which the host makes the
 * parser, the help, the completion and the man page without running the
 * cookbook, and from which the worker fills in the cookbook's structure.
 *
 *     struct route {
 *     	const char *service, *datacenter;
 *     	spk_duration grace;
 *     	bool force;
 *     };
 *
 *     static const struct spk_arg args[] = {
 *     	SPK_POSITIONAL(struct route, service, .help = "service to act on"),
 *     	SPK_POSITIONAL(struct route, datacenter, .choices = SPK_LIST("codfw", "eqiad")),
 *     	SPK_OPTION(struct route, grace, SPK_DEFAULT(SPK_MINUTES(2)), .help = "wait this long"),
 *     	SPK_OPTION(struct route, force, .letter = 'f', .help = "do not ask"),
 *     };
 *
 * The C type of a field is the type of its argument; a field that does not
 * exist, or of a type that is not listed at SPK_TYPE_OF(), does not compile.
 *
 * Every pointer in these tables must lead to constant data of the same .so. All
 * structures grow by appending only. The grammar, the order of the help and the
 * wording of usage errors are those of Python's argparse.
 */
#ifndef SPICERACK_ARGUMENT_H
#define SPICERACK_ARGUMENT_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* The type of a row, from the C type of the field. The numbers are ABI. */
enum spk_type {
	SPK_TYPE_STRING = 1, /* const char *: NULL when absent and without default */
	SPK_TYPE_FLAG = 2,   /* bool: an option without value */
	SPK_TYPE_INT = 3,    /* int, range-checked */
	SPK_TYPE_LONG = 4,   /* long, range-checked */
	SPK_TYPE_LLONG = 5,  /* long long, range-checked */
	SPK_TYPE_DOUBLE = 6, /* double: finite */
	SPK_TYPE_PATH = 7,   /* spk_path */
	SPK_TYPE_DATE = 8,   /* spk_date: YYYY-MM-DD */
	SPK_TYPE_TIME = 9,   /* spk_time: ISO 8601; UTC where it names no zone */
	/* spk_duration: 90, 1.5h, 20m, 1h30m, 7d; a bare number is seconds */
	SPK_TYPE_DURATION = 10,
	SPK_TYPE_STRINGS = 11, /* spk_strings: several values */
	SPK_TYPE_INTS = 12,    /* spk_ints: several values */
	SPK_TYPE_DOUBLES = 13, /* spk_doubles: several values */
	SPK_TYPE_CUSTOM = 14,  /* any type, filled in by .parse */
};

/* The enum spk_type of a field, by its C type: others do not compile. */
#define SPK_TYPE_OF(expression)                                                                    \
	_Generic((expression),                                                                     \
		const char *: SPK_TYPE_STRING,                                                     \
		bool: SPK_TYPE_FLAG,                                                               \
		int: SPK_TYPE_INT,                                                                 \
		long: SPK_TYPE_LONG,                                                               \
		long long: SPK_TYPE_LLONG,                                                         \
		double: SPK_TYPE_DOUBLE,                                                           \
		spk_path: SPK_TYPE_PATH,                                                           \
		spk_date: SPK_TYPE_DATE,                                                           \
		spk_time: SPK_TYPE_TIME,                                                           \
		spk_duration: SPK_TYPE_DURATION,                                                   \
		spk_strings: SPK_TYPE_STRINGS,                                                     \
		spk_ints: SPK_TYPE_INTS,                                                           \
		spk_doubles: SPK_TYPE_DOUBLES)

/* What a row is. The macros below set it. */
enum spk_form {
	SPK_FORM_POSITIONAL = 1,
	SPK_FORM_OPTION = 2,
	SPK_FORM_BLOCK = 3, /* the rows of .block, in a structure inside this one */
};

/* How many values an argument takes. */
enum spk_arity {
	SPK_ONE = 0, /* exactly one; for a list field: one or more */
	/* `?`: as an option without its value it reads .default_text and friends */
	SPK_ZERO_OR_ONE = 1,
	SPK_ZERO_OR_MORE = 2, /* `*`: list fields only */
	SPK_ONE_OR_MORE = 3,  /* `+`: list fields only */
};

/* Other readings of the text of a value. */
enum spk_reading {
	SPK_AS_IS = 0,
	/* List fields: each value may hold several, separated by commas; SPK_ONE: one value. */
	SPK_COMMA_LIST = 1,
	SPK_UPPER = 2, /* strings: ASCII letters made upper case */
	SPK_LOWER = 3,
	SPK_TASK_ID = 4, /* strings: T and 1 to 6 digits */
	SPK_REASON = 5,  /* strings: not empty, without a double quote */
};

/*
 * A bound of a number. Set it with SPK_AT_LEAST() and SPK_AT_MOST(). The bound
 * of a duration is given in seconds.
 */
struct spk_bound {
	uint32_t set;
	uint32_t reserved;
	long long integer;
	double real;
};

/*
 * A group of arguments, referred to by address: `.group = &target`. An exclusive
 * group accepts at most one of its arguments, and exactly one when required;
 * one positional of arity SPK_ZERO_OR_ONE may be among them. A titled group only
 * shows its rows under a title of their own in the help.
 *
 *     static const struct spk_group target = SPK_EXCLUSIVE(.required = true);
 *     static const struct spk_group tuning = SPK_TITLED("tuning", .description = "...");
 */
struct spk_group {
	uint32_t size; /* sizeof(struct spk_group) when the cookbook was built */
	bool exclusive;
	bool required;
	const char *title;
	const char *description;
};

#define SPK_EXCLUSIVE(...)                                                                         \
	{                                                                                          \
		.size = sizeof(struct spk_group), .exclusive = true, __VA_ARGS__                   \
	}
#define SPK_TITLED(text, ...)                                                                      \
	{                                                                                          \
		.size = sizeof(struct spk_group), .title = (text), __VA_ARGS__                     \
	}

struct spk_arg;

/* A table of rows: where, how many, and how large the builder believed a row to be. */
struct spk_arg_table {
	const struct spk_arg *rows;
	uint32_t count;
	uint32_t row_size;
};

#define SPK_TABLE(rows_)                                                                           \
	{                                                                                          \
		.rows = (rows_), .count = sizeof(rows_) / sizeof((rows_)[0]),                      \
		.row_size = sizeof((rows_)[0])                                                     \
	}

/*
 * A parser of an author's own: reads `text` into the field at `out`, whose type
 * it knows; to refuse the text it calls spk_fail() with the reason, which
 * becomes a usage error (exit 2). Runs in the worker, before `check` and
 * `prepare`, once per value. What it allocates comes from spk_alloc().
 */
typedef void spk_parse_function(struct spk *spk, const char *text, void *out);

/*
 * A computed default: fills in the field at `out`, already zeroed. Runs in the
 * worker when the operator gave no value. The help says "(default: computed)".
 */
typedef void spk_default_function(struct spk *spk, void *out);

/* One argument. Fill it in with the macros below; members may be set by name after the field. */
struct spk_arg {
	/* The field: `wipe_cache` is --wipe-cache, or the positional wipe_cache. */
	const char *name;
	const char *help; /* may use %(default)s, %(choices)s, %(prog)s; a percent sign is %% */
	const char *metavar;
	uint64_t offset; /* of the field in its structure */
	uint32_t form;   /* enum spk_form */
	uint32_t type;   /* enum spk_type */
	uint32_t arity;  /* enum spk_arity */
	uint32_t as;     /* enum spk_reading */
	char letter;     /* short name of an option: 'f' is -f */
	bool required;   /* options only */
	bool hidden;     /* left out of usage and help */
	bool repeat;     /* options with a list field: each use adds one value */
	bool off;        /* flags: true unless given, which makes it false */
	bool has_default;
	bool has_range;
	bool reserved_;
	spk_strings names;   /* long names instead of the field's: SPK_LIST("--yes", "--force") */
	spk_strings choices; /* each value must be one of these */
	const char *choices_from; /* or of this list of the configuration, as "sites.core" */
	long long range_first, range_last; /* or of these numbers: SPK_RANGE() */
	struct spk_bound min, max;
	const char *pattern; /* each value must match this PCRE2 pattern as a whole */
	long long default_int;
	double default_double;
	const char *default_text; /* for strings, paths, dates and times: as typed on the command
				     line */
	spk_duration default_duration;
	spk_strings default_list; /* for list fields: each as typed on the command line */
	spk_default_function *default_from;
	spk_parse_function *parse;
	const struct spk_group *group;
	const struct spk_arg_table *block; /* SPK_FORM_BLOCK */
};

#define SPK_FIELD_(T, field) .name = #field, .offset = offsetof(T, field)

/* A positional argument held by the member `field` of the structure type T. Since 1.0. */
#define SPK_POSITIONAL(T, field, ...)                                                              \
	{                                                                                          \
		SPK_FIELD_(T, field), .form = SPK_FORM_POSITIONAL,                                 \
				      .type = SPK_TYPE_OF(((T *)0)->field), ##__VA_ARGS__          \
	}

/* An option: `--field`, and `-l` with `.letter = 'l'`. Since 1.0. */
#define SPK_OPTION(T, field, ...)                                                                  \
	{                                                                                          \
		SPK_FIELD_(T, field), .form = SPK_FORM_OPTION,                                     \
				      .type = SPK_TYPE_OF(((T *)0)->field), ##__VA_ARGS__          \
	}

/* The same for a field of any type, read by a spk_parse_function. Since 1.0. */
#define SPK_POSITIONAL_PARSED(T, field, function, ...)                                             \
	{                                                                                          \
		SPK_FIELD_(T, field), .form = SPK_FORM_POSITIONAL, .type = SPK_TYPE_CUSTOM,        \
				      .parse = (function), ##__VA_ARGS__                           \
	}
#define SPK_OPTION_PARSED(T, field, function, ...)                                                 \
	{                                                                                          \
		SPK_FIELD_(T, field), .form = SPK_FORM_OPTION, .type = SPK_TYPE_CUSTOM,            \
				      .parse = (function), ##__VA_ARGS__                           \
	}

/*
 * A block of arguments shared by several cookbooks: `field` is a structure
 * inside T, `table` a `static const struct spk_arg_table` from a header whose
 * rows name members of that structure. Blocks do not nest. Since 1.0.
 */
#define SPK_BLOCK(T, field, table)                                                                 \
	{                                                                                          \
		SPK_FIELD_(T, field), .form = SPK_FORM_BLOCK, .block = &(table)                    \
	}

/*
 * A default by value: a number (int, long, long long, double), a string or a duration. What is of
 * another type, as 10U and 0.5f are, does not compile. Since 1.0.
 */
#define SPK_DEFAULT(value)                                                                         \
	.has_default = true,                                                                       \
	.default_int = _Generic((value), int: (value), long: (value), long long: (value), double: 0, \
				char *: 0, const char *: 0, spk_duration: 0), \
	.default_double = _Generic((value), int: (value), long: (value), double: (value), default: 0), \
	.default_text = _Generic((value), char *: (value), const char *: (value), default: NULL), \
	.default_duration =                                                                        \
		_Generic((value), spk_duration: (value), default: (spk_duration){0})

/* A default for a list field: SPK_DEFAULT_LIST("a", "b"). Since 1.0. */
#define SPK_DEFAULT_LIST(...)                                                                      \
	.has_default = true, .default_list = SPK_LIST_(#__VA_ARGS__, ##__VA_ARGS__)

/* Choices that are the numbers from `first` to `last`, shown as such in the help. Since 1.0. */
#define SPK_RANGE(first, last) .has_range = true, .range_first = (first), .range_last = (last)

#define SPK_BOUND_(value)                                                                          \
	{                                                                                          \
		.set = 1, .integer = (long long)(value), .real = (double)(value)                   \
	}
#define SPK_AT_LEAST(value) .min = SPK_BOUND_(value)
#define SPK_AT_MOST(value) .max = SPK_BOUND_(value)

/*
 * What the whole command line must satisfy, as data. `first` and `second` are
 * members of the cookbook's structure, so that a misspelt one does not compile.
 * A rule counts an argument as given when it stood on the command line.
 */
enum spk_rule_kind {
	SPK_RULE_REQUIRES = 1,    /* first given: second must be given */
	SPK_RULE_CONFLICTS = 2,   /* not both given */
	SPK_RULE_DIFFER = 3,      /* both given or defaulted: the texts must differ */
	SPK_RULE_REQUIRED_IF = 4, /* first has the text `value`: second must be given */
	/* first has another text than `value`: second must be given */
	SPK_RULE_REQUIRED_UNLESS = 5,
};

struct spk_rule {
	uint32_t kind; /* enum spk_rule_kind */
	uint32_t reserved;
	uint64_t first, second; /* offsets in the cookbook's structure */
	const char *value;
};

struct spk_rule_table {
	const struct spk_rule *rows;
	uint32_t count;
	uint32_t row_size;
};

#define SPK_RULE_(kind_, T, first_, second_, value_)                                               \
	{                                                                                          \
		.kind = (kind_), .first = offsetof(T, first_), .second = offsetof(T, second_),     \
		.value = (value_)                                                                  \
	}
#define SPK_REQUIRES(T, first, second) SPK_RULE_(SPK_RULE_REQUIRES, T, first, second, NULL)
#define SPK_CONFLICTS(T, first, second) SPK_RULE_(SPK_RULE_CONFLICTS, T, first, second, NULL)
#define SPK_DIFFER(T, first, second) SPK_RULE_(SPK_RULE_DIFFER, T, first, second, NULL)
#define SPK_REQUIRED_IF(T, first, text, second)                                                    \
	SPK_RULE_(SPK_RULE_REQUIRED_IF, T, first, second, text)
#define SPK_REQUIRED_UNLESS(T, first, text, second)                                                \
	SPK_RULE_(SPK_RULE_REQUIRED_UNLESS, T, first, second, text)

/*
 * One subcommand, with a structure of its own inside the cookbook's: `field` is
 * a member of T (usually of a union in it) and the rows of `table` name members
 * of that member. See SPK_SUBCOMMANDS(). Since 1.0.
 */
struct spk_subcommand {
	const char *name; /* as the operator types it */
	const char *help;
	uint64_t offset; /* of its structure in the cookbook's */
	struct spk_arg_table arguments;
};

struct spk_subcommand_table {
	const struct spk_subcommand *rows;
	uint32_t count;
	uint32_t row_size;
};

#define SPK_SUBCOMMAND(T, field, name_, table, ...)                                                \
	{                                                                                          \
		.name = (name_), .offset = offsetof(T, field), .arguments = SPK_TABLE(table),      \
		##__VA_ARGS__                                                                      \
	}
/* A subcommand that takes no argument. */
#define SPK_SUBCOMMAND_BARE(name_, ...)                                                            \
	{                                                                                          \
		.name = (name_), ##__VA_ARGS__                                                     \
	}

#ifdef __cplusplus
}
#endif

#endif
