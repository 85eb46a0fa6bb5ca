/* SPDX-License-Identifier: Apache-2.0 */
/* The usage of a parser, wrapped as argparse wraps it. Inside of argparse.h. */
#ifndef SPICERACK_HOST_ARGUSAGE_H
#define SPICERACK_HOST_ARGUSAGE_H

#include "argaction.h"

/* `prefix`, the program and its arguments, without a newline at the end. */
void argusage_format(const struct parser *parser, const char *prefix, bool positionals_only,
		     struct buf *out);

#endif
