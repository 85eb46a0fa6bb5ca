/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds bytes to the reader of cookbook files: it must neither crash nor take long, a reason must
 * be one line that starts with the path, and what passes must be fit for the parser. A check of the
 * same bytes must find an error where the reader refuses them, and none of the reader's where not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/host/check/check.h"
#include "../../core/host/peek/peek.h"

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

static bool is_line(const char *text)
{
	return text && !strpbrk(text, "\n\033");
}

/* Whether the reader itself refuses what this is about: every run would. */
static bool is_refusal(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_NOT_SHARED_OBJECT:
	case FINDING_FOREIGN_MACHINE:
	case FINDING_NO_COOKBOOK:
	case FINDING_OTHER_ABI:
	case FINDING_TOO_NEW:
	case FINDING_ARGUMENT_FIELD:
	case FINDING_ARGUMENT_TYPE:
	case FINDING_ARGUMENT_NAME:
	case FINDING_ARGUMENT_REQUIRED:
	case FINDING_ARGUMENT_BOUNDS:
	case FINDING_ARGUMENT_GROUP:
	case FINDING_BAD_RUNPATH:
		return true;
	default: /* a broken file or table may be so where only a check looks */
		return false;
	}
}

static void check(const uint8_t *data, size_t size, bool accepted)
{
	struct check *one = check_new(NULL, (spk_strings){0}, NULL);
	const struct findings *findings;
	size_t errors = 0;

	check_memory(one, data, size, "PATH");
	findings = check_findings(one);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		expect(finding->kind > FINDING_NONE && finding->kind < FINDING_KINDS);
		expect(strcmp(finding->file, "PATH") == 0 && is_line(finding->text) &&
		       is_line(finding->symbol) && is_line(finding->cookbook) && *finding->remedy);
		errors += finding_row(finding->kind)->severity == FINDING_ERROR;
		expect(!accepted || !is_refusal(finding->kind));
	}
	expect(accepted || errors);
	check_free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err all = {{0}}, titles = {{0}};
	struct peek peek;
	int rc = peek_memory(NULL, data, size, "PATH", PEEK_ALL, &peek, &all);

	if (rc == 0) {
		expect(peek.count > 0);
		for (size_t i = 0; i < peek.count; i++)
			walk(&peek.cookbooks[i]);
		peek_free(&peek);
	} else {
		expect(strncmp(all.text, "PATH: ", 6) == 0 && !strchr(all.text, '\n'));
	}
	check(data, size, rc == 0);
	/* A list does not look at libraries; else both say the same. */
	if (peek_memory(NULL, data, size, "PATH", PEEK_TITLES, &peek, &titles) == 0) {
		expect(rc == 0 || strncmp(all.text, "PATH: RUNPATH ", 14) == 0 ||
		       strncmp(all.text, "PATH: needs ", 12) == 0);
		peek_free(&peek);
	} else {
		expect(rc < 0 && strcmp(all.text, titles.text) == 0);
	}
	return 0;
}
