/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was left behind by those who were killed, under keys that nobody may ever ask for again. A
 * file that can be locked is nobody's: whoever makes one locks it, and looks then whether it is
 * still there.
 */
#include "rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Once in this time. */
#define EVERY_NS (3600 * 1000000000LL)

/* ---- when ---- */

/* Whether nobody has swept for so long; then it is us who do now. The file of that name tells. */
static bool is_due(const struct store *store)
{
	struct spk_reason_buffer reason;
	char path[4096];
	struct stat st;
	int64_t age;
	mode_t mode;
	bool due;
	int fd;

	snprintf(path, sizeof(path), "%s/swept", store->directory);
	if (lstat(path, &st) == 0) {
		age = rows_now() - (st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec);
		if (age >= 0 && age < EVERY_NS)
			return false;
	}
	if (database_mode(store, &mode, &reason) < 0)
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	/* Where it is another's who does not share it, that one sweeps. */
	due = fd >= 0 && futimens(fd, NULL) == 0;
	if (due && fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 0777) != mode)
		due = fchmod(fd, mode) == 0;
	if (fd >= 0)
		close(fd);
	return due;
}

/* ---- entries ---- */

/* The keys with an entry that is there in the table only; each a copy. */
static size_t find_keys(struct store *store, char **keys, size_t most, struct spk_lock_call *call)
{
	enum spk_lock_status status = database_end(store, rows_start(store, NULL, false, call));
	int64_t now = rows_now();
	size_t count = 0;

	for (size_t i = 0; status == SPK_LOCK_OK && i < store->count && count < most; i++) {
		const struct row *row = &store->rows[i];

		if (count && strcmp(keys[count - 1], row->entry.key) == 0)
			continue;
		if (row_is_over(store, row, now) && (keys[count] = strdup(row->entry.key)))
			count++;
	}
	return count;
}

static void sweep_key(struct store *store, const char *key, struct spk_lock_call *call)
{
	enum spk_lock_status status = rows_start(store, key, true, call);
	int64_t now = rows_now();

	for (size_t i = 0; status == SPK_LOCK_OK && i < store->count; i++)
		store->rows[i].gone = row_is_over(store, &store->rows[i], now);
	/* What fails now is swept another time. */
	(void)rows_finish(store, status, NULL);
}

static void sweep_entries(struct store *store, struct spk_lock_call *call)
{
	char *keys[64];
	size_t count = find_keys(store, keys, sizeof(keys) / sizeof(keys[0]), call);

	for (size_t i = 0; i < count; i++) {
		sweep_key(store, keys[i], call);
		free(keys[i]);
	}
}

/* ---- files ---- */

static void remove_unlocked(int directory, const char *name)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return;
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		unlinkat(directory, name, 0);
	close(fd);
}

/* A database that was not finished, or what SQLite has beside one, which goes after it. */
static void remove_unfinished(int directory, const char *name)
{
	static const char *const beside[] = DATABASE_BESIDE;
	size_t length = strlen(name);
	char base[NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		size_t end = strlen(beside[i]);

		if (length <= end || strcmp(name + length - end, beside[i]) != 0)
			continue;
		snprintf(base, sizeof(base), "%.*s", (int)(length - end), name);
		if (faccessat(directory, base, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			unlinkat(directory, name, 0);
		return;
	}
	remove_unlocked(directory, name);
}

static bool is_unfinished(const char *name)
{
	return strncmp(name, DATABASE_NEW, strlen(DATABASE_NEW)) == 0;
}

static void sweep_files(int directory, bool (*is_meant)(const char *name),
			void (*take)(int directory, const char *name), int64_t deadline)
{
	/* A directory of its own: the place in a descriptor that is read is shared. */
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (stream && store_now() < deadline && (entry = readdir(stream)))
		if (is_meant(entry->d_name))
			take(dirfd(stream), entry->d_name);
	if (stream)
		closedir(stream);
	else if (fd >= 0)
		close(fd);
}

void sweep(struct store *store, struct spk_lock_call *call)
{
	int above;

	if (!store->own_run[0] || store->absent || !is_due(store))
		return;
	sweep_entries(store, call);
	sweep_files(store->runs_fd, run_is_name, remove_unlocked, call->deadline_ns);
	above = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sweep_files(above, is_unfinished, remove_unfinished, call->deadline_ns);
	/* Now that they are without what they belong to. */
	sweep_files(above, is_unfinished, remove_unfinished, call->deadline_ns);
	if (above >= 0)
		close(above);
}
