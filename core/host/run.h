/* SPDX-License-Identifier: Apache-2.0 */
/* A run of a cookbook, from its command line to its exit code. */
#ifndef SPICERACK_HOST_RUN_H
#define SPICERACK_HOST_RUN_H

#include "find.h"
#include "identity.h"
#include "settings.h"

/* What the operator asked of the host, for every cookbook of this invocation. */
struct run_options {
	const struct settings *settings;
	const struct identity *identity;
	bool dry_run, verbose, no_locks, in_process;
	spk_duration timeout; /* of each run stage; 0: what the cookbook says */
};

/*
 * Parses the words behind the cookbook's name and runs it, in the order of the
 * manual: arguments, prepare, describe, lock, START, run, rollback if need be, END. Prints
 * what the operator must see; returns the exit code (outcome.h).
 */
int run_cookbook(const struct run_options *options, const struct tree_found *cookbook, int argc,
		 char *const *argv);

#endif
