/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords from a file of their own: a line `name = value` each, the value in quotes or not, `#`
 * begins a comment. Others must be able neither to read the file nor to write to it.
 */
#ifndef SPICERACK_NET_CREDENTIALS_H
#define SPICERACK_NET_CREDENTIALS_H

#include <spicerack/plugin.h>

#define CREDENTIAL_SIZE 512

/* A name that is known, and its value; "": not given. */
struct credential {
	const char *name;
	char value[CREDENTIAL_SIZE];
};

/*
 * Fills in the values, which are printable. -1 and a reason that names the file, and the line where
 * that is of use, and never a value; all are wiped then.
 */
int credentials_read(const char *path, struct credential *known, size_t count,
		     struct spk_reason_buffer *reason);

void credentials_wipe(struct credential *known, size_t count);

#endif
