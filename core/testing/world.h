/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of a test: how those outside reply, and what was asked of them. It lies in memory that
 * the test, the supervisor, the runner and its children share at one address. Rules are made by the
 * test before it forks; what happens is added by any of them, without locks, since each may be
 * killed at any moment.
 */
#ifndef SPICERACK_TESTING_WORLD_H
#define SPICERACK_TESTING_WORLD_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../sdk/testing/spicerack/testing.h"

/* Pages cost nothing before they are used. */
#define WORLD_SIZE (256UL << 20)

enum rule_kind { RULE_HOST, RULE_QUERY, RULE_HTTP, RULE_DNS, RULE_OTHER };

/* How somebody replies. Texts are the world's. */
struct rule {
	struct rule *next;
	enum rule_kind kind;
	const char *where;   /* a set of hosts, or `*` */
	const char *pattern; /* of a command, a query, a request */
	struct spk_test_reply reply;
	_Atomic uint32_t used;
	bool exactly; /* it is no pattern */
};

/* Something that happened outside. */
struct happening {
	struct happening *next;  /* that happened before */
	int64_t time_ns;         /* of CLOCK_REALTIME, as it is */
	const char *line;        /* of the story */
	const char *host, *what; /* of a command on a host; else NULL */
};

/* A lock that somebody holds or waits for. */
struct world_lock {
	struct world_lock *next;
	const char *key, *id, *owner, *cookbook;
	int64_t frees_ns; /* of CLOCK_BOOTTIME; that of others only; INT64_MAX: never */
	int64_t created_ns, ttl_ns;
	uint64_t fence;
	int32_t concurrency;
	bool others, gone;
};

/* A step of a run without trouble. */
struct world_step {
	struct world_step *next;
	const char *what;
	bool fallible, undoing;
	bool host; /* the supervisor's own: neither Ctrl+C nor a crash of the cookbook comes there
		    */
};

struct world {
	atomic_size_t used;
	_Atomic int64_t ahead_ns;
	struct rule *rules, **last_rule;
	_Atomic(struct happening *) happened;
	_Atomic(struct world_lock *) locks;
	_Atomic uint64_t fences;
	/* Of every step: how many there were, and which is in trouble (0: none). */
	_Atomic uint32_t steps;
	uint32_t troubled, trouble;
	_Atomic(struct world_step *) seen;
	pid_t supervisor;
	const char *record_file;
};

/* NULL: there is no memory. */
struct world *world_new(void);
void world_free(struct world *world);

/* Zeroed memory of the world; ends the process where there is none left. */
void *world_alloc(struct world *world, size_t size);
const char *world_text(struct world *world, const char *text);

/* All are the world's. `reply` may be NULL. */
void world_add_rule(struct world *world, enum rule_kind kind, const char *where,
		    const char *pattern, const struct spk_test_reply *reply);
/* The same of a pattern in which `*` and `?` mean themselves. */
void world_add_exactly(struct world *world, enum rule_kind kind, const char *where,
		       const char *what, const struct spk_test_reply *reply);
/* The first that fits and is not used up, which is used once more; NULL: none. */
const struct spk_test_reply *world_reply(struct world *world, enum rule_kind kind,
					 const char *where, const char *what);
bool world_matches(const char *pattern, const char *text);
/* Whether a name is in a set of hosts, or that is `*`. */
bool world_is_among(const char *hosts, const char *name);

void world_happened(struct world *world, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
/* The same of a command on a host. */
void world_happened_on(struct world *world, const char *host, const char *what, const char *format,
		       ...) __attribute__((__format__(__printf__, 4, 5)));

/* The world of this process. */
struct world *world_here(void);
void world_set_here(struct world *world);

/* Whether this process undoes something: asks the library that the cookbook is linked to. */
bool world_is_undoing(void);
void world_ask_undoing(bool (*is_undoing)(void));

/* Takes a step, whose turn may be to get into trouble: true: it fails. */
bool world_step(bool fallible, bool undoing, const char *what);

#endif
