/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration in YAML, as the same tree that one in libconfig's syntax becomes. */
#include <spicerack/config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/error.h>

#include "../runtime/copy.h"
#include "../runtime/document.h"
#include "../runtime/misuse.h"
#include "moduleconfig.h"

/* What was read of a file, freed also when memory of the run ends in the middle. */
struct reading {
	struct document *document;
	struct config_node *root;
};

static void convert_number(const char *text, struct config_node *node)
{
	char *end;

	errno = 0;
	node->integer = strtoll(text, &end, 10);
	node->type = errno == 0 && *end == '\0' ? CONFIG_NODE_INT : CONFIG_NODE_DOUBLE;
	if (node->type == CONFIG_NODE_DOUBLE)
		node->real = strtod(text, NULL);
}

static void convert(struct spk *spk, const struct document_node *from, struct config_node *node)
{
	node->line = (int)from->line;
	node->name = copy_text(spk, from->key ? from->key : "");
	switch (from->kind) {
	case SPK_DOCUMENT_NULL:
		node->type = CONFIG_NODE_NOTHING;
		return;
	case SPK_DOCUMENT_FALSE:
	case SPK_DOCUMENT_TRUE:
		node->type = CONFIG_NODE_BOOL;
		node->integer = from->kind == SPK_DOCUMENT_TRUE;
		return;
	case SPK_DOCUMENT_NUMBER:
		convert_number(from->text, node);
		return;
	case SPK_DOCUMENT_TEXT:
		node->type = CONFIG_NODE_TEXT;
		node->text = copy_text(spk, from->text);
		return;
	default:
		node->type = from->kind == SPK_DOCUMENT_MAP ? CONFIG_NODE_GROUP : CONFIG_NODE_LIST;
		break;
	}
	node->count = from->count;
	if (node->count)
		node->children = spk_alloc(spk, node->count * sizeof(*node->children));
	for (size_t i = 0; i < from->count; i++)
		convert(spk, &from->children[i], &node->children[i]);
}

static void convert_all(struct spk *spk, void *argument)
{
	struct reading *reading = argument;

	reading->root = SPK_NEW(spk, struct config_node);
	convert(spk, &reading->document->root, reading->root);
}

static const struct config_node *read_tree(struct spk *spk, const char *file)
{
	const struct spk_error *error = NULL;
	struct reading reading = {0};
	struct err err;
	bool done;

	if (document_read(file, &reading.document, &err) < 0)
		spk_raise(spk, "config.file", NULL, "%s", err.text);
	done = spk_try(spk, convert_all, &reading, &error);
	document_free(reading.document);
	if (!done)
		spk_raise_again(spk, error);
	if (reading.root->type == CONFIG_NODE_NOTHING)
		reading.root->type = CONFIG_NODE_GROUP;
	if (reading.root->type != CONFIG_NODE_GROUP)
		spk_raise(spk, "config.file", NULL,
			  "%s:%d: this is %s, where names and values are "
			  "expected",
			  file, reading.root->line, config_node_type(reading.root));
	return reading.root;
}

const struct spk_config *spk_config_read_yaml(struct spk *spk, const char *file)
{
	CHECK_NOT_EMPTY(file);
	return config_of_tree(spk, file, read_tree(spk, file));
}
