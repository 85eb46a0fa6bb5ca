/* SPDX-License-Identifier: Apache-2.0 */
#include "locks_command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../../runtime/argvalue.h"
#include "../../runtime/mem.h"
#include "../run/identity.h"
#include "../lock/lockname.h"
#include "../lock/lockstore.h"
#include "../lock/lockview.h"
#include "../log/log.h"
#include "../run/outcome.h"
#include "../lock/runfile.h"
#include "../setting/settings.h"
#include "stdio_guard.h"
#include "subcommand.h"

/* A store that does not answer at all is given up after this. */
#define CALL_NS 10000000000LL
/* Who wants a key frozen for longer has mistyped it. */
#define HOLD_MAX_DAYS 366
#define DAY_NS (86400 * 1000000000LL)

/* The words of all subcommands. */
struct words {
	const char *config_file, *key, *id, *reason;
	spk_duration span;
	bool json;
};

#define COMMON(field_, form_, type_)                                                               \
	.form = (form_), .type = (type_), .offset = offsetof(struct words, field_), .group = -1

static const struct arg_spec config_option = {.name = "config_file",
					      .letter = 'c',
					      COMMON(config_file, SPK_FORM_OPTION, SPK_TYPE_STRING),
					      .metavar = "FILE",
					      .meaning = ARG_FILE,
					      .help = "read this configuration file instead of all "
						      "others"};
static const struct arg_spec json_option = {
	.name = "json", COMMON(json, SPK_FORM_OPTION, SPK_TYPE_FLAG), .help = "print JSON"};
static const struct arg_spec key_word = {.name = "KEY",
					 COMMON(key, SPK_FORM_POSITIONAL, SPK_TYPE_STRING),
					 .meaning = ARG_LOCK,
					 .help = "a key, or the name of a cookbook"};
static const struct arg_spec id_word = {.name = "ID",
					COMMON(id, SPK_FORM_POSITIONAL, SPK_TYPE_STRING),
					.meaning = ARG_LOCK_ENTRY,
					.help = "of the entry, or what it begins with"};
static const struct arg_spec reason_option = {.name = "reason",
					      COMMON(reason, SPK_FORM_OPTION, SPK_TYPE_STRING),
					      .required = true,
					      .metavar = "TEXT",
					      .help = "why; it is logged, and shown to who waits"};
static const struct arg_spec span_option = {.name = "for",
					    COMMON(span, SPK_FORM_OPTION, SPK_TYPE_DURATION),
					    .required = true,
					    .metavar = "DURATION",
					    .help = "how long: 90, 20m, 2h"};

/* What a subcommand works with. */
struct call {
	const char *command;
	const struct parsed *parsed;
	struct settings *settings;
	struct lock_store store;
	struct identity identity;
	char *key; /* NULL: none was given */
	struct spk_lock_call call;
};

static const char *text_of(const struct call *call, const struct arg_spec *row)
{
	return subcommand_text(call->parsed, row);
}

static int complain(const struct call *call, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

static int complain(const struct call *call, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	subcommand_vcomplain("locks", call->command, format, args);
	va_end(args);
	return EXIT_STARTUP;
}

static int complain_status(const struct call *call, enum spk_lock_status status)
{
	const char *reason = call->call.reason.text;
	/* Where the reason does not name it itself. */
	bool named = !call->key || strncmp(reason, call->key, strlen(call->key)) == 0;

	if (status == SPK_LOCK_TIMEOUT && !*reason)
		reason = "the store of locks does not answer";
	return complain(call, "%s%s%s", named ? "" : call->key, named ? "" : ": ",
			*reason ? reason : "the store of locks refused");
}

/* Who did what and why, in a log of its own, and on the terminal. */
static int record(const struct call *call, const char *what)
{
	const char *reason = text_of(call, &reason_option);
	struct log *log;
	struct err err;

	if (log_open(call->settings, "spicerack.locks", false, false, &call->identity, &log, &err) <
	    0)
		return complain(call, "done, but not logged: %s", err.text);
	log_info(log, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
	log_close(log);
	return EXIT_OK;
}

/* After REFUSED the list holds what could be read all the same. */
static enum spk_lock_status read_entries(struct call *call, struct lock_list *list)
{
	return call->store.driver->list(call->store.store, call->key, lock_list_add, list,
					&call->call);
}

static int print(const struct call *call, const struct buf *text)
{
	if (stdio_guard_write(text) == 0)
		return EXIT_OK;
	return complain(call, "cannot write: %s", strerrordesc_np(errno));
}

/* list and show */
static int show(void *data)
{
	struct call *call = data;
	struct lock_list list = {0};
	struct buf text = {0};
	enum spk_lock_status status = read_entries(call, &list);
	bool json = subcommand_is_given(call->parsed, &json_option);
	int code = EXIT_OK;

	if (json && (status == SPK_LOCK_OK || list.count > 0))
		lock_view_json(&list, spk_now().ns, &text);
	else
		lock_view_text(&list, spk_now().ns, &text);
	if (status == SPK_LOCK_OK && list.count == 0 && !json)
		fprintf(stderr, "nobody holds or waits for %s\n", call->key ? call->key : "a lock");
	code = print(call, &text);
	if (status != SPK_LOCK_OK)
		code = complain_status(call, status);
	buf_free(&text);
	lock_list_free(&list);
	return code;
}

/* The one entry that is meant by an ID or its beginning. NULL: there is none, or more than one. */
static const struct spk_lock_entry *find_entry(const struct call *call,
					       const struct lock_list *list, const char *id)
{
	const struct spk_lock_entry *found = NULL;

	for (size_t i = 0; i < list->count; i++) {
		if (strncmp(list->entries[i].id, id, strlen(id)) != 0)
			continue;
		if (found) {
			complain(call, "%s: several entries begin with '%s'", call->key, id);
			return NULL;
		}
		found = &list->entries[i];
	}
	if (!found)
		complain(call, "%s: there is no entry '%s'", call->key, id);
	return found;
}

static int take_away(struct call *call, const struct spk_lock_entry *entry, const char *verb)
{
	enum spk_lock_status status = call->store.driver->remove(call->store.store, call->key,
								 entry->id, &call->call);
	char *what;
	int code;

	if (status == SPK_LOCK_MISSING)
		return complain(call, "%s: '%s' is gone already", call->key, entry->id);
	if (status != SPK_LOCK_OK)
		return complain_status(call, status);
	what = xasprintf("%s %s, %s, of %s%s%s", verb, call->key, entry->id, entry->owner,
			 entry->cookbook ? " for " : "", entry->cookbook ? entry->cookbook : "");
	code = record(call, what);
	free(what);
	return code;
}

static int release(void *data)
{
	struct call *call = data;
	const char *id = text_of(call, &id_word);
	struct spk_lock_entry unreadable = {.id = id, .owner = "?"};
	const struct spk_lock_entry *entry;
	struct lock_list list = {0};
	enum spk_lock_status status = read_entries(call, &list);
	int code = EXIT_STARTUP;

	/* What cannot be read is removed by its whole ID, which the refusal to read it names. */
	if (status == SPK_LOCK_REFUSED && strlen(id) == UUID_SIZE - 1)
		entry = &unreadable;
	else if (status == SPK_LOCK_OK)
		entry = find_entry(call, &list, id);
	else
		entry = NULL;
	if (entry)
		code = take_away(call, entry, "released");
	else if (status != SPK_LOCK_OK)
		complain_status(call, status);
	if (code == EXIT_OK && lock_is_held(entry))
		fputs("if that run lives, it finds out within seconds and is stopped, "
		      "without a rollback\n",
		      stderr);
	lock_list_free(&list);
	return code;
}

static int hold(void *data)
{
	struct call *call = data;
	const char *reason = text_of(call, &reason_option);
	struct spk_lock_entry entry = {.size = sizeof(entry), .key = call->key, .reason = reason};
	char id[UUID_SIZE], *what;
	enum spk_lock_status status;
	spk_duration span;
	int code;

	if (duration_read(text_of(call, &span_option), &span, NULL) < 0 || span.ns <= 0 ||
	    span.ns > HOLD_MAX_DAYS * DAY_NS)
		return complain(call, "argument --for: must be more than 0 and at most %dd",
				HOLD_MAX_DAYS);
	uuid_make(id);
	entry.id = id;
	entry.owner = call->identity.owner;
	entry.ttl_ns = span.ns;
	status = call->store.driver->freeze(call->store.store, &entry, &call->call);
	if (status != SPK_LOCK_OK)
		return complain_status(call, status);
	what = xasprintf("holding %s for %s", call->key, text_of(call, &span_option));
	code = record(call, what);
	free(what);
	return code;
}

static int unhold(void *data)
{
	struct call *call = data;
	struct lock_list list = {0};
	enum spk_lock_status status = read_entries(call, &list);
	int code = EXIT_OK;
	size_t found = 0;

	for (size_t i = 0; i < list.count && code == EXIT_OK; i++) {
		if (!lock_is_freeze(&list.entries[i]))
			continue;
		found++;
		code = take_away(call, &list.entries[i], "no longer holding");
	}
	if (found == 0 && status != SPK_LOCK_OK)
		code = complain_status(call, status);
	else if (found == 0)
		code = complain(call, "%s is not on hold", call->key);
	lock_list_free(&list);
	return code;
}

static const struct subcommand items[] = {
	{"list", "show all locks", show, .rows = {&config_option, &json_option}},
	{"show", "show one lock", show, .rows = {&config_option, &json_option, &key_word}},
	{"release", "take a lock away from who holds it or waits for it", release,
	 .rows = {&config_option, &reason_option, &key_word, &id_word}},
	{"hold", "let nobody new have a lock for some time", hold,
	 .rows = {&config_option, &span_option, &reason_option, &key_word}},
	{"unhold", "end a hold", unhold, .rows = {&config_option, &key_word}},
};

/* ---- the command ---- */

/* The first hold of a machine may come before its first run; who only looks makes nothing. */
static int open_store(struct call *call, bool makes)
{
	struct err err;

	if (lock_store_open_configured(call->settings, makes, &call->store, &err) < 0)
		return complain(call, "%s", err.text);
	return EXIT_OK;
}

static int check_words(struct call *call)
{
	const char *reason = text_of(call, &reason_option);
	const char *word = text_of(call, &key_word);
	struct err err;

	if (!subcommand_reason_is_good("locks", call->command, reason))
		return EXIT_USAGE;
	if (subcommand_is_given(call->parsed, &id_word) && strlen(text_of(call, &id_word)) < 4) {
		complain(call, "argument ID: give at least 4 characters of it");
		return EXIT_USAGE;
	}
	if (!word)
		return EXIT_OK;
	call->key = lock_key_of_word(word, &err);
	if (call->key)
		return EXIT_OK;
	complain(call, "%s", err.text);
	return EXIT_USAGE;
}

static int act(const struct subcommand *subcommand, const struct parsed *parsed)
{
	struct call call = {
		.command = subcommand->name,
		.parsed = parsed,
		.call = {.deadline_ns = spk_uptime().ns + CALL_NS, .cancel_fd = -1},
	};
	struct err err;
	int code;

	/* A server that hangs up is an error, not the end. */
	signal(SIGPIPE, SIG_IGN);
	identity_fill(&call.identity);
	code = check_words(&call);
	if (code == EXIT_OK &&
	    settings_load(text_of(&call, &config_option), &call.settings, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		code = EXIT_STARTUP;
	}
	if (code == EXIT_OK)
		code = open_store(&call, subcommand->run == hold);
	if (code == EXIT_OK)
		code = subcommand->run(&call);
	lock_store_close(&call.store, spk_uptime().ns + CALL_NS);
	settings_free(call.settings);
	free(call.key);
	return code;
}

const struct subcommands locks_subcommands = {
	.command = "locks",
	.about = "Who holds which lock, who waits for it, and the operator's hand in it.",
	.act = act,
	.items = items,
	.count = sizeof(items) / sizeof(items[0]),
};
