/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that are handed to other processes. */
#ifndef SPICERACK_CORE_FD_H
#define SPICERACK_CORE_FD_H

#include "err.h"

/*
 * Gives the descriptor a number of at least 10 (close-on-exec), clear of those that a
 * child's descriptors are moved to. On failure it is closed and -1.
 */
MUST_CHECK int fd_move_up(int *fd, struct err *err);

/* A pipe, close-on-exec, both ends moved up: [0] to read from, [1] to write to. */
MUST_CHECK int fd_pipe(int fds[2], struct err *err);

/* An event (eventfd), which never waits, moved up. On failure *ret_fd is -1. */
MUST_CHECK int fd_event(int *ret_fd, struct err *err);

/* Never waits again. */
MUST_CHECK int fd_set_nonblocking(int fd, struct err *err);

/* Closes it, if it is open (not -1), and makes it -1. */
void fd_close(int *fd);

#endif
