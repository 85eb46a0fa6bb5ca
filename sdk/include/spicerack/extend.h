/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For extenders: libraries beside this one that give cookbooks calls of their own, with a header, a
 * configuration and perhaps drivers of their own. Their calls behave as those of the SDK do when
 * they raise what fails (error.h), ask spk_may_write() before they change anything, say what they
 * have read, and can be interrupted. See docs/extending.md; cookbooks have no use for this header.
 */
#ifndef SPICERACK_EXTEND_H
#define SPICERACK_EXTEND_H

#include <spicerack/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/*
 * The gate in front of everything that changes something: true when it may be done. False in a
 * dry run: then "would " and the message, "set web1 to 'spare'", is logged at INFO and is among the
 * changes of the summary at the end, and the caller does nothing. Raises `interrupted` when that is
 * due. Since 1.0.
 */
SPK_API SPK_MUST_CHECK bool spk_may_write(struct spk *spk, const char *format, ...)
	SPK_PRINTF(2, 3);
/* For the summary at the end of a dry run: what was really read, "the state of web1". Nothing in
 * other runs. Since 1.0. */
SPK_API void spk_did_read(struct spk *spk, const char *format, ...) SPK_PRINTF(2, 3);
/* For the same summary: what could not be known because something was not done, "what web1 would
 * have answered". Since 1.0. */
SPK_API void spk_cannot_know(struct spk *spk, const char *format, ...) SPK_PRINTF(2, 3);

/*
 * For who waits inside of another library: a descriptor that is readable when an interruption is
 * due, to be polled beside what is waited for; -1 while nothing may interrupt (in an undo action).
 * Who finds it readable stops waiting and calls spk_check_interrupt(). It is the library's: not to
 * be read or closed. Raises `interrupted` itself when one is due already. Since 1.0.
 */
SPK_API int spk_cancel_fd(struct spk *spk);
/* Raises `interrupted` when an interruption is due; to be called by everything that waits or takes
 * long. Since 1.0. */
SPK_API void spk_check_interrupt(struct spk *spk);

/*
 * Raises `misuse`: the caller of `function`, __func__, has given it what its contract forbids. The
 * message says what: "'rack' is NULL". Since 1.0.
 */
SPK_API SPK_NORETURN void spk_misuse(const char *function, const char *format, ...)
	SPK_PRINTF(2, 3);

/*
 * The table of the driver KIND-NAME.so, of at least `size` bytes: what the caller knows of it. Both
 * are of lower-case letters, digits and `_`. The kind is one of the extender's own, with the
 * extender's name in it; the name is often a setting. It is opened when first asked for, and the
 * same ever after; in a test it is the one of spk_test_driver(). What the driver keeps open belongs
 * to one process: in another (getpid()) it is opened again.
 *
 * Raises `driver` when it is not installed, others may change it, or it is not what its name says.
 * Since 1.0.
 */
SPK_API const struct spk_driver *spk_driver_open(struct spk *spk, const char *kind,
						 const char *name, size_t size);

/*
 * Says that this library, or cookbook, opens drivers of a kind, for `spicerack check` and for
 * packages of cookbooks, which then depend on spicerack-KIND-driver: SPK_NEEDS_DRIVER(racks), once,
 * outside of any function. It exports a constant, which a version script has to let through.
 * Kinds of the host's own are found by the calls that need them. Since 1.0.
 */
#define SPK_NEEDS_DRIVER(kind)                                                                     \
	extern const char spk_needs_driver_##kind;                                                 \
	__attribute__((visibility("default"), used)) const char spk_needs_driver_##kind = 1

#ifdef __cplusplus
}
#endif

#endif
