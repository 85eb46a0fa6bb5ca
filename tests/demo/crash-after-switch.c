/* SPDX-License-Identifier: Apache-2.0 */
/* The sample deploy.switch-release with a bug: it follows a null pointer where it checks the
 * health. */
#include <spicerack/cookbook.h>

static const struct spk_result *crash(void)
{
	const struct spk_result *volatile nothing = NULL;

	return nothing->exit_code ? nothing : NULL;
}

#define spk_command_run(spk, command) ((void)(command), crash())

#include "../../cookbooks/deploy/switch-release.c"
