/* SPDX-License-Identifier: Apache-2.0 */
#include "menu.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../../runtime/shell.h"
#include "complete.h"
#include "history.h"
#include "lineedit.h"
#include "menuview.h"
#include "../run/outcome.h"
#include "problems.h"
#include "../run/signals.h"
#include "../log/terminal.h"
#include "../tree/tree.h"

#define HISTORY_FILE "menu-history"
/* The log files of a menu of all cookbooks. */
#define ROOT_LOG_NAME "cookbooks"

/* How the last run of a cookbook ended, whether or not it is in the tree now. */
struct ended {
	char *name;
	const char *word; /* outcome_word() */
};

/* The menu of one group, entered from that of the group around it. */
struct level {
	struct level *above; /* NULL: the first one, which `q` leaves */
	char *group;         /* full name */
	spk_strings args;    /* one block of memory */
	char *filter;        /* NULL: all entries are shown */
	size_t first;        /* of the entries to be shown next */
	size_t shown;        /* of those shown last */
};

struct menu {
	const struct run_options *options;
	spk_strings bases;
	struct level *level; /* NULL: it was left */
	struct tree tree;    /* of the last time that it was shown */
	struct ended *ended;
	size_t ended_count, ended_capacity;
	struct problems problems;
	struct lineedit *lineedit;
	int history_fd;
	struct candidates candidates;
	bool ran; /* since it was shown */
	int code;
};

static const char help_text[] =
	"NAME [ARGUMENT ...]  run the cookbook, or enter the group, with these arguments\n"
	"                     instead of those shown as args=[...]\n"
	"NAME -h              explain the cookbook\n"
	"Enter                show the menu again, or what more there is of it\n"
	"/TEXT                show only what has TEXT in its name or title; / shows all\n"
	"b, q                 go back to the group around this one; quit\n"
	"h                    this help\n"
	"Ctrl+C               interrupt a cookbook; at the prompt, as Ctrl+D, b or q\n"
	"\n"
	"Arguments are split into words as by a shell. Tab completes names, options and choices,\n"
	"the arrow keys and Ctrl+R bring back what was typed before; a line that begins with a\n"
	"blank is not kept. [NOTRUN], [PASS], [FAIL] and [ERROR] (interrupted) tell of the last\n"
	"run from this menu, [2/5] how many of a group's cookbooks were run, [DONE] that all "
	"were.\n";

/* ---- levels ---- */

/* Copies them into one block of memory. */
static spk_strings copy_args(spk_strings args)
{
	const char **items;
	size_t length = 0;
	char *text;

	for (size_t i = 0; i < args.count; i++)
		length += strlen(args.items[i]) + 1;
	items = xcalloc(1, args.count * sizeof(*items) + length + 1);
	text = (char *)(items + args.count);
	for (size_t i = 0; i < args.count; i++) {
		items[i] = text;
		text = stpcpy(text, args.items[i]) + 1;
	}
	return (spk_strings){items, args.count};
}

static void enter(struct menu *menu, const char *group, spk_strings args)
{
	struct level *level = xcalloc(1, sizeof(*level));

	*level = (struct level){
		.above = menu->level,
		.group = xstrdup(group),
		.args = copy_args(args),
	};
	menu->level = level;
}

static void leave(struct menu *menu)
{
	struct level *level = menu->level;

	menu->level = level->above;
	free((void *)(uintptr_t)level->args.items);
	free(level->filter);
	free(level->group);
	free(level);
}

static void leave_all(struct menu *menu)
{
	while (menu->level)
		leave(menu);
}

static void set_filter(struct level *level, const char *text)
{
	free(level->filter);
	level->filter = *text ? xstrdup(text) : NULL;
	level->first = 0;
}

/* The full name of what is called `name` in the menu. */
static char *full_name(const struct level *level, const char *name)
{
	return xasprintf("%s%s%s", level->group, *level->group ? "." : "", name);
}

/* ---- statuses ---- */

static struct ended *find_ended(const struct menu *menu, const char *name)
{
	for (size_t i = 0; i < menu->ended_count; i++)
		if (strcmp(menu->ended[i].name, name) == 0)
			return &menu->ended[i];
	return NULL;
}

static void set_ended(struct menu *menu, const char *name, const char *word)
{
	struct ended *ended = find_ended(menu, name);

	if (!ended) {
		menu->ended = xgrow(menu->ended, menu->ended_count, &menu->ended_capacity,
				    sizeof(*menu->ended));
		ended = &menu->ended[menu->ended_count++];
		ended->name = xstrdup(name);
	}
	ended->word = word;
}

static bool is_in(const struct tree_cookbook *cookbook, const char *group)
{
	size_t length = strlen(group);

	return strncmp(cookbook->group, group, length) == 0 &&
	       (cookbook->group[length] == '.' || cookbook->group[length] == '\0');
}

static void set_group_status(const struct menu *menu, const struct tree_group *group,
			     struct menuview_entry *entry)
{
	size_t below, all = 0, done = 0;
	const struct tree_cookbook *cookbooks = tree_below(&menu->tree, group->name, &below);

	for (size_t i = 0; i < below; i++) {
		if (!is_in(&cookbooks[i], group->name))
			continue;
		all++;
		done += find_ended(menu, cookbooks[i].name) != NULL;
	}
	if (done == all)
		snprintf(entry->status, sizeof(entry->status), "DONE");
	else
		snprintf(entry->status, sizeof(entry->status), "%zu/%zu", done, all);
}

static void fill_entry(const struct menu *menu, const struct tree_child *child,
		       struct menuview_entry *entry)
{
	size_t group = strlen(menu->level->group);
	const struct ended *ended;

	entry->name = child->name + group + (group > 0);
	if (child->group) {
		entry->title = child->group->title;
		set_group_status(menu, child->group, entry);
		return;
	}
	entry->title = child->cookbook->title;
	ended = find_ended(menu, child->name);
	snprintf(entry->status, sizeof(entry->status), "%s", ended ? ended->word : "NOTRUN");
}

/* ---- showing ---- */

/* Reads what is below the level's group. -1 when no directory can be read; it was told. */
static int read_tree(struct menu *menu)
{
	FILE *problems = problems_collect(&menu->problems);
	char *prefix = full_name(menu->level, "");
	struct tree fresh = {0};
	struct err err;
	int rc;

	rc = tree_read(menu->bases, prefix, problems, &fresh, &err);
	if (rc < 0)
		fprintf(problems, "cookbook: %s\n", err.text);
	problems_tell(&menu->problems, false, stderr);
	free(prefix);
	tree_free(&menu->tree);
	menu->tree = fresh;
	return rc;
}

static bool passes(const struct menuview_entry *entry, const char *filter)
{
	return !filter || strcasestr(entry->name, filter) || strcasestr(entry->title, filter);
}

/* A menu as high and wide as the terminal has room for, or as it takes. */
static void show(struct menu *menu, bool fitted)
{
	struct winsize size = {0};
	struct level *level = menu->level;
	const struct tree_group *group = tree_find_group(&menu->tree, level->group);
	struct menuview view = {
		.title = group ? group->title : "-",
		.args = level->args,
		.filter = level->filter,
		.leave = level->above ? "b - Back" : "q - Quit",
		.columns = SIZE_MAX,
		.rows = SIZE_MAX,
		.coloured = terminal_wants_colours(STDOUT_FILENO),
	};
	size_t count;
	struct tree_child *children = tree_children(&menu->tree, level->group, &count);
	struct menuview_entry *entries = xcalloc(count, sizeof(*entries));

	if (fitted && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		view.columns = size.ws_col ? size.ws_col : SIZE_MAX;
		view.rows = size.ws_row ? size.ws_row : SIZE_MAX;
	}
	for (size_t i = 0; i < count; i++) {
		fill_entry(menu, &children[i], &entries[view.count]);
		if (passes(&entries[view.count], level->filter))
			view.count++;
	}
	view.entries = entries;
	if (level->first >= view.count || menuview_page(&view) == view.count)
		level->first = 0;
	view.first = level->first;
	/* A cookbook may have left its last line without an end. */
	if (menu->ran)
		putchar('\n');
	menu->ran = false;
	menuview_print(&view, stdout);
	level->shown = level->first;
	level->first += menuview_page(&view);
	free(entries);
	free(children);
}

/* ---- answers ---- */

static void run(struct menu *menu, const struct tree_found *found, spk_strings args)
{
	struct run_end end;
	int code;

	fflush(stdout);
	code = run_cookbook(menu->options, found, (int)args.count,
			    (char *const *)(uintptr_t)args.items, &end);
	menu->ran = true;
	if (!end.explained)
		set_ended(menu, found->name, outcome_word(code));
	if (!end.terminated)
		return;
	menu->code = code;
	leave_all(menu);
}

static void choose(struct menu *menu, const char *name, spk_strings args)
{
	FILE *problems = problems_collect(&menu->problems);
	char *full = full_name(menu->level, name);
	enum tree_find what = TREE_NONE;
	struct tree_found found;
	bool told;

	if (*name)
		what = tree_find(menu->bases, full, problems, &found);
	told = problems_tell(&menu->problems, what == TREE_NONE, stderr);
	if (!args.count)
		args = menu->level->args;
	if (what == TREE_FOUND) {
		run(menu, &found, args);
		tree_found_free(&found);
	} else if (what == TREE_GROUP) {
		enter(menu, full, args);
	} else if (!told) {
		puts("==> Invalid input <==");
	}
	free(full);
}

static void obey(struct menu *menu, const char *line)
{
	const char *leave_word = menu->level->above ? "b" : "q", *text = line + strspn(line, " \t");
	spk_strings words;

	if (*text == '/') {
		set_filter(menu->level, text + 1);
		return;
	}
	if (shell_split(line, &words) < 0) {
		puts("==> Invalid input <== (a quote is not closed)");
		return;
	}
	if (words.count == 0)
		return; /* the next page, or the same menu again */
	/* Else what was seen is seen again. */
	menu->level->first = menu->level->shown;
	if (words.count == 1 && strcmp(words.items[0], leave_word) == 0)
		leave(menu);
	else if (words.count == 1 && strcmp(words.items[0], "h") == 0)
		fputs(help_text, stdout);
	else
		choose(menu, words.items[0], (spk_strings){words.items + 1, words.count - 1});
	free((void *)(uintptr_t)words.items);
}

/* ---- completion ---- */

static void add_names(struct menu *menu, const char *word)
{
	size_t count, group = strlen(menu->level->group);
	struct tree_child *children = tree_children(&menu->tree, menu->level->group, &count);

	for (size_t i = 0; i < count; i++)
		candidates_add(&menu->candidates, word, children[i].name + group + (group > 0));
	candidates_add(&menu->candidates, word, menu->level->above ? "b" : "q");
	candidates_add(&menu->candidates, word, "h");
	free(children);
}

static void add_arguments(struct menu *menu, spk_strings before, const char *word)
{
	char *full = full_name(menu->level, before.items[0]);
	struct tree_found found;

	if (tree_find(menu->bases, full, NULL, &found) == TREE_FOUND) {
		complete_arguments(menu->options->settings, found.spec,
				   (spk_strings){before.items + 1, before.count - 1}, word,
				   &menu->candidates);
		tree_found_free(&found);
	}
	free(full);
}

static spk_strings complete(void *data, const char *text, size_t *ret_word)
{
	struct menu *menu = data;
	spk_strings before = {0};
	char *line;

	pool_clear(menu->candidates.pool);
	menu->candidates.count = 0;
	*ret_word = complete_word(text);
	line = xstrndup(text, *ret_word);
	if (shell_split(line, &before) == 0) {
		if (before.count)
			add_arguments(menu, before, text + *ret_word);
		else
			add_names(menu, text + *ret_word);
	}
	free((void *)(uintptr_t)before.items);
	free(line);
	return candidates_sorted(&menu->candidates);
}

/* ---- the menu ---- */

static void remember(void *data, const char *line)
{
	lineedit_remember(data, line);
}

static void on_line(struct menu *menu, const char *line)
{
	size_t length = strlen(line);
	char *kept;

	while (length > 0 && line[length - 1] == ' ')
		length--;
	kept = xstrndup(line, length);
	if (length > 0 && *line != ' ' && printable_is(line, length)) {
		lineedit_remember(menu->lineedit, kept);
		history_add(menu->history_fd, kept);
	}
	obey(menu, line);
	free(kept);
}

/* Shows menus and does what is asked for until none is left. */
static void converse(struct menu *menu)
{
	const char *line = NULL;

	while (menu->level) {
		/* Without a tree there is an empty menu: it may come back. */
		(void)!read_tree(menu);
		show(menu, true);
		switch (lineedit_read(menu->lineedit, ">>> ", &line)) {
		case LINEEDIT_LINE:
			on_line(menu, line);
			break;
		case LINEEDIT_CANCELLED:
			puts("QUIT");
			leave(menu);
			break;
		case LINEEDIT_TERMINATED:
			putchar('\n');
			leave_all(menu);
			break;
		}
	}
	/* What a terminal that has gone did not take is no failure. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		__fpurge(stdout);
		clearerr(stdout);
	}
}

/* Without a history there is a menu all the same. */
static int open_history(struct menu *menu)
{
	const char *directory = settings_state_dir(menu->options->settings);
	struct err err;
	int fd;

	if (!directory)
		return -1;
	fd = history_open(directory, HISTORY_FILE, remember, menu->lineedit, &err);
	if (fd < 0)
		fprintf(stderr, "cookbook: what you type here is not kept: %s\n", err.text);
	return fd;
}

static int on_terminal(struct menu *menu)
{
	struct err err;
	int signal_fd = signals_open(&err);

	if (signal_fd < 0) {
		fprintf(stderr, "cookbook: %s\n", err.text);
		return EXIT_STARTUP;
	}
	menu->candidates.pool = pool_new(0);
	menu->lineedit = lineedit_open(signal_fd, HISTORY_LINES, complete, menu, &err);
	if (*err.text)
		fprintf(stderr, "cookbook: lines cannot be edited: %s\n", err.text);
	menu->history_fd = open_history(menu);
	converse(menu);
	lineedit_close(menu->lineedit);
	fd_close(&menu->history_fd);
	fd_close(&signal_fd);
	free(menu->candidates.items);
	pool_free(menu->candidates.pool);
	return menu->code;
}

static int print_once(struct menu *menu)
{
	if (read_tree(menu) < 0)
		return EXIT_STARTUP;
	show(menu, false);
	fflush(stdout);
	fputs("cookbook: there is no terminal to choose at: name a cookbook to run it\n", stderr);
	return EXIT_OK;
}

int menu_run(const struct run_options *options, const char *group, spk_strings args)
{
	struct run_options logged = *options;
	struct menu menu = {
		.options = &logged,
		.bases = settings_strings(options->settings, "cookbooks_base_dirs"),
		.code = EXIT_OK,
		.history_fd = -1,
	};
	int code;

	logged.log_name = *group ? group : ROOT_LOG_NAME;
	enter(&menu, group, args);
	code = lineedit_is_possible() ? on_terminal(&menu) : print_once(&menu);
	leave_all(&menu);
	tree_free(&menu.tree);
	for (size_t i = 0; i < menu.ended_count; i++)
		free(menu.ended[i].name);
	free(menu.ended);
	problems_free(&menu.problems);
	return code;
}
