/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs this process, and where: for logs, locks and announcements. */
#ifndef SPICERACK_HOST_IDENTITY_H
#define SPICERACK_HOST_IDENTITY_H

#include <stdint.h>
#include <sys/types.h>

#define IDENTITY_NAME_SIZE 65

struct identity {
	/* SUDO_USER unless it is root, else USER, else the name of the uid, else "-". */
	char user[IDENTITY_NAME_SIZE];
	char host[IDENTITY_NAME_SIZE];           /* as the system has it, or "-" */
	char owner[2 * IDENTITY_NAME_SIZE + 24]; /* "user@host [pid]" */
	uid_t uid;                               /* effective */
	int64_t login_uid; /* who logged in, which neither sudo nor su changes; -1: nobody */
	pid_t pid;
};

/* Fills it for this process. Cannot fail: what is not known, or not a name, is "-" or -1. */
void identity_fill(struct identity *identity);

#endif
