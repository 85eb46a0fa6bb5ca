/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/actions.h>

#include <stdarg.h>

#include <spicerack/cookbook.h>

#include "../runtime/copy.h"
#include "../runtime/misuse.h"
#include "../runtime/printable.h"

#define ACTIONS_MAGIC 0x6163741eU

/* In memory of the run, with the head of the chain: also a rollback after a crash may report. */
struct spk_actions {
	uint32_t magic;
	struct spk *spk;
	struct spk_actions *next;
	const char *name;
	const char *messages; /* "\n  - MESSAGE" each */
	bool warned, failed;
};

struct spk_actions *spk_actions(struct spk *spk, const char *name)
{
	struct spk_actions **at, *actions;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(name);
	if (!printable_is(name, strlen(name)))
		session_misuse(__func__, "the name is not one line of UTF-8");
	for (at = &spk->shared->actions; *at; at = &(*at)->next)
		if (spk_streq((*at)->name, name))
			return *at;
	actions = SPK_NEW(spk, struct spk_actions);
	actions->spk = spk;
	actions->name = copy_text(spk, name);
	actions->messages = "";
	actions->magic = ACTIONS_MAGIC;
	*at = actions;
	return actions;
}

static void add(struct spk_actions *actions, enum spk_level level, const char *format, va_list args)
	__attribute__((__format__(__printf__, 3, 0)));

/* What was logged counts, also when an interruption follows. */
static void add(struct spk_actions *actions, enum spk_level level, const char *format, va_list args)
{
	struct spk *spk = actions->spk;
	const char *message = spk_vformat(spk, format, args);

	actions->messages = spk_format(spk, "%s\n  - %s", actions->messages, message);
	spk_log(spk, level, __FILE__, __LINE__, __func__, "%s", message);
}

void spk_actions_success(struct spk_actions *actions, const char *format, ...)
{
	va_list args;

	CHECK_HANDLE(actions, ACTIONS_MAGIC);
	va_start(args, format);
	add(actions, SPK_INFO, format, args);
	va_end(args);
}

void spk_actions_warning(struct spk_actions *actions, const char *format, ...)
{
	va_list args;

	CHECK_HANDLE(actions, ACTIONS_MAGIC);
	actions->warned = true;
	va_start(args, format);
	add(actions, SPK_WARNING, format, args);
	va_end(args);
}

void spk_actions_failure(struct spk_actions *actions, const char *format, ...)
{
	va_list args;

	CHECK_HANDLE(actions, ACTIONS_MAGIC);
	actions->failed = true;
	va_start(args, format);
	add(actions, SPK_ERROR, format, args);
	va_end(args);
}

const char *spk_actions_status(const struct spk_actions *actions)
{
	CHECK_HANDLE(actions, ACTIONS_MAGIC);
	return actions->failed ? "FAIL" : actions->warned ? "WARN" : "PASS";
}

bool spk_actions_has_warnings(const struct spk_actions *actions)
{
	CHECK_HANDLE(actions, ACTIONS_MAGIC);
	return actions->warned;
}

bool spk_actions_has_failures(const struct spk_actions *actions)
{
	CHECK_HANDLE(actions, ACTIONS_MAGIC);
	return actions->failed;
}

const char *spk_actions_text(const struct spk_actions *actions)
{
	CHECK_HANDLE(actions, ACTIONS_MAGIC);
	return spk_format(actions->spk, "%s (**%s**)%s", actions->name, spk_actions_status(actions),
			  actions->messages);
}

const char *spk_actions_report(struct spk *spk)
{
	const char *report = "";

	CHECK_SPK(spk);
	for (const struct spk_actions *actions = spk->shared->actions; actions;
	     actions = actions->next)
		report = spk_format(spk, "%s%s- %s", report, *report ? "\n" : "",
				    spk_actions_text(actions));
	return report;
}
