/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing objects. Each write says which revision it overwrites; where somebody was faster, the
 * object is read once more and changed as it is then.
 */
#include "conf.h"

#include <string.h>

#include "../runtime/copy.h"
#include "../runtime/misuse.h"

/* So often a write is tried while others write the same objects, and the pauses between. */
#define WRITE_TRIES 20
#define PAUSE_NS 10000000LL
#define PAUSE_MAX_NS 640000000LL
/* Of the values of one write: etcd takes 1.5 MiB, in base64. */
#define BATCH_BYTES ((size_t)512 * 1024)

#define CHANGE_MAGIC 0x63636867U
#define CHANGE_1_0 SIZE_UP_TO(struct spk_conf_change, tags)

/* An object on its way to other fields. */
struct target {
	const char *key, *path;
	const char *value; /* as it was read last */
	uint64_t revision;
	const char *next; /* what is written */
	bool settled;     /* it is written, or need not be */
	bool touched;     /* a write of it was sent */
};

/* Some objects and what they are to have. */
struct job {
	struct spk_confctl *confctl;
	const struct conf_setting *settings;
	size_t setting_count;
	struct target *targets;
	size_t count;
	size_t written;
	/* Only objects whose first setting has this value, as JSON; NULL: all. */
	const char *only;
	bool undoing; /* others' changes and absent objects are told of, and stay */
};

static const char *shown(struct spk *spk, struct json_slice value)
{
	return value.text ? copy_bytes(spk, value.text, value.length < 200 ? value.length : 200)
			  : "nothing";
}

/* What a write of the target changes, for the log. */
static const char *difference(const struct job *job, const struct target *target)
{
	struct spk *spk = job->confctl->spk;
	struct json_slice object = conf_slice(target->value);
	const char *text = "";

	for (size_t i = 0; i < job->setting_count; i++) {
		const struct conf_setting *setting = &job->settings[i];
		struct json_slice old = conf_current(job->confctl, object, setting->name);

		if (old.text && jsonscan_equal(old, conf_slice(setting->json)))
			continue;
		text = spk_format(spk, "%s%s%s from %s to %s", text, *text ? ", " : "",
				  setting->name, shown(spk, old),
				  shown(spk, conf_slice(setting->json)));
	}
	return text;
}

static bool is_wanted(const struct job *job, const struct target *target)
{
	struct json_slice value;

	if (!job->only)
		return true;
	value = conf_current(job->confctl, conf_slice(target->value), job->settings[0].name);
	return value.text && jsonscan_equal(value, conf_slice(job->only));
}

/* Works out what is written; settles what need not be. */
static void plan(struct job *job, struct target *target)
{
	struct spk *spk = job->confctl->spk;
	struct buf next = {0};

	target->next = NULL;
	if (!is_wanted(job, target)) {
		target->settled = true;
		if (job->undoing)
			spk_warn(spk,
				 "%s: somebody else has changed it since: %s is %s, and stays so",
				 target->path, job->settings[0].name,
				 shown(spk, conf_current(job->confctl, conf_slice(target->value),
							 job->settings[0].name)));
		return;
	}
	if (!conf_merge(job->confctl, conf_slice(target->value), job->settings, job->setting_count,
			&next)) {
		target->settled = true;
		spk_debug(spk, "%s: it has these values", target->path);
		return;
	}
	target->next = copy_text(spk, buf_text(&next));
	buf_free(&next);
}

static void settle(struct job *job, struct target *target)
{
	target->settled = true;
	job->written++;
	spk_info(job->confctl->spk, "%s %s: %s", job->confctl->name, target->path,
		 difference(job, target));
}

/* After a conflict: what the object is now. */
static void read_again(struct job *job, struct target *target)
{
	struct spk *spk = job->confctl->spk;
	const char *value = conf_get(spk, target->key, &target->revision);
	struct json_slice object;

	/* By the write whose answer was lost. */
	if (value && strcmp(value, target->next) == 0) {
		target->touched = true;
		settle(job, target);
		return;
	}
	if (!value && job->undoing) {
		spk_warn(spk, "%s: somebody else has removed it", target->path);
		target->settled = true;
		return;
	}
	if (!value)
		spk_raise(spk, "confctl.missing", NULL, "%s: somebody else has removed it",
			  target->key);
	if (!conf_object_value(value, strlen(value), &object))
		spk_raise(spk, "confctl.data", NULL, "%s: its value is no JSON object",
			  target->key);
	target->value = copy_bytes(spk, object.text, object.length);
	plan(job, target);
}

static const char *progress(const struct job *job)
{
	if (!job->written)
		return "";
	return spk_format(job->confctl->spk, "; %zu of %zu objects were written before",
			  job->written, job->count);
}

/* A pause that grows, in which others get through. */
static void pause_before(struct spk *spk, int try)
{
	int64_t pause = PAUSE_NS << (try < 6 ? try : 6);

	if (pause > PAUSE_MAX_NS)
		pause = PAUSE_MAX_NS;
	session_poll(spk, NULL, 0, spk_uptime().ns + pause);
}

static size_t pending(const struct target *batch, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		left += !batch[i].settled;
	return left;
}

static enum spk_kv_status send(struct job *job, struct target *batch, size_t count)
{
	struct spk *spk = job->confctl->spk;
	struct spk_kv_change *changes = spk_alloc(spk, count * sizeof(*changes));
	enum spk_kv_status status;
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		struct target *target = &batch[i];

		if (target->settled)
			continue;
		target->touched = true;
		changes[used++] = (struct spk_kv_change){.size = sizeof(*changes),
							 .key = target->key,
							 .value = target->next,
							 .length = strlen(target->next),
							 .revision = target->revision};
	}
	status = conf_write(spk, changes, used, progress(job));
	for (size_t i = 0; i < count && status == SPK_KV_CONFLICT; i++)
		batch[i].touched = batch[i].settled && batch[i].touched;
	if (status != SPK_KV_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		if (!batch[i].settled)
			settle(job, &batch[i]);
	return status;
}

static void write_batch(struct job *job, struct target *batch, size_t count)
{
	struct spk *spk = job->confctl->spk;

	for (int try = 0; try < WRITE_TRIES; try++) {
		if (!pending(batch, count) || send(job, batch, count) == SPK_KV_OK)
			return;
		pause_before(spk, try);
		for (size_t i = 0; i < count; i++)
			if (!batch[i].settled)
				read_again(job, &batch[i]);
	}
	if (pending(batch, count))
		spk_raise(spk, "confctl.conflict", NULL,
			  "cannot write %s%s: others write it all the time%s", batch[0].key,
			  count > 1 ? " and those with it" : "", progress(job));
}

/* How many of the targets go together, those that are settled included. */
static size_t batch_size(const struct target *targets, size_t count, size_t most)
{
	size_t bytes = 0, changes = 0, i;

	for (i = 0; i < count; i++) {
		if (targets[i].settled)
			continue;
		bytes += strlen(targets[i].next) + strlen(targets[i].key);
		if (changes && (changes == most || bytes > BATCH_BYTES))
			break;
		changes++;
	}
	return i;
}

/* Says what a dry run would write. */
static bool would(const struct job *job, const struct target *target)
{
	return session_may_write(job->confctl->spk, "change %s %s: %s", job->confctl->name,
				 target->path, difference(job, target));
}

static void do_job(struct job *job)
{
	size_t most, at = 0;

	for (size_t i = 0; i < job->count; i++) {
		plan(job, &job->targets[i]);
		if (!job->targets[i].settled && !would(job, &job->targets[i]))
			job->targets[i].settled = true;
	}
	if (!pending(job->targets, job->count))
		return;
	if (job->confctl->json_schema)
		spk_warn(job->confctl->spk,
			 "the entity '%s' has rules in JSON schema, which are not checked here",
			 job->confctl->name);
	most = conf_most(job->confctl->spk);
	while (at < job->count) {
		size_t size = batch_size(job->targets + at, job->count - at, most);

		write_batch(job, job->targets + at, size);
		at += size;
	}
}

static void take_objects(struct job *job, spk_confctl_objects objects, const char *function)
{
	job->targets = spk_alloc(job->confctl->spk, (objects.count + 1) * sizeof(*job->targets));
	for (size_t i = 0; i < objects.count; i++) {
		const struct spk_confctl_object *object = objects.items[i];

		if (!object || object->magic != OBJECT_MAGIC)
			session_misuse(function, "item %zu of 'objects' is no live handle", i);
		if (strcmp(object->confctl->path, job->confctl->path) != 0)
			session_misuse(function, "item %zu of 'objects' is no '%s'", i,
				       job->confctl->name);
		job->targets[i] = (struct target){.key = object->key,
						  .path = object->path,
						  .value = object->value,
						  .revision = object->revision};
	}
	job->count = objects.count;
}

static const struct conf_setting *read_fields(struct spk_confctl *confctl, spk_conf_fields fields,
					      const char *function)
{
	struct conf_setting *settings = spk_alloc(confctl->spk,
						  (fields.count + 1) * sizeof(*settings));

	if (!fields.count)
		session_misuse(function, "'fields' is empty");
	for (size_t i = 0; i < fields.count; i++) {
		if (!fields.items[i].name)
			session_misuse(function, "item %zu of 'fields' has no name", i);
		settings[i] =
			(struct conf_setting){.name = copy_text(confctl->spk, fields.items[i].name),
					      .json = conf_value_json(confctl, fields.items[i].name,
								      &fields.items[i].value)};
	}
	return settings;
}

void spk_confctl_update_objects(struct spk_confctl *confctl, spk_conf_fields fields,
				spk_confctl_objects objects)
{
	struct job job = {.confctl = confctl, .setting_count = fields.count};

	CHECK_HANDLE(confctl, CONFCTL_MAGIC);
	job.settings = read_fields(confctl, fields, __func__);
	take_objects(&job, objects, __func__);
	do_job(&job);
}

void spk_confctl_update(struct spk_confctl *confctl, spk_conf_fields fields, spk_conf_tags tags)
{
	struct job job = {.confctl = confctl, .setting_count = fields.count};

	CHECK_HANDLE(confctl, CONFCTL_MAGIC);
	job.settings = read_fields(confctl, fields, __func__);
	take_objects(&job, conf_select_some(confctl, tags, __func__), __func__);
	do_job(&job);
}

static void verify(const struct job *job, spk_confctl_objects objects)
{
	const struct spk_confctl *confctl = job->confctl;
	const struct conf_setting *setting = &job->settings[0];

	for (size_t i = 0; i < objects.count; i++) {
		struct json_slice found = conf_current(confctl, conf_slice(objects.items[i]->value),
						       setting->name);

		if (found.text && jsonscan_equal(found, conf_slice(setting->json)))
			continue;
		if (spk_dry_run(confctl->spk)) {
			spk_debug(confctl->spk, "%s: %s is %s, ignoring: nothing was set",
				  objects.items[i]->path, setting->name,
				  shown(confctl->spk, found));
			continue;
		}
		spk_raise(confctl->spk, "confctl.verify", NULL,
			  "%s: %s is %s after it was set to %s", objects.items[i]->key,
			  setting->name, shown(confctl->spk, found), setting->json);
	}
}

void spk_confctl_set_and_verify(struct spk_confctl *confctl, const char *field,
				spk_conf_value value, spk_conf_tags tags)
{
	struct spk_conf_field one = {.name = field, .value = value};
	struct job job = {.confctl = confctl, .setting_count = 1};

	CHECK_HANDLE(confctl, CONFCTL_MAGIC);
	CHECK_GIVEN(field);
	job.settings = read_fields(confctl, (spk_conf_fields){&one, 1}, __func__);
	take_objects(&job, conf_select_some(confctl, tags, __func__), __func__);
	do_job(&job);
	verify(&job, conf_select_some(confctl, tags, __func__));
}

/* ---- for a time ---- */

/* What is undone at the end of a scope, in memory of the run: after a crash, too. */
struct change {
	uint32_t magic;
	bool keep_on_failure;
	struct job job;              /* that of the change */
	struct conf_setting changed; /* what it sets */
	const char *original;        /* what was there before, as JSON */
};

static void revert(struct spk *spk, void *argument)
{
	const struct change *change = argument;
	const struct conf_setting original = {change->changed.name, change->original};
	struct job job = {.confctl = change->job.confctl,
			  .settings = &original,
			  .setting_count = 1,
			  .only = change->changed.json,
			  .undoing = true};

	CHECK_HANDLE(change, CHANGE_MAGIC);
	if (change->keep_on_failure && spk->undoing_failure) {
		spk_warn(spk, "%s stays %s on %zu objects of '%s'", change->changed.name,
			 change->changed.json, change->job.count, job.confctl->name);
		return;
	}
	job.targets = spk_alloc(spk, (change->job.count + 1) * sizeof(*job.targets));
	for (size_t i = 0; i < change->job.count; i++) {
		const struct target *target = &change->job.targets[i];
		struct target *back = &job.targets[job.count];
		struct json_slice object;

		if (spk_dry_run(spk) && target->next) {
			(void)session_may_write(spk, "change %s %s back: %s from %s to %s",
						job.confctl->name, target->path, original.name,
						change->changed.json, original.json);
			continue;
		}
		if (!target->touched)
			continue;
		*back = (struct target){.key = target->key, .path = target->path};
		back->value = conf_get(spk, back->key, &back->revision);
		if (!back->value)
			spk_warn(spk, "%s: somebody else has removed it", back->path);
		else if (!conf_object_value(back->value, strlen(back->value), &object))
			spk_warn(spk, "%s: somebody else has put what is no JSON there",
				 back->path);
		else
			job.count++;
	}
	do_job(&job);
}

static struct spk_scope *change_for_a_time(struct spk_confctl *confctl,
					   const struct spk_conf_change *how, const char *function)
{
	struct spk *spk = confctl->spk;
	struct change *change = SPK_NEW(spk, struct change);
	struct job *job = &change->job;
	struct spk_scope *scope;

	if (!how->field)
		session_misuse(function, "'field' is NULL");
	change->changed.name = copy_text(spk, how->field);
	change->changed.json = conf_value_json(confctl, how->field, &how->changed);
	change->original = conf_value_json(confctl, how->field, &how->original);
	change->keep_on_failure = how->keep_on_failure;
	*job = (struct job){.confctl = confctl,
			    .settings = &change->changed,
			    .setting_count = 1,
			    .only = change->original};
	take_objects(job, conf_select_some(confctl, how->tags, function), function);
	change->magic = CHANGE_MAGIC;
	/* Before the first write: whatever comes of it is undone. */
	scope = spk_scope_open(spk,
			       spk_format(spk, "%s of '%s' is set back to %s", how->field,
					  confctl->name, change->original),
			       revert, change);
	do_job(job);
	return scope;
}

struct spk_scope *spk_confctl_changed_how(struct spk_confctl *confctl,
					  const struct spk_conf_change *given)
{
	struct spk_conf_change how;

	CHECK_HANDLE(confctl, CONFCTL_MAGIC);
	CHECK_GIVEN(given);
	adopt_structure(__func__, "how", "SPK_CONF_CHANGE", given, &how, sizeof(how), CHANGE_1_0);
	return change_for_a_time(confctl, &how, __func__);
}

struct spk_scope *spk_confctl_changed(struct spk_confctl *confctl, const char *field,
				      spk_conf_value original, spk_conf_value changed,
				      spk_conf_tags tags)
{
	CHECK_HANDLE(confctl, CONFCTL_MAGIC);
	return change_for_a_time(confctl,
				 SPK_CONF_CHANGE(.field = field, .original = original,
						 .changed = changed, .tags = tags),
				 __func__);
}
