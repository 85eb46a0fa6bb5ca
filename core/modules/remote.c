/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts to run commands on, and what is wanted of them: see remoterun.c for how it is done. */
#include <spicerack/remote.h>

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include <spicerack/clock.h>
#include <spicerack/command.h>
#include <spicerack/error.h>
#include <spicerack/text.h>

#include "../runtime/copy.h"
#include "../runtime/guard.h"
#include "../runtime/misuse.h"
#include "../runtime/printable.h"
#include "../runtime/secretlist.h"
#include "../runtime/shell.h"
#include "remotehow.h"
#include "remotelink.h"
#include "remoteplan.h"
#include "remoterun.h"

#define REMOTE_MAGIC 0x72656d1eU
#define DEFAULT_CONNECT_TIMEOUT SPK_SECONDS(10)
#define DEFAULT_OUTPUT_LIMIT (1U << 20)
#define INPUT_MAX (64U << 20)
#define USER_MAX 255
/* How long finding the hosts of a query may take. */
#define QUERY_PATIENCE SPK_MINUTES(2)
/* A longer command is shown as its beginning and its end. */
#define SHOWN_MAX 35
#define SHOWN_PART 16

/* The size in version 1.0, which stays when the structure grows. */
#define COMMAND_1_0 SIZE_UP_TO(struct spk_remote_command, accepted)

/* Plain data in memory of the run. */
struct spk_remote {
	uint32_t magic;
	bool sudo;
	struct spk *spk;
	const struct spk_hosts *hosts;
};

/* ---- the hosts ---- */

static struct spk_remote *make(struct spk *spk, const struct spk_hosts *hosts, bool sudo)
{
	struct spk_remote *remote = SPK_NEW(spk, struct spk_remote);

	remote->spk = spk;
	remote->hosts = hosts;
	remote->sudo = sudo;
	remote->magic = REMOTE_MAGIC;
	return remote;
}

struct spk_remote *spk_remote_query(struct spk *spk, const char *query)
{
	struct hostset *set;
	const char *folded;
	struct buf text = {0};
	struct err err;

	CHECK_SPK(spk);
	CHECK_GIVEN(query);
	if (inventory_find(remote_link_inventory(spk), query, session_deadline(QUERY_PATIENCE),
			   session_cancel_fd(spk), &set, &err) < 0) {
		session_check_interrupt(spk);
		spk_raise(spk, "remote.query", NULL, "%s", err.text);
	}
	hostset_fold(set, &text);
	hostset_free(set);
	folded = copy_bytes(spk, buf_text(&text), text.length);
	buf_free(&text);
	spk_debug(spk, "hosts of '%s': %.1000s", query, folded);
	return make(spk, spk_hosts_parse(spk, folded), false);
}

struct spk_remote *spk_remote_on(struct spk *spk, const struct spk_hosts *hosts)
{
	CHECK_SPK(spk);
	if (spk_hosts_count(hosts) == 0)
		spk_raise(spk, "remote.query", NULL, "there are no hosts in the set");
	return make(spk, hosts, false);
}

struct spk *remote_spk(const struct spk_remote *remote)
{
	CHECK_HANDLE(remote, REMOTE_MAGIC);
	return remote->spk;
}

const struct spk_hosts *spk_remote_hosts(const struct spk_remote *remote)
{
	CHECK_HANDLE(remote, REMOTE_MAGIC);
	return remote->hosts;
}

size_t spk_remote_count(const struct spk_remote *remote)
{
	CHECK_HANDLE(remote, REMOTE_MAGIC);
	return spk_hosts_count(remote->hosts);
}

spk_remote_list spk_remote_split(const struct spk_remote *remote, size_t parts)
{
	struct spk_remote **items;
	spk_hosts_list slices;

	CHECK_HANDLE(remote, REMOTE_MAGIC);
	CHECK_GIVEN(parts);
	slices = spk_hosts_split(remote->hosts, parts);
	items = spk_alloc(remote->spk, slices.count * sizeof(items[0]));
	for (size_t i = 0; i < slices.count; i++)
		items[i] = make(remote->spk, slices.items[i], remote->sudo);
	return (spk_remote_list){items, slices.count};
}

struct spk_remote *spk_remote_subset(const struct spk_remote *remote, const struct spk_hosts *hosts)
{
	CHECK_HANDLE(remote, REMOTE_MAGIC);
	if (!spk_hosts_within(hosts, remote->hosts))
		spk_raise(remote->spk, "remote.subset", NULL,
			  "these hosts are not among those it is a part of: %.400s",
			  spk_hosts_fold(spk_hosts_minus(hosts, remote->hosts)));
	if (spk_hosts_count(hosts) == 0)
		spk_raise(remote->spk, "remote.subset", NULL, "a part without any host");
	return make(remote->spk, hosts, remote->sudo);
}

struct spk_remote *spk_remote_with_sudo(const struct spk_remote *remote)
{
	CHECK_HANDLE(remote, REMOTE_MAGIC);
	return make(remote->spk, remote->hosts, true);
}

/* ---- what is wanted ---- */

/* Everybody on the host can read commands, and their user the environment. */
static void refuse_secret(const char *function, const char *what, const char *text)
{
	if (secretlist_is_in(text))
		session_misuse(function, "%s holds a secret: hand it over in .input", what);
}

static bool is_variable(const char *entry)
{
	size_t length = strspn(entry, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_");

	return length > 0 && entry[length] == '=' && !isdigit((unsigned char)entry[0]);
}

static void check_environment(const char *function, spk_strings environment)
{
	for (size_t i = 0; i < environment.count; i++) {
		const char *entry = environment.items[i];

		if (!entry || !is_variable(entry))
			session_misuse(function, "the environment holds '%s' instead of NAME=VALUE",
				       entry ? entry : "NULL");
		refuse_secret(function, "the environment", entry);
	}
}

/* The command fit for one line, without its middle when it is long. */
static const char *shown(struct spk *spk, const char *text)
{
	struct buf line = {0};
	const char *copy;
	size_t tail;

	printable_add(&line, text, strlen(text));
	tail = line.length > SHOWN_PART ? line.length - SHOWN_PART : 0;
	if (line.length <= SHOWN_MAX) {
		copy = copy_text(spk, buf_text(&line));
	} else {
		size_t head = SHOWN_PART;

		/* Not within a character. */
		while (head && (line.text[head] & 0xc0) == 0x80)
			head--;
		while (tail < line.length && (line.text[tail] & 0xc0) == 0x80)
			tail++;
		copy = spk_format(spk, "%.*s...%s", (int)head, line.text, line.text + tail);
	}
	buf_free(&line);
	return copy;
}

static void take_command(struct spk *spk, const char *function,
			 const struct spk_remote_command *given, struct order_command *ret)
{
	struct spk_remote_command command;

	adopt_structure(function, "commands", "SPK_REMOTE_COMMAND", given, &command,
			sizeof(command), COMMAND_1_0);
	if (!command.text || command.text[strspn(command.text, " \t\n")] == '\0')
		session_misuse(function, "a command is empty");
	if (command.timeout.ns < 0)
		session_misuse(function, "a timeout is negative");
	refuse_secret(function, "a command", command.text);
	*ret = (struct order_command){
		.text = copy_text(spk, command.text),
		.shown = shown(spk, command.text),
		.timeout_ns = command.timeout.ns ? command.timeout.ns : INT64_MAX,
		.accepted = command.accepted,
		.any_code = command.any_code,
	};
}

/* One command of `command` or those of `commands`: rows of the size that their builder knew. */
static void take_commands(struct spk *spk, const char *function,
			  const struct spk_remote_options *how, struct remote_order *order)
{
	const struct spk_remote_command single = {
		.size = sizeof(single),
		.text = how->command,
		.timeout = how->timeout,
		.accepted = how->accepted,
		.any_code = how->any_code,
	};
	size_t count = how->command ? 1 : how->commands.count;
	const char *row = (const char *)(how->command ? &single : how->commands.items);

	if (count == 0 || !row)
		session_misuse(function, "there is no command");
	if (how->command && how->commands.count)
		session_misuse(function, "there are both .command and .commands");
	if (!how->command && (how->timeout.ns || how->accepted.count || how->any_code))
		session_misuse(function, "timeout and exit codes of .commands are theirs");
	order->commands = spk_alloc(spk, count * sizeof(order->commands[0]));
	order->command_count = count;
	for (size_t i = 0; i < count; i++) {
		const struct spk_remote_command *command = (const void *)row;

		take_command(spk, function, command, &order->commands[i]);
		row += command->size;
	}
}

static void take_input(const char *function, const struct spk_remote_options *how,
		       struct remote_order *order)
{
	order->input = how->input;
	order->input_length = how->input_length;
	if (how->input && !how->input_length)
		order->input_length = strlen(how->input);
	if (!how->input && how->input_length)
		session_misuse(function, "there is a length of input, but no input");
	if (order->input_length > INPUT_MAX)
		session_misuse(function, "%zu bytes of input are more than %u", order->input_length,
			       INPUT_MAX);
	if (how->detached && order->input_length)
		session_misuse(function, "a detached command has no input");
}

static int64_t duration_or(const char *function, spk_duration given, spk_duration otherwise)
{
	if (given.ns < 0)
		session_misuse(function, "a duration is negative");
	return given.ns ? given.ns : otherwise.ns;
}

static void check_shares(const char *function, const struct spk_remote_options *how)
{
	if (!plan_share_is_valid(how->batch, 1))
		session_misuse(function, "a batch of %g", how->batch.value);
	if (!plan_share_is_valid(how->threshold, 0))
		session_misuse(function, "a threshold of %g", how->threshold.value);
}

/* It becomes a word of a command line, and may stand in those of a configuration. */
static const char *take_user(const char *function, const char *user)
{
	if (user && (!*user || *user == '-' || strlen(user) > USER_MAX ||
		     user[strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789._+@\\-")]))
		session_misuse(function, "'%.80s' is no name of a user", user);
	return user;
}

/* All of it, checked before anything is done. */
static void take_options(const char *function, const struct spk_remote *remote,
			 const struct spk_remote_options *how, struct remote_order *order)
{
	struct spk *spk = remote->spk;
	size_t hosts = spk_hosts_count(remote->hosts);

	if (how->mode > SPK_REMOTE_ASYNC)
		session_misuse(function, "there is no mode %u", how->mode);
	check_shares(function, how);
	check_environment(function, how->environment);
	take_commands(spk, function, how, order);
	take_input(function, how, order);
	order->spk = spk;
	order->hosts = remote->hosts;
	order->names = spk_hosts_names(remote->hosts);
	order->batch = plan_batch(how->batch, hosts);
	order->needed = plan_needed(how->threshold, hosts);
	order->batch_sleep_ns = duration_or(function, how->batch_sleep, SPK_SECONDS(0));
	order->total_timeout_ns = duration_or(function, how->total_timeout, SPK_FOREVER);
	order->connect_timeout_ns = duration_or(function, how->connect_timeout,
						DEFAULT_CONNECT_TIMEOUT);
	order->environment = how->environment;
	order->output_limit = how->output_limit ? how->output_limit : DEFAULT_OUTPUT_LIMIT;
	order->directory = how->output_directory;
	order->user = take_user(function, how->user);
	order->async = how->mode == SPK_REMOTE_ASYNC;
	order->sudo = remote->sudo || how->sudo;
	order->detached = how->detached;
	order->show_output = !how->no_output;
	order->show_progress = !how->no_progress;
}

/* ---- doing it ---- */

/* The first failure, for the message. */
static const struct spk_remote_result *first_failure(const struct spk_remote_results *results)
{
	size_t count = spk_remote_results_count(results);

	for (size_t i = 0; i < count; i++)
		if (spk_remote_results_at(results, i)->end > SPK_REMOTE_OK)
			return spk_remote_results_at(results, i);
	return spk_remote_results_at(results, 0);
}

static const struct spk_remote_results *judge(const struct remote_order *order,
					      const struct spk_remote_results *results)
{
	size_t ok = spk_hosts_count(spk_remote_succeeded(results));
	const struct spk_hosts *failed;
	const struct spk_remote_result *first;
	size_t all = order->names.count;

	if (ok >= order->needed || order->spk->order.dry_run)
		return results;
	failed = spk_remote_failed(results);
	first = first_failure(results);
	if (all == 1)
		spk_raise_with(order->spk, "remote.execution", NULL, results, "'%s' on %s: %s",
			       shown(order->spk, first->command), first->host, first->reason);
	spk_raise_with(order->spk, "remote.execution", NULL, results,
		       "'%s' succeeded on %zu of %zu hosts (%.1f%%), and %zu (%.1f%%) were needed; "
		       "it failed on %.400s, the first of them %s: %s",
		       shown(order->spk, first->command), ok, all, plan_percent(ok, all),
		       order->needed, plan_percent(order->needed, all), spk_hosts_fold(failed),
		       first->host, first->reason);
}

static const struct spk_remote_results *execute(const char *function,
						const struct spk_remote *remote,
						const struct spk_remote_options *given,
						bool read_only)
{
	struct spk_remote_options how;
	struct remote_order order = {.read_only = read_only};
	const struct spk_remote_results *results;
	const char *what;

	adopt_structure(function, "options", "SPK_REMOTE", given, &how, sizeof(how),
			REMOTE_OPTIONS_1_0);
	take_options(function, remote, &how, &order);
	what = spk_format(remote->spk, "'%s'%s on %zu host%s: %.400s", order.commands[0].shown,
			  order.command_count > 1 ? " and more" : "", order.names.count,
			  order.names.count == 1 ? "" : "s", spk_hosts_fold(remote->hosts));
	if (!read_only && !session_may_write(remote->spk, "run %s", what)) {
		session_cannot_know(remote->spk, "what %s would have said", what);
		return remote_results_make(&order, NULL);
	}
	remote_link_tell(remote->spk, remote->hosts);
	results = remote_run(&order);
	if (read_only)
		session_did_read(remote->spk, "%s", what);
	return judge(&order, results);
}

const struct spk_remote_results *spk_remote_run_all(const struct spk_remote *remote,
						    const struct spk_remote_options *options)
{
	CHECK_HANDLE(remote, REMOTE_MAGIC);
	CHECK_GIVEN(options);
	return execute(__func__, remote, options, false);
}

const struct spk_remote_results *spk_remote_read_all(const struct spk_remote *remote,
						     const struct spk_remote_options *options)
{
	CHECK_HANDLE(remote, REMOTE_MAGIC);
	CHECK_GIVEN(options);
	return execute(__func__, remote, options, true);
}

const struct spk_remote_results *spk_remote_run(const struct spk_remote *remote, const char *format,
						...)
{
	const char *command;
	va_list list;

	CHECK_HANDLE(remote, REMOTE_MAGIC);
	CHECK_GIVEN(format);
	va_start(list, format);
	command = shell_vformat(remote->spk, format, list);
	va_end(list);
	return execute(__func__, remote, SPK_REMOTE(command), false);
}

const struct spk_remote_results *spk_remote_read(const struct spk_remote *remote,
						 const char *format, ...)
{
	const char *command;
	va_list list;

	CHECK_HANDLE(remote, REMOTE_MAGIC);
	CHECK_GIVEN(format);
	va_start(list, format);
	command = shell_vformat(remote->spk, format, list);
	va_end(list);
	return execute(__func__, remote, SPK_REMOTE(command), true);
}
