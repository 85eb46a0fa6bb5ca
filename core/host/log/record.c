/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdio.h>
#include <string.h>

#include "../../runtime/printable.h"

#define CONTINUATION "\n    "

static const struct {
	enum spk_level level;
	const char *name;
} levels[] = {
	{SPK_ERROR, "ERROR"},
	{SPK_WARNING, "WARNING"},
	{SPK_INFO, "INFO"},
};

const char *record_level_name(enum spk_level level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (level >= levels[i].level)
			return levels[i].name;
	return "DEBUG";
}

/* What needs no look at all; most of every log. */
static bool is_plain(char c)
{
	return c >= ' ' && c <= '~';
}

void record_sanitize(const char *text, size_t length, const char *newline, struct buf *out)
{
	for (size_t i = 0, end; i < length; i = end) {
		end = i + 1;
		if (text[i] == '\n') {
			buf_puts(out, newline);
		} else if (text[i] == '\t') {
			buf_putc(out, '\t');
		} else if (is_plain(text[i])) {
			while (end < length && is_plain(text[end]))
				end++;
			buf_add(out, text + i, end - i);
		} else {
			while (end < length && text[end] != '\n' && text[end] != '\t' &&
			       !is_plain(text[end]))
				end++;
			printable_add(out, text + i, end - i);
		}
	}
}

static void add_message(const struct log_record *record, const char *newline, struct buf *out)
{
	const char *message = record->message ? record->message : "";
	size_t length = strlen(message);

	if (length && message[length - 1] == '\n')
		length--;
	record_sanitize(message, length, newline, out);
}

static void add_word(const char *word, size_t length, struct buf *out)
{
	printable_add(out, word, length);
}

static void add_time(const struct timespec *time, struct buf *out)
{
	char text[64] = "";
	struct tm parts;

	if (localtime_r(&time->tv_sec, &parts))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
	buf_printf(out, "%s,%03d", text, (int)(time->tv_nsec / 1000000));
}

static void add_place(const struct log_record *record, struct buf *out)
{
	const char *module = record->module ? record->module : "-";
	const char *function = record->function ? record->function : "-";
	const char *slash = strrchr(module, '/');
	size_t length;

	if (slash)
		module = slash + 1;
	length = strlen(module);
	if (length > 2 && strcmp(module + length - 2, ".c") == 0)
		length -= 2;
	buf_putc(out, ' ');
	add_word(module, length, out);
	buf_printf(out, ":%d in ", record->line);
	add_word(function, strlen(function), out);
}

void record_render_files(const struct log_record *record, const struct record_style *style,
			 struct buf *out, struct buf *extended)
{
	size_t begin = out->length;
	size_t message;

	add_time(&record->time, out);
	buf_printf(out, " %s%s %ld [%s", style->dry_run ? "DRY-RUN " : "", style->user,
		   (long)style->pid, record_level_name(record->level));
	buf_add(extended, out->text + begin, out->length - begin);
	add_place(record, extended);
	message = out->length;
	buf_puts(out, "] ");
	add_message(record, CONTINUATION, out);
	buf_putc(out, '\n');
	buf_add(extended, out->text + message, out->length - message);
}

void record_render_terminal(const struct log_record *record, bool dry_run, struct buf *out)
{
	if (dry_run)
		buf_puts(out, "DRY-RUN: ");
	add_message(record, "\n", out);
}
