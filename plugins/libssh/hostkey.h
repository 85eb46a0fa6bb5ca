/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a host is who it should be. */
#ifndef SPICERACK_LIBSSH_HOSTKEY_H
#define SPICERACK_LIBSSH_HOSTKEY_H

#include <libssh/libssh.h>

#include "knownhosts.h"
#include "target.h"

/*
 * The algorithms for keys of the host in the order of preference, those of the keys that are known
 * first, for SSH_OPTIONS_HOSTKEYS; freed by memory_free(). NULL with the end.
 */
char *hostkey_algorithms(const struct target *target, struct knownhosts *known, struct end *end);

/* -1 with the end HOST_KEY; `unchecked`: only a revoked one is refused. */
int hostkey_check(const struct target *target, struct knownhosts *known, ssh_key key,
		  bool unchecked, struct end *end);

#endif
