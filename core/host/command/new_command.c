/* SPDX-License-Identifier: Apache-2.0 */
#include "new_command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/buf.h"
#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../../runtime/shell.h"
#include "../../runtime/smallfile.h"
#include "../argument/argparse.h"
#include "../run/outcome.h"
#include "../tree/treerules.h"
#include "subcommand.h"

#define PROGRAM "spicerack new"
#define TEXT_MAX (1U << 20)
/* So that it is part of the name of a file. */
#define NAME_BYTES_MAX 200
#define FILES_MAX (TREE_DEPTH_MAX + 8)

/* The command line; read by the same parser as the arguments of a cookbook. */
struct command_line {
	const char *bundle, *owner, *name;
};

enum option { BUNDLE, OWNER, NAME, OPTION_COUNT };

static const struct arg_spec arguments[OPTION_COUNT] = {
	[BUNDLE] = {.name = "bundle",
		    .form = SPK_FORM_OPTION,
		    .type = SPK_TYPE_STRING,
		    .offset = offsetof(struct command_line, bundle),
		    .group = -1,
		    .metavar = "DIR",
		    .help = "directory of the bundle, new or with cookbooks in it already "
			    "(default: a new one, called after the first part of NAME)"},
	[OWNER] = {.name = "owner",
		   .form = SPK_FORM_OPTION,
		   .type = SPK_TYPE_STRING,
		   .offset = offsetof(struct command_line, owner),
		   .group = -1,
		   .metavar = "TEAM",
		   .help = "who owns the groups that are new (default: My Team)"},
	[NAME] = {.name = "NAME",
		  .form = SPK_FORM_POSITIONAL,
		  .type = SPK_TYPE_STRING,
		  .offset = offsetof(struct command_line, name),
		  .group = -1,
		  .help = "the cookbook's name, such as sre.hosts.restart"},
};

const struct cookbook_spec new_words = {
	.title = "Makes a cookbook to start from, in a bundle that builds and tests it.",
	.description = "No file that is there is written over.",
	.args = arguments,
	.arg_count = OPTION_COUNT,
};

/* What is written: a file of the template, with its marks replaced. */
struct file {
	const char *template; /* its name there, without `.in` */
	char *path;           /* below the bundle */
	char *group;          /* of group.cfg: the last part of its name */
};

struct plan {
	const char *name, *owner;
	char *bundle;
	bool exists; /* the bundle: the cookbook is added */
	struct file files[FILES_MAX];
	size_t count;
	struct buf done; /* names of files, a line each */
};

/* ---- what may be asked for ---- */

/* As a tree takes it: words between dots, of which the first may begin with a digit. */
static int check_name(const char *name, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	unsigned int parts = 0;

	for (const char *part = name;; part++) {
		size_t length = strcspn(part, ".");

		if (!tree_is_component(part, length) || ++parts > TREE_DEPTH_MAX ||
		    strlen(name) > NAME_BYTES_MAX)
			return err_set(err,
				       "'%s' is no name of a cookbook: words of letters, digits, "
				       "'-' and '_' between dots, at most %d bytes, as in "
				       "sre.hosts.restart",
				       printable_path(name, shown), NAME_BYTES_MAX);
		part += length;
		if (!*part)
			return 0;
	}
}

static int check_owner(const char *owner, struct err *err)
{
	if (*owner && printable_is(owner, strlen(owner)) && !strpbrk(owner, "\"\\@"))
		return 0;
	return err_set(err, "argument --owner: a team is a line of text without '\"', '\\' and "
			    "'@'");
}

/* ---- the plan ---- */

static void add_file(struct plan *plan, const char *template, char *path, char *group)
{
	plan->files[plan->count++] = (struct file){template, path, group};
}

/* Of each group that the name goes through. */
static void add_groups(struct plan *plan)
{
	const char *dot = strchr(plan->name, '.'), *start = plan->name;

	for (; dot; dot = strchr(dot + 1, '.')) {
		char *path = xasprintf("cookbooks/%.*s/group.cfg", (int)(dot - plan->name),
				       plan->name);

		for (char *mark = path; mark < path + strlen(path) - strlen("/group.cfg"); mark++)
			if (*mark == '.')
				*mark = '/';
		add_file(plan, "group.cfg", path, xstrndup(start, (size_t)(dot - start)));
		start = dot + 1;
	}
}

static char *source_of(const char *name)
{
	char *path = xasprintf("cookbooks/%s.c", name);

	for (char *mark = path; mark < path + strlen(path) - 2; mark++)
		if (*mark == '.')
			*mark = '/';
	return path;
}

static void make_plan(struct plan *plan)
{
	if (!plan->exists) {
		add_file(plan, "CMakeLists.txt", xstrdup("CMakeLists.txt"), NULL);
		add_file(plan, "gitignore", xstrdup(".gitignore"), NULL);
		add_file(plan, "gitlab-ci.yml", xstrdup(".gitlab-ci.yml"), NULL);
	}
	add_file(plan, "cookbook.c", source_of(plan->name), NULL);
	add_file(plan, "test.c", xasprintf("tests/test_%s.c", plan->name), NULL);
	add_groups(plan);
}

static void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->files[i].path);
		free(plan->files[i].group);
	}
	free(plan->bundle);
	buf_free(&plan->done);
}

static char *path_of(const struct plan *plan, const char *path)
{
	return xasprintf("%s/%s", plan->bundle, path);
}

/* A group that has its file keeps it; nothing else may be there. */
static int check_free(struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct file *file = &plan->files[i];
		char *path = path_of(plan, file->path), shown[PRINTABLE_PATH_SIZE];
		bool there = access(path, F_OK) == 0;

		free(path);
		if (there && file->group) {
			file->template = NULL;
		} else if (there) {
			return err_set(err, "%s/%s exists already", plan->bundle,
				       printable_path(file->path, shown));
		}
	}
	return 0;
}

/* ---- the bundle ---- */

/* What may be in a directory before it becomes a bundle. */
static bool is_harmless(const char *name)
{
	return name[0] == '.' || strncmp(name, "README", 6) == 0 ||
	       strncmp(name, "LICENSE", 7) == 0;
}

/* A directory of something else is not to become a bundle by a slip. */
static int check_empty(const struct plan *plan, struct err *err)
{
	DIR *directory = opendir(plan->bundle);
	char shown[PRINTABLE_PATH_SIZE];
	const struct dirent *entry;
	int rc = 0;

	if (!directory && errno == ENOENT)
		return 0;
	if (!directory)
		return err_errno(err, "cannot read %s", printable_path(plan->bundle, shown));
	while (rc == 0 && (entry = readdir(directory)))
		if (!is_harmless(entry->d_name))
			rc = err_set(err,
				     "%s is no bundle of cookbooks, and not empty: name another "
				     "directory by --bundle",
				     printable_path(plan->bundle, shown));
	closedir(directory);
	return rc;
}

/* Whether there is one: with a CMakeLists.txt that adds cookbooks, and not this one. */
static int look_at_bundle(struct plan *plan, struct err *err)
{
	char *path = path_of(plan, "CMakeLists.txt"), shown[PRINTABLE_PATH_SIZE];
	char *added = xasprintf("spicerack_add_cookbook(%s ", plan->name);
	struct buf text = {0};
	int rc = 0;

	if (access(path, F_OK) == 0) {
		plan->exists = true;
		rc = smallfile_read(path, TEXT_MAX, &text, err);
		if (rc == 0 && !strstr(buf_text(&text), "find_package(Spicerack"))
			rc = err_set(err,
				     "%s is no bundle of cookbooks: it has no "
				     "find_package(Spicerack ...)",
				     printable_path(path, shown));
		else if (rc == 0 && strstr(buf_text(&text), added))
			rc = err_set(err, "%s has the cookbook %s already",
				     printable_path(path, shown), plan->name);
	}
	if (!plan->exists)
		rc = check_empty(plan, err);
	buf_free(&text);
	free(added);
	free(path);
	return rc;
}

/* ---- writing ---- */

/* A project's name is of CMake and of directories. */
static void put_project(const struct plan *plan, struct buf *out)
{
	char *whole = realpath(plan->bundle, NULL);
	const char *name = whole ? strrchr(whole, '/') + 1 : plan->bundle;

	if (!*name)
		name = "cookbooks";
	for (; *name; name++)
		buf_putc(out, tree_is_word(name, 1) || *name == '.' ? *name : '-');
	free(whole);
}

static void put_filled(const struct plan *plan, const struct file *file, const char *text,
		       struct buf *out)
{
	static const char *const marks[] = {"@NAME@", "@GROUP@", "@OWNER@", "@PROJECT@"};
	const char *values[] = {plan->name, file->group, plan->owner, NULL};

	while (*text) {
		size_t i = 0;

		while (i < 4 && strncmp(text, marks[i], strlen(marks[i])) != 0)
			i++;
		if (i == 4) {
			buf_putc(out, *text++);
			continue;
		}
		if (values[i])
			buf_puts(out, values[i]);
		else
			put_project(plan, out);
		text += strlen(marks[i]);
	}
}

/* All of the directories above a file. */
static int make_directories(const char *path, struct err *err)
{
	char *copy = xstrdup(path), shown[PRINTABLE_PATH_SIZE];
	int rc = 0;

	for (char *slash = strchr(copy + 1, '/'); slash && rc == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			rc = err_errno(err, "cannot make the directory %s",
				       printable_path(copy, shown));
		*slash = '/';
	}
	free(copy);
	return rc;
}

static int write_text(const char *path, int flags, const struct buf *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666), rc = 0;
	char shown[PRINTABLE_PATH_SIZE];

	if (fd < 0 || write(fd, buf_text(text), text->length) != (ssize_t)text->length)
		rc = err_errno(err, "cannot write %s", printable_path(path, shown));
	fd_close(&fd);
	return rc;
}

static int write_file(struct plan *plan, const struct file *file, struct err *err)
{
	char *from = xasprintf("%s/%s.in", SPICERACK_TEMPLATE_DIR, file->template);
	char *to = path_of(plan, file->path), shown[PRINTABLE_PATH_SIZE];
	struct buf text = {0}, filled = {0};
	int rc = smallfile_read(from, TEXT_MAX, &text, err);

	if (rc == 0)
		rc = make_directories(to, err);
	/* Here, as the bundle's directory is there now. */
	if (rc == 0) {
		put_filled(plan, file, buf_text(&text), &filled);
		rc = write_text(to, O_CREAT | O_EXCL, &filled, err);
	}
	if (rc == 0)
		buf_printf(&plan->done, "%s\n", printable_path(to, shown));
	buf_free(&text);
	buf_free(&filled);
	free(from);
	free(to);
	return rc;
}

static int add_to_bundle(struct plan *plan, struct err *err)
{
	char *path = path_of(plan, "CMakeLists.txt"), *source = source_of(plan->name);
	struct buf text = {0};
	int rc;

	buf_printf(&text, "\nspicerack_add_cookbook(%s %s)\n", plan->name, source);
	buf_printf(&text, "spicerack_add_test(%s tests/test_%s.c)\n", plan->name, plan->name);
	rc = write_text(path, O_APPEND, &text, err);
	buf_free(&text);
	free(source);
	free(path);
	return rc;
}

static int write_all(struct plan *plan, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < plan->count && rc == 0; i++)
		if (plan->files[i].template)
			rc = write_file(plan, &plan->files[i], err);
	return rc == 0 ? add_to_bundle(plan, err) : rc;
}

/* What was done, and what to do with it. */
static void tell(const struct plan *plan)
{
	char shown[PRINTABLE_PATH_SIZE], word[4 * PRINTABLE_PATH_SIZE + 3];

	printable_path(plan->bundle, shown);
	word[shell_quote(shown, strlen(shown), word)] = '\0';
	printf("%s", buf_text(&plan->done));
	if (plan->exists)
		printf("%s/CMakeLists.txt: added\n", shown);
	printf("\nBuild it, test it, see what it would do:\n\n"
	       "    cmake -S %s -B %s/build\n"
	       "    cmake --build %s/build\n"
	       "    ctest --test-dir %s/build --output-on-failure\n"
	       "    SPICERACK_COOKBOOKS_BASE_DIRS=%s%s/build/cookbooks cookbook --dry-run %s "
	       "--help\n",
	       word, word, word, word, *shown == '/' ? "" : "$PWD/", word, plan->name);
}

static const char *text_of(const struct parsed *parsed, enum option option)
{
	spk_strings texts = parsed->args[option].texts;

	return texts.count ? texts.items[texts.count - 1] : NULL;
}

static char *bundle_of(const struct parsed *parsed)
{
	const char *bundle = text_of(parsed, BUNDLE), *name = text_of(parsed, NAME);

	if (bundle && *bundle)
		return xstrdup(bundle);
	return xasprintf("%.*s-cookbooks", (int)strcspn(name, "."), name);
}

static int act(const struct parsed *parsed)
{
	const char *owner = text_of(parsed, OWNER);
	struct plan plan = {
		.name = text_of(parsed, NAME),
		.owner = owner ? owner : "My Team",
		.bundle = bundle_of(parsed),
	};
	struct err err;
	int rc = check_name(plan.name, &err);

	if (rc == 0)
		rc = check_owner(plan.owner, &err);
	if (rc == 0)
		rc = look_at_bundle(&plan, &err);
	if (rc == 0) {
		make_plan(&plan);
		rc = check_free(&plan, &err);
	}
	if (rc == 0)
		rc = write_all(&plan, &err);
	if (rc == 0)
		tell(&plan);
	else
		fprintf(stderr, PROGRAM ": error: %s\n", err.text);
	if (rc < 0 && plan.done.length)
		fprintf(stderr, "written before that:\n%s", buf_text(&plan.done));
	plan_free(&plan);
	return rc < 0 ? EXIT_STARTUP : EXIT_OK;
}

int new_command(int argc, char **argv)
{
	struct parsed parsed;
	int code;

	if (command_read(PROGRAM, &new_words, argc, argv, &parsed, &code))
		code = act(&parsed);
	parsed_free(&parsed);
	return code;
}
