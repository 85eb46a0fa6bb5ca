/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/cluster.h>

#include <string.h>

#include <spicerack/clock.h>
#include <spicerack/error.h>
#include <spicerack/text.h>

#include "../runtime/copy.h"
#include "conf.h"
#include "remotehow.h"
#include "remoteplan.h"
#include "remoterun.h"

#define CLUSTER_MAGIC 0x636c7573U
/* The size in version 1.0, which stays when the structure grows. */
#define OPTIONS_1_0 SIZE_UP_TO(struct spk_cluster_options, reserved)

/* Plain data in memory of the run. */
struct spk_cluster {
	uint32_t magic;
	struct spk_confctl *nodes;
	spk_conf_tags tags; /* but those that a slice sets */
	struct spk_remote *remote;
};

/* ---- the hosts ---- */

static bool is_of_slice(const char *tag)
{
	return spk_streq(tag, "name") || spk_streq(tag, "service");
}

static spk_conf_tags keep_tags(struct spk *spk, spk_conf_tags tags)
{
	struct spk_conf_tag *items = spk_alloc(spk, tags.count * sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < tags.count; i++)
		if (!is_of_slice(tags.items[i].name))
			items[count++] =
				(struct spk_conf_tag){copy_text(spk, tags.items[i].name),
						      copy_text(spk, tags.items[i].pattern)};
	return (spk_conf_tags){items, count};
}

/* A host is there once for each of its services. */
static const struct spk_hosts *hosts_of(struct spk *spk, spk_confctl_objects objects)
{
	spk_strings names = {0};

	for (size_t i = 0; i < objects.count; i++)
		spk_append(spk, &names, spk_confctl_name(objects.items[i]));
	return spk_hosts_of(spk, names);
}

struct spk_cluster *spk_cluster(struct spk_confctl *nodes, spk_conf_tags tags)
{
	struct spk *spk;
	struct spk_cluster *cluster;
	const struct spk_hosts *wanted, *unknown;

	CHECK_HANDLE(nodes, CONFCTL_MAGIC);
	spk = nodes->spk;
	wanted = hosts_of(spk, spk_confctl_get(nodes, tags));
	cluster = SPK_NEW(spk, struct spk_cluster);
	cluster->remote = spk_remote_query(spk, spk_hosts_fold(wanted));
	unknown = spk_hosts_minus(wanted, spk_remote_hosts(cluster->remote));
	if (spk_hosts_count(unknown))
		spk_warn(spk, "left out, for they are in conftool but not in the inventory: %.400s",
			 spk_hosts_fold(unknown));
	cluster->nodes = nodes;
	cluster->tags = keep_tags(spk, tags);
	cluster->magic = CLUSTER_MAGIC;
	return cluster;
}

const struct spk_remote *spk_cluster_hosts(const struct spk_cluster *cluster)
{
	CHECK_HANDLE(cluster, CLUSTER_MAGIC);
	return cluster->remote;
}

/* ---- a slice ---- */

/* How it goes round. */
struct turn {
	const struct spk_cluster *cluster;
	const struct spk_cluster_options *options;
	const struct spk_remote_options *how;
	spk_remote_list slices;
	size_t at; /* which of them */
	const struct spk_remote_results **results;
	size_t failed;                    /* slices */
	const struct spk_hosts *depooled; /* hosts that stay so */
};

static spk_conf_tags tags_of_slice(struct spk *spk, const struct turn *turn)
{
	spk_conf_tags kept = turn->cluster->tags;
	const struct spk_hosts *hosts = spk_remote_hosts(turn->slices.items[turn->at]);
	struct spk_conf_tag *items = spk_alloc(spk, (kept.count + 2) * sizeof(*items));

	if (kept.count)
		memcpy(items, kept.items, kept.count * sizeof(*items));
	items[kept.count] = (struct spk_conf_tag){"service",
						  spk_confctl_names(spk, turn->options->depool)};
	items[kept.count + 1] =
		(struct spk_conf_tag){"name", spk_confctl_names(spk, spk_hosts_names(hosts))};
	return (spk_conf_tags){items, kept.count + 2};
}

/* The scope is closed by whoever is in the middle of it, also by a fresh process after a crash. */
static void take_turn(struct spk *spk, void *argument)
{
	struct turn *turn = argument;
	struct spk_scope *depooled = NULL;

	if (turn->options->depool.count)
		depooled = spk_confctl_changed_how(
			turn->cluster->nodes,
			SPK_CONF_CHANGE(.field = "pooled", .original = SPK_CONF("yes"),
					.changed = SPK_CONF("no"), .tags = tags_of_slice(spk, turn),
					.keep_on_failure = !turn->options->repool_failed));
	turn->results[turn->at] = spk_remote_run_all(turn->slices.items[turn->at], turn->how);
	if (depooled)
		spk_scope_close(depooled);
}

static void note_failure(struct spk *spk, struct turn *turn, const struct spk_error *error)
{
	const struct spk_hosts *hosts = spk_remote_hosts(turn->slices.items[turn->at]);

	turn->results[turn->at] = spk_error_payload(error, "remote.execution");
	if (!turn->results[turn->at])
		spk_raise_again(spk, error);
	turn->failed++;
	if (!turn->options->depool.count || turn->options->repool_failed)
		return;
	turn->depooled = turn->depooled ? spk_hosts_union(turn->depooled, hosts) : hosts;
}

/* ---- all of them ---- */

static SPK_NORETURN void fail(struct spk *spk, const struct turn *turn,
			      const struct spk_remote_results *results)
{
	const struct spk_hosts *failed = spk_remote_failed(results);
	size_t left = spk_hosts_count(spk_remote_not_run(results));
	const char *more = left ? spk_format(spk, "; %zu were not begun", left) : "";

	if (turn->depooled)
		more = spk_format(spk, "%s; %s stays depooled on %.400s", more,
				  spk_join(spk, ", ", turn->options->depool),
				  spk_hosts_fold(turn->depooled));
	spk_raise_with(spk, "remote.execution", NULL, results, "%zu of %zu hosts failed: %.400s%s",
		       spk_hosts_count(failed), spk_remote_count(turn->cluster->remote),
		       spk_hosts_fold(failed), more);
}

static void go_round(struct spk *spk, struct turn *turn, spk_duration sleep)
{
	size_t count = turn->slices.count;

	for (turn->at = 0; turn->at < count; turn->at++) {
		const struct spk_error *error;

		if (turn->at && sleep.ns && !spk_dry_run(spk))
			spk_sleep(spk, sleep);
		spk_info(spk, "slice %zu of %zu: %.400s", turn->at + 1, count,
			 spk_hosts_fold(spk_remote_hosts(turn->slices.items[turn->at])));
		if (!spk_try(spk, take_turn, turn, &error))
			note_failure(spk, turn, error);
		if (turn->failed > turn->options->max_failed)
			return;
	}
}

/* `how` without a command has been given one. */
static const struct spk_remote_results *run(const char *function, const struct spk_cluster *cluster,
					    const struct spk_remote_options *given,
					    const struct spk_cluster_options *given_options)
{
	struct spk *spk = cluster->nodes->spk;
	size_t hosts = spk_remote_count(cluster->remote), batch;
	struct spk_cluster_options options = {.size = sizeof(options)};
	struct spk_remote_options how = *given;
	struct turn turn = {.cluster = cluster, .options = &options, .how = &how};
	const struct spk_remote_results *results;

	if (given_options)
		adopt_structure(function, "options", "SPK_CLUSTER", given_options, &options,
				sizeof(options), OPTIONS_1_0);
	for (size_t i = 0; i < options.depool.count; i++)
		if (!options.depool.items || !options.depool.items[i])
			session_misuse(function, "service %zu of 'depool' is NULL", i);
	if (how.mode || how.threshold.kind)
		session_misuse(function, "the mode and the threshold of a slice are its own");
	if (how.batch_sleep.ns < 0)
		session_misuse(function, "a duration is negative");
	if (!plan_share_is_valid(how.batch, 1))
		session_misuse(function, "a batch of %g", how.batch.value);
	batch = how.batch.kind ? plan_batch(how.batch, hosts) : 1;
	if (batch >= hosts)
		spk_raise(spk, "cluster.slice", NULL,
			  "a slice of %zu host%s is the whole cluster, %.400s: nobody would serve; "
			  "it must be less than %zu",
			  batch, batch == 1 ? "" : "s",
			  spk_hosts_fold(spk_remote_hosts(cluster->remote)), hosts);
	turn.slices = spk_remote_split(cluster->remote, (hosts + batch - 1) / batch);
	turn.results = spk_alloc(spk, turn.slices.count * sizeof(*turn.results));
	how.mode = SPK_REMOTE_ASYNC;
	how.batch = (spk_share){0};
	how.batch_sleep = SPK_SECONDS(0);
	go_round(spk, &turn, given->batch_sleep);
	results = remote_results_join(spk, spk_remote_hosts(cluster->remote), turn.results,
				      turn.slices.count);
	if (turn.failed)
		fail(spk, &turn, results);
	return results;
}

const struct spk_remote_results *spk_cluster_run(const struct spk_cluster *cluster,
						 const struct spk_remote_options *how,
						 const struct spk_cluster_options *options)
{
	struct spk_remote_options known;

	CHECK_HANDLE(cluster, CLUSTER_MAGIC);
	CHECK_GIVEN(how);
	adopt_structure(__func__, "how", "SPK_REMOTE", how, &known, sizeof(known),
			REMOTE_OPTIONS_1_0);
	known.size = sizeof(known);
	return run(__func__, cluster, &known, options);
}

/* ---- services ---- */

static const struct spk_remote_results *act_on_units(const char *function, const char *verb,
						     const struct spk_cluster *cluster,
						     spk_strings units,
						     const struct spk_remote_options *how,
						     const struct spk_cluster_options *options)
{
	struct spk_remote_options known = remote_how(function, how);

	remote_set_unit_commands(function, cluster->nodes->spk, verb, units, &known);
	return run(function, cluster, &known, options);
}

const struct spk_remote_results *spk_cluster_restart_services(
	const struct spk_cluster *cluster, spk_strings units, const struct spk_remote_options *how,
	const struct spk_cluster_options *options)
{
	CHECK_HANDLE(cluster, CLUSTER_MAGIC);
	CHECK_LIST(units);
	return act_on_units(__func__, "restart", cluster, units, how, options);
}

const struct spk_remote_results *spk_cluster_reload_services(
	const struct spk_cluster *cluster, spk_strings units, const struct spk_remote_options *how,
	const struct spk_cluster_options *options)
{
	CHECK_HANDLE(cluster, CLUSTER_MAGIC);
	CHECK_LIST(units);
	return act_on_units(__func__, "reload", cluster, units, how, options);
}
