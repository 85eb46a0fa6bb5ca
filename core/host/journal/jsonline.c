/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonline.h"

#include <stdlib.h>

#include "../../runtime/mem.h"

struct line {
	json_member *member;
	void *data;
	const char *name;
	unsigned int depth; /* 1: in the object; 2: in a list of it */
	bool other;         /* it is of another shape */
};

static void on_open(void *data, bool object)
{
	struct line *line = data;

	line->other = line->other || line->depth > 1 || object != (line->depth == 0);
	line->depth++;
}

static void on_close(void *data)
{
	struct line *line = data;

	line->depth--;
}

static bool on_name(void *data, const char *name, struct err *err)
{
	struct line *line = data;

	line->name = name;
	return true;
}

static void on_scalar(void *data, enum json_scalar type, const char *text)
{
	struct line *line = data;
	bool in_list = line->depth == 2;

	line->other = line->other || line->depth == 0;
	if (line->member && !line->other && (!in_list || type == JSON_TEXT))
		line->member(line->data, line->name, in_list, type, text);
}

bool json_line_read(const char *text, size_t length, json_member *member, void *data)
{
	static const struct json_sink sink = {on_open, on_close, on_name, on_scalar};
	struct line line = {.member = member, .data = data};
	char *pool = xcalloc(1, length + 1);
	struct err err;
	bool good = json_read(text, length, pool, &sink, &line, &err) == 0 && !line.other;

	free(pool);
	return good;
}
