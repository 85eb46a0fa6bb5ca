/* SPDX-License-Identifier: Apache-2.0 */
#include "lockname.h"

#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"

#define MODULE_PREFIX "spicerack."

static const char *const families[LOCK_FAMILIES] = {
	[LOCK_COOKBOOK] = "cookbooks/",
	[LOCK_CUSTOM] = "custom/",
	[LOCK_MODULE] = "modules/",
};

static int check(enum lock_family family, const char *name, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (!*name)
		return err_set(err, "the name of a lock must not be empty");
	printable_path(name, shown);
	if (strlen(name) > LOCK_NAME_MAX)
		return err_set(err, "the name of a lock must not be longer than %d bytes: '%s'",
			       LOCK_NAME_MAX, shown);
	if (strchr(name, '/'))
		return err_set(err, "the name of a lock must not hold a slash: '%s'", shown);
	if (!printable_is(name, strlen(name)))
		return err_set(err, "the name of a lock must be text that can be shown: '%s'",
			       shown);
	if (family == LOCK_MODULE && strncmp(name, MODULE_PREFIX, strlen(MODULE_PREFIX)) != 0)
		return err_set(err, "the name of a module's lock must start with '%s': '%s'",
			       MODULE_PREFIX, shown);
	return 0;
}

char *lock_key(enum lock_family family, const char *name, struct err *err)
{
	return check(family, name, err) < 0 ? NULL
					    : xasprintf(LOCK_ROOT "%s%s", families[family], name);
}

char *lock_key_of_word(const char *word, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (*word != '/')
		return lock_key(LOCK_COOKBOOK, word, err);
	for (int i = 0; i < LOCK_FAMILIES; i++) {
		size_t root = strlen(LOCK_ROOT), length = strlen(families[i]);

		if (strncmp(word, LOCK_ROOT, root) == 0 &&
		    strncmp(word + root, families[i], length) == 0)
			return lock_key((enum lock_family)i, word + root + length, err);
	}
	err_set(err,
		"no key of a lock: '%s': it must start with " LOCK_ROOT
		"{cookbooks,custom,modules}/",
		printable_path(word, shown));
	return NULL;
}
