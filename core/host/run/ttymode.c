/* SPDX-License-Identifier: Apache-2.0 */
#include "ttymode.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fd.h"

/* The terminal, if it is ours now; -1: it is not, or there is none. */
static int open_own(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0 && tcgetpgrp(fd) != getpgrp())
		fd_close(&fd);
	return fd;
}

void ttymode_save(struct ttymode *mode)
{
	int fd = open_own();

	/* With its padding, for it is compared. */
	memset(mode, 0, sizeof(*mode));
	mode->known = fd >= 0 && tcgetattr(fd, &mode->settings) == 0;
	fd_close(&fd);
}

void ttymode_restore(const struct ttymode *mode)
{
	int fd = mode->known ? open_own() : -1;
	struct termios now;

	memset(&now, 0, sizeof(now));
	if (fd >= 0 && tcgetattr(fd, &now) == 0 && memcmp(&now, &mode->settings, sizeof(now)) != 0)
		tcsetattr(fd, TCSADRAIN, &mode->settings);
	fd_close(&fd);
}
