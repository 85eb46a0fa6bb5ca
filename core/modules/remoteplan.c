/* SPDX-License-Identifier: Apache-2.0 */
#include "remoteplan.h"

#include <math.h>
#include <stdlib.h>

#include "../runtime/mem.h"

/* 66.6 % of 1,000 is 666, whatever the processor makes of it. */
#define NOISE 1e-6

bool plan_share_is_valid(spk_share share, double least)
{
	switch (share.kind) {
	case SHARE_NONE:
		return true;
	case SHARE_COUNT:
		return share.value >= least && share.value <= 1e9;
	case SHARE_PERCENT:
		return share.value >= 0 && share.value <= 100;
	default:
		return false;
	}
}

/* At least `least`, at most all. */
static size_t hosts_of(spk_share share, size_t hosts, size_t least)
{
	double wanted = share.value;
	size_t count;

	if (share.kind == SHARE_NONE)
		return hosts;
	if (share.kind == SHARE_PERCENT)
		wanted = ceil(share.value / 100 * (double)hosts - NOISE);
	count = wanted > 0 ? (size_t)wanted : 0;
	if (count < least)
		count = least;
	return count < hosts ? count : hosts;
}

size_t plan_batch(spk_share batch, size_t hosts)
{
	return hosts_of(batch, hosts, 1);
}

size_t plan_needed(spk_share threshold, size_t hosts)
{
	return hosts_of(threshold, hosts, 0);
}

double plan_percent(size_t part, size_t all)
{
	return all ? (double)part / (double)all * 100 : 0;
}

void plan_window_open(struct plan_window *window, size_t size, int64_t sleep_ns)
{
	*window = (struct plan_window){
		.size = size,
		.sleep_ns = sleep_ns,
		.ready = xcalloc(size, sizeof(int64_t)),
	};
}

void plan_window_close(struct plan_window *window)
{
	free(window->ready);
	*window = (struct plan_window){0};
}

bool plan_window_take(struct plan_window *window, int64_t now_ns)
{
	while (window->resting > 0 && window->ready[window->first] <= now_ns) {
		window->first = (window->first + 1) % window->size;
		window->resting--;
	}
	if (window->busy + window->resting >= window->size)
		return false;
	window->busy++;
	return true;
}

void plan_window_leave(struct plan_window *window, int64_t now_ns)
{
	window->busy--;
	if (window->sleep_ns == 0)
		return;
	window->ready[(window->first + window->resting++) % window->size] = now_ns +
									    window->sleep_ns;
}

int64_t plan_window_ready(const struct plan_window *window)
{
	return window->resting > 0 ? window->ready[window->first] : INT64_MAX;
}
