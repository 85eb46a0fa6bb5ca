/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in a run, as it is told to everything that is not for people: the journal, `cookbook
 * --json`, notifications, the journal of systemd. One schema for all of them, docs/events.md: who
 * changes a member or its meaning raises EVENT_SCHEMA; a new event or member does not.
 */
#ifndef SPICERACK_HOST_EVENT_H
#define SPICERACK_HOST_EVENT_H

#include <spicerack/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "../../runtime/buf.h"

#define EVENT_SCHEMA 1

enum event_type { EVENT_IS_TEXT, EVENT_IS_TEXTS, EVENT_IS_NUMBER, EVENT_IS_SECONDS, EVENT_IS_FLAG };

/* A member of an event. A text that is NULL is null, except where the macro says otherwise. */
struct event_field {
	const char *name;
	enum event_type type;
	union {
		const char *text;
		spk_strings texts;
		int64_t number; /* of seconds: in ns */
		bool flag;
	} value;
};

#define EVENT_TEXT(name_, value_)                                                                  \
	{                                                                                          \
		.name = (name_), .type = EVENT_IS_TEXT, .value.text = (value_)                     \
	}
#define EVENT_TEXTS(name_, value_)                                                                 \
	{                                                                                          \
		.name = (name_), .type = EVENT_IS_TEXTS, .value.texts = (value_)                   \
	}
#define EVENT_NUMBER(name_, value_)                                                                \
	{                                                                                          \
		.name = (name_), .type = EVENT_IS_NUMBER, .value.number = (value_)                 \
	}
#define EVENT_SECONDS(name_, value_)                                                               \
	{                                                                                          \
		.name = (name_), .type = EVENT_IS_SECONDS, .value.number = (value_)                \
	}
#define EVENT_FLAG(name_, value_)                                                                  \
	{                                                                                          \
		.name = (name_), .type = EVENT_IS_FLAG, .value.flag = (value_)                     \
	}

/*
 * An event as it is handed on. Its texts are without secrets: journal.c makes events, and nothing
 * else does.
 */
struct event {
	const char *name;
	const char *run;      /* the id of the run */
	const char *cookbook; /* that it is of; JSON has it in `begin` only */
	uint64_t sequence; /* from 1 in each run; 0: of another process than the run's supervisor */
	struct timespec time;
	const struct event_field *fields;
	size_t count;
};

/* The field of that name, or NULL. */
const struct event_field *event_find(const struct event *event, const char *name);

/* `2026-11-26T02:11:57.123456Z` */
void event_put_time(const struct timespec *time, struct buf *out);

/* Appends the event as one line of JSON, with its newline. */
void event_put_json(const struct event *event, struct buf *out);

#endif
