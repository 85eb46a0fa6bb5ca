/* SPDX-License-Identifier: Apache-2.0 */
/* The option that says who logs in on the hosts. */
#ifndef SPICERACK_COOKBOOKS_USER_H
#define SPICERACK_COOKBOOKS_USER_H

#include <spicerack/cookbook.h>

/* Names as .user of SPK_REMOTE() has them. */
#define USER_OPTION(T)                                                                             \
	SPK_OPTION(T, user, .letter = 'u',                                                         \
		   .pattern = "[A-Za-z0-9._+@\\\\][A-Za-z0-9._+@\\\\-]{0,254}", .metavar = "USER", \
		   .help = "log in as this user (default: as configured for each host)")

#endif
