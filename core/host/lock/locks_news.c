/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper of the locks tells, and what of it the operator is told. */
#include "locks_state.h"

#include <string.h>

#include <spicerack/clock.h>

#include "locktext.h"

#define SECOND_NS 1000000000LL

static void tell_wait(struct locks *locks, const struct keeper_news *news, const char *others)
{
	struct spk_lock_entry wanted = locks_entry(locks, &locks->wanted);
	struct buf text = {0};

	if (news->entry.created_ns)
		wanted.created_ns = news->entry.created_ns;
	if (news->type == KEEPER_RETRIES) {
		buf_printf(&text,
			   "[%u/%u, retrying in %.2fs] Unable to acquire lock: ", news->attempt,
			   news->attempts, (double)news->delay_ns / 1e9);
	} else {
		buf_puts(&text, "Waiting for lock (up to ");
		lock_text_span(locks->wait_ns, &text);
		buf_puts(&text, "): ");
	}
	lock_text_wanted(&wanted, &text);
	buf_printf(&text, " for key %s.\n%s", locks->wanted.key, others);
	if (news->type == KEEPER_RETRIES)
		log_warning(locks->log, "%s", buf_text(&text));
	else
		log_info(locks->log, "%s", buf_text(&text));
	buf_free(&text);
}

/* Says who is in the way, where that is new. */
static void on_wait(struct locks *locks, struct keeper_news *news)
{
	const struct spk_lock_entry wanted = locks_entry(locks, &locks->wanted);
	struct buf text = {0};

	lock_text_others(&news->others, &wanted, &text);
	if (locks->wait_ns > 0 && (news->type == KEEPER_RETRIES ||
				   strcmp(buf_text(&text), buf_text(&locks->others_text)) != 0))
		tell_wait(locks, news, buf_text(&text));
	locks->waited = true;
	buf_clear(&locks->others_text);
	buf_puts(&locks->others_text, buf_text(&text));
	buf_free(&text);
}

static void on_silence(struct locks *locks, const struct keeper_news *news)
{
	struct buf text = {0};

	buf_printf(&text, "The store of locks does not answer: %s", news->reason.text);
	if (news->until_ns != INT64_MAX && locks->enforced) {
		buf_puts(&text, "; without an answer the cookbook is stopped in ");
		lock_text_span(news->until_ns - spk_uptime().ns, &text);
	}
	log_warning(locks->log, "%s", buf_text(&text));
	buf_free(&text);
}

static void on_old(struct locks *locks, const struct keeper_news *news)
{
	const struct held_lock *lock = locks_find(locks, news->id);

	if (lock)
		log_warning(locks->log,
			    "The lock %s is held for longer than its ttl, %lld s; it is held all "
			    "the same",
			    lock->key, (long long)(lock->ttl_ns / SECOND_NS));
}

static void on_answer(struct locks *locks, struct keeper_news *news)
{
	locks->answered = true;
	locks->status = news->status;
	/* Why something was lost says more than what came of it. */
	if (!locks->lost)
		locks->reason = news->reason;
	locks->wanted.fence = news->entry.fence;
	lock_list_free(&locks->others);
	locks->others = news->others;
	news->others = (struct lock_list){0};
	if (news->status == SPK_LOCK_OK && locks->task == KEEPER_TAKE && locks->waited)
		log_info(locks->log, "Got the lock %s after %.1f s", locks->wanted.key,
			 (double)(spk_uptime().ns - locks->began_ns) / 1e9);
}

void locks_take_news(struct locks *locks)
{
	struct keeper_news *news;

	while ((news = keeper_take_news(locks->keeper))) {
		switch (news->type) {
		case KEEPER_ANSWER:
			on_answer(locks, news);
			break;
		case KEEPER_WAITS:
		case KEEPER_RETRIES:
			on_wait(locks, news);
			break;
		case KEEPER_SILENCE:
			on_silence(locks, news);
			break;
		case KEEPER_SPEAKS:
			log_info(locks->log, "The store of locks answers again");
			break;
		case KEEPER_LOST:
			locks->lost = true;
			locks->reason = news->reason;
			break;
		case KEEPER_OLD:
			on_old(locks, news);
			break;
		}
		keeper_news_free(news);
	}
}

/* A dry run takes no lock, and says what another run would wait for. */
void locks_tell_what_would_be(struct locks *locks)
{
	const struct spk_lock_entry entry = locks_entry(locks, &locks->wanted);
	struct buf text = {0};

	if (locks->status != SPK_LOCK_OK) {
		log_warning(locks->log, "cannot tell whether the lock %s is free: %s",
			    locks->wanted.key, locks->reason.text);
	} else if (lock_list_admits(&locks->others, entry.concurrency)) {
		log_debug(locks->log, "would take the lock %s", locks->wanted.key);
	} else {
		buf_puts(&text, "would wait for lock: ");
		lock_text_wanted(&entry, &text);
		buf_printf(&text, " for key %s.\n", locks->wanted.key);
		lock_text_others(&locks->others, &entry, &text);
		log_info(locks->log, "%s", buf_text(&text));
	}
	buf_free(&text);
}
