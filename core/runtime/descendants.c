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

#define ROUNDS 10000 /* of half a millisecond */

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

/* Kills what is a child of the caller now, and reaps what is dead; returns how many there were. */
static unsigned int kill_children(const pid_t *spared, size_t count, pid_t wanted, int *ret_status)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;
	unsigned int found = 0;
	pid_t self = getpid();

	if (!directory)
		return 0;
	while ((entry = readdir(directory))) {
		int status;
		pid_t pid;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    parent_of(dirfd(directory), entry->d_name) != self)
			continue;
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (is_spared(pid, spared, count))
			continue;
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, WNOHANG) == pid && pid == wanted && ret_status)
			*ret_status = status;
		found++;
	}
	closedir(directory);
	return found;
}

int descendants_kill(const pid_t *spared, size_t spared_count, pid_t wanted, int *ret_status)
{
	struct timespec pause = {.tv_nsec = 500000};

	for (int round = 0; round < ROUNDS; round++) {
		/* The common case, at no cost: there is nothing to look for. */
		if (childless() || kill_children(spared, spared_count, wanted, ret_status) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -1;
}
