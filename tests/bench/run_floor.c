/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-run-floor COOKBOOK.so: the processes of a run without what they do. Starts itself anew,
 * that one loads the cookbook and forks a child that does nothing.
 * bench-run-floor --records N FILE FILE: appends N lines to two files, a write for each.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int runner(const char *cookbook)
{
	pid_t worker;

	if (!dlopen(cookbook, RTLD_NOW | RTLD_LOCAL)) {
		fprintf(stderr, "%s\n", dlerror());
		return EXIT_FAILURE;
	}
	worker = fork();
	if (worker == 0)
		_exit(0);
	return worker > 0 && waitpid(worker, NULL, 0) == worker ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int supervisor(const char *self, char *cookbook)
{
	char option[] = "--runner";
	char *argv[] = {(char *)(size_t)self, option, cookbook, NULL};
	pid_t child;
	int status;

	if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ) != 0 ||
	    waitpid(child, &status, 0) < 0)
		return EXIT_FAILURE;
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int records(long count, const char *first, const char *second)
{
	static const char line[] =
		"2026-01-01 00:00:00,000 root 12345 [DEBUG misbehave:144 in do_it] record 12345\n";
	int files[2] = {
		open(first, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
		open(second, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
	};

	for (long i = 0; i < count; i++)
		for (int k = 0; k < 2; k++)
			if (write(files[k], line, sizeof(line) - 1) < 0)
				return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "--records") == 0)
		return records(strtol(argv[2], NULL, 10), argv[3], argv[4]);
	if (argc == 3 && strcmp(argv[1], "--runner") == 0)
		return runner(argv[2]);
	return argc == 2 ? supervisor(argv[0], argv[1]) : EXIT_FAILURE;
}
