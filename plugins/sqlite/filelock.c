/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locks of the database's file, which SQLite has from the kernel. SQLite does not look whether
 * it could give one back: it goes on with the lock, which keeps out all others, and itself
 * ("locking protocol", after ten seconds), until the file is closed. The kernel needs memory to
 * free a part of a file, and may have none for a moment.
 */
#include "store.h"

#include <fcntl.h>
#include <stdarg.h>

#define TRIES 10

static int set_lock(int fd, const struct flock *lock)
{
	int tries = lock->l_type == F_UNLCK ? TRIES : 1;
	int rc;

	do {
		rc = fcntl(fd, F_SETLK, lock);
	} while (rc < 0 && --tries > 0);
	return rc;
}

/* What SQLite calls for fcntl(); its type is not ours to choose. */
static int insistent_fcntl(int fd, int command, ...)
{
	va_list args;
	int rc;

	va_start(args, command);
	if (command == F_SETLK)
		rc = set_lock(fd, va_arg(args, const struct flock *));
	else if (command == F_GETLK)
		rc = fcntl(fd, command, va_arg(args, struct flock *));
	else
		rc = fcntl(fd, command, va_arg(args, int));
	va_end(args);
	return rc;
}

void filelock_insist(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (vfs && vfs->iVersion >= 3 && vfs->xSetSystemCall)
		vfs->xSetSystemCall(vfs, "fcntl", (sqlite3_syscall_ptr)insistent_fcntl);
}
