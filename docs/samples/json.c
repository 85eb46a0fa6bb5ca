/* samples.json: tell which hosts of an inventory are not active. */
#include <spicerack/cookbook.h>

#include <string.h>

struct inventory {
	const char *json;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct inventory, json, .help = "as the inventory exports it"),
};

static int run(struct spk *spk, void *self)
{
	const struct inventory *inventory = self;
	const struct spk_json *hosts = spk_json_get(
		spk_json_parse(spk, "the inventory", inventory->json, strlen(inventory->json)),
		"hosts");

	for (size_t i = 0; i < spk_json_count(hosts, ""); i++) {
		const struct spk_json *host = spk_json_item(hosts, i);
		const char *status = spk_json_get_text(host, "state.status");

		if (!spk_streq(status, "active"))
			spk_warn(spk, "%s is %s, owned by %s", spk_json_get_text(host, "name"),
				 status, spk_json_find_text(host, "owner", "nobody"));
	}
	return 0;
}

SPK_COOKBOOK(.title = "Look for hosts that are not active", SPK_ARGS(struct inventory, args),
	     .run = run);
