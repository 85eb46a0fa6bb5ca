/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session for the unit tests of SDK calls, in one process: memory, errors and the dry-run
 * gate, so that a test says what it expects to be raised. The real session needs a
 * supervisor; with that the same calls are tested in tests/cli/test_sdk.py.
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
