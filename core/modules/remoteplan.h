/* SPDX-License-Identifier: Apache-2.0 */
/* How many hosts a share is, and in which order they get their turn: arithmetic alone. */
#ifndef SPICERACK_MODULES_REMOTEPLAN_H
#define SPICERACK_MODULES_REMOTEPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spicerack/remote.h>

enum share_kind { SHARE_NONE = 0, SHARE_COUNT = 1, SHARE_PERCENT = 2 };

/* Whether it is a number of hosts or a percentage that can be; `least`: of a number. */
bool plan_share_is_valid(spk_share share, double least);
/* Hosts at work at a time: rounded up, 1 at least, no more than there are. None is all. */
size_t plan_batch(spk_share batch, size_t hosts);
/* Hosts that must succeed. None is all. */
size_t plan_needed(spk_share threshold, size_t hosts);
/* That as a percentage, for the operator. */
double plan_percent(size_t part, size_t all);

/* Places at work; one that is left stays empty for a while. */
struct plan_window {
	size_t size, busy;
	int64_t sleep_ns;
	int64_t *ready; /* when the places that were left may be taken: a ring of `size` */
	size_t first, resting;
};

void plan_window_open(struct plan_window *window, size_t size, int64_t sleep_ns);
void plan_window_close(struct plan_window *window);
/* Takes a place; false: there is none now. */
bool plan_window_take(struct plan_window *window, int64_t now_ns);
void plan_window_leave(struct plan_window *window, int64_t now_ns);
/* When a place that rests can be taken; INT64_MAX: none rests. */
int64_t plan_window_ready(const struct plan_window *window);

#endif
