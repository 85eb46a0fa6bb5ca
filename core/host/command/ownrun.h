/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cookbooks of the host's own, which lie beside the trees and are in none of them: a subcommand of
 * `spicerack` that acts on other hosts is a run of one, with all that comes with a run.
 */
#ifndef SPICERACK_HOST_OWNRUN_H
#define SPICERACK_HOST_OWNRUN_H

#include "../argument/argparse.h"
#include "../tree/find.h"

/* All is well but that standard output took no more of what was printed. */
#define OWNRUN_OUTPUT_LOST 3

struct ownrun {
	const char *program; /* what the operator has typed: "spicerack run" */
	struct tree_found found;
	struct parsed parsed;
};

/*
 * Finds the cookbook and parses its words, among which are those for the host: config_file,
 * dry_run, verbose, announce. True when it is to be run; otherwise all was said, and *code is how
 * it ended. To be closed by ownrun_close() in any case.
 */
bool ownrun_open(struct ownrun *run, const char *program, const char *cookbook, int argc,
		 char *const *argv, int *code);

/* What was given for an argument: its last text, or NULL; and whether it was. */
const char *ownrun_text(const struct ownrun *run, const char *name);
bool ownrun_is_given(const struct ownrun *run, const char *name);

/*
 * Runs it with these words. Returns its exit code, where EXIT_STARTUP and EXIT_USAGE are the
 * cookbook's: when nothing was run for want of a configuration, it is EXIT_INIT_FAILED. A success
 * that could not be printed is OWNRUN_OUTPUT_LOST.
 */
int ownrun_run(const struct ownrun *run, int argc, char *const *argv);
void ownrun_close(struct ownrun *run);

/* Says what is wrong, made printable, on stderr. Returns EXIT_INIT_FAILED: nothing was run. */
int ownrun_complain(const char *program, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

#endif
