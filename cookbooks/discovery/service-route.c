/* SPDX-License-Identifier: Apache-2.0 */
/* discovery.service-route: pool or depool a service in a datacenter. */

#include <spicerack/cookbook.h>

struct route {
	const char *service, *datacenter, *action; /* from the command line */
	struct spk_discovery *discovery;
	bool known, was_pooled; /* for rollback */
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct route, service, .help = "discovery record to act on"),
	SPK_POSITIONAL(struct route, datacenter, .choices_from = "sites.core",
		       .help = "where to act"),
	SPK_POSITIONAL(struct route, action, .choices = SPK_LIST("pool", "depool"),
		       .help = "what to do"),
};

/* A service or datacenter that is not there is told before anything begins. */
static void prepare(struct spk *spk, void *self)
{
	struct route *route = self;

	route->discovery = spk_discovery(spk, route->service);
	spk_discovery_pooled(route->discovery, route->datacenter);
}

static const char *describe(struct spk *spk, const void *self)
{
	const struct route *route = self;

	return spk_format(spk, "%s %s in %s", route->action, route->service, route->datacenter);
}

static void lock(struct spk *spk, const void *self, struct spk_lock_args *lock)
{
	const struct route *route = self;

	lock->suffix = route->service;
	lock->concurrency = 1;
}

static int run(struct spk *spk, void *self)
{
	struct route *route = self;

	/* Under the lock: it may have been waited for. */
	route->was_pooled = spk_discovery_pooled(route->discovery, route->datacenter);
	route->known = true;
	spk_discovery_set_pooled(route->discovery, route->datacenter,
				 spk_streq(route->action, "pool"));
	spk_info(spk, "%s is %sed in %s", route->service, route->action, route->datacenter);
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
	struct route *route = self;

	if (route->known)
		spk_discovery_set_pooled(route->discovery, route->datacenter, route->was_pooled);
}

SPK_COOKBOOK(.title = "Pool or depool a service in a datacenter", SPK_ARGS(struct route, args),
	     .prepare = prepare, .describe = describe, .lock = lock, .run = run,
	     .rollback = rollback);
