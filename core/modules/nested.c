/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/nested.h>

#include "../runtime/protocol.h"
#include "../runtime/secretlist.h"
#include "../runtime/session.h"
#include "../runtime/testing.h"
#include "../runtime/misuse.h"

struct nested {
	enum nested_end end;
	int code;
	const char *message;
};

/* Has the supervisor run it; raises for what is no run at all. */
static struct nested request(struct spk *spk, const char *name, spk_strings args, bool confirm)
{
	struct nested nested;
	struct message answer;
	struct buf body = {0};

	for (size_t i = 0; i < args.count; i++)
		if (secretlist_is_in(args.items[i]))
			session_misuse("spk_run_cookbook",
				       "argument %zu (counted from 0) holds a secret: a cookbook "
				       "reads its secrets itself",
				       i);
	testing_step(spk, false, "cookbook %s", name);
	wire_put_number(&body, confirm);
	wire_put_text(&body, name);
	wire_put_texts(&body, args);
	/* The supervisor interrupts the inner run; this one learns of it from the answer. */
	spk->uninterruptible++;
	session_request(spk, REQUEST_NESTED, &body, &answer);
	spk->uninterruptible--;
	buf_free(&body);
	nested.end = (enum nested_end)wire_get_number(&answer.body);
	nested.code = (int)wire_get_number(&answer.body);
	nested.message = wire_get_text(&answer.body);
	nested.message = spk_format(spk, "%s", nested.message ? nested.message : "");
	session_check_interrupt(spk);
	if (nested.end == NESTED_MISSING)
		spk_raise(spk, "nested.missing", NULL, "there is no cookbook '%s'", name);
	if (nested.end == NESTED_DEPTH)
		spk_raise(spk, "nested.depth", NULL,
			  "cannot run cookbook '%s': %d runs are within each other already", name,
			  NESTED_DEPTH_MAX);
	return nested;
}

static const char *with_args(struct spk *spk, const char *name, spk_strings args)
{
	return spk_format(spk, "%s%s%s", name, args.count ? " " : "", spk_shell_join(spk, args));
}

static SPK_NORETURN void raise_failed(struct spk *spk, const char *name, spk_strings args,
				      const struct nested *nested)
{
	spk_raise(spk, "nested.failed", NULL, "cookbook '%s' failed with exit code %d%s%s",
		  with_args(spk, name, args), nested->code, *nested->message ? "; " : "",
		  nested->message);
}

int spk_run_cookbook(struct spk *spk, const char *name, spk_strings args)
{
	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(name);
	CHECK_LIST(args);
	return request(spk, name, args, false).code;
}

void spk_run_cookbook_must(struct spk *spk, const char *name, spk_strings args)
{
	struct nested nested;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(name);
	CHECK_LIST(args);
	nested = request(spk, name, args, false);
	if (nested.code != 0)
		raise_failed(spk, name, args, &nested);
}

bool spk_run_cookbook_confirm(struct spk *spk, const char *name, spk_strings args)
{
	struct nested nested;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(name);
	CHECK_LIST(args);
	nested = request(spk, name, args, true);
	if (nested.end == NESTED_SKIPPED)
		return false;
	if (nested.end == NESTED_ABORTED)
		spk_raise(spk, "aborted", NULL, "Task manually aborted");
	if (nested.code != 0)
		raise_failed(spk, name, args, &nested);
	return true;
}
