/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonpath.h"

#include <ctype.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/text.h>

#include "../runtime/copy.h"
#include "../runtime/jsonread.h"
#include "../runtime/printable.h"

#define NAME_MAX_LENGTH 255
#define NUMBER_MAX_LENGTH 9

/* One step of a path. */
struct step {
	bool is_item;
	size_t number;
	char name[NAME_MAX_LENGTH + 1];
};

static bool is_bare(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

/* ---- reading ---- */

/* Behind `["`. The length with the closing quote; 0: it is no name. */
static size_t read_quoted(const char *text, char *name)
{
	size_t at = 0, length = 0;

	while (text[at] && text[at] != '"') {
		at += text[at] == '\\';
		if (!text[at] || length == NAME_MAX_LENGTH)
			return 0;
		name[length++] = text[at++];
	}
	name[length] = '\0';
	return text[at] ? at + 1 : 0;
}

static size_t read_number(const char *text, size_t *ret)
{
	size_t length = 0;

	*ret = 0;
	while (isdigit((unsigned char)text[length]))
		*ret = *ret * 10 + (size_t)(text[length++] - '0');
	return length <= NUMBER_MAX_LENGTH ? length : 0;
}

static size_t read_bracket(const char *text, struct step *step)
{
	size_t length;

	step->is_item = text[1] != '"';
	if (step->is_item) {
		length = read_number(text + 1, &step->number);
	} else {
		length = read_quoted(text + 2, step->name);
		length += length > 0;
	}
	return length && text[1 + length] == ']' ? length + 2 : 0;
}

/* The length of the step at `text`, which is not empty; 0: it is none. */
static size_t read_step(const char *text, bool first, struct step *step)
{
	size_t dot = !first && *text == '.', length = 0;

	if (*text == '[')
		return read_bracket(text, step);
	if (!first && !dot)
		return 0;
	while (is_bare(text[dot + length]))
		length++;
	if (length == 0 || length > NAME_MAX_LENGTH)
		return 0;
	step->is_item = false;
	memcpy(step->name, text + dot, length);
	step->name[length] = '\0';
	return dot + length;
}

struct json_found json_path_follow(const char *function, const struct spk_json *value,
				   const char *path)
{
	struct json_found found = {.value = (struct spk_json *)(uintptr_t)value};
	const char *at = path;
	struct step step;

	found.last = found.value;
	while (*at) {
		size_t length = read_step(at, at == path, &step);
		struct spk_json *next = NULL;

		if (!length)
			session_misuse(function, "'%s' is no path: it goes wrong at byte %zu", path,
				       (size_t)(at - path));
		at += length;
		if (!found.value)
			continue;
		if (step.is_item && found.value->type == SPK_JSON_ARRAY)
			next = step.number < found.value->count ? found.value->items[step.number]
								: NULL;
		else if (!step.is_item && found.value->type == SPK_JSON_OBJECT)
			next = json_value_member(found.value, step.name);
		else
			found.astray = found.value->type != SPK_JSON_NULL;
		found.value = next;
		if (next) {
			found.last = next;
			found.used = (size_t)(at - path);
		}
	}
	return found;
}

/* ---- writing ---- */

static void add_name(struct buf *out, const char *name)
{
	size_t bare = 0;

	while (is_bare(name[bare]))
		bare++;
	if (bare && !name[bare]) {
		if (out->length)
			buf_putc(out, '.');
		buf_puts(out, name);
		return;
	}
	buf_puts(out, "[\"");
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *name);
	}
	buf_puts(out, "\"]");
}

void json_path_add(struct buf *out, const struct spk_json *value)
{
	const struct spk_json *chain[JSON_DEPTH + 1];
	size_t count = 0;

	for (; value->parent && count < sizeof(chain) / sizeof(chain[0]); value = value->parent)
		chain[count++] = value;
	while (count-- > 0) {
		const struct spk_json *parent = chain[count]->parent;
		size_t place = 0;

		if (chain[count]->name) {
			add_name(out, chain[count]->name);
			continue;
		}
		while (place < parent->count && parent->items[place] != chain[count])
			place++;
		buf_printf(out, "[%zu]", place);
	}
}

/* ---- errors ---- */

/* As a message names it: the path in quotes, made printable. */
static const char *shown(struct spk *spk, const char *path)
{
	struct buf text = {0};

	if (!*path)
		return "the document";
	buf_putc(&text, '\'');
	printable_add(&text, path, strlen(path));
	buf_putc(&text, '\'');
	return copy_buf(spk, &text);
}

static const char *path_of(struct spk *spk, const struct spk_json *value)
{
	struct buf text = {0};

	json_path_add(&text, value);
	return copy_buf(spk, &text);
}

/* The path of what was asked for, seen from the document. */
static const char *whole_path(struct spk *spk, const struct spk_json *value, const char *path)
{
	const char *base = path_of(spk, value);

	return spk_format(spk, "%s%s%s", base, *base && *path && *path != '[' ? "." : "", path);
}

void json_raise(const struct spk_json *value, const char *kind, const char *format, ...)
{
	const struct json_document *document = json_document_of(value);
	struct spk *spk = document->spk;
	const char *problem;
	va_list args;

	va_start(args, format);
	problem = spk_vformat(spk, format, args);
	va_end(args);
	spk_raise(spk, kind, NULL, "%s: %s %s", document->from, shown(spk, path_of(spk, value)),
		  problem);
}

void json_path_raise(const struct spk_json *value, const char *path, const struct json_found *found)
{
	const struct json_document *document = json_document_of(value);
	const struct spk_json *last = found->last;
	struct spk *spk = document->spk;
	const char *wanted = shown(spk, whole_path(spk, value, path));
	const char *place = shown(spk, path_of(spk, last));
	const char *from = document->from;

	if (last->type == SPK_JSON_NULL)
		spk_raise(spk, "json.null", NULL, "%s: there is no %s: %s is null", from, wanted,
			  place);
	if (found->astray)
		spk_raise(spk, "json.type", NULL, "%s: there is no %s: %s is %s", from, wanted,
			  place, json_type_text(last->type));
	if (last->type == SPK_JSON_ARRAY)
		spk_raise(spk, "json.missing", NULL, "%s: there is no %s: %s has %u item%s", from,
			  wanted, place, last->count, last->count == 1 ? "" : "s");
	spk_raise(spk, "json.missing", NULL, "%s: there is no %s: %s has no such member", from,
		  wanted, place);
}
