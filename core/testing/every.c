/* SPDX-License-Identifier: Apache-2.0 */
/* Fail at every step: a test made of one that passes. */
#include "test.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../host/run/outcome.h"
#include "../runtime/mem.h"

static const struct {
	uint32_t trouble;
	const char *word;
} troubles[] = {
	{SPK_TEST_FAILURE, "a failure of"},
	{SPK_TEST_INTERRUPT, "Ctrl+C at"},
	{SPK_TEST_CRASH, "a crash at"},
};

/* The run without trouble, whose steps are known. */
struct every {
	const char *tree;
	const struct spk_test_steps *how;
	struct spk_test *clean;
	const struct world_step **steps; /* in their order */
	uint32_t count;
};

static struct buf why;
static unsigned int runs;

static const char *refuse(struct spk_test *test, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

static const char *refuse(struct spk_test *test, const char *format, ...)
{
	va_list args;

	buf_clear(&why);
	va_start(args, format);
	buf_vprintf(&why, format, args);
	va_end(args);
	buf_puts(&why, "\n--- what happened:\n");
	story_put(&test->story, &why);
	return buf_text(&why);
}

static struct spk_test *make(const struct every *every)
{
	struct spk_test *test = spk_test_new_in(every->tree, every->how->cookbook);

	if (every->how->set_up)
		every->how->set_up(test, every->how->data);
	return test;
}

static void take_steps(struct every *every)
{
	const struct world *world = every->clean->world;
	uint32_t left = world->steps;

	every->count = left;
	every->steps = xcalloc(left + 1, sizeof(const struct world_step *));
	/* The newest comes first. */
	for (const struct world_step *step = world->seen; step && left > 0; step = step->next)
		every->steps[--left] = step;
}

/* Why an end is none that this trouble may lead to; NULL: it may. */
static const char *judge_code(const struct world_step *step, uint32_t trouble, int code)
{
	switch (code) {
	case -1:
		return "it did not end in time";
	case EXIT_CRASHED:
		return trouble == SPK_TEST_CRASH ? NULL : "the cookbook crashed";
	case EXIT_ROLLBACK_FAILED:
		return step->undoing ? NULL : "it could not be rolled back";
	default:
		return NULL;
	}
}

static const char *judge_end(struct spk_test *test)
{
	const char *reason = spk_test_clean(test);

	if (!reason && !test->story.ended)
		reason = "it has no end in the journal";
	return reason;
}

/* The first line of a reason: the story is told once. */
static char *first_line(const char *text)
{
	return xstrndup(text, strcspn(text, "\n"));
}

static const char *try_step(const struct every *every, uint32_t number, size_t trouble)
{
	const struct world_step *step = every->steps[number - 1];
	struct spk_test *test = make(every);
	const char *reason, *result = NULL;
	bool undone;
	char *line;

	test->world->troubled = number;
	test->world->trouble = troubles[trouble].trouble;
	runs++;
	reason = judge_code(step, troubles[trouble].trouble,
			    spk_test_run(test, every->how->arguments));
	/* What fails while it is being undone is not undone; Ctrl+C does not stop that. */
	undone = !step->undoing || troubles[trouble].trouble == SPK_TEST_INTERRUPT;
	if (!reason && undone)
		reason = judge_end(test);
	if (!reason && undone && every->how->check)
		reason = every->how->check(test, every->how->data);
	if (reason) {
		line = first_line(reason);
		result = refuse(test, "with %s step %u of %u (%s): %s", troubles[trouble].word,
				number, every->count, step->what, line);
		free(line);
	}
	spk_test_free(test);
	return result;
}

static bool may_come(const struct world_step *step, uint32_t trouble)
{
	return trouble == SPK_TEST_FAILURE ? step->fallible : !step->host;
}

static const char *try_all(const struct every *every)
{
	const char *result = NULL;
	uint32_t wanted = every->how->troubles;

	for (uint32_t number = 1; !result && number <= every->count; number++)
		for (size_t i = 0; !result && i < sizeof(troubles) / sizeof(troubles[0]); i++)
			if ((!wanted || wanted & troubles[i].trouble) &&
			    may_come(every->steps[number - 1], troubles[i].trouble))
				result = try_step(every, number, i);
	return result;
}

const char *spk_test_every_step_in(const char *tree, const struct spk_test_steps *steps)
{
	CHECK_POINTERS(tree, steps);
	struct every every = {.tree = tree, .how = steps};
	const char *result = NULL;

	runs = 1;
	every.clean = make(&every);
	if (spk_test_run(every.clean, steps->arguments) != 0) {
		result = refuse(every.clean, "exit code %d without any trouble, expected 0",
				every.clean->code);
	} else {
		take_steps(&every);
		result = every.count ? try_all(&every)
				     : refuse(every.clean, "the cookbook has no steps to fail at");
		free(every.steps);
	}
	spk_test_free(every.clean);
	return result;
}

unsigned int spk_test_every_step_runs(void)
{
	return runs;
}
