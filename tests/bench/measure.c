/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-measure RUNS COMMAND [WORD...] -- COMMAND [WORD...]: runs the two commands in turn, so that
 * both see the same weather, their output thrown away. Prints of each the median wall time in
 * microseconds and the largest resident set in KiB. Small itself, for a child begins with the
 * memory of its parent.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct command {
	char **words;
	long *walls, largest;
};

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

static int run(struct command *command, long index)
{
	long begin = now();
	struct rusage usage;
	int status;
	pid_t child = fork();

	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY);

		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execvp(command->words[0], command->words);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0) {
		fprintf(stderr, "%s failed\n", command->words[0]);
		return -1;
	}
	command->walls[index] = now() - begin;
	if (usage.ru_maxrss > command->largest)
		command->largest = usage.ru_maxrss;
	return 0;
}

int main(int argc, char **argv)
{
	long runs = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	struct command commands[2] = {0};
	int split = 3;

	while (split < argc && strcmp(argv[split], "--") != 0)
		split++;
	if (runs < 1 || split + 1 >= argc)
		return EXIT_FAILURE;
	argv[split] = NULL;
	commands[0].words = argv + 2;
	commands[1].words = argv + split + 1;
	for (int k = 0; k < 2; k++) {
		commands[k].walls = calloc((size_t)runs, sizeof(long));
		if (!commands[k].walls)
			return EXIT_FAILURE;
	}
	for (long i = 0; i < runs; i++)
		if (run(&commands[0], i) < 0 || run(&commands[1], i) < 0)
			return EXIT_FAILURE;
	for (int k = 0; k < 2; k++) {
		qsort(commands[k].walls, (size_t)runs, sizeof(long), by_value);
		printf("%ld %ld\n", commands[k].walls[runs / 2], commands[k].largest);
		free(commands[k].walls);
	}
	return EXIT_SUCCESS;
}
