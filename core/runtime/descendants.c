/* SPDX-License-Identifier: Apache-2.0 */
#include "descendants.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "mem.h"

#define PATIENCE_NS 5000000000LL

static struct {
	pid_t *pids;
	size_t count, capacity;
} disowned;

/* The parent of a process, from /proc/PID/stat; 0 when it is gone. */
static pid_t parent_of(int proc, const char *pid)
{
	char path[64], line[1024];
	const char *after_name;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/stat", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (got <= 0)
		return 0;
	line[got] = '\0';
	/* `PID (NAME) STATE PPID`; the name may hold anything, a parenthesis, too. */
	after_name = strrchr(line, ')');
	if (!after_name || strlen(after_name) < 4)
		return 0;
	return (pid_t)strtol(after_name + 4, NULL, 10);
}

static bool is_spared(pid_t pid, const pid_t *spared, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (spared[i] == pid)
			return true;
	return false;
}

/* Whether the caller has no child at all, not even a dead one. */
static bool childless(void)
{
	return waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) < 0 &&
	       errno == ECHILD;
}

/* Walks over the children of the caller. */
struct children {
	DIR *directory;
	const pid_t *spared;
	size_t spared_count;
};

/* The next child that is neither spared nor disowned; 0: there is none. */
static pid_t next_child(const struct children *children)
{
	const struct dirent *entry;
	pid_t self = getpid();

	while (children->directory && (entry = readdir(children->directory))) {
		pid_t pid;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    parent_of(dirfd(children->directory), entry->d_name) != self)
			continue;
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (!is_spared(pid, children->spared, children->spared_count) &&
		    !is_spared(pid, disowned.pids, disowned.count))
			return pid;
	}
	return 0;
}

static void children_end(struct children *children)
{
	if (children->directory)
		closedir(children->directory);
}

/*
 * Kills what is a child of the caller now, and reaps what is dead; returns how many there were.
 * *ret_beyond: how many of the others it may not kill, for they are somebody else's by now.
 */
static unsigned int kill_children(const pid_t *spared, size_t count, pid_t wanted, int *ret_status,
				  unsigned int *ret_beyond)
{
	struct children children = {opendir("/proc"), spared, count};
	unsigned int found = 0;
	pid_t pid;

	*ret_beyond = 0;
	while ((pid = next_child(&children))) {
		bool allowed = kill(pid, SIGKILL) == 0 || errno != EPERM;
		int status;

		if (waitpid(pid, &status, WNOHANG) == pid) {
			if (pid == wanted && ret_status)
				*ret_status = status;
			found++;
		} else if (allowed) {
			found++;
		} else {
			++*ret_beyond;
		}
	}
	children_end(&children);
	return found;
}

int descendants_kill(const pid_t *spared, size_t spared_count, pid_t wanted, int *ret_status)
{
	int64_t deadline = spk_uptime().ns + PATIENCE_NS;
	struct timespec pause = {.tv_nsec = 500000};
	unsigned int beyond;

	do {
		/* The common case, at no cost: there is nothing to look for. */
		if (childless())
			return 0;
		if (kill_children(spared, spared_count, wanted, ret_status, &beyond) == 0)
			return beyond ? -1 : 0;
		nanosleep(&pause, NULL);
	} while (spk_uptime().ns < deadline);
	return -1;
}

static void add_name(pid_t pid, struct buf *names)
{
	char path[64], name[32] = "?";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
	buf_printf(names, "%s%s (%d)", names->length ? ", " : "", name, (int)pid);
}

void descendants_disown(const pid_t *spared, size_t spared_count, struct buf *names)
{
	struct children children = {NULL, spared, spared_count};
	pid_t pid;

	if (childless())
		return;
	children.directory = opendir("/proc");
	while ((pid = next_child(&children))) {
		disowned.pids = xgrow(disowned.pids, disowned.count, &disowned.capacity,
				      sizeof(*disowned.pids));
		disowned.pids[disowned.count++] = pid;
		if (names)
			add_name(pid, names);
	}
	children_end(&children);
}
