/* samples.announce: say in the channel and in the SAL what is being done. */
#include <spicerack/cookbook.h>

struct maintenance {
	const char *rack;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct maintenance, rack, .help = "the rack to be worked at"),
};

static int run(struct spk *spk, void *self)
{
	const struct maintenance *maintenance = self;

	spk_irc_log(spk, "somebody is about to pull cables in %s", maintenance->rack);
	spk_sal_log(spk, "maintenance of rack %s begins", maintenance->rack);
	return 0;
}

SPK_COOKBOOK(.title = "Announce a maintenance", SPK_ARGS(struct maintenance, args), .run = run);
