/* SPDX-License-Identifier: Apache-2.0 */
#include "run_command.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../run/outcome.h"
#include "ownrun.h"

#define PROGRAM "spicerack run"
/* As much as spk_remote_options.input takes. */
#define INPUT_MAX (64U << 20)
#define PATIENCE_MS 2000

/* What is typed at a terminal, or nothing at all, is not meant for the hosts. */
static bool has_input(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Who has not meant to give any, by ssh without a terminal say, sees why nothing happens. */
static ssize_t read_input(char *piece, size_t size, bool *told)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	if (!*told && poll(&in, 1, PATIENCE_MS) == 0) {
		*told = true;
		fprintf(stderr,
			PROGRAM ": waiting for the end of standard input, which the commands get: "
				"see --no-input\n");
	}
	return read(STDIN_FILENO, piece, size);
}

/* Standard input to its end, in a file that has no name. -1: all was said. */
static int take_input(void)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	char *piece = xcalloc(1, 1U << 16);
	size_t total = 0;
	ssize_t got = 1;
	bool written = true, told = false;

	while (fd >= 0 && got && written && total <= INPUT_MAX) {
		got = read_input(piece, 1U << 16, &told);
		if (got < 0 && errno != EINTR)
			break;
		total += got > 0 ? (size_t)got : 0;
		written = got <= 0 || write(fd, piece, (size_t)got) == got;
	}
	free(piece);
	if (fd < 0 || got < 0 || !written)
		ownrun_complain(PROGRAM, "cannot read standard input: %s", strerrordesc_np(errno));
	else if (total > INPUT_MAX)
		ownrun_complain(PROGRAM,
				"standard input has more than %u MiB: nothing was run; copy a "
				"large file to the hosts by other means",
				INPUT_MAX >> 20);
	else
		return fd;
	fd_close(&fd);
	return -1;
}

/* With a word more, which tells the cookbook where its input is: this process keeps it open. */
static int run_with_input(const struct ownrun *run, int argc, char **argv)
{
	int fd = take_input();
	char **words;
	char *word;
	int code;

	if (fd < 0)
		return EXIT_INIT_FAILED;
	word = xasprintf("--input-file=/proc/%d/fd/%d", (int)getpid(), fd);
	words = xcalloc((size_t)argc + 2, sizeof(*words));
	words[0] = word;
	memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
	code = ownrun_run(run, argc + 1, words);
	free(words);
	free(word);
	fd_close(&fd);
	return code;
}

int run_command(int argc, char **argv)
{
	struct ownrun run;
	int code;

	if (ownrun_open(&run, PROGRAM, RUN_COOKBOOK, argc, argv, &code)) {
		bool input = !ownrun_is_given(&run, "no_input") &&
			     !ownrun_is_given(&run, "dry_run") && has_input();

		code = input ? run_with_input(&run, argc, argv) : ownrun_run(&run, argc, argv);
	}
	ownrun_close(&run);
	return code;
}
