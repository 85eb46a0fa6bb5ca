/* maintenance.wait: waits for a file, then runs another cookbook: time enough to upgrade packages
 * in between. */
#include <spicerack/cookbook.h>

struct wait {
	spk_path file;
	spk_duration at_most;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct wait, file, .help = "the file to wait for"),
	SPK_OPTION(struct wait, at_most, SPK_DEFAULT(SPK_MINUTES(10)),
		   .help = "for how long (default: %(default)s)"),
};

static const struct spk_call calls[] = {
	SPK_CALL("maintenance.tell", SPK_ANY),
};

static int run(struct spk *spk, void *self)
{
	const struct wait *wait = self;
	const spk_duration step = SPK_MILLISECONDS(100);

	for (int64_t waited = 0; !spk_file_exists(spk, wait->file.text); waited += step.ns) {
		if (waited >= wait->at_most.ns)
			spk_fail(spk, "%s is not there", wait->file.text);
		spk_sleep(spk, step);
	}
	spk_run_cookbook_must(spk, "maintenance.tell", SPK_STRINGS("it is there"));
	return 0;
}

SPK_COOKBOOK(.title = "Wait for a file", SPK_ARGS(struct wait, args), SPK_CALLS(calls), .run = run);
