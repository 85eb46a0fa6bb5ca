/* samples.arguments: one argument of each sort. */
#include <spicerack/cookbook.h>

struct options {
	const char *service;    /* a positional */
	spk_strings hosts;      /* several, at least one */
	const char *datacenter; /* one of a few words */
	int batch;              /* a number with bounds */
	spk_duration grace;     /* 90, 20m, 1h30m */
	spk_date not_before;    /* 2026-11-22 */
	spk_path key;           /* `~` is expanded */
	bool wipe_cache;        /* --wipe-cache */
	bool downtime;          /* true unless --no-downtime */
	spk_strings skip;       /* --skip a,b */
	const char *only, *all_but;
	int port; /* read by a parser of our own */
};

static const struct spk_group which = SPK_EXCLUSIVE(0);
static const struct spk_group tuning = SPK_TITLED("tuning");

static void parse_port(struct spk *spk, const char *text, void *out)
{
	long long port = spk_to_int(spk, text);

	if (port < 1 || port > 65535)
		spk_fail(spk, "a port is a number from 1 to 65535");
	*(int *)out = (int)port;
}

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct options, service, .help = "service to act on"),
	SPK_POSITIONAL(struct options, hosts, .arity = SPK_ONE_OR_MORE, .metavar = "HOST",
		       .help = "hosts to act on"),
	SPK_OPTION(struct options, datacenter, SPK_DEFAULT("codfw"),
		   .choices = SPK_LIST("codfw", "eqiad"), .help = "where"),
	SPK_OPTION(struct options, batch, .letter = 'b', SPK_DEFAULT(1), SPK_AT_LEAST(1),
		   SPK_AT_MOST(50), .group = &tuning, .help = "hosts at a time"),
	SPK_OPTION(struct options, grace, SPK_DEFAULT(SPK_MINUTES(2)), .group = &tuning,
		   .help = "time between batches"),
	SPK_OPTION(struct options, not_before, .help = "skip hosts installed earlier"),
	SPK_OPTION(struct options, key, SPK_DEFAULT("~/.ssh/id"), .help = "key to use"),
	SPK_OPTION(struct options, wipe_cache, .help = "start with an empty cache"),
	SPK_OPTION(struct options, downtime, .off = true, .names = SPK_LIST("--no-downtime"),
		   .help = "leave the alerts as they are"),
	SPK_OPTION(struct options, skip, .as = SPK_COMMA_LIST, .help = "steps to leave out"),
	SPK_OPTION(struct options, only, .group = &which, .help = "only this shard"),
	SPK_OPTION(struct options, all_but, .group = &which, .help = "all shards but this"),
	SPK_OPTION_PARSED(struct options, port, parse_port, SPK_DEFAULT("443"),
			  .help = "port to check"),
};

static const struct spk_rule rules[] = {
	SPK_REQUIRES(struct options, wipe_cache, not_before),
};

/* What the tables cannot say. */
static void check(struct spk *spk, void *self)
{
	const struct options *options = self;

	if ((size_t)options->batch > options->hosts.count)
		spk_fail(spk, "a batch of %d is more than the %zu hosts", options->batch,
			 options->hosts.count);
}

static int run(struct spk *spk, void *self)
{
	const struct options *options = self;

	spk_info(spk, "%s on %s", options->service, spk_join(spk, ", ", options->hosts));
	if (spk_given(spk, &options->grace))
		spk_info(spk, "waiting %s in between", spk_duration_text(spk, options->grace));
	return 0;
}

SPK_COOKBOOK(.title = "Show what arguments there are", SPK_ARGS(struct options, args),
	     SPK_RULES(rules), .reason = SPK_ACCEPTED, .check = check, .run = run);
