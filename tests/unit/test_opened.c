/* SPDX-License-Identifier: Apache-2.0 */
/* A file is opened only as what was read: whatever has come into its place is not. */
#include "../../core/runtime/opened.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_READ PEEK_FIXTURES "/plain.so"

/* What was read, but for one thing of it. */
static const struct {
	uint64_t device, inode, size;
	int64_t mtime_ns;
} others[] = {
	{.device = 1},
	{.inode = 1},
	{.size = 1},
	{.mtime_ns = 1},
};

START_TEST(another_file_is_not_opened)
{
	struct spk spk = {.magic = SESSION_MAGIC};
	struct stat st;
	struct err err;

	ck_assert_int_eq(stat(FILE_READ, &st), 0);
	spk.order = (struct run_order){
		.file = FILE_READ,
		.symbol = "spk_cookbook",
		.device = st.st_dev + others[_i].device,
		.inode = st.st_ino + others[_i].inode,
		.size = (uint64_t)st.st_size + others[_i].size,
		.mtime_ns = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec +
			    others[_i].mtime_ns,
	};
	ck_assert_int_eq(cookbook_open(&spk, &err), -1);
	ck_assert_str_eq(err.text,
			 FILE_READ ": the file was replaced while it was being opened; try again");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("opened");
	TCase *tcase = tcase_create("opened");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, another_file_is_not_opened, 0,
			    (int)(sizeof(others) / sizeof(others[0])));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
