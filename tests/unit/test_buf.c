/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/runtime/buf.h"

#include <check.h>
#include <stdlib.h>

START_TEST(grows_and_stays_terminated)
{
	struct buf buf = {0};

	ck_assert_str_eq(buf_text(&buf), "");
	for (int i = 0; i < 1000; i++)
		buf_printf(&buf, "%d,", i % 10);
	ck_assert_uint_eq(buf.length, 2000);
	buf_clear(&buf);
	buf_fill(&buf, '-', 3);
	buf_putc(&buf, 'x');
	ck_assert_str_eq(buf_text(&buf), "---x");
	buf_free(&buf);
	ck_assert_ptr_null(buf.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tcase = tcase_create("buf");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, grows_and_stays_terminated);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
