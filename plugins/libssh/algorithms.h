/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of algorithms, as ssh_config changes them: with `+`, `-`, `^` and patterns. */
#ifndef SPICERACK_LIBSSH_ALGORITHMS_H
#define SPICERACK_LIBSSH_ALGORITHMS_H

enum algorithms {
	ALGORITHMS_CIPHERS,
	ALGORITHMS_MACS,
	ALGORITHMS_KEX,
	ALGORITHMS_HOST_KEYS,
	ALGORITHMS_PUBLIC_KEYS,
};

/*
 * What the configuration makes of our list; NULL: it says nothing. Names that libssh does not know
 * may be in it. Freed by memory_free().
 */
char *algorithms_list(enum algorithms kind, const char *configured);

#endif
