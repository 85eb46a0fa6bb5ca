/* SPDX-License-Identifier: Apache-2.0 */
#include "stdio_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int stdio_guard_open(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0) {
			perror("cannot open /dev/null");
			return -1;
		}
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

int stdio_guard_write(const struct buf *text)
{
	if (fwrite(buf_text(text), 1, text->length, stdout) == text->length && fflush(stdout) == 0)
		return 0;
	clearerr(stdout);
	return errno == EPIPE ? 0 : -1;
}

int stdio_guard_close(int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno == EPIPE)
		return code;
	fprintf(stderr, "cannot write to standard output: %s\n", strerror(errno));
	return code ? code : 1;
}
