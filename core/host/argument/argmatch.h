/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which words go to which positional. Words are given as a pattern: `A` a word, `O` an
 * option, `-` the first `--`. Inside of argparse.h.
 */
#ifndef SPICERACK_HOST_ARGMATCH_H
#define SPICERACK_HOST_ARGMATCH_H

#include "argaction.h"

/*
 * Serves as many of the actions as the pattern from its start allows, greedily from the
 * left, each as its nargs demand; `counts` gets the length of each. Returns how many.
 */
size_t argmatch(struct action *const *actions, size_t count, const char *pattern, size_t *counts);

#endif
