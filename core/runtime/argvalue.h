/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of arguments: from text to the field of a cookbook's structure. The
 * host uses it to refuse a wrong value, the worker to store the right one, the
 * SDK to read dates and durations.
 */
#ifndef SPICERACK_CORE_ARGVALUE_H
#define SPICERACK_CORE_ARGVALUE_H

#include <spicerack/argument.h>

#include "err.h"

/* One value, read. */
union argvalue {
	long long integer; /* SPK_TYPE_INT, LONG, LLONG, INTS, and bounds checked for the type */
	double real;       /* SPK_TYPE_DOUBLE, DOUBLES */
	spk_date date;
	spk_time time;
	spk_duration duration;
};

/*
 * Reads one value of a type. -1 when the text is none; the reason is for the SDK's
 * callers, argparse has words of its own. Strings, paths and custom types accept any text.
 */
MUST_CHECK int argvalue_read(enum spk_type type, const char *text, union argvalue *ret,
			     struct err *err);

int duration_read(const char *text, spk_duration *ret, struct err *err);
int date_read(const char *text, spk_date *ret, struct err *err);
int time_read(const char *text, spk_time *ret, struct err *err);

/* Room for any text of duration_text(). */
#define DURATION_TEXT_SIZE 64

/* As duration_read() reads it: `1h30m`, `2.5s`, `7d`, `0s`; with a minus sign when negative. */
void duration_text(spk_duration duration, char ret[DURATION_TEXT_SIZE]);

/* Room for any text of real_text(). */
#define REAL_TEXT_SIZE 48

/* The shortest text that reads back as the same number, as Python writes it: `0.1`, `2.0`, `1e-05`.
 */
void real_text(double value, char ret[REAL_TEXT_SIZE]);

/* The word argparse would use for the type in `invalid X value: 'text'`: "int", "float", "date" ...
 */
const char *argvalue_type_word(enum spk_type type);

/* Size in bytes of a field of this type; 0 for SPK_TYPE_CUSTOM. */
size_t argvalue_size(enum spk_type type);

/*
 * Stores what an argument was given into its field: `row` is the live row of the
 * cookbook, `texts` as in struct parsed_arg. `alloc(data, size)` gives zeroed memory that
 * outlives the field. Not for SPK_TYPE_CUSTOM. -1 with a reason for a text that does not
 * read (which argparse should have refused).
 */
MUST_CHECK int argvalue_store(const struct spk_arg *row, bool given, spk_strings texts, void *field,
			      void *(*alloc)(void *data, size_t size), void *data, struct err *err);

#endif
