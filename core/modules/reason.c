/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/reason.h>

#include <spicerack/cookbook.h>

#include "../runtime/misuse.h"
#include "../runtime/copy.h"
#include "../runtime/printable.h"

#define REASON_MAGIC 0x7273731eU

/* Plain data in memory of the run. */
struct spk_admin_reason {
	uint32_t magic;
	struct spk *spk;
	const char *reason, *owner, *task, *text;
};

static void refuse_bad(struct spk *spk, const char *what, const char *text)
{
	if (strchr(text, '"'))
		spk_raise(spk, "reason.invalid", NULL, "%s holds a double quote: %s", what, text);
	if (!printable_is(text, strlen(text)))
		spk_raise(spk, "reason.invalid", NULL,
			  "%s holds a control character or is not UTF-8", what);
}

const struct spk_admin_reason *spk_admin_reason(struct spk *spk, const char *reason,
						const char *task_id)
{
	struct spk_admin_reason *made;

	CHECK_SPK(spk);
	CHECK_GIVEN(reason);
	if (!*reason)
		spk_raise(spk, "reason.invalid", NULL, "the reason is empty");
	made = SPK_NEW(spk, struct spk_admin_reason);
	made->spk = spk;
	made->reason = copy_text(spk, reason);
	made->owner = spk_format(spk, "%s@%s", spk_username(spk), spk_hostname(spk));
	made->task = task_id && *task_id ? copy_text(spk, task_id) : NULL;
	refuse_bad(spk, "the reason", made->reason);
	refuse_bad(spk, "the name of user and host", made->owner);
	if (made->task)
		refuse_bad(spk, "the task", made->task);
	made->text = spk_format(spk, "%s - %s%s%s", made->reason, made->owner,
				made->task ? " - " : "", made->task ? made->task : "");
	made->magic = REASON_MAGIC;
	return made;
}

const struct spk_admin_reason *spk_admin_reason_given(struct spk *spk)
{
	CHECK_SPK(spk);
	if (!spk_reason(spk))
		session_misuse(__func__, "the cookbook does not ask for a reason (.reason)");
	return spk_admin_reason(spk, spk_reason(spk), spk_task_id(spk));
}

const char *spk_admin_reason_text(const struct spk_admin_reason *reason)
{
	CHECK_HANDLE(reason, REASON_MAGIC);
	return reason->text;
}

const char *spk_admin_reason_quoted(const struct spk_admin_reason *reason)
{
	char *quoted, *at;

	CHECK_HANDLE(reason, REASON_MAGIC);
	at = quoted = spk_alloc(reason->spk, 2 * strlen(reason->text) + 3);
	*at++ = '"';
	for (const char *c = reason->text; *c; c++) {
		if (strchr("$`\\", *c))
			*at++ = '\\';
		*at++ = *c;
	}
	*at = '"';
	return quoted;
}

const char *spk_admin_reason_reason(const struct spk_admin_reason *reason)
{
	CHECK_HANDLE(reason, REASON_MAGIC);
	return reason->reason;
}

const char *spk_admin_reason_owner(const struct spk_admin_reason *reason)
{
	CHECK_HANDLE(reason, REASON_MAGIC);
	return reason->owner;
}

const char *spk_admin_reason_task(const struct spk_admin_reason *reason)
{
	CHECK_HANDLE(reason, REASON_MAGIC);
	return reason->task;
}
