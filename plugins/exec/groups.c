/* SPDX-License-Identifier: Apache-2.0 */
#include "groups.h"

#include <stdint.h>
#include <string.h>

#include "../base/json.h"
#include "../base/memory.h"

#define META "_meta"
/* Groups of one that is asked for. */
#define GROUPS_MAX 10000

/* A walk over groups. */
struct walk {
	const cJSON *root;
	const cJSON **seen; /* groups that were told, or are about to be */
	size_t seen_count, seen_capacity;
	spk_inventory_visitor *visitor;
	void *data;
	struct spk_reason_buffer *reason;
};

static int refuse(const struct walk *walk, const char *group, const char *wrong)
{
	reason_set(walk->reason, "the group '%.40s' %s", group, wrong);
	return -1;
}

static int tell(const struct walk *walk, const char *name)
{
	return walk->visitor(walk->data, name, strlen(name)) ? 0 : -1;
}

/* A list of names; absent is none. */
static int tell_list(const struct walk *walk, const char *group, const cJSON *list)
{
	const cJSON *item;
	int rc = 0;

	if (list && !cJSON_IsArray(list))
		return refuse(walk, group, "has 'hosts' that are no list");
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item))
			return refuse(walk, group, "has a host that is no text");
		rc = tell(walk, item->valuestring);
		if (rc < 0)
			break;
	}
	return rc;
}

static bool is_seen(const struct walk *walk, const cJSON *group)
{
	for (size_t i = 0; i < walk->seen_count; i++)
		if (walk->seen[i] == group)
			return true;
	return false;
}

static int see(struct walk *walk, const cJSON *group)
{
	if (is_seen(walk, group))
		return 0;
	if (walk->seen_count == GROUPS_MAX)
		return refuse(walk, group->string, "is one too many");
	walk->seen = memory_grow((void *)walk->seen, walk->seen_count, &walk->seen_capacity,
				 sizeof(walk->seen[0]));
	walk->seen[walk->seen_count++] = group;
	return 0;
}

/* Puts the children of a group behind those that are seen. */
static int see_children(struct walk *walk, const cJSON *group)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(group, "children"), *item;

	if (list && !cJSON_IsArray(list))
		return refuse(walk, group->string, "has 'children' that are no list");
	cJSON_ArrayForEach(item, list)
	{
		const cJSON *child = NULL;

		if (cJSON_IsString(item))
			child = cJSON_GetObjectItemCaseSensitive(walk->root, item->valuestring);
		if (!child)
			return refuse(walk, group->string, "has a child that is no group");
		if (see(walk, child) < 0)
			return -1;
	}
	return 0;
}

static int tell_group(struct walk *walk, const cJSON *group)
{
	if (cJSON_IsArray(group))
		return tell_list(walk, group->string, group);
	if (!cJSON_IsObject(group))
		return refuse(walk, group->string, "is neither an object nor a list");
	if (tell_list(walk, group->string, cJSON_GetObjectItemCaseSensitive(group, "hosts")) < 0)
		return -1;
	return see_children(walk, group);
}

static int tell_one(struct walk *walk, const char *name)
{
	const cJSON *group = cJSON_GetObjectItemCaseSensitive(walk->root, name);
	int rc;

	if (!group || strcmp(name, META) == 0)
		return refuse(walk, name, "is not there");
	rc = see(walk, group);
	for (size_t i = 0; rc == 0 && i < walk->seen_count; i++)
		rc = tell_group(walk, walk->seen[i]);
	return rc;
}

/* All groups, and whom _meta has variables of. */
static int tell_all(struct walk *walk)
{
	const cJSON *variables = json_object(json_object(walk->root, META), "hostvars"), *item;
	int rc = 0;

	cJSON_ArrayForEach(item, walk->root)
	{
		if (strcmp(item->string, META) == 0)
			continue;
		if (cJSON_IsArray(item))
			rc = tell_list(walk, item->string, item);
		else if (cJSON_IsObject(item))
			rc = tell_list(walk, item->string,
				       cJSON_GetObjectItemCaseSensitive(item, "hosts"));
		else
			rc = refuse(walk, item->string, "is neither an object nor a list");
		if (rc < 0)
			return rc;
	}
	cJSON_ArrayForEach(item, variables)
	{
		rc = tell(walk, item->string);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int groups_read(const struct text *text, const char *group, spk_inventory_visitor *visitor,
		void *data, struct spk_reason_buffer *reason)
{
	cJSON *root = json_parse(text->bytes, text->length);
	struct walk walk = {.root = root, .visitor = visitor, .data = data, .reason = reason};
	int rc;

	reason->text[0] = '\0';
	if (cJSON_IsObject(root)) {
		rc = group ? tell_one(&walk, group) : tell_all(&walk);
	} else if (cJSON_IsArray(root) && !group) {
		rc = tell_list(&walk, "", root);
	} else {
		reason_set(reason, "%s",
			   !root   ? "it is no JSON"
			   : group ? "it is no object of groups"
				   : "it is neither a list of names nor an object of groups");
		rc = -1;
	}
	memory_free((void *)walk.seen);
	cJSON_Delete(root);
	return rc;
}
