/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-measure RUNS COMMAND [WORD...]: runs the command, its output thrown away, and prints the
 * median wall time in microseconds and the largest resident set in KiB. Small itself, for a child
 * begins with the memory of its parent.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int by_value(const void *a, const void *b)
{
	long left = *(const long *)a, right = *(const long *)b;

	return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
	long runs = argc > 2 ? strtol(argv[1], NULL, 10) : 0, largest = 0;
	long *walls = runs > 0 ? calloc((size_t)runs, sizeof(*walls)) : NULL;

	if (!walls)
		return EXIT_FAILURE;
	for (long i = 0; i < runs; i++) {
		long begin = now();
		struct rusage usage;
		int status;
		pid_t child = fork();

		if (child == 0) {
			dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
			execvp(argv[2], argv + 2);
			_exit(127);
		}
		if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0) {
			fprintf(stderr, "%s failed\n", argv[2]);
			return EXIT_FAILURE;
		}
		walls[i] = now() - begin;
		if (usage.ru_maxrss > largest)
			largest = usage.ru_maxrss;
	}
	qsort(walls, (size_t)runs, sizeof(*walls), by_value);
	printf("%ld %ld\n", walls[runs / 2], largest);
	free(walls);
	return EXIT_SUCCESS;
}
