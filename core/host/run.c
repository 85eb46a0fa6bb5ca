/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../runtime/mem.h"
#include "../runtime/pattern.h"
#include "argparse.h"
#include "columns.h"
#include "link.h"
#include "outcome.h"
#include "report.h"
#include "signals.h"

/* After a SIGTERM or SIGHUP nobody can press Ctrl+C again: a deaf cookbook is then killed. */
#define TERMINATION_GRACE_NS 10000000000LL
/* During rollback: this soon after the warning, a second Ctrl+C is meant. */
#define ABANDON_WINDOW_NS 5000000000LL
/* A crash of an undo action costs a child; each takes at least one action with it. */
#define UNDO_CHILDREN_MAX 64

struct run {
	const struct run_options *options;
	const struct tree_found *cookbook;
	struct argparse_context context;
	struct parsed parsed;
	struct log *log;
	struct link link;
	int signal_fd;
	bool interrupted;       /* a signal asked for the end */
	int64_t interrupted_ns; /* when the last one did */
	bool by_terminal;       /* it was a Ctrl+C */
	bool killed;            /* and the child was killed for it */
	bool undo_failed;       /* something that should be undone is not */
	char *description;
	bool skip_start;
};

/* How a stage ended, as far as the order of a run depends on it. */
enum ending { ENDED_RESULT, ENDED_DEATH, ENDED_NO_RUNNER };

static const char *name_of(const struct run *run)
{
	return run->cookbook->name;
}

/* ---- what the operator's signals mean ---- */

static void on_signal_before_rollback(struct run *run, int number)
{
	bool again = run->interrupted && run->by_terminal && number == SIGINT;

	if (again) {
		log_warning(run->log, "Ctrl+C again: killing the cookbook");
		run->killed = true;
		link_kill_child(&run->link);
		return;
	}
	if (!run->interrupted)
		log_warning(run->log, "%s: interrupting the cookbook%s",
			    number == SIGINT ? "Ctrl+C" : strsignal(number),
			    number == SIGINT ? ", press again to kill it" : "");
	run->by_terminal = number == SIGINT;
	run->interrupted = true;
	run->interrupted_ns = spk_uptime().ns;
	link_interrupt(&run->link);
}

static void on_signal_in_rollback(struct run *run, int number)
{
	int64_t now = spk_uptime().ns;

	if (number == SIGINT && run->interrupted &&
	    now - run->interrupted_ns <= ABANDON_WINDOW_NS) {
		log_error(run->log, "Ctrl+C again: the rollback is abandoned");
		run->killed = true;
		link_kill_child(&run->link);
		return;
	}
	if (number == SIGINT) {
		log_warning(run->log, "the cookbook is being rolled back, "
				      "press Ctrl+C again within 5 seconds to abandon that");
		run->interrupted = true;
		run->interrupted_ns = now;
		return;
	}
	log_warning(run->log, "%s: the cookbook is being rolled back, that goes on",
		    strsignal(number));
}

static void on_signal(struct run *run, enum stage stage, int number)
{
	if (number == SIGTSTP)
		log_warning(run->log, "Ctrl+Z is ignored: a cookbook cannot be suspended");
	else if (stage == STAGE_UNDO || stage == STAGE_ROLLBACK)
		on_signal_in_rollback(run, number);
	else
		on_signal_before_rollback(run, number);
}

/* ---- stages ---- */

static int64_t stage_deadline(const struct run *run, enum stage stage)
{
	bool deaf = run->interrupted && !run->by_terminal && !run->killed && stage != STAGE_UNDO &&
		    stage != STAGE_ROLLBACK;

	return deaf ? run->interrupted_ns + TERMINATION_GRACE_NS : INT64_MAX;
}

static enum ending run_stage(struct run *run, enum stage stage)
{
	link_stage(&run->link, stage);
	for (;;) {
		const struct link_event *event = link_wait(&run->link, stage_deadline(run, stage));

		switch (event->type) {
		case LINK_RESULT:
			/* A worker that answers another question than the one asked is not to be
			 * trusted. */
			if (event->result.stage != stage) {
				link_kill_child(&run->link);
				break;
			}
			if (event->result.undo_failed)
				run->undo_failed = true;
			return ENDED_RESULT;
		case LINK_GONE:
			return ENDED_DEATH;
		case LINK_RUNNER_GONE:
			return ENDED_NO_RUNNER;
		case LINK_SIGNAL:
			on_signal(run, stage, event->signal);
			break;
		case LINK_TIMEOUT:
			log_warning(run->log, "the cookbook did not react: killing it");
			run->killed = true;
			link_kill_child(&run->link);
			break;
		case LINK_ANSWER:
			break;
		}
	}
}

/* ---- undoing ---- */

/*
 * After a death: fresh children close the scopes that are still open; each scope's
 * action is called at most once in all of them. Leaves a live child, or returns false.
 */
static bool undo_in_fresh_child(struct run *run)
{
	for (int i = 0; i < UNDO_CHILDREN_MAX; i++) {
		if (link_child(&run->link) < 0)
			return false;
		switch (run_stage(run, STAGE_UNDO)) {
		case ENDED_RESULT:
			if (run->link.event.result.outcome != OUTCOME_RETURNED)
				report_error(&run->link, name_of(run), "undoing the scopes of");
			return true;
		case ENDED_DEATH:
			run->undo_failed = true;
			report_death(&run->link, name_of(run));
			if (run->killed)
				return false;
			break;
		case ENDED_NO_RUNNER:
			return false;
		}
	}
	return false;
}

/* Returns the final code of a run that ended with `code`, which is not 0. */
static int roll_back(struct run *run, int code)
{
	bool wanted = run->cookbook->spec->has_rollback;
	bool alive = run->link.child_alive;

	/* What interrupted the run is not to interrupt its undoing. */
	link_clear_interrupt(&run->link);
	run->interrupted = run->killed = false;
	if (run->link.runner > 0 && !alive)
		alive = undo_in_fresh_child(run);
	if (!alive) {
		log_error(run->log, "Cookbook %s could not be rolled back: a rollback is owed",
			  name_of(run));
		return EXIT_ROLLBACK_FAILED;
	}
	if (wanted) {
		log_info(run->log, "Rolling back cookbook %s", name_of(run));
		switch (run_stage(run, STAGE_ROLLBACK)) {
		case ENDED_RESULT:
			if (run->link.event.result.outcome == OUTCOME_RETURNED)
				break;
			report_error(&run->link, name_of(run), "rolling back");
			return EXIT_ROLLBACK_FAILED;
		case ENDED_DEATH:
			report_death(&run->link, name_of(run));
			undo_in_fresh_child(run);
			log_error(run->log,
				  "The rollback of cookbook %s did not end: what it had "
				  "not done yet is owed",
				  name_of(run));
			return EXIT_ROLLBACK_FAILED;
		case ENDED_NO_RUNNER:
			log_error(run->log, "The rollback of cookbook %s did not end: it is owed",
				  name_of(run));
			return EXIT_ROLLBACK_FAILED;
		}
	}
	return run->undo_failed ? EXIT_ROLLBACK_FAILED : code;
}

/* ---- the order of a run ---- */

/*
 * A stage before START, in which nothing has been changed yet. True when the run goes
 * on; otherwise *code is how it ended. `raised` is the code for an error.
 */
static bool begin_stage(struct run *run, enum stage stage, const char *what, int raised, int *code)
{
	enum ending ending = run_stage(run, stage);
	const struct stage_result *result = &run->link.event.result;

	if (ending == ENDED_NO_RUNNER) {
		log_error(run->log, "The runner of cookbook %s died during its %s", name_of(run),
			  what);
		*code = EXIT_CRASHED;
		return false;
	}
	if (ending == ENDED_DEATH) {
		bool killed = run->killed;

		if (!killed)
			report_death(&run->link, name_of(run));
		link_clear_interrupt(&run->link);
		undo_in_fresh_child(run);
		*code = killed ? EXIT_INTERRUPTED : EXIT_CRASHED;
		return false;
	}
	if (result->outcome == OUTCOME_INTERRUPTED || run->interrupted) {
		log_warning(run->log, "Interrupted before the start of cookbook %s", name_of(run));
		*code = EXIT_INTERRUPTED;
		return false;
	}
	if (result->outcome == OUTCOME_RAISED && raised != EXIT_OK) {
		report_error(&run->link, name_of(run), what);
		*code = raised;
		return false;
	}
	if (result->outcome == OUTCOME_RAISED)
		report_error(&run->link, name_of(run), what);
	return true;
}

static bool begin(struct run *run, int *code)
{
	const struct stage_result *result = &run->link.event.result;
	struct buf text = {0};

	*code = EXIT_OK;
	if (!begin_stage(run, STAGE_ARGUMENTS, "parsing the arguments of", EXIT_PARSING_FAILED,
			 code))
		return false;
	if (result->outcome == OUTCOME_USAGE) {
		argparse_usage_error(run->cookbook->spec, &run->context, run->parsed.subcommand,
				     result->text ? result->text : "", &text);
		fputs(buf_text(&text), stderr);
		buf_free(&text);
		*code = EXIT_USAGE;
		return false;
	}
	if (!begin_stage(run, STAGE_PREPARE, "preparing", EXIT_INIT_FAILED, code))
		return false;
	if (result->outcome == OUTCOME_DONE) {
		if (result->text && *result->text)
			log_info(run->log, "%s", result->text);
		return false;
	}
	run->skip_start = run->cookbook->spec->skip_start || result->skip_start;
	/* A description that cannot be had is no reason not to run. */
	if (!begin_stage(run, STAGE_DESCRIBE, "describing", EXIT_OK, code))
		return false;
	if (result->outcome == OUTCOME_RETURNED && result->text)
		run->description = xstrdup(result->text);
	if (!begin_stage(run, STAGE_LOCK, "computing the lock of", EXIT_INIT_FAILED, code))
		return false;
	log_debug(run->log, "lock of this run: %s%s%s, concurrency %d, ttl %lld s", name_of(run),
		  result->text ? ":" : "", result->text ? result->text : "",
		  result->lock_concurrency, (long long)(result->lock_ttl_ns / 1000000000LL));
	return true;
}

/* The exit code of the run stage, all reports made. */
static int judge_run(struct run *run, enum ending ending)
{
	const struct stage_result *result = &run->link.event.result;

	if (ending == ENDED_NO_RUNNER) {
		log_error(run->log, "The runner of cookbook %s died", name_of(run));
		return EXIT_CRASHED;
	}
	if (ending == ENDED_DEATH && run->killed)
		return EXIT_INTERRUPTED;
	if (ending == ENDED_DEATH) {
		report_death(&run->link, name_of(run));
		return EXIT_CRASHED;
	}
	switch (result->outcome) {
	case OUTCOME_INTERRUPTED:
		log_error(run->log, "Interrupted");
		return EXIT_INTERRUPTED;
	case OUTCOME_RETURNED:
		if (!outcome_is_allowed(result->code)) {
			log_error(run->log,
				  "Cookbook %s returned %d: a cookbook returns 0, or 1 to 89 or "
				  "100 to 127 for a failure",
				  name_of(run), result->code);
			return EXIT_RAISED;
		}
		if (result->code == 0 && run->interrupted)
			log_warning(run->log, "The cookbook ended before it could be interrupted");
		return result->code;
	default:
		report_error(&run->link, name_of(run), "executing");
		return EXIT_RAISED;
	}
}

static void announce(struct run *run, const char *head, const char *middle)
{
	const char *description = run->description ? run->description : "";

	log_info(run->log, "%s - Cookbook %s%s%s%s", head, name_of(run), middle,
		 *description ? " " : "", description);
}

static int execute(struct run *run)
{
	int64_t start = spk_uptime().ns;
	char head[16], middle[32];
	int code;

	announce(run, "START", "");
	code = judge_run(run, run_stage(run, STAGE_RUN));
	if (code != EXIT_OK)
		code = roll_back(run, code);
	else if (run->undo_failed)
		code = EXIT_ROLLBACK_FAILED;
	log_debug(run->log, "__COOKBOOK_STATS__:name=%s,exit_code=%d,duration=%.3f", name_of(run),
		  code, (double)(spk_uptime().ns - start) / 1e9);
	snprintf(head, sizeof(head), "%s (%s)", run->skip_start ? "DONE" : "END",
		 outcome_word(code));
	snprintf(middle, sizeof(middle), " (exit_code=%d)", code);
	announce(run, head, middle);
	return code;
}

static void quit_child(struct run *run)
{
	if (run->link.child_alive)
		run_stage(run, STAGE_QUIT);
}

/* ---- before the run ---- */

/* A setting that is left empty is none for a cookbook. */
static const char *text_or_null(const struct settings *settings, const char *path)
{
	const char *text = settings_text(settings, path);

	return text && *text ? text : NULL;
}

static void fill_order(const struct run *run, struct run_order *order, char *build_id)
{
	const struct run_options *options = run->options;
	const struct tree_found *cookbook = run->cookbook;
	const struct cookbook_spec *spec = cookbook->spec;
	const struct file_identity *identity = &cookbook->peek.identity;

	for (uint32_t i = 0; i < identity->build_id_length; i++)
		snprintf(build_id + 2 * (size_t)i, 3, "%02x", identity->build_id[i]);
	*order = (struct run_order){
		.file = cookbook->file,
		.device = identity->device,
		.inode = identity->inode,
		.size = identity->size,
		.mtime_ns = identity->mtime_ns,
		.build_id = identity->build_id_length ? build_id : NULL,
		.symbol = spec->symbol,
		.address = spec->address,
		.state_size = spec->state_size,
		.name = cookbook->name,
		.dry_run = options->dry_run,
		.verbose = options->verbose,
		.username = options->identity->user,
		.hostname = options->identity->host,
		.owner = options->identity->owner,
		.config_dir = settings_text(options->settings,
					    "instance_params.spicerack_config_dir"),
		.http_proxy = text_or_null(options->settings, "instance_params.http_proxy"),
		.task_id = run->parsed.task_id,
		.reason = run->parsed.reason,
		.subcommand = run->parsed.subcommand ? run->parsed.subcommand->name : NULL,
		.subcommand_offset = spec->subcommand_offset,
		.log_file = log_file_path(run->log, false),
		.log_extended_file = log_file_path(run->log, true),
		.log_head = log_record_head(run->log),
		.args = xcalloc(run->parsed.arg_count, sizeof(*order->args)),
		.arg_count = run->parsed.arg_count,
	};
	for (size_t i = 0; i < order->arg_count; i++) {
		const struct parsed_arg *arg = &run->parsed.args[i];

		order->args[i] = (struct order_arg){
			.row_address = arg->spec->row_address,
			.row_size = arg->spec->row_size,
			.offset = arg->spec->offset,
			.given = arg->given,
			.texts = arg->texts,
		};
	}
}

static int open_link(struct run *run)
{
	struct run_order order;
	char build_id[2 * 64 + 1];
	bool refused = false;
	struct err err;
	int rc;

	fill_order(run, &order, build_id);
	rc = link_open(&run->link, SPICERACK_RUNNER, &order, run->log, run->signal_fd, &refused,
		       &err);
	free(order.args);
	if (rc == 0)
		return EXIT_OK;
	log_error(run->log, "cannot run cookbook %s: %s", name_of(run), err.text);
	return refused ? EXIT_NO_COOKBOOK : EXIT_CRASHED;
}

static int run_parsed(struct run *run)
{
	struct err err;
	int code;

	if (log_open(run->options->settings, name_of(run), run->options->dry_run,
		     run->options->verbose, run->options->identity, &run->log, &err) < 0) {
		fprintf(stderr, "cookbook: %s\n", err.text);
		return EXIT_STARTUP;
	}
	run->signal_fd = signals_open(&err);
	if (run->signal_fd < 0) {
		log_error(run->log, "%s", err.text);
		log_close(run->log);
		return EXIT_STARTUP;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	code = open_link(run);
	if (code == EXIT_OK && link_child(&run->link) < 0) {
		log_error(run->log, "cannot run cookbook %s: the runner cannot start a process",
			  name_of(run));
		code = EXIT_CRASHED;
	}
	if (code == EXIT_OK && begin(run, &code))
		code = execute(run);
	quit_child(run);
	link_close(&run->link);
	close(run->signal_fd);
	log_close(run->log);
	free(run->description);
	return code;
}

static int resolve_choices(void *data, const char *path, spk_strings *ret, struct err *err)
{
	return settings_list(data, path, ret, err);
}

static int match_pattern(void *data, const char *pattern, const char *text, struct err *err)
{
	return pattern_matches(pattern, text, err);
}

int run_cookbook(const struct run_options *options, const struct tree_found *cookbook, int argc,
		 char *const *argv)
{
	struct run run = {.options = options, .cookbook = cookbook};
	char *program = xasprintf("cookbook [GLOBAL_ARGS] %s", cookbook->name);
	struct buf out = {0};
	int code = EXIT_OK;

	run.context = (struct argparse_context){
		.program = program,
		.owner = cookbook->owner,
		.columns = columns_for_help(),
		.choices = resolve_choices,
		.matches = match_pattern,
		.data = (void *)(uintptr_t)options->settings,
	};
	switch (argparse(cookbook->spec, &run.context, argc, argv, &run.parsed, &out)) {
	case ARGPARSE_OK:
		code = run_parsed(&run);
		break;
	case ARGPARSE_HELP:
		fputs(buf_text(&out), stdout);
		break;
	case ARGPARSE_USAGE:
		fputs(buf_text(&out), stderr);
		code = EXIT_USAGE;
		break;
	case ARGPARSE_BROKEN:
		fprintf(stderr, "cookbook: %s: %s\n", cookbook->name, buf_text(&out));
		code = EXIT_NO_PARSER;
		break;
	}
	parsed_free(&run.parsed);
	buf_free(&out);
	free(program);
	return code;
}
