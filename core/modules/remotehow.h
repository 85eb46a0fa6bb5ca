/* SPDX-License-Identifier: Apache-2.0 */
/* Options of an execution that somebody else adds the command to. */
#ifndef SPICERACK_MODULES_REMOTEHOW_H
#define SPICERACK_MODULES_REMOTEHOW_H

#include <spicerack/remote.h>

#include "../runtime/misuse.h"

/* The size in version 1.0, which stays when the structure grows. */
#define REMOTE_OPTIONS_1_0 SIZE_UP_TO(struct spk_remote_options, reserved)

/* A copy of `given`, which may be NULL, for `function`; one with a command is misuse. */
static inline struct spk_remote_options remote_how(const char *function,
						   const struct spk_remote_options *given)
{
	struct spk_remote_options how = {.size = sizeof(how)};

	if (!given)
		return how;
	adopt_structure(function, "how", "SPK_REMOTE", given, &how, sizeof(how),
			REMOTE_OPTIONS_1_0);
	if (how.command || how.commands.count)
		session_misuse(function, "the command of 'how' is its own: SPK_REMOTE(NULL, ...)");
	how.size = sizeof(how);
	return how;
}

/*
 * The commands of `how` become `systemctl VERB` of each unit, with its timeout and exit codes. No
 * unit is misuse.
 */
void remote_set_unit_commands(const char *function, struct spk *spk, const char *verb,
			      spk_strings units, struct spk_remote_options *how);

/* What the hosts belong to. */
struct spk *remote_spk(const struct spk_remote *remote);

#endif
