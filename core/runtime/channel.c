/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "fd.h"

/* A message travels in datagrams of this size, so that it fits any socket buffer; only the last may
 * be smaller. */
#define FRAGMENT_MAX 32768

struct fragment_head {
	uint32_t type;
	uint32_t serial;
	uint32_t more; /* 1: another fragment of the same message follows */
	uint32_t length;
};

int channel_pair(int fds[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		fds[0] = fds[1] = -1;
		return err_errno(err, "cannot make a socket pair");
	}
	if (fd_move_up(&fds[0], err) == 0 && fd_move_up(&fds[1], err) == 0)
		return 0;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return -1;
}

static int send_fragment(int fd, const struct fragment_head *head, const void *bytes,
			 int timeout_ms)
{
	struct iovec parts[2] = {
		{.iov_base = (void *)(uintptr_t)head, .iov_len = sizeof(*head)},
		{.iov_base = (void *)(uintptr_t)bytes, .iov_len = head->length},
	};
	struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLOUT};

		if (sendmsg(fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != ENOBUFS)
			return -1;
		if (poll(&ready, 1, timeout_ms) == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

int channel_send(struct channel *channel, uint32_t type, uint32_t serial, const struct buf *body,
		 int timeout_ms)
{
	const char *bytes = body ? buf_text(body) : "";
	size_t left = body ? body->length : 0;

	do {
		size_t length = left < FRAGMENT_MAX ? left : FRAGMENT_MAX;
		struct fragment_head head = {
			.type = type,
			.serial = serial,
			.more = left > length,
			.length = (uint32_t)length,
		};

		if (send_fragment(channel->fd, &head, bytes, timeout_ms) < 0)
			return -1;
		bytes += length;
		left -= length;
	} while (left > 0);
	return 0;
}

/*
 * Whether a fragment of `got` bytes is well-formed and goes on with the one before. As all but the
 * last are full, a message ends after a few: nobody can keep the receiver in here with
 * empty ones.
 */
static bool fits(const struct channel *channel, const struct fragment_head *head, size_t got)
{
	size_t before = channel->partial.length;

	if (head->length != got - sizeof(*head) || head->more > 1)
		return false;
	if (head->more && head->length != FRAGMENT_MAX)
		return false;
	if (before && (head->type != channel->type || head->serial != channel->serial))
		return false;
	return before + head->length <= CHANNEL_BODY_MAX;
}

enum channel_event channel_receive(struct channel *channel, bool wait, struct message *ret)
{
	char packet[sizeof(struct fragment_head) + FRAGMENT_MAX];
	struct fragment_head head = {.more = 1};

	do {
		ssize_t got = recv(channel->fd, packet, sizeof(packet), wait ? 0 : MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return CHANNEL_NOTHING;
		if (got < (ssize_t)sizeof(head))
			return CHANNEL_CLOSED;
		memcpy(&head, packet, sizeof(head));
		if (!fits(channel, &head, (size_t)got))
			return CHANNEL_CLOSED;
		channel->type = head.type;
		channel->serial = head.serial;
		buf_add(&channel->partial, packet + sizeof(head), head.length);
		explicit_bzero(packet, (size_t)got);
	} while (head.more);

	buf_clear(&channel->received);
	buf_add(&channel->received, buf_text(&channel->partial), channel->partial.length);
	buf_clear(&channel->partial);
	*ret = (struct message){
		.type = head.type,
		.serial = head.serial,
		.body = wire_read(channel->received.text, channel->received.length),
	};
	return CHANNEL_MESSAGE;
}

void channel_wipe(struct channel *channel)
{
	buf_clear(&channel->received);
}

void channel_take(struct channel *channel, struct buf *ret)
{
	*ret = channel->received;
	channel->received = (struct buf){0};
}

void channel_discard(struct channel *channel)
{
	char first;

	buf_clear(&channel->partial);
	while (recv(channel->fd, &first, 1, MSG_DONTWAIT) > 0 || errno == EINTR)
		errno = 0;
}

void channel_close(struct channel *channel)
{
	fd_close(&channel->fd);
	buf_free(&channel->partial);
	buf_free(&channel->received);
}
