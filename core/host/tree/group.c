/* SPDX-License-Identifier: Apache-2.0 */
#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../../runtime/smallfile.h"
#include "../../runtime/trust.h"

#define SIZE_LIMIT 65536

/* libconfig opens what @include names, and hangs or exits on what is no file: no such line may
 * reach it. */
static unsigned include_line(const char *text)
{
	unsigned line = 1;

	for (const char *from = text; from; line++) {
		const char *word = from + strspn(from, " \t\r\f\v");

		if (strncmp(word, "@include", 8) == 0)
			return line;
		from = strchr(from, '\n');
		if (from)
			from++;
	}
	return 0;
}

static int take_setting(const config_setting_t *setting, const char *shown, struct group *group,
			struct err *err)
{
	const char *name = config_setting_name(setting);
	unsigned line = (unsigned)config_setting_source_line(setting);
	const char *text;
	char **to;

	if (name && strcmp(name, "title") == 0)
		to = &group->title;
	else if (name && strcmp(name, "owner") == 0)
		to = &group->owner;
	else
		return err_set(err, "%s:%u: unknown key '%.64s'; there are title and owner", shown,
			       line, name ? name : "");
	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return err_set(err, "%s:%u: %s is not a string", shown, line, name);
	text = config_setting_get_string(setting);
	if (!printable_is(text, strlen(text)))
		return err_set(err, "%s:%u: %s is not one line of text", shown, line, name);
	if (*text)
		*to = xstrdup(text);
	return 0;
}

static int parse(const char *text, const char *shown, struct group *group, struct err *err)
{
	unsigned line = include_line(text);
	config_setting_t *root;
	config_t config;
	int rc = -1;

	config_init(&config);
	if (line) {
		err_set(err, "%s:%u: @include is not allowed here", shown, line);
		goto out;
	}
	if (config_read_string(&config, text) != CONFIG_TRUE) {
		err_set(err, "%s:%d: %s", shown, config_error_line(&config),
			config_error_text(&config));
		goto out;
	}
	root = config_root_setting(&config);
	for (int i = 0; i < config_setting_length(root); i++)
		if (take_setting(config_setting_get_elem(root, (unsigned)i), shown, group, err) < 0)
			goto out;
	rc = 0;
out:
	config_destroy(&config);
	return rc;
}

int group_read(int directory, const char *path, struct group *ret, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	struct group group = {0};
	struct buf text = {0};
	struct stat st;
	int missing = 0;
	int rc;

	rc = smallfile_read_at(directory, GROUP_FILE, path, SIZE_LIMIT, &text, err);
	missing = rc < 0 && errno == ENOENT;
	if (rc == 0 && fstatat(directory, GROUP_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		rc = trust_check_parents(path, err);
	if (rc == 0)
		rc = parse(buf_text(&text), printable_path(path, shown), &group, err);
	if (rc == 0) {
		*ret = group;
		group = (struct group){0};
	}
	group_free(&group);
	buf_free(&text);
	if (rc < 0)
		errno = missing ? ENOENT : EINVAL;
	return rc;
}

void group_free(struct group *group)
{
	free(group->title);
	free(group->owner);
	*group = (struct group){0};
}
