/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-locks-store STORE TIMES [NAME=VALUE...]: what a store of locks takes, called as the keeper
 * calls it but without the rest of a run. The settings are those of plugin.h; `directory` also gets
 * run files. Prints microseconds: `acquire+release MEDIAN P99`, the same with 1,000 other locks
 * held, and `hand-over WAITERS MEDIAN P99` from the call that gives back to the next one's return;
 * `wake-up MEDIAN P99` is what a byte through a pipe takes between the same processes.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../core/host/lock/lockstore.h"
#include "../../core/host/lock/runfile.h"

#define WAITERS_MAX 20
#define OTHERS 1000

struct bench {
	struct lock_store_config config;
	const char *directory;
	struct lock_store store;
	struct run_file file;
};

static void die(const char *what)
{
	fprintf(stderr, "bench-locks-store: %s\n", what);
	exit(1);
}

static struct spk_lock_call call_now(void)
{
	return (struct spk_lock_call){.deadline_ns = spk_uptime().ns + 60000000000LL,
				      .cancel_fd = -1};
}

/* Each process is a run of its own. */
static void open_own(struct bench *bench)
{
	struct lock_store_config config = bench->config;
	struct err err;

	if (run_file_make(bench->directory, &bench->file, &err) < 0)
		die(err.text);
	config.settings[config.count++] = (struct spk_lock_setting){.name = "run_file",
								    .value = bench->file.path};
	if (lock_store_open(&config, &bench->store, &err) < 0)
		die(err.text);
}

static void close_own(struct bench *bench)
{
	lock_store_close(&bench->store, spk_uptime().ns + 60000000000LL);
	run_file_end(&bench->file);
}

static void must(enum spk_lock_status status, const struct spk_lock_call *call)
{
	if (status != SPK_LOCK_OK)
		die(call->reason.text);
}

static struct spk_lock_entry entry_of(const char *key, char id[UUID_SIZE])
{
	uuid_make(id);
	return (struct spk_lock_entry){
		.size = sizeof(struct spk_lock_entry),
		.key = key,
		.id = id,
		.owner = "bench@here [1]",
		.cookbook = "bench",
		.ttl_ns = 1800000000000LL,
		.concurrency = 1,
	};
}

static void see(void *data, const struct spk_lock_entry *entry)
{
}

/* Stands in line until it is ours. */
static void take(struct bench *bench, struct spk_lock_entry *entry)
{
	const struct spk_lock_driver *driver = bench->store.driver;
	struct spk_lock_call call = call_now();
	enum spk_lock_status status = driver->enter(bench->store.store, entry, see, NULL, &call);

	while (status == SPK_LOCK_WAITING || status == SPK_LOCK_BUSY) {
		if (status == SPK_LOCK_WAITING) {
			status = driver->wait(bench->store.store, entry, see, NULL, &call);
		} else {
			poll(NULL, 0, 5000);
			status = driver->enter(bench->store.store, entry, see, NULL, &call);
		}
	}
	must(status, &call);
}

static void give_back(struct bench *bench, const struct spk_lock_entry *entry)
{
	struct spk_lock_call call = call_now();

	must(bench->store.driver->leave(bench->store.store, entry, &call), &call);
}

static int by_value(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void print(const char *what, int64_t *spans, size_t count)
{
	qsort(spans, count, sizeof(*spans), by_value);
	printf("%s %.1f %.1f\n", what, (double)spans[count / 2] / 1e3,
	       (double)spans[count * 99 / 100] / 1e3);
	fflush(stdout);
}

static void uncontended(struct bench *bench, const char *what, size_t times)
{
	int64_t *spans = calloc(times, sizeof(*spans));
	char id[UUID_SIZE];

	for (size_t i = 0; spans && i < times; i++) {
		struct spk_lock_entry entry = entry_of("/spicerack/locks/custom/bench", id);
		int64_t begin = spk_uptime().ns;

		take(bench, &entry);
		give_back(bench, &entry);
		spans[i] = spk_uptime().ns - begin;
	}
	if (spans)
		print(what, spans, times);
	free(spans);
}

static void hold_others(struct bench *bench)
{
	char id[UUID_SIZE], key[64];

	for (int i = 0; i < OTHERS; i++) {
		struct spk_lock_entry entry;

		snprintf(key, sizeof(key), "/spicerack/locks/custom/other%d", i);
		entry = entry_of(key, id);
		take(bench, &entry);
	}
}

/* What the processes of a hand-over see of each other. */
struct board {
	_Atomic int queued, turn;
	int64_t given[WAITERS_MAX + 1], got[WAITERS_MAX + 1];
};

static void hand_on(struct bench *bench, struct board *board, const struct spk_lock_entry *entry)
{
	int turn = board->turn++;

	board->got[turn] = spk_uptime().ns;
	poll(NULL, 0, 2); /* those who were only woken are asleep again */
	board->given[turn] = spk_uptime().ns;
	give_back(bench, entry);
}

static void wait_as_child(struct bench *bench, struct board *board, int waiters)
{
	struct bench own = {.config = bench->config, .directory = bench->directory};
	struct spk_lock_entry entry;
	char id[UUID_SIZE];

	open_own(&own);
	entry = entry_of("/spicerack/locks/custom/handed", id);
	board->queued++;
	take(&own, &entry);
	hand_on(&own, board, &entry);
	close_own(&own);
	_exit(0);
}

static size_t one_round(struct bench *bench, struct board *board, int waiters, int64_t *spans)
{
	struct bench own = {.config = bench->config, .directory = bench->directory};
	struct spk_lock_entry entry;
	char id[UUID_SIZE];

	*board = (struct board){0};
	open_own(&own);
	entry = entry_of("/spicerack/locks/custom/handed", id);
	take(&own, &entry);
	for (int i = 0; i < waiters; i++)
		if (fork() == 0)
			wait_as_child(bench, board, waiters);
	while (board->queued < waiters)
		poll(NULL, 0, 1);
	poll(NULL, 0, 100);
	hand_on(&own, board, &entry);
	while (wait(NULL) > 0)
		;
	close_own(&own);
	for (int i = 0; i < waiters; i++)
		spans[i] = board->got[i + 1] - board->given[i];
	return (size_t)waiters;
}

static void hand_over(struct bench *bench, struct board *board, int waiters, size_t rounds)
{
	int64_t *spans = calloc(rounds * WAITERS_MAX, sizeof(*spans));
	size_t count = 0;
	char what[32];

	for (size_t i = 0; spans && i < rounds; i++)
		count += one_round(bench, board, waiters, spans + count);
	snprintf(what, sizeof(what), "hand-over %d", waiters);
	if (spans)
		print(what, spans, count);
	free(spans);
}

/* The floor of a hand-over: one process wakes another, which has slept. */
static void wake_up(struct board *board, size_t times)
{
	int64_t *spans = calloc(times, sizeof(*spans));
	int there[2], back[2];
	char byte = 0;

	if (!spans || pipe(there) < 0 || pipe(back) < 0)
		die("no pipe");
	if (fork() == 0) {
		for (size_t i = 0; i < times && read(there[0], &byte, 1) == 1; i++) {
			board->got[0] = spk_uptime().ns;
			if (write(back[1], &byte, 1) != 1)
				break;
		}
		_exit(0);
	}
	for (size_t i = 0; i < times; i++) {
		poll(NULL, 0, 2);
		board->given[0] = spk_uptime().ns;
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			die("no answer");
		spans[i] = board->got[0] - board->given[0];
	}
	wait(NULL);
	print("wake-up", spans, times);
	free(spans);
}

int main(int argc, char **argv)
{
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct bench bench = {0};
	size_t times;

	if (argc < 3 || board == MAP_FAILED)
		die("usage: bench-locks-store STORE TIMES [NAME=VALUE...]");
	bench.config.name = argv[1];
	times = strtoul(argv[2], NULL, 10);
	for (int i = 3; i < argc && bench.config.count < 7; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			die("a setting is NAME=VALUE");
		*value = '\0';
		if (strcmp(argv[i], "directory") == 0)
			bench.directory = value + 1;
		bench.config.settings[bench.config.count++] =
			(struct spk_lock_setting){.name = argv[i], .value = value + 1};
	}
	if (!bench.directory)
		die("directory=... is needed, for run files");
	wake_up(board, times < 200 ? times : 200);
	hand_over(&bench, board, 1, 20);
	hand_over(&bench, board, WAITERS_MAX, 3);
	open_own(&bench);
	uncontended(&bench, "acquire+release", times);
	hold_others(&bench);
	uncontended(&bench, "acquire+release-1000", times);
	close_own(&bench);
	return 0;
}
