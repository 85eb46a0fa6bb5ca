/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <errno.h>
#include <libssh/callbacks.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/memory.h"
#include "connection.h"

#define PIECE 16384

/* What was taken on one side and did not fit into the other. */
struct rest {
	char *bytes;
	size_t at, length;
};

struct relay {
	struct grave grave;
	struct guest guest;
	struct transport *transport;
	const struct target *target; /* whom we are the way to */
	struct task task;            /* to tell that there is no way */
	struct end end;
	ssh_channel channel; /* NULL: none */
	struct ssh_channel_callbacks_struct callbacks;
	struct watch watch;  /* of our end of the socket; the other one is the session's */
	struct rest in, out; /* to the session, from it */
	bool open, ended;    /* `ended`: no more comes of the jump host */
	bool opening;        /* the channel: the host has not answered yet */
	way_done *done;      /* NULL: nobody wants it any more */
	void *data;
};

#define OWNER(member, pointer)                                                                     \
	((struct relay *)(void *)((char *)(pointer)-offsetof(struct relay, member)))

static void rest_free(struct rest *rest)
{
	memory_free(rest->bytes);
	*rest = (struct rest){0};
}

static void rest_keep(struct rest *rest, const char *bytes, size_t length)
{
	if (length > 0)
		*rest = (struct rest){.bytes = memcpy(memory_raw(length), bytes, length),
				      .length = length};
}

static void bury(struct grave *grave)
{
	struct relay *relay = (struct relay *)(void *)grave;

	rest_free(&relay->in);
	rest_free(&relay->out);
	memory_free(relay);
}

static void close_socket(struct relay *relay)
{
	if (relay->watch.fd < 0)
		return;
	loop_unwatch(relay->transport->loop, &relay->watch);
	close(relay->watch.fd);
	relay->watch.fd = -1;
}

void relay_close(struct relay *relay)
{
	if (!relay)
		return;
	relay->done = NULL;
	close_socket(relay);
	loop_drop_task(relay->transport->loop, &relay->task);
	if (relay->opening)
		return;
	if (relay->channel) {
		ssh_remove_channel_callbacks(relay->channel, &relay->callbacks);
		connection_drop_channel(relay->guest.connection, relay->channel);
	}
	host_leave(&relay->guest);
	relay->grave.bury = bury;
	loop_bury(relay->transport->loop, &relay->grave);
}

void relay_explain(const struct relay *relay, char *text, size_t size)
{
	if (*relay->end.reason)
		snprintf(text, size, " (%.200s)", relay->end.reason);
}

/* ---- there is no way ---- */

static void tell_end(struct task *task)
{
	struct relay *relay = OWNER(task, task);

	relay->done(relay->data, -1, &relay->end);
}

static void fail_soon(struct relay *relay)
{
	end_prefix(&relay->end, "jump host %s", relay->target->jump_host);
	loop_add_task(relay->transport->loop, &relay->task);
}

static void turned_away(struct guest *guest, const struct end *end)
{
	struct relay *relay = OWNER(guest, guest);

	relay->end = *end;
	fail_soon(relay);
}

static void lost(struct guest *guest, const struct end *end)
{
	struct relay *relay = OWNER(guest, guest);

	relay->channel = NULL;
	relay->opening = false;
	relay->end = *end;
	if (!relay->done) {
		relay_close(relay);
		return;
	}
	if (relay->open) {
		end_prefix(&relay->end, "jump host %s", relay->target->jump_host);
		close_socket(relay);
		return;
	}
	/* Nothing was started yet. */
	if (relay->end.kind == SPK_TRANSPORT_LOST)
		relay->end.kind = SPK_TRANSPORT_UNREACHABLE;
	fail_soon(relay);
}

/* ---- bytes ---- */

/* -1: the session is gone. */
static ssize_t to_session(struct relay *relay, const char *bytes, size_t length)
{
	ssize_t done = send(relay->watch.fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return done;
}

static int take_data(ssh_session session, ssh_channel channel, void *bytes, uint32_t length,
		     int is_stderr, void *data)
{
	struct relay *relay = data;
	ssize_t done;

	/* What comes before the socket is there stays with libssh, too. */
	if (!relay->open || relay->in.length > 0)
		return 0;
	if (is_stderr || relay->watch.fd < 0)
		return (int)length;
	done = to_session(relay, bytes, length);
	if (done < 0)
		return (int)length;
	/* The rest stays with libssh, which asks the host for no more. */
	if ((size_t)done < length)
		relay->guest.restless = true;
	return (int)done;
}

static void take_end(ssh_session session, ssh_channel channel, void *data)
{
	struct relay *relay = data;

	relay->ended = true;
	relay->guest.restless = true;
}

/* True: all that there is has gone on. */
static bool move_in(struct relay *relay)
{
	char bytes[PIECE];

	for (;;) {
		ssize_t done;
		int got;

		if (relay->in.length > 0) {
			done = to_session(relay, relay->in.bytes + relay->in.at, relay->in.length);
			if (done < 0)
				return true;
			relay->in.at += (size_t)done;
			relay->in.length -= (size_t)done;
			if (relay->in.length > 0)
				return false;
			rest_free(&relay->in);
		}
		got = ssh_channel_read_nonblocking(relay->channel, bytes, sizeof(bytes), 0);
		if (got <= 0)
			return true;
		done = to_session(relay, bytes, (size_t)got);
		if (done >= 0)
			rest_keep(&relay->in, bytes + done, (size_t)(got - done));
	}
}

static size_t to_host(struct relay *relay, const char *bytes, size_t length)
{
	size_t window = ssh_channel_window_size(relay->channel);
	int done;

	if (window == 0 || !connection_is_flushed(relay->guest.connection))
		return 0;
	if (length > window)
		length = window;
	done = ssh_channel_write(relay->channel, bytes, (uint32_t)length);
	connection_touch(relay->guest.connection);
	return done > 0 ? (size_t)done : 0;
}

/* True: all that there is has gone on. */
static bool move_out(struct relay *relay)
{
	char bytes[PIECE];
	size_t done;
	ssize_t got;

	for (;;) {
		if (relay->out.length > 0) {
			done = to_host(relay, relay->out.bytes + relay->out.at, relay->out.length);
			relay->out.at += done;
			relay->out.length -= done;
			if (relay->out.length > 0)
				return false;
			rest_free(&relay->out);
		}
		got = recv(relay->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got <= 0)
			return true;
		done = to_host(relay, bytes, (size_t)got);
		rest_keep(&relay->out, bytes + done, (size_t)got - done);
	}
}

static void move(struct relay *relay)
{
	bool in, out;

	if (!relay->channel || relay->watch.fd < 0)
		return;
	in = move_in(relay);
	out = move_out(relay);
	if (in && relay->ended) {
		close_socket(relay);
		return;
	}
	relay->guest.restless = !in || !out;
	loop_watch(relay->transport->loop, &relay->watch,
		   (out ? EPOLLIN : 0) | (in ? 0 : EPOLLOUT));
}

static void ready(struct watch *watch, uint32_t events)
{
	move(OWNER(watch, watch));
}

/* ---- opening ---- */

static bool make_socket(struct relay *relay, int *ret_fd)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return false;
	relay->watch = (struct watch){.ready = ready, .fd = ends[0]};
	*ret_fd = ends[1];
	if (loop_watch(relay->transport->loop, &relay->watch, EPOLLIN))
		return true;
	close_socket(relay);
	close(ends[1]);
	return false;
}

static void opened(struct relay *relay)
{
	int fd;

	relay->guest.restless = false;
	if (!make_socket(relay, &fd)) {
		end_set(&relay->end, SPK_TRANSPORT_FAILED, "cannot make a socket: %s",
			strerrordesc_np(errno));
		fail_soon(relay);
		return;
	}
	relay->open = true;
	relay->done(relay->data, fd, NULL);
	move(relay);
}

static void open_channel(struct relay *relay)
{
	const struct target *target = relay->target;
	char why[256];
	int rc = ssh_channel_open_forward(relay->channel, target->host, target->port, "127.0.0.1",
					  0);

	connection_touch(relay->guest.connection);
	relay->opening = rc == SSH_AGAIN;
	if (relay->opening)
		return;
	if (!relay->done) {
		relay_close(relay);
		return;
	}
	if (rc == SSH_OK) {
		opened(relay);
		return;
	}
	end_set(&relay->end, SPK_TRANSPORT_UNREACHABLE, "cannot connect to %s port %d: %s",
		target->host, target->port,
		end_printable(ssh_get_error(connection_session(relay->guest.connection)), why,
			      sizeof(why)));
	relay->guest.restless = false;
	fail_soon(relay);
}

static void advance(struct guest *guest)
{
	struct relay *relay = OWNER(guest, guest);

	if (relay->open)
		move(relay);
	else if (relay->opening)
		open_channel(relay);
}

static void admitted(struct guest *guest)
{
	struct relay *relay = OWNER(guest, guest);

	relay->channel = ssh_channel_new(connection_session(guest->connection));
	relay->callbacks.userdata = relay;
	relay->callbacks.channel_data_function = take_data;
	relay->callbacks.channel_eof_function = take_end;
	relay->callbacks.channel_close_function = take_end;
	ssh_callbacks_init(&relay->callbacks);
	if (!relay->channel ||
	    ssh_add_channel_callbacks(relay->channel, &relay->callbacks) != SSH_OK) {
		end_set(&relay->end, SPK_TRANSPORT_FAILED, "out of memory");
		fail_soon(relay);
		return;
	}
	guest->restless = true;
	open_channel(relay);
}

static const struct guest_calls calls = {
	.admitted = admitted,
	.turned_away = turned_away,
	.advance = advance,
	.lost = lost,
};

struct relay *relay_open(struct host *host, int64_t deadline_ns, way_done *done, void *data)
{
	struct relay *relay = memory_new(1, sizeof(*relay));
	struct host *jump;

	relay->guest = (struct guest){.calls = &calls, .deadline_ns = deadline_ns};
	relay->transport = host->transport;
	relay->target = host->target;
	relay->task.run = tell_end;
	relay->watch.fd = -1;
	relay->done = done;
	relay->data = data;
	jump = host_find_jump(host, &relay->end);
	if (jump)
		host_enter(jump, &relay->guest);
	else
		fail_soon(relay);
	return relay;
}
