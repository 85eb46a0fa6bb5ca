/* SPDX-License-Identifier: Apache-2.0 */
/* The host's part of the command line of `cookbook`, in front of the name of one. */
#ifndef SPICERACK_HOST_COOKBOOK_WORDS_H
#define SPICERACK_HOST_COOKBOOK_WORDS_H

#include "../peek/spec.h"

enum option {
	LIST,
	CONFIG_FILE,
	DRY_RUN,
	VERBOSE,
	NO_LOCKS,
	TIMEOUT,
	IN_PROCESS,
	YES,
	ANSWERS,
	JSON,
	DETACH,
	VERSION,
	COOKBOOK,
	ARGS,
	OPTION_COUNT
};

/* Its rows are in the order of the enumeration. */
extern const struct cookbook_spec cookbook_words;

/* The number of leading words that are ours: up to the first that is no option. May be one too
 * many, when the last one wants a value that is not there. */
int cookbook_words_count(int argc, char *const *argv);

#endif
