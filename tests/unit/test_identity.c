/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/run/identity.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOBODY_UID 65534
#define NO_SUCH_UID 4000000

static const struct {
	int64_t login_uid;
	uid_t effective, real;
	const char *sudo_user, *expected;
} cases[] = {
	{-1, 0, 0, "jdoe", "jdoe"},
	{-1, 0, 0, NULL, "root"},
	{-1, 0, 0, "root", "root"},
	{-1, 0, 0, "", "root"},
	{-1, 0, 0, "a b", "root"},
	{-1, 0, 0, "a\nb", "root"},
	{-1, 0, 0, "a\x1b[2J", "root"},
	{-1, 0, 0, "a@b", "root"},
	{-1, 0, 0, "0123456789012345678901234567890123456789012345678901234567890123456789",
	 "root"},
	/* Nobody but root is believed what he says of himself. */
	{-1, NOBODY_UID, NOBODY_UID, "jdoe", "nobody"},
	/* The login uid is the kernel's word. */
	{NOBODY_UID, 0, 0, "jdoe", "nobody"},
	{NO_SUCH_UID, 0, 0, "jdoe", "jdoe"},
	{-1, NO_SUCH_UID, NO_SUCH_UID, NULL, "-"},
};

START_TEST(who_is_behind_it)
{
	ck_assert_str_eq(identity_user(cases[_i].login_uid, cases[_i].effective, cases[_i].real,
				       cases[_i].sudo_user),
			 cases[_i].expected);
}
END_TEST

START_TEST(owner_is_user_at_host)
{
	struct identity identity;
	char owner[256];

	identity_fill(&identity);
	snprintf(owner, sizeof(owner), "%s@%s [%ld]", identity.user, identity.host, (long)getpid());
	ck_assert_str_eq(identity.owner, owner);
}
END_TEST

START_TEST(process_and_host)
{
	struct identity identity;
	char host[256] = "";

	identity_fill(&identity);
	ck_assert_int_eq(identity.pid, getpid());
	ck_assert_uint_eq(identity.uid, geteuid());
	ck_assert_int_ge(identity.login_uid, -1);
	gethostname(host, sizeof(host) - 1);
	ck_assert(strcmp(identity.host, host) == 0 || strcmp(identity.host, "-") == 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("identity");
	TCase *tcase = tcase_create("identity");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, who_is_behind_it, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tcase, owner_is_user_at_host);
	tcase_add_test(tcase, process_and_host);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
