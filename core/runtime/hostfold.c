/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of hosts as text. */
#include <string.h>

#include "hostblock.h"
#include "hostvectors.h"

/* Ranges of digits being written, as ClusterShell cuts them. */
struct folding {
	struct buf *out;
	bool any;      /* something was written */
	bool open;     /* a range begins at `first` */
	bool single;   /* it has one number so far */
	bool padded;   /* it goes on with numbers of `length` digits only, ... */
	size_t length; /* ... else with any that is not padded */
	uint64_t first, last;
};

static void write_digits(struct buf *out, uint64_t number)
{
	char digits[DIGITS_MAX];

	buf_add(out, digits, digits_text(number, digits));
}

static void close_range(struct folding *folding)
{
	if (!folding->open)
		return;
	if (folding->any)
		buf_putc(folding->out, ',');
	folding->any = true;
	write_digits(folding->out, folding->first);
	if (folding->first != folding->last) {
		buf_putc(folding->out, '-');
		write_digits(folding->out, folding->last);
	}
}

static bool is_padded(uint64_t number, size_t length)
{
	return length > 1 && digits_value(number) < digits_power(length - 1);
}

/*
 * Adds a range of numbers of one length. It goes on with the range before where that ends right
 * before it, without leading zeros in either. What single numbers stand in a row are all as
 * padded as the first of them: behind 05 and 10, 10-99 and 100 are two.
 */
static void add_range(struct folding *folding, uint64_t first, uint64_t last)
{
	size_t length = digits_length(first);
	bool padded = is_padded(first, length);
	bool other = folding->padded ? length != folding->length : padded;

	if (folding->open && !other && digits_value(first) == digits_value(folding->last) + 1) {
		folding->single = false;
		folding->last = last;
		return;
	}
	close_range(folding);
	if (!folding->open || other || !folding->single) {
		folding->padded = padded;
		folding->length = length;
	}
	folding->open = true;
	folding->single = first == last;
	folding->first = first;
	folding->last = last;
}

static void fold_numbers(const struct boxes *set, struct buf *out)
{
	struct folding folding = {.out = out};

	for (size_t i = 0; i < set->count; i++) {
		uint64_t first = set->ranges[i].low, last = set->ranges[i].high;

		while (first <= last) {
			size_t length = digits_length(first);
			uint64_t end = digits_of_value(digits_power(length) - 1, length);

			if (end > last)
				end = last;
			add_range(&folding, first, end);
			first = end + 1;
		}
	}
	close_range(&folding);
}

/* The text with a set for each mark. */
static void fold_vector(const char *text, const struct boxes *set, struct buf *out)
{
	const char *mark;

	for (; (mark = strchr(text, HOSTBLOCK_MARK)); text = mark + 1, set++) {
		bool several = set->count > 1 || set->ranges[0].low != set->ranges[0].high;

		buf_add(out, text, (size_t)(mark - text));
		if (several)
			buf_putc(out, '[');
		fold_numbers(set, out);
		if (several)
			buf_putc(out, ']');
	}
	buf_puts(out, text);
}

static void fold_part(const char *text, const struct boxes *boxes, struct buf *out)
{
	struct hostvectors vectors;

	if (boxes->dimensions < 2) {
		fold_vector(text, boxes, out);
		return;
	}
	hostvectors_make(boxes, &vectors);
	for (size_t i = 0; i < vectors.count; i++) {
		if (i > 0)
			buf_putc(out, ',');
		fold_vector(text, vectors.items[i]->sets, out);
	}
	hostvectors_free(&vectors);
}

void hostset_fold(const struct hostset *set, struct buf *out)
{
	for (size_t i = 0; i < set->parts; i++) {
		struct boxes boxes = hostblock_boxes(set, i);

		if (i > 0)
			buf_putc(out, ',');
		fold_part(hostblock_text(set, i), &boxes, out);
	}
}
