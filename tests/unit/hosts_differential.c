/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C side of tests/cli/hosts_differential.py: reads lines `WHAT<TAB>EXPRESSION[<TAB>MORE]` from
 * stdin and answers each with one line: what came out, or `error: ` and the reason.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/query.h"

/* The aliases of the queries, as the Python side has them. */
static const char *find_alias(void *data, const char *name)
{
	static const char *const aliases[][2] = {
		{"one", "D{a[1-5]}"},
		{"two", "A:one or D{b[1-3]} and not D{a2}"},
		{"three", "(A:two xor D{a[4-9]})"},
	};

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(aliases[i][0], name) == 0)
			return aliases[i][1];
	}
	return NULL;
}

static enum query_status ask(void *data, char backend, const char *text, size_t length,
			     struct hostset **ret, struct err *err)
{
	if (backend == 'D')
		return query_direct(text, length, ret, err);
	err_set(err, "there is no backend '%c'", backend);
	return QUERY_FAILED;
}

static void print_folded(const struct hostset *set)
{
	struct buf folded = {0};

	hostset_fold(set, &folded);
	fputs(buf_text(&folded), stdout);
	buf_free(&folded);
}

static void print_names(const struct hostset *set)
{
	struct hostset_walk walk;
	const char *between = "";

	hostset_walk_start(&walk, set);
	for (; hostset_walk_next(&walk); between = " ")
		printf("%s%s", between, walk.name);
}

static void print_split(const struct hostset *set, uint64_t parts)
{
	uint64_t count = hostset_count(set), first = 0;

	for (uint64_t i = 0; i < parts && i < count; i++) {
		uint64_t size = count / parts + (i < count % parts);
		struct hostset *slice;
		struct err err;

		if (hostset_slice(set, first, size, &slice, &err) < 0) {
			printf("error: %s", err.text);
			return;
		}
		fputs(i ? " " : "", stdout);
		print_folded(slice);
		hostset_free(slice);
		first += size;
	}
}

/* What stands in the other set and is asked of this one: a subset, a member. */
static void print_within(const struct hostset *set, const char *more)
{
	struct hostset *other;
	struct err err;

	if (hostset_parse(more, strlen(more), &other, &err) < 0) {
		printf("error: %s", err.text);
		return;
	}
	printf("%d %d %d %d", hostset_within(other, set), hostset_within(set, other),
	       hostset_equal(set, other), hostset_has(set, more));
	hostset_free(other);
}

static void answer(const char *what, const char *expression, const char *more)
{
	static const struct query_sources sources = {
		.ask = ask, .alias = find_alias, .default_backend = 'D'};
	struct hostset *set;
	struct err err;
	int rc;

	if (strcmp(what, "query") == 0)
		rc = query_find(&sources, expression, &set, &err);
	else
		rc = hostset_parse(expression, strlen(expression), &set, &err);
	if (rc < 0) {
		printf("error: %s", err.text);
		return;
	}
	if (strcmp(what, "fold") == 0 || strcmp(what, "query") == 0)
		print_folded(set);
	else if (strcmp(what, "names") == 0)
		print_names(set);
	else if (strcmp(what, "count") == 0)
		printf("%" PRIu64, hostset_count(set));
	else if (strcmp(what, "split") == 0)
		print_split(set, strtoull(more, NULL, 10));
	else
		print_within(set, more);
	hostset_free(set);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		char *rest = line, *what, *expression;

		line[strcspn(line, "\n")] = '\0';
		what = strsep(&rest, "\t");
		expression = strsep(&rest, "\t");
		answer(what, expression ? expression : "", rest ? rest : "");
		putchar('\n');
		fflush(stdout);
	}
	free(line);
	return 0;
}
