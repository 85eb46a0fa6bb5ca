/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "../journal/journal.h"
#include "logfile.h"
#include "redactor.h"
#include "terminal.h"

struct log {
	struct logfile *files;   /* NULL: none */
	struct journal *journal; /* likewise */
	struct terminal terminal;
	struct terminal lent, kept; /* an operator's who came later; a file; disabled: none */
	bool keeps_data;
	struct record_style style;
	char *user;
	char *head; /* what is the same in all records */
	struct redactor_stream streams[RECORD_SOURCES];
	struct buf message, module, function, plain, extended; /* kept for their memory */
};

/* What the configuration keeps secret is redacted from the first record on. */
static void hide_settings(const struct settings *settings)
{
	size_t count;
	const struct setting *all = settings_all(settings, &count);
	struct err err;

	for (size_t i = 0; i < count; i++)
		if (all[i].key->secret && all[i].text &&
		    redactor_add(redactor_shared(), all[i].text, &err) < 0)
			continue; /* too short to be looked for in other texts */
}

int log_open(const struct settings *settings, const char *name, bool dry_run, bool verbose,
	     const struct identity *identity, struct log **ret_log, struct err *err)
{
	const char *base = settings_text(settings, "logs_base_dir");
	struct logfile *files = NULL;
	struct log *log;

	if (name && !base)
		return err_set(err, "'logs_base_dir' is not set and you have no home directory");
	if (name && logfile_open(base, name, NULL, &files, err) < 0)
		return -1;
	hide_settings(settings);
	log = xcalloc(1, sizeof(*log));
	log->files = files;
	log->user = xstrdup(identity->user);
	log->style.user = log->user;
	log->style.pid = identity->pid;
	log->style.dry_run = dry_run;
	log->head = xasprintf("%s%s %d ", dry_run ? "DRY-RUN " : "", log->user, (int)identity->pid);
	terminal_init(&log->terminal, STDERR_FILENO, dry_run, verbose);
	log->lent.disabled = log->kept.disabled = true;
	*ret_log = log;
	return 0;
}

/* The one that a status and questions are for. */
static struct terminal *terminal_of(struct log *log)
{
	return log->lent.disabled ? &log->terminal : &log->lent;
}

static void show_record(struct log *log, const struct log_record *record)
{
	terminal_write(&log->kept, record);
	terminal_write(&log->terminal, record);
	terminal_write(&log->lent, record);
}

static void tell_failure(struct log *log, const struct log_record *cause, const char *what,
			 const char *reason)
{
	char *message = xasprintf("%s: %s, ignoring", what, reason);
	struct log_record record = *cause;

	record.level = SPK_WARNING;
	record.message = message;
	show_record(log, &record);
	free(message);
}

static const char *redact(struct redactor_stream *stream, const char *text, struct buf *out)
{
	if (!text)
		return NULL;
	buf_clear(out);
	redactor_apply(redactor_shared(), stream, text, out);
	return buf_text(out);
}

void log_write(struct log *log, const struct log_record *record)
{
	struct log_record clean = *record;
	struct err err, journal_err;
	int rc = 0, journal_rc;

	if (!redactor_is_empty(redactor_shared())) {
		clean.message = redact(&log->streams[record->source], record->message,
				       &log->message);
		clean.module = redact(NULL, record->module, &log->module);
		clean.function = redact(NULL, record->function, &log->function);
	}
	if (log->files) {
		buf_clear(&log->plain);
		buf_clear(&log->extended);
		record_render_files(&clean, &log->style, &log->plain, &log->extended);
		rc = logfile_write(log->files, clean.level >= SPK_INFO ? &log->plain : NULL,
				   &log->extended, &err);
	}
	journal_rc = journal_tell_record(log->journal, &clean, &journal_err);
	/* The terminal may hold us up, so it comes after the files. */
	show_record(log, &clean);
	if (rc < 0)
		tell_failure(log, &clean, "cannot log to a file", err.text);
	if (journal_rc < 0)
		tell_failure(log, &clean, "the journal of this run is not complete",
			     journal_err.text);
}

void log_set_journal(struct log *log, struct journal *journal)
{
	log->journal = journal;
}

static void tell_journal(struct log *log, const char *event, const struct event_field *fields,
			 size_t count)
{
	struct err err;

	if (journal_tell(log->journal, event, fields, count, &err) < 0)
		log_warning(log, "the journal of this run is not complete: %s, ignoring", err.text);
}

void log_hosts(struct log *log, const char *hosts)
{
	const struct event_field field = EVENT_TEXT("hosts", hosts);

	tell_journal(log, "hosts", &field, 1);
}

void log_executed(struct log *log, const struct log_execution *execution)
{
	const struct event_field fields[] = {
		EVENT_TEXTS("commands", execution->commands),
		EVENT_NUMBER("hosts", (int64_t)execution->hosts),
		EVENT_NUMBER("ok", (int64_t)execution->ok),
		EVENT_NUMBER("failed", (int64_t)execution->failed),
		EVENT_SECONDS("duration", (int64_t)execution->duration_ns),
	};

	tell_journal(log, "executed", fields, sizeof(fields) / sizeof(fields[0]));
}

void log_tell_output(struct log *log, const char *text)
{
	journal_show(log->journal, "output", &(struct event_field)EVENT_TEXT("text", text), 1);
}

void log_printf(struct log *log, enum spk_level level, const char *file, int line,
		const char *function, const char *format, ...)
{
	struct log_record record = {
		.level = level,
		.module = file,
		.line = line,
		.function = function,
	};
	va_list args;
	char *message;

	clock_gettime(CLOCK_REALTIME, &record.time);
	va_start(args, format);
	message = xvasprintf(format, args);
	va_end(args);
	record.message = message;
	log_write(log, &record);
	free(message);
}

const char *log_file_path(const struct log *log, bool extended)
{
	return log->files ? logfile_path(log->files, extended) : NULL;
}

const char *log_record_head(const struct log *log)
{
	return log->head;
}

size_t log_columns(const struct log *log)
{
	return terminal_columns(log->lent.disabled ? &log->terminal : &log->lent);
}

void log_set_status(struct log *log, const char *text, size_t columns)
{
	terminal_set_status(terminal_of(log), text, columns);
}

void log_hold(struct log *log, const char *cue)
{
	terminal_set_cue(terminal_of(log), cue);
}

bool log_yield(struct log *log, int fd)
{
	return terminal_yield(&log->terminal, fd);
}

void log_resume(struct log *log, bool ended)
{
	terminal_resume(&log->terminal, ended);
}

/* ---- terminals that come and go ---- */

void log_keep(struct log *log, int fd, bool data)
{
	terminal_close(&log->kept);
	log->keeps_data = fd >= 0 && data;
	if (fd < 0)
		return;
	terminal_init(&log->kept, fd, log->style.dry_run, false);
	log->kept.threshold = log->terminal.threshold;
	log->kept.coloured = log->terminal.coloured;
}

void log_lend(struct log *log, int fd, bool coloured, bool addressable)
{
	terminal_close(&log->lent);
	terminal_init_lent(&log->lent, fd, &log->terminal, coloured, addressable);
}

static void leave(struct terminal *terminal, const char *last_words)
{
	terminal_set_cue(terminal, NULL);
	terminal_set_status(terminal, "", 0);
	if (last_words)
		terminal_show(terminal, last_words, strlen(last_words));
	terminal_close(terminal);
}

void log_leave_lent(struct log *log, const char *last_words)
{
	leave(&log->lent, last_words);
}

void log_leave_own(struct log *log, const char *last_words)
{
	leave(&log->terminal, last_words);
}

void log_show(struct log *log, const char *text, size_t length)
{
	if (!log->keeps_data)
		return;
	terminal_show(&log->kept, text, length);
	terminal_show(&log->lent, text, length);
}

void log_show_lent(struct log *log, const char *text, size_t length)
{
	terminal_show(&log->lent, text, length);
}

void log_close(struct log *log)
{
	if (!log)
		return;
	logfile_close(log->files);
	terminal_close(&log->terminal);
	terminal_close(&log->lent);
	terminal_close(&log->kept);
	buf_free(&log->message);
	buf_free(&log->module);
	buf_free(&log->function);
	buf_free(&log->plain);
	buf_free(&log->extended);
	free(log->user);
	free(log->head);
	free(log);
}
