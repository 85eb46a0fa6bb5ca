/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <fcntl.h>
#include <spicerack/nested.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "../argument/argparse.h"
#include "binary.h"
#include "../tree/find.h"
#include "findingplace.h"
#include "../tree/group.h"
#include "../peek/peek.h"
#include "../tree/pool.h"
#include "speccheck.h"
#include "../tree/tree.h"
#include "../tree/treerules.h"

/* A call of another cookbook, kept until all of the tree is known. */
struct call {
	const char *file, *cookbook, *name;
	const char **words;
	size_t count;
	uint64_t row_address;
};

struct check {
	const struct settings *settings;
	spk_strings trees;
	struct findings findings;
	struct libraries *libraries; /* NULL: they are not looked at */
	struct peek_reader *reader;
	struct pool *pool;
	struct call *calls;
	size_t call_count, call_capacity, files;
	struct driver_needs needs;
	bool owners; /* whether owners are judged file by file */
};

static void remember_calls(struct check *check, const struct cookbook_spec *spec)
{
	for (size_t i = 0; i < spec->call_count; i++) {
		const struct call_spec *from = &spec->calls[i];
		struct call *call;

		check->calls = xgrow(check->calls, check->call_count, &check->call_capacity,
				     sizeof(*check->calls));
		call = &check->calls[check->call_count++];
		*call = (struct call){
			.file = check->findings.file,
			.cookbook = check->findings.cookbook,
			.name = pool_text(check->pool, from->name, strlen(from->name)),
			.words = pool_alloc(check->pool, from->args.count + 1,
					    sizeof(*call->words)),
			.count = from->args.count,
			.row_address = from->row_address,
		};
		for (size_t k = 0; k < call->count; k++)
			call->words[k] = pool_text(check->pool, from->args.items[k],
						   strlen(from->args.items[k]));
	}
}

static const char *name_of(const struct cookbook_spec *spec)
{
	const char *name = spec->symbol + strlen(TREE_PLAIN_SYMBOL);

	return *name ? name + 1 : "";
}

/* For peek_reader_collect(). */
static void inspect(void *data, struct elf *elf, int fd, const struct peek *peek)
{
	struct check *check = data;

	check->files++;
	binary_check(elf, check->findings.file, check->libraries, &check->findings, &check->needs);
	for (size_t i = 0; i < peek->count; i++) {
		const struct cookbook_spec *spec = &peek->cookbooks[i];

		findings_cookbook(&check->findings, name_of(spec));
		speccheck(spec, check->settings, &check->findings);
		if (check->owners && (!spec->owner || !*spec->owner))
			findings_add(&check->findings, FINDING_NO_OWNER, NULL, spec->address,
				     "neither it nor its directory has an owner");
		remember_calls(check, spec);
	}
	findings_cookbook(&check->findings, "");
}

struct check *check_new(const struct settings *settings, spk_strings trees, const char *library)
{
	struct check *check = xcalloc(1, sizeof(*check));

	check->settings = settings;
	check->trees = trees;
	check->libraries = library ? libraries_new(library) : NULL;
	check->pool = pool_new(0);
	check->reader = peek_reader_new();
	findings_open(&check->findings);
	peek_reader_collect(check->reader, &check->findings, inspect, check);
	return check;
}

void check_free(struct check *check)
{
	if (!check)
		return;
	libraries_free(check->libraries);
	peek_reader_free(check->reader);
	driver_needs_free(&check->needs);
	findings_close(&check->findings);
	pool_free(check->pool);
	free(check->calls);
	free(check);
}

/* Calls of other cookbooks */

static void judge_call(struct check *check, const struct call *call, const struct tree_found *found)
{
	struct argparse_context context = speccheck_context(check->settings);
	struct parsed parsed;
	struct buf out = {0};
	const char *message;

	context.program = call->name;
	context.placeholder = SPK_ANY;
	switch (argparse(found->spec, &context, (int)call->count,
			 (char *const *)(uintptr_t)call->words, &parsed, &out)) {
	case ARGPARSE_USAGE:
		/* the usage comes first, then one line `PROGRAM: error: MESSAGE` */
		message = strstr(buf_text(&out), ": error: ");
		while (message && strstr(message + 1, ": error: "))
			message = strstr(message + 1, ": error: ");
		findings_add(&check->findings, FINDING_CALL_ARGUMENTS, NULL, call->row_address,
			     "'%s' would refuse this call: %.*s", call->name,
			     message ? (int)strcspn(message + 9, "\n") : 0,
			     message ? message + 9 : "");
		break;
	case ARGPARSE_HELP:
		findings_add(&check->findings, FINDING_CALL_ARGUMENTS, NULL, call->row_address,
			     "'%s' would only show its help", call->name);
		break;
	case ARGPARSE_OK:
	case ARGPARSE_BROKEN: /* the target's own finding */
		break;
	}
	parsed_free(&parsed);
	buf_free(&out);
}

/* Looks for the targets of all calls remembered in `base` (NULL: there is none) and the trees. */
static void judge_calls(struct check *check, const char *base)
{
	const char **bases = xcalloc(check->trees.count + 1, sizeof(*bases));
	size_t count = 0;

	if (base)
		bases[count++] = base;
	for (size_t i = 0; i < check->trees.count; i++)
		bases[count++] = check->trees.items[i];
	for (size_t i = 0; i < check->call_count; i++) {
		const struct call *call = &check->calls[i];
		struct tree_found found;

		check->findings.file = call->file;
		check->findings.cookbook = call->cookbook;
		if (count && tree_find((spk_strings){bases, count}, call->name, NULL, &found) ==
				     TREE_FOUND) {
			judge_call(check, call, &found);
			tree_found_free(&found);
		} else {
			findings_add(&check->findings, FINDING_CALL_TARGET, NULL, call->row_address,
				     "there is no cookbook '%s'", call->name);
		}
	}
	check->call_count = 0;
	free(bases);
}

/* Whether a group.cfg beside the file gives an owner; a wrong one is a finding. */
static bool has_group_owner(struct check *check, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup("./");
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *file = xasprintf("%s" GROUP_FILE, directory);
	bool owned = false;
	struct group group;
	struct err err;

	if (fd >= 0 && faccessat(fd, GROUP_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		if (group_read(fd, file, &group, &err) < 0) {
			findings_add_reason(&check->findings, FINDING_BAD_GROUP, file, err.text);
		} else {
			owned = group.owner != NULL;
			group_free(&group);
		}
	}
	if (fd >= 0)
		close(fd);
	free(directory);
	free(file);
	return owned;
}

void check_file(struct check *check, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct peek peek;
	struct err err;

	findings_file(&check->findings, path);
	/* Of a file that is not there its name matters to nobody. */
	if (access(path, F_OK) == 0 &&
	    (!tree_has_suffix(name, strlen(name)) || !tree_is_component(name, strlen(name) - 3)))
		findings_add(&check->findings, FINDING_BAD_NAME, NULL, 0,
			     "no file of that name is looked at in a tree");
	check->owners = !has_group_owner(check, path);
	if (peek_file_at(check->reader, AT_FDCWD, path, 0, path, PEEK_ALL, &peek, &err) == 0)
		peek_free(&peek); /* else the reader has collected why */
	judge_calls(check, NULL);
}

void check_memory(struct check *check, const void *bytes, size_t size, const char *path)
{
	struct peek peek;
	struct err err;

	check->owners = true;
	if (peek_memory(check->reader, bytes, size, path, PEEK_ALL, &peek, &err) == 0)
		peek_free(&peek);
	judge_calls(check, NULL);
}

static const char *last_part(const char *path, size_t *ret_length)
{
	size_t end = strlen(path), begin;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (begin = end; begin > 0 && path[begin - 1] != '/';)
		begin--;
	*ret_length = end - begin;
	return path + begin;
}

/* Whether two base directories are the same bundle, of which one may be an older version. */
static bool is_same_bundle(const char *a, const char *b)
{
	size_t length, other;

	a = last_part(a, &length);
	b = last_part(b, &other);
	return length == other && strncmp(a, b, length) == 0;
}

/* Reads the group.cfg that `base` has for the group; false: none, or one that is a finding there.
 */
static bool read_group(const char *base, const char *name, char **ret_file, struct group *ret)
{
	char *directory = xasprintf("%s/%s", base, name), *file;
	struct err err;
	bool found;
	int fd;

	for (char *at = directory + strlen(base) + 1; *at; at++)
		if (*at == '.')
			*at = '/';
	file = xasprintf("%s%s" GROUP_FILE, directory, *name ? "/" : "");
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	found = fd >= 0 && group_read(fd, file, ret, &err) == 0;
	if (fd >= 0)
		close(fd);
	if (found)
		*ret_file = file;
	else
		free(file);
	free(directory);
	return found;
}

/* One attribute of a group that two bundles have. */
static void compare_attribute(struct check *check, const char *what, const char *ours,
			      const char *theirs, const char *file)
{
	if (ours && theirs && strcmp(ours, theirs) != 0)
		findings_add(&check->findings, FINDING_BAD_GROUP, NULL, 0,
			     "its %s is not that of the same group in '%s'", what, file);
}

/* Groups are one across all trees: none may be said to be something else than elsewhere. */
static void compare_groups(struct check *check, const char *base, const struct tree *tree)
{
	for (size_t i = 0; i < tree->group_count; i++) {
		const char *name = tree->groups[i].name;
		char *our_file, *their_file;
		struct group ours, theirs;

		if (!read_group(base, name, &our_file, &ours))
			continue;
		findings_file(&check->findings, our_file);
		for (size_t k = 0; k < check->trees.count; k++) {
			const char *other = check->trees.items[k];

			if (is_same_bundle(base, other) ||
			    !read_group(other, name, &their_file, &theirs))
				continue;
			compare_attribute(check, "title", ours.title, theirs.title, their_file);
			compare_attribute(check, "owner", ours.owner, theirs.owner, their_file);
			group_free(&theirs);
			free(their_file);
		}
		group_free(&ours);
		free(our_file);
	}
}

void check_tree(struct check *check, const char *path)
{
	struct tree tree;

	check->owners = false;
	if (!tree_check(path, &check->findings, check->reader, &tree))
		return;
	for (size_t i = 0; i < tree.cookbook_count; i++) {
		if (strcmp(tree.cookbooks[i].owner, TREE_NO_OWNER) != 0)
			continue;
		findings_file(&check->findings, tree.cookbooks[i].file);
		findings_add(&check->findings, FINDING_NO_OWNER, NULL, 0,
			     "neither %s nor its groups have an owner", tree.cookbooks[i].name);
	}
	compare_groups(check, path, &tree);
	tree_free(&tree);
	judge_calls(check, path);
}

/* What is told */

static int by_file(const void *a, const void *b)
{
	const struct finding *const *left = a, *const *right = b;
	int order = strcmp((*left)->file, (*right)->file);

	return order ? order : (*left > *right) - (*left < *right);
}

const struct findings *check_findings(struct check *check)
{
	struct findings *findings = &check->findings;
	struct finding *sorted = xcalloc(findings->count + 1, sizeof(*sorted));
	struct finding **order = xcalloc(findings->count + 1, sizeof(*order));

	for (size_t i = 0; i < findings->count; i++)
		order[i] = &findings->items[i];
	if (findings->count > 1)
		qsort(order, findings->count, sizeof(*order), by_file);
	for (size_t i = 0; i < findings->count; i++)
		sorted[i] = *order[i];
	free(order);
	free(findings->items);
	findings->items = sorted;
	findings->capacity = findings->count + 1;
	findings_find_places(findings);
	return findings;
}

const struct driver_needs *check_needs(const struct check *check)
{
	return &check->needs;
}

size_t check_files(const struct check *check)
{
	return check->files;
}
