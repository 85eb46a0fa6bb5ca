/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting and trying again (clock.h). Both know dry-run and interruptions. */
#include "session.h"

#include <math.h>
#include <poll.h>
#include <time.h>

#include "guard.h"
#include "misuse.h"
#include "testing.h"

/* The size in version 1.0, which stays when the structure grows. */
#define RETRY_1_0 SIZE_UP_TO(struct spk_retry, message)

void spk_sleep(struct spk *spk, spk_duration duration)
{
	int64_t deadline;

	CHECK_SPK(spk);
	if (duration.ns < 0)
		session_misuse(__func__, "'duration' is negative");
	session_check_interrupt(spk);
	if (spk->order.dry_run) {
		spk_debug(spk, "would sleep for %s", spk_duration_text(spk, duration));
		return;
	}
	testing_step(spk, false, "sleep for %g s", spk_duration_seconds(duration));
	deadline = session_deadline(duration);
	testing_sleep_until(deadline);
	session_poll(spk, NULL, 0, deadline);
}

/* The delay before try `attempt` + 1, by the rules of enum spk_backoff; saturates. */
static spk_duration backoff(const struct spk_retry *how, unsigned int attempt)
{
	double delay = (double)how->delay.ns / 1e9;
	double seconds;

	switch ((enum spk_backoff)how->backoff) {
	case SPK_BACKOFF_CONSTANT:
		seconds = delay;
		break;
	case SPK_BACKOFF_LINEAR:
		seconds = delay * attempt;
		break;
	case SPK_BACKOFF_POWER:
		seconds = delay * exp2(attempt - 1.0);
		break;
	case SPK_BACKOFF_EXPONENTIAL:
	default:
		seconds = pow(delay, attempt);
		break;
	}
	return seconds >= 9e9 ? (spk_duration){INT64_MAX}
			      : (spk_duration){(int64_t)(seconds * 1e9)};
}

static bool worth_another_try(const struct spk_retry *how, const struct spk_error *error)
{
	if (spk_error_is(error, KIND_INTERRUPTED) || spk_error_is(error, KIND_DONE))
		return false;
	if (how->kinds.count == 0)
		return !spk_error_is(error, "misuse");
	for (size_t i = 0; i < how->kinds.count; i++)
		if (spk_error_is(error, how->kinds.items[i]))
			return true;
	return false;
}

/* What the caller left out, filled in; what it may not ask for, refused. */
static struct spk_retry checked(const struct spk_retry *given)
{
	struct spk_retry how = {0};

	if (given)
		adopt_structure("spk_retry", "how", "SPK_RETRY", given, &how, sizeof(how),
				RETRY_1_0);
	if (how.tries == 0)
		how.tries = 3;
	if (how.delay.ns == 0)
		how.delay = SPK_SECONDS(3);
	if (!how.message)
		how.message = "Unable to run the operation";
	if (how.delay.ns < 0)
		session_misuse("spk_retry", "the delay is negative");
	if (how.backoff > SPK_BACKOFF_POWER)
		session_misuse("spk_retry", "there is no back-off %u", how.backoff);
	if (how.backoff == SPK_BACKOFF_EXPONENTIAL && how.delay.ns < SPK_SECONDS(1).ns)
		session_misuse("spk_retry", "an exponential back-off needs a delay of at least 1s");
	if (!*how.message)
		session_misuse("spk_retry", "the message is empty");
	return how;
}

static const char *with_causes(struct spk *spk, const struct spk_error *error)
{
	const char *text = spk_error_message(error);

	for (error = spk_error_cause(error); error; error = spk_error_cause(error))
		text = spk_format(spk, "%s\ncaused by: %s", text, spk_error_message(error));
	return text;
}

void spk_retry(struct spk *spk, const struct spk_retry *given, spk_action *action, void *arg)
{
	struct spk_retry how;

	CHECK_SPK(spk);
	CHECK_GIVEN(action);
	how = checked(given);
	if (spk->order.dry_run && how.tries > 1) {
		spk_debug(spk, "one try instead of %u in dry-run", how.tries);
		how.tries = 1;
	}
	for (unsigned int attempt = 1;; attempt++) {
		const struct spk_error *error = guard_call(spk, action, arg, false);
		spk_duration delay;

		if (!error)
			return;
		if (attempt >= how.tries || !worth_another_try(&how, error))
			guard_raise(spk, error);
		delay = backoff(&how, attempt);
		spk_warn(spk, "[%u/%u, retrying in %.2fs] %s: %s", attempt, how.tries,
			 spk_duration_seconds(delay), how.message, with_causes(spk, error));
		spk_sleep(spk, delay);
	}
}
