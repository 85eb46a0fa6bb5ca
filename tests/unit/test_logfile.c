/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/log/logfile.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "scratch.h"

static struct logfile *logfile;
static struct err err;

static void set_up(void)
{
	scratch_make();
	logfile = NULL;
}

static void tear_down(void)
{
	logfile_close(logfile);
	scratch_remove();
}

static void opens(const char *base, const char *name, const struct logfile_limits *limits)
{
	if (logfile_open(base, name, limits, &logfile, &err) < 0)
		ck_abort_msg("%s", err.text);
}

static int put(const char *plain, const char *extended)
{
	struct buf first = {0}, second = {0};
	int rc;

	buf_puts(&first, plain ? plain : "");
	buf_puts(&second, extended);
	rc = logfile_write(logfile, plain ? &first : NULL, &second, &err);
	buf_free(&first);
	buf_free(&second);
	return rc;
}

static void holds(const char *name, const char *expected)
{
	char *text = scratch_read(name);

	ck_assert_str_eq(text, expected);
	free(text);
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(scratch_path(name), &st), 0);
	return st.st_mode & 07777;
}

START_TEST(makes_directories_and_files)
{
	umask(0777);
	opens(scratch_path("state/logs"), "group1.sub.important-cookbook", NULL);
	umask(022);
	ck_assert_int_eq(put("a\n", "a x\n"), 0);
	ck_assert_int_eq(put(NULL, "b x\n"), 0);
	holds("state/logs/group1/sub/important-cookbook.log", "a\n");
	holds("state/logs/group1/sub/important-cookbook-extended.log", "a x\nb x\n");
	ck_assert_uint_eq(mode_of("state"), 0750);
	ck_assert_uint_eq(mode_of("state/logs/group1/sub"), 0750);
	ck_assert_uint_eq(mode_of("state/logs/group1/sub/important-cookbook.log"), 0640);
	ck_assert_uint_eq(mode_of("state/logs/group1/sub/important-cookbook-extended.log"), 0640);
	logfile_close(logfile);
	opens(scratch_path("state/logs"), "group1.sub.important-cookbook", NULL);
	ck_assert_int_eq(put("c\n", "c x\n"), 0);
	holds("state/logs/group1/sub/important-cookbook.log", "a\nc\n");
}
END_TEST

static void refuses(const char *name, const char *reason)
{
	char expected[512];

	ck_assert_int_eq(logfile_open(scratch, name, NULL, &logfile, &err), -1);
	ck_assert_ptr_null(logfile);
	snprintf(expected, sizeof(expected), "%s%s", reason[0] == '/' ? scratch : "", reason);
	ck_assert_str_eq(err.text, expected);
}

START_TEST(shares_with_the_group_of_a_shared_directory)
{
	scratch_directory_mode("shared", S_ISGID | 0770);
	umask(0777);
	opens(scratch_path("shared"), "group1.important-cookbook", NULL);
	umask(022);
	ck_assert_uint_eq(mode_of("shared/group1"), S_ISGID | 0770);
	ck_assert_uint_eq(mode_of("shared/group1/important-cookbook.log"), 0660);
	ck_assert_uint_eq(mode_of("shared/group1/important-cookbook-extended.log"), 0660);
}
END_TEST

START_TEST(refuses_what_is_no_log_file)
{
	refuses("", "cannot name a log file after ''");
	refuses("a..b", "cannot name a log file after 'a..b'");
	refuses("a/../b", "cannot name a log file after 'a/../b'");
	refuses("a\nb", "cannot name a log file after 'a\\x0ab'");
	ck_assert_int_eq(symlink("/etc/passwd", scratch_path("link.log")), 0);
	refuses("link", "/link.log: a symbolic link, not a log file");
	ck_assert_int_eq(mkfifo(scratch_path("fifo-extended.log"), 0600), 0);
	refuses("fifo", "/fifo-extended.log: not a regular file");
	scratch_directory("dir.log");
	refuses("dir", "/dir.log: cannot open: Is a directory");
	ck_assert_int_eq(symlink("/tmp", scratch_path("group")), 0);
	refuses("group.x", "/group/x.log: cannot open or make its directory: Not a directory");
}
END_TEST

START_TEST(rotates_as_python_does)
{
	static const struct logfile_limits limits = {.size = 8, .keep = 2};

	opens(scratch, "c", &limits);
	ck_assert_int_eq(put("1234567\n", "\n"), 0);
	ck_assert_int_eq(put("2\n", "\n"), 0);
	ck_assert_int_eq(put("3\n", "\n"), 0);
	holds("c.log", "2\n3\n");
	holds("c.log.1", "1234567\n");
	ck_assert_int_eq(put("longer than all\n", "\n"), 0);
	ck_assert_int_eq(put("5\n", "\n"), 0);
	holds("c.log", "5\n");
	holds("c.log.1", "longer than all\n");
	holds("c.log.2", "2\n3\n");
	ck_assert_int_ne(access(scratch_path("c.log.3"), F_OK), 0);
	ck_assert_uint_eq(mode_of("c.log"), 0640);
}
END_TEST

START_TEST(follows_the_rotation_of_others)
{
	opens(scratch, "c", NULL);
	ck_assert_int_eq(put("1\n", "1\n"), 0);
	ck_assert_int_eq(rename(scratch_path("c.log"), scratch_path("c.log.1")), 0);
	ck_assert_int_eq(put("2\n", "2\n"), 0);
	holds("c.log", "2\n");
	holds("c.log.1", "1\n");
	ck_assert_int_eq(unlink(scratch_path("c.log")), 0);
	ck_assert_int_eq(symlink("/dev/null", scratch_path("c.log")), 0);
	ck_assert_int_eq(put("3\n", "3\n"), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/c.log: a symbolic link, not a log file"));
	ck_assert_int_eq(put("4\n", "4\n"), 0);
	holds("c-extended.log", "1\n2\n3\n4\n");
}
END_TEST

/* A limit on the size of files is our disk full. */
START_TEST(disk_full_is_told_once_per_file)
{
	struct rlimit limit = {.rlim_cur = 6, .rlim_max = RLIM_INFINITY};

	opens(scratch, "c", NULL);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(put("1234567\n", "1\n"), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/c.log: cannot write: File too large"));
	ck_assert_int_eq(put("2\n", "2\n"), 0);
	ck_assert_int_eq(put("3\n", "3456\n"), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/c-extended.log: cannot write: File too large"));
	ck_assert_int_eq(put("4\n", "4\n"), 0);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(put("5\n", "5\n"), 0);
	ck_assert_int_eq(put("6\n", "6\n"), 0);
	holds("c.log", "123456\n5\n6\n");
}
END_TEST

#define WRITERS 6
#define RECORDS 4000

static void write_many(int writer, const struct logfile_limits *limits)
{
	char line[160];

	for (int i = 0; i < RECORDS; i++) {
		if (i % 500 == 0) {
			logfile_close(logfile);
			logfile = NULL;
			if (logfile_open(scratch, "g.c", limits, &logfile, &err) < 0)
				_exit(1);
		}
		snprintf(
			line, sizeof(line), "%d %d %.*s.\n", writer, i, (i * 7) % 120,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		if (put(i % 2 ? line : NULL, line) < 0)
			_exit(2);
	}
	logfile_close(logfile);
	_exit(0);
}

/* Counts the records of a file of the pair; each must be whole. */
static size_t count_records(const char *name, uint8_t seen[WRITERS][RECORDS])
{
	FILE *file = fopen(scratch_path(name), "r");
	char line[512];
	size_t count = 0;
	int writer, i, end;

	if (!file)
		return 0;
	for (; fgets(line, sizeof(line), file); count++) {
		end = 0;
		ck_assert_int_eq(sscanf(line, "%d %d %n", &writer, &i, &end), 2);
		ck_assert(writer >= 0 && writer < WRITERS && i >= 0 && i < RECORDS);
		ck_assert_uint_eq(strspn(line + end, "x"), (size_t)((i * 7) % 120));
		ck_assert_str_eq(line + end + (i * 7) % 120, ".\n");
		seen[writer][i]++;
	}
	fclose(file);
	return count;
}

START_TEST(many_processes_write_and_rotate)
{
	static const struct logfile_limits limits = {.size = 20000, .keep = 2000};
	static uint8_t plain[WRITERS][RECORDS], extended[WRITERS][RECORDS];
	char name[64];
	int status, files = 0;

	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(i, &limits);
	while (wait(&status) > 0)
		ck_assert_int_eq(status, 0);
	ck_assert_uint_gt(count_records("g/c.log", plain), 0);
	count_records("g/c-extended.log", extended);
	for (unsigned i = 1; i <= limits.keep; i++) {
		snprintf(name, sizeof(name), "g/c.log.%u", i);
		count_records(name, plain);
		snprintf(name, sizeof(name), "g/c-extended.log.%u", i);
		files += count_records(name, extended) > 0;
	}
	for (int writer = 0; writer < WRITERS; writer++)
		for (int i = 0; i < RECORDS; i++) {
			ck_assert_uint_eq(plain[writer][i], i % 2);
			ck_assert_uint_eq(extended[writer][i], 1);
		}
	/* How many depends on how often an append overtakes a rotation. */
	ck_assert_int_gt(files, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("logfile");
	TCase *tcase = tcase_create("logfile");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, makes_directories_and_files);
	tcase_add_test(tcase, shares_with_the_group_of_a_shared_directory);
	tcase_add_test(tcase, refuses_what_is_no_log_file);
	tcase_add_test(tcase, rotates_as_python_does);
	tcase_add_test(tcase, follows_the_rotation_of_others);
	tcase_add_test(tcase, disk_full_is_told_once_per_file);
	tcase_add_test(tcase, many_processes_write_and_rotate);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
