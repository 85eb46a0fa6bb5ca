/* SPDX-License-Identifier: Apache-2.0 */
#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"

#define DIRECTORY_MODE 0750
#define SHARED_DIRECTORY_MODE (S_ISGID | 0770)
#define FILE_MODE 0640
#define SHARED_FILE_MODE 0660
#define REOPEN_TRIES 16

struct sink {
	char *path;       /* for messages */
	const char *name; /* the last component of it */
	int fd;
	dev_t device;
	ino_t inode;
	bool torn;     /* the end of a record is missing */
	bool reported; /* a failure was told */
};

struct logfile {
	int directory;
	struct logfile_limits limits;
	struct sink plain, extended;
};

static int failed(const char *path, const char *what, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	int why = errno;

	printable_path(path, shown);
	errno = why;
	return err_errno(err, "%s: cannot %s", shown, what);
}

/* Directories */

/* Whether what is made in the directory is its group's, too: all of that may write to each log. */
static bool is_shared(int directory)
{
	struct stat st;

	return fstat(directory, &st) == 0 && (st.st_mode & S_ISGID) && (st.st_mode & S_IWGRP);
}

/* Opens a directory in `parent`, made when missing. Returns the descriptor or -1 with errno. */
static int directory_enter(int parent, const char *name, int flags)
{
	/* By name, for the umask may leave a directory that we cannot open. */
	if (mkdirat(parent, name, DIRECTORY_MODE) == 0) {
		mode_t mode = is_shared(parent) ? SHARED_DIRECTORY_MODE : DIRECTORY_MODE;

		if (fchmodat(parent, name, mode, AT_SYMLINK_NOFOLLOW) < 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
}

/* Walks down `path`, cut at `separator`, from `at`, which is closed. -1 with errno. */
static int directory_walk(int at, const char *path, char separator, int flags)
{
	const char *end;
	char *name;
	int next, why;

	for (; at >= 0 && *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, separator);
		if (end == path)
			continue;
		name = xstrndup(path, (size_t)(end - path));
		next = directory_enter(at, name, flags);
		why = errno;
		free(name);
		close(at);
		errno = why;
		at = next;
	}
	return at;
}

static int base_open(const char *base)
{
	int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(base[0] == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return directory_walk(fd, base, '/', 0);
}

/* Dotted, and each part a name that a directory may have. */
static bool name_is_valid(const char *name)
{
	static const char ending[] = "-extended.log.500";
	const char *end;

	for (;; name = end + 1) {
		end = strchrnul(name, '.');
		if (end == name || (size_t)(end - name) + sizeof(ending) > NAME_MAX)
			return false;
		if (memchr(name, '/', (size_t)(end - name)) ||
		    !printable_is(name, (size_t)(end - name)))
			return false;
		if (*end == '\0')
			return true;
	}
}

/* One file */

/* -1 with errno; a link is ELOOP, what is no regular file ENXIO. */
static int file_open(int directory, const char *name, struct stat *st)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd, why;

	for (int i = 0; i < REOPEN_TRIES; i++) {
		fd = openat(directory, name, flags);
		if (fd >= 0 || errno != ENOENT)
			break;
		fd = openat(directory, name, flags | O_CREAT | O_EXCL, FILE_MODE);
		if (fd >= 0 && fchmod(fd, is_shared(directory) ? SHARED_FILE_MODE : FILE_MODE) < 0)
			goto fail;
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	if (fd < 0)
		return -1;
	if (fstat(fd, st) < 0)
		goto fail;
	if (S_ISREG(st->st_mode))
		return fd;
	errno = ENXIO;
fail:
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

/* Opens the file that now has the name. On failure the old descriptor stays in use. */
static int sink_open(struct sink *sink, int directory, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;
	int fd = file_open(directory, sink->name, &st);

	if (fd < 0 && errno == ELOOP)
		return err_set(err, "%s: a symbolic link, not a log file",
			       printable_path(sink->path, shown));
	if (fd < 0 && errno == ENXIO)
		return err_set(err, "%s: not a regular file", printable_path(sink->path, shown));
	if (fd < 0)
		return failed(sink->path, "open", err);
	if (sink->fd >= 0)
		close(sink->fd);
	sink->fd = fd;
	sink->device = st.st_dev;
	sink->inode = st.st_ino;
	sink->torn = false;
	return 0;
}

static bool is_current(const struct sink *sink, int directory, struct stat *st)
{
	return fstatat(directory, sink->name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st->st_dev == sink->device && st->st_ino == sink->inode;
}

/* NAME.log.NUMBER, or NAME.log itself. The caller frees it. */
static char *numbered(const char *name, unsigned number)
{
	return number ? xasprintf("%s.%u", name, number) : xstrdup(name);
}

static int file_rename(int directory, const char *name, unsigned from, unsigned to)
{
	char *old = numbered(name, from);
	char *new = numbered(name, to);
	int rc = renameat(directory, old, directory, new);

	if (rc < 0 && errno == ENOENT)
		rc = 0;
	free(old);
	free(new);
	return rc;
}

/* The lowest number that is free, at most `keep`: what lies behind it need not move. */
static unsigned first_free(int directory, const char *name, unsigned keep)
{
	bool used = true;
	unsigned number;

	for (number = 0; used && number < keep;) {
		char *path = numbered(name, ++number);

		used = faccessat(directory, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
		free(path);
	}
	return number;
}

/*
 * Moves the file aside unless another process just does or did that. The lock is
 * on the file itself and is never waited for: who does not get it writes on to
 * the file that it has, which the other one is only renaming.
 */
static int sink_rotate(struct sink *sink, const struct logfile *logfile, struct err *err)
{
	struct stat st;
	int rc = 0;

	if (flock(sink->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? 0 : failed(sink->path, "lock", err);
	if (is_current(sink, logfile->directory, &st)) {
		unsigned i = first_free(logfile->directory, sink->name, logfile->limits.keep);

		for (; i > 0 && rc == 0; i--)
			rc = file_rename(logfile->directory, sink->name, i - 1, i);
		if (rc < 0)
			failed(sink->path, "rotate", err);
	}
	flock(sink->fd, LOCK_UN);
	return rc < 0 ? -1 : sink_open(sink, logfile->directory, err);
}

static int write_all(struct sink *sink, const char *text, size_t length)
{
	ssize_t written;

	for (size_t done = 0; done < length; done += (size_t)written) {
		written = write(sink->fd, text + done, length - done);
		if (written < 0 && errno == EINTR)
			written = 0;
		if (written < 0) {
			sink->torn = sink->torn || done > 0;
			return -1;
		}
	}
	return 0;
}

static int record_write(struct sink *sink, const struct buf *record, struct err *err)
{
	struct buf joined = {0};
	int rc;

	if (!sink->torn) {
		rc = write_all(sink, record->text, record->length);
	} else {
		/* Disk full before: what was cut ends here. */
		buf_putc(&joined, '\n');
		buf_add(&joined, record->text, record->length);
		rc = write_all(sink, joined.text, joined.length);
		sink->torn = rc < 0;
		buf_free(&joined);
	}
	return rc < 0 ? failed(sink->path, "write", err) : 0;
}

/* One look at the name per record tells both whether the file is still ours and how long it is. */
static int sink_write(struct sink *sink, const struct logfile *logfile, const struct buf *record,
		      struct err *err)
{
	struct err ignored = {0}, *first = sink->reported ? &ignored : err;
	struct stat st;
	int rc = 0;

	if (record->length == 0)
		return 0;
	if (!is_current(sink, logfile->directory, &st))
		rc = sink_open(sink, logfile->directory, first);
	else if (st.st_size > 0 && st.st_size + (off_t)record->length > logfile->limits.size)
		rc = sink_rotate(sink, logfile, first);
	if (record_write(sink, record, rc < 0 ? &ignored : first) < 0)
		rc = -1;
	if (rc == 0 || sink->reported)
		return 0;
	sink->reported = true;
	return -1;
}

/* The pair */

static void sink_init(struct sink *sink, const char *base, const char *name, const char *ending)
{
	size_t begin = strlen(base) + 1;

	sink->path = xasprintf("%s/%s%s", base, name, ending);
	for (char *at = sink->path + begin; at < sink->path + begin + strlen(name); at++)
		if (*at == '.')
			*at = '/';
	sink->name = strrchr(sink->path, '/') + 1;
	sink->fd = -1;
}

int logfile_open(const char *base, const char *name, const struct logfile_limits *limits,
		 struct logfile **ret_logfile, struct err *err)
{
	static const struct logfile_limits usual = {.size = LOGFILE_SIZE, .keep = LOGFILE_KEEP};
	struct logfile *logfile = xcalloc(1, sizeof(*logfile));
	const char *last = strrchr(name, '.');
	char *groups = xstrndup(name, last ? (size_t)(last - name) : 0);
	char shown[PRINTABLE_PATH_SIZE];
	int rc = -1;

	logfile->directory = -1;
	logfile->limits = limits ? *limits : usual;
	sink_init(&logfile->plain, base, name, ".log");
	sink_init(&logfile->extended, base, name, "-extended.log");
	if (!name_is_valid(name)) {
		err_set(err, "cannot name a log file after '%s'", printable_path(name, shown));
		goto out;
	}
	logfile->directory = base_open(base);
	if (logfile->directory < 0) {
		failed(base, "open or make the directory", err);
		goto out;
	}
	logfile->directory = directory_walk(logfile->directory, groups, '.', O_NOFOLLOW);
	if (logfile->directory < 0) {
		failed(logfile->plain.path, "open or make its directory", err);
		goto out;
	}
	if (sink_open(&logfile->plain, logfile->directory, err) < 0 ||
	    sink_open(&logfile->extended, logfile->directory, err) < 0)
		goto out;
	*ret_logfile = logfile;
	logfile = NULL;
	rc = 0;
out:
	free(groups);
	logfile_close(logfile);
	return rc;
}

int logfile_write(struct logfile *logfile, const struct buf *record, const struct buf *extended,
		  struct err *err)
{
	struct err second;
	int rc = 0;

	if (record)
		rc = sink_write(&logfile->plain, logfile, record, err);
	if (sink_write(&logfile->extended, logfile, extended, rc < 0 ? &second : err) < 0) {
		/* Only one can be told at a time: this one with the next record. */
		if (rc < 0)
			logfile->extended.reported = false;
		rc = -1;
	}
	return rc;
}

const char *logfile_path(const struct logfile *logfile, bool extended)
{
	return extended ? logfile->extended.path : logfile->plain.path;
}

void logfile_close(struct logfile *logfile)
{
	if (!logfile)
		return;
	if (logfile->plain.fd >= 0)
		close(logfile->plain.fd);
	if (logfile->extended.fd >= 0)
		close(logfile->extended.fd);
	if (logfile->directory >= 0)
		close(logfile->directory);
	free(logfile->plain.path);
	free(logfile->extended.path);
	free(logfile);
}
