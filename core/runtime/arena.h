/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a run: one mapping made by the runner and shared by its children at
 * one address, so that a fresh child finds what a dead one left. Never in a core dump.
 * Nothing is freed before the run ends. Only one child at a time is alive.
 */
#ifndef SPICERACK_CORE_ARENA_H
#define SPICERACK_CORE_ARENA_H

#include <spicerack/error.h>

#include "err.h"

/* How much a run may have; pages cost nothing before they are used. */
#define ARENA_SIZE (1UL << 30)
/* Kept back for errors: also "out of memory" needs some. */
#define ARENA_RESERVE (1UL << 20)

#define UNDO_MAX 4096
#define CRASH_FRAMES 48

enum undo_state {
	UNDO_OPEN = 1,
	UNDO_RUNNING = 2, /* marked before the action is called: it is never called twice */
	UNDO_CLOSED = 3,  /* undone, or dismissed */
};

/* One undo action. It counts only once `undo_count` includes it. */
struct spk_scope {
	uint32_t magic;
	uint32_t state; /* enum undo_state */
	spk_action *action;
	void *argument;
	const char *what;
	uint64_t checksum; /* over all of it but the state */
};

/* What the signal handler of a dying child leaves behind. */
struct crash {
	int signal; /* 0: none */
	int code;
	uintptr_t fault_address, stack_pointer;
	unsigned int count;
	uintptr_t
		addresses[CRASH_FRAMES]; /* the first is the place itself, the others are returns */
};

/* The head of the mapping. */
struct shared {
	size_t used;
	void *self;                  /* the cookbook's structure */
	struct spk_actions *actions; /* the first list of actions.h */
	uint32_t stage;              /* enum stage: what a child is at, or was last at */
	/* Numbers, for a bool that the cookbook has overwritten is no value. */
	uint32_t stage_succeeded;  /* it came back from there with a success */
	uint32_t rollback_started; /* marked before it is called: never called twice */
	uint32_t skip_start;
	uint32_t undo_failed; /* actions that raised, or were cut short by a crash */
	uint32_t undo_count;
	struct spk_scope undo[UNDO_MAX];
	struct crash crash;
};

MUST_CHECK int arena_create(struct shared **ret, struct err *err);
/* Zeroed memory aligned for anything, or NULL when there is no more. `reserve`: may use the
 * reserve. */
void *arena_alloc(struct shared *shared, size_t size, bool reserve);
/* Whether an address lies in it. */
bool arena_contains(const struct shared *shared, const void *address);

#endif
