/* SPDX-License-Identifier: Apache-2.0 */
#include "config_command.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../../runtime/textwidth.h"

#define USAGE_CONFIG "usage: spicerack config [-h] {show} ...\n"
#define USAGE_SHOW "usage: spicerack config show [-h] [-c FILE] [--origin]\n"
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

static void show_help(void)
{
	size_t count;
	const struct setting_key *keys = settings_keys(&count);

	fputs(USAGE_SHOW "\n"
			 "Print the effective configuration in the syntax of its files.\n"
			 "\n"
			 "options:\n"
			 "  -h, --help            show this help message and exit\n"
			 "  -c FILE, --config-file FILE\n"
			 "                        read this file instead of all others\n"
			 "  --origin              tell where each value came from\n"
			 "\n"
			 "keys:\n",
	      stdout);
	for (size_t i = 0; i < count; i++) {
		char *variable = settings_variable(&keys[i]);

		printf("  %s\n                        %s\n", keys[i].path, keys[i].help);
		if (keys[i].type != SETTING_LISTS)
			printf("                        (%s)\n", variable);
		free(variable);
	}
}

static int usage_error(const char *usage, const char *program, const char *what, const char *word)
{
	char shown[PRINTABLE_PATH_SIZE];

	fprintf(stderr, "%s%s: error: %s%s\n", usage, program, what, printable_path(word, shown));
	return 2;
}

static int show(const char *file, bool origin)
{
	struct settings *settings;
	struct buf out = {0};
	struct err err;
	int rc = 0;

	if (settings_load(file, &settings, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	config_render(settings, origin, &out);
	if (fwrite(buf_text(&out), 1, out.length, stdout) != out.length || fflush(stdout) != 0) {
		fprintf(stderr, "spicerack config: error: cannot write: %s\n",
			strerrordesc_np(errno));
		rc = 1;
	}
	buf_free(&out);
	settings_free(settings);
	return rc;
}

static int show_command(int argc, char **argv)
{
	static const char program[] = "spicerack config show";
	bool origin = false;
	const char *file = NULL;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
			show_help();
			return 0;
		}
		if (strcmp(word, "--origin") == 0) {
			origin = true;
		} else if (strcmp(word, "-c") == 0 || strcmp(word, "--config-file") == 0) {
			if (++i == argc)
				return usage_error(
					USAGE_SHOW, program,
					"argument -c/--config-file: expected one argument", "");
			file = argv[i];
		} else if (strncmp(word, "--config-file=", 14) == 0) {
			file = word + 14;
		} else if (strncmp(word, "-c", 2) == 0) {
			file = word + 2;
		} else {
			return usage_error(USAGE_SHOW, program, "unrecognized arguments: ", word);
		}
	}
	return show(file, origin);
}

int config_command(int argc, char **argv)
{
	static const char program[] = "spicerack config";
	char shown[PRINTABLE_PATH_SIZE];

	if (argc < 1)
		return usage_error(USAGE_CONFIG, program,
				   "the following arguments are required: COMMAND", "");
	if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0) {
		fputs(USAGE_CONFIG "\n"
				   "commands:\n"
				   "  show        print the effective configuration\n"
				   "\n"
				   "options:\n"
				   "  -h, --help  show this help message and exit\n",
		      stdout);
		return 0;
	}
	if (strcmp(argv[0], "show") == 0)
		return show_command(argc, argv);
	if (argv[0][0] == '-')
		return usage_error(USAGE_CONFIG, program, "unrecognized arguments: ", argv[0]);
	fprintf(stderr,
		USAGE_CONFIG "%s: error: argument COMMAND: invalid choice: '%s' (choose from "
			     "'show')\n",
		program, printable_path(argv[0], shown));
	return 2;
}
