/* SPDX-License-Identifier: Apache-2.0 */
/* What a cookbook prints, with a log that only remembers. */
#include "../../core/host/run/output.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct buf logged;
static struct output output;
static int far_out, far_err;

/* These stand before the library's. */
void log_write(struct log *log, const struct log_record *record)
{
	buf_printf(&logged, "<%s>", record->message);
}

void log_printf(struct log *log, enum spk_level level, const char *file, int line,
		const char *function, const char *format, ...)
{
	buf_printf(&logged, "<%s>", format);
}

void log_tell_output(struct log *log, const char *text)
{
	ck_abort_msg("nobody wants events");
}

void log_show(struct log *log, const char *text, size_t length)
{
}

bool log_yield(struct log *log, int fd)
{
	return false;
}

void log_resume(struct log *log, bool ended)
{
}

static void open_pipes(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	output = (struct output){.out_fd = fds[0], .err_fd = -1, .name = "test"};
	far_out = fds[1];
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	output.err_fd = fds[0];
	far_err = fds[1];
	ck_assert_int_eq(fcntl(output.out_fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(fcntl(output.err_fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO),
			 STDOUT_FILENO);
}

static void print(int fd, const char *bytes, size_t length)
{
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
}

START_TEST(lines_become_records)
{
	print(far_err, "one\ntwo\nth", 10);
	output_drain_err(&output);
	ck_assert_str_eq(buf_text(&logged), "<one><two>");
	print(far_err, "r\0ee\n\nfour", 10);
	output_drain(&output);
	ck_assert_str_eq(buf_text(&logged), "<one><two><thr ee><><four>");
	close(far_err);
	output_drain_err(&output);
	ck_assert_int_eq(output.err_fd, -1);
	output_drain(&output);
	ck_assert_str_eq(buf_text(&logged), "<one><two><thr ee><><four>");
}
END_TEST

START_TEST(a_line_without_end_is_cut)
{
	char block[4096];

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 15; i++)
		print(far_err, block, sizeof(block));
	output_drain_err(&output);
	ck_assert_uint_ge(logged.length, 32768);
	ck_assert_uint_lt(output.err.length, 32768);
}
END_TEST

/* Somebody who prints faster than anybody reads. */
static pid_t flood(int fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	for (;;) {
		static const char lines[] =
			"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";

		if (write(fd, lines, sizeof(lines) - 1) < 0)
			_exit(0);
	}
}

START_TEST(a_flood_lets_go)
{
	pid_t pid = flood(_i ? far_err : far_out);

	/* Each ends, though there is always more; the time limit is what fails here. */
	for (int i = 0; i < 20; i++) {
		output_drain(&output);
		usleep(1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert(_i == 0 || logged.length > 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("output");
	TCase *tcase = tcase_create("output");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, open_pipes, NULL);
	tcase_set_timeout(tcase, 20);
	tcase_add_test(tcase, lines_become_records);
	tcase_add_test(tcase, a_line_without_end_is_cut);
	tcase_add_loop_test(tcase, a_flood_lets_go, 0, 2);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
