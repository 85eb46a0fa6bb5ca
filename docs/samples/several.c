/* samples.several: two cookbooks in one file. */
#include <spicerack/cookbook.h>

static int start(struct spk *spk, void *self)
{
	spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("systemctl", "start", "mirror.service")));
	return 0;
}

static int stop(struct spk *spk, void *self)
{
	spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("systemctl", "stop", "mirror.service")));
	return 0;
}

SPK_COOKBOOK_NAMED(Start, .title = "Start the mirror", .run = start);
SPK_COOKBOOK_NAMED(Stop, .title = "Stop the mirror", .run = stop);
