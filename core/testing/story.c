/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a run: its journals, those of the runs within it, and what happened outside. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "../host/journal/journal.h"
#include "../host/journal/journalfile.h"
#include "../host/journal/jsonline.h"
#include "../runtime/argvalue.h"
#include "../runtime/mem.h"

/* Of a story in a message; Check has room for 8 KiB. */
#define STORY_MAX 6000

/* Members of an event that the story wants. */
enum member {
	TIME,
	EVENT,
	MESSAGE,
	LEVEL,
	NAME,
	ANSWER,
	OUTCOME,
	RESULT,
	ROLLBACK,
	EXIT_CODE,
	STARTED,
	MEMBERS
};

static const char *const member_names[MEMBERS] = {
	[TIME] = "time",       [EVENT] = "event",         [MESSAGE] = "message",
	[LEVEL] = "level",     [NAME] = "name",           [ANSWER] = "answer",
	[OUTCOME] = "outcome", [RESULT] = "result",       [ROLLBACK] = "rollback",
	[STARTED] = "started", [EXIT_CODE] = "exit_code",
};

struct event_read {
	char *values[MEMBERS]; /* NULL: not there */
};

static void take_member(void *data, const char *name, bool in_list, enum json_scalar type,
			const char *value)
{
	struct event_read *event = data;

	for (size_t i = 0; i < MEMBERS; i++) {
		if (in_list || strcmp(name, member_names[i]) != 0 || event->values[i])
			continue;
		if (type == JSON_TRUE || type == JSON_FALSE)
			event->values[i] = xstrdup(type == JSON_TRUE ? "true" : "false");
		else if (type != JSON_NULL)
			event->values[i] = xstrdup(value);
	}
}

static void add(struct story *story, int64_t time_ns, char *text)
{
	story->lines = xgrow(story->lines, story->count, &story->capacity, sizeof(*story->lines));
	story->lines[story->count++] = (struct event_line){.time_ns = time_ns, .text = text};
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

/* The line that an event makes; NULL: none. */
static char *line_of(char *const values[MEMBERS])
{
	const char *event = or_none(values[EVENT]);

	if (strcmp(event, "log") == 0)
		return xasprintf("log %s: %s", or_none(values[LEVEL]), or_none(values[MESSAGE]));
	if (strcmp(event, "answer") == 0)
		return xasprintf("question %s: %s", or_none(values[NAME]),
				 values[ANSWER] ? values[ANSWER] : or_none(values[OUTCOME]));
	if (strcmp(event, "rollback") == 0)
		return xstrdup("rollback");
	if (strcmp(event, "end") == 0)
		return xasprintf("end %s, exit code %s, rollback %s", or_none(values[RESULT]),
				 or_none(values[EXIT_CODE]), or_none(values[ROLLBACK]));
	if (strcmp(event, "cut-off") == 0)
		return xasprintf("cut off: %s", or_none(values[MESSAGE]));
	return NULL;
}

static void take_event(struct story *story, const char *line, size_t length, bool outermost)
{
	struct event_read event = {{NULL}};
	spk_time time = {0};
	struct err err;
	char *text;

	if (!json_line_read(line, length, take_member, &event))
		return;
	if (event.values[TIME] && time_read(event.values[TIME], &time, &err) < 0)
		time.ns = 0;
	text = line_of(event.values);
	if (text)
		add(story, time.ns, text);
	if (outermost && text && strncmp(text, "end ", 4) == 0) {
		story->ended = true;
		story->started = event.values[STARTED] && *event.values[STARTED] == 't';
		story->rollback = event.values[ROLLBACK] ? xstrdup(event.values[ROLLBACK]) : NULL;
	}
	for (size_t i = 0; i < MEMBERS; i++)
		free(event.values[i]);
}

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "re");
	struct buf text = {0};
	char piece[4096];
	size_t got;

	while (file && (got = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_add(&text, piece, got);
	if (file)
		fclose(file);
	return text.text ? text.text : xstrdup("");
}

static void take_journal(struct story *story, const char *path, bool outermost)
{
	char *text = read_whole(path);

	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		take_event(story, line, length, outermost);
		line += length + (line[length] == '\n');
	}
	free(text);
}

/* The newest comes first; the outermost run is the oldest. */
static void take_journals(struct spk_test *test)
{
	char *directory = xasprintf("%s/journal-%u", test->directory, test->runs);
	char(*ids)[RUN_ID_SIZE] = NULL;
	size_t count = 0;
	struct err err;

	if (journal_list(directory, &ids, &count, &err) < 0)
		count = 0;
	while (count > 0) {
		struct run_summary summary;
		char *path = xasprintf("%s/%s" JOURNAL_SUFFIX, directory, ids[--count]);
		bool outermost = journal_glance(directory, ids[count], &summary, &err) == 0 &&
				 !summary.outer;

		take_journal(&test->story, path, outermost);
		run_summary_free(&summary);
		free(path);
	}
	free(ids);
	free(directory);
}

static int compare(const void *a, const void *b)
{
	const struct event_line *one = a, *other = b;

	return (one->time_ns > other->time_ns) - (one->time_ns < other->time_ns);
}

static void put_stderr(struct spk_test *test)
{
	char *path = xasprintf("%s/stderr", test->directory);
	char *text = read_whole(path);

	/* With a journal it is said twice. */
	if (test->story.count == 0)
		buf_puts(&test->story.text, text);
	free(text);
	free(path);
}

void story_read(struct spk_test *test)
{
	struct story *story = &test->story;
	char *path = xasprintf("%s/stdout", test->directory);

	story_free(story);
	free(test->output);
	test->output = read_whole(path);
	free(path);
	take_journals(test);
	for (const struct happening *each = test->world->happened; each; each = each->next)
		add(story, each->time_ns, xstrdup(each->line));
	put_stderr(test);
	if (story->count)
		qsort(story->lines, story->count, sizeof(*story->lines), compare);
	for (size_t i = 0; i < story->count; i++)
		buf_printf(&story->text, "%s\n", story->lines[i].text);
}

static bool is_told(const struct event_line *line, bool all)
{
	return all || strncmp(line->text, "log DEBUG: ", 11) != 0;
}

static size_t length_from(const struct story *story, size_t first, bool all)
{
	size_t length = 0;

	for (size_t i = first; i < story->count; i++)
		if (is_told(&story->lines[i], all))
			length += strlen(story->lines[i].text) + 1;
	return length;
}

void story_put(const struct story *story, struct buf *out)
{
	bool all = length_from(story, 0, true) <= STORY_MAX;
	size_t first = 0;

	if (story->count == 0)
		buf_printf(out, "%.*s", STORY_MAX, buf_text(&story->text));
	while (first < story->count && length_from(story, first, all) > STORY_MAX)
		first++;
	if (first)
		buf_puts(out, "...\n");
	for (size_t i = first; i < story->count; i++)
		if (is_told(&story->lines[i], all))
			buf_printf(out, "%s\n", story->lines[i].text);
}

void story_free(struct story *story)
{
	for (size_t i = 0; i < story->count; i++)
		free(story->lines[i].text);
	free(story->lines);
	free(story->rollback);
	buf_free(&story->text);
	*story = (struct story){0};
}
