/* SPDX-License-Identifier: Apache-2.0 */
#include "configtree.h"

#include <libconfig.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "../runtime/buf.h"
#include "../runtime/err.h"
#include "../runtime/smallfile.h"
#include "../runtime/trust.h"
#include "../runtime/copy.h"

#define MAX_FILE ((size_t)1 << 20)
#define MAX_DEPTH 64

/* What a file is read with, freed also when memory of the run ends in the middle. */
struct reading {
	const char *file;
	struct buf text;
	config_t parsed;
	struct config_node *root;
};

const char *config_node_type(const struct config_node *node)
{
	static const char *const names[] = {
		[CONFIG_NODE_GROUP] = "a group",        [CONFIG_NODE_LIST] = "a list",
		[CONFIG_NODE_TEXT] = "a text",          [CONFIG_NODE_INT] = "a whole number",
		[CONFIG_NODE_DOUBLE] = "a real number", [CONFIG_NODE_BOOL] = "true or false",
	};

	return names[node->type];
}

/* The line of the first @include, which libconfig would follow to any file; 0 for none. */
static int find_include(const char *text)
{
	for (int line = 1;; line++) {
		text += strspn(text, " \t");
		if (strncmp(text, "@include", strlen("@include")) == 0)
			return line;
		text += strcspn(text, "\n");
		if (!*text++)
			return 0;
	}
}

static void convert(struct spk *spk, const struct reading *reading, const config_setting_t *setting,
		    struct config_node *node, int depth)
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
	if (depth > MAX_DEPTH)
		spk_raise(spk, "config.file", NULL, "%s:%d: settings are nested too deeply",
			  reading->file, node->line);
	node->count = count > 0 ? (size_t)count : 0;
	if (node->count)
		node->children = spk_alloc(spk, node->count * sizeof(*node->children));
	for (int i = 0; i < count; i++)
		convert(spk, reading, config_setting_get_elem(setting, (unsigned int)i),
			&node->children[i], depth + 1);
}

static void read_file(struct spk *spk, void *argument)
{
	struct reading *reading = argument;
	struct err err = {{0}};
	int line;

	if (trust_check_parents(reading->file, &err) < 0 ||
	    smallfile_read(reading->file, MAX_FILE, &reading->text, &err) < 0)
		spk_raise(spk, "config.file", NULL, "cannot read the configuration: %s", err.text);
	line = find_include(buf_text(&reading->text));
	if (line)
		spk_raise(spk, "config.file", NULL, "%s:%d: @include is not allowed", reading->file,
			  line);
	if (!config_read_string(&reading->parsed, buf_text(&reading->text)))
		spk_raise(spk, "config.file", NULL, "%s:%d: %s", reading->file,
			  config_error_line(&reading->parsed), config_error_text(&reading->parsed));
	reading->root = SPK_NEW(spk, struct config_node);
	convert(spk, reading, config_root_setting(&reading->parsed), reading->root, 0);
}

const struct config_node *config_tree_read(struct spk *spk, const char *file)
{
	struct reading reading = {.file = file};
	const struct spk_error *error = NULL;
	bool done;

	config_init(&reading.parsed);
	done = spk_try(spk, read_file, &reading, &error);
	config_destroy(&reading.parsed);
	buf_free(&reading.text);
	if (!done)
		spk_raise_again(spk, error);
	return reading.root;
}
