/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's link to a runner that is played here: nothing is started. */
#include "../../core/host/run/link.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <spicerack/clock.h>

#define FULL 32768U

static struct link supervisor;           /* link() is a call of the system */
static struct channel control, requests; /* the far ends */

static void open_link(void)
{
	struct err err;
	int fds[2];

	supervisor = (struct link){
		.runner = INT32_MAX, /* nobody's */
		.child_alive = true,
		.child_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.interrupt_fd = -1,
		.signal_fd = -1,
		.typed_fd = -1,
		.output = {.out_fd = -1, .err_fd = -1},
	};
	ck_assert_int_eq(channel_pair(fds, &err), 0);
	supervisor.control.fd = fds[0];
	control = (struct channel){.fd = fds[1]};
	ck_assert_int_eq(channel_pair(fds, &err), 0);
	supervisor.requests.fd = fds[0];
	requests = (struct channel){.fd = fds[1]};
}

static void shut_link(void)
{
	supervisor.runner = 0;
	link_close(&supervisor);
	channel_close(&control);
	channel_close(&requests);
}

static void send_result(enum stage stage, const char *text)
{
	struct buf body = {0};

	wire_put_number(&body, stage);
	wire_put_number(&body, OUTCOME_RETURNED);
	wire_put_number(&body, 0);
	wire_put_number(&body, 0);
	wire_put_text(&body, text);
	for (int i = 0; i < 5; i++)
		wire_put_number(&body, 0);
	ck_assert_int_eq(channel_send(&requests, REQUEST_RESULT, 0, &body, 0), 0);
	buf_free(&body);
}

static void send_gone(const char *stage)
{
	struct buf body = {0};

	for (int i = 0; i < 5; i++)
		wire_put_number(&body, 11);
	wire_put_text(&body, stage);
	wire_put_number(&body, 0);
	ck_assert_int_eq(channel_send(&control, CONTROL_GONE, 0, &body, 0), 0);
	buf_free(&body);
}

/* The first fragment of a message that its sender did not live to end. */
static void send_half(void)
{
	const uint32_t head[] = {REQUEST_RESULT, 0, 1, FULL};
	struct buf packet = {0};

	buf_add(&packet, head, sizeof(head));
	buf_fill(&packet, 'x', FULL);
	ck_assert_int_eq(write(requests.fd, packet.text, packet.length), (ssize_t)packet.length);
	buf_free(&packet);
}

static enum link_event_type wait_now(void)
{
	return link_wait(&supervisor, spk_uptime().ns + 5000000000)->type;
}

START_TEST(a_result_stays_when_more_is_said)
{
	struct buf body = {0};

	link_stage(&supervisor, STAGE_DESCRIBE);
	send_result(STAGE_DESCRIBE, "of a rack");
	ck_assert_int_eq(wait_now(), LINK_RESULT);
	/* The channel's buffer goes to the next message. */
	buf_fill(&body, 'y', 100000);
	ck_assert_int_eq(channel_send(&requests, 99, 0, &body, 0), 0);
	ck_assert_int_eq(wait_now(), LINK_RUNNER_GONE);
	ck_assert_str_eq(supervisor.event.result.text, "of a rack");
	buf_free(&body);
}
END_TEST

START_TEST(no_result_without_an_order)
{
	send_result(STAGE_RUN, NULL);
	ck_assert_int_eq(wait_now(), LINK_RUNNER_GONE);
}
END_TEST

START_TEST(no_second_result)
{
	link_stage(&supervisor, STAGE_RUN);
	send_result(STAGE_RUN, NULL);
	send_result(STAGE_ROLLBACK, NULL);
	ck_assert_int_eq(wait_now(), LINK_RESULT);
	ck_assert_ptr_null(supervisor.event.result.text);
	ck_assert_int_eq(wait_now(), LINK_RUNNER_GONE);
}
END_TEST

START_TEST(what_was_said_comes_before_the_death)
{
	link_stage(&supervisor, STAGE_RUN);
	send_result(STAGE_RUN, NULL);
	send_gone("run");
	ck_assert_int_eq(wait_now(), LINK_RESULT);
	ck_assert_int_eq(wait_now(), LINK_GONE);
	ck_assert_str_eq(supervisor.event.death.stage, "run");
	ck_assert(!supervisor.child_alive);
	/* An order to nobody: the same death. */
	link_stage(&supervisor, STAGE_ROLLBACK);
	ck_assert_int_eq(wait_now(), LINK_GONE);
	ck_assert_str_eq(supervisor.event.death.stage, "run");
}
END_TEST

START_TEST(a_long_name_of_a_stage_is_cut)
{
	send_gone("a stage of which nobody has heard");
	ck_assert_int_eq(wait_now(), LINK_GONE);
	ck_assert_str_eq(supervisor.event.death.stage, "a stage of whic");
}
END_TEST

START_TEST(half_a_message_dies_with_its_sender)
{
	link_stage(&supervisor, STAGE_RUN);
	send_half();
	send_gone("run");
	ck_assert_int_eq(wait_now(), LINK_GONE);
	/* The next child is understood from its first word on. */
	supervisor.child_alive = true;
	link_stage(&supervisor, STAGE_UNDO);
	send_result(STAGE_UNDO, NULL);
	ck_assert_int_eq(wait_now(), LINK_RESULT);
	ck_assert_int_eq(supervisor.event.result.stage, STAGE_UNDO);
}
END_TEST

START_TEST(a_known_death_is_not_expected_again)
{
	link_stage(&supervisor, STAGE_RUN);
	eventfd_write(supervisor.child_fd, 1);
	send_gone("run");
	ck_assert_int_eq(wait_now(), LINK_GONE);
	ck_assert_int_eq(supervisor.child_fd, -1);
	ck_assert(supervisor.death_due_ns == 0);
}
END_TEST

START_TEST(a_deadline_holds_against_who_never_stops_talking)
{
	int events = 0;

	/* Readable all the time, and nothing that would end the waiting. */
	link_stage(&supervisor, STAGE_RUN);
	for (int i = 0; i < 3; i++)
		send_half();
	while (link_wait(&supervisor, 1)->type != LINK_TIMEOUT)
		ck_assert_int_lt(++events, 2);
}
END_TEST

START_TEST(news_of_locks_wait_for_the_runner)
{
	struct link_locks locks = {.news_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
	struct link_trace trace = {.count = 1};
	struct buf body = {0}, lines = {0};

	wire_put_text(&body, "#0 somewhere");
	ck_assert_int_eq(channel_send(&control, CONTROL_DESCRIBED, 0, &body, 0), 0);
	supervisor.locks = &locks;
	link_describe(&supervisor, &trace, &lines);
	ck_assert_str_eq(buf_text(&lines), "#0 somewhere");
	ck_assert_int_eq(wait_now(), LINK_LOCKS);
	close(locks.news_fd);
	buf_free(&body);
	buf_free(&lines);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("link");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, open_link, shut_link);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, a_result_stays_when_more_is_said);
	tcase_add_test(tcase, no_result_without_an_order);
	tcase_add_test(tcase, no_second_result);
	tcase_add_test(tcase, what_was_said_comes_before_the_death);
	tcase_add_test(tcase, a_long_name_of_a_stage_is_cut);
	tcase_add_test(tcase, half_a_message_dies_with_its_sender);
	tcase_add_test(tcase, a_known_death_is_not_expected_again);
	tcase_add_test(tcase, a_deadline_holds_against_who_never_stops_talking);
	tcase_add_test(tcase, news_of_locks_wait_for_the_runner);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
