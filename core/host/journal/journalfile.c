/* SPDX-License-Identifier: Apache-2.0 */
#include "journalfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "journal.h"
#include "jsonline.h"
#include "linefeed.h"

/* What a glance reads of the beginning and of the end. */
#define GLANCE_SIZE 8192

/* ---- what an event says of its run ---- */

enum taken_type { TAKE_TEXT, TAKE_INTEGER, TAKE_REAL, TAKE_FLAG, TAKE_LIST };

#define ROW(event_, name_, type_, member_)                                                         \
	{                                                                                          \
		.event = (event_), .name = (name_), .type = (type_),                               \
		.offset = offsetof(struct run_summary, member_)                                    \
	}

static const struct taken {
	const char *event, *name;
	enum taken_type type;
	size_t offset;
} taken[] = {
	ROW("begin", "cookbook", TAKE_TEXT, cookbook),
	ROW("begin", "user", TAKE_TEXT, user),
	ROW("begin", "host", TAKE_TEXT, host),
	ROW("begin", "pid", TAKE_INTEGER, pid),
	ROW("begin", "dry_run", TAKE_FLAG, dry_run),
	ROW("begin", "outer", TAKE_TEXT, outer),
	ROW("begin", "uid", TAKE_INTEGER, uid),
	ROW("begin", "login_uid", TAKE_INTEGER, login_uid),
	ROW("begin", "sudo_user", TAKE_TEXT, sudo_user),
	ROW("begin", "file", TAKE_TEXT, file),
	ROW("begin", "build_id", TAKE_TEXT, build_id),
	ROW("begin", "spicerack", TAKE_TEXT, version),
	ROW("begin", "log", TAKE_TEXT, log),
	ROW("arguments", "arguments", TAKE_LIST, arguments),
	ROW("start", "description", TAKE_TEXT, description),
	ROW("inner", "inner", TAKE_LIST, inner),
	ROW("hosts", "hosts", TAKE_LIST, hosts),
	ROW("end", "result", TAKE_TEXT, result),
	ROW("end", "exit_code", TAKE_INTEGER, exit_code),
	ROW("end", "started", TAKE_FLAG, started),
	ROW("end", "rollback", TAKE_TEXT, rollback),
	ROW("end", "duration", TAKE_REAL, duration),
	ROW("end", "total", TAKE_REAL, total),
	ROW("end", "lock_wait", TAKE_REAL, lock_wait),
	ROW("cut-off", "stage", TAKE_TEXT, stage),
	ROW("cut-off", "rollback", TAKE_TEXT, rollback),
	ROW("settled", "by", TAKE_TEXT, settled_by),
	ROW("settled", "reason", TAKE_TEXT, settled_reason),
};

/* When an event was, for those of which that is wanted. */
static const struct {
	const char *event;
	size_t offset;
} times[] = {
	{"begin", offsetof(struct run_summary, begin_time)},
	{"end", offsetof(struct run_summary, end_time)},
	{"cut-off", offsetof(struct run_summary, end_time)},
	{"settled", offsetof(struct run_summary, settled_time)},
};

static void replace(char **text, const char *new)
{
	free(*text);
	*text = xstrdup(new);
}

static void put_list(struct run_summary *summary, struct buf *list, const char *text)
{
	buf_add(list, text, strlen(text) + 1);
	if (list == &summary->arguments)
		summary->argument_count++;
	else if (list == &summary->hosts)
		summary->hosts_count++;
	else
		summary->inner_count++;
}

static void take_member(struct run_summary *summary, const struct taken *row, bool in_list,
			enum json_scalar type, const char *value)
{
	void *member = (char *)summary + row->offset;

	if (row->type == TAKE_LIST && type == JSON_TEXT)
		put_list(summary, member, value);
	else if (in_list)
		return;
	else if (row->type == TAKE_TEXT && type == JSON_TEXT)
		replace(member, value);
	else if (row->type == TAKE_INTEGER && type == JSON_NUMBER)
		*(int64_t *)member = strtoll(value, NULL, 10);
	else if (row->type == TAKE_REAL && type == JSON_NUMBER)
		*(double *)member = strtod(value, NULL);
	else if (row->type == TAKE_FLAG && (type == JSON_TRUE || type == JSON_FALSE))
		*(bool *)member = type == JSON_TRUE;
}

/* A line while it is read: its first members say what the others mean. */
struct line {
	struct run_summary *summary;
	char event[16], time[40];
	bool ours;
};

static void take_word(char *word, size_t size, const char *value)
{
	size_t length = strlen(value);

	/* A longer one is none that we know. */
	if (length < size)
		memcpy(word, value, length + 1);
}

static void on_member(void *data, const char *name, bool in_list, enum json_scalar type,
		      const char *value)
{
	struct line *line = data;

	if (strcmp(name, "run") == 0)
		line->ours = strcmp(value, line->summary->id) == 0;
	else if (strcmp(name, "time") == 0)
		take_word(line->time, sizeof(line->time), value);
	else if (strcmp(name, "event") == 0)
		take_word(line->event, sizeof(line->event), value);
	for (size_t i = 0; line->ours && i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcmp(taken[i].event, line->event) == 0 && strcmp(taken[i].name, name) == 0)
			take_member(line->summary, &taken[i], in_list, type, value);
}

/* A record says nothing of what became of the run, and most lines are records. */
static bool is_record(const char *text, size_t length)
{
	static const char mark[] = "\"event\": \"log\"";

	return length > 0 && text[length - 1] == '}' &&
	       memmem(text, length < 160 ? length : 160, mark, sizeof(mark) - 1);
}

static void on_line(void *data, const char *text, size_t length, size_t number)
{
	struct run_summary *summary = data;
	struct line line = {.summary = summary};

	if (length == 0 || is_record(text, length))
		return;
	/* Nothing is taken from a line that was cut. */
	if (!json_line_read(text, length, NULL, NULL) ||
	    !json_line_read(text, length, on_member, &line) || !line.ours) {
		if (summary->broken++ == 0)
			summary->broken_line = number;
		return;
	}
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (strcmp(times[i].event, line.event) == 0)
			replace((char **)((char *)summary + times[i].offset), line.time);
	if (strcmp(line.event, "begin") == 0)
		summary->has_begin = true;
	else if (strcmp(line.event, "start") == 0)
		summary->started = true;
	else if (strcmp(line.event, "end") == 0)
		summary->has_end = true;
}

/* What follows from what was told, and from whether anybody can still tell more. */
static void judge(struct run_summary *summary, bool alive)
{
	const char *rollback = summary->rollback;

	summary->state = summary->has_end ? RUN_ENDED : alive ? RUN_GOES_ON : RUN_CUT_OFF;
	if (summary->state == RUN_CUT_OFF && (summary->dry_run || !rollback))
		replace(&summary->rollback,
			summary->started && !summary->dry_run ? "owed" : "none");
	rollback = summary->rollback;
	summary->owed = summary->state != RUN_GOES_ON && !summary->dry_run && rollback &&
			(strcmp(rollback, "owed") == 0 || strcmp(rollback, "failed") == 0) &&
			!summary->settled_by;
}

void run_summary_free(struct run_summary *summary)
{
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		void *member = (char *)summary + taken[i].offset;

		if (taken[i].type == TAKE_LIST)
			buf_free(member);
		if (taken[i].type != TAKE_TEXT)
			continue;
		/* Some are told by more than one event. */
		free(*(char **)member);
		*(char **)member = NULL;
	}
	free(summary->begin_time);
	free(summary->end_time);
	free(summary->settled_time);
}

/* ---- one file ---- */

static int failed(const char *directory, const char *id, const char *what, struct err *err)
{
	char *path = xasprintf("%s/%s" JOURNAL_SUFFIX, directory, id);
	char shown[PRINTABLE_PATH_SIZE];
	int why = errno;

	printable_path(path, shown);
	free(path);
	errno = why;
	return why ? err_errno(err, "%s: %s", shown, what) : err_set(err, "%s: %s", shown, what);
}

int journal_open_file(const char *directory, const char *id, bool append, struct err *err)
{
	char *path = xasprintf("%s/%s" JOURNAL_SUFFIX, directory, id);
	int fd = open(path, (append ? O_RDWR | O_APPEND : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW |
				    O_NONBLOCK | O_NOCTTY);
	struct stat st;

	free(path);
	if (fd < 0 && errno == ELOOP) {
		errno = 0;
		return failed(directory, id, "a symbolic link, not a journal", err);
	}
	if (fd < 0)
		return failed(directory, id, "cannot open", err);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	fd_close(&fd);
	errno = 0;
	return failed(directory, id, "not a regular file", err);
}

bool journal_is_alive(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* The lines of a part of a file; those that are cut at its begin or its end are left out. */
static void read_part(struct run_summary *summary, char *text, size_t length, bool from_begin)
{
	char *at = text, *end = text + length, *newline;

	if (!from_begin) {
		newline = memchr(at, '\n', length);
		at = newline ? newline + 1 : end;
	}
	for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
		on_line(summary, at, (size_t)(newline - at), 0);
}

static int read_all(int fd, struct run_summary *summary, struct err *err)
{
	struct line_feed feed = {0};
	int rc = line_feed_read(&feed, fd, on_line, summary, err);

	line_feed_end(&feed, on_line, summary);
	return rc;
}

/* 0: that did not suffice. */
static int read_edges(int fd, struct run_summary *summary, bool alive)
{
	char text[GLANCE_SIZE];
	ssize_t got = pread(fd, text, sizeof(text), 0);
	struct stat st;

	if (got < 0 || fstat(fd, &st) < 0)
		return -1;
	if (got == 0)
		return 1;
	/* All of it is there: its last line may have been cut. */
	if (st.st_size <= (off_t)sizeof(text))
		return 0;
	read_part(summary, text, (size_t)got, true);
	got = pread(fd, text, sizeof(text), st.st_size - (off_t)sizeof(text));
	if (got < 0)
		return -1;
	read_part(summary, text, (size_t)got, false);
	return summary->has_begin && (summary->has_end || alive);
}

static int read_run(const char *directory, const char *id, bool whole, struct run_summary *ret,
		    struct err *err)
{
	struct run_summary summary = {0};
	struct err why = {""};
	int fd = journal_open_file(directory, id, false, err);
	bool alive;
	int rc;

	if (fd < 0)
		return -1;
	/* In this order: who ends in between has told all of it. */
	alive = journal_is_alive(fd);
	memcpy(summary.id, id, RUN_ID_SIZE);
	rc = whole ? 0 : read_edges(fd, &summary, alive);
	if (rc == 0) {
		run_summary_free(&summary);
		summary = (struct run_summary){0};
		memcpy(summary.id, id, RUN_ID_SIZE);
		rc = read_all(fd, &summary, &why);
		if (rc == 0 && !summary.has_begin && summary.broken == 0)
			rc = 1;
	} else if (rc == 1 && summary.has_begin) {
		rc = 0;
	}
	fd_close(&fd);
	if (rc < 0) {
		failed(directory, id, "cannot read", err);
	} else if (rc == 0 && !summary.has_begin) {
		errno = 0;
		rc = failed(directory, id, "not the journal of a run", err);
	}
	if (rc != 0) {
		run_summary_free(&summary);
		return rc;
	}
	judge(&summary, alive);
	*ret = summary;
	return 0;
}

int journal_glance(const char *directory, const char *id, struct run_summary *ret, struct err *err)
{
	return read_run(directory, id, false, ret, err);
}

int journal_read(const char *directory, const char *id, struct run_summary *ret, struct err *err)
{
	return read_run(directory, id, true, ret, err);
}

/* ---- the directory ---- */

static int newest_first(const void *a, const void *b)
{
	return strcmp(b, a);
}

int journal_list(const char *directory, char (**ret_ids)[RUN_ID_SIZE], size_t *ret_count,
		 struct err *err)
{
	static const size_t suffix = sizeof(JOURNAL_SUFFIX) - 1;
	char shown[PRINTABLE_PATH_SIZE];
	char(*ids)[RUN_ID_SIZE] = NULL;
	size_t count = 0, capacity = 0;
	struct dirent *entry;
	DIR *dir = opendir(directory);

	*ret_ids = NULL;
	*ret_count = 0;
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return err_errno(err, "%s: cannot open", printable_path(directory, shown));
	while ((entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		size_t length = strlen(entry->d_name);

		if (length != RUN_ID_SIZE - 1 + suffix ||
		    strcmp(entry->d_name + RUN_ID_SIZE - 1, JOURNAL_SUFFIX) != 0 ||
		    !run_id_is_valid(entry->d_name, RUN_ID_SIZE - 1))
			continue;
		ids = xgrow(ids, count, &capacity, sizeof(*ids));
		memcpy(ids[count], entry->d_name, RUN_ID_SIZE - 1);
		ids[count++][RUN_ID_SIZE - 1] = '\0';
	}
	closedir(dir);
	if (count > 0)
		qsort(ids, count, sizeof(*ids), newest_first);
	*ret_ids = ids;
	*ret_count = count;
	return 0;
}

static bool is_meant(const char *id, const char *word)
{
	size_t length = strlen(word);

	return length < RUN_ID_SIZE &&
	       (strncmp(id, word, length) == 0 || strcmp(id + RUN_ID_SIZE - 1 - length, word) == 0);
}

/* How many are meant, and the oldest of them. */
static size_t find_meant(const char (*ids)[RUN_ID_SIZE], size_t count, const char *word,
			 char ret_id[static RUN_ID_SIZE])
{
	size_t found = 0;

	for (size_t i = 0; *word && i < count; i++) {
		if (!is_meant(ids[i], word))
			continue;
		memcpy(ret_id, ids[i], RUN_ID_SIZE);
		found++;
	}
	return found;
}

/* The newest that is not within another, nor of the cookbook `but`. */
static bool find_last(const char *directory, const char (*ids)[RUN_ID_SIZE], size_t count,
		      const char *but, char ret_id[static RUN_ID_SIZE])
{
	struct run_summary summary;
	bool found = false;

	for (size_t i = 0; i < count && !found; i++) {
		if (journal_glance(directory, ids[i], &summary, NULL) != 0)
			continue;
		found = !summary.outer &&
			!(but && summary.cookbook && strcmp(summary.cookbook, but) == 0);
		memcpy(ret_id, ids[i], RUN_ID_SIZE);
		run_summary_free(&summary);
	}
	return found;
}

int journal_find(const char *directory, const char *word, const char *but,
		 char ret_id[static RUN_ID_SIZE], struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	char(*ids)[RUN_ID_SIZE];
	size_t count, found;

	if (journal_list(directory, &ids, &count, err) < 0)
		return -1;
	if (strcmp(word, "last") == 0)
		found = find_last(directory, ids, count, but, ret_id) ? 1 : 0;
	else
		found = find_meant(ids, count, word, ret_id);
	free(ids);
	if (found == 1)
		return 0;
	printable_path(word, shown);
	return found ? err_set(err, "'%s' may be any of %zu runs: give more of the id", shown,
			       found)
		     : err_set(err, "there is no run '%s' in %s", shown, directory);
}
