/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses with ports, as networks, and backwards. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/address.h"

START_TEST(test_servers)
{
	static const struct {
		const char *text, *address;
		unsigned int port;
	} good[] = {
		{"192.0.2.1", "192.0.2.1", 53},
		{"192.0.2.1:5353", "192.0.2.1", 5353},
		{"2001:DB8:0::1", "2001:db8::1", 53},
		{"[2001:db8::1]", "2001:db8::1", 53},
		{"[2001:db8::1]:65535", "2001:db8::1", 65535},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1", 53},
	};
	static const char *const bad[] = {
		"",
		"host",
		"192.0.2",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:5 ",
		"192.0.2.1:+5",
		"[2001:db8::1",
		"[2001:db8::1]5",
		"[]",
		"2001:db8:::1",
		"192.0.2.1/24",
		"192.0.2.1:000053",
		"[192.0.2.1",
		" 192.0.2.1",
	};
	struct address address;
	struct err err;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(address_read_server(good[i].text, 53, &address, &err), 0);
		ck_assert_str_eq(address.text, good[i].address);
		ck_assert_uint_eq(address.number, good[i].port);
		ck_assert(address.v6 == (strchr(good[i].address, ':') != NULL));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(address_read_server(bad[i], 53, &address, &err) < 0, "%s", bad[i]);
}
END_TEST

START_TEST(test_clients)
{
	struct address address;
	struct err err;

	ck_assert_int_eq(address_read_client("192.0.2.77", &address, &err), 0);
	ck_assert_uint_eq(address.number, 24);
	ck_assert_int_eq(address_read_client("2001:db8::1", &address, &err), 0);
	ck_assert_uint_eq(address.number, 56);
	ck_assert_int_eq(address_read_client("192.0.2.77/0", &address, &err), 0);
	ck_assert_uint_eq(address.number, 0);
	ck_assert_int_eq(address_read_client("2001:db8::1/128", &address, &err), 0);
	ck_assert_uint_eq(address.number, 128);
	ck_assert_int_lt(address_read_client("2001:db8::1/129", &address, &err), 0);
	ck_assert_str_eq(err.text, "a network of it has 0 to 128 bits");
	ck_assert_int_lt(address_read_client("192.0.2.77/33", &address, &err), 0);
	ck_assert_int_lt(address_read_client("192.0.2.77/", &address, &err), 0);
	ck_assert_int_lt(address_read_client("/24", &address, &err), 0);
}
END_TEST

START_TEST(test_backwards)
{
	char name[ADDRESS_REVERSE_SIZE];
	struct err err;

	ck_assert_int_eq(address_reverse("192.0.2.1", name, &err), 0);
	ck_assert_str_eq(name, "1.2.0.192.in-addr.arpa");
	ck_assert_int_eq(address_reverse("2001:db8::567:89ab", name, &err), 0);
	ck_assert_str_eq(name, "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
			       "ip6.arpa");
	ck_assert_int_lt(address_reverse("192.0.2.1:53", name, &err), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, test_servers);
	tcase_add_test(tcase, test_clients);
	tcase_add_test(tcase, test_backwards);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
