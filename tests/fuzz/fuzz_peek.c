/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds bytes to the reader of cookbook files: it must neither crash nor take long, a reason must
 * be one line that starts with the path, and what passes must be fit for the parser.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/host/peek.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int truth)
{
	if (!truth)
		abort();
}

static void walk(const struct cookbook_spec *spec)
{
	size_t seen = 0;

	expect(spec->has_run && strncmp(spec->symbol, "spk_cookbook", 12) == 0);
	for (size_t i = 0; i < spec->arg_count; i++) {
		const struct arg_spec *arg = &spec->args[i];

		expect(arg->offset < spec->state_size && spec_name_is_sane(arg->name));
		expect(arg->group < (int)spec->group_count);
		for (size_t k = 0; k < arg->choices.count; k++)
			seen += strlen(arg->choices.items[k]);
	}
	for (size_t i = 0; i < spec->rule_count; i++)
		expect(spec->rules[i].first && spec->rules[i].second);
	if (spec->title)
		expect(!strpbrk(spec->title, "\n\033"));
	expect(seen < SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err all = {{0}}, titles = {{0}};
	struct peek peek;
	int rc = peek_memory(data, size, "PATH", PEEK_ALL, &peek, &all);

	if (rc == 0) {
		expect(peek.count > 0);
		for (size_t i = 0; i < peek.count; i++)
			walk(&peek.cookbooks[i]);
		peek_free(&peek);
	} else {
		expect(strncmp(all.text, "PATH: ", 6) == 0 && !strchr(all.text, '\n'));
	}
	/* A list does not look at libraries; else both say the same. */
	if (peek_memory(data, size, "PATH", PEEK_TITLES, &peek, &titles) == 0) {
		expect(rc == 0 || strncmp(all.text, "PATH: RUNPATH ", 14) == 0 ||
		       strncmp(all.text, "PATH: needs ", 12) == 0);
		peek_free(&peek);
	} else {
		expect(rc < 0 && strcmp(all.text, titles.text) == 0);
	}
	return 0;
}
