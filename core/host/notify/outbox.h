/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on its way to one place by one driver of the kind "notify": a queue, and a thread that
 * empties it. Whoever posts never waits and never fails; the thread is started, and the driver
 * opened, when something is posted for the first time. What could not be sent is told as news.
 */
#ifndef SPICERACK_HOST_OUTBOX_H
#define SPICERACK_HOST_OUTBOX_H

#include <spicerack/plugin.h>
#include <stdbool.h>

#include "../../runtime/err.h"

struct outbox;

/* What became of the messages since the last look. */
struct outbox_news {
	unsigned long lost; /* so many were not sent */
	bool full;          /* some of them since there was no room for more */
	bool works;         /* one was sent, after one that was not */
	bool alone;         /* at the end: the driver does not return, its thread was left behind */
	struct err reason;  /* why not, of the last one; "": nothing has failed */
};

/*
 * For the driver of that name, which will be told the settings; all of them is copied but the names
 * in them. `news_fd`, an eventfd, is made readable when there is news.
 */
struct outbox *outbox_new(const char *name, const struct spk_driver_setting *settings, size_t count,
			  int news_fd);

/* Puts a message into the queue; the texts are copied. When there is no room the oldest goes. */
void outbox_post(struct outbox *outbox, enum spk_notice_kind kind, const char *text,
		 const char *event);

/* False: nothing is new. */
bool outbox_take_news(struct outbox *outbox, struct outbox_news *ret_news);

/*
 * From here on nothing is posted: what waits is tried once more and no longer than until
 * `deadline_ns` of CLOCK_BOOTTIME, then the thread ends; each news until then says so, too.
 */
void outbox_finish(struct outbox *outbox, int64_t deadline_ns);

/* Whether the thread has ended, or never began. */
bool outbox_is_done(struct outbox *outbox);

/*
 * Ends what is under way, whatever is left, and frees it, within a second. `ret_news` is the rest
 * of the news.
 */
void outbox_free(struct outbox *outbox, struct outbox_news *ret_news);

#endif
