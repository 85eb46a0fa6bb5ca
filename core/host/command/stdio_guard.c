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
