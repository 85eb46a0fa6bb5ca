/* SPDX-License-Identifier: Apache-2.0 */
/* Entities, from the schema as conftool writes it. */
#include "conf.h"

#include <string.h>

#include "../runtime/copy.h"
#include "../runtime/document.h"
#include "../runtime/misuse.h"

/* What is there without a schema: servers in a pool. */
static const struct conf_field node_fields[] = {
	{.name = "weight", .type = CONF_INT, .initial = "0"},
	{.name = "pooled",
	 .type = CONF_ENUM,
	 .choices = SPK_LIST("yes", "no", "inactive"),
	 .initial = "\"inactive\""},
};
static const spk_strings node_tags = SPK_LIST("dc", "cluster", "service");

static const struct {
	const char *name;
	enum conf_type type;
} types[] = {
	{"int", CONF_INT},   {"string", CONF_STRING}, {"bool", CONF_BOOL},
	{"list", CONF_LIST}, {"dict", CONF_DICT},     {"cidr_list", CONF_CIDR_LIST},
	{"any", CONF_ANY},
};

/* An entity being read; `failed` with the reason. */
struct loading {
	struct spk_confctl *confctl;
	const struct conftool_config *conftool;
	const struct document *document; /* NULL: there is no schema */
	bool failed;
	struct err err;
};

/* "the field 'NAME' has no default" */
static void refuse(struct loading *loading, const struct document_node *node, const char *what,
		   const char *name, const char *wrong)
{
	loading->failed = true;
	(void)document_refuse(loading->document, node, &loading->err, "%s'%s' %s", what, name,
			      wrong);
}

/* The member of an entity; NULL with the reason when it is missing or of another kind. */
static const struct document_node *member(struct loading *loading, const struct document_node *map,
					  const char *name, uint32_t kind)
{
	const struct document_node *node = document_member(map, name);

	if (node && node->kind == kind)
		return node;
	refuse(loading, node ? node : map, "", name,
	       !node                       ? "is missing here"
	       : kind == SPK_DOCUMENT_TEXT ? "must be a text"
	       : kind == SPK_DOCUMENT_LIST ? "must be a list"
					   : "must be keys and values");
	return NULL;
}

static spk_strings read_tags(struct loading *loading, const struct document_node *list)
{
	const char **items = spk_alloc(loading->confctl->spk, (list->count + 1) * sizeof(char *));

	for (size_t i = 0; i < list->count && !loading->failed; i++) {
		const char *tag = document_text(&list->children[i]);

		if (!tag || !*tag || strcmp(tag, "name") == 0)
			refuse(loading, &list->children[i], "", tag ? tag : "tags",
			       tag ? "cannot be a tag" : "must be a list of texts");
		else
			items[i] = copy_text(loading->confctl->spk, tag);
	}
	return (spk_strings){items, list->count};
}

/* "enum:yes|no" */
static spk_strings read_choices(struct spk *spk, const char *text)
{
	const char **items;
	size_t count = 1;

	for (const char *c = text; *c; c++)
		count += *c == '|';
	items = spk_alloc(spk, count * sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(text, "|");

		items[i] = copy_bytes(spk, text, length);
		text += length + 1;
	}
	return (spk_strings){items, count};
}

static void read_type(struct loading *loading, const struct document_node *node,
		      struct conf_field *field)
{
	const char *text = node->text;

	if (strncmp(text, "enum:", 5) == 0) {
		field->type = CONF_ENUM;
		field->choices = read_choices(loading->confctl->spk, text + 5);
		return;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, text) == 0) {
			field->type = types[i].type;
			return;
		}
	}
	refuse(loading, node, "", text, "is no type of a field");
}

static void read_field(struct loading *loading, const struct document_node *node,
		       struct conf_field *field)
{
	struct spk *spk = loading->confctl->spk;
	const struct document_node *initial, *type = NULL;
	struct buf json = {0};

	field->name = copy_text(spk, node->key);
	field->type = CONF_ANY;
	if (node->kind != SPK_DOCUMENT_MAP) {
		refuse(loading, node, "the field ", node->key, "must be keys and values");
		return;
	}
	/* With rules in JSON schema conftool looks at no types. */
	if (!loading->confctl->json_schema) {
		type = member(loading, node, "type", SPK_DOCUMENT_TEXT);
		if (type)
			read_type(loading, type, field);
	}
	initial = document_member(node, "default");
	if (!initial && !loading->failed)
		refuse(loading, node, "the field ", node->key, "has no default");
	if (loading->failed)
		return;
	document_put_json(initial, &json);
	field->initial = copy_text(spk, buf_text(&json));
	buf_free(&json);
}

static void read_entity(struct loading *loading, const struct document_node *entity)
{
	struct spk_confctl *confctl = loading->confctl;
	const struct document_node *free_form = document_member(entity, "free_form");
	const struct document_node *path, *tags, *fields;
	struct conf_field *items;
	const char *base = loading->conftool->base;

	if (entity->kind != SPK_DOCUMENT_MAP) {
		refuse(loading, entity, "the entity ", entity->key, "must be keys and values");
		return;
	}
	path = member(loading, entity, "path", SPK_DOCUMENT_TEXT);
	tags = path ? member(loading, entity, "tags", SPK_DOCUMENT_LIST) : NULL;
	fields = tags ? member(loading, entity, "schema", SPK_DOCUMENT_MAP) : NULL;
	if (!fields)
		return;
	confctl->path = *path->text == '/' ? copy_text(confctl->spk, path->text)
					   : spk_format(confctl->spk, "%s/%s", base, path->text);
	if (kv_key_check(confctl->path, NULL) < 0) {
		refuse(loading, path, "the path ", path->text, "is none of keys");
		return;
	}
	confctl->tags = read_tags(loading, tags);
	confctl->free_form = free_form && free_form->kind == SPK_DOCUMENT_TRUE;
	confctl->json_schema = document_member(entity, "json_schema") != NULL;
	items = spk_alloc(confctl->spk, (fields->count + 1) * sizeof(*items));
	for (size_t i = 0; i < fields->count && !loading->failed; i++)
		read_field(loading, &fields->children[i], &items[i]);
	confctl->fields = items;
	confctl->field_count = fields->count;
}

static void take_node(struct loading *loading)
{
	struct spk_confctl *confctl = loading->confctl;

	confctl->path = spk_format(confctl->spk, "%s/%s", loading->conftool->base,
				   loading->conftool->pools_path);
	confctl->tags = node_tags;
	confctl->fields = node_fields;
	confctl->field_count = sizeof(node_fields) / sizeof(node_fields[0]);
}

/* In memory of the run, which may have an end. */
static void load(struct spk *spk, void *argument)
{
	struct loading *loading = argument;
	const struct document *document = loading->document;
	const struct document_node *entity;

	entity = document ? document_member(&document->root, loading->confctl->name) : NULL;
	if (entity)
		read_entity(loading, entity);
	else if (strcmp(loading->confctl->name, "node") == 0)
		take_node(loading);
	else {
		loading->failed = true;
		(void)err_set(&loading->err, "%s%sthere is no entity '%s'%s",
			      document ? document->file : "", document ? ": " : "",
			      loading->confctl->name,
			      document ? ""
				       : ": 'instance_params.conftool_schema' is not set, and so "
					 "there is only 'node'");
	}
}

static int read_files(const struct kv_config *config, struct conftool_config *conftool,
		      struct document **ret_document, struct err *err)
{
	if (conftool_config_read(config->conftool_config, conftool, err) < 0)
		return -1;
	if (!config->conftool_schema)
		return 0;
	return document_read(config->conftool_schema, ret_document, err);
}

struct spk_confctl *spk_confctl(struct spk *spk, const char *entity)
{
	struct conftool_config conftool;
	struct document *document = NULL;
	const struct spk_error *error = NULL;
	struct loading loading = {.conftool = &conftool};
	bool done = true;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(entity);
	loading.confctl = SPK_NEW(spk, struct spk_confctl);
	loading.confctl->spk = spk;
	loading.confctl->name = copy_text(spk, entity);
	if (read_files(&spk->order.kv, &conftool, &document, &loading.err) < 0) {
		loading.failed = true;
	} else {
		loading.document = document;
		done = spk_try(spk, load, &loading, &error);
	}
	document_free(document);
	conftool_config_free(&conftool);
	if (!done)
		spk_raise_again(spk, error);
	if (loading.failed)
		spk_raise(spk, "confctl.config", NULL, "%s", loading.err.text);
	loading.confctl->magic = CONFCTL_MAGIC;
	return loading.confctl;
}

const struct conf_field *conf_field_find(const struct spk_confctl *confctl, const char *name)
{
	for (size_t i = 0; i < confctl->field_count; i++)
		if (strcmp(confctl->fields[i].name, name) == 0)
			return &confctl->fields[i];
	return NULL;
}

const struct conf_field *conf_field_get(const struct spk_confctl *confctl, const char *name)
{
	const struct conf_field *field = conf_field_find(confctl, name);

	if (!field && !confctl->free_form)
		spk_raise(confctl->spk, "confctl.value", NULL, "the entity '%s' has no field '%s'",
			  confctl->name, name);
	return field;
}
