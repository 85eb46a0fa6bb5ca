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

static enum query_status ask(void *data, char backend, const char *text, size_t length,
			     struct hostset **ret, struct err *err)
{
	EXPECT(backend >= 'A' && backend <= 'Z');
	if (backend == 'D')
		return query_direct(text, length, ret, err);
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
