/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the test kit (core/testing) takes hold of a run; docs/decisions/0017 says why here. Only a
 * program that is linked to the kit can set it: no variable, no file, no option does.
 */
#ifndef SPICERACK_CORE_TESTING_H
#define SPICERACK_CORE_TESTING_H

#include <stdbool.h>
#include <stdint.h>

#include <spicerack/plugin.h>

struct testing {
	/* Drivers that are there before those of files; ends in NULL. */
	const struct spk_driver *const *drivers;
	/* How far all clocks are ahead, shared by all processes of the run. A sleep moves it on. */
	_Atomic int64_t *ahead_ns;
	/* A directory in front of the PATH of commands of this machine. */
	const char *programs;
	/* What a runner's process does instead of becoming that program. */
	int (*runner)(void);
	/*
	 * Something is about to reach outside of the cookbook. `what` is for people. True: it is to
	 * fail, which only happens to what is `fallible`. May not return.
	 */
	bool (*step)(bool fallible, bool undoing, const char *what);
};

/* NULL: this is no test. */
const struct testing *testing_now(void);

/* What a sleep until then does in a test: true, and it is later. False: it has to be waited for. */
bool testing_sleep_until(int64_t deadline_ns);

/* For the kit, which has a copy of this code beside that of the library: each has to be told. */
#define TESTING_API __attribute__((visibility("default")))

/* `testing` is kept. */
TESTING_API void spk_private_testing_begin(const struct testing *testing);
/* Whether this process is undoing a scope or rolling back. */
TESTING_API bool spk_private_testing_is_undoing(void);

struct spk;

/* A step of this cookbook; true: it is to fail. Nothing but in a test. */
bool testing_step(struct spk *spk, bool fallible, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));

#endif
