/* SPDX-License-Identifier: Apache-2.0 */
/* Services pooled in datacenters: what is kept of them, by confctl. discoverycheck.c asks servers.
 */
#include "discovery.h"

#include "../runtime/copy.h"

#define ENTITY "discovery"
#define TAG "dnsdisc"
/* Between the look at what is pooled and the depooling nobody else depools. */
#define LOCK "spicerack.discovery"
#define LOCK_PATIENCE SPK_MINUTES(1)

/* What a dry run would have done. */
struct discovery_plan {
	struct discovery_plan *next;
	const char *record, *datacenter;
	bool pooled;
};

struct spk_discovery *spk_discovery_of(struct spk *spk, spk_strings records)
{
	struct spk_discovery *discovery;
	const char **copies;

	CHECK_SPK(spk);
	CHECK_LIST(records);
	if (records.count == 0)
		session_misuse(__func__, "there is no record");
	copies = spk_alloc(spk, records.count * sizeof(*copies));
	for (size_t i = 0; i < records.count; i++) {
		if (!*records.items[i])
			session_misuse(__func__, "record %zu has an empty name", i);
		copies[i] = copy_text(spk, records.items[i]);
	}
	discovery = SPK_NEW(spk, struct spk_discovery);
	discovery->spk = spk;
	discovery->records = (spk_strings){copies, records.count};
	discovery->confctl = spk_confctl(spk, ENTITY);
	discovery->magic = DISCOVERY_MAGIC;
	return discovery;
}

struct spk_discovery *spk_discovery(struct spk *spk, const char *record)
{
	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(record);
	return spk_discovery_of(spk, SPK_STRINGS(record));
}

spk_strings spk_discovery_records(const struct spk_discovery *discovery)
{
	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	return discovery->records;
}

const char *discovery_own_record(const struct spk_discovery *discovery, const char *record)
{
	for (size_t i = 0; i < discovery->records.count; i++)
		if (spk_streq(discovery->records.items[i], record))
			return discovery->records.items[i];
	spk_raise(discovery->spk, "discovery.missing", NULL, "there is no record '%s' among %s",
		  record, spk_join(discovery->spk, ", ", discovery->records));
}

/* ---- reading ---- */

/* The objects of records; a record without any is an error. */
static spk_confctl_objects objects_of(const struct spk_discovery *discovery, spk_strings records)
{
	struct spk *spk = discovery->spk;
	const char *pattern = spk_confctl_names(spk, records);
	spk_confctl_objects objects = spk_confctl_find(discovery->confctl,
						       SPK_CONF_TAGS({TAG, pattern}));

	for (size_t i = 0; i < records.count; i++) {
		bool found = false;

		for (size_t k = 0; k < objects.count && !found; k++)
			found = spk_streq(spk_confctl_tag(objects.items[k], TAG), records.items[i]);
		if (!found)
			spk_raise(spk, "discovery.missing", NULL,
				  "there is no discovery record '%s'", records.items[i]);
	}
	return objects;
}

/* Those of all records in one datacenter, which each of them must have. */
static spk_confctl_objects objects_in(const struct spk_discovery *discovery, const char *datacenter)
{
	spk_confctl_objects objects = objects_of(discovery, discovery->records);
	struct spk *spk = discovery->spk;
	const struct spk_confctl_object **chosen = spk_alloc(spk, objects.count * sizeof(*chosen));
	size_t count = 0;

	for (size_t r = 0; r < discovery->records.count; r++) {
		const char *record = discovery->records.items[r];
		size_t before = count;

		for (size_t i = 0; i < objects.count; i++)
			if (spk_streq(spk_confctl_tag(objects.items[i], TAG), record) &&
			    spk_streq(spk_confctl_name(objects.items[i]), datacenter))
				chosen[count++] = objects.items[i];
		if (count == before)
			spk_raise(spk, "discovery.missing", NULL,
				  "the discovery record '%s' has no datacenter '%s'", record,
				  datacenter);
	}
	return (spk_confctl_objects){chosen, count};
}

static bool is_pooled(const struct spk_confctl_object *object)
{
	return spk_confctl_bool(object, "pooled");
}

static spk_strings names_of(struct spk_discovery *discovery, const char *record, bool all)
{
	struct spk *spk = discovery->spk;
	spk_confctl_objects objects = objects_of(discovery, SPK_STRINGS(record));
	const char **names = spk_alloc(spk, objects.count * sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < objects.count; i++)
		if (all || is_pooled(objects.items[i]))
			names[count++] = spk_confctl_name(objects.items[i]);
	return spk_sorted(spk, (spk_strings){names, count});
}

spk_strings spk_discovery_active(struct spk_discovery *discovery, const char *record)
{
	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_GIVEN(record);
	return names_of(discovery, discovery_own_record(discovery, record), false);
}

spk_strings spk_discovery_datacenters(struct spk_discovery *discovery, const char *record)
{
	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_GIVEN(record);
	return names_of(discovery, discovery_own_record(discovery, record), true);
}

bool spk_discovery_pooled(struct spk_discovery *discovery, const char *datacenter)
{
	spk_confctl_objects objects;

	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_NOT_EMPTY(datacenter);
	objects = objects_in(discovery, datacenter);
	for (size_t i = 0; i < objects.count; i++)
		if (!is_pooled(objects.items[i]))
			return false;
	return true;
}

/* ---- writing ---- */

/* What a dry run would have made of it, else what it is. */
static bool will_be_pooled(const struct spk_discovery *discovery,
			   const struct spk_confctl_object *object)
{
	for (const struct discovery_plan *plan = discovery->plans; plan; plan = plan->next)
		if (spk_streq(plan->record, spk_confctl_tag(object, TAG)) &&
		    spk_streq(plan->datacenter, spk_confctl_name(object)))
			return plan->pooled;
	return is_pooled(object);
}

static void remember(struct spk_discovery *discovery, const char *datacenter, bool pooled)
{
	struct spk *spk = discovery->spk;

	for (size_t i = 0; spk_dry_run(spk) && i < discovery->records.count; i++) {
		struct discovery_plan *plan = SPK_NEW(spk, struct discovery_plan);

		plan->record = discovery->records.items[i];
		plan->datacenter = copy_text(spk, datacenter);
		plan->pooled = pooled;
		plan->next = discovery->plans;
		discovery->plans = plan;
	}
}

static void write_pooled(struct spk_discovery *discovery, const char *datacenter, bool pooled)
{
	spk_confctl_objects objects = objects_in(discovery, datacenter);

	spk_confctl_update_objects(discovery->confctl,
				   SPK_CONF_FIELDS({"pooled", SPK_CONF(pooled)}), objects);
	remember(discovery, datacenter, pooled);
}

void spk_discovery_check_depoolable(struct spk_discovery *discovery, const char *datacenter)
{
	spk_confctl_objects objects;
	struct spk *spk;
	const char *last = "";

	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_NOT_EMPTY(datacenter);
	spk = discovery->spk;
	objects = objects_of(discovery, discovery->records);
	for (size_t r = 0; r < discovery->records.count; r++) {
		const char *record = discovery->records.items[r];
		bool here = false, elsewhere = false;

		for (size_t i = 0; i < objects.count; i++) {
			if (!spk_streq(spk_confctl_tag(objects.items[i], TAG), record) ||
			    !will_be_pooled(discovery, objects.items[i]))
				continue;
			if (spk_streq(spk_confctl_name(objects.items[i]), datacenter))
				here = true;
			else
				elsewhere = true;
		}
		if (here && !elsewhere)
			last = spk_format(spk, "%s%s'%s'", last, *last ? ", " : "", record);
	}
	if (*last)
		spk_raise(spk, "discovery.last", NULL,
			  "cannot depool %s: no other datacenter is pooled for %s", datacenter,
			  last);
}

void spk_discovery_pool(struct spk_discovery *discovery, const char *datacenter)
{
	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_NOT_EMPTY(datacenter);
	write_pooled(discovery, datacenter, true);
}

void spk_discovery_depool(struct spk_discovery *discovery, const char *datacenter)
{
	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_NOT_EMPTY(datacenter);
	{
		SPK_SCOPED(spk_lock_acquired(
			discovery->spk, LOCK,
			SPK_LOCK(.module = true, .ttl = LOCK_PATIENCE, .wait = LOCK_PATIENCE)));
		spk_discovery_check_depoolable(discovery, datacenter);
		write_pooled(discovery, datacenter, false);
	}
}

void spk_discovery_set_pooled(struct spk_discovery *discovery, const char *datacenter, bool pooled)
{
	if (pooled)
		spk_discovery_pool(discovery, datacenter);
	else
		spk_discovery_depool(discovery, datacenter);
}

/* What is pooled again at the end of a scope; NULL: nothing was. */
struct depooled {
	struct spk_discovery *discovery;
	const char *datacenter;
};

static void pool_again(struct spk *spk, void *argument)
{
	const struct depooled *depooled = argument;

	if (depooled->discovery)
		spk_discovery_pool(depooled->discovery, depooled->datacenter);
}

struct spk_scope *spk_discovery_depooled(struct spk_discovery *discovery, const char *datacenter)
{
	spk_confctl_objects objects;
	struct depooled *depooled;
	struct spk_scope *scope;
	const char **records;
	size_t count = 0;
	struct spk *spk;

	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_NOT_EMPTY(datacenter);
	spk = discovery->spk;
	objects = objects_in(discovery, datacenter);
	records = spk_alloc(spk, objects.count * sizeof(*records));
	for (size_t i = 0; i < objects.count; i++)
		if (is_pooled(objects.items[i]))
			records[count++] = spk_confctl_tag(objects.items[i], TAG);
	depooled = SPK_NEW(spk, struct depooled);
	depooled->datacenter = copy_text(spk, datacenter);
	if (count)
		depooled->discovery = spk_discovery_of(spk, (spk_strings){records, count});
	scope = spk_scope_open(spk,
			       spk_format(spk, "%s is pooled again in %s",
					  spk_join(spk, ", ", (spk_strings){records, count}),
					  datacenter),
			       pool_again, depooled);
	spk_discovery_depool(discovery, datacenter);
	return scope;
}

void discovery_write_ttl(struct spk_discovery *discovery, long long seconds)
{
	spk_confctl_update_objects(discovery->confctl, SPK_CONF_FIELDS({"ttl", SPK_CONF(seconds)}),
				   objects_of(discovery, discovery->records));
}
