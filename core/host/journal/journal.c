/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/testing.h"
#include "../../runtime/printable.h"
#include "../log/redactor.h"
#include "../../runtime/statedir.h"
#include "runid.h"

#define FILE_MODE 0640
#define SHARED_FILE_MODE 0660
#define NAME_TRIES 16
/* So much of the disk is taken at a time, and so much of it is left for all but records. */
#define ROOM_STEP 16384
#define ROOM_FOR_END 4096

struct journal {
	char run[RUN_ID_SIZE];
	const char *cookbook;
	char *path;
	int directory, fd;
	bool durable;
	const struct journal *outer;
	struct event_sink *sinks;
	uint64_t sequence;
	off_t size, room; /* written, and taken on the disk */
	bool has_room;    /* it is taken beforehand */
	bool synced;      /* its name is on the disk */
	bool torn;        /* the end of a line is missing */
	bool reported;    /* a failure was told */
	struct buf line;  /* kept for its memory */
};

/* ---- the file ---- */

static int failed(const struct journal *journal, const char *what, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	int why = errno;

	printable_path(journal->path, shown);
	errno = why;
	return err_errno(err, "%s: cannot %s", shown, what);
}

/* Takes room for `more` bytes and the end of the run. -1 with errno: there is none. */
static int take_room(struct journal *journal, size_t more)
{
	off_t wanted = journal->size + (off_t)more + ROOM_FOR_END;

	if (!journal->has_room || wanted <= journal->room)
		return 0;
	wanted += ROOM_STEP - wanted % ROOM_STEP;
	if (fallocate(journal->fd, FALLOC_FL_KEEP_SIZE, journal->room, wanted - journal->room) ==
	    0) {
		journal->room = wanted;
		return 0;
	}
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return -1;
	if (errno != EINTR)
		journal->has_room = false;
	return 0;
}

/* A file that nobody had, of a new id. -1 with errno. */
static int make_file(struct journal *journal, const char *directory)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW;

	for (int i = 0; i < NAME_TRIES; i++) {
		run_id_make(journal->run);
		free(journal->path);
		journal->path = xasprintf("%s/%s" JOURNAL_SUFFIX, directory, journal->run);
		journal->fd = openat(journal->directory, strrchr(journal->path, '/') + 1, flags,
				     FILE_MODE);
		if (journal->fd >= 0 || errno != EEXIST)
			break;
	}
	return journal->fd;
}

static int open_file(struct journal *journal, const char *directory, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;

	journal->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (journal->directory < 0 || fstat(journal->directory, &st) < 0)
		return err_errno(err, "%s: cannot open", printable_path(directory, shown));
	if (make_file(journal, directory) < 0)
		return failed(journal, "make", err);
	/* Who may make files beside it may also settle it; whatever the umask. */
	if (fchmod(journal->fd, st.st_mode & S_IWGRP ? SHARED_FILE_MODE : FILE_MODE) < 0)
		return failed(journal, "set the mode", err);
	if (fcntl(journal->fd, F_OFD_SETLK, &lock) < 0)
		return failed(journal, "lock", err);
	if (take_room(journal, 0) < 0)
		return failed(journal, "take room", err);
	return 0;
}

int journal_open(const char *directory, const char *cookbook, const struct journal *outer,
		 bool durable, struct journal **ret_journal, struct err *err)
{
	struct journal *journal;

	if (!directory)
		return err_set(err,
			       "'journal.directory' is not set and you have no home directory");
	if (state_dir_make(directory, err) < 0)
		return -1;
	journal = xcalloc(1, sizeof(*journal));
	journal->directory = journal->fd = -1;
	journal->cookbook = cookbook;
	journal->outer = outer;
	journal->durable = durable;
	journal->has_room = durable;
	if (open_file(journal, directory, err) < 0 || fd_move_up(&journal->fd, err) < 0) {
		if (journal->path)
			unlink(journal->path);
		journal_close(journal);
		return -1;
	}
	*ret_journal = journal;
	return 0;
}

static int write_all(struct journal *journal, const char *text, size_t length)
{
	ssize_t written;

	for (size_t done = 0; done < length; done += (size_t)written) {
		written = write(journal->fd, text + done, length - done);
		if (written < 0 && errno == EINTR)
			written = 0;
		if (written < 0) {
			journal->torn = journal->torn || done > 0;
			return -1;
		}
		journal->size += written;
	}
	return 0;
}

/* A line that was cut, with the disk full, ends where the next one begins. */
static int write_line(struct journal *journal, bool is_record)
{
	if (take_room(journal, journal->line.length + 1) < 0 && is_record)
		return -1;
	if (journal->torn && write_all(journal, "\n", 1) < 0)
		return -1;
	journal->torn = false;
	return write_all(journal, journal->line.text, journal->line.length);
}

/* ---- events ---- */

static void show(const struct journal *journal, const struct event *event)
{
	for (const struct journal *each = journal; each; each = each->outer)
		for (struct event_sink *sink = each->sinks; sink; sink = sink->next)
			sink->take(sink->data, event);
}

/* Numbers the event and hands it on. */
static int hand_on(struct journal *journal, struct event *event, bool is_record, struct err *err)
{
	event->run = journal->run;
	event->cookbook = journal->cookbook;
	event->sequence = ++journal->sequence;
	buf_clear(&journal->line);
	event_put_json(event, &journal->line);
	show(journal, event);
	if (write_line(journal, is_record) == 0 || journal->reported)
		return 0;
	journal->reported = true;
	return failed(journal, "write", err);
}

/* The texts of an event without their secrets. */
struct clean {
	struct redactor_stream stream; /* a secret may be in two texts that follow each other */
	struct event_field *fields;
	size_t count;
};

static const char *clean_text(struct clean *clean, const char *text)
{
	struct buf out = {0};

	if (!text)
		return NULL;
	redactor_apply(redactor_shared(), &clean->stream, text, &out);
	return out.text ? out.text : xstrdup("");
}

static void clean_fields(struct clean *clean, const struct event_field *fields)
{
	clean->fields = xcalloc(clean->count, sizeof(*fields));
	for (size_t i = 0; i < clean->count; i++) {
		struct event_field *field = &clean->fields[i];
		const char **texts;

		*field = fields[i];
		if (field->type == EVENT_IS_TEXT) {
			field->value.text = clean_text(clean, field->value.text);
		} else if (field->type == EVENT_IS_TEXTS) {
			texts = xcalloc(field->value.texts.count, sizeof(*texts));
			for (size_t j = 0; j < field->value.texts.count; j++)
				texts[j] = clean_text(clean, field->value.texts.items[j]);
			field->value.texts.items = texts;
		}
	}
}

static void clean_free(struct clean *clean)
{
	for (size_t i = 0; i < clean->count; i++) {
		const struct event_field *field = &clean->fields[i];

		if (field->type == EVENT_IS_TEXT)
			free((void *)(uintptr_t)field->value.text);
		if (field->type != EVENT_IS_TEXTS)
			continue;
		for (size_t j = 0; j < field->value.texts.count; j++)
			free((void *)(uintptr_t)field->value.texts.items[j]);
		free((void *)(uintptr_t)field->value.texts.items);
	}
	free(clean->fields);
}

int journal_tell(struct journal *journal, const char *name, const struct event_field *fields,
		 size_t count, struct err *err)
{
	struct event event = {.name = name, .fields = fields, .count = count};
	struct clean clean = {.count = count};
	int rc;

	if (!journal)
		return 0;
	clock_gettime(CLOCK_REALTIME, &event.time);
	if (redactor_is_empty(redactor_shared()))
		return hand_on(journal, &event, false, err);
	clean_fields(&clean, fields);
	event.fields = clean.fields;
	rc = hand_on(journal, &event, false, err);
	clean_free(&clean);
	return rc;
}

void journal_show(const struct journal *journal, const char *name, const struct event_field *fields,
		  size_t count)
{
	struct event event = {.name = name, .fields = fields, .count = count};

	if (!journal)
		return;
	event.run = journal->run;
	event.cookbook = journal->cookbook;
	clock_gettime(CLOCK_REALTIME, &event.time);
	show(journal, &event);
}

int journal_tell_record(struct journal *journal, const struct log_record *record, struct err *err)
{
	static const char *const sources[RECORD_SOURCES] = {
		[RECORD_HOST] = "host",
		[RECORD_COOKBOOK] = "cookbook",
		[RECORD_STDERR] = "stderr",
	};
	const char *message = record->message ? record->message : "";
	const char *module = record->module ? record->module : "-";
	const char *slash = strrchr(module, '/');
	size_t length = strlen(message);
	bool ends_in_newline = length > 0 && message[length - 1] == '\n';
	char *cut = ends_in_newline ? xstrndup(message, length - 1) : NULL;
	const struct event_field fields[] = {
		EVENT_TEXT("level", record_level_name(record->level)),
		EVENT_TEXT("source", sources[record->source]),
		EVENT_TEXT("message", cut ? cut : message),
		EVENT_TEXT("file", slash ? slash + 1 : module),
		EVENT_NUMBER("line", record->line),
		EVENT_TEXT("function", record->function ? record->function : "-"),
	};
	struct event event = {
		.name = "log",
		.time = record->time,
		.fields = fields,
		.count = sizeof(fields) / sizeof(fields[0]),
	};
	int rc;

	rc = journal ? hand_on(journal, &event, true, err) : 0;
	free(cut);
	return rc;
}

/* ---- all of it ---- */

const char *journal_run(const struct journal *journal)
{
	return journal->run;
}

const char *journal_path(const struct journal *journal)
{
	return journal->path;
}

void journal_add_sink(struct journal *journal, struct event_sink *sink)
{
	sink->next = journal->sinks;
	journal->sinks = sink;
}

void journal_sync(struct journal *journal)
{
	/* A test asks for hundreds of runs, and wants none of them after a power failure. */
	if (!journal->durable || testing_now())
		return;
	if (fdatasync(journal->fd) < 0)
		return; /* as good as it gets on this file system */
	/* Its name, too. */
	if (!journal->synced && fsync(journal->directory) == 0)
		journal->synced = true;
}

void journal_discard(struct journal *journal)
{
	unlink(journal->path);
}

void journal_close(struct journal *journal)
{
	struct stat st;

	if (!journal)
		return;
	/*
	 * Gives back the room that was not needed. The runner may have appended something, when it
	 * took this process for dead.
	 */
	if (journal->fd >= 0 && journal->has_room && fstat(journal->fd, &st) == 0 &&
	    ftruncate(journal->fd, st.st_size) < 0)
		journal->has_room = false;
	fd_close(&journal->fd);
	fd_close(&journal->directory);
	free(journal->path);
	buf_free(&journal->line);
	free(journal);
}
