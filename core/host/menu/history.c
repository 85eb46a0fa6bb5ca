/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

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
#include "../../runtime/trust.h"

#define LINE_MAX_BYTES 4096
/* A longer file is cut to its last lines; nothing before its last READ_MAX bytes is read. */
#define FILE_MAX (64 * 1024)
#define READ_MAX (1024 * 1024)

/* Makes the directory and those above it that are missing. */
static int make_directory(const char *path)
{
	char *copy = xstrdup(path), *slash = copy;
	int rc = 0;

	while (rc == 0 && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		rc = mkdir(copy, 0700) < 0 && errno != EEXIST ? -1 : 0;
		*slash = '/';
	}
	if (rc == 0)
		rc = mkdir(copy, 0700) < 0 && errno != EEXIST ? -1 : 0;
	free(copy);
	return rc;
}

static int check_file(int fd, const char *path, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, "%s: cannot examine", printable_path(path, shown));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1)
		return err_set(err, "%s: not a file of yours alone", printable_path(path, shown));
	if (fchmod(fd, 0600) < 0)
		return err_errno(err, "%s: cannot set its mode", printable_path(path, shown));
	return 0;
}

static int open_file(const char *path, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	int fd;

	fd = open(path,
		  O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		  0600);
	if (fd < 0)
		return err_errno(err, "%s: cannot open", printable_path(path, shown));
	if (check_file(fd, path, err) < 0)
		fd_close(&fd);
	return fd;
}

/* The end of the file, without the line that it may begin in the middle of. */
static void read_end(int fd, struct buf *out)
{
	off_t size = lseek(fd, 0, SEEK_END), at = size > READ_MAX ? size - READ_MAX : 0;
	char piece[4096];
	ssize_t got;

	while ((got = pread(fd, piece, sizeof(piece), at)) > 0) {
		buf_add(out, piece, (size_t)got);
		at += got;
	}
	if (size > READ_MAX && out->text) {
		char *first = memchr(out->text, '\n', out->length);
		struct buf rest = {0};

		if (first)
			buf_puts(&rest, first + 1);
		buf_free(out);
		*out = rest;
	}
}

/* Where the last HISTORY_LINES lines begin. */
static const char *last_lines(const struct buf *text)
{
	const char *start = buf_text(text) + text->length;
	size_t lines = 0;

	while (start > buf_text(text)) {
		if (start[-1] == '\n' && lines++ == HISTORY_LINES)
			break;
		start--;
	}
	return start;
}

/* Puts a file with only these lines in the place of the long one. -1: it stays as it is. */
static int shorten(const char *path, const char *lines)
{
	char *fresh = xasprintf("%s.XXXXXX", path);
	size_t length = strlen(lines);
	int fd = mkostemp(fresh, O_CLOEXEC | O_APPEND);

	if (fd >= 0 && (write(fd, lines, length) != (ssize_t)length || rename(fresh, path) < 0)) {
		unlink(fresh);
		fd_close(&fd);
	}
	free(fresh);
	return fd;
}

static void tell_lines(const char *lines, void (*each)(void *data, const char *line), void *data)
{
	char *copy = xstrdup(lines), *line = copy, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (*line && printable_is(line, strlen(line)))
			each(data, line);
	}
	free(copy);
}

int history_open(const char *directory, const char *name,
		 void (*each)(void *data, const char *line), void *data, struct err *err)
{
	char *path = xasprintf("%s/%s", directory, name);
	char shown[PRINTABLE_PATH_SIZE];
	struct buf text = {0};
	int fd = -1, fresh;

	if (trust_check_place(directory, err) < 0)
		goto out;
	if (make_directory(directory) < 0) {
		err_errno(err, "%s: cannot make the directory", printable_path(directory, shown));
		goto out;
	}
	fd = open_file(path, err);
	if (fd < 0)
		goto out;
	read_end(fd, &text);
	tell_lines(last_lines(&text), each, data);
	if (text.length > FILE_MAX) {
		fresh = shorten(path, last_lines(&text));
		if (fresh >= 0) {
			close(fd);
			fd = fresh;
		}
	}
out:
	buf_free(&text);
	free(path);
	return fd;
}

void history_add(int fd, const char *line)
{
	size_t length = strlen(line);
	char *record;

	if (fd < 0 || length == 0 || *line == ' ' || length > LINE_MAX_BYTES)
		return;
	record = xasprintf("%s\n", line);
	/* One write, so that lines of several menus do not mix. A history that is full is none. */
	if (write(fd, record, length + 1) < 0)
		errno = 0;
	free(record);
}
