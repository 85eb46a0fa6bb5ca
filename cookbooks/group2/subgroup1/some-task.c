/* SPDX-License-Identifier: Apache-2.0 */
/* group2.subgroup1.some-task: run a local command, its output to standard output. */
#include <stdio.h>

#include <spicerack/cookbook.h>

struct task {
	spk_strings command;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct task, command, .arity = SPK_ZERO_OR_MORE,
		       SPK_DEFAULT_LIST("uname", "-sr"), .help = "the command to run"),
};

static int run(struct spk *spk, void *self)
{
	const struct task *task = self;
	const struct spk_result *result = spk_command_read(spk, SPK_COMMAND(task->command));

	fwrite(result->out, 1, result->out_length, stdout);
	return 0;
}

SPK_COOKBOOK(.title = "Run a command that only reads", SPK_ARGS(struct task, args), .run = run);
