/* SPDX-License-Identifier: Apache-2.0 */
/* A run file is locked and in its place, also while somebody sweeps away all that is not locked. */
#include "../../core/host/lock/runfile.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES 3000

static char directory[] = "/tmp/spicerack-test-XXXXXX";

/* What a store does with the files of dead runs, without end. */
static void sweep_forever(const char *runs)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	DIR *stream = opendir(runs);

	while (stream) {
		const struct dirent *entry = readdir(stream);
		int fd;

		if (!entry) {
			rewinddir(stream);
			continue;
		}
		fd = openat(dirfd(stream), entry->d_name, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0)
			unlinkat(dirfd(stream), entry->d_name, 0);
		if (fd >= 0)
			close(fd);
	}
}

START_TEST(in_its_place_while_others_sweep)
{
	char runs[sizeof(directory) + 8];
	struct run_file file;
	struct stat st, of_path;
	struct err err;
	pid_t sweeper;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_msg(run_file_directory(directory, &err) == 0, "%s", err.text);
	snprintf(runs, sizeof(runs), "%s/runs", directory);
	sweeper = fork();
	if (sweeper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sweep_forever(runs);
		_exit(1);
	}
	for (int i = 0; i < FILES; i++) {
		ck_assert_msg(run_file_make(directory, &file, &err) == 0, "%s", err.text);
		ck_assert_int_eq(fstat(file.fd, &st), 0);
		ck_assert_msg(stat(file.path, &of_path) == 0, "file %d was swept away", i);
		ck_assert_uint_eq(st.st_ino, of_path.st_ino);
		run_file_end(&file);
	}
	kill(sweeper, SIGKILL);
	waitpid(sweeper, NULL, 0);
	rmdir(runs);
	rmdir(directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runfile");
	TCase *tcase = tcase_create("runfile");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, in_its_place_while_others_sweep);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
