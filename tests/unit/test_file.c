/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/file.h>

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk_stub.h"

#define spk (sdk_session())

static char directory[64];

static void make_directory(void)
{
	snprintf(directory, sizeof(directory), "/tmp/spicerack-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	sdk_set_dry_run(false);
}

static const char *in(const char *name)
{
	return spk_path_join(spk, directory, name);
}

/* Number of entries, all of which are removed. */
static int sweep(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(dir))) {
		if (spk_streq(entry->d_name, ".") || spk_streq(entry->d_name, ".."))
			continue;
		count++;
		if (unlink(in(entry->d_name)) < 0)
			rmdir(in(entry->d_name));
	}
	closedir(dir);
	return count;
}

static void remove_directory(void)
{
	sweep();
	rmdir(directory);
	sdk_end();
}

static void write_file(const char *name, const void *bytes, size_t length)
{
	FILE *file = fopen(in(name), "w");

	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

START_TEST(looks)
{
	write_file("file", "x", 1);
	ck_assert_int_eq(symlink("gone", in("dangling")), 0);
	ck_assert(spk_file_exists(spk, in("file")) && !spk_is_directory(spk, in("file")));
	ck_assert(spk_file_exists(spk, directory) && spk_is_directory(spk, directory));
	ck_assert(!spk_file_exists(spk, in("none")) && !spk_file_exists(spk, in("dangling")));
	ck_assert(!spk_file_exists(spk, in("file/below")));
	ck_assert_int_eq(symlink("loop", in("loop")), 0);
	SDK_RAISES("file", spk_file_exists(spk, in("loop")));
	SDK_RAISES("misuse", spk_file_exists(spk, NULL));
}
END_TEST

START_TEST(reads)
{
	char *big = malloc((16 << 20) + 1);

	memset(big, 'x', (16 << 20) + 1);
	write_file("file", "a\nb", 3);
	ck_assert_str_eq(spk_file_read(spk, in("file")), "a\nb");
	write_file("empty", "", 0);
	ck_assert_str_eq(spk_file_read(spk, in("empty")), "");
	write_file("page", big, 4096);
	ck_assert_uint_eq(strlen(spk_file_read(spk, in("page"))), 4096);
	write_file("big", big, 16 << 20);
	ck_assert_uint_eq(strlen(spk_file_read(spk, in("big"))), 16 << 20);
	write_file("big", big, (16 << 20) + 1);
	SDK_RAISES("file", spk_file_read(spk, in("big")));
	ck_assert(strstr(sdk_message(), "16 MiB"));
	ck_assert(strstr(spk_file_read(spk, "/proc/self/status"), "Pid:"));
	write_file("nul", "a\0b", 3);
	SDK_RAISES("file", spk_file_read(spk, in("nul")));
	SDK_RAISES("file", spk_file_read(spk, in("none")));
	ck_assert(strstr(sdk_message(), "none': No such file"));
	ck_assert_int_eq(mkfifo(in("fifo"), 0600), 0);
	SDK_RAISES("file", spk_file_read(spk, in("fifo")));
	SDK_RAISES("file", spk_file_read(spk, directory));
	free(big);
}
END_TEST

START_TEST(replaces_links)
{
	spk_link_replace(spk, in("link"), "one");
	ck_assert_str_eq(spk_link_read(spk, in("link")), "one");
	spk_link_replace(spk, in("link"), "/two/../2");
	ck_assert_str_eq(spk_link_read(spk, in("link")), "/two/../2");
	ck_assert_ptr_null(spk_link_read(spk, in("none")));
	write_file("file", "x", 1);
	SDK_RAISES("file", spk_link_read(spk, in("file")));
	SDK_RAISES("file", spk_link_replace(spk, in("file"), "x"));
	ck_assert(strstr(sdk_message(), "no symbolic link"));
	ck_assert_str_eq(spk_file_read(spk, in("file")), "x");
	SDK_RAISES("file", spk_link_replace(spk, directory, "x"));
	SDK_RAISES("misuse", spk_link_replace(NULL, in("link"), "x"));
	SDK_RAISES("misuse", spk_link_remove(NULL, in("link")));
	SDK_RAISES("file", spk_link_replace(spk, in("no/link"), "x"));
	SDK_RAISES("file", spk_link_replace(spk, in("link/"), "x"));
	SDK_RAISES("misuse", spk_link_replace(spk, in("link"), ""));
	spk_link_remove(spk, in("link"));
	spk_link_remove(spk, in("link"));
	spk_link_remove(spk, in("no/link"));
	ck_assert_ptr_null(spk_link_read(spk, in("link")));
	SDK_RAISES("file", spk_link_remove(spk, in("file")));
	SDK_RAISES("file", spk_link_remove(spk, in("file/")));
	ck_assert_int_eq(sweep(), 1);
}
END_TEST

START_TEST(a_bare_name_is_in_the_current_directory)
{
	ck_assert_int_eq(chdir(directory), 0);
	spk_link_replace(spk, "link", "x");
	ck_assert_str_eq(spk_link_read(spk, in("link")), "x");
	spk_link_remove(spk, "link");
	ck_assert_int_eq(sweep(), 0);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(changes_nothing_in_dry_run)
{
	spk_link_replace(spk, in("link"), "one");
	sdk_set_dry_run(true);
	spk_link_replace(spk, in("link"), "two");
	ck_assert(strstr(sdk_asked(), "link' a link to 'two'"));
	spk_link_remove(spk, in("link"));
	ck_assert(strstr(sdk_asked(), "remove the link"));
	ck_assert_str_eq(spk_link_read(spk, in("link")), "one");
}
END_TEST

START_TEST(joins)
{
	ck_assert_str_eq(spk_path_join(spk, "/a", "b"), "/a/b");
	ck_assert_str_eq(spk_path_join(spk, "/a//", "//b/"), "/a/b/");
	ck_assert_str_eq(spk_path_join(spk, "/", "b"), "/b");
	ck_assert_str_eq(spk_path_join(spk, "", "b"), "b");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *tcase = tcase_create("file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, looks);
	tcase_add_test(tcase, reads);
	tcase_add_test(tcase, replaces_links);
	tcase_add_test(tcase, a_bare_name_is_in_the_current_directory);
	tcase_add_test(tcase, changes_nothing_in_dry_run);
	tcase_add_test(tcase, joins);
	tcase_add_checked_fixture(tcase, make_directory, remove_directory);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
