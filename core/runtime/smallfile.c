/* SPDX-License-Identifier: Apache-2.0 */
#include "smallfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "printable.h"
#include "trust.h"

static int read_to_end(int fd, const char *shown, size_t limit, struct buf *out, struct err *err)
{
	char chunk[4096];
	size_t total = 0;
	ssize_t got;

	for (;;) {
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "%s: cannot read", shown);
		if (got == 0)
			return 0;
		if ((size_t)got > limit - total)
			return err_set(err, "%s: longer than %zu bytes", shown, limit);
		if (memchr(chunk, '\0', (size_t)got))
			return err_set(err, "%s: holds a NUL byte, so it is not a text file",
				       shown);
		buf_add(out, chunk, (size_t)got);
		total += (size_t)got;
	}
}

int smallfile_read_at(int directory, const char *name, const char *path, size_t limit,
		      struct buf *out, struct err *err)
{
	size_t before = out->length;
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;
	int missing = 0;
	int rc = -1;
	int fd;

	printable_path(path, shown);
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		missing = errno == ENOENT;
		err_errno(err, "%s: cannot open", shown);
		goto out;
	}
	if (fstat(fd, &st) < 0) {
		err_errno(err, "%s: cannot examine", shown);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "%s: not a regular file", shown);
		goto out;
	}
	if (trust_check_stat(path, &st, err) < 0)
		goto out;
	rc = read_to_end(fd, shown, limit, out, err);
	if (rc < 0 && out->text) {
		out->length = before;
		out->text[before] = '\0';
	}
out:
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		errno = missing ? ENOENT : EINVAL;
	return rc;
}

int smallfile_read(const char *path, size_t limit, struct buf *out, struct err *err)
{
	return smallfile_read_at(AT_FDCWD, path, path, limit, out, err);
}
