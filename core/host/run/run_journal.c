/* SPDX-License-Identifier: Apache-2.0 */
/* What a run tells its journal of itself; docs/events.md is about what stands in it. */
#include "run_state.h"

#include <time.h>

#include <spicerack/clock.h>

#include "../journal/metrics.h"
#include "../journal/prune.h"
#include "outcome.h"

static const char *const rollback_words[] = {
	[ROLLBACK_NONE] = "none",
	[ROLLBACK_DONE] = "done",
	[ROLLBACK_FAILED] = "failed",
	[ROLLBACK_OWED] = "owed",
};

void run_tell_fields(struct run *run, const char *name, const struct event_field *fields,
		     size_t count)
{
	struct err err;

	if (journal_tell(run->journal, name, fields, count, &err) < 0)
		log_warning(run->log, "the journal of this run is not complete: %s, ignoring",
			    err.text);
}

static void tell_begin(struct run *run)
{
	const struct identity *identity = run->options->identity;
	const struct tree_found *cookbook = run->cookbook;
	const char *sudo_user = identity->sudo_user;
	char build_id[FILE_BUILD_ID_SIZE];

	run_tell(run, "begin", EVENT_TEXT("cookbook", cookbook->name),
		 EVENT_TEXT("user", identity->user), EVENT_TEXT("host", identity->host),
		 EVENT_NUMBER("pid", identity->pid), EVENT_FLAG("dry_run", run->options->dry_run),
		 EVENT_TEXT("outer", run->outer ? journal_run(run->outer->journal) : NULL),
		 EVENT_NUMBER("uid", identity->uid), EVENT_NUMBER("login_uid", identity->login_uid),
		 EVENT_TEXT("sudo_user", *sudo_user ? sudo_user : NULL),
		 EVENT_TEXT("team", cookbook->owner), EVENT_TEXT("file", cookbook->file),
		 EVENT_TEXT("build_id", file_build_id(&cookbook->peek.identity, build_id)),
		 EVENT_TEXT("spicerack", SPICERACK_VERSION),
		 EVENT_TEXT("log", log_file_path(run->log, false)));
}

/* Those of the operator's own run get the events of all runs within it. */
static void add_sinks(struct run *run)
{
	sdjournal_begin(&run->sdjournal);
	if (run->sdjournal.fd >= 0)
		journal_add_sink(run->journal, &run->sdjournal.sink);
	if (run->link.events)
		journal_add_sink(run->journal, &run->link.events->sink);
	if (run->notify)
		journal_add_sink(run->journal, notify_sink(run->notify));
}

int run_journal_open(struct run *run, struct err *err)
{
	const struct settings *settings = run->options->settings;

	if (journal_open(settings_text(settings, "journal.directory"), name_of(run),
			 run->outer ? run->outer->journal : NULL, !run->options->dry_run,
			 &run->journal, err) < 0)
		return -1;
	run->begin_ns = spk_uptime().ns;
	log_set_journal(run->log, run->journal);
	if (!run->outer)
		add_sinks(run);
	tell_begin(run);
	return 0;
}

static void introduce(struct run *run, enum spk_level level)
{
	if (run->introduced)
		return;
	run->introduced = true;
	log_printf(run->log, level, __FILE__, __LINE__, __func__, "Run %s of cookbook %s",
		   journal_run(run->journal), name_of(run));
	if (run->outer)
		run_tell(run->outer, "inner", EVENT_TEXT("inner", journal_run(run->journal)),
			 EVENT_TEXT("cookbook", name_of(run)));
	run_tell(run, "arguments", EVENT_TEXTS("arguments", run->words));
}

void run_journal_introduce(struct run *run)
{
	introduce(run, SPK_INFO);
}

void run_journal_question(struct run *run, const struct question *question)
{
	static const char *const kinds[] = {
		[ASK_CONFIRM] = "confirm", [ASK_FAILURE] = "failure", [ASK_CHOICE] = "choice",
		[ASK_TEXT] = "text",       [ASK_SECRET] = "secret",
	};

	run_tell(run, "question", EVENT_TEXT("name", question->name),
		 EVENT_TEXT("kind", kinds[question->kind]),
		 EVENT_TEXT("message", question->message),
		 EVENT_TEXTS("choices", question->choices));
}

void run_journal_answer(struct run *run, const struct question *question, const struct reply *reply)
{
	static const char *const outcomes[] = {
		[ASK_ANSWERED] = "answered",       [ASK_INVALID] = "invalid",
		[ASK_ABORTED] = "aborted",         [ASK_UNANSWERED] = "unanswered",
		[ASK_NO_TERMINAL] = "no-terminal", [ASK_ENDED] = "ended",
	};
	bool answered = reply->end == ASK_ANSWERED;
	/* A text is logged by the child, which alone knows that it is valid, and no secret. */
	bool shown = answered && question->kind != ASK_SECRET && question->kind != ASK_TEXT;

	run_tell(run, "answer", EVENT_TEXT("name", question->name),
		 EVENT_TEXT("outcome", outcomes[reply->end]),
		 EVENT_TEXT("answer", shown ? buf_text(&reply->answer) : NULL),
		 EVENT_TEXT("by", answered ? reply->by : NULL));
}

void run_journal_start(struct run *run)
{
	run->start_ns = spk_uptime().ns;
	run_tell(run, "start", EVENT_TEXT("description", run->description));
	journal_sync(run->journal);
}

static void add_metrics(struct run *run, int code, int64_t now)
{
	const char *path = settings_text(run->options->settings, "metrics.file");
	const struct metrics_run ended = {
		.cookbook = name_of(run),
		.result = outcome_word(code),
		.owed = run->rollback == ROLLBACK_OWED || run->rollback == ROLLBACK_FAILED,
		.duration_ns = run->start_ns ? now - run->start_ns : 0,
		.lock_wait_ns = run->lock_wait_ns,
		.end_s = time(NULL),
	};
	struct err err;

	if (path && !run->options->dry_run && metrics_add(path, &ended, &err) < 0)
		log_warning(run->log, "cannot add the run to the metrics: %s, ignoring", err.text);
}

void run_journal_end(struct run *run, int code)
{
	int64_t now = spk_uptime().ns;

	if (run->ended)
		return;
	run->ended = true;
	if (run->undo_failed && run->rollback != ROLLBACK_OWED)
		run->rollback = ROLLBACK_FAILED;
	run_tell(run, "end", EVENT_TEXT("result", outcome_word(code)),
		 EVENT_NUMBER("exit_code", code), EVENT_FLAG("started", run->start_ns != 0),
		 EVENT_TEXT("rollback", rollback_words[run->rollback]),
		 EVENT_SECONDS("duration", run->start_ns ? now - run->start_ns : 0),
		 EVENT_SECONDS("total", now - run->begin_ns),
		 EVENT_SECONDS("lock_wait", run->lock_wait_ns));
	if (run->start_ns)
		journal_sync(run->journal);
	add_metrics(run, code, now);
}

void run_journal_prune(const struct run *run)
{
	const struct settings *settings = run->options->settings;
	const char *directory = settings_text(settings, "journal.directory");
	struct prune_limits limits = prune_limits_of(settings);
	size_t removed;
	struct err err;

	if (run->options->dry_run || !directory || !journal_prune_is_due(directory))
		return;
	if (journal_prune(directory, &limits, &removed, &err) < 0)
		log_debug(run->log, "cannot remove an old journal: %s, ignoring", err.text);
	if (removed)
		log_debug(run->log, "removed %zu old journals from %s", removed, directory);
}

void run_journal_close(struct run *run, int code)
{
	if (run->end.explained) {
		journal_discard(run->journal);
	} else {
		/* Who had nothing to do says nothing of that. */
		introduce(run, code == EXIT_OK ? SPK_DEBUG : SPK_INFO);
		run_journal_end(run, code);
	}
	log_set_journal(run->log, run->outer ? run->outer->journal : NULL);
	journal_close(run->journal);
	if (!run->outer)
		sdjournal_end(&run->sdjournal);
	run->journal = NULL;
}
