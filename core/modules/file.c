/* SPDX-License-Identifier: Apache-2.0 */
/* Local files. What changes something asks the gate first. Links are in symlink.c. */
#include <spicerack/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spicerack/error.h>
#include <spicerack/session.h>
#include <spicerack/text.h>

#include "../runtime/err.h"
#include "../runtime/misuse.h"

#define MAX_FILE ((size_t)16 << 20)
#define MAX_BUFFER (MAX_FILE + 1) /* the end of the longest file is seen, too */

/* False when nothing is there. */
static bool examine(struct spk *spk, const char *path, struct stat *st)
{
	struct err err = {{0}};

	if (stat(path, st) == 0)
		return true;
	if (errno == ENOENT || errno == ENOTDIR)
		return false;
	err_errno(&err, "cannot examine '%s'", path);
	spk_raise(spk, "file", NULL, "%s", err.text);
}

bool spk_file_exists(struct spk *spk, const char *path)
{
	struct stat st;

	CHECK_GIVEN(path);
	return examine(spk, path, &st);
}

bool spk_is_directory(struct spk *spk, const char *path)
{
	struct stat st;

	CHECK_GIVEN(path);
	return examine(spk, path, &st) && S_ISDIR(st.st_mode);
}

/* The length, at most `size`; -1 with the reason. */
static ssize_t read_into(const char *path, char *out, size_t size, struct err *err)
{
	size_t length = 0;
	ssize_t rc = -1, got = 1;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	if (fstat(fd, &st) < 0) {
		err_errno(err, "cannot examine '%s'", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "cannot read '%s': not a regular file", path);
		goto out;
	}
	while (length < size && got != 0) {
		got = read(fd, out + length, size - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err_errno(err, "cannot read '%s'", path);
			goto out;
		}
		length += (size_t)got;
	}
	rc = (ssize_t)length;
out:
	close(fd);
	return rc;
}

/* How much to read at first: one byte more than the file says, so that its end is seen. */
static size_t first_size(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return 4096;
	return (uint64_t)st.st_size > MAX_FILE ? MAX_BUFFER + 1 : (size_t)st.st_size + 1;
}

static size_t next_size(size_t size)
{
	return size < MAX_BUFFER && size * 4 > MAX_BUFFER ? MAX_BUFFER : size * 4;
}

/*
 * Memory is taken while no file is open, since that may raise. A file that turns out longer
 * than it said, as those of /proc do, is read again.
 */
const char *spk_file_read(struct spk *spk, const char *path)
{
	struct err err = {{0}};
	ssize_t length;
	size_t size;
	char *text;

	CHECK_GIVEN(path);
	for (size = first_size(path); size <= MAX_BUFFER; size = next_size(size)) {
		text = spk_alloc(spk, size);
		length = read_into(path, text, size, &err);
		if (length < 0)
			spk_raise(spk, "file", NULL, "%s", err.text);
		if ((size_t)length == size)
			continue;
		session_did_read(spk, "the file '%s'", path);
		if (memchr(text, '\0', (size_t)length))
			spk_raise(spk, "file", NULL, "cannot read '%s': it holds a NUL byte", path);
		return text;
	}
	spk_raise(spk, "file", NULL, "cannot read '%s': it is longer than 16 MiB", path);
}

const char *spk_path_join(struct spk *spk, const char *directory, const char *name)
{
	size_t length;

	CHECK_GIVEN(directory);
	CHECK_GIVEN(name);
	length = strlen(directory);
	if (!length)
		return spk_format(spk, "%s", name);
	while (length && directory[length - 1] == '/')
		length--;
	return spk_format(spk, "%.*s/%s", (int)length, directory, name + strspn(name, "/"));
}
