/* SPDX-License-Identifier: Apache-2.0 */
/* Ending what a process started: each test is a process of its own, which has children. */
#include "../../core/runtime/descendants.h"

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static pid_t start_child(void)
{
	pid_t pid = fork();

	while (pid == 0)
		pause();
	EXPECT(pid > 0);
	return pid;
}

static bool is_alive(pid_t pid)
{
	return waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	EXPECT(waitpid(pid, NULL, 0) == pid);
}

static void kill_all_but_the_disowned(void)
{
	pid_t stranger = start_child(), spared, other;
	struct buf names = {0};
	char number[32];

	descendants_disown(NULL, 0, &names);
	snprintf(number, sizeof(number), "(%d)", (int)stranger);
	EXPECT(strstr(buf_text(&names), number));
	buf_free(&names);
	spared = start_child();
	other = start_child();
	EXPECT(descendants_kill(&spared, 1, 0, NULL) == 0);
	EXPECT(is_alive(stranger) && is_alive(spared) && !is_alive(other));
	EXPECT(descendants_kill(NULL, 0, 0, NULL) == 0);
	EXPECT(is_alive(stranger) && !is_alive(spared));
	end_child(stranger);
}

/* It is not waited for, and all others end. */
static void kill_all_but_those_of_root(void)
{
	pid_t of_root = start_child(), other;
	struct buf names = {0};

	EXPECT(setuid(NOBODY) == 0);
	other = start_child();
	EXPECT(descendants_kill(NULL, 0, 0, NULL) < 0);
	EXPECT(is_alive(of_root) && !is_alive(other));
	descendants_disown(NULL, 0, &names);
	EXPECT(names.length > 0);
	buf_free(&names);
	EXPECT(descendants_kill(NULL, 0, 0, NULL) == 0);
}

/* And in a group, which ends with it: whom Check runs without forking, it does not clean up after. */
static void in_a_process(void (*test)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		EXPECT(setpgid(0, 0) == 0);
		test();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	kill(-pid, SIGKILL);
	ck_assert_int_eq(status, 0);
}

START_TEST(disowned_ones_stay)
{
	in_a_process(kill_all_but_the_disowned);
}
END_TEST

START_TEST(those_of_others_are_not_waited_for)
{
	/* Only root can begin as somebody else. */
	if (getuid() == 0)
		in_a_process(kill_all_but_those_of_root);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("descendants");
	TCase *tcase = tcase_create("descendants");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, disowned_ones_stay);
	tcase_add_test(tcase, those_of_others_are_not_waited_for);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
