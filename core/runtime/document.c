/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "jsontext.h"
#include "mem.h"
#include "printable.h"
#include "smallfile.h"
#include "trust.h"

#define DRIVER "yaml"
#define FILE_LIMIT ((size_t)4 * 1024 * 1024)
/* Aliases may make much of a short text. */
#define EVENTS_MAX 1000000
#define DEPTH_MAX 64

/* A document being built: the lists and maps that are open, the outermost first. */
struct building {
	struct document_node *open[DEPTH_MAX + 2];
	size_t depth;
	bool done; /* the root is complete */
	char *key; /* of the next value in a map */
	struct document_node *root;
};

/* Where the next value goes. Moves what was there: only the innermost grows. */
static struct document_node *place(struct building *building)
{
	struct document_node *in, *node;

	if (building->depth == 0)
		return building->root;
	in = building->open[building->depth - 1];
	in->children = xgrow(in->children, in->count, &in->capacity, sizeof(*in->children));
	node = &in->children[in->count++];
	*node = (struct document_node){.key = building->key};
	building->key = NULL;
	return node;
}

static bool build(void *data, const struct spk_document_event *event)
{
	struct building *building = data;
	struct document_node *node;

	if (building->done)
		return false;
	if (event->kind == SPK_DOCUMENT_END) {
		if (building->depth == 0)
			return false;
		building->done = --building->depth == 0;
		return true;
	}
	if (event->kind == SPK_DOCUMENT_KEY) {
		free(building->key);
		building->key = xstrndup(event->text, event->length);
		return true;
	}
	node = place(building);
	node->kind = event->kind;
	node->line = event->line;
	if (event->kind == SPK_DOCUMENT_NUMBER || event->kind == SPK_DOCUMENT_TEXT)
		node->text = xstrndup(event->text, event->length);
	if (event->kind != SPK_DOCUMENT_LIST && event->kind != SPK_DOCUMENT_MAP) {
		building->done = building->depth == 0;
		return true;
	}
	if (building->depth == sizeof(building->open) / sizeof(building->open[0]))
		return false;
	building->open[building->depth++] = node;
	return true;
}

static void free_node(struct document_node *node)
{
	for (size_t i = 0; i < node->count; i++)
		free_node(&node->children[i]);
	free(node->children);
	free(node->key);
	free(node->text);
}

void document_free(struct document *document)
{
	if (!document)
		return;
	free_node(&document->root);
	free(document->file);
	free(document);
}

int document_parse(const char *file, const char *text, size_t length, struct document **ret,
		   struct err *err)
{
	struct spk_reason_buffer reason = {""};
	char shown[PRINTABLE_PATH_SIZE];
	const struct spk_document_driver *driver;
	struct document *document;
	struct building building;
	int rc;

	driver = (const struct spk_document_driver *)driver_open("document", DRIVER,
								 sizeof(*driver), err);
	if (!driver)
		return -1;
	document = xcalloc(1, sizeof(*document));
	document->file = xstrdup(file);
	document->root = (struct document_node){.kind = SPK_DOCUMENT_NULL, .line = 1};
	building = (struct building){.root = &document->root};
	rc = driver->read(text, length, EVENTS_MAX, build, &building, &reason);
	free(building.key);
	if (rc != 0)
		rc = err_set(err, "%s:%s", printable_path(file, shown),
			     rc < 0 ? reason.text : "1: the driver tells no document");
	if (rc == 0)
		*ret = document;
	else
		document_free(document);
	return rc;
}

int document_read(const char *file, struct document **ret, struct err *err)
{
	struct buf text = {0};
	int rc;

	if (trust_check_parents(file, err) < 0 || smallfile_read(file, FILE_LIMIT, &text, err) < 0)
		return -1;
	rc = document_parse(file, buf_text(&text), text.length, ret, err);
	buf_free(&text);
	return rc;
}

const struct document_node *document_member(const struct document_node *map, const char *name)
{
	if (map->kind != SPK_DOCUMENT_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		if (map->children[i].key && strcmp(map->children[i].key, name) == 0)
			return &map->children[i];
	return NULL;
}

const char *document_text(const struct document_node *node)
{
	return node->kind == SPK_DOCUMENT_TEXT ? node->text : NULL;
}

int document_refuse(const struct document *document, const struct document_node *node,
		    struct err *err, const char *format, ...)
{
	char shown[PRINTABLE_PATH_SIZE], *what;
	struct buf text = {0};
	va_list args;

	va_start(args, format);
	what = xvasprintf(format, args);
	va_end(args);
	printable_add(&text, what, strlen(what));
	err_set(err, "%s:%zu: %s", printable_path(document->file, shown), node->line,
		buf_text(&text));
	buf_free(&text);
	free(what);
	return -1;
}

void document_put_json(const struct document_node *node, struct buf *out)
{
	bool map = node->kind == SPK_DOCUMENT_MAP;

	switch (node->kind) {
	case SPK_DOCUMENT_FALSE:
		buf_puts(out, "false");
		return;
	case SPK_DOCUMENT_TRUE:
		buf_puts(out, "true");
		return;
	case SPK_DOCUMENT_NUMBER:
		buf_puts(out, node->text);
		return;
	case SPK_DOCUMENT_TEXT:
		json_put_text(out, node->text);
		return;
	case SPK_DOCUMENT_LIST:
	case SPK_DOCUMENT_MAP:
		buf_putc(out, map ? '{' : '[');
		for (size_t i = 0; i < node->count; i++) {
			buf_puts(out, i ? ", " : "");
			if (map) {
				json_put_text(out, node->children[i].key);
				buf_puts(out, ": ");
			}
			document_put_json(&node->children[i], out);
		}
		buf_putc(out, map ? '}' : ']');
		return;
	default:
		buf_puts(out, "null");
	}
}
