/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens when: descriptors that are watched, times, and tasks. One epoll descriptor stands
 * for all of it. Nothing is called but from loop_run().
 */
#ifndef SPICERACK_LIBSSH_LOOP_H
#define SPICERACK_LIBSSH_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/* A descriptor that is watched. Part of what it belongs to; zeroed is none. */
struct watch {
	/* `events` are those of epoll. */
	void (*ready)(struct watch *watch, uint32_t events);
	int fd;
	uint32_t events; /* asked for */
	bool watched;
};

/* A time. Zeroed is none. */
struct timer {
	void (*fire)(struct timer *timer);
	int64_t due_ns; /* of CLOCK_BOOTTIME */
	size_t place;   /* in the heap, from 1; 0: not in it */
};

/* Something to be done soon, once however often it is asked for. */
struct task {
	void (*run)(struct task *task);
	struct task *next;
	bool queued;
};

/* What is to be freed when nothing refers to it any more. The first member of it. */
struct grave {
	struct grave *next;
	void (*bury)(struct grave *grave);
};

/* NULL: errno says why. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

int loop_fd(const struct loop *loop);
/* INT64_MAX: no time. */
int64_t loop_deadline(const struct loop *loop);
/* Does what is due, without waiting. */
void loop_run(struct loop *loop);

/* Begins to watch, or watches for other events; false: the kernel has no room for it. */
bool loop_watch(struct loop *loop, struct watch *watch, uint32_t events);
/* To be called before the descriptor is closed. */
void loop_unwatch(struct loop *loop, struct watch *watch);
/* The descriptor was closed by somebody else. */
void loop_forget(struct watch *watch);

void loop_set_timer(struct loop *loop, struct timer *timer, int64_t due_ns);
void loop_stop_timer(struct loop *loop, struct timer *timer);

void loop_add_task(struct loop *loop, struct task *task);
/* It will not be run. */
void loop_drop_task(struct loop *loop, struct task *task);

/* Buries it at the end of loop_run(), or of the next one. */
void loop_bury(struct loop *loop, struct grave *grave);

#endif
