/* samples.asking: ask the operator, let him decide about failures, show how far it is. */
#include <spicerack/cookbook.h>

struct drain {
	spk_strings hosts;
	const char *rack;
	struct spk_table *report;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct drain, hosts, .arity = SPK_ONE_OR_MORE, .metavar = "HOST",
		       .help = "hosts to drain"),
};

struct step {
	const char *host;
	struct drain *drain;
};

/* Told to the operator when it refuses; he has three tries. */
static void is_rack(struct spk *spk, const char *answer, void *arg)
{
	if (!spk_matches(spk, "^[A-H][1-8]$", answer))
		spk_fail(spk, "a rack is a letter and a digit, as C3");
}

static void drain_host(struct spk *spk, void *arg)
{
	const struct step *step = arg;

	spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("test", "-n", step->host)));
	spk_table_row(step->drain->report, SPK_STRINGS(step->host, step->drain->rack, "drained"));
}

static void prepare(struct spk *spk, void *self)
{
	struct drain *drain = self;

	drain->rack = spk_ask_input(spk, SPK_QUESTION("Which rack do they go to?", .name = "rack",
						      .validate = is_rack));
}

static int run(struct spk *spk, void *self)
{
	struct drain *drain = self;
	struct spk_progress *progress = spk_progress_open(spk, SPK_BAR, "draining",
							  (long long)drain->hosts.count);

	SPK_SCOPED(spk_progress_scope(spk, progress));
	drain->report = spk_table_new(spk, SPK_STRINGS("host", "rack", "state"));
	spk_ask_confirmation(spk, "Drain %zu hosts now?", drain->hosts.count);
	for (size_t i = 0; i < drain->hosts.count; i++) {
		struct step step = {drain->hosts.items[i], drain};

		if (!spk_confirm_on_failure(spk, "drain a host", drain_host, &step))
			spk_table_row(drain->report, SPK_STRINGS(step.host, "", "skipped"));
		spk_progress_step(progress, 1);
	}
	spk_table_print(drain->report);
	return 0;
}

SPK_COOKBOOK(.title = "Drain hosts, with questions", SPK_ARGS(struct drain, args),
	     .prepare = prepare, .run = run);
