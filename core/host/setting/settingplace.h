/* SPDX-License-Identifier: Apache-2.0 */
/* Where files of this user's are. */
#ifndef SPICERACK_HOST_SETTINGPLACE_H
#define SPICERACK_HOST_SETTINGPLACE_H

#include <dirent.h>

#include "setting.h"

/* The home of that environment, or of this user; NULL: unknown. The caller frees it. */
char *place_home(char *const *environment);

/*
 * A path below a directory of the XDG specification, which has a relative one
 * ignored; NULL when there is neither the variable nor a home. The caller frees it.
 */
char *place_xdg(const struct settings_context *context, const char *variable,
		const char *below_home, const char *rest);

/* For scandir(): the same order whatever the locale. */
int place_byte_order(const struct dirent **a, const struct dirent **b);

#endif
