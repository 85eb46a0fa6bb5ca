/* samples.hosts: work through a set of hosts, some at a time. */
#include <spicerack/cookbook.h>

struct hosts {
	const char *expression, *without;
	int at_once;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct hosts, expression, .metavar = "HOSTS", .help = "such as db[1-9]"),
	SPK_OPTION(struct hosts, without, .metavar = "HOSTS", .help = "leave these out"),
	SPK_OPTION(struct hosts, at_once, SPK_DEFAULT(2), SPK_AT_LEAST(1),
		   .help = "how many at a time"),
};

static int run(struct spk *spk, void *self)
{
	const struct hosts *wanted = self;
	const struct spk_hosts *hosts = spk_hosts_parse(spk, wanted->expression);
	size_t size = (size_t)wanted->at_once, count;

	if (wanted->without)
		hosts = spk_hosts_minus(hosts, spk_hosts_parse(spk, wanted->without));
	count = spk_hosts_count(hosts);
	for (size_t first = 0; first < count; first += size) {
		const struct spk_hosts *some = spk_hosts_slice(hosts, first, size);
		spk_strings names = spk_hosts_names(some);

		spk_info(spk, "now %s, of %zu", spk_hosts_fold(some), count);
		for (size_t i = 0; i < names.count; i++)
			spk_debug(spk, "that is %s", names.items[i]);
	}
	return 0;
}

SPK_COOKBOOK(.title = "Work through some hosts", SPK_ARGS(struct hosts, args), .run = run);
