/* SPDX-License-Identifier: Apache-2.0 */
#include "treerules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../../runtime/printable.h"
#include "../../runtime/trust.h"

void tree_complain(FILE *problems, const char *path, const char *reason)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (problems)
		fprintf(problems, "%s: %s\n", printable_path(path, shown), reason);
}

void tree_report(FILE *problems, const struct err *err)
{
	if (problems)
		fprintf(problems, "%s\n", err->text);
}

bool tree_is_word(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '-'))
			return false;
	}
	return length > 0;
}

bool tree_is_component(const char *name, size_t length)
{
	return tree_is_word(name, length) && name[0] != '_';
}

bool tree_has_suffix(const char *name, size_t length)
{
	return length > 3 && memcmp(name + length - 3, ".so", 3) == 0;
}

const char *tree_name_in_module(const struct cookbook_spec *spec, size_t count)
{
	const char *name = spec->symbol + strlen(TREE_PLAIN_SYMBOL);

	if (count == 1)
		return "";
	return *name ? name + 1 : NULL;
}

int tree_open_base(const char *base, FILE *problems)
{
	struct err err;
	int fd;

	if (trust_check_path(base, &err) < 0) {
		tree_report(problems, &err);
		return -1;
	}
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		tree_complain(problems, base, strerrordesc_np(errno));
	return fd;
}
