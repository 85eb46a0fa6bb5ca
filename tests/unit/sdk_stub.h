/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session for the tests of SDK calls, without a runner: memory, errors and the
 * dry-run gate. Delete it when the tests run on the real ones: they only use what
 * is declared here.
 */
#ifndef SPICERACK_TESTS_SDK_STUB_H
#define SPICERACK_TESTS_SDK_STUB_H

#include <setjmp.h>

#include <spicerack/cookbook.h>

/* The session of this test program. */
struct spk *sdk_session(void);
void sdk_set_dry_run(bool dry_run);
void sdk_set_config_dir(const char *directory);
/* The message of what SDK_RAISES() caught last, "" at first. */
const char *sdk_message(void);
/* What the dry-run gate was last asked for. */
const char *sdk_asked(void);
/* Frees the memory of the session. */
void sdk_end(void);

/* For SDK_RAISES() alone. */
jmp_buf *sdk_arm_(void);
void sdk_check_(const char *kind, const char *file, int line, bool returned);

/* Fails the test unless the statement raises this kind, or one below it. */
#define SDK_RAISES(kind, statement)                                                                \
	do {                                                                                       \
		if (setjmp(*sdk_arm_()) == 0) {                                                    \
			statement;                                                                 \
			sdk_check_((kind), __FILE__, __LINE__, true);                              \
		} else {                                                                           \
			sdk_check_((kind), __FILE__, __LINE__, false);                             \
		}                                                                                  \
	} while (0)

#endif
