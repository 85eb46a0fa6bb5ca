/* SPDX-License-Identifier: Apache-2.0 */
#include "runs_command.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../runtime/argvalue.h"
#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../journal/event.h"
#include "../journal/journalfile.h"
#include "../journal/jsonline.h"
#include "../journal/linefeed.h"
#include "../journal/prune.h"
#include "../journal/runview.h"
#include "../log/record.h"
#include "../run/identity.h"
#include "../run/outcome.h"
#include "../setting/settings.h"
#include "runs_attach.h"
#include "subcommand.h"

#define LIMIT "25"
#define FOLLOW_NS 200000000L

/* The words of all subcommands. */
struct words {
	const char *config_file, *id, *reason, *cookbook, *user, *result, *since, *until;
	int limit;
	bool json, owed, nested, follow, verbose, kill;
};

#define COMMON(field_, form_, type_)                                                               \
	.form = (form_), .type = (type_), .offset = offsetof(struct words, field_), .group = -1
#define OPTION(field_, type_, ...)                                                                 \
	{                                                                                          \
		.name = #field_, COMMON(field_, SPK_FORM_OPTION, type_), __VA_ARGS__               \
	}

static const struct arg_spec config_option =
	OPTION(config_file, SPK_TYPE_STRING, .letter = 'c', .metavar = "FILE", .meaning = ARG_FILE,
	       .help = "read this configuration file instead of all others");
static const struct arg_spec json_option = OPTION(json, SPK_TYPE_FLAG, .help = "print JSON");
static const struct arg_spec cookbook_option =
	OPTION(cookbook, SPK_TYPE_STRING, .metavar = "PATTERN", .meaning = ARG_COOKBOOK,
	       .help = "only of cookbooks whose name matches, as in 'hosts.*'");
static const struct arg_spec user_option = OPTION(user, SPK_TYPE_STRING, .metavar = "NAME",
						  .help = "only of this user");
static const char *const results[] = {"pass", "fail", "error", "running", "cut-off"};
static const struct arg_spec result_option =
	OPTION(result, SPK_TYPE_STRING, .choices = {results, sizeof(results) / sizeof(results[0])},
	       .help = "only those that ended like this");
static const struct arg_spec since_option =
	OPTION(since, SPK_TYPE_STRING, .metavar = "TIME",
	       .help = "only those that began since then: a time in UTC (2026-11-26T02:11), or how "
		       "long ago (2h, 7d)");
static const struct arg_spec until_option = OPTION(until, SPK_TYPE_STRING, .metavar = "TIME",
						   .help = "only those that began before");
static const struct arg_spec owed_option =
	OPTION(owed, SPK_TYPE_FLAG,
	       .help = "only those that owe a rollback, or whose rollback failed, and that nobody "
		       "has settled");
static const struct arg_spec nested_option = OPTION(
	nested, SPK_TYPE_FLAG, .help = "also runs within others; with --owed they always are");
static const struct arg_spec limit_option = OPTION(
	limit, SPK_TYPE_INT, .metavar = "N",
	.help = "show the newest N; 0 for all, as with --json and --owed (default: " LIMIT ")");
static const struct arg_spec follow_option = OPTION(follow, SPK_TYPE_FLAG, .letter = 'f',
						    .help = "go on until the run ends");
static const struct arg_spec verbose_option = OPTION(verbose, SPK_TYPE_FLAG, .letter = 'v',
						     .help = "show debug messages, too");
static const struct arg_spec reason_option =
	OPTION(reason, SPK_TYPE_STRING, .required = true, .metavar = "TEXT",
	       .help = "what was done about it; it is kept in the journal");
static const struct arg_spec events_option =
	OPTION(json, SPK_TYPE_FLAG, .help = "print the events, a line of JSON each");
static const struct arg_spec kill_option =
	OPTION(kill, SPK_TYPE_FLAG,
	       .help = "kill the cookbook, as a second Ctrl+C does; it is then "
		       "rolled back");
/* One argument, of which different runs make sense. */
#define ID_WORD(meaning_)                                                                          \
	{                                                                                          \
		.name = "ID", COMMON(id, SPK_FORM_POSITIONAL, SPK_TYPE_STRING),                    \
		.meaning = (meaning_),                                                             \
		.help = "of the run, or what it begins or ends with; `last` is the newest",        \
	}

static const struct arg_spec id_word = ID_WORD(ARG_RUN);
static const struct arg_spec live_id_word = ID_WORD(ARG_RUN_ALIVE);
static const struct arg_spec owing_id_word = ID_WORD(ARG_RUN_OWED);

/* What a subcommand works with. */
struct call {
	const char *name;
	const struct parsed *parsed;
	struct settings *settings;
	const char *directory;
	char id[RUN_ID_SIZE]; /* of the run that is meant, where one is */
};

static const char *text_of(const struct call *call, const struct arg_spec *row)
{
	return subcommand_text(call->parsed, row);
}

static bool is_given(const struct call *call, const struct arg_spec *row)
{
	return subcommand_is_given(call->parsed, row);
}

static int complain(const struct call *call, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

static int complain(const struct call *call, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	subcommand_vcomplain("runs", call->name, format, args);
	va_end(args);
	return EXIT_STARTUP;
}

static int print(const struct call *call, const struct buf *text)
{
	if (fwrite(buf_text(text), 1, text->length, stdout) == text->length && fflush(stdout) == 0)
		return EXIT_OK;
	return complain(call, "cannot write: %s", strerrordesc_np(errno));
}

/* ---- list ---- */

/* What of the runs is wanted. */
struct filter {
	const char *cookbook, *user, *result;
	char since[RUN_ID_SIZE], until[RUN_ID_SIZE]; /* ids of that time; "": any */
	bool owed, nested;
	size_t limit; /* 0: none */
};

/* The beginning of the ids of a time. */
static void put_id_of(int64_t realtime_ns, char out[static RUN_ID_SIZE])
{
	time_t seconds = realtime_ns / 1000000000LL;
	struct tm utc;

	out[0] = '\0';
	if (realtime_ns > 0 && gmtime_r(&seconds, &utc))
		strftime(out, RUN_ID_SIZE, "%Y%m%d-%H%M%S", &utc);
}

static bool read_time(const struct call *call, const struct arg_spec *row,
		      char out[static RUN_ID_SIZE])
{
	const char *text = text_of(call, row);
	spk_duration ago;
	spk_time at;

	out[0] = '\0';
	if (!text)
		return true;
	if (time_read(text, &at, NULL) == 0)
		put_id_of(at.ns, out);
	else if (duration_read(text, &ago, NULL) == 0)
		put_id_of(spk_now().ns - ago.ns, out);
	else
		complain(call, "argument --%s: neither a time nor how long ago: '%s'", row->name,
			 text);
	return *out;
}

static bool read_filter(const struct call *call, struct filter *filter)
{
	const char *limit = text_of(call, &limit_option);
	bool all = is_given(call, &json_option) || is_given(call, &owed_option);
	long number = strtol(limit ? limit : all ? "0" : LIMIT, NULL, 10);

	*filter = (struct filter){
		.cookbook = text_of(call, &cookbook_option),
		.user = text_of(call, &user_option),
		.result = text_of(call, &result_option),
		.owed = is_given(call, &owed_option),
		.nested = is_given(call, &nested_option) || is_given(call, &owed_option),
		.limit = number > 0 ? (size_t)number : 0,
	};
	if (number < 0) {
		complain(call, "argument --limit: must not be negative");
		return false;
	}
	return read_time(call, &since_option, filter->since) &&
	       read_time(call, &until_option, filter->until);
}

static bool same_result(const struct run_summary *summary, const char *wanted)
{
	const char *result = run_view_result(summary);

	for (; *result && *wanted; result++, wanted++)
		if ((*result | 0x20) != (*wanted | 0x20) && !(*result == ' ' && *wanted == '-'))
			return false;
	return !*result && !*wanted;
}

static bool is_wanted(const struct filter *filter, const struct run_summary *summary)
{
	const char *cookbook = summary->cookbook ? summary->cookbook : "";
	const char *user = summary->user ? summary->user : "";

	return (!filter->cookbook || fnmatch(filter->cookbook, cookbook, 0) == 0) &&
	       (!filter->user || strcmp(filter->user, user) == 0) &&
	       (!filter->result || same_result(summary, filter->result)) &&
	       (!filter->owed || summary->owed) && (filter->nested || !summary->outer);
}

/* Runs that are wanted, the newest first. */
struct found {
	struct run_summary *items;
	size_t count, capacity;
	bool more; /* than the limit */
	bool failed;
};

static void find(const struct call *call, const struct filter *filter,
		 const char (*ids)[RUN_ID_SIZE], size_t count, struct found *found)
{
	struct run_summary summary;
	struct err err;
	int rc;

	for (size_t i = 0; i < count && !found->more; i++) {
		if ((*filter->until && strcmp(ids[i], filter->until) >= 0))
			continue;
		if (*filter->since && strcmp(ids[i], filter->since) < 0)
			break;
		rc = journal_glance(call->directory, ids[i], &summary, &err);
		if (rc < 0) {
			complain(call, "%s", err.text);
			found->failed = true;
		}
		if (rc != 0)
			continue;
		found->more = filter->limit && found->count == filter->limit;
		if (found->more || !is_wanted(filter, &summary)) {
			found->more = found->more && is_wanted(filter, &summary);
			run_summary_free(&summary);
			continue;
		}
		found->items = xgrow(found->items, found->count, &found->capacity,
				     sizeof(*found->items));
		found->items[found->count++] = summary;
	}
}

static void put_found_json(const struct found *found, struct buf *out)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < found->count; i++) {
		buf_puts(out, i ? ",\n " : "\n ");
		run_view_json(&found->items[i], false, out);
	}
	buf_puts(out, found->count ? "\n]\n" : "]\n");
}

static int list(void *data)
{
	const struct call *call = data;
	char(*ids)[RUN_ID_SIZE];
	struct found found = {0};
	struct filter filter;
	struct buf text = {0};
	struct err err;
	size_t count;
	int code;

	if (!read_filter(call, &filter))
		return EXIT_USAGE;
	if (journal_list(call->directory, &ids, &count, &err) < 0)
		return complain(call, "%s", err.text);
	find(call, &filter, ids, count, &found);
	if (is_given(call, &json_option))
		put_found_json(&found, &text);
	else
		run_view_list(found.items, found.count, &text);
	code = print(call, &text);
	if (code == EXIT_OK && found.failed)
		code = EXIT_STARTUP;
	if (found.count == 0 && !is_given(call, &json_option))
		fprintf(stderr, "there are no such runs in %s\n", call->directory);
	if (found.more)
		fputs("there are more: see --limit\n", stderr);
	for (size_t i = 0; i < found.count; i++)
		run_summary_free(&found.items[i]);
	free(found.items);
	free(ids);
	buf_free(&text);
	return code;
}

/* ---- show ---- */

static int show(void *data)
{
	const struct call *call = data;
	struct run_summary summary;
	struct buf text = {0};
	struct err err;
	int code, rc = journal_read(call->directory, call->id, &summary, &err);

	if (rc < 0)
		return complain(call, "%s", err.text);
	if (rc > 0)
		return complain(call, "%s: nothing was told of it", call->id);
	if (is_given(call, &json_option)) {
		run_view_json(&summary, true, &text);
		buf_putc(&text, '\n');
	} else {
		run_view_text(&summary, &text);
	}
	code = print(call, &text);
	if (summary.owed && !is_given(call, &json_option))
		fprintf(stderr,
			"a rollback is owed: see to it, then say so with "
			"`spicerack runs settle %s --reason ...`\n",
			call->id);
	run_summary_free(&summary);
	buf_free(&text);
	return code;
}

/* ---- log ---- */

struct telling {
	const struct call *call;
	bool json, verbose;
	bool ended;
	struct buf out;
	/* Of the line that is read. */
	bool is_record, is_debug;
	struct buf time, level, message;
};

static void on_member(void *data, const char *name, bool in_list, enum json_scalar type,
		      const char *value)
{
	struct telling *telling = data;
	struct buf *kept = strcmp(name, "time") == 0      ? &telling->time
			   : strcmp(name, "level") == 0   ? &telling->level
			   : strcmp(name, "message") == 0 ? &telling->message
							  : NULL;

	if (in_list || type != JSON_TEXT)
		return;
	if (kept) {
		buf_clear(kept);
		buf_puts(kept, value);
	} else if (strcmp(name, "event") == 0) {
		telling->is_record = strcmp(value, "log") == 0 || strcmp(value, "cut-off") == 0;
		telling->ended = telling->ended || strcmp(value, "end") == 0;
	}
}

static void on_line(void *data, const char *line, size_t length, size_t number)
{
	struct telling *telling = data;

	telling->is_record = false;
	buf_clear(&telling->level);
	buf_clear(&telling->message);
	if (length == 0)
		return;
	if (!json_line_read(line, length, on_member, telling)) {
		complain(telling->call, "line %zu of the journal is broken", number);
		return;
	}
	if (telling->json) {
		buf_add(&telling->out, line, length);
		buf_putc(&telling->out, '\n');
		return;
	}
	if (!telling->is_record ||
	    (!telling->verbose && strcmp(buf_text(&telling->level), "DEBUG") == 0))
		return;
	record_sanitize(buf_text(&telling->time), telling->time.length, " ", &telling->out);
	buf_puts(&telling->out, " [");
	record_sanitize(telling->level.length ? buf_text(&telling->level) : "ERROR",
			telling->level.length ? telling->level.length : strlen("ERROR"), " ",
			&telling->out);
	buf_puts(&telling->out, "] ");
	record_sanitize(buf_text(&telling->message), telling->message.length, "\n    ",
			&telling->out);
	buf_putc(&telling->out, '\n');
}

/* Prints what has come; with --follow until there can be no more. */
static int tell(struct telling *telling, int fd)
{
	const struct timespec pause = {.tv_nsec = FOLLOW_NS};
	struct line_feed feed = {0};
	struct err err;
	int code = EXIT_OK;
	bool alive;

	do {
		/* In this order: who ends in between has told all of it. */
		alive = is_given(telling->call, &follow_option) && journal_is_alive(fd);
		if (line_feed_read(&feed, fd, on_line, telling, &err) < 0)
			code = complain(telling->call, "%s: %s", telling->call->id, err.text);
		if (!alive)
			line_feed_end(&feed, on_line, telling);
		if (print(telling->call, &telling->out) != EXIT_OK)
			code = EXIT_STARTUP;
		buf_clear(&telling->out);
		if (alive && code == EXIT_OK)
			nanosleep(&pause, NULL);
	} while (alive && code == EXIT_OK);
	buf_free(&feed.pending);
	return code;
}

static int log_of(void *data)
{
	const struct call *call = data;
	struct telling telling = {
		.call = call,
		.json = is_given(call, &events_option),
		.verbose = is_given(call, &verbose_option),
	};
	struct err err;
	int fd = journal_open_file(call->directory, call->id, false, &err);
	int code;

	if (fd < 0)
		return complain(call, "%s", err.text);
	code = tell(&telling, fd);
	fd_close(&fd);
	buf_free(&telling.out);
	buf_free(&telling.time);
	buf_free(&telling.level);
	buf_free(&telling.message);
	return code;
}

/* ---- settle ---- */

/* Appends the event, on a line of its own. */
static int append_settled(const struct call *call, int fd)
{
	struct identity identity;
	struct buf line = {0};
	struct event event = {.name = "settled", .run = call->id};
	char last = '\n';
	ssize_t written;
	bool good;

	identity_fill(&identity);
	clock_gettime(CLOCK_REALTIME, &event.time);
	const struct event_field fields[] = {
		EVENT_TEXT("by", identity.user),
		EVENT_TEXT("host", identity.host),
		EVENT_NUMBER("uid", identity.uid),
		EVENT_NUMBER("login_uid", identity.login_uid),
		EVENT_TEXT("reason", text_of(call, &reason_option)),
	};
	event.fields = fields;
	event.count = sizeof(fields) / sizeof(fields[0]);
	/* What was cut when its writer died. */
	if (lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) == 1 && last != '\n')
		buf_putc(&line, '\n');
	event_put_json(&event, &line);
	written = write(fd, line.text, line.length);
	good = written == (ssize_t)line.length && fdatasync(fd) == 0;
	buf_free(&line);
	return good ? EXIT_OK
		    : complain(call, "%s: cannot write: %s", call->id,
			       written < 0 ? strerrordesc_np(errno) : "the disk is full");
}

static int settle(void *data)
{
	const struct call *call = data;
	struct run_summary summary;
	struct err err;
	int rc = journal_read(call->directory, call->id, &summary, &err);
	int code = EXIT_OK, fd;

	if (rc < 0)
		return complain(call, "%s", err.text);
	if (rc > 0)
		return complain(call, "%s: nothing was told of it", call->id);
	if (summary.state == RUN_GOES_ON)
		code = complain(call, "%s: it is still running", call->id);
	else if (summary.settled_by)
		code = complain(call, "%s: '%s' has settled it already", call->id,
				summary.settled_by);
	else if (!summary.owed)
		code = complain(call, "%s: it owes no rollback", call->id);
	run_summary_free(&summary);
	if (code != EXIT_OK)
		return code;
	fd = journal_open_file(call->directory, call->id, true, &err);
	if (fd < 0)
		return complain(call, "%s", err.text);
	code = append_settled(call, fd);
	fd_close(&fd);
	return code;
}

/* ---- attach, stop ---- */

static int attach(void *data)
{
	const struct call *call = data;
	struct err err;
	int code = runs_attach(call->directory, call->id, &err);

	return code < 0 ? complain(call, "%s", err.text) : code;
}

static int stop(void *data)
{
	const struct call *call = data;
	struct err err;
	int code = runs_stop(call->directory, call->id, is_given(call, &kill_option), &err);

	return code < 0 ? complain(call, "%s", err.text) : code;
}

/* ---- prune ---- */

static int prune(void *data)
{
	const struct call *call = data;
	struct prune_limits limits = prune_limits_of(call->settings);
	size_t removed;
	struct err err;
	int rc = journal_prune(call->directory, &limits, &removed, &err);

	fprintf(stderr, "removed %zu journals from %s\n", removed, call->directory);
	return rc < 0 ? complain(call, "%s", err.text) : EXIT_OK;
}

/* ---- the command ---- */

static const struct subcommand items[] = {
	{"list", "show what was run, the newest first", list,
	 .rows = {&config_option, &cookbook_option, &user_option, &result_option, &since_option,
		  &until_option, &owed_option, &nested_option, &limit_option, &json_option}},
	{"show", "show all that is known of one run", show,
	 .rows = {&config_option, &json_option, &id_word}},
	{"log", "show the records of a run", log_of,
	 .rows = {&config_option, &follow_option, &verbose_option, &events_option, &id_word}},
	{"settle", "say that the rollback that a run owes has been seen to", settle,
	 .rows = {&config_option, &reason_option, &owing_id_word}},
	{"attach", "show a durable run live at this terminal, and answer its questions", attach,
	 .rows = {&config_option, &live_id_word}},
	{"stop", "interrupt a durable run, as Ctrl+C does", stop,
	 .rows = {&config_option, &kill_option, &live_id_word}},
	{"prune", "remove old journals, as is done now and then anyway", prune,
	 .rows = {&config_option}},
};

static int act(const struct subcommand *subcommand, const struct parsed *parsed)
{
	struct call call = {.name = subcommand->name, .parsed = parsed};
	const char *word = text_of(&call, &id_word);
	struct err err;
	int code = EXIT_OK;

	if (!subcommand_reason_is_good("runs", call.name, text_of(&call, &reason_option)))
		return EXIT_USAGE;
	if (settings_load(text_of(&call, &config_option), &call.settings, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_STARTUP;
	}
	call.directory = settings_text(call.settings, "journal.directory");
	if (!call.directory)
		code = complain(&call,
				"'journal.directory' is not set and you have no home directory");
	else if (word && journal_find(call.directory, word, NULL, call.id, &err) < 0)
		code = complain(&call, "%s", err.text);
	if (code == EXIT_OK)
		code = subcommand->run(&call);
	settings_free(call.settings);
	return code;
}

const struct subcommands runs_subcommands = {
	.command = "runs",
	.about = "What was run, by whom, how it ended, and what is owed.",
	.act = act,
	.items = items,
	.count = sizeof(items) / sizeof(items[0]),
};
