/* SPDX-License-Identifier: Apache-2.0 */
/* The tree as `cookbook -l` prints it. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "../runtime/buf.h"
#include "../runtime/mem.h"

struct listing {
	const struct tree *tree;
	bool *shown;        /* groups with a cookbook below that is shown */
	size_t first, last; /* cookbooks shown: from first up to, not including, last */
	bool titles;
	FILE *out;
	struct buf line; /* between lines: what stands before each of this group */
};

/* The first cookbook or group not before `name`; `item` gives the name of one. */
static size_t lower_bound(const struct tree *tree, size_t count, const char *name,
			  const char *(*item)(const struct tree *tree, size_t index))
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(item(tree, middle), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const char *cookbook_name(const struct tree *tree, size_t index)
{
	return tree->cookbooks[index].name;
}

static const char *group_name(const struct tree *tree, size_t index)
{
	return tree->groups[index].name;
}

/* Marks the group of each shown cookbook, and those around it. */
static void mark_groups(struct listing *listing)
{
	const struct tree *tree = listing->tree;

	for (size_t i = listing->first; i < listing->last; i++) {
		const char *group = tree->cookbooks[i].group;
		char *name;

		if (i > listing->first && tree->cookbooks[i - 1].group == group)
			continue;
		name = xstrdup(group);
		while (*name) {
			size_t at = lower_bound(tree, tree->group_count, name, group_name);
			char *dot = strrchr(name, '.');

			if (at == tree->group_count || listing->shown[at])
				break;
			listing->shown[at] = true;
			*(dot ? dot : name) = '\0';
		}
		free(name);
	}
}

/* Whether `name` is that of something directly in the group whose name is `length` long. */
static bool is_child(const char *name, size_t length)
{
	const char *rest = name + length + (length > 0);

	return *name && *rest && !strchr(rest, '.');
}

static bool is_below(const char *name, const char *group, size_t length)
{
	return length == 0 || (strncmp(name, group, length) == 0 && name[length] == '.');
}

/* A child to print: a cookbook or a group. */
struct child {
	const struct tree_cookbook *cookbook;
	const struct tree_group *group;
	const char *name;
};

static int by_name(const void *a, const void *b)
{
	const struct child *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	return order ? order : !left->cookbook - !right->cookbook;
}

static struct child *children_of(struct listing *listing, const char *group, size_t *ret_count)
{
	const struct tree *tree = listing->tree;
	size_t length = strlen(group), count = 0, capacity = 0, at;
	struct child *children = NULL;
	bool sorted = true;
	char *below = xasprintf("%s%s", group, length ? "." : "");

	at = lower_bound(tree, tree->cookbook_count, below, cookbook_name);
	for (at = at < listing->first ? listing->first : at;
	     at < listing->last && is_below(tree->cookbooks[at].name, group, length); at++) {
		const struct tree_cookbook *cookbook = &tree->cookbooks[at];

		if (strcmp(cookbook->group, group) != 0)
			continue;
		children = xgrow(children, count, &capacity, sizeof(*children));
		children[count++] = (struct child){.cookbook = cookbook, .name = cookbook->name};
	}
	at = lower_bound(tree, tree->group_count, below, group_name);
	for (; at < tree->group_count && is_below(tree->groups[at].name, group, length); at++) {
		const struct tree_group *child = &tree->groups[at];

		if (!listing->shown[at] || !is_child(child->name, length))
			continue;
		children = xgrow(children, count, &capacity, sizeof(*children));
		children[count++] = (struct child){.group = child, .name = child->name};
	}
	for (size_t i = 1; sorted && i < count; i++)
		sorted = by_name(&children[i - 1], &children[i]) <= 0;
	if (!sorted)
		qsort(children, count, sizeof(*children), by_name);
	free(below);
	*ret_count = count;
	return children;
}

static void cut_line(struct listing *listing, size_t length)
{
	if (listing->line.text)
		listing->line.text[listing->line.length = length] = '\0';
}

static void print_children(struct listing *listing, const char *group)
{
	struct buf *line = &listing->line;
	size_t count, lead = line->length;
	struct child *children = children_of(listing, group, &count);

	for (size_t i = 0; i < count; i++) {
		const struct child *child = &children[i];
		bool last = i + 1 == count;

		buf_puts(line, last ? "`-- " : "|-- ");
		buf_puts(line, child->name);
		if (listing->titles) {
			buf_puts(line, ": ");
			buf_puts(line, child->group ? child->group->title : child->cookbook->title);
		}
		if (child->cookbook) {
			buf_puts(line, " [");
			buf_puts(line, child->cookbook->owner);
			buf_puts(line, "]");
		}
		buf_puts(line, "\n");
		fwrite(line->text, 1, line->length, listing->out);
		cut_line(listing, lead);
		if (!child->group)
			continue;
		buf_puts(line, last ? "    " : "|   ");
		print_children(listing, child->name);
		cut_line(listing, lead);
	}
	free(children);
}

void tree_print(const struct tree *tree, const char *prefix, bool titles, FILE *out)
{
	struct listing listing = {.tree = tree, .titles = titles, .out = out};
	size_t length = strlen(prefix);

	listing.first = lower_bound(tree, tree->cookbook_count, prefix, cookbook_name);
	for (listing.last = listing.first;
	     listing.last < tree->cookbook_count &&
	     strncmp(tree->cookbooks[listing.last].name, prefix, length) == 0;)
		listing.last++;
	listing.shown = xcalloc(tree->group_count, sizeof(*listing.shown));
	mark_groups(&listing);
	fputs("cookbooks\n", out);
	print_children(&listing, "");
	free(listing.shown);
	buf_free(&listing.line);
}
