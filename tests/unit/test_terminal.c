/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/log/terminal.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct terminal terminal;
static int ends[2]; /* what the test reads, what the terminal writes */

static void set_up(void)
{
	unsetenv("NO_COLOR");
	unsetenv("CLICOLOR");
	unsetenv("CLICOLOR_FORCE");
	setenv("TERM", "xterm", 1);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

static void tear_down(void)
{
	terminal_close(&terminal);
	close(ends[0]);
	close(ends[1]);
}

/* A pseudo-terminal instead of the pipe. */
static void use_tty(void)
{
	close(ends[0]);
	close(ends[1]);
	ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(ends[0], 0);
	ck_assert_int_eq(grantpt(ends[0]), 0);
	ck_assert_int_eq(unlockpt(ends[0]), 0);
	ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(ends[1], 0);
}

static void show(enum spk_level level, const char *message)
{
	struct log_record record = {.level = level, .message = message};

	terminal_write(&terminal, &record);
}

static void reads(const char *expected)
{
	char text[4096];
	ssize_t length = read(ends[0], text, sizeof(text) - 1);

	ck_assert_int_ge(length, 0);
	text[length] = '\0';
	ck_assert_str_eq(text, expected);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(thresholds)
{
	terminal_init(&terminal, ends[1], false, false);
	show(SPK_DEBUG, "debug");
	show(SPK_INFO, "info\n");
	show(SPK_ERROR, "error");
	reads("info\nerror\n");
	terminal_close(&terminal);
	terminal_init(&terminal, ends[1], false, true);
	show(SPK_DEBUG, "debug");
	reads("debug\n");
	terminal_close(&terminal);
	terminal_init(&terminal, ends[1], true, false);
	show(SPK_DEBUG, "debug");
	reads("DRY-RUN: debug\n");
}
END_TEST

static const struct {
	const char *no_color, *force, *simple, *term;
	bool tty, coloured;
} colour_cases[] = {
	{NULL, NULL, NULL, "xterm", true, true},  {NULL, NULL, NULL, "xterm", false, false},
	{"1", NULL, NULL, "xterm", true, false},  {"", NULL, NULL, "xterm", true, true},
	{"1", "1", "1", "xterm", true, false},    {NULL, "1", "0", "dumb", false, true},
	{NULL, "0", NULL, "xterm", false, false}, {NULL, NULL, "0", "xterm", true, false},
	{NULL, NULL, "1", "xterm", false, false}, {NULL, NULL, NULL, "dumb", true, false},
	{NULL, NULL, NULL, NULL, true, false},
};

static void put_variable(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

START_TEST(colours_when_wanted)
{
	if (colour_cases[_i].tty)
		use_tty();
	put_variable("NO_COLOR", colour_cases[_i].no_color);
	put_variable("CLICOLOR_FORCE", colour_cases[_i].force);
	put_variable("CLICOLOR", colour_cases[_i].simple);
	put_variable("TERM", colour_cases[_i].term);
	terminal_init(&terminal, ends[1], false, false);
	ck_assert_int_eq(terminal.coloured, colour_cases[_i].coloured);
}
END_TEST

START_TEST(colours_by_level)
{
	setenv("CLICOLOR_FORCE", "1", 1);
	terminal_init(&terminal, ends[1], false, false);
	show(SPK_INFO, "i");
	show(SPK_WARNING, "w");
	show(SPK_ERROR, "e\x1b");
	reads("i\n\033[33mw\033[0m\n\033[31me\\x1b\033[0m\n");
}
END_TEST

START_TEST(reader_gone)
{
	terminal_init(&terminal, ends[1], false, false);
	signal(SIGPIPE, SIG_DFL);
	close(ends[0]);
	errno = 77;
	show(SPK_INFO, "nobody reads");
	ck_assert_int_eq(errno, 77);
	ck_assert(terminal.disabled);
	show(SPK_INFO, "nobody reads");
	ends[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}
END_TEST

START_TEST(stderr_closed)
{
	close(ends[1]);
	terminal_init(&terminal, ends[1], false, false);
	show(SPK_INFO, "to nobody");
	ck_assert(terminal.disabled);
	ends[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
}
END_TEST

/* A full pipe or a tty behind Ctrl+S costs a second once; then the loss is told. */
static void reader_stands_still(void)
{
	static char long_line[3000];
	char text[65536];
	double begin;
	ssize_t length;
	size_t all = 0;
	char *end;

	memset(long_line, 'x', sizeof(long_line) - 1);
	terminal_init(&terminal, ends[1], false, false);
	begin = seconds();
	for (int i = 0; i < 500; i++)
		show(SPK_INFO, long_line);
	ck_assert(seconds() - begin > 0.9);
	ck_assert(seconds() - begin < 3);
	ck_assert_uint_gt(terminal.lost, 0);
	ck_assert(!terminal.disabled);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	/* One look is not enough for a tty, whose bytes move from buffer to buffer. */
	for (int idle = 0; idle < 50; idle++) {
		while (read(ends[0], text, sizeof(text)) > 0)
			idle = 0;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	show(SPK_INFO, "end");
	ck_assert_uint_eq(terminal.lost, 0);
	for (int idle = 0; idle < 50; idle++) {
		while ((length = read(ends[0], text + all, sizeof(text) - 1 - all)) > 0)
			all += (size_t)length;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	text[all] = '\0';
	end = strstr(text, " lines were not shown here, see the log files)");
	ck_assert_ptr_nonnull(end);
	ck_assert_ptr_nonnull(strstr(end, "end"));
	/* Our waiting is not that of those who share the descriptor. */
	ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
}

START_TEST(full_pipe)
{
	reader_stands_still();
}
END_TEST

START_TEST(stopped_tty)
{
	use_tty();
	reader_stands_still();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("terminal");
	TCase *tcase = tcase_create("terminal");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, thresholds);
	tcase_add_loop_test(tcase, colours_when_wanted, 0,
			    (int)(sizeof(colour_cases) / sizeof(colour_cases[0])));
	tcase_add_test(tcase, colours_by_level);
	tcase_add_test(tcase, reader_gone);
	tcase_add_test(tcase, stderr_closed);
	tcase_add_test(tcase, full_pipe);
	tcase_add_test(tcase, stopped_tty);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
