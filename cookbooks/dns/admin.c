/* SPDX-License-Identifier: Apache-2.0 */
/* dns.admin: pool or depool a site in the authoritative DNS, for all services or some. */

#include <spicerack/cookbook.h>

struct admin {
	const char *action, *site; /* from the command line */
	spk_strings services;
	struct spk_confctl *geodns;
	spk_confctl_objects changed; /* for rollback */
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct admin, action, .choices = SPK_LIST("show", "pool", "depool"),
		       .help = "what to do"),
	SPK_POSITIONAL(struct admin, site, .choices_from = "sites.all", .help = "where to act"),
	SPK_POSITIONAL(struct admin, services, .arity = SPK_ZERO_OR_MORE, .metavar = "SERVICE",
		       .help = "these only (default: all that the site serves)"),
};

/* The objects of the services, of one site or, with NULL, of all. */
static spk_conf_tags tags_of(struct spk *spk, const struct admin *admin, const char *site)
{
	struct spk_conf_tag *tags = spk_alloc(spk, 2 * sizeof(*tags));
	size_t count = 0;

	if (admin->services.count)
		tags[count++] = (struct spk_conf_tag){"geodns",
						      spk_confctl_names(spk, admin->services)};
	if (site)
		tags[count++] = (struct spk_conf_tag){"name",
						      spk_confctl_names(spk, SPK_STRINGS(site))};
	return (spk_conf_tags){tags, count};
}

static bool is_pooled(const struct spk_confctl_object *object)
{
	return spk_confctl_bool(object, "pooled");
}

static void prepare(struct spk *spk, void *self)
{
	struct admin *admin = self;

	admin->geodns = spk_confctl(spk, "geodns");
	for (size_t i = 0; i < admin->services.count; i++)
		spk_confctl_get(
			admin->geodns,
			SPK_CONF_TAGS(
				{"geodns",
				 spk_confctl_names(spk, SPK_STRINGS(admin->services.items[i]))},
				{"name", spk_confctl_names(spk, SPK_STRINGS(admin->site))}));
}

static const char *describe(struct spk *spk, const void *self)
{
	const struct admin *admin = self;

	return spk_format(spk, "%s site %s for %s", admin->action, admin->site,
			  admin->services.count ? spk_join(spk, ", ", admin->services)
						: "all services");
}

static void lock(struct spk *spk, const void *self, struct spk_lock_args *lock)
{
	const struct admin *admin = self;

	lock->concurrency = spk_streq(admin->action, "show") ? SPK_UNLIMITED : 1;
}

static int show(struct spk *spk, const struct admin *admin)
{
	spk_confctl_objects objects = spk_confctl_get(admin->geodns,
						      tags_of(spk, admin, admin->site));
	struct spk_table *table = spk_table_new(spk, SPK_STRINGS("SERVICE", "SITE", "POOLED"));

	for (size_t i = 0; i < objects.count; i++)
		spk_table_row(table, SPK_STRINGS(spk_confctl_tag(objects.items[i], "geodns"),
						 spk_confctl_name(objects.items[i]),
						 is_pooled(objects.items[i]) ? "yes" : "no"));
	spk_table_print(table);
	return 0;
}

/* A service must be served from somewhere. */
static void check_others(struct spk *spk, const struct admin *admin, spk_confctl_objects here)
{
	spk_confctl_objects all = spk_confctl_get(admin->geodns, tags_of(spk, admin, NULL));

	for (size_t i = 0; i < here.count; i++) {
		const char *service = spk_confctl_tag(here.items[i], "geodns");
		bool elsewhere = false;

		for (size_t k = 0; k < all.count; k++)
			if (spk_streq(spk_confctl_tag(all.items[k], "geodns"), service) &&
			    !spk_streq(spk_confctl_name(all.items[k]), admin->site) &&
			    is_pooled(all.items[k]))
				elsewhere = true;
		if (!elsewhere)
			spk_fail(spk, "cannot depool %s: no other site is pooled for %s",
				 admin->site, service);
	}
}

static int run(struct spk *spk, void *self)
{
	struct admin *admin = self;
	bool pool = spk_streq(admin->action, "pool");
	spk_confctl_objects objects;

	if (spk_streq(admin->action, "show"))
		return show(spk, admin);
	objects = spk_confctl_filter(admin->geodns, SPK_CONF_FIELDS({"pooled", SPK_CONF(!pool)}),
				     tags_of(spk, admin, admin->site));
	if (!pool)
		check_others(spk, admin, objects);
	admin->changed = objects;
	spk_confctl_update_objects(admin->geodns, SPK_CONF_FIELDS({"pooled", SPK_CONF(pool)}),
				   objects);
	spk_info(spk, "%zu services are %sed in %s now", objects.count, admin->action, admin->site);
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
	struct admin *admin = self;

	spk_confctl_update_objects(
		admin->geodns,
		SPK_CONF_FIELDS({"pooled", SPK_CONF(spk_streq(admin->action, "depool"))}),
		admin->changed);
}

SPK_COOKBOOK(.title = "Pool or depool a site in the authoritative DNS", .reason = SPK_ACCEPTED,
	     .task_id = SPK_ACCEPTED, SPK_ARGS(struct admin, args), .prepare = prepare,
	     .describe = describe, .lock = lock, .run = run, .rollback = rollback);
