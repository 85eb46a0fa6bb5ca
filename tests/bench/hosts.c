/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-hosts-set: reads an expression for a set of hosts from stdin. Prints its hosts, the bytes
 * of the set, and in microseconds how long it takes to read it, to fold it, to walk over its names,
 * and to make its union with half of itself; then the largest resident set in KiB.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "../../core/runtime/hostset.h"

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

static void read_all(struct buf *text)
{
	char some[65536];
	size_t length;

	while ((length = fread(some, 1, sizeof(some), stdin)) > 0)
		buf_add(text, some, length);
}

static int fail(const struct err *err)
{
	fprintf(stderr, "bench-hosts-set: %s\n", err->text);
	return 1;
}

int main(void)
{
	struct hostset *set, *half, *both;
	struct buf text = {0}, folded = {0};
	struct hostset_walk walk;
	int64_t begin, took[4];
	struct rusage usage;
	size_t length = 0;
	struct err err;

	read_all(&text);
	begin = now();
	if (hostset_parse(buf_text(&text), text.length, &set, &err) < 0)
		return fail(&err);
	took[0] = now() - begin;
	buf_free(&text);
	begin = now();
	hostset_fold(set, &folded);
	took[1] = now() - begin;
	buf_free(&folded);
	begin = now();
	hostset_walk_start(&walk, set);
	while (hostset_walk_next(&walk))
		length += walk.length;
	took[2] = now() - begin;
	if (hostset_slice(set, hostset_count(set) / 4, hostset_count(set) / 2, &half, &err) < 0)
		return fail(&err);
	begin = now();
	if (hostset_combine(set, half, HOSTSET_UNION, &both, &err) < 0)
		return fail(&err);
	took[3] = now() - begin;
	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " %zu", hostset_count(set), hostset_bytes(set));
	for (int i = 0; i < 4; i++)
		printf(" %" PRId64, took[i]);
	printf(" %ld\n", usage.ru_maxrss);
	if (!hostset_equal(both, set) || !length)
		return 1;
	hostset_free(set);
	hostset_free(half);
	hostset_free(both);
	return 0;
}
