/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions for sets of hosts. */
#include "hostset.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostblock.h"
#include "hostglob.h"
#include "hostname.h"
#include "hostparts.h"
#include "printable.h"

#define OPERATORS ",!&^"
#define BLANKS " \t\n\r\f\v"

/* One name with ranges, being read. */
struct operand {
	const char *start, *at, *end;
	char text[HOSTSET_NAME_MAX + 1];        /* as in hostblock.h */
	size_t length;                          /* of `text` */
	size_t longest;                         /* how long a name of it may be */
	struct boxes numbers[BOXES_DIMENSIONS]; /* of one dimension each */
	unsigned int dimensions;
	bool globs;                  /* `*` and `?` may be in it */
	const struct hostset *known; /* whom they stand for; NULL: themselves */
	bool is_pattern;
	struct err *err;
};

/* A number with its digits, as written. */
struct digits {
	const char *text;
	size_t length;
	uint64_t value;
};

/* Sets of the same operator that follow each other, put together before the operator is applied. */
struct evaluation {
	struct hostset *result; /* NULL: nothing yet */
	struct hostparts parts;
	char sign; /* the operator, for `parts` */
};

static int refuse(const struct operand *operand, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

static int refuse(const struct operand *operand, const char *format, ...)
{
	char shown[HOSTNAME_SHOWN_SIZE], why[256];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return err_set(
		operand->err, "'%s' is not a set of hosts: %s",
		hostname_shown(operand->start, (size_t)(operand->end - operand->start), shown),
		why);
}

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

static void skip_blanks(const char **at, const char *end)
{
	while (*at < end && is_blank(**at))
		(*at)++;
}

/* Their value means nothing where there are more than DIGITS_MAX. */
static struct digits digits_of(const char *text, size_t length)
{
	struct digits digits = {.text = text, .length = length};

	for (size_t i = 0; i < length; i++)
		digits.value = digits.value * 10 + (uint64_t)(text[i] - '0');
	return digits;
}

/* The digits at *at, which stands behind them and the blanks after them then. */
static int read_digits(struct operand *operand, const char **at, const char *end,
		       struct digits *ret)
{
	char shown[HOSTNAME_SHOWN_SIZE];

	skip_blanks(at, end);
	*ret = digits_of(*at, digits_span(*at, end));
	if (*at == end)
		return refuse(operand, "a range has no number");
	if (ret->length == 0)
		return refuse(operand, "no number begins with '%s'", hostname_shown(*at, 1, shown));
	if (ret->length > DIGITS_MAX)
		return refuse(operand, "a number has more than %d digits", DIGITS_MAX);
	*at += ret->length;
	skip_blanks(at, end);
	return 0;
}

static bool is_padded(const struct digits *digits)
{
	return digits->length > 1 && digits->text[0] == '0';
}

/* What is around the brackets: db1[0-9]5 has 1 before and 5 behind. */
struct around {
	struct digits before, behind;
};

/* The number of what is written around a value of `length` digits. */
static uint64_t number_around(const struct around *around, uint64_t value, size_t length)
{
	size_t behind = around->behind.length;

	return digits_of_value(around->before.value * digits_power(length + behind) +
				       value * digits_power(behind) + around->behind.value,
			       around->before.length + length + behind);
}

static size_t length_of_value(uint64_t value)
{
	size_t length = 1;

	while (length < DIGITS_MAX && value >= digits_power(length))
		length++;
	return length;
}

/* Adds the numbers from `first` to `last` in steps, of at least `length` digits. */
static void add_steps(struct boxes *numbers, const struct around *around, uint64_t first,
		      uint64_t last, uint64_t step, size_t length)
{
	for (uint64_t value = first;; value += step) {
		size_t own = length_of_value(value);
		uint64_t number = number_around(around, value, own > length ? own : length);

		boxes_add(numbers, &(struct range){number, number}, 1);
		if (last - value < step)
			return;
	}
}

/* Without steps: a range for each length that the numbers have. */
static void add_range(struct boxes *numbers, const struct around *around, uint64_t first,
		      uint64_t last, size_t length)
{
	for (;; length++) {
		uint64_t end = digits_power(length) - 1;

		if (end > last)
			end = last;
		boxes_add(numbers,
			  &(struct range){number_around(around, first, length),
					  number_around(around, end, length)},
			  1);
		if (end == last)
			return;
		first = end + 1;
	}
}

/* One of the ranges between brackets: 5, 01-10, 0-8/2. Counts what it stands for. */
static int read_range(struct operand *operand, const char *at, const char *end,
		      const struct around *around, struct boxes *numbers, uint64_t *count)
{
	struct digits first, last, step = {.value = 1};

	if (read_digits(operand, &at, end, &first) < 0)
		return -1;
	last = first;
	if (at < end && *at == '-') {
		at++;
		if (read_digits(operand, &at, end, &last) < 0)
			return -1;
	}
	if (at < end && *at == '/') {
		at++;
		if (read_digits(operand, &at, end, &step) < 0)
			return -1;
	}
	if (at < end)
		return refuse(operand, "a range is FIRST-LAST or FIRST-LAST/STEP");
	if ((is_padded(&first) || is_padded(&last)) && first.length != last.length)
		return refuse(operand, "the ends of '%.*s-%.*s' have not the same length",
			      (int)first.length, first.text, (int)last.length, last.text);
	if (first.value > last.value)
		return refuse(operand, "'%.*s-%.*s' ends before it begins", (int)first.length,
			      first.text, (int)last.length, last.text);
	if (step.value == 0 || (step.value > 1 && last.text == first.text))
		return refuse(operand, step.value ? "a step needs a range" : "a step is 0");
	*count += (last.value - first.value) / step.value + 1;
	if (*count > HOSTSET_MAX)
		return refuse(operand, "it has more than %d hosts", HOSTSET_MAX);
	if (around->before.length && first.length != last.length)
		return refuse(operand,
			      "a digit stands before '%.*s-%.*s', whose ends have not the same "
			      "length",
			      (int)first.length, first.text, (int)last.length, last.text);
	if (around->before.length + last.length + around->behind.length > DIGITS_MAX)
		return refuse(operand, "a number has more than %d digits", DIGITS_MAX);
	if (step.value > 1 || around->behind.length)
		add_steps(numbers, around, first.value, last.value, step.value, first.length);
	else
		add_range(numbers, around, first.value, last.value, first.length);
	return 0;
}

static int add_text(struct operand *operand, const char *text, size_t length)
{
	if (operand->longest + length > HOSTSET_NAME_MAX)
		return refuse(operand, "a name would have more than %d characters",
			      HOSTSET_NAME_MAX);
	memcpy(operand->text + operand->length, text, length);
	operand->length += length;
	operand->longest += length;
	return 0;
}

/* A mark for a number that may have as many digits. */
static int add_mark(struct operand *operand, size_t digits)
{
	static const char mark = HOSTBLOCK_MARK;

	operand->longest += digits - 1;
	operand->dimensions++;
	return add_text(operand, &mark, 1);
}

/* The brackets at `at`, with `before` digits before them. */
static int read_brackets(struct operand *operand, size_t before)
{
	const char *open = operand->at + before;
	const char *close = memchr(open, ']', (size_t)(operand->end - open));
	struct boxes *numbers = &operand->numbers[operand->dimensions];
	struct around around = {0};
	const char *at, *comma;
	uint64_t count = 0;
	size_t behind;

	if (!close)
		return refuse(operand, "a bracket is not closed");
	if (memchr(open + 1, '[', (size_t)(close - open - 1)))
		return refuse(operand, "a bracket is opened within brackets");
	behind = digits_span(close + 1, operand->end);
	if (close + 1 + behind < operand->end && close[1 + behind] == '[')
		return refuse(operand, "only digits stand between two pairs of brackets");
	if (operand->dimensions == BOXES_DIMENSIONS)
		return refuse(operand, "it has more than %d numbers", BOXES_DIMENSIONS);
	if (before + behind >= DIGITS_MAX)
		return refuse(operand, "a number has more than %d digits", DIGITS_MAX);
	around.before = digits_of(operand->at, before);
	around.behind = digits_of(close + 1, behind);
	boxes_clear(numbers, 1);
	for (at = open + 1; at <= close; at = comma + 1) {
		comma = memchr(at, ',', (size_t)(close - at));
		if (!comma)
			comma = close;
		if (read_range(operand, at, comma, &around, numbers, &count) < 0)
			return -1;
	}
	if (boxes_settle(numbers) < 0)
		return refuse(operand, "it has more than %zu separate ranges", BOXES_MAX);
	operand->at = close + 1 + behind;
	return add_mark(operand, digits_length(numbers->ranges[numbers->count - 1].high));
}

/* The digits at `at`, alone. */
static int read_number(struct operand *operand, size_t digits)
{
	struct boxes *numbers = &operand->numbers[operand->dimensions];
	const char *at = operand->at;
	uint64_t number;

	operand->at += digits;
	if (digits > DIGITS_MAX || operand->dimensions == BOXES_DIMENSIONS)
		return add_text(operand, at, digits);
	number = digits_number(at, digits);
	boxes_clear(numbers, 1);
	boxes_add(numbers, &(struct range){number, number}, 1);
	return add_mark(operand, digits);
}

static int read_character(struct operand *operand)
{
	char shown[HOSTNAME_SHOWN_SIZE], c = *operand->at;

	if (c == ']')
		return refuse(operand, "a bracket is closed that was not opened");
	if (is_blank(c))
		return refuse(operand, "a blank stands in it");
	if (operand->globs && c && strchr(HOSTGLOB_CHARACTERS, c))
		return add_text(operand, operand->at++, 1);
	if (!hostname_may_have(c))
		return refuse(operand, "'%s' may not be in the name of a host",
			      hostname_shown(operand->at, 1, shown));
	if (operand->at == operand->start && !hostname_may_begin(c))
		return refuse(operand, "the name of a host does not begin with '%c'", c);
	return add_text(operand, operand->at++, 1);
}

/* The end of the operand: the next operator that is not between brackets. */
static const char *operand_end(const char *at, const char *end)
{
	bool within = false;

	for (; at < end; at++) {
		if (*at == '[' || *at == ']')
			within = *at == '[';
		else if (!within && *at && strchr(OPERATORS, *at))
			break;
	}
	return at;
}

/* The boxes of all combinations of what the dimensions have, in order. */
static int multiply(struct operand *operand, struct boxes *out)
{
	size_t place[BOXES_DIMENSIONS] = {0};
	struct range box[BOXES_DIMENSIONS];
	uint64_t hosts = 1;
	unsigned int i;

	boxes_clear(out, operand->dimensions);
	for (i = 0; i < operand->dimensions; i++) {
		hosts *= boxes_vectors(&operand->numbers[i]);
		if (hosts > HOSTSET_MAX)
			return refuse(operand, "it has more than %d hosts", HOSTSET_MAX);
	}
	do {
		for (i = 0; i < operand->dimensions; i++)
			box[i] = operand->numbers[i].ranges[place[i]];
		boxes_add(out, box, 1);
		for (i = operand->dimensions; i > 0; i--) {
			if (++place[i - 1] < operand->numbers[i - 1].count)
				break;
			place[i - 1] = 0;
		}
	} while (i > 0 && !out->full);
	return 0;
}

static bool has_globs(const struct operand *operand)
{
	for (const char *at = operand->start; at < operand->end; at++)
		if (*at && strchr(HOSTGLOB_CHARACTERS, *at))
			return true;
	return false;
}

/* Adds the known hosts that match. */
static int add_matching(const struct operand *operand, struct hostparts *parts)
{
	struct hostset_walk walk;

	hostset_walk_start(&walk, operand->known);
	while (hostset_walk_next(&walk) && !parts->full)
		if (hostglob_matches(operand->text, operand->numbers, walk.name, walk.length) &&
		    hostparts_add_name(parts, walk.name, walk.length, operand->err) < 0)
			return -1;
	return 0;
}

/* Digits are numbers for a set, and characters for a pattern. */
static int read_digits_alone(struct operand *operand, size_t digits)
{
	const char *at = operand->at;

	if (!operand->is_pattern)
		return read_number(operand, digits);
	operand->at += digits;
	return add_text(operand, at, digits);
}

static int read_operand(struct operand *operand, struct boxes *boxes, struct hostparts *parts)
{
	operand->at = operand->start;
	operand->length = operand->longest = 0;
	operand->dimensions = 0;
	operand->is_pattern = operand->known && has_globs(operand);
	while (operand->at < operand->end) {
		size_t digits = digits_span(operand->at, operand->end);
		int rc;

		if (operand->at + digits < operand->end && operand->at[digits] == '[')
			rc = read_brackets(operand, digits);
		else
			rc = digits ? read_digits_alone(operand, digits) : read_character(operand);
		if (rc < 0)
			return -1;
	}
	operand->text[operand->length] = '\0';
	if (operand->is_pattern) {
		if (add_matching(operand, parts) < 0)
			return -1;
	} else {
		if (multiply(operand, boxes) < 0)
			return -1;
		hostparts_add(parts, operand->text, boxes);
	}
	return parts->full ? refuse(operand, "with it there are more than %zu separate ranges",
				    BOXES_MAX)
			   : 0;
}

/* Applies the operator to what was collected for it. */
static int apply(struct evaluation *evaluation, struct err *err)
{
	struct boxes_kept kept = evaluation->sign == '!'   ? HOSTSET_MINUS
				 : evaluation->sign == '&' ? HOSTSET_INTERSECTION
				 : evaluation->sign == '^' ? HOSTSET_SYMMETRIC
							   : HOSTSET_UNION;
	struct hostset *operand, *result;
	int rc;

	if (hostparts_finish(&evaluation->parts, &operand, err) < 0)
		return -1;
	if (!evaluation->result) {
		evaluation->result = operand;
		return 0;
	}
	rc = hostset_combine(evaluation->result, operand, kept, &result, err);
	hostset_free(operand);
	if (rc == 0) {
		hostset_free(evaluation->result);
		evaluation->result = result;
	}
	return rc;
}

static int evaluate(struct evaluation *evaluation, struct operand *operand, struct boxes *boxes,
		    const char *text, const char *end)
{
	const char *whole = text;

	evaluation->sign = ',';
	for (;;) {
		const char *next = operand_end(text, end);

		skip_blanks(&text, next);
		operand->start = text;
		operand->end = next;
		while (operand->end > text && is_blank(operand->end[-1]))
			operand->end--;
		if (text == operand->end) {
			char shown[HOSTNAME_SHOWN_SIZE];

			return err_set(operand->err,
				       "'%s' is not a set of hosts: nothing stands %s a '%c'",
				       hostname_shown(whole, (size_t)(end - whole), shown),
				       next < end ? "before" : "behind",
				       next < end ? *next : evaluation->sign);
		}
		if (read_operand(operand, boxes, &evaluation->parts) < 0)
			return -1;
		/* a ! b ! c is a ! (b, c). */
		if (next == end || *next != evaluation->sign || *next == '&' || *next == '^') {
			if (apply(evaluation, operand->err) < 0)
				return -1;
		}
		if (next == end)
			return 0;
		evaluation->sign = *next;
		text = next + 1;
	}
}

static int parse(const char *text, size_t length, struct operand *operand, struct hostset **ret,
		 struct err *err)
{
	struct evaluation evaluation = {0};
	const char *start = text, *end = text + length;
	struct boxes boxes = {0};
	int rc;

	operand->err = err;
	skip_blanks(&start, end);
	if (start == end)
		rc = apply(&evaluation, err);
	else
		rc = evaluate(&evaluation, operand, &boxes, text, end);
	for (unsigned int i = 0; i < BOXES_DIMENSIONS; i++)
		boxes_free(&operand->numbers[i]);
	boxes_free(&boxes);
	hostparts_free(&evaluation.parts);
	if (rc < 0)
		hostset_free(evaluation.result);
	else
		*ret = evaluation.result;
	return rc;
}

int hostset_parse(const char *text, size_t length, struct hostset **ret, struct err *err)
{
	struct operand operand = {0};

	return parse(text, length, &operand, ret, err);
}

int hostset_parse_globs(const char *text, size_t length, const struct hostset *known,
			struct hostset **ret, struct err *err)
{
	struct operand operand = {.globs = true, .known = known};

	return parse(text, length, &operand, ret, err);
}

int hostset_of(const char *const *names, size_t count, struct hostset **ret, struct err *err)
{
	struct hostparts parts = {0};

	for (size_t i = 0; i < count; i++) {
		if (hostparts_add_name(&parts, names[i], strlen(names[i]), err) < 0) {
			hostparts_free(&parts);
			return -1;
		}
	}
	return hostparts_finish(&parts, ret, err);
}
