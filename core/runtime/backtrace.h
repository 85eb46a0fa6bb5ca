/* SPDX-License-Identifier: Apache-2.0 */
/* Where a run failed, for a reader: addresses of this process as text. */
#ifndef SPICERACK_CORE_BACKTRACE_H
#define SPICERACK_CORE_BACKTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spicerack/plugin.h>

#include "buf.h"

/*
 * Appends one line per frame, innermost first:
 *
 *     #0 run (service-route.c:42) in service-route.so
 *
 * with four blanks in front. `is_return` false is the very place of a crash. The names come
 * from the backtrace driver, and from the dynamic linker (exported functions only, no lines)
 * when that is not installed. What is left out: see backtrace_write(). Not for signal handlers.
 */
void backtrace_describe(const uintptr_t *addresses, const bool *is_return, size_t count,
			struct buf *out);

/*
 * The lines for frames whose names are known. Left out are the host's own frames that tell an
 * author nothing: those that called the cookbook, below the last frame of anything but the
 * host (its library, its programs and the C library), and the innermost ones inside
 * libspicerack up to the SDK call that the cookbook made; the latter not when the first frame
 * is the place of a crash. Without a frame of anything but the host, a crash shows all and an
 * error, which is then the host's own, none.
 */
void backtrace_write(const struct spk_frame *frames, const uintptr_t *addresses,
		     const bool *is_return, size_t count, struct buf *out);

#endif
