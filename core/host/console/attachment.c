/* SPDX-License-Identifier: Apache-2.0 */
#include "attachment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/printable.h"

/* More than one is wrong, and shows. */
#define DESCRIPTORS_MAX 4
/* Waiting to be accepted. */
#define BACKLOG 8

/*
 * The address of a socket in a directory, however long the path of that is: by a descriptor, which
 * the caller closes. -1 with the reason.
 */
static int make_address(const char *directory, const char *run, struct sockaddr_un *address,
			struct err *err)
{
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char shown[PRINTABLE_PATH_SIZE];

	if (fd < 0)
		return err_errno(err, "%s: cannot open", printable_path(directory, shown));
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path),
		 "/proc/self/fd/%d/%s" ATTACHMENT_SOCKET_SUFFIX, fd, run);
	return fd;
}

static int failed(const char *directory, const char *run, const char *what, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	int why = errno;

	printable_path(directory, shown);
	errno = why;
	return err_errno(err, "%s/%s" ATTACHMENT_SOCKET_SUFFIX ": cannot %s", shown, run, what);
}

int attachment_listen(const char *directory, const char *run, struct err *err)
{
	struct sockaddr_un address;
	int at = make_address(directory, run, &address, err);
	int fd = -1, rc = -1;

	if (at < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode first: there is no moment in which others may connect, whatever the umask. */
	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		failed(directory, run, "listen", err);
	else
		rc = 0;
	if (rc < 0)
		fd_close(&fd);
	close(at);
	return rc < 0 || fd_move_up(&fd, err) < 0 ? -1 : fd;
}

int attachment_connect(const char *directory, const char *run, struct err *err)
{
	struct sockaddr_un address;
	int at = make_address(directory, run, &address, err);
	int fd, why = errno;

	if (at < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		why = errno;
		failed(directory, run, "connect", err);
		fd_close(&fd);
	}
	close(at);
	errno = why;
	return fd;
}

long long attachment_peer(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -1;
	return (long long)peer.uid;
}

bool attachment_send(int fd, const struct attachment_message *message, int descriptor)
{
	struct iovec text = {.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message)};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr packet = {.msg_iov = &text, .msg_iovlen = 1};

	if (descriptor >= 0) {
		packet.msg_control = control.bytes;
		packet.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
	}
	return sendmsg(fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(*message);
}

/* Takes the descriptor; if there are others, none. True: there was none, or one. */
static bool take_descriptors(struct msghdr *packet, int *ret)
{
	int found[DESCRIPTORS_MAX + 1];
	size_t count = 0;

	for (struct cmsghdr *each = CMSG_FIRSTHDR(packet); each; each = CMSG_NXTHDR(packet, each)) {
		size_t bytes = each->cmsg_len - CMSG_LEN(0);

		if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < bytes / sizeof(int) && count <= DESCRIPTORS_MAX; i++)
			memcpy(&found[count++], CMSG_DATA(each) + i * sizeof(int), sizeof(int));
	}
	if (count == 1 && ret && !(packet->msg_flags & MSG_CTRUNC)) {
		*ret = found[0];
		return true;
	}
	for (size_t i = 0; i < count; i++)
		close(found[i]);
	return count == 0 && !(packet->msg_flags & MSG_CTRUNC);
}

enum attachment_receipt attachment_receive(int fd, struct attachment_message *ret,
					   int *ret_descriptor)
{
	struct iovec text = {.iov_base = ret, .iov_len = sizeof(*ret)};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	} control;
	struct msghdr packet = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;
	bool good;

	if (ret_descriptor)
		*ret_descriptor = -1;
	got = recvmsg(fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? ATTACHMENT_NOTHING : ATTACHMENT_CLOSED;
	good = take_descriptors(&packet, ret_descriptor);
	/* A packet of no bytes looks like the end; nobody of ours sends one. */
	if (got == 0 && good && (!ret_descriptor || *ret_descriptor < 0))
		return ATTACHMENT_CLOSED;
	if (good && got == (ssize_t)sizeof(*ret) && !(packet.msg_flags & MSG_TRUNC))
		return ATTACHMENT_MESSAGE;
	if (ret_descriptor)
		fd_close(ret_descriptor);
	return ATTACHMENT_GARBAGE;
}
