/* samples.restart: restart a unit of systemd, where it is wanted. */
#include <spicerack/cookbook.h>

struct restart {
	const char *unit;
	bool force;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct restart, unit, .pattern = "[a-z0-9@.-]+\\.service",
		       .help = "the unit, with its ending"),
	SPK_OPTION(struct restart, force, .letter = 'f', .help = "also a unit that is healthy"),
};

static int run(struct spk *spk, void *self)
{
	const struct restart *restart = self;
	const struct spk_result *state = spk_command_read(
		spk, SPK_COMMAND(SPK_STRINGS("systemctl", "is-active", restart->unit),
				 .accepted = SPK_INTS(0, 3, 4)));

	if (state->exit_code == 0 && !restart->force) {
		spk_info(spk, "%s is active, nothing to do", restart->unit);
		return 0;
	}
	spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("systemctl", "restart", restart->unit)));
	spk_info(spk, "%s restarted, it was %s", restart->unit, spk_trim(spk, state->out));
	return 0;
}

SPK_COOKBOOK(.title = "Restart a unit that is down", .owner = "Service Operations",
	     SPK_ARGS(struct restart, args), .run = run);
