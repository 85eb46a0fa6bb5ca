/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of source for findings, from the debugging information of their files. */
#ifndef SPICERACK_HOST_FINDINGPLACE_H
#define SPICERACK_HOST_FINDINGPLACE_H

#include "finding.h"

/*
 * Fills in symbol, source and line of the findings that have an address or name a function called,
 * by the source driver; without it, or where a file does not tell, they stay as they are.
 */
void findings_find_places(struct findings *findings);

#endif
