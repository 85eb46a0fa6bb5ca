/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs this process, and where: for logs, locks and announcements. */
#ifndef SPICERACK_HOST_IDENTITY_H
#define SPICERACK_HOST_IDENTITY_H

#include <stdint.h>
#include <sys/types.h>

#define IDENTITY_NAME_SIZE 65

struct identity {
	char user[IDENTITY_NAME_SIZE];           /* see identity_user() */
	char host[IDENTITY_NAME_SIZE];           /* as the system has it, or "-" */
	char owner[2 * IDENTITY_NAME_SIZE + 24]; /* "user@host [pid]" */
	char sudo_user[IDENTITY_NAME_SIZE];      /* what the variable says; "": nothing */
	uid_t uid;                               /* effective */
	int64_t login_uid; /* who logged in, which neither sudo nor su changes; -1: nobody */
	pid_t pid;
};

/*
 * The name of who is behind this process: of the login uid where there is one, which nobody can
 * set for himself; else, as root, SUDO_USER unless that is root; else of the real uid;
 * else "-".
 */
const char *identity_user(int64_t login_uid, uid_t effective, uid_t real, const char *sudo_user);

/* Fills it for this process. Cannot fail: what is not known, or not a name, is "-" or -1. */
void identity_fill(struct identity *identity);

#endif
