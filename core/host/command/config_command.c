/* SPDX-License-Identifier: Apache-2.0 */
#include "config_command.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/textwidth.h"
#include "../run/outcome.h"
#include "stdio_guard.h"

#define LINE_MAX_WIDTH 72

/* Rendering */

struct line {
	char *text;
	const char *origin; /* NULL: none to show */
};

struct page {
	struct line *lines;
	size_t count, capacity;
};

/* Takes `text`. */
static void page_add(struct page *page, char *text, const char *origin)
{
	page->lines = xgrow(page->lines, page->count, &page->capacity, sizeof(*page->lines));
	page->lines[page->count++] = (struct line){.text = text, .origin = origin};
}

static void add_quoted(const char *text, struct buf *out)
{
	buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
	buf_putc(out, '"');
}

static void add_scalar(const struct setting *setting, struct buf *out)
{
	switch (setting->key->type) {
	case SETTING_INT:
		buf_printf(out, "%lld%s", setting->number,
			   setting->number < INT32_MIN || setting->number > INT32_MAX ? "L" : "");
		break;
	case SETTING_BOOL:
		buf_puts(out, setting->flag ? "true" : "false");
		break;
	default:
		add_quoted(setting->text, out);
		break;
	}
}

/* A list in one line, or when that is long one element per line. */
static void page_add_list(struct page *page, const struct setting *setting, const char *indent,
			  const char *name, const char *origin)
{
	struct buf line = {0};

	buf_printf(&line, "%s%s = [", indent, name);
	for (size_t i = 0; i < setting->count; i++) {
		buf_puts(&line, i ? ", " : "");
		add_quoted(setting->items[i], &line);
	}
	buf_puts(&line, "];");
	if (textwidth_of(line.text, line.length) <= LINE_MAX_WIDTH || setting->count == 1) {
		page_add(page, line.text, origin);
		return;
	}
	buf_clear(&line);
	buf_printf(&line, "%s%s = [", indent, name);
	page_add(page, xstrdup(line.text), origin);
	for (size_t i = 0; i < setting->count; i++) {
		buf_clear(&line);
		buf_printf(&line, "%s  ", indent);
		add_quoted(setting->items[i], &line);
		buf_puts(&line, i + 1 < setting->count ? "," : "");
		page_add(page, xstrdup(line.text), origin);
	}
	page_add(page, xasprintf("%s];", indent), NULL);
	buf_free(&line);
}

static void page_add_setting(struct page *page, const struct setting *setting, const char *indent,
			     const char *name)
{
	enum setting_type type = setting->key->type;
	struct buf line = {0};

	if (!setting->is_set) {
		if (type != SETTING_LISTS)
			page_add(page, xasprintf("%s# %s is not set", indent, name),
				 setting->origin);
	} else if (setting->key->secret) {
		page_add(page, xasprintf("%s%s = \"********\";", indent, name), setting->origin);
	} else if (type == SETTING_STRINGS || type == SETTING_PATHS || type == SETTING_LISTS) {
		page_add_list(page, setting, indent, name, setting->origin);
	} else {
		buf_printf(&line, "%s%s = ", indent, name);
		add_scalar(setting, &line);
		buf_putc(&line, ';');
		page_add(page, line.text, setting->origin);
	}
}

/* Settings of one group stand together, so that a group opens and ends where the prefix changes. */
static void page_fill(struct page *page, const struct setting *settings, size_t count)
{
	const char *group = "";
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		const char *path = settings[i].path;
		const char *dot = strchr(path, '.');
		size_t prefix = dot ? (size_t)(dot - path) : 0;

		if (settings[i].key->type == SETTING_LISTS && !settings[i].is_set)
			continue;
		if (prefix != length || strncmp(path, group, length) != 0) {
			if (length)
				page_add(page, xstrdup("};"), NULL);
			if (prefix)
				page_add(page, xasprintf("%.*s = {", (int)prefix, path), NULL);
		}
		group = path;
		length = prefix;
		page_add_setting(page, &settings[i], prefix ? "  " : "", dot ? dot + 1 : path);
	}
	if (length)
		page_add(page, xstrdup("};"), NULL);
}

void config_render(const struct settings *settings, bool origin, struct buf *out)
{
	struct page page = {0};
	size_t count, width = 0;
	const struct setting *all = settings_all(settings, &count);

	page_fill(&page, all, count);
	for (size_t i = 0; i < page.count; i++) {
		size_t own = textwidth_of(page.lines[i].text, strlen(page.lines[i].text));

		if (page.lines[i].origin && own <= LINE_MAX_WIDTH && own > width)
			width = own;
	}
	for (size_t i = 0; i < page.count; i++) {
		const struct line *line = &page.lines[i];
		size_t own = textwidth_of(line->text, strlen(line->text));

		buf_puts(out, line->text);
		if (origin && line->origin) {
			buf_fill(out, ' ', (own < width ? width - own : 0) + 2);
			buf_printf(out, "# %s", line->origin);
		}
		buf_putc(out, '\n');
		free(line->text);
	}
	free(page.lines);
}

/* The command */

/* The words of `show`. */
struct words {
	const char *config_file;
	bool origin;
};

static const struct arg_spec config_option = {
	.name = "config_file",
	.letter = 'c',
	.form = SPK_FORM_OPTION,
	.type = SPK_TYPE_STRING,
	.offset = offsetof(struct words, config_file),
	.group = -1,
	.metavar = "FILE",
	.meaning = ARG_FILE,
	.help = "read this configuration file instead of all others",
};
static const struct arg_spec origin_option = {
	.name = "origin",
	.form = SPK_FORM_OPTION,
	.type = SPK_TYPE_FLAG,
	.offset = offsetof(struct words, origin),
	.group = -1,
	.help = "tell where each value came from",
};

static void explain_keys(FILE *out)
{
	size_t count;
	const struct setting_key *keys = settings_keys(&count);

	fputs("\nkeys:\n", out);
	for (size_t i = 0; i < count; i++) {
		char *variable = settings_variable(&keys[i]);

		fprintf(out, "  %s\n                        %s\n", keys[i].path, keys[i].help);
		if (keys[i].type != SETTING_LISTS)
			fprintf(out, "                        (%s)\n", variable);
		free(variable);
	}
}

static int act(const struct subcommand *subcommand, const struct parsed *parsed)
{
	struct settings *settings;
	struct buf out = {0};
	struct err err;
	int code = EXIT_OK;

	if (settings_load(subcommand_text(parsed, &config_option), &settings, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_STARTUP;
	}
	config_render(settings, subcommand_is_given(parsed, &origin_option), &out);
	if (stdio_guard_write(&out) < 0)
		code = subcommand_complain("config", subcommand->name, "cannot write: %s",
					   strerrordesc_np(errno));
	buf_free(&out);
	settings_free(settings);
	return code;
}

static const struct subcommand items[] = {
	{"show", "print the effective configuration in the syntax of its files",
	 .rows = {&config_option, &origin_option}, .explain = explain_keys},
};

const struct subcommands config_subcommands = {
	.command = "config",
	.about = "The effective configuration.",
	.act = act,
	.items = items,
	.count = sizeof(items) / sizeof(items[0]),
};
