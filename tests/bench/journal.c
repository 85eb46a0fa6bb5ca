/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-journal DIRECTORY: what the journal does for an empty run, and how many events per second
 * go through it, each beside a program that only makes the same system calls with the same bytes.
 * Prints a line per measurement: NAME OURS FLOOR, in nanoseconds of one run or of one event.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../core/host/journal/journal.h"
#include "../../core/host/log/redactor.h"
#include "../../core/runtime/mem.h"

#define RUNS 201
#define RUN_RECORDS 6
#define RECORDS 200000

static const char *directory;

static const struct log_record record = {
	.level = SPK_INFO,
	.module = "core/host/run/run.c",
	.line = 100,
	.function = "announce",
	.source = RECORD_HOST,
	.message = "START - Cookbook top-level-cookbook with a description of usual length",
};

static void must(int rc, const struct err *err)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bench-journal: %s\n", err->text);
	exit(1);
}

static struct journal *open_journal(bool durable)
{
	struct journal *journal;
	struct err err;

	must(journal_open(directory, "top-level-cookbook", NULL, durable, &journal, &err), &err);
	return journal;
}

static void tell_records(struct journal *journal, int count)
{
	struct log_record now = record;
	struct err err;

	for (int i = 0; i < count; i++) {
		clock_gettime(CLOCK_REALTIME, &now.time);
		must(journal_tell_record(journal, &now, &err), &err);
	}
}

static void tell(struct journal *journal, const char *name)
{
	const struct event_field fields[] = {
		EVENT_TEXT("cookbook", "top-level-cookbook"),
		EVENT_TEXT("user", "somebody"),
		EVENT_TEXT("host", "somewhere"),
		EVENT_NUMBER("pid", 12345),
		EVENT_FLAG("dry_run", false),
		EVENT_SECONDS("duration", 123456789),
	};
	struct err err;

	must(journal_tell(journal, name, fields, sizeof(fields) / sizeof(fields[0]), &err), &err);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t (*measure)(void))
{
	int64_t spans[RUNS];

	for (size_t i = 0; i < RUNS; i++)
		spans[i] = measure();
	qsort(spans, RUNS, sizeof(spans[0]), compare);
	return spans[RUNS / 2];
}

static int64_t run(bool durable)
{
	int64_t begin = spk_uptime().ns;
	struct journal *journal = open_journal(durable);

	tell(journal, "begin");
	tell_records(journal, RUN_RECORDS / 2);
	tell(journal, "arguments");
	tell(journal, "lock");
	tell(journal, "start");
	journal_sync(journal);
	tell_records(journal, RUN_RECORDS / 2);
	tell(journal, "end");
	journal_sync(journal);
	journal_discard(journal);
	journal_close(journal);
	return spk_uptime().ns - begin;
}

static int64_t durable_run(void)
{
	return run(true);
}

static int64_t other_run(void)
{
	return run(false);
}

/* A file of `count` lines, as long as ours, through to the disk twice if it is to be. */
static int64_t plain(int count, bool durable)
{
	static char line[300];
	int64_t begin = spk_uptime().ns;
	char *path = xasprintf("%s/plain", directory);
	int above = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < count; i++) {
		if (write(fd, line, sizeof(line)) != (ssize_t)sizeof(line))
			exit(1);
		if (durable && (i == count / 2 || i == count - 1) &&
		    (fdatasync(fd) < 0 || fsync(above) < 0))
			exit(1);
	}
	unlink(path);
	close(fd);
	close(above);
	free(path);
	return spk_uptime().ns - begin;
}

static int64_t durable_plain(void)
{
	return plain(RUN_RECORDS + 5, true);
}

static int64_t other_plain(void)
{
	return plain(RUN_RECORDS + 5, false);
}

static int64_t per_record(void)
{
	struct journal *journal = open_journal(false);
	int64_t begin = spk_uptime().ns;

	tell_records(journal, RECORDS);
	begin = spk_uptime().ns - begin;
	journal_discard(journal);
	journal_close(journal);
	return begin / RECORDS;
}

/* An event whose texts have to be freed of secrets. */
static int64_t per_event(void)
{
	struct journal *journal = open_journal(false);
	int64_t begin = spk_uptime().ns;

	for (int i = 0; i < RECORDS; i++)
		tell(journal, "event");
	begin = spk_uptime().ns - begin;
	journal_discard(journal);
	journal_close(journal);
	return begin / RECORDS;
}

static void print(const char *name, int64_t ours, int64_t floor)
{
	printf("%s %" PRId64 " %" PRId64 "\n", name, ours, floor);
}

int main(int argc, char **argv)
{
	int64_t line;
	struct err err;

	if (argc != 2) {
		fputs("usage: bench-journal DIRECTORY\n", stderr);
		return 2;
	}
	directory = argv[1];
	print("durable-run", median(durable_run), median(durable_plain));
	print("run", median(other_run), median(other_plain));
	line = plain(RECORDS, false) / RECORDS;
	print("record", per_record(), line);
	print("event", per_event(), line);
	must(redactor_add(redactor_shared(), "correct horse battery staple", &err), &err);
	print("event-with-secrets", per_event(), line);
	return 0;
}
