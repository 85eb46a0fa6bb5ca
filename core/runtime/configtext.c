/* SPDX-License-Identifier: Apache-2.0 */
#include "configtext.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "printable.h"
#include "smallfile.h"
#include "trust.h"

#define INCLUDE "@include"
/* libconfig and its parser recurse; nobody nests deeper than a handful. */
#define DEPTH_MAX 32

/* The text as it is walked, outside of strings and comments. */
struct scan {
	const char *shown; /* the file, for messages */
	const char *at;
	unsigned line, depth;
};

static int refuse(const struct scan *scan, unsigned line, const char *reason, struct err *err)
{
	return err_set(err, "%s:%u: %s", scan->shown, line, reason);
}

/* Steps over what ends with `end`; a backslash hides the next byte when `escapes`. */
static bool skip_past(struct scan *scan, const char *end, bool escapes)
{
	size_t length = strlen(end);

	for (; *scan->at; scan->at++) {
		if (strncmp(scan->at, end, length) == 0) {
			scan->at += length;
			return true;
		}
		if (*scan->at == '\n')
			scan->line++;
		if (escapes && *scan->at == '\\' && scan->at[1] != '\0' && scan->at[1] != '\n')
			scan->at++;
	}
	return false;
}

/* A numeral: without the suffix L it must fit 32 bits, as libconfig does not look. */
static int scan_number(struct scan *scan, struct err *err)
{
	bool hex = scan->at[0] == '0' && (scan->at[1] == 'x' || scan->at[1] == 'X');
	bool negative = scan->at[-1] == '-';
	const char *digits = scan->at;
	unsigned long long value, limit;
	char *end;

	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	scan->at = end;
	if (*end == '.' || (!hex && (*end == 'e' || *end == 'E'))) {
		while (isalnum((unsigned char)*scan->at) || *scan->at == '.')
			scan->at++;
		return 0;
	}
	if (*end == 'L')
		limit = hex ? UINT64_MAX : (unsigned long long)INT64_MAX + negative;
	else
		limit = hex ? UINT32_MAX : (unsigned long long)INT32_MAX + negative;
	if (errno == 0 && value <= limit)
		return 0;
	return err_set(err, "%s:%u: the number %s%.*s%s is out of range%s", scan->shown, scan->line,
		       negative ? "-" : "", end - digits > 40 ? 40 : (int)(end - digits), digits,
		       end - digits > 40 ? "..." : "",
		       *end == 'L' ? "" : " (of 32 bits: one more letter L allows 64)");
}

static int scan_text(struct scan *scan, struct err *err)
{
	const char *begin = scan->at;
	unsigned line;
	char c;

	while ((c = *scan->at) != '\0') {
		line = scan->line;
		if (c == '\n')
			scan->line++;
		if (c == '"') {
			scan->at++;
			if (!skip_past(scan, "\"", true))
				return refuse(scan, line, "this string does not end", err);
		} else if (c == '#' || (c == '/' && scan->at[1] == '/')) {
			scan->at += strcspn(scan->at, "\n");
		} else if (c == '/' && scan->at[1] == '*') {
			scan->at += 2;
			if (!skip_past(scan, "*/", false))
				return refuse(scan, line, "this comment does not end", err);
		} else if (c == '@' && strncmp(scan->at, INCLUDE, sizeof(INCLUDE) - 1) == 0) {
			return refuse(scan, line, "'" INCLUDE "' is not allowed", err);
		} else if (isdigit((unsigned char)c) && scan->at > begin &&
			   strchr("-+=:,[( \t\n", scan->at[-1])) {
			if (scan_number(scan, err) < 0)
				return -1;
		} else {
			if (strchr("{[(", c) && ++scan->depth > DEPTH_MAX)
				return refuse(scan, line, "nested too deeply", err);
			if (strchr("}])", c) && scan->depth)
				scan->depth--;
			scan->at++;
		}
	}
	return 0;
}

/* Where its memory ran out, libconfig has left names and texts out without a word. */
static bool is_whole(const config_setting_t *group)
{
	int count = config_setting_length(group);

	for (int i = 0; i < count; i++) {
		const config_setting_t *member = config_setting_get_elem(group, (unsigned int)i);

		if ((config_setting_is_group(group) && !config_setting_name(member)) ||
		    (config_setting_type(member) == CONFIG_TYPE_STRING &&
		     !config_setting_get_string(member)) ||
		    (config_setting_is_aggregate(member) && !is_whole(member)))
			return false;
	}
	return true;
}

int configtext_parse(const char *path, const char *text, config_t *ret_config, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	struct scan scan = {.shown = printable_path(path, shown), .at = text, .line = 1};
	struct buf lines = {0};
	int rc = 0;

	if (scan_text(&scan, err) < 0)
		return -1;
	/* To libconfig a comment in a last line without a newline is a syntax error. */
	buf_printf(&lines, "%s\n", text);
	config_init(ret_config);
	if (config_read_string(ret_config, lines.text) != CONFIG_TRUE) {
		unsigned line = (unsigned)config_error_line(ret_config);

		rc = refuse(&scan, line < scan.line ? line : scan.line,
			    config_error_text(ret_config), err);
		config_destroy(ret_config);
	} else if (!is_whole(config_root_setting(ret_config))) {
		rc = err_set(err, "%s: out of memory", scan.shown);
		config_destroy(ret_config);
	}
	buf_free(&lines);
	return rc;
}

int configtext_read(const char *path, config_t *ret_config, struct err *err)
{
	struct buf text = {0};
	int rc = -1;
	int why = EINVAL;

	if (smallfile_read(path, CONFIGTEXT_LIMIT, &text, err) < 0) {
		why = errno;
		goto out;
	}
	if (trust_check_parents(path, err) < 0)
		goto out;
	rc = configtext_parse(path, buf_text(&text), ret_config, err);
out:
	buf_free(&text);
	errno = why;
	return rc;
}
