/* SPDX-License-Identifier: Apache-2.0 */
#include "detachment.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../journal/runid.h"
#include "outcome.h"
#include "signals.h"

int detachment_begin(struct detachment *detachment, struct err *err)
{
	int ends[2];

	if (fd_pipe(ends, err) < 0)
		return -1;
	fflush(stdout);
	fflush(stderr);
	detachment->child = fork();
	if (detachment->child < 0) {
		err_errno(err, "cannot start a process");
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (detachment->child == 0)
		setsid();
	detachment->word = detachment->child > 0 ? ends[0] : ends[1];
	close(detachment->child > 0 ? ends[1] : ends[0]);
	return 0;
}

void detachment_tell(struct detachment *detachment, const char *run)
{
	/* Who does not read it has gone: the run goes on as it was asked to. */
	if (write(detachment->word, run, RUN_ID_SIZE) < 0)
		errno = 0;
	fd_close(&detachment->word);
}

/* Whether a word has come, or the end of it. Meanwhile signals are passed on. */
static bool await_word(struct detachment *detachment, int signals, char run[static RUN_ID_SIZE])
{
	struct pollfd fds[2] = {{.fd = detachment->word, .events = POLLIN},
				{.fd = signals, .events = POLLIN}};

	while (poll(fds, 2, -1) < 0 || !fds[0].revents) {
		int number = fds[1].revents ? signals_next(signals) : 0;

		if (number && number != SIGTSTP)
			kill(detachment->child, number);
	}
	return read(detachment->word, run, RUN_ID_SIZE) == RUN_ID_SIZE;
}

static int code_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_CRASHED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_CRASHED;
}

int detachment_await(struct detachment *detachment)
{
	char run[RUN_ID_SIZE];
	struct stat st;
	struct err err;
	int signals = signals_open(&err);
	bool alone;

	if (signals < 0)
		fprintf(stderr, "cookbook: %s, ignoring\n", err.text);
	alone = await_word(detachment, signals, run);
	fd_close(&signals);
	fd_close(&detachment->word);
	if (!alone)
		return code_of(detachment->child);
	/* A file is for what the cookbook prints. */
	if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
		printf("%s\n", run);
	fflush(stdout);
	fprintf(stderr,
		"It goes on without this terminal.\n"
		"  spicerack runs attach %s   shows it, and answers its questions\n"
		"  spicerack runs stop %s     interrupts it\n",
		run, run);
	return EXIT_OK;
}
