/* SPDX-License-Identifier: Apache-2.0 */
#include "book.h"

#include <string.h>
#include <yaml.h>

#include "../base/file.h"
#include "../base/memory.h"

/* Facts within facts. */
#define DEPTH_MAX 8
/* References to parts of a document may make much of a short text. */
#define FACTS_MAX 1000000
#define NAME_MAX_LENGTH 200

struct reading {
	struct book *book;
	const char *path;
	yaml_document_t document;
	struct spk_reason_buffer *reason;
};

static int refuse(const struct reading *reading, const yaml_node_t *node, const char *wrong)
{
	reason_set(reading->reason, "%s:%zu: %s", file_shown(reading->path),
		   node->start_mark.line + 1, wrong);
	return -1;
}

static yaml_node_t *node_of(struct reading *reading, int index)
{
	return yaml_document_get_node(&reading->document, index);
}

/* The text of a scalar; NULL for what is none, holds a NUL or is too long. */
static const char *text_of(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || strlen(text) != node->data.scalar.length)
		return NULL;
	return text;
}

/* What stands behind a colon when nothing does. */
static bool is_nothing(const yaml_node_t *node)
{
	const char *text = text_of(node);

	return text && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static struct book_entry *add_entry(struct book *book, const char *hosts, const char *group,
				    const yaml_node_t *node)
{
	struct book_entry *entry;

	book->entries = memory_grow(book->entries, book->count, &book->capacity,
				    sizeof(*book->entries));
	entry = &book->entries[book->count++];
	entry->hosts = memory_copy(hosts);
	entry->group = group ? memory_copy(group) : NULL;
	entry->line = node->start_mark.line + 1;
	return entry;
}

static int add_fact(struct reading *reading, struct book_entry *entry, const char *name,
		    const yaml_node_t *node)
{
	const char *value = text_of(node);
	struct book_fact *fact;

	if (!value)
		return refuse(reading, node,
			      "a fact is a text, a list of texts or has facts below "
			      "it");
	if (++reading->book->facts > FACTS_MAX)
		return refuse(reading, node, "with this there are too many facts");
	entry->facts = memory_grow(entry->facts, entry->fact_count, &entry->fact_capacity,
				   sizeof(*entry->facts));
	fact = &entry->facts[entry->fact_count++];
	fact->name = memory_copy(name);
	fact->value = memory_copy(value);
	return 0;
}

static int add_facts(struct reading *reading, struct book_entry *entry, const char *above,
		     const yaml_node_t *node, unsigned int depth)
{
	int rc = 0;

	if (depth > DEPTH_MAX)
		return refuse(reading, node, "facts are within facts too often");
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     rc == 0 && pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_of(reading, pair->key);
		const yaml_node_t *value = node_of(reading, pair->value);
		const char *name = text_of(key);
		struct text full = {0};

		if (!name || !*name || strlen(name) > NAME_MAX_LENGTH)
			return refuse(reading, key, "this is not the name of a fact");
		text_printf(&full, "%s%s%s", above, *above ? "." : "", name);
		if (value->type == YAML_MAPPING_NODE) {
			rc = add_facts(reading, entry, full.bytes, value, depth + 1);
		} else if (value->type == YAML_SEQUENCE_NODE) {
			for (yaml_node_item_t *item = value->data.sequence.items.start;
			     rc == 0 && item < value->data.sequence.items.top; item++)
				rc = add_fact(reading, entry, full.bytes, node_of(reading, *item));
		} else {
			rc = add_fact(reading, entry, full.bytes, value);
		}
		text_free(&full);
	}
	return rc;
}

/* `db[1-3]: {os: debian}` */
static int read_host(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
	const char *hosts = text_of(key);
	struct book_entry *entry;

	if (!hosts)
		return refuse(reading, key, "this is not the name of a host");
	entry = add_entry(reading->book, hosts, NULL, key);
	if (is_nothing(value))
		return 0;
	if (value->type != YAML_MAPPING_NODE)
		return refuse(reading, value, "what is behind a host are its facts, `name: value`");
	return add_facts(reading, entry, "", value, 1);
}

/* `db: db[1-3]`, `db: [db1, db2]` */
static int read_group(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
	static const char wrong[] = "what is behind a group are hosts, or a list of them";
	struct book *book = reading->book;
	const char *group = text_of(key);

	if (!group || !*group || strlen(group) > NAME_MAX_LENGTH)
		return refuse(reading, key, "this is not the name of a group");
	if (book_has_group(book, group))
		return refuse(reading, key, "this group is there already");
	book->groups = memory_grow(book->groups, book->group_count, &book->group_capacity,
				   sizeof(*book->groups));
	book->groups[book->group_count++] = memory_copy(group);
	if (is_nothing(value))
		return 0;
	if (value->type == YAML_MAPPING_NODE)
		return refuse(reading, value, wrong);
	if (value->type == YAML_SCALAR_NODE && text_of(value)) {
		add_entry(book, text_of(value), group, value);
		return 0;
	}
	for (yaml_node_item_t *item = value->data.sequence.items.start;
	     item < value->data.sequence.items.top; item++) {
		const yaml_node_t *node = node_of(reading, *item);

		if (!text_of(node))
			return refuse(reading, node, wrong);
		add_entry(book, text_of(node), group, node);
	}
	return 0;
}

static int read_section(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
	const char *name = text_of(key);
	int (*read)(struct reading *, const yaml_node_t *, const yaml_node_t *) = NULL;
	int rc = 0;

	if (name && strcmp(name, "hosts") == 0)
		read = read_host;
	else if (name && strcmp(name, "groups") == 0)
		read = read_group;
	if (!read)
		return refuse(reading, key, "the keys here are 'hosts' and 'groups'");
	if (is_nothing(value))
		return 0;
	if (value->type != YAML_MAPPING_NODE)
		return refuse(reading, value, "hosts and groups are written as `name: ...`");
	for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
	     rc == 0 && pair < value->data.mapping.pairs.top; pair++)
		rc = read(reading, node_of(reading, pair->key), node_of(reading, pair->value));
	return rc;
}

static int read_root(struct reading *reading)
{
	const yaml_node_t *root = yaml_document_get_root_node(&reading->document);
	int rc = 0;

	if (!root || is_nothing(root))
		return 0;
	if (root->type != YAML_MAPPING_NODE)
		return refuse(reading, root, "the keys here are 'hosts' and 'groups'");
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     rc == 0 && pair < root->data.mapping.pairs.top; pair++)
		rc = read_section(reading, node_of(reading, pair->key),
				  node_of(reading, pair->value));
	return rc;
}

static int refuse_syntax(const struct reading *reading, const yaml_parser_t *parser)
{
	reason_set(reading->reason, "%s:%zu: %s", file_shown(reading->path),
		   parser->problem_mark.line + 1,
		   parser->problem ? parser->problem : "this is no YAML");
	return -1;
}

int book_read(const char *path, const struct text *text, struct book *ret,
	      struct spk_reason_buffer *reason)
{
	struct reading reading = {.book = ret, .path = path, .reason = reason};
	yaml_parser_t parser;
	int rc = -1;

	*ret = (struct book){0};
	if (!yaml_parser_initialize(&parser)) {
		reason_set(reason, "cannot use libyaml");
		return -1;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text->bytes, text->length);
	if (yaml_parser_load(&parser, &reading.document)) {
		rc = read_root(&reading);
		yaml_document_delete(&reading.document);
	} else {
		refuse_syntax(&reading, &parser);
	}
	if (rc == 0 && !yaml_parser_load(&parser, &reading.document)) {
		rc = refuse_syntax(&reading, &parser);
	} else if (rc == 0) {
		const yaml_node_t *more = yaml_document_get_root_node(&reading.document);

		if (more)
			rc = refuse(&reading, more, "there is more than one document");
		yaml_document_delete(&reading.document);
	}
	yaml_parser_delete(&parser);
	if (rc < 0)
		book_free(ret);
	return rc;
}

void book_free(struct book *book)
{
	for (size_t i = 0; i < book->count; i++) {
		struct book_entry *entry = &book->entries[i];

		for (size_t j = 0; j < entry->fact_count; j++) {
			memory_free(entry->facts[j].name);
			memory_free(entry->facts[j].value);
		}
		memory_free(entry->facts);
		memory_free(entry->hosts);
		memory_free(entry->group);
	}
	for (size_t i = 0; i < book->group_count; i++)
		memory_free(book->groups[i]);
	memory_free(book->entries);
	memory_free(book->groups);
	*book = (struct book){0};
}

bool book_has_group(const struct book *book, const char *name)
{
	for (size_t i = 0; i < book->group_count; i++)
		if (strcmp(book->groups[i], name) == 0)
			return true;
	return false;
}
