/* SPDX-License-Identifier: Apache-2.0 */
/* Selecting objects: one read of the store, of which what matches comes into memory of the run. */
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/copy.h"
#include "../runtime/mem.h"
#include "../runtime/misuse.h"
#include "../runtime/pattern.h"

/* A pattern for many names is long. */
#define PATTERN_MAX ((size_t)256 * 1024)
/* Of a tag that is a word and no pattern, so that only what is below it need be read. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* A tag that was given: which part of a key has to match what. */
struct wanted {
	size_t part;
	const char *pattern;
};

/* What matched, before it is in memory of the run. */
struct found {
	char *key, *value;
	uint64_t revision;
};

struct selection {
	const struct spk_confctl *confctl;
	const struct wanted *wanted;
	size_t wanted_count;
	struct found *found;
	size_t count, capacity;
	size_t foreign; /* keys that are none of an object */
	char first_foreign[KV_KEY_MAX + 1];
	const char *failed; /* kind of the error */
	struct err err;
	const struct spk_confctl_object **objects;
};

bool conf_object_value(const char *text, size_t length, struct json_slice *ret)
{
	return length <= KV_VALUE_MAX && jsonscan_value(text, length, ret) &&
	       jsonscan_type(*ret) == '{';
}

/* The next part of a path, and where the one behind it begins. */
static size_t part_length(const char *path)
{
	return strcspn(path, "/");
}

static size_t count_parts(const char *path)
{
	size_t count = 1;

	for (; *path; path++)
		count += *path == '/';
	return count;
}

/* The part of a path with that number, as a text; false when it is too long for any name. */
static bool copy_part(const char *path, size_t number, char out[static KV_KEY_MAX + 1])
{
	size_t length;

	while (number-- > 0)
		path += part_length(path) + 1;
	length = part_length(path);
	if (length > KV_KEY_MAX)
		return false;
	memcpy(out, path, length);
	out[length] = '\0';
	return true;
}

/* 1, 0, or -1 with the reason. */
static int matches(struct selection *selection, const char *path)
{
	char part[KV_KEY_MAX + 1];

	for (size_t i = 0; i < selection->wanted_count; i++) {
		const struct wanted *wanted = &selection->wanted[i];
		int rc = copy_part(path, wanted->part, part)
				 ? pattern_matches(wanted->pattern, part, &selection->err)
				 : 0;

		if (rc <= 0)
			return rc;
	}
	return 1;
}

static bool add(struct selection *selection, const struct spk_kv_item *item)
{
	struct json_slice object;
	struct found *found;

	if (!conf_object_value(item->value, item->length, &object)) {
		selection->failed = "confctl.data";
		(void)err_set(&selection->err, "%s: its value is no JSON object", item->key);
		return false;
	}
	selection->found = xgrow(selection->found, selection->count, &selection->capacity,
				 sizeof(*selection->found));
	found = &selection->found[selection->count++];
	found->key = xstrdup(item->key);
	found->value = xstrndup(object.text, object.length);
	found->revision = item->revision;
	return true;
}

static bool visit(void *data, const struct spk_kv_item *item)
{
	struct selection *selection = data;
	const struct spk_confctl *confctl = selection->confctl;
	const char *path = item->key + strlen(confctl->path) + 1;
	int rc;

	if (kv_key_check(item->key, NULL) < 0 ||
	    strncmp(item->key, confctl->path, strlen(confctl->path)) != 0 ||
	    count_parts(path) != confctl->tags.count + 1) {
		if (!selection->foreign++)
			snprintf(selection->first_foreign, sizeof(selection->first_foreign), "%s",
				 item->key);
		return true;
	}
	rc = matches(selection, path);
	if (rc < 0)
		selection->failed = "confctl.selector";
	return rc < 0 ? false : rc == 0 || add(selection, item);
}

/* ---- what is asked ---- */

static size_t part_of(const struct spk_confctl *confctl, const char *tag)
{
	for (size_t i = 0; i < confctl->tags.count; i++)
		if (strcmp(confctl->tags.items[i], tag) == 0)
			return i;
	if (strcmp(tag, "name") == 0)
		return confctl->tags.count;
	spk_raise(confctl->spk, "confctl.selector", NULL,
		  "the entity '%s' has no tag '%s': it has %s%sname", confctl->name, tag,
		  spk_join(confctl->spk, ", ", confctl->tags), confctl->tags.count ? ", " : "");
}

static void check_pattern(struct spk *spk, const char *tag, const char *pattern)
{
	struct err err;

	if (strlen(pattern) > PATTERN_MAX)
		spk_raise(spk, "confctl.selector", NULL,
			  "the pattern of the tag '%s' is longer than %zu bytes", tag, PATTERN_MAX);
	if (!pattern_compile(pattern, &err))
		spk_raise(spk, "confctl.selector", NULL, "tag '%s': %s", tag, err.text);
}

static const struct wanted *read_tags(const struct spk_confctl *confctl, spk_conf_tags tags,
				      const char *function)
{
	struct wanted *wanted = spk_alloc(confctl->spk, (tags.count + 1) * sizeof(*wanted));

	for (size_t i = 0; i < tags.count; i++) {
		const struct spk_conf_tag *tag = &tags.items[i];

		if (!tag->name || !tag->pattern)
			session_misuse(function, "tag %zu of 'tags' has no %s", i,
				       tag->name ? "pattern" : "name");
		wanted[i].part = part_of(confctl, tag->name);
		wanted[i].pattern = tag->pattern;
		check_pattern(confctl->spk, tag->name, tag->pattern);
	}
	return wanted;
}

/* The key below which all lies that can match: the first tags may be words. */
static const char *prefix_of(const struct spk_confctl *confctl, const struct wanted *wanted,
			     size_t count)
{
	const char *prefix = confctl->path;
	bool found = true;

	for (size_t part = 0; part < confctl->tags.count && found; part++) {
		found = false;
		for (size_t i = 0; i < count && !found; i++) {
			const char *pattern = wanted[i].pattern;

			if (wanted[i].part != part || !*pattern || pattern[strspn(pattern, PLAIN)])
				continue;
			prefix = spk_format(confctl->spk, "%s/%s", prefix, pattern);
			found = true;
		}
	}
	return prefix;
}

/* ---- what was found ---- */

static spk_strings parts_of(struct spk *spk, const char *path, size_t count)
{
	const char **items = spk_alloc(spk, count * sizeof(char *));

	for (size_t i = 0; i < count; i++) {
		items[i] = copy_bytes(spk, path, part_length(path));
		path += part_length(path) + 1;
	}
	return (spk_strings){items, count};
}

static const struct spk_confctl_object *keep_object(const struct spk_confctl *confctl,
						    const struct found *found)
{
	struct spk_confctl_object *object = SPK_NEW(confctl->spk, struct spk_confctl_object);

	object->confctl = confctl;
	object->key = copy_text(confctl->spk, found->key);
	object->path = object->key + strlen(confctl->path) + 1;
	object->parts = parts_of(confctl->spk, object->path, confctl->tags.count + 1);
	object->name = object->parts.items[confctl->tags.count];
	object->value = copy_text(confctl->spk, found->value);
	object->revision = found->revision;
	object->magic = OBJECT_MAGIC;
	return object;
}

static void select_and_keep(struct spk *spk, void *argument)
{
	struct selection *selection = argument;
	const struct spk_confctl *confctl = selection->confctl;

	conf_list(spk, prefix_of(confctl, selection->wanted, selection->wanted_count), visit,
		  selection);
	if (selection->failed)
		spk_raise(spk, selection->failed, NULL, "%s", selection->err.text);
	if (selection->foreign)
		spk_debug(spk, "%zu keys below %s are no objects of '%s', as %s",
			  selection->foreign, confctl->path, confctl->name,
			  selection->first_foreign);
	selection->objects = spk_alloc(spk, (selection->count + 1) * sizeof(char *));
	for (size_t i = 0; i < selection->count; i++)
		selection->objects[i] = keep_object(confctl, &selection->found[i]);
}

static const char *tags_shown(struct spk *spk, spk_conf_tags tags)
{
	const char *text = tags.count ? "" : "all";

	for (size_t i = 0; i < tags.count; i++)
		text = spk_format(spk, "%s%s%s=%.200s", text, i ? ", " : "", tags.items[i].name,
				  tags.items[i].pattern);
	return text;
}

spk_confctl_objects conf_select(struct spk_confctl *confctl, spk_conf_tags tags,
				const char *function)
{
	const struct wanted *wanted = read_tags(confctl, tags, function);
	struct selection *selection = xcalloc(1, sizeof(*selection));
	const struct spk_error *error = NULL;
	spk_confctl_objects objects;
	bool done;

	selection->confctl = confctl;
	selection->wanted = wanted;
	selection->wanted_count = tags.count;
	done = spk_try(confctl->spk, select_and_keep, selection, &error);
	for (size_t i = 0; i < selection->count; i++) {
		free(selection->found[i].key);
		free(selection->found[i].value);
	}
	free(selection->found);
	objects = (spk_confctl_objects){selection->objects, selection->count};
	free(selection);
	if (!done)
		spk_raise_again(confctl->spk, error);
	session_did_read(confctl->spk, "the objects of '%s' that match %s", confctl->name,
			 tags_shown(confctl->spk, tags));
	return objects;
}

spk_confctl_objects conf_select_some(struct spk_confctl *confctl, spk_conf_tags tags,
				     const char *function)
{
	spk_confctl_objects objects = conf_select(confctl, tags, function);

	if (!objects.count)
		spk_raise(confctl->spk, "confctl.missing", NULL, "no object of '%s' matches %s",
			  confctl->name, tags_shown(confctl->spk, tags));
	return objects;
}

spk_confctl_objects spk_confctl_find(struct spk_confctl *confctl, spk_conf_tags tags)
{
	CHECK_HANDLE(confctl, CONFCTL_MAGIC);
	return conf_select(confctl, tags, __func__);
}

spk_confctl_objects spk_confctl_get(struct spk_confctl *confctl, spk_conf_tags tags)
{
	CHECK_HANDLE(confctl, CONFCTL_MAGIC);
	return conf_select_some(confctl, tags, __func__);
}

const char *spk_confctl_names(struct spk *spk, spk_strings names)
{
	const char **quoted;

	CHECK_SPK(spk);
	CHECK_LIST(names);
	if (!names.count)
		return "(*FAIL)";
	quoted = spk_alloc(spk, names.count * sizeof(char *));
	for (size_t i = 0; i < names.count; i++)
		quoted[i] = spk_regex_quote(spk, names.items[i]);
	return spk_join(spk, "|", (spk_strings){quoted, names.count});
}
