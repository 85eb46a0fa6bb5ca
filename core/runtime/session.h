/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is behind `struct spk`: one session per process of a run. The runner makes
 * it, and every child of the runner starts with the same: what must outlive a child
 * lies in the shared memory (arena.h), the rest is the child's own.
 */
#ifndef SPICERACK_CORE_SESSION_H
#define SPICERACK_CORE_SESSION_H

#include <spicerack/cookbook.h>
#include <stdarg.h>
#include <sys/types.h>

#include "arena.h"
#include "channel.h"
#include "order.h"
#include "protocol.h"

#define SESSION_MAGIC 0x5350534eU

struct guard;

struct spk {
	uint32_t magic;
	struct run_order order;
	struct spk_cookbook cookbook; /* the descriptor, as far as we know it */
	uintptr_t base;               /* where the file was loaded */
	struct shared *shared;

	/* of this process */
	pid_t process;                  /* this one; in what the cookbook forks it stays the same */
	struct guard *guard;            /* the innermost, see guard.h */
	const struct spk_error *raised; /* on its way to it */
	struct channel requests;
	uint32_t serial; /* of the last request */
	uint32_t orders; /* taken by this process */
	bool checking;   /* a REQUEST_CHECK is under way */
	int interrupt_fd;
	unsigned int uninterruptible; /* nesting: 0 means that an interruption may raise */
	bool undoing_failure;         /* the undo action that runs is due to an error or a crash */
	bool preparing;               /* prepare is running */
	/* Says what was put off; called before this process waits for anything. NULL: nothing. */
	void (*before_waiting)(struct spk *spk);
	/* Takes leave of others; called before this process ends in peace. NULL: of nobody. */
	void (*before_end)(struct spk *spk);
};

/* The session of this process; NULL before the runner made it. */
struct spk *session_current(void);
void session_set_current(struct spk *spk);

/*
 * Ends a process that the cookbook forked and that comes back into the run, often because an exec
 * failed: its twin is the one that goes on, and what is done once must not be done by both. Aborts
 * in a second thread of the process itself: the SDK's calls are for one.
 */
void session_end_twin(const struct spk *spk);

/* Raises misuse: `function` was given what its contract forbids. */
void session_misuse(const char *function, const char *format, ...)
	__attribute__((noreturn, __format__(__printf__, 2, 3)));

/* Refuses a call whose handle is NULL, of another type or of an ended run. */
#define CHECK_HANDLE(handle, expected)                                                             \
	do {                                                                                       \
		if (!(handle) || (handle)->magic != (expected))                                    \
			session_misuse(__func__, "'%s' is no live handle", #handle);               \
	} while (0)

#define CHECK_SPK(spk) CHECK_HANDLE(spk, SESSION_MAGIC)

/* Refuses NULL where a value is needed. */
#define CHECK_GIVEN(argument)                                                                      \
	do {                                                                                       \
		if (!(argument))                                                                   \
			session_misuse(__func__, "'%s' is NULL", #argument);                       \
	} while (0)

/* What spk_log() does, for an audience beside the log. Raises `interrupted` behind the record. */
void session_log(struct spk *spk, enum log_audience audience, enum spk_level level,
		 const char *file, int line, const char *function, const char *format, va_list args)
	__attribute__((__format__(__printf__, 7, 0)));

/*
 * The one gate in front of everything that changes something: false in dry-run, having
 * logged at INFO what would be done ("would " and the message). The caller then
 * does nothing and returns what its contract says for a dry run.
 */
bool session_may_write(struct spk *spk, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* Raises `interrupted` when an interruption is due. Called by everything that waits. */
void session_check_interrupt(struct spk *spk);

/*
 * For who waits inside of a library: a descriptor that is readable when an interruption is due,
 * which session_check_interrupt() then raises; -1 while none may raise. What was put off is said
 * before. For a call that begins now: raises `interrupted` itself.
 */
int session_cancel_fd(struct spk *spk);

/* When a span that begins now is over, of CLOCK_BOOTTIME in ns; INT64_MAX: never. */
int64_t session_deadline(spk_duration span);

/*
 * For the summary at the end of a dry run: what was really read, as "the file 'x'", and what could
 * not be known because something was not done, as "what command 'x' would have said". Nothing in
 * other runs. What is written is known by session_may_write().
 */
void session_did_read(struct spk *spk, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
void session_cannot_know(struct spk *spk, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/*
 * Waits until one of the descriptors is ready, the deadline has passed (CLOCK_BOOTTIME
 * in ns; INT64_MAX: none) or an interruption is due, which raises. Returns as poll() does.
 * At most 8 descriptors.
 */
struct pollfd;
int session_poll(struct spk *spk, struct pollfd *fds, unsigned int count, int64_t deadline_ns);

/*
 * Waits until the supervisor has sent something. After a long silence it is asked whether
 * a message was lost: neither side must wait for the other for ever. `awaited` is the serial of
 * the request whose answer is due, 0 while an order is.
 */
void session_listen(struct spk *spk, uint32_t awaited);

/* Ends the process when REQUEST_CHECKED shows that what it waits for will not come. */
void session_checked(struct spk *spk, struct message *message, uint32_t awaited);

/* Tells the supervisor what needs no answer. */
void session_tell(struct spk *spk, uint32_t type, const struct buf *body);

/* Asks the supervisor and waits for its answer, whose items are left in *ret_answer. */
void session_request(struct spk *spk, uint32_t type, const struct buf *body,
		     struct message *ret_answer);

#endif
