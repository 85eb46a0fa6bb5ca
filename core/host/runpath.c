/* SPDX-License-Identifier: Apache-2.0 */
#include "runpath.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/buf.h"
#include "../runtime/mem.h"
#include "../runtime/printable.h"
#include "../runtime/trust.h"

/* Of all such texts of one file together. */
#define TEXT_MAX ((size_t)65536)

/* The length of $ORIGIN or ${ORIGIN} at the start of a path, 0 without. */
static size_t origin_length(const char *text)
{
	static const char *const forms[] = {"$ORIGIN", "${ORIGIN}"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t length = strlen(forms[i]);

		if (strncmp(text, forms[i], length) == 0 &&
		    (text[length] == '\0' || text[length] == '/'))
			return length;
	}
	return 0;
}

/* Judges one path; `path` is that of the file. The reason is without what is judged. */
static int check_place(const char *text, const char *path, struct err *err)
{
	size_t origin = origin_length(text);
	const char *slash = strrchr(path, '/');
	struct buf place = {0};
	int rc;

	if (!*text)
		return err_set(err, "it is empty, which means the current directory");
	if (strchr(text + origin, '$'))
		return err_set(err, "of variables only $ORIGIN is allowed, at the start");
	if (!origin && *text != '/')
		return err_set(err, "not an absolute path");
	if (origin && !slash)
		buf_puts(&place, ".");
	else if (origin)
		buf_add(&place, path, (size_t)(slash - path) + (slash == path));
	buf_puts(&place, text + origin);
	rc = trust_check_place(place.text, err);
	buf_free(&place);
	return rc;
}

static int refuse(const char *path, const char *what, const char *text, const char *reason,
		  struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE], shown_text[PRINTABLE_PATH_SIZE];

	return err_set(err, "%s: %s '%s': %s", printable_path(path, shown), what,
		       printable_path(text, shown_text), reason);
}

static int check_entries(char *entries, const char *path, struct err *err)
{
	struct err cause;

	for (char *entry = entries, *next; entry; entry = next) {
		next = strchr(entry, ':');
		if (next)
			*next++ = '\0';
		if (check_place(entry, path, &cause) < 0)
			return refuse(path, "RUNPATH entry", entry, cause.text, err);
	}
	return 0;
}

static int check_library(const char *name, const char *path, struct err *err)
{
	struct err cause;

	if (strpbrk(name, "/$") && check_place(name, path, &cause) < 0)
		return refuse(path, "needs", name, cause.text, err);
	return 0;
}

/* Reads a text of the dynamic section, for free(); takes its length off `*left`. */
static int read_text(struct elf *elf, uint64_t at, size_t *left, char **ret_text, struct err *err)
{
	uint64_t address;
	size_t length;
	char *text;

	if (__builtin_add_overflow(elf->strings, at, &address))
		return err_set(err, "broken file: leads out of its segments");
	if (elf_string_length(elf, address, *left, &length, err) < 0)
		return -1;
	text = xcalloc(length + 1, 1);
	if (elf_read(elf, address, text, length, err) < 0) {
		free(text);
		return -1;
	}
	*left -= length;
	*ret_text = text;
	return 0;
}

int runpath_check(struct elf *elf, const char *path, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	size_t left = TEXT_MAX;
	struct err cause;
	int rc = 0;

	for (size_t i = 0; i < elf->dynamic_count && rc == 0; i++) {
		uint64_t tag, value;
		char *text = NULL;
		bool entries;

		if (elf_dynamic(elf, i, &tag, &value, &cause) < 0)
			return err_set(err, "%s: %s", printable_path(path, shown), cause.text);
		entries = tag == DT_RUNPATH || tag == DT_RPATH;
		if (!entries && tag != DT_NEEDED && tag != DT_AUXILIARY && tag != DT_FILTER)
			continue;
		if (read_text(elf, value, &left, &text, &cause) < 0)
			return err_set(err, "%s: %s not readable: %s", printable_path(path, shown),
				       entries ? "RUNPATH" : "needs a library whose name is",
				       cause.text);
		rc = entries ? check_entries(text, path, err) : check_library(text, path, err);
		free(text);
	}
	return rc;
}
