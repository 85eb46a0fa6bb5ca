/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/runtime/trust.h"

#include "scratch.h"

#include "../../core/runtime/printable.h"
#include "../../core/runtime/smallfile.h"

static void refused(const char *path, const char *reason)
{
	struct err err = {{0}};

	ck_assert_int_eq(trust_check_path(path, &err), -1);
	ck_assert_msg(strstr(err.text, reason), "'%s' does not say '%s'", err.text, reason);
}

static void accepted(const char *path)
{
	struct err err = {{0}};

	ck_assert_msg(trust_check_path(path, &err) == 0, "%s", err.text);
}

START_TEST(judges_attributes)
{
	struct stat st = {.st_mode = S_IFREG | 0644, .st_uid = geteuid(), .st_gid = 12345};
	struct err err;

	ck_assert_int_eq(trust_check_stat("x", &st, &err), 0);
	st.st_mode = S_IFREG | 0664;
	ck_assert_int_eq(trust_check_stat("x", &st, &err), -1);
	ck_assert_str_eq(err.text, "x: not trusted, the group 12345 may write to it");
	st.st_gid = 0;
	ck_assert_int_eq(trust_check_stat("x", &st, &err), 0);
	st.st_mode = S_IFREG | 0646;
	ck_assert_int_eq(trust_check_stat("x", &st, &err), -1);
	st.st_uid = geteuid() + 1;
	st.st_mode = S_IFREG | 0600;
	ck_assert_int_eq(trust_check_stat("x\n", &st, &err), -1);
	ck_assert_ptr_null(strchr(err.text, '\n'));
	st.st_uid = 0;
	st.st_mode = S_IFDIR | 01777;
	ck_assert_int_eq(trust_check_stat("x", &st, &err), 0);
	st.st_mode = S_IFREG | 01777; /* sticky means nothing on a file */
	ck_assert_int_eq(trust_check_stat("x", &st, &err), -1);
}
END_TEST

START_TEST(walks_up_to_the_root)
{
	scratch_directory_mode("good", 0755);
	scratch_directory_mode("open", 0777);
	scratch_directory_mode("open/inner", 0755);
	scratch_file_mode("good/file", "", 0644);
	scratch_file_mode("open/inner/file", "", 0644);
	accepted(scratch_path("good/file"));
	accepted(scratch_path("good/../good/./file"));
	refused(scratch_path("open/inner/file"), "/open: not trusted, others may write");
	refused(scratch_path("good/../open/inner/file"), "/open: not trusted");
	refused(scratch_path("good/missing"), "cannot open");
	refused(scratch_path("good/file/"), "not a directory");
}
END_TEST

START_TEST(judges_links_and_their_targets)
{
	struct err err;

	scratch_directory_mode("good", 0755);
	scratch_directory_mode("open", 0777);
	scratch_directory_mode("open/inner", 0755);
	scratch_file_mode("good/file", "", 0644);
	scratch_file_mode("open/inner/file", "", 0644);
	ck_assert_int_eq(symlink("../open/inner/file", scratch_path("good/out")), 0);
	ck_assert_int_eq(symlink("../good/file", scratch_path("open/in")), 0);
	ck_assert_int_eq(symlink("good", scratch_path("alias")), 0);
	ck_assert_int_eq(symlink("circle", scratch_path("circle")), 0);
	accepted(scratch_path("alias/file"));
	refused(scratch_path("good/out"), "/open: not trusted");
	refused(scratch_path("open/in"), "/open: not trusted");
	refused(scratch_path("alias/out"), "/open: not trusted");
	refused(scratch_path("circle"), "too many links");
	ck_assert_int_eq(trust_check_parents(scratch_path("good/out"), &err), -1);
	ck_assert_int_eq(trust_check_parents(scratch_path("good/missing"), &err), 0);
	ck_assert_int_eq(trust_check_parents(scratch_path("alias/file"), &err), 0);
}
END_TEST

START_TEST(refuses_links_and_files_of_others)
{
	struct err err;

	if (geteuid() != 0)
		return;
	scratch_file_mode("file", "", 0644);
	ck_assert_int_eq(symlink("file", scratch_path("link")), 0);
	accepted(scratch_path("link"));
	ck_assert_int_eq(lchown(scratch_path("link"), 12345, 0), 0);
	refused(scratch_path("link"), "owned by uid 12345");
	ck_assert_int_eq(trust_check_parents(scratch_path("link"), &err), -1);
	ck_assert_int_eq(chown(scratch_path("file"), 12345, 0), 0);
	refused(scratch_path("file"), "owned by uid 12345");
}
END_TEST

START_TEST(works_from_the_current_directory)
{
	scratch_directory_mode("good", 0755);
	scratch_file_mode("good/file", "", 0644);
	ck_assert_int_eq(chdir(scratch_path("good")), 0);
	accepted("file");
	accepted("../good/file");
	accepted(".");
	refused("", "empty path");
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(reads_small_files_with_suspicion)
{
	struct buf out = {0};
	struct err err;

	buf_puts(&out, "before ");
	scratch_file_mode("file", "contents", 0644);
	ck_assert_int_eq(smallfile_read(scratch_path("file"), 8, &out, &err), 0);
	ck_assert_str_eq(out.text, "before contents");
	ck_assert_int_eq(smallfile_read(scratch_path("file"), 7, &out, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "longer than 7 bytes"));
	ck_assert_str_eq(out.text, "before contents");
	scratch_file_mode("open", "contents", 0666);
	ck_assert_int_eq(smallfile_read(scratch_path("open"), 100, &out, &err), -1);
	ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0644), 0);
	ck_assert_int_eq(smallfile_read(scratch_path("fifo"), 100, &out, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "not a regular file"));
	ck_assert_int_eq(smallfile_read(scratch, 100, &out, &err), -1);
	ck_assert_int_eq(smallfile_read("/dev/null", 100, &out, &err), -1);
	ck_assert_int_eq(truncate(scratch_path("file"), 9), 0);
	ck_assert_int_eq(smallfile_read(scratch_path("file"), 100, &out, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "NUL"));
	ck_assert_str_eq(out.text, "before contents");
	buf_free(&out);
}
END_TEST

START_TEST(escapes_what_moves_a_cursor)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"plain \xc3\xa9", "plain \xc3\xa9"}, {"a\nb\033[2J", "a\\x0ab\\x1b[2J"},
		{"\xff\xc3", "\\xff\\xc3"},           {"\xc0\x80", "\\xc0\\x80"},
		{"\xe2\x80\xae", "\\xe2\\x80\\xae"},  {"\xc2\x9b", "\\xc2\\x9b"},
	};
	char path[4096], shown[PRINTABLE_PATH_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf buf = {0};

		printable_add(&buf, cases[i].text, strlen(cases[i].text));
		ck_assert_str_eq(buf_text(&buf), cases[i].shown);
		buf_free(&buf);
	}
	memset(path, '\a', sizeof(path));
	memcpy(path, "/begin", 6);
	memcpy(path + sizeof(path) - 5, "/end", 5);
	printable_path(path, shown);
	ck_assert_int_lt(strlen(shown), sizeof(shown));
	ck_assert_int_eq(strncmp(shown, "/begin\\x07", 10), 0);
	ck_assert_str_eq(shown + strlen(shown) - 8, "\\x07/end");
}
END_TEST

START_TEST(judges_places)
{
	struct err err = {{0}};

	scratch_directory_mode("good", 0755);
	scratch_directory_mode("open", 0777);
	ck_assert_int_eq(trust_check_place(scratch_path("good"), &err), 0);
	ck_assert_int_eq(trust_check_place(scratch_path("good/missing/below/it"), &err), 0);
	ck_assert_int_eq(trust_check_place("/", &err), 0);
	ck_assert_int_eq(trust_check_place("/spicerack-test-missing", &err), 0);
	ck_assert_int_eq(trust_check_place(scratch_path("open"), &err), -1);
	ck_assert_int_eq(trust_check_place(scratch_path("open/missing"), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/open: not trusted, others may write to it"));
	/* Known as good for what is in it, and still no place to put something. */
	ck_assert_int_eq(trust_check_place("/tmp", &err), -1);
	ck_assert_int_eq(trust_check_place("/tmp/spicerack-test-missing/x", &err), -1);
	ck_assert_str_eq(err.text, "/tmp: not trusted, others may write to it");
	ck_assert_int_eq(symlink("/tmp/spicerack-test-missing", scratch_path("link")), 0);
	ck_assert_int_eq(trust_check_place(scratch_path("link"), &err), -1);
	ck_assert_int_eq(trust_check_place("", &err), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trust");
	TCase *tcase = tcase_create("trust");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
	tcase_add_test(tcase, judges_attributes);
	tcase_add_test(tcase, walks_up_to_the_root);
	tcase_add_test(tcase, judges_places);
	tcase_add_test(tcase, judges_links_and_their_targets);
	tcase_add_test(tcase, refuses_links_and_files_of_others);
	tcase_add_test(tcase, works_from_the_current_directory);
	tcase_add_test(tcase, reads_small_files_with_suspicion);
	tcase_add_test(tcase, escapes_what_moves_a_cursor);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
