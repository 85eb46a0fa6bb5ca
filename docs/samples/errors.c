/* samples.errors: raise, catch, try again, and undo in any case. */
#include <spicerack/cookbook.h>

struct drain {
	const char *host;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct drain, host, .help = "host to drain"),
};

/* An undo action: `arg` is the cookbook's structure, so it is there after a crash, too. */
static void enable_alerts(struct spk *spk, void *arg)
{
	const struct drain *drain = arg;

	spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("alerts", "enable", drain->host)));
}

static struct spk_scope *alerts_disabled(struct spk *spk, struct drain *drain)
{
	struct spk_scope *scope = spk_scope_open(spk, spk_format(spk, "alerts of %s", drain->host),
						 enable_alerts, drain);

	spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("alerts", "disable", drain->host)));
	return scope;
}

static void is_drained(struct spk *spk, void *arg)
{
	const struct drain *drain = arg;
	const char *left =
		spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("connections", drain->host)))->out;

	if (spk_to_int(spk, left) > 0)
		spk_raise(spk, "drain.busy", NULL, "%s has %s connections", drain->host,
			  spk_trim(spk, left));
}

static int run(struct spk *spk, void *self)
{
	struct drain *drain = self;
	const struct spk_error *error;

	SPK_SCOPED(alerts_disabled(spk, drain)); /* until the end of this block, come what may */
	spk_retry(spk,
		  SPK_RETRY(.tries = 5, .delay = SPK_SECONDS(10), .backoff = SPK_BACKOFF_CONSTANT,
			    .kinds = SPK_LIST("drain.busy"), .message = "Still busy"),
		  is_drained, drain);
	if (!spk_try(spk, is_drained, drain, &error)) {
		if (!spk_error_is(error, "drain"))
			spk_raise_again(spk, error);
		spk_warn(spk, "not empty any more: %s", spk_error_message(error));
		return 1;
	}
	return 0;
}

SPK_COOKBOOK(.title = "Wait until a host is drained", SPK_ARGS(struct drain, args), .run = run);
