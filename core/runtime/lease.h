/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Until when the locks of a run hold: one number in a page that the supervisor writes and the
 * runner reads. When the time has passed, the runner ends all that works, whatever state the
 * supervisor is in.
 */
#ifndef SPICERACK_CORE_LEASE_H
#define SPICERACK_CORE_LEASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/*
 * A runner looks at the page at least this often. It need not be woken to learn of an earlier end,
 * and after a suspension or a SIGSTOP it is at most that long behind.
 */
#define LEASE_CHECK_MS 500
/* What is left of a lease when the runner begins to end things. */
#define LEASE_MARGIN_NS 1000000000LL

struct lease {
	_Atomic int64_t until_ns; /* of CLOCK_BOOTTIME; INT64_MAX: nothing that could end is held */
};

/*
 * Makes the page, to be freed by lease_free(). *ret_fd is for the runners, who cannot write through
 * it, and is the caller's.
 */
MUST_CHECK int lease_create(struct lease **ret, int *ret_fd, struct err *err);

/* NULL is fine. */
void lease_free(struct lease *lease);

/* The page behind a descriptor, which is closed; NULL: there is none. */
const struct lease *lease_open(int fd);

void lease_set(struct lease *lease, int64_t until_ns);
int64_t lease_get(const struct lease *lease);

/* Whether its time has passed. NULL never ends. */
bool lease_is_over(const struct lease *lease);

#endif
