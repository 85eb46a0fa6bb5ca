/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files of modules and cookbooks: what is asked of them. They are read by
 * configtree.c. */
#include <spicerack/config.h>

#include <ctype.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>
#include <spicerack/text.h>

#include "configtree.h"
#include "moduleconfig.h"
#include "../runtime/misuse.h"

#define CONFIG_MAGIC 0x6366671eU

/* Plain data in memory of the run. */
struct spk_config {
	uint32_t magic;
	struct spk *spk;
	const char *file;
	const struct config_node *root;
};

const struct spk_config *config_of_tree(struct spk *spk, const char *file,
					const struct config_node *root)
{
	struct spk_config *config = SPK_NEW(spk, struct spk_config);

	config->spk = spk;
	config->file = spk_format(spk, "%s", file);
	config->root = root;
	config->magic = CONFIG_MAGIC;
	return config;
}

const struct spk_config *spk_config_read(struct spk *spk, const char *file)
{
	CHECK_NOT_EMPTY(file);
	return config_of_tree(spk, file, config_tree_read(spk, file));
}

const struct spk_config *spk_module_config(struct spk *spk, const char *module)
{
	CHECK_NOT_EMPTY(module);
	if (strchr(module, '/') || spk_streq(module, ".") || spk_streq(module, ".."))
		session_misuse(__func__, "'%s' is no name of a module", module);
	return spk_config_read(spk,
			       spk_format(spk, "%s/%s/config.cfg", spk_config_dir(spk), module));
}

static SPK_NORETURN void wrong_type(const struct spk_config *config, const struct config_node *node,
				    const char *path, size_t length, const char *wanted)
{
	spk_raise(config->spk, "config.type", NULL, "%s:%d: the setting '%.*s' is %s, not %s",
		  config->file, node->line, (int)length, path, config_node_type(node), wanted);
}

/* One step down: a name in a group, a number (also in brackets) in an array or list. */
static const struct config_node *step(const struct config_node *node, const char *part,
				      size_t length)
{
	size_t index = 0;

	if (node->type == CONFIG_NODE_GROUP) {
		for (size_t i = 0; i < node->count; i++) {
			if (strlen(node->children[i].name) == length &&
			    memcmp(node->children[i].name, part, length) == 0)
				return &node->children[i];
		}
		return NULL;
	}
	if (length > 2 && part[0] == '[' && part[length - 1] == ']') {
		part++;
		length -= 2;
	}
	if (!length || length > 9)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)part[i]))
			return NULL;
		index = index * 10 + (size_t)(part[i] - '0');
	}
	return index < node->count ? &node->children[index] : NULL;
}

static bool has_children(const struct config_node *node)
{
	return node->type == CONFIG_NODE_GROUP || node->type == CONFIG_NODE_LIST;
}

/* NULL when it is not there; raises when the path leads through something that has no settings. */
static const struct config_node *find(const struct spk_config *config, const char *path)
{
	const struct config_node *node = config->root;
	const char *part = path;

	while (node && *part) {
		size_t length = strcspn(part, ".");

		if (!has_children(node))
			wrong_type(config, node, path, (size_t)(part - path) - 1, "a group");
		node = step(node, part, length);
		part += length;
		part += *part == '.';
	}
	return node && node->type == CONFIG_NODE_NOTHING ? NULL : node;
}

static const struct config_node *get(const struct spk_config *config, const char *path)
{
	const struct config_node *node = find(config, path);

	if (!node)
		spk_raise(config->spk, "config.missing", NULL, "%s: there is no setting '%s'",
			  config->file, path);
	return node;
}

/* NULL passes; anything else must be of the type. */
static const struct config_node *expect(const struct spk_config *config, const char *path,
					const struct config_node *node, enum config_node_type type,
					const char *wanted)
{
	if (node && node->type != type)
		wrong_type(config, node, path, strlen(path), wanted);
	return node;
}

static const struct config_node *expect_text(const struct spk_config *config, const char *path,
					     const struct config_node *node)
{
	return expect(config, path, node, CONFIG_NODE_TEXT, "a text");
}

static const struct config_node *expect_int(const struct spk_config *config, const char *path,
					    const struct config_node *node)
{
	return expect(config, path, node, CONFIG_NODE_INT, "a whole number");
}

static const struct config_node *expect_bool(const struct spk_config *config, const char *path,
					     const struct config_node *node)
{
	return expect(config, path, node, CONFIG_NODE_BOOL, "true or false");
}

#define CHECK_ASKED()                                                                              \
	CHECK_HANDLE(config, CONFIG_MAGIC);                                                        \
	CHECK_GIVEN(path)

spk_strings spk_sites(struct spk *spk, const char *name)
{
	CHECK_SPK(spk);
	CHECK_GIVEN(name);
	for (size_t i = 0; i < spk->order.site_count; i++)
		if (strcmp(spk->order.sites[i].name, name) == 0)
			return spk->order.sites[i].texts;
	spk_raise(spk, "config.missing", NULL, "there is no list 'sites.%s' in the configuration",
		  name);
}

bool spk_config_has(const struct spk_config *config, const char *path)
{
	const struct config_node *node;

	CHECK_ASKED();
	node = config->root;
	while (node && *path) {
		size_t length = strcspn(path, ".");

		node = has_children(node) ? step(node, path, length) : NULL;
		path += length;
		path += *path == '.';
	}
	return node && node->type != CONFIG_NODE_NOTHING;
}

const struct spk_config *config_below(const struct spk_config *config, const char *name)
{
	const struct config_node *node = step(config->root, name, strlen(name));

	if (!node || node->type == CONFIG_NODE_NOTHING)
		return NULL;
	expect(config, name, node, CONFIG_NODE_GROUP, "a group");
	return config_of_tree(config->spk, config->file, node);
}

const char *spk_config_get_text(const struct spk_config *config, const char *path)
{
	CHECK_ASKED();
	return expect_text(config, path, get(config, path))->text;
}

const char *spk_config_find_text(const struct spk_config *config, const char *path,
				 const char *otherwise)
{
	const struct config_node *node;

	CHECK_ASKED();
	node = expect_text(config, path, find(config, path));
	return node ? node->text : otherwise;
}

long long spk_config_get_int(const struct spk_config *config, const char *path)
{
	CHECK_ASKED();
	return expect_int(config, path, get(config, path))->integer;
}

long long spk_config_find_int(const struct spk_config *config, const char *path,
			      long long otherwise)
{
	const struct config_node *node;

	CHECK_ASKED();
	node = expect_int(config, path, find(config, path));
	return node ? node->integer : otherwise;
}

double spk_config_get_double(const struct spk_config *config, const char *path)
{
	const struct config_node *node;

	CHECK_ASKED();
	node = get(config, path);
	if (node->type == CONFIG_NODE_INT)
		return (double)node->integer;
	return expect(config, path, node, CONFIG_NODE_DOUBLE, "a number")->real;
}

bool spk_config_get_bool(const struct spk_config *config, const char *path)
{
	CHECK_ASKED();
	return expect_bool(config, path, get(config, path))->integer != 0;
}

bool spk_config_find_bool(const struct spk_config *config, const char *path, bool otherwise)
{
	const struct config_node *node;

	CHECK_ASKED();
	node = expect_bool(config, path, find(config, path));
	return node ? node->integer != 0 : otherwise;
}

spk_strings spk_config_get_list(const struct spk_config *config, const char *path)
{
	const struct config_node *node;
	const char **items;

	CHECK_ASKED();
	node = expect(config, path, get(config, path), CONFIG_NODE_LIST, "a list of texts");
	items = node->count ? spk_alloc(config->spk, node->count * sizeof(char *)) : NULL;
	for (size_t i = 0; i < node->count; i++) {
		if (node->children[i].type != CONFIG_NODE_TEXT)
			spk_raise(config->spk, "config.type", NULL,
				  "%s:%d: item %zu of the setting '%s' is %s, not a text",
				  config->file, node->children[i].line, i, path,
				  config_node_type(&node->children[i]));
		items[i] = node->children[i].text;
	}
	return (spk_strings){items, node->count};
}

spk_strings spk_config_names(const struct spk_config *config, const char *path)
{
	const struct config_node *node;
	const char **items;

	CHECK_ASKED();
	node = expect(config, path, get(config, path), CONFIG_NODE_GROUP, "a group");
	items = node->count ? spk_alloc(config->spk, node->count * sizeof(char *)) : NULL;
	for (size_t i = 0; i < node->count; i++)
		items[i] = node->children[i].name;
	return (spk_strings){items, node->count};
}

void spk_config_expect(const struct spk_config *config, const char *path, spk_strings names)
{
	const struct config_node *node;

	CHECK_ASKED();
	CHECK_LIST(names);
	node = expect(config, path, get(config, path), CONFIG_NODE_GROUP, "a group");
	for (size_t i = 0; i < node->count; i++)
		if (!spk_includes(names, node->children[i].name))
			spk_raise(config->spk, "config.type", NULL, "%s:%d: unknown key '%s%s%s'",
				  config->file, node->children[i].line, path, *path ? "." : "",
				  node->children[i].name);
}
