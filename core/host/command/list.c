/* SPDX-License-Identifier: Apache-2.0 */
/* The tree as `cookbook -l` prints it. */
#include "../tree/tree.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/buf.h"
#include "../../runtime/mem.h"

struct listing {
	const struct tree *tree;
	bool *shown;        /* groups with a cookbook below that is shown */
	size_t first, last; /* cookbooks shown: from first up to, not including, last */
	bool titles;
	FILE *out;
	struct buf line; /* between lines: what stands before each of this group */
};

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
			const struct tree_group *found = tree_find_group(tree, name);
			char *dot = strrchr(name, '.');

			if (!found || listing->shown[found - tree->groups])
				break;
			listing->shown[found - tree->groups] = true;
			*(dot ? dot : name) = '\0';
		}
		free(name);
	}
}

/* Takes away what is not shown; returns how many children are left. */
static size_t keep_shown(const struct listing *listing, struct tree_child *children, size_t count)
{
	const struct tree *tree = listing->tree;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct tree_child *child = &children[i];
		size_t at = child->cookbook ? (size_t)(child->cookbook - tree->cookbooks)
					    : (size_t)(child->group - tree->groups);

		if (child->cookbook ? at >= listing->first && at < listing->last
				    : listing->shown[at])
			children[kept++] = *child;
	}
	return kept;
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
	struct tree_child *children = tree_children(listing->tree, group, &count);

	count = keep_shown(listing, children, count);
	for (size_t i = 0; i < count; i++) {
		const struct tree_child *child = &children[i];
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

	listing.first = 0;
	while (listing.first < tree->cookbook_count &&
	       strncmp(tree->cookbooks[listing.first].name, prefix, length) < 0)
		listing.first++;
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
