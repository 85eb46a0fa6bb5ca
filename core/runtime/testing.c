/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <stdarg.h>

#include <spicerack/clock.h>

#include "session.h"

static const struct testing *now;

const struct testing *testing_now(void)
{
	return now;
}

void spk_private_testing_begin(const struct testing *testing)
{
	now = testing;
}

bool testing_sleep_until(int64_t deadline_ns)
{
	int64_t left = deadline_ns - spk_uptime().ns;

	if (!now || deadline_ns == INT64_MAX)
		return false;
	if (left > 0)
		*now->ahead_ns += left;
	return true;
}

bool spk_private_testing_is_undoing(void)
{
	const struct spk *spk = session_current();
	const struct shared *shared = spk ? spk->shared : NULL;

	if (!shared)
		return false;
	if (shared->stage == STAGE_UNDO || shared->stage == STAGE_ROLLBACK)
		return true;
	for (uint32_t i = 0; i < shared->undo_count && i < UNDO_MAX; i++)
		if (shared->undo[i].state == UNDO_RUNNING)
			return true;
	return false;
}

bool testing_step(struct spk *spk, bool fallible, const char *format, ...)
{
	struct buf text = {0};
	va_list args;
	bool fails;

	if (!now || !now->step)
		return false;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	fails = now->step(fallible, spk_private_testing_is_undoing(), buf_text(&text));
	buf_free(&text);
	return fails;
}
