/* SPDX-License-Identifier: Apache-2.0 */
#include "eventout.h"

#include "outflow.h"

/* What may wait for a reader at all. */
#define PENDING_LIMIT (16U << 20)

static void take(void *data, const struct event *event)
{
	struct eventout *eventout = data;

	if (eventout->gone || eventout->pending.length > PENDING_LIMIT)
		return;
	event_put_json(event, &eventout->pending);
	eventout_flush(eventout);
}

void eventout_begin(struct eventout *eventout, struct log *log)
{
	*eventout = (struct eventout){.sink = {.take = take, .data = eventout}, .log = log};
}

bool eventout_wants_more(const struct eventout *eventout)
{
	return eventout->pending.length < OUTFLOW_PENDING_MAX;
}

bool eventout_is_pending(const struct eventout *eventout)
{
	return eventout && eventout->pending.length > 0;
}

void eventout_flush(struct eventout *eventout)
{
	if (!eventout->gone && outflow_write(&eventout->pending, eventout->log) != 0)
		eventout->gone = true;
}

void eventout_end(struct eventout *eventout, int signal_fd)
{
	if (!eventout->gone)
		outflow_finish(&eventout->pending, eventout->log, signal_fd);
	buf_free(&eventout->pending);
}
