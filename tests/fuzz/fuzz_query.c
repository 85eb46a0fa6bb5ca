/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries for hosts of anybody: the first byte chooses whether the backend D is asked first, what
 * stands before the first NUL is the alias `x`, the rest the query. Each is answered or refused in
 * one line, also an alias that stands for itself.
 */
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/query.h"
#include "shown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *find_alias(void *data, const char *name)
{
	return strcmp(name, "x") == 0 ? data : NULL;
}

/* Of the backend K: it is `T:odd` that it has, and names with a 7. */
static enum query_status find_term(void *data, const char *text, size_t length,
				   struct hostset **ret, struct err *err)
{
	if (length == 5 && memcmp(text, "T:odd", 5) == 0)
		return hostset_parse("db[1-9/2]", 9, ret, err) < 0 ? QUERY_FAILED : QUERY_OK;
	err_set(err, "there is no such term");
	return QUERY_FOREIGN;
}

static int knows(void *data, const char *name, struct err *err)
{
	return strchr(name, '7') != NULL;
}

static enum query_status ask_known(const char *text, size_t length, struct hostset **ret,
				   struct err *err)
{
	static const char names[] = "db[1-12],web[01-03].dc1.example,cache1";
	struct query_known known = {.term = find_term, .knows = knows};
	enum query_status status;
	struct hostset *all;

	EXPECT(hostset_parse(names, sizeof(names) - 1, &all, err) == 0);
	known.all = all;
	status = query_known(&known, text, length, ret, err);
	hostset_free(all);
	return status;
}

static enum query_status ask(void *data, char backend, const char *text, size_t length,
			     struct hostset **ret, struct err *err)
{
	EXPECT(backend >= 'A' && backend <= 'Z');
	if (backend == 'D')
		return query_direct(text, length, ret, err);
	if (backend == 'K')
		return ask_known(text, length, ret, err);
	err_set(err, "there is no backend '%c'", backend);
	return QUERY_FAILED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct query_sources sources = {.ask = ask, .alias = find_alias};
	struct hostset *set = NULL;
	struct err err = {{0}};
	char *text;

	if (size < 2)
		return 0;
	text = calloc(1, size + 1);
	EXPECT(text);
	memcpy(text, data + 1, size - 1);
	sources.data = text;
	sources.default_backend = data[0] & 1 ? 'D' : '\0';
	if (query_find_some(&sources, text + strnlen(text, size - 1) + (strlen(text) < size - 1),
			    &set, &err) == 0)
		EXPECT(set && hostset_count(set) > 0);
	else
		EXPECT(!set && err.text[0] && !strchr(err.text, '\n'));
	expect_shown(err.text, strlen(err.text));
	hostset_free(set);
	free(text);
	return 0;
}
