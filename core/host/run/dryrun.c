/* SPDX-License-Identifier: Apache-2.0 */
#include "dryrun.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../log/redactor.h"

/* What stands before a line. */
static const char *const words[DRYRUN_KINDS] = {
	[DRYRUN_READ] = "read",
	[DRYRUN_WRITE] = "would",
	[DRYRUN_UNKNOWN] = "cannot know",
};

struct line {
	char *text;
	size_t times;
};

struct dryrun {
	struct list {
		struct line lines[DRYRUN_LINES];
		size_t count;
		size_t left_out;
	} lists[DRYRUN_KINDS];
	bool told;
};

struct dryrun *dryrun_new(void)
{
	return xcalloc(1, sizeof(struct dryrun));
}

void dryrun_free(struct dryrun *dryrun)
{
	if (!dryrun)
		return;
	for (size_t i = 0; i < DRYRUN_KINDS; i++)
		for (size_t j = 0; j < dryrun->lists[i].count; j++)
			free(dryrun->lists[i].lines[j].text);
	free(dryrun);
}

/* One line without secrets and control characters, not too long. The caller frees it. */
static char *line_of(const char *text)
{
	struct buf plain = {0}, shown = {0};
	size_t length;
	char *line;

	redactor_apply(redactor_shared(), NULL, text, &plain);
	printable_add(&shown, buf_text(&plain), plain.length);
	length = shown.length;
	if (length > DRYRUN_LINE_SIZE) {
		length = DRYRUN_LINE_SIZE;
		while (length > 0 && ((unsigned char)shown.text[length] & 0xc0) == 0x80)
			length--;
	}
	line = xasprintf("%.*s%s", (int)length, buf_text(&shown),
			 length < shown.length ? "..." : "");
	buf_free(&plain);
	buf_free(&shown);
	return line;
}

void dryrun_take(struct dryrun *dryrun, enum dryrun_kind kind, const char *text)
{
	struct list *list;
	char *line;

	if (!dryrun)
		return;
	list = &dryrun->lists[kind];
	line = line_of(text);
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->lines[i].text, line) != 0)
			continue;
		list->lines[i].times++;
		free(line);
		return;
	}
	if (list->count == DRYRUN_LINES) {
		list->left_out++;
		free(line);
		return;
	}
	list->lines[list->count++] = (struct line){line, 1};
}

static void add_list(const struct list *list, const char *word, struct buf *text)
{
	for (size_t i = 0; i < list->count; i++) {
		buf_printf(text, "\n  %s %s", word, list->lines[i].text);
		if (list->lines[i].times > 1)
			buf_printf(text, " (%zu times)", list->lines[i].times);
	}
	if (list->left_out)
		buf_printf(text, "\n  %s %zu more", word, list->left_out);
}

void dryrun_tell(struct dryrun *dryrun, struct log *log)
{
	struct buf text = {0};

	if (!dryrun || dryrun->told)
		return;
	dryrun->told = true;
	for (size_t i = 0; i < DRYRUN_KINDS; i++)
		add_list(&dryrun->lists[i], words[i], &text);
	if (text.length)
		log_info(log, "What this dry run has found out:%s", buf_text(&text));
	buf_free(&text);
}
