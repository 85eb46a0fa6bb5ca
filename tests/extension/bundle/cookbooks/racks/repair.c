/* racks.repair: a machine is looked after while the register says so. */
#include <example/racks.h>
#include <spicerack/cookbook.h>

struct repair {
	const char *host;
	spk_duration takes;
	struct racks *racks;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct repair, host, .help = "which machine"),
	SPK_OPTION(struct repair, takes, SPK_DEFAULT(SPK_MINUTES(5)),
		   .help = "how long its self-test takes (default: %(default)s)"),
};

static void prepare(struct spk *spk, void *self)
{
	struct repair *repair = self;

	repair->racks = racks(spk);
	if (spk_streq(racks_state(repair->racks, repair->host), "retired"))
		spk_done(spk, "'%s' is retired", repair->host);
}

static int run(struct spk *spk, void *self)
{
	const struct repair *repair = self;

	SPK_SCOPED(racks_state_scope(repair->racks, repair->host, "repair"));
	spk_info(spk, "testing '%s'", repair->host);
	spk_sleep(spk, repair->takes);
	return 0;
}

SPK_COOKBOOK(.title = "Look after a machine", SPK_ARGS(struct repair, args), .prepare = prepare,
	     .run = run);
