/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text in libconfig's syntax, read with suspicion. What libconfig would do to us is refused before
 * it sees the text: `@include` (it opens a FIFO and waits, and exits the process for a directory),
 * a comment without an end (it drops the rest silently) and integers that it would cut to 32 bits.
 */
#ifndef SPICERACK_CORE_CONFIGTEXT_H
#define SPICERACK_CORE_CONFIGTEXT_H

#include <libconfig.h>

#include "err.h"

#define CONFIGTEXT_LIMIT (1024 * 1024)

/*
 * Parses `text`. `path` is only named in the reason, `PATH:LINE: MESSAGE`. On success `config` is
 * the caller's, for config_destroy(); on failure there is nothing to destroy.
 */
MUST_CHECK int configtext_parse(const char *path, const char *text, config_t *ret_config,
				struct err *err);

/*
 * Reads and parses a file: trusted with all that leads to it, regular, at most CONFIGTEXT_LIMIT
 * bytes. errno is ENOENT after a failure when, and only when, there is no such file.
 */
MUST_CHECK int configtext_read(const char *path, config_t *ret_config, struct err *err);

#endif
