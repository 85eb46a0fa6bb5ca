/* SPDX-License-Identifier: Apache-2.0 */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dial.h"

#define FILE_LIMIT 8192
#define PATH_SHOWN 120

/* The end of a long path says more than its beginning. */
static const char *shown(const char *path)
{
	size_t length = strlen(path);

	return length > PATH_SHOWN ? path + length - PATH_SHOWN : path;
}

static int check_file(const char *path, int fd, struct spk_reason_buffer *reason)
{
	const char *wrong = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return net_refuse(reason, "%s: cannot examine: %s", shown(path),
				  strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode))
		wrong = "not a regular file";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		wrong = "not trusted, it is neither yours nor root's";
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		wrong = "not trusted, others may write to it: chmod go-w";
	else if (st.st_mode & S_IROTH)
		wrong = "holds passwords and others may read it: chmod o-r";
	return wrong ? net_refuse(reason, "%s: %s", shown(path), wrong) : 0;
}

static int read_all(const char *path, int fd, char text[static FILE_LIMIT + 1],
		    struct spk_reason_buffer *reason)
{
	size_t length = 0;
	ssize_t got;

	do {
		got = read(fd, text + length, FILE_LIMIT + 1 - length);
		if (got < 0 && errno != EINTR)
			return net_refuse(reason, "%s: cannot read: %s", shown(path),
					  strerrordesc_np(errno));
		length += got > 0 ? (size_t)got : 0;
	} while (got != 0 && length <= FILE_LIMIT);
	if (length > FILE_LIMIT)
		return net_refuse(reason, "%s: longer than %d bytes", shown(path), FILE_LIMIT);
	text[length] = '\0';
	return strlen(text) == length ? 0 : net_refuse(reason, "%s: holds a NUL byte", shown(path));
}

/* Without the blanks around it; changes the text. */
static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* `"value";` is the value, too. */
static char *unquote(char *text)
{
	size_t length = strlen(text);

	if (text[0] != '"')
		return text;
	if (length > 2 && text[length - 1] == ';')
		text[--length] = '\0';
	if (length < 2 || text[length - 1] != '"')
		return text;
	text[length - 1] = '\0';
	return text + 1;
}

static const char *take_line(char *line, struct credential *known, size_t count)
{
	char *equals = strchr(line, '=');
	const char *name, *value;

	line = trim(line);
	if (!*line || *line == '#')
		return NULL;
	if (!equals)
		return "is not 'name = value'";
	*equals = '\0';
	name = trim(line);
	value = unquote(trim(equals + 1));
	for (const char *at = value; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return "holds a control character";
	if (!*value || strlen(value) >= CREDENTIAL_SIZE)
		return "holds no value, or one that is too long";
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i].name, name) == 0) {
			memcpy(known[i].value, value, strlen(value) + 1);
			return NULL;
		}
	return "has a name that is not known here";
}

static int take_lines(const char *path, char *text, struct credential *known, size_t count,
		      struct spk_reason_buffer *reason)
{
	int number = 1;

	for (char *line = text; line; number++) {
		char *end = strchr(line, '\n');
		const char *wrong;

		if (end)
			*end = '\0';
		wrong = take_line(line, known, count);
		if (wrong)
			return net_refuse(reason, "%s:%d: the line %s", shown(path), number, wrong);
		line = end ? end + 1 : NULL;
	}
	return 0;
}

int credentials_read(const char *path, struct credential *known, size_t count,
		     struct spk_reason_buffer *reason)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char text[FILE_LIMIT + 1];
	int rc = -1;

	credentials_wipe(known, count);
	if (fd < 0)
		return net_refuse(reason, "%s: cannot open: %s", shown(path),
				  strerrordesc_np(errno));
	if (check_file(path, fd, reason) == 0 && read_all(path, fd, text, reason) == 0)
		rc = take_lines(path, text, known, count, reason);
	explicit_bzero(text, sizeof(text));
	close(fd);
	if (rc < 0)
		credentials_wipe(known, count);
	return rc;
}

void credentials_wipe(struct credential *known, size_t count)
{
	for (size_t i = 0; i < count; i++)
		explicit_bzero(known[i].value, sizeof(known[i].value));
}
