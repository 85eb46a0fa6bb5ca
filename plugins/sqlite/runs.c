/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int runs_open(struct store *store, struct spk_reason_buffer *reason)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/runs", store->directory);
	store->runs_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->runs_fd < 0) {
		store_reason(reason, "cannot open '%s': %s", path, strerrordesc_np(errno));
		return -1;
	}
	return 0;
}

bool run_is_name(const char *name)
{
	return strlen(name) == RUN_NAME_LENGTH &&
	       strspn(name, "0123456789abcdef-") == RUN_NAME_LENGTH;
}

bool run_is_alive(const struct store *store, const char *name)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	bool alive = true;
	int fd;

	if (strcmp(name, store->own_run) == 0)
		return true;
	if (!run_is_name(name))
		return false;
	fd = openat(store->runs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno != ENOENT && errno != ELOOP;
	/* In doubt it is alive: a lock is rather waited for than held twice. */
	if (fcntl(fd, F_OFD_GETLK, &lock) == 0)
		alive = lock.l_type != F_UNLCK;
	close(fd);
	return alive;
}

void run_forget(const struct store *store, const char *name)
{
	if (run_is_name(name) && strcmp(name, store->own_run) != 0)
		unlinkat(store->runs_fd, name, 0);
}

void run_wake(const struct store *store, const char *name)
{
	/* Who is not woken by this looks again after a while. */
	if (run_is_name(name))
		utimensat(store->runs_fd, name, NULL, AT_SYMLINK_NOFOLLOW);
}

int watch_open(void)
{
	return inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

bool watch_add(const struct store *store, int watch, const char *name, bool death)
{
	char path[4096];

	if (watch < 0 || !run_is_name(name))
		return false;
	snprintf(path, sizeof(path), "%s/runs/%s", store->directory, name);
	return inotify_add_watch(watch, path,
				 (death ? IN_CLOSE_WRITE | IN_DELETE_SELF : IN_ATTRIB) |
					 IN_DONT_FOLLOW) >= 0;
}

enum spk_lock_status watch_wait(int watch, const struct spk_lock_call *call, int64_t until_ns)
{
	struct pollfd fds[2] = {
		{.fd = watch, .events = POLLIN},
		{.fd = call->cancel_fd, .events = POLLIN},
	};
	int64_t end = until_ns < call->deadline_ns ? until_ns : call->deadline_ns;
	int64_t left = end - store_now();
	struct timespec timeout = {0};
	char events[4096];

	if (left > 0) {
		timeout.tv_sec = left / 1000000000;
		timeout.tv_nsec = left % 1000000000;
	}
	ppoll(fds, 2, &timeout, NULL);
	if (fds[1].revents)
		return SPK_LOCK_CANCELLED;
	while (fds[0].revents && read(watch, events, sizeof(events)) > 0)
		;
	return store_now() >= call->deadline_ns ? SPK_LOCK_TIMEOUT : SPK_LOCK_OK;
}
