/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver that reads YAML, as the Python host does: libyaml parses, and plain scalars are what
 * its safe loader (YAML 1.1) takes them for. Aliases are told as what they stand for, merge keys
 * (`<<`) as the members that they bring.
 */
#include <string.h>
#include <yaml.h>

#include "../base/memory.h"
#include "scalar.h"

#define DEPTH_MAX 64

SPK_API extern const struct spk_document_driver spk_driver;

/* A text being told. */
struct telling {
	yaml_document_t document;
	spk_document_visitor *visitor;
	void *data;
	size_t left; /* events */
	bool stopped;
	struct spk_reason_buffer *reason;
};

static int tell_node(struct telling *telling, int index, unsigned int depth);

static int refuse(const struct telling *telling, const yaml_node_t *node, const char *wrong)
{
	reason_set(telling->reason, "%zu: %s", node->start_mark.line + 1, wrong);
	return -1;
}

static int tell(struct telling *telling, const yaml_node_t *node, uint32_t kind, const char *text,
		size_t length)
{
	if (telling->left-- == 0) {
		telling->left = 0;
		return refuse(telling, node, "with this there is too much, perhaps by aliases");
	}
	if (telling->visitor(telling->data,
			     &(struct spk_document_event){.size = sizeof(struct spk_document_event),
							  .kind = kind,
							  .line = node->start_mark.line + 1,
							  .text = text,
							  .length = length}))
		return 0;
	telling->stopped = true;
	return -1;
}

static int tell_scalar(struct telling *telling, const yaml_node_t *node)
{
	struct text number = {0};
	const char *text = (const char *)node->data.scalar.value;
	size_t length = node->data.scalar.length;
	uint32_t kind = SPK_DOCUMENT_TEXT;
	int rc;

	if (memchr(text, '\0', length))
		return refuse(telling, node, "a NUL is in a text");
	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		kind = scalar_kind(text, length, &number);
	if (kind == SPK_DOCUMENT_NUMBER)
		rc = tell(telling, node, kind, number.bytes, number.length);
	else
		rc = tell(telling, node, kind, text, length);
	text_free(&number);
	return rc;
}

static yaml_node_t *node_of(struct telling *telling, int index)
{
	return yaml_document_get_node(&telling->document, index);
}

static bool is_merge(const yaml_node_t *key)
{
	return key->type == YAML_SCALAR_NODE && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       strcmp((const char *)key->data.scalar.value, "<<") == 0;
}

/* What a map has been told to hold, for the members that a merge must not tell again. */
struct seen {
	const yaml_node_t **keys;
	size_t count, capacity;
};

static bool is_seen(const struct seen *seen, const yaml_node_t *key)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->keys[i]->data.scalar.length == key->data.scalar.length &&
		    memcmp(seen->keys[i]->data.scalar.value, key->data.scalar.value,
			   key->data.scalar.length) == 0)
			return true;
	return false;
}

static int tell_member(struct telling *telling, const yaml_node_pair_t *pair, struct seen *seen,
		       bool merged, unsigned int depth)
{
	const yaml_node_t *key = node_of(telling, pair->key);

	if (key->type != YAML_SCALAR_NODE)
		return refuse(telling, key, "a key has to be a text");
	if (memchr(key->data.scalar.value, '\0', key->data.scalar.length))
		return refuse(telling, key, "a NUL is in a key");
	if (is_seen(seen, key))
		return merged ? 0 : refuse(telling, key, "this key is there twice");
	seen->keys = memory_grow(seen->keys, seen->count, &seen->capacity, sizeof(*seen->keys));
	seen->keys[seen->count++] = key;
	if (tell(telling, key, SPK_DOCUMENT_KEY, (const char *)key->data.scalar.value,
		 key->data.scalar.length) < 0)
		return -1;
	return tell_node(telling, pair->value, depth + 1);
}

static int tell_members(struct telling *telling, const yaml_node_t *map, struct seen *seen,
			bool merged, unsigned int depth);

/* A map, or a list of maps; the first that has a key wins. */
static int tell_merged(struct telling *telling, const yaml_node_t *node, struct seen *seen,
		       unsigned int depth)
{
	int rc = 0;

	if (depth > DEPTH_MAX)
		return refuse(telling, node, "this is nested too deep");
	if (node->type == YAML_MAPPING_NODE)
		return tell_members(telling, node, seen, true, depth + 1);
	if (node->type != YAML_SEQUENCE_NODE)
		return refuse(telling, node, "'<<' needs a map, or a list of them");
	for (const yaml_node_item_t *item = node->data.sequence.items.start;
	     rc == 0 && item < node->data.sequence.items.top; item++)
		rc = tell_merged(telling, node_of(telling, *item), seen, depth + 1);
	return rc;
}

static int tell_members(struct telling *telling, const yaml_node_t *map, struct seen *seen,
			bool merged, unsigned int depth)
{
	int rc = 0;

	/* What stands there goes before what is merged. */
	for (int merges = 0; merges < 2; merges++) {
		for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
		     rc == 0 && pair < map->data.mapping.pairs.top; pair++) {
			bool is = is_merge(node_of(telling, pair->key));

			if (is && merges)
				rc = tell_merged(telling, node_of(telling, pair->value), seen,
						 depth + 1);
			else if (!is && !merges)
				rc = tell_member(telling, pair, seen, merged, depth);
		}
	}
	return rc;
}

static int tell_map(struct telling *telling, const yaml_node_t *node, unsigned int depth)
{
	struct seen seen = {0};
	int rc = tell(telling, node, SPK_DOCUMENT_MAP, NULL, 0);

	if (rc == 0)
		rc = tell_members(telling, node, &seen, false, depth);
	memory_free(seen.keys);
	return rc < 0 ? -1 : tell(telling, node, SPK_DOCUMENT_END, NULL, 0);
}

static int tell_list(struct telling *telling, const yaml_node_t *node, unsigned int depth)
{
	int rc = tell(telling, node, SPK_DOCUMENT_LIST, NULL, 0);

	for (const yaml_node_item_t *item = node->data.sequence.items.start;
	     rc == 0 && item < node->data.sequence.items.top; item++)
		rc = tell_node(telling, *item, depth + 1);
	return rc < 0 ? -1 : tell(telling, node, SPK_DOCUMENT_END, NULL, 0);
}

static int tell_node(struct telling *telling, int index, unsigned int depth)
{
	const yaml_node_t *node = node_of(telling, index);

	/* An alias of what it stands in is nested without end. */
	if (depth > DEPTH_MAX)
		return refuse(telling, node, "this is nested too deep");
	switch (node->type) {
	case YAML_SCALAR_NODE:
		return tell_scalar(telling, node);
	case YAML_SEQUENCE_NODE:
		return tell_list(telling, node, depth);
	case YAML_MAPPING_NODE:
		return tell_map(telling, node, depth);
	default:
		return refuse(telling, node, "not YAML");
	}
}

/* 1: there is a document. */
static int load(yaml_parser_t *parser, yaml_document_t *document, struct spk_reason_buffer *reason)
{
	if (!yaml_parser_load(parser, document)) {
		reason_set(reason, "%zu: %s", parser->problem_mark.line + 1,
			   parser->problem ? parser->problem : "not YAML");
		return -1;
	}
	if (yaml_document_get_root_node(document))
		return 1;
	yaml_document_delete(document);
	return 0;
}

static int read_text(const char *text, size_t length, size_t most, spk_document_visitor *visitor,
		     void *data, struct spk_reason_buffer *reason)
{
	struct telling telling = {.visitor = visitor, .data = data, .left = most, .reason = reason};
	yaml_document_t more;
	yaml_parser_t parser;
	int rc;

	if (!yaml_parser_initialize(&parser)) {
		reason_set(reason, "0: out of memory");
		return -1;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	rc = load(&parser, &telling.document, reason);
	if (rc > 0) {
		rc = tell_node(&telling, 1, 0);
		yaml_document_delete(&telling.document);
	}
	if (rc == 0 && !parser.eof) {
		rc = load(&parser, &more, reason);
		if (rc > 0) {
			reason_set(reason, "%zu: there is more than one document",
				   more.start_mark.line + 1);
			yaml_document_delete(&more);
			rc = -1;
		}
	}
	yaml_parser_delete(&parser);
	return telling.stopped ? 1 : rc;
}

const struct spk_document_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_document_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "document",
		   .name = "yaml"},
	.read = read_text,
};
