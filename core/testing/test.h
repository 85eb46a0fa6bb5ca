/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind `struct spk_test`: a world, the files of the host's configuration, and the last
 * run. */
#ifndef SPICERACK_TESTING_TEST_H
#define SPICERACK_TESTING_TEST_H

#include "../runtime/buf.h"
#include "../runtime/hostset.h"
#include "world.h"

#define TEST_MAGIC 0x53505445U
#define TEST_DRIVERS_MAX 32

/* A line of the story. */
struct event_line {
	int64_t time_ns;
	char *text;
};

/* The story of a run, and how it ended. */
struct story {
	struct event_line *lines;
	size_t count, capacity;
	bool ended, started;
	char *rollback; /* the word of its end; NULL: it has none */
	struct buf text;
};

struct spk_test {
	uint32_t magic;
	pid_t maker; /* the process that made it */
	struct spk_test *next;
	char *directory; /* its own, with all that a run leaves */
	char *tree, *cookbook;
	struct world *world;
	struct buf settings, backends, answers, files; /* parts of files */
	bool own_remote_config, dry_run;
	spk_duration limit;
	const struct spk_driver *drivers[TEST_DRIVERS_MAX + 1];
	size_t driver_count;
	char *record_file;
	unsigned int runs;
	int code;
	struct story story;
	struct buf why; /* what is not as expected */
	char *output;
};

/* Says on stderr what the machine does not give a test, and ends the process. */
void test_give_up(const char *format, ...) __attribute__((noreturn, __format__(__printf__, 1, 2)));

/*
 * What the public functions begin with. They end the process where that is no live test, or one of
 * these pointers is NULL: a crash would not say which.
 */
#define CHECK_TEST(test) test_check((test), __func__)
#define CHECK_POINTERS(...)                                                                        \
	test_check_pointers(__func__, #__VA_ARGS__, (const void *const[]){__VA_ARGS__},            \
			    sizeof((const void *const[]){__VA_ARGS__}) / sizeof(void *))
void test_check(const struct spk_test *test, const char *function);
/* `names`: of the pointers, as they are written in a call. */
void test_check_pointers(const char *function, const char *names, const void *const *pointers,
			 size_t count);

/* The caller frees it. Ends the process where that is no set. */
struct hostset *test_hosts(const char *hosts);

/* Text as a string of libconfig. */
void test_put_quoted(struct buf *out, const char *text);

/* Writes a file, with the directories above it. */
void test_write(const char *path, const char *text, unsigned int mode);

/* A process of its own runs the cookbook; returns the exit code, -1: it was ended by time. */
int conduct(struct spk_test *test, const char *arguments);

/* The value of a key of conftool's store; NULL: there is none. The caller frees it. */
char *keys_get(const struct spk_test *test, const char *key);

/* Reads what the last run has left into test->story. */
void story_read(struct spk_test *test);
void story_free(struct story *story);
/*
 * Appends what happened, as much of it as a message of Check holds: of a long story first the
 * records at DEBUG are left out, then its beginning.
 */
void story_put(const struct story *story, struct buf *out);

#endif
