/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value types that an argument, a helper or an accessor may hold beside C's
 * own. Each is a structure of its own, so that a duration cannot be passed
 * where a number of hosts is meant.
 */
#ifndef SPICERACK_VALUE_H
#define SPICERACK_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A span of time. Since 1.0. */
typedef struct spk_duration {
	int64_t ns; /* nanoseconds, may be negative */
} spk_duration;

/* A day of the Gregorian calendar, without time or zone. Since 1.0. */
typedef struct spk_date {
	int64_t days; /* since 1970-01-01 */
} spk_date;

/* An instant. Since 1.0. */
typedef struct spk_time {
	int64_t ns; /* nanoseconds since 1970-01-01 00:00:00 UTC */
} spk_time;

/* A file name as the operator gave it, `~` expanded. Since 1.0. */
typedef struct spk_path {
	const char *text;
} spk_path;

/*
 * A counted list of strings. `items` may be NULL when `count` is 0 and holds no
 * terminating NULL. Whoever handed the list out owns it: the run, or a constant
 * of the cookbook. Since 1.0.
 */
typedef struct spk_strings {
	const char *const *items;
	size_t count;
} spk_strings;

/* Counted lists of numbers; ownership as for spk_strings. Since 1.0. */
typedef struct spk_ints {
	const long long *items;
	size_t count;
} spk_ints;

typedef struct spk_doubles {
	const double *items;
	size_t count;
} spk_doubles;

/* Durations as constants, usable in static tables too; the number may be of any arithmetic type. */
#define SPK_NANOSECONDS(n) ((spk_duration){(int64_t)(n)})
#define SPK_MILLISECONDS(n) ((spk_duration){(int64_t)((n)*1000000LL)})
#define SPK_SECONDS(n) ((spk_duration){(int64_t)((n)*1000000000LL)})
#define SPK_MINUTES(n) ((spk_duration){(int64_t)((n)*60000000000LL)})
#define SPK_HOURS(n) ((spk_duration){(int64_t)((n)*3600000000000LL)})
#define SPK_DAYS(n) ((spk_duration){(int64_t)((n)*86400000000000LL)})

/*
 * A constant list of strings as an initialiser or, with a cast, as a value:
 *
 *     .choices = SPK_LIST("codfw", "eqiad"),
 *
 * A missing comma glues two of the strings, which no compiler finds within a macro. So the
 * list's own source text stands in front of its first item, where `spicerack check` reads it in
 * a table; two literals that are meant to be one text are put into parentheses. Since 1.0.
 */
#define SPK_LIST(...) SPK_LIST_(#__VA_ARGS__, ##__VA_ARGS__)
#define SPK_LIST_(source, ...)                                                                     \
	{                                                                                          \
		.items = &(const char *const[]){SPK_LIST_MARK_ source, ##__VA_ARGS__}[1],          \
		.count = sizeof((const char *const[]){NULL, ##__VA_ARGS__}) /                      \
				 sizeof(const char *) -                                            \
			 1                                                                         \
	}
#define SPK_LIST_MARK_ "SPK_LIST "

/* The same as an expression, for a call: spk_join(spk, ",", SPK_STRINGS("a", "b")). Since 1.0. */
#define SPK_STRINGS(...)                                                                           \
	((spk_strings){.items = (const char *const[]){__VA_ARGS__},                                \
		       .count = sizeof((const char *const[]){__VA_ARGS__}) /                       \
				sizeof(const char *)})

/* Numbers likewise: .accepted = SPK_INTS(0, 1). Since 1.0. */
#define SPK_INTS(...)                                                                              \
	((spk_ints){.items = (const long long[]){__VA_ARGS__},                                     \
		    .count = sizeof((const long long[]){__VA_ARGS__}) / sizeof(long long)})

/* Attributes of the declarations in these headers. */
#define SPK_PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))
#define SPK_MUST_CHECK __attribute__((warn_unused_result))
#define SPK_NORETURN __attribute__((noreturn))
#define SPK_API __attribute__((visibility("default")))

#ifdef __cplusplus
}
#endif

#endif
