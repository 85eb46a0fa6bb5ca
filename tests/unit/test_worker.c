/* SPDX-License-Identifier: Apache-2.0 */
/* A worker whose supervisor is played here: what it does at most once, and what it does not wait
 * for. */
#include "../../core/runtime/worker.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/runtime/protocol.h"

static struct spk session;
static struct channel supervisor; /* the far end */
static int rollbacks;

static void rollback(struct spk *spk, void *self)
{
	rollbacks++;
}

static void open_session(void)
{
	struct err err;
	int fds[2];

	rollbacks = 0;
	session = (struct spk){
		.magic = SESSION_MAGIC,
		.cookbook.rollback = rollback,
		.process = getpid(),
		.interrupt_fd = -1,
	};
	ck_assert_int_eq(arena_create(&session.shared, &err), 0);
	ck_assert_int_eq(channel_pair(fds, &err), 0);
	session.requests = (struct channel){.fd = fds[0]};
	supervisor = (struct channel){.fd = fds[1]};
	session_set_current(&session);
}

static void close_session(void)
{
	channel_close(&session.requests);
	channel_close(&supervisor);
}

static void order(enum stage stage)
{
	struct buf body = {0};

	wire_put_number(&body, stage);
	ck_assert_int_eq(channel_send(&supervisor, REQUEST_STAGE, 0, &body, 0), 0);
	buf_free(&body);
	ck_assert(worker_step(&session));
}

static enum stage_outcome outcome_of(enum stage stage)
{
	struct message message;

	ck_assert_int_eq(channel_receive(&supervisor, false, &message), CHANNEL_MESSAGE);
	ck_assert_uint_eq(message.type, REQUEST_RESULT);
	ck_assert_uint_eq(wire_get_number(&message.body), stage);
	return (enum stage_outcome)wire_get_number(&message.body);
}

/* An order that reached two children, say: the mark is in the memory that they share. */
START_TEST(rollback_is_called_once)
{
	order(STAGE_ROLLBACK);
	ck_assert_int_eq(outcome_of(STAGE_ROLLBACK), OUTCOME_RETURNED);
	order(STAGE_ROLLBACK);
	ck_assert_int_eq(outcome_of(STAGE_ROLLBACK), OUTCOME_RAISED);
	ck_assert_int_eq(rollbacks, 1);
}
END_TEST

/* Waits for a message of a type; how long is the worker's affair. */
static struct message receive(uint32_t type)
{
	struct message message;

	ck_assert_int_eq(channel_receive(&supervisor, true, &message), CHANNEL_MESSAGE);
	ck_assert_uint_eq(message.type, type);
	return message;
}

/* A record that the supervisor never got: the worker asks, is told, and ends instead of waiting. */
START_TEST(who_waits_asks_what_was_lost)
{
	struct message message;
	struct buf body = {0};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		alarm(60);
		session.process = getpid();
		spk_log(&session, SPK_INFO, "file.c", 1, "function", "lost");
		_exit(0);
	}
	alarm(60);
	receive(REQUEST_LOG);
	message = receive(REQUEST_CHECK);
	for (int i = 0; i < 3; i++)
		wire_put_number(&body, wire_get_number(&message.body));
	/* No order is due, and not even the first request has come. */
	for (int i = 0; i < 4; i++)
		wire_put_number(&body, 0);
	ck_assert_int_eq(channel_send(&supervisor, REQUEST_CHECKED, 0, &body, 0), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	buf_free(&body);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("worker");
	TCase *tcase = tcase_create("worker");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, open_session, close_session);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, rollback_is_called_once);
	tcase_add_test(tcase, who_waits_asks_what_was_lost);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
