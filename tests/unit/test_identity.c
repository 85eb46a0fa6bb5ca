/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/identity.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *sudo_user, *user, *expected; /* NULL: unset; expected NULL: that of the uid */
} cases[] = {
	{"jdoe", "root", "jdoe"},
	{NULL, "jane", "jane"},
	{"root", "jane", "jane"},
	{"root", "root", "root"},
	{"", "jane", "jane"},
	{"a b", "jane", "jane"},
	{"a\nb", "jane", "jane"},
	{"a\x1b[2J", "jane", "jane"},
	{"a@b", "jane", "jane"},
	{"0123456789012345678901234567890123456789012345678901234567890123456789", "jane", "jane"},
	{NULL, "x\ty", NULL},
	{NULL, NULL, NULL},
};

START_TEST(user_behind_sudo)
{
	struct identity identity;
	char owner[256];

	unsetenv("SUDO_USER");
	unsetenv("USER");
	if (cases[_i].sudo_user)
		setenv("SUDO_USER", cases[_i].sudo_user, 1);
	if (cases[_i].user)
		setenv("USER", cases[_i].user, 1);
	identity_fill(&identity);
	if (cases[_i].expected)
		ck_assert_str_eq(identity.user, cases[_i].expected);
	else if (geteuid() == 0)
		ck_assert_str_eq(identity.user, "root");
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

	tcase_add_loop_test(tcase, user_behind_sudo, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tcase, process_and_host);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
