/* samples.configured: read CONFIG_DIR/mirrors/config.cfg, and work on text. */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	const struct spk_config *config = spk_module_config(spk, "mirrors");
	spk_strings names = spk_config_names(config, "mirrors");
	struct spk_set *domains = spk_set_new(spk);

	for (size_t i = 0; i < names.count; i++) {
		const char *path = spk_format(spk, "mirrors.%s.host", names.items[i]);
		const char *host = spk_config_get_text(config, path);
		const char *domain = spk_after(spk, host, ".");

		if (domain)
			spk_set_add(domains, domain);
	}
	spk_info(spk, "%zu mirrors in %s", names.count,
		 spk_join(spk, " and ", spk_set_members(domains)));
	return 0;
}

SPK_COOKBOOK(.title = "Tell where the mirrors are", .run = run);
