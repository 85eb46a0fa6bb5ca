/* SPDX-License-Identifier: Apache-2.0 */
/* group.cfg of anybody: it never opens another file, and title and owner are fit to be printed. */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/host/tree/group.h"
#include "shown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses the last string of a text that it refuses; our caller then exits. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static int file = -1; /* what is read; -1: not reading */

/* Stand before libc's. libconfig opens included files with the first. */
FILE *fopen(const char *restrict path, const char *restrict mode)
{
	int fd;

	EXPECT(file < 0);
	fd = open(path,
		  strchr(mode, 'w') ? O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
				    : O_RDONLY | O_CLOEXEC,
		  0600);
	return fd < 0 ? NULL : fdopen(fd, mode);
}

int openat(int directory, const char *name, int flags, ...)
{
	EXPECT(file >= 0 && strcmp(name, GROUP_FILE) == 0);
	return fcntl(file, F_DUPFD_CLOEXEC, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct group group = {0};
	struct err err = {0};
	int rc;

	file = memfd_create("fuzz", MFD_CLOEXEC);
	EXPECT(file >= 0 && fchmod(file, 0600) == 0);
	EXPECT(write(file, data, size) == (ssize_t)size && lseek(file, 0, SEEK_SET) == 0);
	rc = group_read(-1, "DIR/group.cfg", &group, &err);
	close(file);
	file = -1;
	if (rc < 0) {
		EXPECT(strncmp(err.text, "DIR/group.cfg:", 14) == 0);
		expect_shown(err.text, strlen(err.text));
		EXPECT(!strchr(err.text, '\n') && !group.title && !group.owner);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		const char *text = i ? group.owner : group.title;

		EXPECT(!text || (*text && !strpbrk(text, "\n\t")));
		if (text)
			expect_shown(text, strlen(text));
	}
	group_free(&group);
	return 0;
}
