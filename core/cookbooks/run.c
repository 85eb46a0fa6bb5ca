/* SPDX-License-Identifier: Apache-2.0 */
/* spicerack.run: `spicerack run`, commands on the hosts of a query. */
#include <spicerack/cookbook.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "user.h"

/* What Cumin exits with. */
enum { ALL_SUCCEEDED = 0, ENOUGH_SUCCEEDED = 1, TOO_FEW_SUCCEEDED = 2 };

struct run {
	/* For the host, which reads them before it starts the run. */
	const char *config_file;
	bool dry_run, verbose, announce, no_input;
	const char *input_file; /* where it has left its standard input */

	const char *query, *mode, *output, *batch_size, *output_dir, *user;
	spk_strings commands;
	bool force, ignore_exit_codes, sudo, no_progress;
	int success_percentage;
	spk_duration batch_sleep, timeout, global_timeout, connect_timeout;

	struct spk_remote *hosts;
	const struct spk_remote_options *how;
	const struct spk_remote_results *results;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct run, config_file, .letter = 'c', .metavar = "FILE",
		   .help = "read this configuration file instead of all others"),
	SPK_OPTION(struct run, dry_run, .letter = 'd', .help = "print the hosts and run nothing"),
	SPK_OPTION(struct run, verbose, .letter = 'v', .help = "show debug messages"),
	SPK_OPTION(struct run, force, .help = "do not ask for the number of hosts"),
	SPK_OPTION(struct run, mode, .letter = 'm', .choices = SPK_LIST("sync", "async"),
		   .help = "of several commands, which need it: sync, each on all hosts, then the "
			   "next; async, each host all of them"),
	SPK_OPTION(struct run, success_percentage, .letter = 'p', SPK_DEFAULT(100), SPK_AT_LEAST(0),
		   SPK_AT_MOST(100), .metavar = "PERCENT",
		   .help = "how many hosts must succeed; when fewer still can, no other is started "
			   "(default: %(default)s)"),
	SPK_OPTION(struct run, batch_size, .letter = 'b', .pattern = "[1-9][0-9]{0,7}|[0-9]{1,3}%",
		   .metavar = "N",
		   .help = "no more hosts at a time: a number, or a share as in 10%% (default: "
			   "all)"),
	SPK_OPTION(struct run, batch_sleep, .metavar = "DURATION", .letter = 's', SPK_AT_LEAST(0),
		   .help = "how long to wait before a host takes the place of one that has "
			   "finished"),
	SPK_OPTION(struct run, timeout, .metavar = "DURATION", .letter = 't', SPK_AT_LEAST(0),
		   .help = "of each command on a host, from its start (default: none)"),
	SPK_OPTION(struct run, global_timeout, .metavar = "DURATION", SPK_AT_LEAST(0),
		   .help = "for all of it (default: none)"),
	SPK_OPTION(struct run, connect_timeout, .metavar = "DURATION", SPK_AT_LEAST(0),
		   .help = "until a host lets us in (default: 10s)"),
	SPK_OPTION(struct run, ignore_exit_codes, .letter = 'x',
		   .help = "no exit code of a command is a failure"),
	USER_OPTION(struct run),
	SPK_OPTION(struct run, sudo, .help = "run the commands as root, by sudo"),
	SPK_OPTION(struct run, output, .letter = 'o', .choices = SPK_LIST("txt", "json"),
		   .help = "print nothing but what the hosts wrote, when it is over: txt, lines "
			   "behind the name of the host; json, a document with all results"),
	SPK_OPTION(struct run, output_dir, .metavar = "DIR",
		   .help = "keep all of it in this directory, as HOST.out and HOST.err"),
	SPK_OPTION(struct run, no_progress, .letter = 'n', .help = "do not show how far it is"),
	SPK_OPTION(struct run, no_input,
		   .help = "do not read standard input, which the commands get when it is a pipe "
			   "or a file"),
	SPK_OPTION(struct run, announce, .help = "announce start and end as those of a cookbook"),
	SPK_OPTION(struct run, input_file, .hidden = true),
	SPK_POSITIONAL(struct run, query, .metavar = "QUERY",
		       .help = "which hosts: web[01-40].example, or as in `spicerack hosts`"),
	SPK_POSITIONAL(struct run, commands, .metavar = "COMMAND",
		       .help = "what to run there, one word each: a line for the shell"),
};

/* ---- what is wanted ---- */

static spk_share share_of(struct spk *spk, const char *text)
{
	if (!text)
		return (spk_share){0};
	if (spk_has_suffix(text, "%"))
		return SPK_PERCENT(spk_to_double(spk, spk_strip_suffix(spk, text, "%")));
	return SPK_HOSTS(spk_to_int(spk, text));
}

static void check(struct spk *spk, void *argument)
{
	const struct run *self = argument;
	spk_share batch = share_of(spk, self->batch_size);

	for (size_t i = 0; i < self->commands.count; i++)
		if (spk_is_empty(spk_trim(spk, self->commands.items[i])))
			spk_fail(spk, "argument COMMAND: is empty");
	if (self->commands.count > 1 && !self->mode)
		spk_fail(spk,
			 "argument -m/--mode: is needed with several commands; the words of one "
			 "command are quoted, as in 'systemctl restart nginx'");
	if (self->batch_size &&
	    (batch.value <= 0 || (batch.kind == SPK_PERCENT(1).kind && batch.value > 100)))
		spk_fail(spk, "argument -b/--batch-size: must be more than 0, and not more than "
			      "100%%");
}

/* All of it in memory of the run: the host has seen to it that it is not too much. */
static void read_input(struct spk *spk, const char *path, struct spk_remote_options *how)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0, size;
	struct stat st;
	ssize_t got = 1;
	char *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		spk_fail(spk, "cannot read standard input: %s", strerrordesc_np(errno));
	size = (size_t)st.st_size;
	bytes = spk_alloc(spk, size + 1);
	for (; done < size && got > 0; done += got > 0 ? (size_t)got : 0)
		got = pread(fd, bytes + done, size - done, (off_t)done);
	close(fd);
	if (done < size)
		spk_fail(spk, "cannot read standard input: %s",
			 got < 0 ? strerrordesc_np(errno) : "it has become shorter");
	how->input = size ? bytes : NULL;
	how->input_length = size;
}

static const struct spk_remote_options *options_of(struct spk *spk, const struct run *self)
{
	struct spk_remote_command *commands = spk_alloc(spk,
							self->commands.count * sizeof(*commands));
	struct spk_remote_options *how = SPK_NEW(spk, struct spk_remote_options);

	for (size_t i = 0; i < self->commands.count; i++)
		commands[i] = SPK_REMOTE_COMMAND(self->commands.items[i], .timeout = self->timeout,
						 .any_code = self->ignore_exit_codes);
	*how = *SPK_REMOTE(
		NULL, .commands = {commands, self->commands.count},
		.mode = spk_streq(self->mode, "async") ? SPK_REMOTE_ASYNC : SPK_REMOTE_SYNC,
		.batch = share_of(spk, self->batch_size), .batch_sleep = self->batch_sleep,
		.threshold = SPK_PERCENT(self->success_percentage),
		.total_timeout = self->global_timeout, .connect_timeout = self->connect_timeout,
		.output_directory = self->output_dir, .user = self->user, .sudo = self->sudo,
		.no_output = self->output != NULL, .no_progress = self->no_progress);
	if (self->input_file)
		read_input(spk, self->input_file, how);
	return how;
}

/* ---- the hosts, and whether they are meant ---- */

static void is_the_number(struct spk *spk, const char *answer, void *argument)
{
	const struct run *self = argument;

	if (!spk_streq(answer, spk_format(spk, "%zu", spk_remote_count(self->hosts))))
		spk_fail(spk, "that is not the number of hosts");
}

static void ask(struct spk *spk, void *argument)
{
	struct run *self = argument;
	size_t count = spk_remote_count(self->hosts);
	const char *answer = spk_ask_input(
		spk,
		SPK_QUESTION(spk_format(spk, "To go on, type the number of hosts (%zu):", count),
			     .name = "number-of-hosts", .validate = is_the_number, .arg = self));

	spk_debug(spk, "confirmed by %s", answer);
}

static void confirm(struct spk *spk, struct run *self)
{
	const char *folded = spk_hosts_fold(spk_remote_hosts(self->hosts));
	size_t count = spk_remote_count(self->hosts);
	const struct spk_error *error;

	spk_info(spk, "%zu host%s: %.2000s%s", count, count == 1 ? "" : "s", folded,
		 strlen(folded) > 2000 ? "..." : "");
	if (self->force || spk_try(spk, ask, self, &error))
		return;
	if (spk_error_is(error, "prompt.terminal"))
		spk_fail(spk, "nobody can be asked whether these hosts are meant (%s): see --force",
			 spk_error_message(error));
	spk_raise_again(spk, error);
}

static void prepare(struct spk *spk, void *argument)
{
	struct run *self = argument;

	self->hosts = spk_remote_query(spk, self->query);
	if (spk_dry_run(spk)) {
		spk_print(spk, "%s", spk_hosts_fold(spk_remote_hosts(self->hosts)));
		spk_done(spk, "%zu host%s; nothing is run", spk_remote_count(self->hosts),
			 spk_remote_count(self->hosts) == 1 ? "" : "s");
	}
	self->how = options_of(spk, self);
	confirm(spk, self);
}

static const char *describe(struct spk *spk, const void *argument)
{
	const struct run *self = argument;
	const char *folded = spk_hosts_fold(spk_remote_hosts(self->hosts));

	return spk_format(
		spk, "'%.60s'%s on %zu host%s: %.200s%s", self->commands.items[0],
		strlen(self->commands.items[0]) > 60 || self->commands.count > 1 ? "..." : "",
		spk_remote_count(self->hosts), spk_remote_count(self->hosts) == 1 ? "" : "s",
		folded, strlen(folded) > 200 ? "..." : "");
}

/* ---- what came of it ---- */

static const char *const end_words[] = {
	[SPK_REMOTE_NOT_RUN] = "not-run",
	[SPK_REMOTE_OK] = "ok",
	[SPK_REMOTE_FAILED] = "failed",
	[SPK_REMOTE_SIGNALLED] = "signalled",
	[SPK_REMOTE_TIMED_OUT] = "timed-out",
	[SPK_REMOTE_UNREACHABLE] = "unreachable",
	[SPK_REMOTE_HOST_KEY] = "host-key",
	[SPK_REMOTE_DENIED] = "denied",
	[SPK_REMOTE_UNSUPPORTED] = "unsupported",
	[SPK_REMOTE_LOST] = "lost",
	[SPK_REMOTE_ERROR] = "error",
};

static const char *word_of(uint32_t end)
{
	return end < sizeof(end_words) / sizeof(end_words[0]) ? end_words[end] : "other";
}

static void put_text(const char *before, const char *text)
{
	fputs(before, stdout);
	bytes_put_json(stdout, text, strlen(text));
}

/* A line for each result; straight to the pipe, since all of them may be more than memory has. */
static void print_json(const struct run *self)
{
	size_t count = spk_remote_results_count(self->results);

	puts("{\"version\": 1, \"results\": [");
	for (size_t i = 0; i < count; i++) {
		const struct spk_remote_result *result = spk_remote_results_at(self->results, i);

		put_text("{\"host\": ", result->host);
		put_text(", \"command\": ", result->command);
		printf(", \"command_index\": %zu", result->command_index);
		put_text(", \"end\": ", word_of(result->end));
		printf(", \"exit_code\": %d", result->exit_code);
		put_text(", \"signal\": ", result->signal);
		put_text(", \"reason\": ", result->reason);
		printf(", \"seconds\": %.3f, \"out_total\": %llu, \"err_total\": %llu, \"out\": ",
		       spk_duration_seconds(result->took), (unsigned long long)result->out_total,
		       (unsigned long long)result->err_total);
		bytes_put_json(stdout, result->out, result->out_length);
		fputs(", \"err\": ", stdout);
		bytes_put_json(stdout, result->err, result->err_length);
		puts(i + 1 < count ? "}," : "}");
	}
	puts("]}");
	fflush(stdout);
}

static void print_lines(const char *host, const char *bytes, size_t length)
{
	const char *end = bytes + length;

	for (const char *line = bytes, *next; line < end; line = next) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		next = newline ? newline + 1 : end;
		printf("%s: ", host);
		bytes_put_line(stdout, line, (size_t)((newline ? newline : end) - line));
		putchar('\n');
	}
}

static void print_txt(const struct run *self)
{
	for (size_t i = 0; i < spk_remote_results_count(self->results); i++) {
		const struct spk_remote_result *result = spk_remote_results_at(self->results, i);

		print_lines(result->host, result->out, result->out_length);
		print_lines(result->host, result->err, result->err_length);
	}
	fflush(stdout);
}

static void execute(struct spk *spk, void *argument)
{
	struct run *self = argument;

	self->results = spk_remote_run_all(self->hosts, self->how);
}

static int run(struct spk *spk, void *argument)
{
	struct run *self = argument;
	const struct spk_error *error;
	bool enough = spk_try(spk, execute, self, &error);

	if (!enough)
		self->results = spk_error_payload(error, "remote.execution");
	if (!self->results)
		spk_raise_again(spk, error);
	if (spk_streq(self->output, "json"))
		print_json(self);
	else if (self->output)
		print_txt(self);
	if (!enough)
		return TOO_FEW_SUCCEEDED;
	return spk_hosts_count(spk_remote_succeeded(self->results)) == spk_remote_count(self->hosts)
		       ? ALL_SUCCEEDED
		       : ENOUGH_SUCCEEDED;
}

SPK_COOKBOOK(.title = "Run commands on the hosts of a query",
	     .description =
		     "Each COMMAND is one word, a line for the shell of the user on the hosts.\n"
		     "Exits with 0 when all hosts succeeded, 1 when not all but enough of them "
		     "did\n"
		     "(-p), 2 when too few did, 94 when nothing was run; else as cookbook(1) does.",
	     SPK_ARGS(struct run, args), .check = check, .prepare = prepare, .describe = describe,
	     .run = run);
