/* SPDX-License-Identifier: Apache-2.0 */
/* samples.new-kernel: install a package and its settings, then reboot host by host. */
#include <spicerack/cookbook.h>

struct new_kernel {
	const char *query, *package, *settings;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct new_kernel, query, .help = "hosts, such as 'D{web[1-9]}'"),
	SPK_POSITIONAL(struct new_kernel, package, .help = "what is to be installed"),
	SPK_POSITIONAL(struct new_kernel, settings, .help = "a file for /etc/sysctl.d"),
};

static int run(struct spk *spk, void *self)
{
	const struct new_kernel *wanted = self;
	struct spk_remote *hosts = spk_remote_with_sudo(spk_remote_query(spk, wanted->query));
	spk_remote_list each = spk_remote_split(hosts, spk_remote_count(hosts));

	spk_apt_get_update(hosts, NULL);
	spk_apt_get_install(hosts, SPK_STRINGS(wanted->package),
			    SPK_REMOTE(NULL, .batch = SPK_PERCENT(20)));
	spk_remote_push(hosts, wanted->settings, "/etc/sysctl.d/60-local.conf",
			SPK_REMOTE_FILE(.mode = 0644, .owner = "root:root"));
	for (size_t i = 0; i < each.count; i++) {
		spk_time since = spk_now();

		spk_remote_reboot(each.items[i], NULL);
		/* Not up again in some 40 minutes: it raises, and the others stay as they are. */
		spk_remote_wait_reboot_since(each.items[i], since);
	}
	return 0;
}

SPK_COOKBOOK(.title = "Bring a new kernel to hosts", SPK_ARGS(struct new_kernel, args), .run = run);
