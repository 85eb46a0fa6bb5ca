/* SPDX-License-Identifier: Apache-2.0 */
#include "fd.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOWEST 10

int fd_move_up(int *fd, struct err *err)
{
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, LOWEST);
	int rc = moved < 0 ? err_errno(err, "cannot move a descriptor") : 0;

	close(*fd);
	*fd = moved;
	return rc;
}

int fd_pipe(int fds[2], struct err *err)
{
	if (pipe2(fds, O_CLOEXEC) < 0) {
		fds[0] = fds[1] = -1;
		return err_errno(err, "cannot make a pipe");
	}
	if (fd_move_up(&fds[0], err) == 0 && fd_move_up(&fds[1], err) == 0)
		return 0;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return -1;
}

int fd_event(int *ret_fd, struct err *err)
{
	*ret_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return *ret_fd < 0 ? err_errno(err, "cannot make an event") : fd_move_up(ret_fd, err);
}

int fd_set_nonblocking(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
		return 0;
	return err_errno(err, "cannot make a descriptor non-blocking");
}

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
