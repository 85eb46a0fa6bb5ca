/* SPDX-License-Identifier: Apache-2.0 */
#include "run_state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../runtime/descendants.h"
#include "../../runtime/mem.h"
#include "../../runtime/pattern.h"
#include "../setting/kvsetting.h"
#include "../question/asking.h"
#include "../log/columns.h"
#include "../lock/locks.h"
#include "outcome.h"
#include "report.h"
#include "signals.h"
#include "ttymode.h"

/* ---- the order of a run ---- */

/*
 * A stage before START, in which nothing has been changed yet. True when the run goes
 * on; otherwise *code is how it ended. `raised` is the code for an error.
 */
static bool begin_stage(struct run *run, enum stage stage, const char *what, int raised, int *code)
{
	enum ending ending = run_stage(run, stage);
	const struct stage_result *result = &run->link.event.result;

	if (ending == ENDED_NO_RUNNER && locks_are_lost(run)) {
		*code = EXIT_LOST_LOCK; /* of an outer run */
		return false;
	}
	if (ending == ENDED_NO_RUNNER) {
		log_error(run->log, "The runner of cookbook %s died during its %s", name_of(run),
			  what);
		*code = EXIT_CRASHED;
		return false;
	}
	if (ending == ENDED_DEATH) {
		bool killed = run->killed;

		if (!killed)
			report_death(run);
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
		report_error(run, what);
		*code = raised;
		return false;
	}
	if (result->outcome == OUTCOME_RAISED)
		report_error(run, what);
	return true;
}

/* The operator sees what he mistyped; of an inner run the log must tell, too. */
static void tell_usage(struct run *run, const char *text)
{
	if (run->outer)
		log_error(run->log, "%s", text);
	else
		fputs(text, stderr);
}

/* What the operator has said is understood: all else is told to the log, and to who attaches. */
static void detach(struct run *run)
{
	if (run->outer || !run->options->detachment)
		return;
	console_detach(run->link.console);
	detachment_tell(run->options->detachment, journal_run(run->journal));
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
		tell_usage(run, buf_text(&text));
		buf_free(&text);
		run->end.explained = true;
		*code = EXIT_USAGE;
		return false;
	}
	detach(run);
	if (!begin_stage(run, STAGE_PREPARE, "preparing", EXIT_INIT_FAILED, code))
		return false;
	if (result->outcome == OUTCOME_DONE) {
		if (result->text && *result->text)
			log_info(run->log, "%s", result->text);
		return false;
	}
	run_journal_introduce(run);
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
	return locks_take_for_run(run, result, code);
}

/* The exit code of the run stage, all reports made. */
static int judge_run(struct run *run, enum ending ending)
{
	const struct stage_result *result = &run->link.event.result;

	/* Who has come to his end all the same was not stopped. */
	if (ending != ENDED_RESULT && locks_are_lost(run))
		return EXIT_LOST_LOCK;
	if (ending == ENDED_NO_RUNNER) {
		log_error(run->log, "The runner of cookbook %s died", name_of(run));
		return EXIT_CRASHED;
	}
	if (ending == ENDED_DEATH && run->killed)
		return EXIT_INTERRUPTED;
	if (ending == ENDED_DEATH) {
		report_death(run);
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
		report_error(run, "executing");
		return EXIT_RAISED;
	}
}

/* `quietly`: to the log only. */
static void announce(struct run *run, const char *head, const char *middle, bool quietly)
{
	const char *description = run->description ? run->description : "";
	char *message = xasprintf("%s - Cookbook %s%s%s%s", head, name_of(run), middle,
				  *description ? " " : "", description);

	log_info(run->log, "%s", message);
	if (!quietly && !run->options->unannounced)
		notify_sal(run->notify, message);
	free(message);
}

/* When the run stage must be over: its own time, or what is left of the outer run's. */
static int64_t deadline_of(const struct run *run, int64_t start)
{
	spk_duration timeout = run->cookbook->spec->timeout;
	int64_t deadline = INT64_MAX;

	/* What the operator allows is for what he began, not for the undoing of it. */
	if (run->options->timeout.ns && !run->within_undo)
		timeout = run->options->timeout;
	if (timeout.ns > 0 && __builtin_add_overflow(start, timeout.ns, &deadline))
		deadline = INT64_MAX;
	return outer_deadline(run) < deadline ? outer_deadline(run) : deadline;
}

static int execute(struct run *run)
{
	char head[16], middle[32];
	int code;

	run->end.begun = true;
	announce(run, "START", "", run->skip_start);
	run_journal_start(run);
	run->deadline_ns = deadline_of(run, run->start_ns);
	code = judge_run(run, run_stage(run, STAGE_RUN));
	if (code != EXIT_OK && !locks_are_lost(run))
		code = roll_back(run, code);
	else if (run->undo_failed)
		code = EXIT_ROLLBACK_FAILED;
	/* Also while it was rolled back. */
	if (code != EXIT_OK && locks_are_lost(run)) {
		log_error(run->log, "Cookbook %s was stopped without its lock: a rollback is owed",
			  name_of(run));
		run->rollback = ROLLBACK_OWED;
		code = EXIT_LOST_LOCK;
	}
	log_debug(run->log, "__COOKBOOK_STATS__:name=%s,exit_code=%d,duration=%.3f", name_of(run),
		  code, (double)(spk_uptime().ns - run->start_ns) / 1e9);
	if (!run->outer)
		dryrun_tell(run->dryrun, run->log);
	snprintf(head, sizeof(head), "%s (%s)", run->skip_start ? "DONE" : "END",
		 outcome_word(code));
	snprintf(middle, sizeof(middle), " (exit_code=%d)", code);
	announce(run, head, middle, false);
	run_journal_end(run, code);
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

	*order = (struct run_order){
		.file = cookbook->file,
		.device = identity->device,
		.inode = identity->inode,
		.size = identity->size,
		.mtime_ns = identity->mtime_ns,
		.build_id = file_build_id(identity, build_id),
		.symbol = spec->symbol,
		.address = spec->address,
		.state_size = spec->state_size,
		.name = cookbook->name,
		.dry_run = options->dry_run,
		.verbose = options->verbose,
		.in_process = options->in_process,
		.username = options->identity->user,
		.hostname = options->identity->host,
		.owner = options->identity->owner,
		.config_dir = settings_text(options->settings,
					    "instance_params.spicerack_config_dir"),
		.http_proxy = text_or_null(options->settings, "instance_params.http_proxy"),
		.kv = kv_configured(options->settings),
		.task_id = run->parsed.task_id,
		.reason = run->parsed.reason,
		.subcommand = run->parsed.subcommand ? run->parsed.subcommand->name : NULL,
		.subcommand_offset = spec->subcommand_offset,
		.log_file = log_file_path(run->log, false),
		.log_extended_file = log_file_path(run->log, true),
		.log_head = log_record_head(run->log),
		.journal_file = journal_path(run->journal),
		.run = journal_run(run->journal),
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

/* The lists `sites.NAME`; `order->sites` is for free(). */
static void fill_sites(const struct settings *settings, struct run_order *order)
{
	static const char prefix[] = "sites.";
	const struct setting *all;
	size_t count;

	all = settings_all(settings, &count);
	order->sites = xcalloc(count, sizeof(*order->sites));
	for (size_t i = 0; i < count; i++) {
		if (strncmp(all[i].path, prefix, strlen(prefix)) != 0)
			continue;
		order->sites[order->site_count++] = (struct order_list){
			.name = all[i].path + strlen(prefix),
			.texts = {(const char *const *)all[i].items, all[i].count},
		};
	}
}

static int open_link(struct run *run)
{
	struct run_order order;
	char build_id[FILE_BUILD_ID_SIZE];
	struct link_failure failure;
	struct err err;
	int rc;

	fill_order(run, &order, build_id);
	fill_sites(run->options->settings, &order);
	rc = link_open(&run->link, SPICERACK_RUNNER, &order, run->log, run->signal_fd, &failure,
		       &err);
	free(order.args);
	free(order.sites);
	if (rc == 0)
		return EXIT_OK;
	log_error(run->log, "cannot run cookbook %s: %s", name_of(run), err.text);
	if (failure.stop_signal) {
		run->by_terminal = failure.stop_signal == SIGINT;
		run->end.terminated = failure.stop_signal != SIGINT;
		run->stopped = true;
		return EXIT_INTERRUPTED;
	}
	return failure.refused ? EXIT_NO_COOKBOOK : EXIT_CRASHED;
}

static int run_opened(struct run *run)
{
	int code = open_link(run);

	if (code == EXIT_OK && link_child(&run->link) < 0) {
		log_error(run->log, "cannot run cookbook %s: the runner cannot start a process",
			  name_of(run));
		code = EXIT_CRASHED;
	}
	if (code == EXIT_OK && begin(run, &code))
		code = execute(run);
	else if (!run->outer)
		dryrun_tell(run->dryrun, run->log);
	quit_child(run);
	link_close(&run->link);
	run->end.output_lost = run->link.output.lost;
	/* Nothing of it is left that could still be at work. */
	locks_give_back(run);
	free(run->description);
	return code;
}

/* A run whose log is open. */
static int run_recorded(struct run *run, int (*conduct)(struct run *run))
{
	struct err err;
	int code;

	if (run_journal_open(run, &err) < 0) {
		log_error(run->log, "cannot keep a journal: %s", err.text);
		return EXIT_STARTUP;
	}
	code = conduct(run);
	run_journal_close(run, code);
	return code;
}

/* For a durable run. Whoever was promised that it goes on without him is not left with less. */
static int open_console(struct run *run)
{
	const struct run_options *options = run->options;
	bool detaches = options->detachment != NULL;
	struct err err;

	if ((!detaches && !settings_bool(options->settings, "durable")) ||
	    console_open(settings_text(options->settings, "journal.directory"),
			 journal_run(run->journal), run->log, detaches, &run->link.console,
			 &err) == 0)
		return EXIT_OK;
	if (!detaches) {
		log_warning(run->log, "this run is not durable: %s", err.text);
		return EXIT_OK;
	}
	log_error(run->log, "cannot go on without a terminal: %s", err.text);
	return EXIT_STARTUP;
}

static int run_with_locks(struct run *run)
{
	struct ttymode mode;
	struct err err;
	int code = EXIT_NO_LOCK;

	if (run->options->in_process)
		log_warning(run->log,
			    "--in-process: for a debugger only, a crash is not rolled back, "
			    "a lost lock does not stop it");
	if (locks_open(run->options, run->log, &run->locks, &err) == 0) {
		run->link.locks = locks_for_link(run->locks);
		run->link.notify = run->notify;
		run->link.dryrun = run->dryrun;
		ttymode_save(&mode);
		code = open_console(run);
		if (code == EXIT_OK)
			code = run_opened(run);
		ttymode_restore(&mode);
	} else {
		log_error(run->log, "cannot take locks: %s", err.text);
	}
	locks_close(run->locks);
	return code;
}

/* The operator's own run: opens what inner runs then share. */
static int run_outermost(struct run *run)
{
	const struct run_options *options = run->options;
	struct eventout events;
	struct err err;
	int code, number;

	if (log_open(options->settings, options->log_name ? options->log_name : name_of(run),
		     options->dry_run, options->verbose, options->identity, &run->log, &err) < 0) {
		fprintf(stderr, "cookbook: %s\n", err.text);
		return EXIT_STARTUP;
	}
	run->signal_fd = signals_open(&err);
	if (run->signal_fd < 0) {
		log_error(run->log, "%s", err.text);
		log_close(run->log);
		return EXIT_STARTUP;
	}
	/* `cookbook ... > >(tee ...)` as a shell's last command is run by the parent of that tee.
	 */
	descendants_disown(NULL, 0, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run->notify = notify_open(options->settings, options->identity, options->dry_run, run->log);
	if (options->dry_run)
		run->dryrun = dryrun_new();
	eventout_begin(&events, run->log);
	if (options->json)
		run->link.events = &events;
	code = run_recorded(run, run_with_locks);
	run_journal_prune(run);
	number = notify_close(run->notify, run->signal_fd);
	/* Nobody is there to go on with anything else. */
	if (console_close(run->link.console, code) || (number && number != SIGINT))
		run->end.terminated = true;
	eventout_end(&events, run->signal_fd);
	close(run->signal_fd);
	log_close(run->log);
	asking_forget();
	dryrun_free(run->dryrun);
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

struct argparse_context run_parser_context(const struct settings *settings)
{
	return (struct argparse_context){
		.columns = columns_for_help(),
		.choices = resolve_choices,
		.matches = match_pattern,
		.data = (void *)(uintptr_t)settings,
	};
}

/* Parses the command line and, when it is one, runs. */
static int run_parsed(struct run *run, int argc, char *const *argv)
{
	char *program = run->options->program && !run->outer
				? xstrdup(run->options->program)
				: xasprintf("cookbook [GLOBAL_ARGS] %s", name_of(run));
	struct buf out = {0};
	int code = EXIT_OK;
	char *broken;

	run->deadline_ns = INT64_MAX;
	run->words = (spk_strings){(const char *const *)argv, (size_t)argc};
	run->context = run_parser_context(run->options->settings);
	run->context.program = program;
	run->context.owner = run->cookbook->owner;
	switch (argparse(run->cookbook->spec, &run->context, argc, argv, &run->parsed, &out)) {
	case ARGPARSE_OK:
		code = run->outer ? run_recorded(run, run_opened) : run_outermost(run);
		break;
	case ARGPARSE_HELP:
		fputs(buf_text(&out), stdout);
		run->end.explained = true;
		break;
	case ARGPARSE_USAGE:
		tell_usage(run, buf_text(&out));
		run->end.explained = true;
		code = EXIT_USAGE;
		break;
	case ARGPARSE_BROKEN:
		broken = xasprintf("cookbook: %s: %s\n", name_of(run), buf_text(&out));
		tell_usage(run, broken);
		free(broken);
		code = EXIT_NO_PARSER;
		break;
	}
	parsed_free(&run->parsed);
	buf_free(&out);
	free(program);
	return code;
}

struct inner_end run_within(struct run *outer, enum stage stage, const struct tree_found *cookbook,
			    int argc, char *const *argv)
{
	struct run run = {
		.options = outer->options,
		.cookbook = cookbook,
		.outer = outer,
		.depth = outer->depth + 1,
		.log = outer->log,
		.locks = outer->locks,
		.notify = outer->notify,
		.dryrun = outer->dryrun,
		.signal_fd = outer->signal_fd,
		.within_undo = outer->within_undo || is_undoing(stage),
		.link = {.outer = &outer->link,
			 .locks = outer->link.locks,
			 .notify = outer->notify,
			 .dryrun = outer->dryrun,
			 .events = outer->link.events,
			 .console = outer->link.console},
	};
	int code = run_parsed(&run, argc, argv);

	outer->by_terminal = run.by_terminal;
	if (run.end.terminated)
		outer->end.terminated = true;
	return (struct inner_end){code, run.stopped, run.abandoned};
}

int run_cookbook(const struct run_options *options, const struct tree_found *cookbook, int argc,
		 char *const *argv, struct run_end *ret_end)
{
	struct run run = {.options = options, .cookbook = cookbook, .depth = 1};
	int code = run_parsed(&run, argc, argv);

	if (ret_end)
		*ret_end = run.end;
	return code;
}
