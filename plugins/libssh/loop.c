/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../net/dial.h"
#include "../base/memory.h"

#define EVENTS_AT_ONCE 64
/* Tasks that add tasks come to an end in the end; the caller gets its turn before. */
#define TASKS_AT_ONCE 10000

struct loop {
	int epoll, wake;
	bool awake;            /* `wake` is readable */
	bool running;          /* within loop_run() */
	struct timer **timers; /* a heap: the earliest first */
	size_t timer_count, timer_capacity;
	struct task *tasks, **tasks_end;
	struct grave *graves;
};

struct loop *loop_new(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct loop *loop = memory_new(1, sizeof(*loop));

	loop->tasks_end = &loop->tasks;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->epoll >= 0 && loop->wake >= 0 &&
	    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) == 0)
		return loop;
	loop_free(loop);
	return NULL;
}

static void bury_all(struct loop *loop)
{
	while (loop->graves) {
		struct grave *grave = loop->graves;

		loop->graves = grave->next;
		grave->bury(grave);
	}
}

void loop_free(struct loop *loop)
{
	int error = errno;

	bury_all(loop);
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->wake >= 0)
		close(loop->wake);
	memory_free(loop->timers);
	memory_free(loop);
	errno = error;
}

int loop_fd(const struct loop *loop)
{
	return loop->epoll;
}

/* ---- descriptors ---- */

bool loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (watch->watched && watch->events == events)
		return true;
	if (epoll_ctl(loop->epoll, watch->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd,
		      &event) < 0)
		return false;
	watch->watched = true;
	watch->events = events;
	return true;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
	if (watch->watched)
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	loop_forget(watch);
}

void loop_forget(struct watch *watch)
{
	watch->watched = false;
	watch->ready = NULL;
}

/* ---- times ---- */

static void put(struct loop *loop, size_t place, struct timer *timer)
{
	loop->timers[place - 1] = timer;
	timer->place = place;
}

static struct timer *at(const struct loop *loop, size_t place)
{
	return loop->timers[place - 1];
}

static void rise(struct loop *loop, struct timer *timer)
{
	size_t place = timer->place;

	for (; place > 1 && at(loop, place / 2)->due_ns > timer->due_ns; place /= 2)
		put(loop, place, at(loop, place / 2));
	put(loop, place, timer);
}

static void sink(struct loop *loop, struct timer *timer)
{
	size_t place = timer->place;

	for (;;) {
		size_t child = place * 2;

		if (child < loop->timer_count &&
		    at(loop, child + 1)->due_ns < at(loop, child)->due_ns)
			child++;
		if (child > loop->timer_count || at(loop, child)->due_ns >= timer->due_ns)
			break;
		put(loop, place, at(loop, child));
		place = child;
	}
	put(loop, place, timer);
}

void loop_set_timer(struct loop *loop, struct timer *timer, int64_t due_ns)
{
	if (!timer->place) {
		loop->timers = memory_grow(loop->timers, loop->timer_count, &loop->timer_capacity,
					   sizeof(timer));
		put(loop, ++loop->timer_count, timer);
	}
	timer->due_ns = due_ns;
	rise(loop, timer);
	sink(loop, timer);
}

void loop_stop_timer(struct loop *loop, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last;

	if (!place)
		return;
	last = at(loop, loop->timer_count--);
	timer->place = 0;
	if (last == timer)
		return;
	put(loop, place, last);
	rise(loop, last);
	sink(loop, last);
}

int64_t loop_deadline(const struct loop *loop)
{
	return loop->timer_count ? at(loop, 1)->due_ns : INT64_MAX;
}

static void fire_timers(struct loop *loop)
{
	const int64_t now = loop->timer_count ? net_now() : 0;

	while (loop->timer_count && at(loop, 1)->due_ns <= now) {
		struct timer *timer = at(loop, 1);

		loop_stop_timer(loop, timer);
		timer->fire(timer);
	}
}

/* ---- tasks ---- */

void loop_add_task(struct loop *loop, struct task *task)
{
	if (task->queued)
		return;
	task->queued = true;
	task->next = NULL;
	*loop->tasks_end = task;
	loop->tasks_end = &task->next;
	if (!loop->awake && !loop->running) {
		loop->awake = true;
		eventfd_write(loop->wake, 1);
	}
}

void loop_drop_task(struct loop *loop, struct task *task)
{
	struct task **link = &loop->tasks;

	if (!task->queued)
		return;
	while (*link != task)
		link = &(*link)->next;
	*link = task->next;
	if (!*link)
		loop->tasks_end = link;
	task->queued = false;
}

static void run_tasks(struct loop *loop)
{
	for (int i = 0; i < TASKS_AT_ONCE && loop->tasks; i++) {
		struct task *task = loop->tasks;

		loop_drop_task(loop, task);
		task->run(task);
	}
}

void loop_bury(struct loop *loop, struct grave *grave)
{
	grave->next = loop->graves;
	loop->graves = grave;
}

/* ---- all of it ---- */

static void fall_asleep(struct loop *loop)
{
	eventfd_t ignored;

	if (loop->awake)
		eventfd_read(loop->wake, &ignored);
	loop->awake = false;
}

void loop_run(struct loop *loop)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count;

	loop->running = true;
	fall_asleep(loop);
	run_tasks(loop);
	count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, 0);
	for (int i = 0; i < count; i++) {
		struct watch *watch = events[i].data.ptr;

		/* NULL is `wake`; a watch may have been given up by those before it. */
		if (watch && watch->ready)
			watch->ready(watch, events[i].events);
	}
	fire_timers(loop);
	run_tasks(loop);
	bury_all(loop);
	loop->running = false;
	if (loop->tasks) {
		loop->awake = true;
		eventfd_write(loop->wake, 1);
	}
}
