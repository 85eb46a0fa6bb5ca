/* SPDX-License-Identifier: Apache-2.0 */
#include "configtree.h"

#include <libconfig.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "../runtime/configtext.h"
#include "../runtime/copy.h"

/* What libconfig made of a file, freed also when memory of the run ends in the middle. */
struct reading {
	config_t parsed;
	struct config_node *root;
};

const char *config_node_type(const struct config_node *node)
{
	static const char *const names[] = {
		[CONFIG_NODE_GROUP] = "a group",        [CONFIG_NODE_LIST] = "a list",
		[CONFIG_NODE_TEXT] = "a text",          [CONFIG_NODE_INT] = "a whole number",
		[CONFIG_NODE_DOUBLE] = "a real number", [CONFIG_NODE_BOOL] = "true or false",
		[CONFIG_NODE_NOTHING] = "null",
	};

	return names[node->type];
}

static void convert(struct spk *spk, const config_setting_t *setting, struct config_node *node)
{
	int count = config_setting_length(setting);
	const char *text;

	node->line = (int)config_setting_source_line(setting);
	node->name = copy_text(spk,
			       config_setting_name(setting) ? config_setting_name(setting) : "");
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		node->type = CONFIG_NODE_INT;
		node->integer = config_setting_get_int64(setting);
		return;
	case CONFIG_TYPE_FLOAT:
		node->type = CONFIG_NODE_DOUBLE;
		node->real = config_setting_get_float(setting);
		return;
	case CONFIG_TYPE_BOOL:
		node->type = CONFIG_NODE_BOOL;
		node->integer = config_setting_get_bool(setting);
		return;
	case CONFIG_TYPE_STRING:
		text = config_setting_get_string(setting);
		node->type = CONFIG_NODE_TEXT;
		node->text = copy_text(spk, text ? text : "");
		return;
	case CONFIG_TYPE_GROUP:
		node->type = CONFIG_NODE_GROUP;
		break;
	default:
		node->type = CONFIG_NODE_LIST;
	}
	node->count = count > 0 ? (size_t)count : 0;
	if (node->count)
		node->children = spk_alloc(spk, node->count * sizeof(*node->children));
	for (int i = 0; i < count; i++)
		convert(spk, config_setting_get_elem(setting, (unsigned int)i), &node->children[i]);
}

static void convert_all(struct spk *spk, void *argument)
{
	struct reading *reading = argument;

	reading->root = SPK_NEW(spk, struct config_node);
	convert(spk, config_root_setting(&reading->parsed), reading->root);
}

const struct config_node *config_tree_read(struct spk *spk, const char *file)
{
	struct reading reading = {0};
	const struct spk_error *error = NULL;
	struct err err;
	bool done;

	if (configtext_read(file, &reading.parsed, &err) < 0)
		spk_raise(spk, "config.file", NULL, "%s", err.text);
	done = spk_try(spk, convert_all, &reading, &error);
	config_destroy(&reading.parsed);
	if (!done)
		spk_raise_again(spk, error);
	return reading.root;
}
