/* SPDX-License-Identifier: Apache-2.0 */
#include "runpath.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/buf.h"
#include "../../runtime/printable.h"
#include "../../runtime/trust.h"

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

/* The file whose paths are judged. */
struct subject {
	const char *path;
	struct findings *findings;
	struct err *err;
};

static int refuse(const struct subject *subject, const char *what, const char *text,
		  const char *reason)
{
	char shown[PRINTABLE_PATH_SIZE], shown_text[PRINTABLE_PATH_SIZE];

	printable_path(text, shown_text);
	findings_add(subject->findings, FINDING_BAD_RUNPATH, NULL, 0, "%s '%s': %s", what,
		     shown_text, reason);
	return err_set(subject->err, "%s: %s '%s': %s", printable_path(subject->path, shown), what,
		       shown_text, reason);
}

/* Whether packages put their files there. */
static bool is_usual(const char *entry)
{
	static const char *const places[] = {"/usr/", "/lib", "/opt/"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strncmp(entry, places[i], strlen(places[i])) == 0)
			return true;
	return origin_length(entry) > 0;
}

static int check_entries(char *entries, const struct subject *subject)
{
	struct err cause;
	int rc = 0;

	for (char *entry = entries, *next; entry && (rc == 0 || subject->findings); entry = next) {
		next = strchr(entry, ':');
		if (next)
			*next++ = '\0';
		if (check_place(entry, subject->path, &cause) < 0)
			rc = refuse(subject, "RUNPATH entry", entry, cause.text);
		else if (!is_usual(entry))
			findings_add(subject->findings, FINDING_BUILD_RUNPATH, NULL, 0,
				     "RUNPATH entry '%s'", entry);
	}
	return rc;
}

static int check_library(const char *name, const struct subject *subject)
{
	struct err cause;

	if (strpbrk(name, "/$") && check_place(name, subject->path, &cause) < 0)
		return refuse(subject, "needs", name, cause.text);
	return 0;
}

int runpath_check(struct elf *elf, const char *path, struct findings *findings, struct err *err)
{
	const struct subject subject = {.path = path, .findings = findings, .err = err};
	char shown[PRINTABLE_PATH_SIZE];
	size_t left = TEXT_MAX;
	struct err cause;
	int rc = 0;

	for (size_t i = 0; i < elf->dynamic_count && (rc == 0 || findings); i++) {
		uint64_t tag, value;
		char *text = NULL;
		const char *what;
		bool entries;

		if (elf_dynamic(elf, i, &tag, &value, &cause) < 0) {
			findings_add(findings, FINDING_BROKEN_FILE, NULL, 0, "%s", cause.text);
			return err_set(err, "%s: %s", printable_path(path, shown), cause.text);
		}
		entries = tag == DT_RUNPATH || tag == DT_RPATH;
		if (!entries && tag != DT_NEEDED && tag != DT_AUXILIARY && tag != DT_FILTER)
			continue;
		what = entries ? "RUNPATH" : "needs a library whose name is";
		if (elf_dynamic_text(elf, value, &left, &text, &cause) < 0) {
			findings_add(findings, FINDING_BAD_RUNPATH, NULL, 0, "%s not readable: %s",
				     what, cause.text);
			return err_set(err, "%s: %s not readable: %s", printable_path(path, shown),
				       what, cause.text);
		}
		if ((entries ? check_entries(text, &subject) : check_library(text, &subject)) < 0)
			rc = -1;
		free(text);
	}
	return rc;
}
