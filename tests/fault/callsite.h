/* SPDX-License-Identifier: Apache-2.0 */
/* Where in our code a stopped process makes its call, by its frames. */
#ifndef SPICERACK_FAULT_CALLSITE_H
#define SPICERACK_FAULT_CALLSITE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is known of a process. All zero to begin with. */
struct callsite {
	char caller[256];  /* FUNCTION FILE of the innermost frame that is ours; "-": none */
	char entered[256]; /* what of the system that called: FUNCTION FILE */
	Dwfl *dwfl;        /* knows what is mapped into it; NULL: not yet, or no longer */
	uint64_t mappings; /* a sum of the code that it knows */
};

/* Finds out. `look`: there may be other code in it than the last time. */
void callsite_find(struct callsite *site, pid_t pid, bool look);
/* Its memory is another, or it has gone. */
void callsite_forget(struct callsite *site);

#endif
