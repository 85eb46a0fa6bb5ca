/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include <spicerack/clock.h>

#include "../../runtime/driver.h"
#include "../../runtime/fd.h"
#include "../../runtime/mem.h"

#define SECOND_NS 1000000000LL
/* So many messages wait at most; each is some KiB. */
#define QUEUE_MAX 256
/* How long one call may take. */
#define SEND_NS (30 * SECOND_NS)
/* Attending and taking leave are courtesies. */
#define COURTESY_NS (1 * SECOND_NS)
/* Between tries: twice as long after each, from the first to the last of these. */
#define PAUSE_FIRST_NS (1 * SECOND_NS)
#define PAUSE_LAST_NS (30 * SECOND_NS)
/* What is older than this is not news any more, and not tried again. */
#define AGE_MAX_NS (300 * SECOND_NS)
/* How long a driver may take to notice that it shall return. */
#define RETURN_NS (1 * SECOND_NS)

struct message {
	struct message *next;
	enum spk_notice_kind kind;
	int64_t posted_ns;
	char *text, *event; /* NULL: none */
};

struct outbox {
	char *name;
	struct spk_driver_setting *settings;
	size_t count;
	int news_fd, wake_fd, cancel_fd;
	pthread_t thread;
	bool started; /* the one that posts knows */
	/* Both sides', under the mutex. */
	pthread_mutex_t mutex;
	struct message *first, **last;
	size_t length;
	bool in_hand;      /* one more is being sent */
	int64_t finish_ns; /* when all must be over; INT64_MAX: nobody has said so yet */
	bool done;         /* the thread touches nothing here any more */
	bool abandoned;    /* nobody else does: it frees what is left */
	struct outbox_news news;
	bool has_news;
	/* The thread's. */
	const struct spk_notify_driver *driver;
	void *notifier;
	bool failing;  /* the last message was not sent */
	bool hopeless; /* nor was one near the end: none is tried any more */
};

static int64_t later(int64_t span)
{
	return spk_uptime().ns + span;
}

static int64_t earlier_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void wake(int fd)
{
	eventfd_write(fd, 1);
}

/* ---- messages ---- */

static void message_free(struct message *message)
{
	if (!message)
		return;
	free(message->text);
	free(message->event);
	free(message);
}

/* Under the mutex. NULL: none waits. */
static struct message *take_first(struct outbox *outbox)
{
	struct message *message = outbox->first;

	if (!message)
		return NULL;
	outbox->first = message->next;
	if (!outbox->first)
		outbox->last = &outbox->first;
	outbox->length--;
	return message;
}

/* Under the mutex. `reason` NULL: as the one before. */
static void note_loss(struct outbox *outbox, const char *reason)
{
	outbox->news.lost++;
	outbox->news.works = false;
	if (reason)
		err_set(&outbox->news.reason, "%s", reason);
	outbox->has_news = true;
}

/* ---- the thread ---- */

/* Under the mutex: who was left behind tells nobody, its descriptor may be another one by now. */
static void tell(struct outbox *outbox)
{
	if (!outbox->abandoned)
		wake(outbox->news_fd);
}

static void tell_loss(struct outbox *outbox, const char *reason)
{
	pthread_mutex_lock(&outbox->mutex);
	note_loss(outbox, reason);
	tell(outbox);
	pthread_mutex_unlock(&outbox->mutex);
	outbox->failing = true;
}

static void tell_success(struct outbox *outbox)
{
	if (!outbox->failing)
		return;
	outbox->failing = false;
	pthread_mutex_lock(&outbox->mutex);
	outbox->news.works = outbox->has_news = true;
	tell(outbox);
	pthread_mutex_unlock(&outbox->mutex);
}

/* Something failed that is tried again: told with the first of its kind only. */
static void tell_trouble(struct outbox *outbox, const char *reason)
{
	if (outbox->failing)
		return;
	outbox->failing = true;
	pthread_mutex_lock(&outbox->mutex);
	err_set(&outbox->news.reason, "%s", reason);
	outbox->has_news = true;
	tell(outbox);
	pthread_mutex_unlock(&outbox->mutex);
}

static int64_t finish_time(struct outbox *outbox)
{
	int64_t finish;

	pthread_mutex_lock(&outbox->mutex);
	finish = outbox->finish_ns;
	pthread_mutex_unlock(&outbox->mutex);
	return finish;
}

static int open_driver(struct outbox *outbox, struct err *err)
{
	struct spk_reason_buffer reason = {""};

	outbox->driver = (const struct spk_notify_driver *)driver_open(
		"notify", outbox->name, sizeof(struct spk_notify_driver), err);
	if (!outbox->driver)
		return -1;
	outbox->notifier = outbox->driver->open(outbox->settings, outbox->count, &reason);
	return outbox->notifier ? 0 : err_set(err, "%s", reason.text);
}

/* Waits for somebody who wakes the thread, or for the other side of the driver. */
static void wait_for(struct outbox *outbox, int64_t until_ns)
{
	bool keeps = outbox->notifier && outbox->driver->fd && outbox->driver->attend;
	struct pollfd fds[] = {
		{.fd = outbox->wake_fd, .events = POLLIN},
		{.fd = outbox->cancel_fd, .events = POLLIN},
		{.fd = keeps ? outbox->driver->fd(outbox->notifier) : -1, .events = POLLIN},
	};
	int64_t left = until_ns == INT64_MAX ? 0 : until_ns - spk_uptime().ns;
	struct timespec timeout = {.tv_sec = left / SECOND_NS, .tv_nsec = left % SECOND_NS};
	eventfd_t count;

	if (left < 0)
		return;
	ppoll(fds, 3, until_ns == INT64_MAX ? NULL : &timeout, NULL);
	if (fds[0].revents)
		eventfd_read(outbox->wake_fd, &count);
	if (fds[2].revents) {
		struct spk_notify_call call = {.deadline_ns = later(COURTESY_NS),
					       .cancel_fd = outbox->cancel_fd};

		outbox->driver->attend(outbox->notifier, &call);
	}
}

/* Between two tries, unless the end comes. False: it has, and nothing is tried again. */
static bool pause_for(struct outbox *outbox, int64_t span)
{
	int64_t until = later(span);

	while (spk_uptime().ns < until) {
		if (finish_time(outbox) != INT64_MAX)
			return false;
		wait_for(outbox, until);
	}
	return true;
}

/* Tries until it is sent, hopeless, too old, or time to finish. */
static void deliver(struct outbox *outbox, const struct message *message)
{
	const struct spk_notice notice = {
		.size = sizeof(notice),
		.kind = message->kind,
		.text = message->text,
		.event = message->event,
	};
	int64_t pause = PAUSE_FIRST_NS;

	for (;;) {
		int64_t finish = finish_time(outbox);
		struct spk_notify_call call = {
			.deadline_ns = earlier_of(later(SEND_NS), finish),
			.cancel_fd = outbox->cancel_fd,
		};
		enum spk_notify_status status = outbox->driver->send(outbox->notifier, &notice,
								     &call);

		if (status == SPK_NOTIFY_SENT) {
			tell_success(outbox);
			return;
		}
		/* Of a try that began before the end was near there is another. */
		if (status != SPK_NOTIFY_AGAIN || finish != INT64_MAX ||
		    spk_uptime().ns - message->posted_ns >= AGE_MAX_NS) {
			outbox->hopeless = status == SPK_NOTIFY_AGAIN && finish != INT64_MAX;
			tell_loss(outbox, call.reason.text);
			return;
		}
		tell_trouble(outbox, call.reason.text);
		if (pause_for(outbox, pause))
			pause = earlier_of(2 * pause, PAUSE_LAST_NS);
	}
}

/* The next message, waiting for it. NULL: there is none and there will be none. */
static struct message *next_message(struct outbox *outbox)
{
	struct message *message;
	bool over;

	for (;;) {
		pthread_mutex_lock(&outbox->mutex);
		message = take_first(outbox);
		outbox->in_hand = message != NULL;
		over = outbox->finish_ns != INT64_MAX;
		pthread_mutex_unlock(&outbox->mutex);
		if (message || over)
			return message;
		wait_for(outbox, INT64_MAX);
	}
}

static void outbox_destroy(struct outbox *outbox)
{
	struct message *message;

	while ((message = take_first(outbox)))
		message_free(message);
	for (size_t i = 0; i < outbox->count; i++)
		free((void *)(uintptr_t)outbox->settings[i].value);
	free(outbox->settings);
	fd_close(&outbox->wake_fd);
	fd_close(&outbox->cancel_fd);
	pthread_mutex_destroy(&outbox->mutex);
	free(outbox->name);
	free(outbox);
}

static void *work(void *data)
{
	struct outbox *outbox = data;
	struct err failure = {""};
	struct message *message;
	bool abandoned;

	if (open_driver(outbox, &failure) < 0)
		outbox->notifier = NULL;
	while ((message = next_message(outbox))) {
		if (!outbox->notifier)
			tell_loss(outbox, failure.text);
		else if (outbox->hopeless || spk_uptime().ns >= finish_time(outbox))
			tell_loss(outbox, outbox->hopeless ? NULL : "the time was over");
		else
			deliver(outbox, message);
		message_free(message);
	}
	if (outbox->notifier) {
		struct spk_notify_call call = {
			.deadline_ns = earlier_of(later(COURTESY_NS), finish_time(outbox)),
			.cancel_fd = outbox->cancel_fd,
		};

		outbox->driver->close(outbox->notifier, &call);
	}
	pthread_mutex_lock(&outbox->mutex);
	outbox->done = true;
	abandoned = outbox->abandoned;
	tell(outbox);
	pthread_mutex_unlock(&outbox->mutex);
	if (abandoned)
		outbox_destroy(outbox);
	return NULL;
}

/* ---- who posts ---- */

struct outbox *outbox_new(const char *name, const struct spk_driver_setting *settings, size_t count,
			  int news_fd)
{
	struct outbox *outbox = xcalloc(1, sizeof(*outbox));

	outbox->name = xstrdup(name);
	outbox->settings = xcalloc(count, sizeof(*outbox->settings));
	outbox->count = count;
	for (size_t i = 0; i < count; i++)
		outbox->settings[i] = (struct spk_driver_setting){
			.name = settings[i].name,
			.value = xstrdup(settings[i].value),
		};
	outbox->news_fd = news_fd;
	outbox->wake_fd = outbox->cancel_fd = -1;
	outbox->last = &outbox->first;
	outbox->finish_ns = INT64_MAX;
	pthread_mutex_init(&outbox->mutex, NULL);
	return outbox;
}

static int start(struct outbox *outbox, struct err *err)
{
	sigset_t all, before;
	int rc;

	if (outbox->wake_fd < 0 && fd_event(&outbox->wake_fd, err) < 0)
		return -1;
	if (outbox->cancel_fd < 0 && fd_event(&outbox->cancel_fd, err) < 0)
		return -1;
	/* Signals are the supervisor's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&outbox->thread, NULL, work, outbox);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		return err_errno(err, "cannot start a thread");
	}
	outbox->started = true;
	return 0;
}

static char *copy_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void outbox_post(struct outbox *outbox, enum spk_notice_kind kind, const char *text,
		 const char *event)
{
	struct message *message = xcalloc(1, sizeof(*message)), *dropped = NULL;
	struct err err;

	*message = (struct message){
		.kind = kind,
		.posted_ns = spk_uptime().ns,
		.text = copy_or_null(text),
		.event = copy_or_null(event),
	};
	if (!outbox->started && start(outbox, &err) < 0) {
		message_free(message);
		note_loss(outbox, err.text);
		wake(outbox->news_fd);
		return;
	}
	pthread_mutex_lock(&outbox->mutex);
	*outbox->last = message;
	outbox->last = &message->next;
	if (++outbox->length > QUEUE_MAX) {
		dropped = take_first(outbox);
		note_loss(outbox, NULL);
		outbox->news.full = true;
	}
	pthread_mutex_unlock(&outbox->mutex);
	wake(outbox->wake_fd);
	if (dropped)
		wake(outbox->news_fd);
	message_free(dropped);
}

bool outbox_take_news(struct outbox *outbox, struct outbox_news *ret_news)
{
	bool has_news;

	pthread_mutex_lock(&outbox->mutex);
	has_news = outbox->has_news;
	*ret_news = outbox->news;
	outbox->news = (struct outbox_news){0};
	outbox->has_news = false;
	pthread_mutex_unlock(&outbox->mutex);
	return has_news;
}

void outbox_finish(struct outbox *outbox, int64_t deadline_ns)
{
	pthread_mutex_lock(&outbox->mutex);
	outbox->finish_ns = deadline_ns;
	pthread_mutex_unlock(&outbox->mutex);
	if (outbox->started)
		wake(outbox->wake_fd);
}

bool outbox_is_done(struct outbox *outbox)
{
	bool done;

	pthread_mutex_lock(&outbox->mutex);
	done = outbox->done;
	pthread_mutex_unlock(&outbox->mutex);
	return done || !outbox->started;
}

/* Has the thread return. False: it does not, and is left behind with all that it uses. */
static bool end_thread(struct outbox *outbox, struct outbox_news *ret_news)
{
	pthread_t thread = outbox->thread;
	struct timespec until;
	bool done;

	wake(outbox->cancel_fd);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETURN_NS / SECOND_NS;
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0)
		return true;
	pthread_mutex_lock(&outbox->mutex);
	done = outbox->done;
	outbox->abandoned = !done;
	*ret_news = outbox->news;
	if (!*ret_news->reason.text)
		err_set(&ret_news->reason, "the time was over");
	ret_news->lost += outbox->length + outbox->in_hand;
	ret_news->alone = true;
	pthread_mutex_unlock(&outbox->mutex);
	/* Without `done` the outbox is the thread's from here on. */
	if (done)
		pthread_join(thread, NULL);
	else
		pthread_detach(thread);
	return done;
}

void outbox_free(struct outbox *outbox, struct outbox_news *ret_news)
{
	outbox_finish(outbox, 0);
	if (outbox->started && !end_thread(outbox, ret_news))
		return;
	outbox_take_news(outbox, ret_news);
	outbox_destroy(outbox);
}
