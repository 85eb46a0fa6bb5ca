/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"

#define SECOND_NS 1000000000LL
/* How long a call may take that nobody waits for with patience of his own. */
#define CALL_NS (10 * SECOND_NS)
/* Giving back is a courtesy: whoever ends does not wait for long. */
#define GIVE_BACK_NS (5 * SECOND_NS)
/* Between two tries at a store that does not answer, and how many there are before giving up. */
#define SILENCE_RETRY_NS (5 * SECOND_NS)
#define SILENCE_TRIES 4
/* A store without a queue is asked again after 5, 10, 15 ... seconds. */
#define RETRY_STEP_NS (5 * SECOND_NS)
/* After a renewal that failed. */
#define RENEW_RETRY_NS (1 * SECOND_NS)

/* The other side sleeps until then: it has to hear of it, however the system feels. */
#define WAKE_TRIES 100

struct held {
	char id[40];
	int64_t old_ns; /* when its ttl has passed, of CLOCK_BOOTTIME; INT64_MAX: it has been told
			 */
};

struct keeper {
	pthread_t thread;
	const struct lock_store_config *config;
	struct lease *lease;
	int order_fd, news_fd, cancel_fd;
	/* Both sides', under the mutex. */
	pthread_mutex_t mutex;
	struct keeper_order order;
	bool ordered, stopping;
	struct keeper_news *first, **last;
	/* The thread's. */
	struct lock_store store;
	struct err failure; /* to open it */
	struct held *held;
	size_t held_count, held_capacity;
	int64_t next_renewal_ns, until_ns;
	bool silent, lost;
};

static int64_t later(int64_t span)
{
	int64_t time;

	return __builtin_add_overflow(spk_uptime().ns, span, &time) ? INT64_MAX : time;
}

static int64_t earlier_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- news ---- */

static struct keeper_news *news_new(enum keeper_news_type type)
{
	struct keeper_news *news = xcalloc(1, sizeof(*news));

	news->type = type;
	return news;
}

static void wake(int fd)
{
	for (int i = 0; i < WAKE_TRIES && eventfd_write(fd, 1) < 0; i++)
		;
}

static void tell(struct keeper *keeper, struct keeper_news *news)
{
	pthread_mutex_lock(&keeper->mutex);
	*keeper->last = news;
	keeper->last = &news->next;
	pthread_mutex_unlock(&keeper->mutex);
	wake(keeper->news_fd);
}

struct keeper_news *keeper_take_news(struct keeper *keeper)
{
	struct keeper_news *news;
	eventfd_t count;

	/* Before the look: what is told after it makes the descriptor readable again. */
	eventfd_read(keeper->news_fd, &count);
	pthread_mutex_lock(&keeper->mutex);
	news = keeper->first;
	if (news) {
		keeper->first = news->next;
		if (!keeper->first)
			keeper->last = &keeper->first;
	}
	pthread_mutex_unlock(&keeper->mutex);
	return news;
}

void keeper_news_free(struct keeper_news *news)
{
	if (news)
		lock_list_free(&news->others);
	free(news);
}

static void answer(struct keeper *keeper, struct keeper_news *news, enum spk_lock_status status,
		   const char *reason)
{
	news->status = status;
	err_set(&news->reason, "%s", reason);
	tell(keeper, news);
}

static void tell_silence(struct keeper *keeper, const char *reason)
{
	struct keeper_news *news;

	if (keeper->silent)
		return;
	keeper->silent = true;
	news = news_new(KEEPER_SILENCE);
	news->until_ns = keeper->held_count ? keeper->until_ns : INT64_MAX;
	err_set(&news->reason, "%s", reason);
	tell(keeper, news);
}

static void tell_speech(struct keeper *keeper)
{
	if (keeper->silent)
		tell(keeper, news_new(KEEPER_SPEAKS));
	keeper->silent = false;
}

/* ---- what is held ---- */

/* The runner stops everything when this has passed. */
static void write_lease(struct keeper *keeper)
{
	int64_t until = keeper->held_count ? keeper->until_ns : INT64_MAX;

	if (keeper->lost)
		until = 1; /* long ago */
	else if (until != INT64_MAX)
		until -= LEASE_MARGIN_NS;
	lease_set(keeper->lease, until);
}

static void lose(struct keeper *keeper, const char *reason)
{
	struct keeper_news *news = news_new(KEEPER_LOST);

	keeper->lost = true;
	write_lease(keeper);
	err_set(&news->reason, "%s", reason);
	tell(keeper, news);
}

static void hold(struct keeper *keeper, const struct spk_lock_entry *entry)
{
	struct held *held;

	keeper->held = xgrow(keeper->held, keeper->held_count, &keeper->held_capacity,
			     sizeof(*keeper->held));
	held = &keeper->held[keeper->held_count++];
	*held = (struct held){.old_ns = later(entry->ttl_ns)};
	strncpy(held->id, entry->id, sizeof(held->id) - 1);
	write_lease(keeper);
}

static void let_go(struct keeper *keeper, const char *id)
{
	for (size_t i = 0; i < keeper->held_count; i++)
		if (strcmp(keeper->held[i].id, id) == 0) {
			keeper->held[i] = keeper->held[--keeper->held_count];
			break;
		}
	write_lease(keeper);
}

/* ---- renewal ---- */

/* The descriptor of the call may interrupt it; it is made up for soon. */
static enum spk_lock_status renew(struct keeper *keeper, struct spk_lock_call *call)
{
	int64_t until = INT64_MAX, next = INT64_MAX;
	enum spk_lock_status status;

	if (keeper->lost)
		return SPK_LOCK_OK;
	status = keeper->store.driver->renew(keeper->store.store, &until, &next, call);
	switch (status) {
	case SPK_LOCK_OK:
		keeper->until_ns = until;
		keeper->next_renewal_ns = next;
		tell_speech(keeper);
		write_lease(keeper);
		break;
	case SPK_LOCK_LOST:
	case SPK_LOCK_MISSING:
		keeper->next_renewal_ns = INT64_MAX;
		/* Who only waits finds out at his next call. */
		if (keeper->held_count)
			lose(keeper, call->reason.text);
		break;
	case SPK_LOCK_CANCELLED:
		keeper->next_renewal_ns = later(RENEW_RETRY_NS / 10);
		break;
	default:
		keeper->next_renewal_ns = later(RENEW_RETRY_NS);
		if (keeper->held_count)
			tell_silence(keeper, call->reason.text);
		break;
	}
	return status;
}

static void attend(struct keeper *keeper, int cancel_fd)
{
	struct spk_lock_call call = {.deadline_ns = later(CALL_NS), .cancel_fd = cancel_fd};
	int64_t now = spk_uptime().ns;

	for (size_t i = 0; i < keeper->held_count; i++) {
		struct keeper_news *news;

		if (now < keeper->held[i].old_ns)
			continue;
		news = news_new(KEEPER_OLD);
		memcpy(news->id, keeper->held[i].id, sizeof(news->id));
		keeper->held[i].old_ns = INT64_MAX;
		tell(keeper, news);
	}
	if (now >= keeper->next_renewal_ns)
		(void)renew(keeper, &call);
	if (!keeper->lost && keeper->held_count && spk_uptime().ns >= keeper->until_ns)
		lose(keeper, "the store did not answer in time");
}

/* When the keeper has something to do by itself. */
static int64_t next_duty(const struct keeper *keeper)
{
	int64_t next = keeper->lost ? INT64_MAX : keeper->next_renewal_ns;

	if (!keeper->lost && keeper->held_count)
		next = earlier_of(next, keeper->until_ns);
	for (size_t i = 0; i < keeper->held_count; i++)
		next = earlier_of(next, keeper->held[i].old_ns);
	return next;
}

/* Waits for the descriptor, at most until then. */
static bool wait_readable(int fd, int64_t until_ns)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int64_t left = until_ns == INT64_MAX ? INT64_MAX : until_ns - spk_uptime().ns;
	struct timespec timeout = {0};

	if (left > 0) {
		timeout.tv_sec = left / SECOND_NS;
		timeout.tv_nsec = left % SECOND_NS;
	}
	return ppoll(&ready, 1, left == INT64_MAX ? NULL : &timeout, NULL) > 0;
}

/* Sleeps, renewing what is due. False: the order was cancelled. */
static bool nap(struct keeper *keeper, int64_t until_ns)
{
	while (spk_uptime().ns < until_ns) {
		if (wait_readable(keeper->cancel_fd, earlier_of(until_ns, next_duty(keeper))))
			return false;
		attend(keeper, keeper->cancel_fd);
	}
	return true;
}

/* ---- taking a lock ---- */

struct taking {
	struct spk_lock_entry entry;
	int64_t until_ns;
	bool queued; /* the store has it in its queue */
	bool cut;    /* the last call was given less time than it may take */
	unsigned int tries, max_tries, silences;
	struct lock_list others;
	struct spk_lock_call call;
};

/* The tries that fit into the patience when each waits RETRY_STEP_NS longer than the one before. */
static unsigned int count_tries(int64_t patience_ns)
{
	unsigned int tries = 1;

	for (int64_t sum = RETRY_STEP_NS; sum <= patience_ns; sum += tries * RETRY_STEP_NS)
		tries++;
	return tries;
}

static void tell_others(struct keeper *keeper, struct taking *taking, enum keeper_news_type type)
{
	struct keeper_news *news = news_new(type);

	news->others = taking->others;
	taking->others = (struct lock_list){0};
	news->entry = taking->entry;
	news->attempt = taking->tries;
	news->attempts = taking->max_tries;
	news->delay_ns = taking->tries * RETRY_STEP_NS;
	tell(keeper, news);
}

static void withdraw(struct keeper *keeper, const struct taking *taking)
{
	struct spk_lock_call call = {.deadline_ns = later(GIVE_BACK_NS), .cancel_fd = -1};

	keeper->store.driver->leave(keeper->store.store, &taking->entry, &call);
}

/* One call of the store, no longer than the next duty allows. */
static enum spk_lock_status try_once(struct keeper *keeper, struct taking *taking)
{
	const struct spk_lock_driver *driver = keeper->store.driver;
	/* One try there is, however little patience. */
	int64_t limit = taking->queued ? taking->until_ns : later(CALL_NS);

	taking->call = (struct spk_lock_call){
		.deadline_ns = earlier_of(limit, next_duty(keeper)),
		.cancel_fd = keeper->cancel_fd,
	};
	taking->cut = taking->call.deadline_ns < limit;
	lock_list_clear(&taking->others);
	return (taking->queued ? driver->wait : driver->enter)(
		keeper->store.store, &taking->entry, lock_list_add, &taking->others, &taking->call);
}

/*
 * After a call that went well: finds out until when that counts. What is due now is known from
 * memory, where the call has just asked for it. A lock of which it cannot be said until when it is
 * held is not taken yet, nor is one that was lost while the answer was on its way.
 */
static enum spk_lock_status find_end(struct keeper *keeper, struct taking *taking,
				     enum spk_lock_status status)
{
	struct spk_lock_call call = {.deadline_ns = later(CALL_NS), .cancel_fd = keeper->cancel_fd};
	enum spk_lock_status renewed = renew(keeper, &call);

	if (status != SPK_LOCK_OK || renewed == SPK_LOCK_OK)
		return status;
	taking->call.reason = call.reason;
	return renewed;
}

/* The store does not answer. True: it is over. */
static bool bear_silence(struct keeper *keeper, struct taking *taking, enum spk_lock_status *status)
{
	/* Who stands in line already has his patience for it. */
	if (++taking->silences >= SILENCE_TRIES && !taking->queued)
		return true;
	tell_silence(keeper, taking->call.reason.text);
	if (nap(keeper, later(SILENCE_RETRY_NS)))
		return taking->queued && spk_uptime().ns >= taking->until_ns;
	*status = SPK_LOCK_CANCELLED;
	return true;
}

/* There is no queue: tries again later. True: it is over. */
static bool try_later(struct keeper *keeper, struct taking *taking, enum spk_lock_status *status)
{
	if (++taking->tries >= taking->max_tries) {
		tell_others(keeper, taking, KEEPER_WAITS);
		*status = SPK_LOCK_TIMEOUT;
		return true;
	}
	tell_others(keeper, taking, KEEPER_RETRIES);
	if (nap(keeper, later(taking->tries * RETRY_STEP_NS)))
		return false;
	*status = SPK_LOCK_CANCELLED;
	return true;
}

/* What follows from a status. True: it is over, with *status. */
static bool judge(struct keeper *keeper, struct taking *taking, enum spk_lock_status *status)
{
	if (*status == SPK_LOCK_TIMEOUT && !taking->queued && !taking->cut)
		*status = SPK_LOCK_UNREACHABLE;
	if (*status != SPK_LOCK_UNREACHABLE && *status != SPK_LOCK_TIMEOUT)
		taking->silences = 0;
	switch (*status) {
	case SPK_LOCK_WAITING:
		taking->queued = true;
		tell_others(keeper, taking, KEEPER_WAITS);
		if (spk_uptime().ns < taking->until_ns)
			return false;
		*status = SPK_LOCK_TIMEOUT;
		return true;
	case SPK_LOCK_TIMEOUT:
		return taking->queued && spk_uptime().ns >= taking->until_ns;
	case SPK_LOCK_BUSY:
		return try_later(keeper, taking, status);
	case SPK_LOCK_UNREACHABLE:
		return bear_silence(keeper, taking, status);
	default:
		return true;
	}
}

static void take(struct keeper *keeper, const struct keeper_order *order)
{
	struct taking taking = {
		.entry = order->entry,
		.until_ns = later(order->patience_ns),
		.max_tries = count_tries(order->patience_ns),
	};
	struct keeper_news *news = news_new(KEEPER_ANSWER);
	enum spk_lock_status status;
	bool over;

	do {
		status = try_once(keeper, &taking);
		if (status == SPK_LOCK_OK || status == SPK_LOCK_WAITING)
			status = find_end(keeper, &taking, status);
		over = judge(keeper, &taking, &status);
		attend(keeper, keeper->cancel_fd);
	} while (!over);
	if (status == SPK_LOCK_OK) {
		tell_speech(keeper);
		hold(keeper, &taking.entry);
	} else {
		withdraw(keeper, &taking);
	}
	lock_list_free(&taking.others);
	news->entry = taking.entry;
	answer(keeper, news, status, taking.call.reason.text);
}

/* ---- the other tasks ---- */

static void give_back(struct keeper *keeper, const struct keeper_order *order)
{
	struct spk_lock_call call = {.deadline_ns = later(GIVE_BACK_NS),
				     .cancel_fd = keeper->cancel_fd};
	enum spk_lock_status status = keeper->store.driver->leave(keeper->store.store,
								  &order->entry, &call);

	let_go(keeper, order->entry.id);
	answer(keeper, news_new(KEEPER_ANSWER), status, call.reason.text);
}

static void list(struct keeper *keeper, const struct keeper_order *order)
{
	struct spk_lock_call call = {.deadline_ns = later(CALL_NS), .cancel_fd = keeper->cancel_fd};
	struct keeper_news *news = news_new(KEEPER_ANSWER);
	enum spk_lock_status status = keeper->store.driver->list(
		keeper->store.store, order->entry.key, lock_list_add, &news->others, &call);

	answer(keeper, news, status, call.reason.text);
}

static void carry_out(struct keeper *keeper, const struct keeper_order *order)
{
	if (!keeper->store.store) {
		answer(keeper, news_new(KEEPER_ANSWER), SPK_LOCK_REFUSED, keeper->failure.text);
		return;
	}
	switch (order->task) {
	case KEEPER_TAKE:
		take(keeper, order);
		break;
	case KEEPER_GIVE_BACK:
		give_back(keeper, order);
		break;
	case KEEPER_LIST:
		list(keeper, order);
		break;
	}
}

/* ---- the thread ---- */

static void *keep(void *data)
{
	struct keeper *keeper = data;
	struct keeper_order order;
	bool ordered, stopping = false;

	if (lock_store_open(keeper->config, &keeper->store, &keeper->failure) < 0)
		keeper->store.store = NULL;
	while (!stopping) {
		eventfd_t count;

		/* An order ends a renewal that takes long. */
		if (!wait_readable(keeper->order_fd, next_duty(keeper))) {
			attend(keeper, keeper->order_fd);
			continue;
		}
		eventfd_read(keeper->order_fd, &count);
		pthread_mutex_lock(&keeper->mutex);
		order = keeper->order;
		ordered = keeper->ordered;
		keeper->ordered = false;
		stopping = keeper->stopping;
		pthread_mutex_unlock(&keeper->mutex);
		if (ordered)
			carry_out(keeper, &order);
	}
	lock_store_close(&keeper->store, later(GIVE_BACK_NS));
	return NULL;
}

static void keeper_free(struct keeper *keeper)
{
	struct keeper_news *news;

	while ((news = keeper_take_news(keeper)))
		keeper_news_free(news);
	fd_close(&keeper->order_fd);
	fd_close(&keeper->news_fd);
	fd_close(&keeper->cancel_fd);
	pthread_mutex_destroy(&keeper->mutex);
	free(keeper->held);
	free(keeper);
}

int keeper_start(const struct lock_store_config *config, struct lease *lease, struct keeper **ret,
		 struct err *err)
{
	struct keeper *keeper = xcalloc(1, sizeof(*keeper));
	sigset_t all, before;
	int rc;

	keeper->config = config;
	keeper->lease = lease;
	keeper->order_fd = keeper->news_fd = keeper->cancel_fd = -1;
	keeper->last = &keeper->first;
	keeper->next_renewal_ns = keeper->until_ns = INT64_MAX;
	pthread_mutex_init(&keeper->mutex, NULL);
	if (fd_event(&keeper->order_fd, err) < 0 || fd_event(&keeper->news_fd, err) < 0 ||
	    fd_event(&keeper->cancel_fd, err) < 0)
		goto failed;
	/* Signals are the supervisor's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&keeper->thread, NULL, keep, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		err_errno(err, "cannot start a thread");
		goto failed;
	}
	*ret = keeper;
	return 0;
failed:
	keeper_free(keeper);
	return -1;
}

int keeper_fd(const struct keeper *keeper)
{
	return keeper->news_fd;
}

void keeper_order(struct keeper *keeper, const struct keeper_order *order)
{
	eventfd_t count;

	/* A cancellation that came too late is not for this one. */
	eventfd_read(keeper->cancel_fd, &count);
	pthread_mutex_lock(&keeper->mutex);
	keeper->order = *order;
	keeper->ordered = true;
	pthread_mutex_unlock(&keeper->mutex);
	wake(keeper->order_fd);
}

void keeper_cancel(struct keeper *keeper)
{
	wake(keeper->cancel_fd);
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->mutex);
	keeper->stopping = true;
	pthread_mutex_unlock(&keeper->mutex);
	wake(keeper->cancel_fd);
	wake(keeper->order_fd);
	pthread_join(keeper->thread, NULL);
	keeper_free(keeper);
}
