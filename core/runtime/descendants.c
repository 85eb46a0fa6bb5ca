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

/* Kills what is now a child of the caller; returns how many there were. */
static unsigned int kill_children(void)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;
	unsigned int count = 0;
	pid_t self = getpid();

	if (!directory)
		return 0;
	while ((entry = readdir(directory))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    parent_of(dirfd(directory), entry->d_name) != self)
			continue;
		kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
		count++;
	}
	closedir(directory);
	return count;
}

static void reap(pid_t wanted, int *ret_status)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == wanted && ret_status)
			*ret_status = status;
}

/* Whether the caller has no child at all, not even a dead one. */
static bool childless(void)
{
	return waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) < 0 &&
	       errno == ECHILD;
}

int descendants_kill(pid_t wanted, int *ret_status)
{
	struct timespec pause = {.tv_nsec = 500000};

	for (int round = 0; round < 10000; round++) {
		reap(wanted, ret_status);
		if (childless() || kill_children() == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -1;
}
