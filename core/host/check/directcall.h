/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the system that do what the SDK should do: it does not see them. */
#ifndef SPICERACK_HOST_DIRECTCALL_H
#define SPICERACK_HOST_DIRECTCALL_H

#include "finding.h"

/* The kind of finding that a call of the function is; FINDING_NONE for all others. */
enum finding_kind directcall_kind(const char *function);

#endif
