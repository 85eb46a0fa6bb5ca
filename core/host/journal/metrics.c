/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../../runtime/smallfile.h"

#define FILE_LIMIT (16 << 20)
#define FILE_MODE 0644
/* How long others are waited for. */
#define LOCK_TRIES 1000
#define LOCK_PAUSE_NS 5000000L

/* The families in the order of the file. Names that end in _sum and _count are of the one before.
 */
enum family { RUNS, DURATION_SUM, DURATION_COUNT, WAIT_SUM, WAIT_COUNT, OWED, LAST, FAMILIES };

static const struct {
	const char *name, *type, *help;
} families[FAMILIES] = {
	[RUNS] = {"spicerack_runs_total", "counter", "Runs that have ended, by their result."},
	[DURATION_SUM] = {"spicerack_run_duration_seconds_sum", "summary",
			  "How long cookbooks ran."},
	[DURATION_COUNT] = {"spicerack_run_duration_seconds_count", NULL, NULL},
	[WAIT_SUM] = {"spicerack_lock_wait_seconds_sum", "summary",
		      "How long runs waited for their locks."},
	[WAIT_COUNT] = {"spicerack_lock_wait_seconds_count", NULL, NULL},
	[OWED] = {"spicerack_rollbacks_owed_total", "counter",
		  "Runs that ended with a rollback owed, or failed."},
	[LAST] = {"spicerack_last_end_timestamp_seconds", "gauge",
		  "When the last run ended, by its result."},
};

struct sample {
	char *labels; /* `{cookbook="..."}` */
	double value;
};

struct metrics {
	struct {
		struct sample *items;
		size_t count, capacity;
	} families[FAMILIES];
};

/* ---- what is kept ---- */

static double *value_of(struct metrics *metrics, enum family family, const char *labels,
			size_t length)
{
	struct sample *sample;

	for (size_t i = 0; i < metrics->families[family].count; i++) {
		sample = &metrics->families[family].items[i];
		if (strncmp(sample->labels, labels, length) == 0 && !sample->labels[length])
			return &sample->value;
	}
	metrics->families[family].items =
		xgrow(metrics->families[family].items, metrics->families[family].count,
		      &metrics->families[family].capacity, sizeof(*sample));
	sample = &metrics->families[family].items[metrics->families[family].count++];
	*sample = (struct sample){.labels = xstrndup(labels, length)};
	return &sample->value;
}

static void metrics_free(struct metrics *metrics)
{
	for (size_t i = 0; i < FAMILIES; i++) {
		for (size_t j = 0; j < metrics->families[i].count; j++)
			free(metrics->families[i].items[j].labels);
		free(metrics->families[i].items);
	}
}

/* One line of the file: NAME{LABELS} VALUE. Any other is none of ours. */
static void take_line(struct metrics *metrics, const char *line)
{
	const char *labels = strchr(line, '{');
	const char *end = strrchr(line, '}');
	char *rest;
	double value;

	if (!labels || !end || end < labels || end[1] != ' ' || !printable_is(line, strlen(line)))
		return;
	value = strtod(end + 2, &rest);
	if (*rest || !(value >= 0 && value < 1e18))
		return;
	for (size_t i = 0; i < FAMILIES; i++)
		if (strlen(families[i].name) == (size_t)(labels - line) &&
		    memcmp(families[i].name, line, (size_t)(labels - line)) == 0)
			*value_of(metrics, (enum family)i, labels,
				  (size_t)(end - labels) + 1) = value;
}

/* A file that is not there yet is empty. */
static int read_file(const char *path, struct metrics *metrics, struct err *err)
{
	struct buf text = {0};
	char *at, *end;

	if (smallfile_read(path, FILE_LIMIT, &text, err) < 0)
		return errno == ENOENT ? 0 : -1;
	for (at = text.text; at && (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		take_line(metrics, at);
	}
	buf_free(&text);
	return 0;
}

/* ---- the run ---- */

/* A dotted name has nothing to escape but what the file system let through. */
static void put_label(struct buf *out, const char *text)
{
	struct buf clean = {0};

	printable_add(&clean, text, strlen(text));
	for (const char *at = buf_text(&clean); *at; at++) {
		if (*at == '"' || *at == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *at);
	}
	buf_free(&clean);
}

static void add_run(struct metrics *metrics, const struct metrics_run *run)
{
	struct buf labels = {0}, both = {0};

	buf_puts(&labels, "{cookbook=\"");
	put_label(&labels, run->cookbook);
	buf_puts(&both, buf_text(&labels));
	buf_puts(&labels, "\"}");
	buf_puts(&both, "\",result=\"");
	for (const char *at = run->result; *at; at++)
		buf_putc(&both, *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at);
	buf_puts(&both, "\"}");
	*value_of(metrics, RUNS, both.text, both.length) += 1;
	*value_of(metrics, LAST, both.text, both.length) = (double)run->end_s;
	*value_of(metrics, DURATION_SUM, labels.text, labels.length) += (double)run->duration_ns /
									1e9;
	*value_of(metrics, DURATION_COUNT, labels.text, labels.length) += 1;
	*value_of(metrics, WAIT_SUM, labels.text, labels.length) += (double)run->lock_wait_ns / 1e9;
	*value_of(metrics, WAIT_COUNT, labels.text, labels.length) += 1;
	*value_of(metrics, OWED, labels.text, labels.length) += run->owed;
	buf_free(&labels);
	buf_free(&both);
}

static void render(const struct metrics *metrics, struct buf *out)
{
	for (size_t i = 0; i < FAMILIES; i++) {
		size_t length = strlen(families[i].name);

		if (families[i].type && strcmp(families[i].type, "summary") == 0)
			length -= strlen("_sum");
		if (families[i].type)
			buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)length,
				   families[i].name, families[i].help, (int)length,
				   families[i].name, families[i].type);
		for (size_t j = 0; j < metrics->families[i].count; j++)
			buf_printf(out, "%s%s %.15g\n", families[i].name,
				   metrics->families[i].items[j].labels,
				   metrics->families[i].items[j].value);
	}
}

/* ---- the file ---- */

/* Replaces `name` in the directory. -1 with errno. */
static int replace_file(int directory, const char *name, const struct buf *text)
{
	char *temporary = xasprintf(".%s.%ld", name, (long)getpid());
	int fd, rc = -1, why;

	unlinkat(directory, temporary, 0);
	fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd >= 0 && fchmod(fd, FILE_MODE) == 0) {
		ssize_t written = write(fd, text->text, text->length);

		if (written >= 0 && written < (ssize_t)text->length)
			errno = ENOSPC;
		else if (written >= 0)
			rc = renameat(directory, temporary, directory, name);
	}
	why = errno;
	if (rc < 0 && fd >= 0)
		unlinkat(directory, temporary, 0);
	fd_close(&fd);
	free(temporary);
	errno = why;
	return rc;
}

/* One after the other, by a lock on the directory. -1 with errno. */
static int lock_directory(int directory)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(directory, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		nanosleep(&pause, NULL);
	}
	errno = EBUSY;
	return -1;
}

static int failed(const char *path, const char *what, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	int why = errno;

	printable_path(path, shown);
	errno = why;
	return err_errno(err, "%s: cannot %s", shown, what);
}

int metrics_add(const char *path, const struct metrics_run *run, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *above = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	int directory = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct metrics metrics = {0};
	struct buf text = {0};
	int rc = -1;

	if (directory < 0) {
		failed(above, "open", err);
	} else if (lock_directory(directory) < 0) {
		failed(above, "lock", err);
	} else if (read_file(path, &metrics, err) == 0) {
		add_run(&metrics, run);
		render(&metrics, &text);
		rc = replace_file(directory, slash + 1, &text);
		if (rc < 0)
			failed(path, "write", err);
	}
	fd_close(&directory);
	metrics_free(&metrics);
	buf_free(&text);
	free(above);
	return rc;
}
