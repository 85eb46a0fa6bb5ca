/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/runtime/channel.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../core/runtime/order.h"

#define FULL 32768U

/* As on the wire; written here once more, so that a change of one side alone is noticed. */
struct head {
	uint32_t type, serial, more, length;
};

static struct channel near_end, far_end;

static void open_pair(void)
{
	struct err err;
	int fds[2];

	ck_assert_int_eq(channel_pair(fds, &err), 0);
	near_end = (struct channel){.fd = fds[0]};
	far_end = (struct channel){.fd = fds[1]};
}

static void close_pair(void)
{
	channel_close(&near_end);
	channel_close(&far_end);
}

/* A datagram of anybody, sent to the near end: a head and `length` letters. */
static void raw(uint32_t type, uint32_t serial, uint32_t more, uint32_t said, size_t length)
{
	struct head head = {type, serial, more, said};
	struct buf packet = {0};

	buf_add(&packet, &head, sizeof(head));
	buf_fill(&packet, 'x', length);
	ck_assert_int_eq(send(far_end.fd, packet.text, packet.length, MSG_DONTWAIT),
			 (ssize_t)packet.length);
	buf_free(&packet);
}

static void expect_message(uint32_t type, uint32_t serial, size_t length)
{
	struct message message;

	ck_assert_int_eq(channel_receive(&near_end, false, &message), CHANNEL_MESSAGE);
	ck_assert_uint_eq(message.type, type);
	ck_assert_uint_eq(message.serial, serial);
	ck_assert_uint_eq(message.body.left, length);
}

static void expect(enum channel_event event)
{
	struct message message;

	ck_assert_int_eq(channel_receive(&near_end, false, &message), event);
}

START_TEST(carries_messages_in_order)
{
	struct buf body = {0};

	wire_put_text(&body, "hello");
	ck_assert_int_eq(channel_send(&far_end, 7, 1, &body, 0), 0);
	ck_assert_int_eq(channel_send(&far_end, 8, 2, NULL, 0), 0);
	expect_message(7, 1, 14);
	expect_message(8, 2, 0);
	expect(CHANNEL_NOTHING);
	ck_assert_int_ge(fcntl(near_end.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ge(near_end.fd, 10);
	buf_free(&body);
}
END_TEST

static const size_t sizes[] = {
	0, 1, FULL - 1, FULL, FULL + 1, 2 * FULL, 2 * FULL + 1, 3 * FULL - 1, CHANNEL_BODY_MAX};

static void *send_big(void *data)
{
	int rc = channel_send(&far_end, 9, 5, data, 10000);

	return rc == 0 ? NULL : data;
}

START_TEST(large_bodies_arrive_whole)
{
	struct message message;
	struct buf body = {0};
	pthread_t sender;
	void *failed;

	for (size_t i = 0; i < sizes[_i]; i++)
		buf_putc(&body, (char)('a' + i % 23));
	ck_assert_int_eq(pthread_create(&sender, NULL, send_big, &body), 0);
	ck_assert_int_eq(channel_receive(&near_end, true, &message), CHANNEL_MESSAGE);
	pthread_join(sender, &failed);
	ck_assert_ptr_null(failed);
	ck_assert_uint_eq(message.type, 9);
	ck_assert_uint_eq(message.serial, 5);
	ck_assert_uint_eq(message.body.left, body.length);
	ck_assert_mem_eq(message.body.at, buf_text(&body), body.length);
	buf_free(&body);
}
END_TEST

START_TEST(no_body_beyond_the_limit)
{
	size_t fragments = 0;

	for (; fragments < CHANNEL_BODY_MAX / FULL; fragments++) {
		raw(1, 1, 1, FULL, FULL);
		expect(CHANNEL_NOTHING);
	}
	ck_assert_uint_le(near_end.partial.capacity, 2 * CHANNEL_BODY_MAX);
	raw(1, 1, 0, 1, 1);
	expect(CHANNEL_CLOSED);
}
END_TEST

/* Each is one datagram that nobody of ours would send. */
static const struct {
	uint32_t more, said;
	size_t length;
} broken[] = {
	{0, 5, 4}, /* less than it says */
	{0, 5, 6}, /* more */
	{0, UINT32_MAX, 0},
	{2, 4, 4}, /* neither the last nor not */
	{UINT32_MAX, 4, 4},
	{1, 0, 0}, /* nothing, and so on for ever */
	{1, FULL - 1, FULL - 1},
	{0, FULL + 1, FULL + 1},
	{1, FULL + 1, FULL + 1},
};

START_TEST(broken_fragments_are_the_end)
{
	raw(1, 1, broken[_i].more, broken[_i].said, broken[_i].length);
	expect(CHANNEL_CLOSED);
}
END_TEST

START_TEST(less_than_a_head_is_the_end)
{
	ck_assert_int_eq(send(far_end.fd, "short", 5, 0), 5);
	expect(CHANNEL_CLOSED);
	ck_assert_int_eq(send(far_end.fd, "", 0, 0), 0);
	expect(CHANNEL_CLOSED);
}
END_TEST

START_TEST(messages_do_not_mix)
{
	raw(1, 1, 1, FULL, FULL);
	raw(1, 2, 0, 4, 4);
	expect(CHANNEL_CLOSED);
}
END_TEST

START_TEST(types_do_not_mix)
{
	raw(1, 1, 1, FULL, FULL);
	raw(2, 1, 0, 4, 4);
	expect(CHANNEL_CLOSED);
}
END_TEST

START_TEST(what_was_sent_before_the_end_is_received)
{
	ck_assert_int_eq(channel_send(&far_end, 7, 1, NULL, 0), 0);
	channel_close(&far_end);
	expect_message(7, 1, 0);
	expect(CHANNEL_CLOSED);
	ck_assert_int_eq(channel_send(&near_end, 7, 1, NULL, 0), -1);
}
END_TEST

START_TEST(death_in_the_middle_of_a_message)
{
	raw(1, 1, 1, FULL, FULL);
	expect(CHANNEL_NOTHING);
	channel_close(&far_end);
	expect(CHANNEL_CLOSED);
}
END_TEST

START_TEST(a_successor_starts_anew)
{
	/* The dead one left half a message, and orders that it had not taken. */
	raw(1, 1, 1, FULL, FULL);
	expect(CHANNEL_NOTHING);
	raw(1, 1, 1, FULL, FULL);
	raw(3, 3, 0, 0, 0);
	channel_discard(&near_end);
	expect(CHANNEL_NOTHING);
	ck_assert_int_eq(channel_send(&far_end, 7, 2, NULL, 0), 0);
	expect_message(7, 2, 0);
	/* Nothing there, and nobody there: both are fine. */
	channel_discard(&near_end);
	channel_close(&far_end);
	channel_discard(&near_end);
	expect(CHANNEL_CLOSED);
}
END_TEST

START_TEST(who_does_not_read_is_given_up)
{
	struct buf body = {0};
	int sent = 0;

	buf_fill(&body, 'x', FULL);
	while (sent < 1000 && channel_send(&far_end, 1, 1, &body, 20) == 0)
		sent++;
	ck_assert_int_gt(sent, 0);
	ck_assert_int_lt(sent, 1000);
	buf_free(&body);
}
END_TEST

/* ---- the items of a body ---- */

START_TEST(items_come_back)
{
	const char *const texts[] = {"a", "", "c"};
	struct wire_reader reader;
	struct buf body = {0};

	wire_put_number(&body, UINT64_MAX);
	wire_put_text(&body, NULL);
	wire_put_text(&body, "");
	wire_put_texts(&body, (spk_strings){texts, 3});
	reader = wire_read(body.text, body.length);
	ck_assert(wire_get_number(&reader) == UINT64_MAX);
	ck_assert_ptr_null(wire_get_text(&reader));
	ck_assert(!reader.bad);
	ck_assert_str_eq(wire_get_text(&reader), "");
	ck_assert_uint_eq(wire_get_count(&reader), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(wire_get_text(&reader), texts[i]);
	ck_assert(wire_complete(&reader));
	/* Beyond the end there is nothing, and that is remembered. */
	ck_assert_uint_eq(wire_get_number(&reader), 0);
	ck_assert_ptr_null(wire_get_text(&reader));
	ck_assert_uint_eq(wire_get_count(&reader), 0);
	ck_assert(!wire_complete(&reader));
	buf_free(&body);
}
END_TEST

/* A text of which the length is claimed to be this, in a body of exactly 3 + 1 bytes behind it. */
static const uint64_t lengths[] = {0,         1,         2, 4, 5, SIZE_MAX - 1, SIZE_MAX / 2,
				   INT64_MAX, 1ULL << 32};

START_TEST(lying_lengths)
{
	struct wire_reader reader;
	struct buf body = {0};
	char *exact;

	wire_put_number(&body, lengths[_i]);
	buf_add(&body, "abc", 4);
	/* Its own block, so that a look behind it is seen by a sanitizer. */
	exact = malloc(body.length);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, body.text, body.length);
	reader = wire_read(exact, body.length);
	ck_assert_ptr_null(wire_get_text(&reader));
	ck_assert(reader.bad);
	free(exact);
	buf_free(&body);
}
END_TEST

START_TEST(lying_counts)
{
	struct wire_reader reader;
	struct buf body = {0};

	wire_put_number(&body, 3);
	wire_put_number(&body, 0);
	wire_put_number(&body, 0);
	reader = wire_read(body.text, body.length);
	ck_assert_uint_eq(wire_get_count(&reader), 0);
	ck_assert(reader.bad);
	reader = wire_read(body.text + 8, body.length - 8);
	ck_assert_uint_eq(wire_get_count(&reader), 0);
	ck_assert(!reader.bad && !wire_complete(&reader));
	buf_free(&body);
}
END_TEST

START_TEST(no_prefix_of_an_order_is_one)
{
	const char *const texts[] = {"one", "two"};
	struct order_arg arg = {.row_address = 1, .texts = {texts, 2}};
	struct run_order order = {.file = "/a.so",
				  .symbol = "spk_cookbook",
				  .name = "a",
				  .username = "u",
				  .hostname = "h",
				  .owner = "o",
				  .config_dir = "/c",
				  .args = &arg,
				  .arg_count = 1};
	struct run_order read;
	struct buf body = {0};
	struct err err;

	order_write(&order, &body);
	for (size_t length = 0; length <= body.length; length++) {
		char *exact = malloc(length + 1);
		struct wire_reader reader = wire_read(exact, length);
		int rc;

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, body.text, length);
		rc = order_read(&reader, &read, &err);
		ck_assert_int_eq(rc, length == body.length ? 0 : -1);
		if (rc == 0) {
			ck_assert_str_eq(read.args[0].texts.items[1], "two");
			order_free(&read);
		}
		free(exact);
	}
	buf_free(&body);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *suite = suite_create("channel");
	TCase *tcase = tcase_create("channel");
	TCase *items = tcase_create("items");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, open_pair, close_pair);
	tcase_add_test(tcase, carries_messages_in_order);
	tcase_add_loop_test(tcase, large_bodies_arrive_whole, 0, COUNT(sizes));
	tcase_add_test(tcase, no_body_beyond_the_limit);
	tcase_add_loop_test(tcase, broken_fragments_are_the_end, 0, COUNT(broken));
	tcase_add_test(tcase, less_than_a_head_is_the_end);
	tcase_add_test(tcase, messages_do_not_mix);
	tcase_add_test(tcase, types_do_not_mix);
	tcase_add_test(tcase, what_was_sent_before_the_end_is_received);
	tcase_add_test(tcase, death_in_the_middle_of_a_message);
	tcase_add_test(tcase, a_successor_starts_anew);
	tcase_add_test(tcase, who_does_not_read_is_given_up);
	tcase_add_test(items, items_come_back);
	tcase_add_loop_test(items, lying_lengths, 0, COUNT(lengths));
	tcase_add_test(items, lying_counts);
	tcase_add_test(items, no_prefix_of_an_order_is_one);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, items);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
