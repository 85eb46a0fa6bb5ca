/* SPDX-License-Identifier: Apache-2.0 */
/* spicerack.reap: `spicerack remote reap`, ends what a lost run has left on hosts. */
#include <spicerack/cookbook.h>

#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "user.h"

enum { ALL_ENDED = 0, SOME_ARE_LEFT = 2 };

struct reap {
	const char *config_file;
	bool dry_run, verbose, announce, force;

	const char *run, *query, *user;
	bool sudo;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct reap, config_file, .letter = 'c', .metavar = "FILE",
		   .help = "read this configuration file instead of all others"),
	SPK_OPTION(struct reap, dry_run, .letter = 'd',
		   .help = "tell what is there and end nothing"),
	SPK_OPTION(struct reap, verbose, .letter = 'v', .help = "show debug messages"),
	USER_OPTION(struct reap),
	SPK_OPTION(struct reap, sudo, .help = "as root, by sudo: also what runs as other users"),
	SPK_OPTION(struct reap, force, .help = "also when the run still goes on here"),
	SPK_OPTION(struct reap, announce, .help = "announce start and end as those of a cookbook"),
	SPK_POSITIONAL(struct reap, run, .metavar = "RUN",
		       .help = "the id of the run, its beginning or its end; `last` is the newest "
			       "but for reaps"),
	SPK_POSITIONAL(struct reap, query, .metavar = "QUERY", .arity = SPK_ZERO_OR_ONE,
		       .help = "which hosts (default: those that the journal of the run names)"),
};

/*
 * Lists what has the id of the run in its environment, or is the watcher of one of its commands,
 * and with `end` behind the id ends that: by TERM, and three seconds later by KILL. The brackets
 * keep grep from finding itself. It has no newline and no exclamation mark, as csh wants it.
 */
static const char script[] =
	"find_() { p=; for f in $(grep -ls \"SPICERACK_RUN_I[D]=$1\" /proc/[0-9]*/environ; "
	"grep -ls \"[s]picerack-$1\" /proc/[0-9]*/cmdline); do f=${f#/proc/}; f=${f%/*}; "
	"case \" $p \" in *\" $f \"*) ;; *) p=\"$p $f\";; esac; done; }; "
	"find_ \"$1\"; case $2 in list) for i in $p; do "
	"printf '%s %s ' $i \"$(stat -c %U /proc/$i 2>/dev/null)\"; "
	"tr '\\0\\n' '  ' 2>/dev/null </proc/$i/cmdline | cut -c 1-200; echo; done; exit 0;; esac; "
	"for i in $p; do kill -TERM $i 2>/dev/null; done; "
	"for t in 1 2 3; do find_ \"$1\"; case $p in '') exit 0;; esac; sleep 1; done; "
	"for t in 1 2 3; do for i in $p; do kill -KILL $i; done; sleep 1; find_ \"$1\"; "
	"case $p in '') exit 0;; esac; done; echo \"still there:$p\" >&2; exit 1";

static const struct spk_remote_options *command(struct spk *spk, const struct reap *self,
						const char *what)
{
	struct spk_remote_options *how = SPK_NEW(spk, struct spk_remote_options);

	*how = *SPK_REMOTE(
		spk_shell_format(spk, ": spicerack-reap; /bin/sh -c %s spicerack-reap %s %s",
				 script, self->run, what),
		.timeout = SPK_SECONDS(60), .threshold = SPK_PERCENT(0), .user = self->user,
		.sudo = self->sudo, .no_output = true, .no_progress = true);
	return how;
}

static const char *describe(struct spk *spk, const void *argument)
{
	const struct reap *self = argument;

	return spk_format(spk, "what run %s has left", self->run);
}

/* Prints what each host has; the hosts that have something. */
static const struct spk_hosts *tell(struct spk *spk, const struct spk_remote_results *results)
{
	spk_strings found = {0};

	for (size_t i = 0; i < spk_remote_results_count(results); i++) {
		const struct spk_remote_result *result = spk_remote_results_at(results, i);
		spk_strings lines = spk_lines(spk, result->out);
		bool any = false;

		for (size_t k = 0; k < lines.count; k++) {
			if (spk_is_empty(lines.items[k]))
				continue;
			printf("%s: ", result->host);
			bytes_put_line(stdout, lines.items[k], strlen(lines.items[k]));
			putchar('\n');
			any = true;
		}
		if (any)
			spk_append(spk, &found, result->host);
	}
	fflush(stdout);
	return spk_hosts_of(spk, found);
}

static int run(struct spk *spk, void *argument)
{
	const struct reap *self = argument;
	struct spk_remote *hosts = spk_remote_query(spk, self->query);
	const struct spk_remote_results *results = spk_remote_read_all(hosts,
								       command(spk, self, "list"));
	size_t unknown = spk_hosts_count(spk_remote_failed(results));
	const struct spk_hosts *found = tell(spk, results);
	size_t count = spk_hosts_count(found);

	spk_info(spk, "%zu of %zu host%s %s something of run %s", count, spk_remote_count(hosts),
		 spk_remote_count(hosts) == 1 ? "" : "s", count == 1 ? "has" : "have", self->run);
	if (unknown)
		spk_error(spk, "of %zu host%s it is not known: %.1000s", unknown,
			  unknown == 1 ? "" : "s", spk_hosts_fold(spk_remote_failed(results)));
	if (count) {
		results = spk_remote_run_all(spk_remote_subset(hosts, found),
					     command(spk, self, "end"));
		unknown += spk_hosts_count(spk_remote_failed(results));
	}
	return unknown ? SOME_ARE_LEFT : ALL_ENDED;
}

SPK_COOKBOOK(.title = "End what a lost run has left on hosts",
	     .description = "Tells each process, its user and its command, then ends them.\n"
			    "Exits with 0 when nothing is left, 2 when something is, or may be, on "
			    "a host,\n"
			    "94 when nothing was looked at; else as cookbook(1) does.",
	     SPK_ARGS(struct reap, args), .describe = describe, .run = run);
