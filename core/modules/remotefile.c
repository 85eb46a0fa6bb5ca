/* SPDX-License-Identifier: Apache-2.0 */
/* Files to and from hosts, over the channel of a command. */
#include <spicerack/fleet.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spicerack/command.h>
#include <spicerack/file.h>
#include <spicerack/text.h>

#include "../runtime/fd.h"
#include "../runtime/misuse.h"
#include "remotehow.h"

#define FILE_MAX (64U << 20)
/* The length of a SHA-256 as hexadecimal digits. */
#define SUM_LENGTH 64

/* The size in version 1.0, which stays when the structure grows. */
#define FILE_1_0 SIZE_UP_TO(struct spk_remote_file, how)

/*
 * Takes standard input, whose sum is $1, to $4, with mode $2 and owner $3. Like all that goes to
 * the shell of a user it has no newline and no exclamation mark. The words before it are for the
 * operator, who is shown the beginning and the end of a command.
 */
static const char push_script[] =
	"set -e; umask 077; t=$(mktemp -- \"$4.XXXXXXXXXX\"); trap 'rm -f -- \"$t\"' EXIT; "
	"trap 'exit 1' HUP INT TERM; cat >\"$t\"; s=$(sha256sum <\"$t\"); "
	"case ${s%% *} in \"$1\") ;; *) echo \"what came has another SHA-256 than what was sent\" "
	">&2; "
	"exit 1;; esac; case $3 in '') ;; *) chown -- \"$3\" \"$t\";; esac; chmod -- \"$2\" "
	"\"$t\"; "
	"sync -- \"$t\"; mv -fT -- \"$t\" \"$4\"";

/* Writes a copy of $1 to standard output, and its sum to standard error. */
static const char fetch_script[] =
	"set -e; t=$(mktemp); trap 'rm -f -- \"$t\"' EXIT; trap 'exit 1' HUP INT TERM; "
	"cat -- \"$1\" >\"$t\"; sha256sum <\"$t\" >&2; cat <\"$t\"";

/* ---- local files ---- */

SPK_NORETURN static void fail(struct spk *spk, const char *verb, const char *path)
{
	spk_raise(spk, "remote.files", NULL, "cannot %s '%s': %s", verb, path,
		  strerrordesc_np(errno));
}

/* The sum of a local file, by the program that the hosts have, too. */
static const char *sum_of(struct spk *spk, const char *path)
{
	const struct spk_result *result =
		spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("sha256sum", "--zero", "--", path),
						  .timeout = SPK_FOREVER));

	return spk_format(spk, "%.*s", SUM_LENGTH, result->out);
}

/* All of it, in memory of the run. */
static char *read_file(struct spk *spk, const char *path, struct stat *st, size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *bytes = NULL;
	size_t done = 0;
	ssize_t got = 1;
	int why = 0;

	if (fd < 0 || fstat(fd, st) < 0)
		why = errno;
	else if (!S_ISREG(st->st_mode))
		why = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
	else if (st->st_size > FILE_MAX)
		why = EFBIG;
	/* It may have been cut or have grown by now: then the sums differ. */
	if (!why)
		bytes = spk_alloc(spk, (size_t)st->st_size + 1);
	while (!why && done < (size_t)st->st_size && got) {
		got = read(fd, bytes + done, (size_t)st->st_size - done);
		if (got < 0 && errno != EINTR)
			why = errno;
		done += got > 0 ? (size_t)got : 0;
	}
	fd_close(&fd);
	errno = why;
	if (why)
		fail(spk, "read", path);
	*ret_length = done;
	return bytes;
}

/* ---- to hosts ---- */

const struct spk_remote_results *spk_remote_push(const struct spk_remote *remote, const char *local,
						 const char *path,
						 const struct spk_remote_file *given)
{
	struct spk_remote_file file = {.size = sizeof(file)};
	struct spk *spk = remote_spk(remote);
	struct spk_remote_options how;
	struct stat st;

	CHECK_NOT_EMPTY(local);
	CHECK_NOT_EMPTY(path);
	if (given)
		adopt_structure(__func__, "file", "SPK_REMOTE_FILE", given, &file, sizeof(file),
				FILE_1_0);
	how = remote_how(__func__, file.how);
	how.input = read_file(spk, local, &st, &how.input_length);
	if (how.input_length == 0)
		how.input = NULL;
	how.command = spk_shell_format(
		spk, ": pushing a file; /bin/sh -c %s spicerack-push %s %s %s %s", push_script,
		sum_of(spk, local),
		spk_format(spk, "%04o", (file.mode ? file.mode : st.st_mode) & 07777U),
		file.owner ? file.owner : "", path);
	return spk_remote_run_all(remote, &how);
}

/* ---- from hosts ---- */

struct fetching {
	const struct spk_remote *remote;
	const char *directory, *incoming; /* the latter is within, and goes away */
	const char *command;
	const struct spk_remote_results *results;
	spk_strings damaged;
};

static const char *came_as(struct spk *spk, const struct fetching *fetching, const char *host,
			   const char *suffix)
{
	return spk_format(spk, "%s/%s.%s", fetching->incoming, host, suffix);
}

static void take(struct spk *spk, struct fetching *fetching, const struct spk_remote_result *result)
{
	const char *came = came_as(spk, fetching, result->host, "out");
	const char *place = spk_path_join(spk, fetching->directory, result->host);

	if (result->end != SPK_REMOTE_OK)
		return;
	if (strncmp(sum_of(spk, came), result->err, SUM_LENGTH) != 0)
		spk_append(spk, &fetching->damaged, result->host);
	else if (rename(came, place) < 0)
		fail(spk, "write", place);
}

static void fetch(struct spk *spk, void *argument)
{
	struct fetching *fetching = argument;
	size_t count;

	fetching->results = spk_remote_run_all(
		fetching->remote,
		SPK_REMOTE(fetching->command, .output_directory = fetching->incoming,
			   .output_limit = 4096, .threshold = SPK_PERCENT(0), .no_output = true));
	count = spk_remote_results_count(fetching->results);
	for (size_t i = 0; i < count; i++)
		take(spk, fetching, spk_remote_results_at(fetching->results, i));
}

/* What is left of it is of no use to anybody. */
static void clear(struct spk *spk, const struct fetching *fetching)
{
	struct spk_hosts_walk *walk = spk_hosts_walk(spk_remote_hosts(fetching->remote));
	const char *host;

	while ((host = spk_hosts_next(walk))) {
		unlink(came_as(spk, fetching, host, "out"));
		unlink(came_as(spk, fetching, host, "err"));
	}
	rmdir(fetching->incoming);
}

static void judge(struct spk *spk, const struct fetching *fetching)
{
	const struct spk_hosts *failed = spk_remote_failed(fetching->results);
	const struct spk_remote_result *first;

	if (fetching->damaged.count)
		spk_raise_with(spk, "remote.execution", NULL, fetching->results,
			       "what came has another SHA-256 than what was sent: %.400s",
			       spk_join(spk, ",", fetching->damaged));
	if (spk_hosts_count(failed) == 0)
		return;
	first = spk_remote_results_of(fetching->results, spk_hosts_next(spk_hosts_walk(failed)), 0);
	spk_raise_with(spk, "remote.execution", NULL, fetching->results,
		       "the file could not be fetched from %zu of %zu hosts, %.400s; from %s: %s",
		       spk_hosts_count(failed), spk_remote_count(fetching->remote),
		       spk_hosts_fold(failed), first->host, first->reason);
}

const struct spk_remote_results *spk_remote_fetch(const struct spk_remote *remote, const char *path,
						  const char *directory)
{
	struct spk *spk = remote_spk(remote);
	struct fetching fetching = {.remote = remote, .directory = directory};
	const struct spk_error *error;

	CHECK_NOT_EMPTY(path);
	CHECK_NOT_EMPTY(directory);
	fetching.incoming = spk_format(spk, "%s/.incoming-%d", directory, (int)getpid());
	fetching.command = spk_shell_format(
		spk, ": fetching files; /bin/sh -c %s spicerack-fetch %s", fetch_script, path);
	if (!spk_dry_run(spk) && mkdir(directory, 0777) < 0 && errno != EEXIST)
		fail(spk, "make the directory", directory);
	if (!spk_try(spk, fetch, &fetching, &error)) {
		clear(spk, &fetching);
		spk_raise_again(spk, error);
	}
	if (spk_dry_run(spk))
		return fetching.results;
	clear(spk, &fetching);
	judge(spk, &fetching);
	return fetching.results;
}
