/* SPDX-License-Identifier: Apache-2.0 */
/* A run of a cookbook, from its command line to its exit code. */
#ifndef SPICERACK_HOST_RUN_H
#define SPICERACK_HOST_RUN_H

#include "../question/answers.h"
#include "../argument/argparse.h"
#include "../tree/find.h"
#include "detachment.h"
#include "identity.h"
#include "../setting/settings.h"

/* What the operator asked of the host, for every cookbook of this invocation. */
struct run_options {
	const struct settings *settings;
	const struct identity *identity;
	bool dry_run, verbose, no_locks, in_process;
	bool json;               /* events on standard output */
	struct answers *answers; /* to questions; NULL: none */
	spk_duration timeout;    /* of each run stage; 0: what the cookbook says */
	const char *log_name;    /* whose log files; NULL: those of the cookbook */
	const char
		*program; /* what its words follow, for its help; NULL: `cookbook` and its name */
	bool unannounced; /* no texts of this run for IRC and the SAL; events are sent */
	struct detachment *detachment; /* that is due when the run goes on by itself; NULL: none */
};

/* What the exit code does not tell of the end of a run. */
struct run_end {
	bool explained;   /* nothing was run: its help was shown, or what is wrong with the words */
	bool begun;       /* its run stage: the exit code may be the cookbook's own */
	bool terminated;  /* there was a signal that ends more than this run: SIGTERM, SIGHUP ... */
	bool output_lost; /* what it prints could not be written, and somebody may have wanted it */
};

/*
 * What the parser of a cookbook's words asks this host for: lists of the configuration and
 * patterns. The rest is the caller's to fill in. Keeps `settings`; NULL where no list is asked for.
 */
struct argparse_context run_parser_context(const struct settings *settings);

/*
 * Parses the words behind the cookbook's name and runs it, in the order of the
 * manual: arguments, prepare, describe, lock, START, run, rollback if need be, END. Prints
 * what the operator must see; returns the exit code (outcome.h). `ret_end` may be NULL.
 */
int run_cookbook(const struct run_options *options, const struct tree_found *cookbook, int argc,
		 char *const *argv, struct run_end *ret_end);

#endif
