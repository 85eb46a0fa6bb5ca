/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions for sets of hosts, of anybody: two, with a NUL between. What is taken folds to
 * itself, has the names it counts, and follows the laws of sets; what is not is refused in one
 * line.
 */
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/hostname.h"
#include "../../core/runtime/hostset.h"
#include "shown.h"

/* Larger sets are only made: what is tried with them takes longer than an input may. */
#define BYTES 20000
#define HOSTS 3000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hostset *parse(const char *text, size_t length)
{
	struct hostset *set = NULL;
	struct err err = {{0}};

	if (hostset_parse(text, length, &set, &err) == 0)
		return set;
	EXPECT(!set && err.text[0] && !strchr(err.text, '\n'));
	expect_shown(err.text, strlen(err.text));
	return NULL;
}

static struct hostset *combine(const struct hostset *a, const struct hostset *b,
			       struct boxes_kept kept)
{
	struct hostset *set = NULL;
	struct err err;

	EXPECT(hostset_combine(a, b, kept, &set, &err) == 0);
	return set;
}

static void expect_same(struct hostset *a, struct hostset *b)
{
	EXPECT(hostset_equal(a, b) && hostset_within(a, b) && hostset_within(b, a));
	hostset_free(a);
	hostset_free(b);
}

static void expect_folds(const struct hostset *set)
{
	struct buf text = {0};
	struct hostset *again;

	hostset_fold(set, &text);
	again = parse(buf_text(&text), text.length);
	EXPECT(again && hostset_equal(set, again));
	buf_free(&text);
	hostset_free(again);
}

/* In order, no two the same, and each is in the set. */
static void expect_names(const struct hostset *set)
{
	struct hostset_walk walk;
	struct hostset *slice;
	uint64_t count = 0;
	struct err err;

	hostset_walk_start(&walk, set);
	while (hostset_walk_next(&walk)) {
		struct hostname name;

		EXPECT(strlen(walk.name) == walk.length && hostset_has(set, walk.name));
		EXPECT(hostname_read(walk.name, walk.length, &name, NULL) == 0);
		EXPECT(hostset_slice(set, count, 1, &slice, &err) == 0);
		EXPECT(hostset_count(slice) == 1 && hostset_has(slice, walk.name));
		hostset_free(slice);
		count++;
	}
	EXPECT(count == hostset_count(set));
}

static void expect_slices(const struct hostset *set)
{
	uint64_t count = hostset_count(set);
	struct hostset *first, *second;
	struct err err;

	EXPECT(hostset_slice(set, 0, count / 3, &first, &err) == 0);
	EXPECT(hostset_slice(set, count / 3, count, &second, &err) == 0);
	EXPECT(hostset_count(first) == count / 3);
	EXPECT(hostset_count(second) == count - count / 3);
	expect_same(combine(first, second, HOSTSET_UNION), combine(set, set, HOSTSET_UNION));
	hostset_free(first);
	hostset_free(second);
}

static void expect_laws(const struct hostset *a, const struct hostset *b)
{
	struct hostset *both = combine(a, b, HOSTSET_INTERSECTION);
	struct hostset *either = combine(a, b, HOSTSET_SYMMETRIC);
	struct hostset *all = combine(a, b, HOSTSET_UNION);
	struct hostset *rest = combine(a, b, HOSTSET_MINUS);

	EXPECT(hostset_count(all) + hostset_count(both) == hostset_count(a) + hostset_count(b));
	EXPECT(hostset_count(rest) + hostset_count(both) == hostset_count(a));
	EXPECT(hostset_within(both, a) && hostset_within(both, b) && hostset_within(rest, a));
	expect_same(combine(either, both, HOSTSET_UNION), combine(b, a, HOSTSET_UNION));
	expect_same(combine(rest, both, HOSTSET_SYMMETRIC), combine(a, all, HOSTSET_INTERSECTION));
	hostset_free(both);
	hostset_free(either);
	hostset_free(all);
	hostset_free(rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *middle = size ? memchr(text, '\0', size) : NULL;
	size_t first = middle ? (size_t)(middle - text) : size;
	struct hostset *a = parse(text, first), *b = NULL;

	if (middle)
		b = parse(middle + 1, size - first - 1);
	if (a && hostset_bytes(a) < BYTES) {
		if (hostset_count(a) < HOSTS) {
			expect_folds(a);
			expect_names(a);
		}
		expect_slices(a);
		if (b && hostset_bytes(b) < BYTES &&
		    hostset_count(a) + hostset_count(b) < HOSTSET_MAX)
			expect_laws(a, b);
	}
	hostset_free(a);
	hostset_free(b);
	return 0;
}
