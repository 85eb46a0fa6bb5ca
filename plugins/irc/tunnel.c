/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../net/dial.h"
#include "line.h"

/* On its way in one direction. The library sends no more than it has room for itself. */
struct flow {
	char bytes[16384];
	size_t length;
};

struct tunnel {
	int server, library; /* -1: not open */
	SSL_CTX *context;    /* NULL: no TLS */
	SSL *tls;
	bool read_waits, write_waits; /* TLS: for the other direction than its own */
	struct flow to_server, to_library;
	char line[LINE_MAX_LENGTH + 3]; /* of the server, not yet complete */
	size_t line_length;
	bool too_long; /* it is passed over */
};

static void consume(struct flow *flow, size_t length)
{
	memmove(flow->bytes, flow->bytes + length, flow->length - length);
	flow->length -= length;
}

static size_t room(const struct flow *flow)
{
	return sizeof(flow->bytes) - flow->length;
}

/* ---- TLS ---- */

static int refuse_tls(SSL *tls, const char *host, struct spk_reason_buffer *reason)
{
	long verified = tls ? SSL_get_verify_result(tls) : X509_V_OK;
	unsigned long error = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(error);

	if (verified != X509_V_OK)
		why = X509_verify_cert_error_string(verified);
	return net_refuse(reason, "no TLS with %s: %s", host,
			  why ? why : "the server closed the connection");
}

static bool is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* Whose certificate it must be. */
static bool expect_name(SSL *tls, const char *host)
{
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1;
	return SSL_set1_host(tls, host) == 1 && SSL_set_tlsext_host_name(tls, (uintptr_t)host) == 1;
}

static bool load_authorities(SSL_CTX *context, const char *file)
{
	return (file ? SSL_CTX_load_verify_file(context, file)
		     : SSL_CTX_set_default_verify_paths(context)) == 1;
}

static int shake_hands(struct tunnel *tunnel, const struct tunnel_place *place, bool *ret_hopeless,
		       struct spk_notify_call *call)
{
	for (;;) {
		int rc, error;

		ERR_clear_error();
		rc = SSL_connect(tunnel->tls);
		if (rc == 1)
			return 0;
		error = SSL_get_error(tunnel->tls, rc);
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
			*ret_hopeless = error == SSL_ERROR_SSL;
			return refuse_tls(tunnel->tls, place->host, &call->reason);
		}
		if (net_wait(tunnel->server, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
			     call) != NET_READY)
			return net_refuse(&call->reason, "no TLS with %s: no answer in time",
					  place->host);
	}
}

static int start_tls(struct tunnel *tunnel, const struct tunnel_place *place, bool *ret_hopeless,
		     struct spk_notify_call *call)
{
	*ret_hopeless = true;
	ERR_clear_error();
	tunnel->context = SSL_CTX_new(TLS_client_method());
	if (!tunnel->context)
		return refuse_tls(NULL, place->host, &call->reason);
	SSL_CTX_set_min_proto_version(tunnel->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(tunnel->context, SSL_VERIFY_PEER, NULL);
	if (!load_authorities(tunnel->context, place->ca_file))
		return net_refuse(&call->reason, "cannot read certificates of '%s'",
				  place->ca_file ? place->ca_file : "the system");
	tunnel->tls = SSL_new(tunnel->context);
	if (!tunnel->tls || !expect_name(tunnel->tls, place->host) ||
	    SSL_set_fd(tunnel->tls, tunnel->server) != 1)
		return refuse_tls(NULL, place->host, &call->reason);
	SSL_set_mode(tunnel->tls,
		     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	*ret_hopeless = false;
	return shake_hands(tunnel, place, ret_hopeless, call);
}

/* ---- the server ---- */

/* As read() and write(); -1 and EAGAIN: not now. 0: the other side has closed. */
static ssize_t tls_result(struct tunnel *tunnel, int rc, bool reading)
{
	bool *waits = reading ? &tunnel->read_waits : &tunnel->write_waits;
	int error;

	*waits = false;
	if (rc > 0)
		return rc;
	error = SSL_get_error(tunnel->tls, rc);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		*waits = (error == SSL_ERROR_WANT_READ) != reading;
		errno = EAGAIN;
		return -1;
	}
	if (error == SSL_ERROR_SYSCALL && errno)
		return -1;
	return 0;
}

static ssize_t server_read(struct tunnel *tunnel, char *bytes, size_t length)
{
	if (!tunnel->tls)
		return recv(tunnel->server, bytes, length, 0);
	ERR_clear_error();
	errno = 0;
	return tls_result(tunnel, SSL_read(tunnel->tls, bytes, (int)length), true);
}

static ssize_t server_write(struct tunnel *tunnel, const char *bytes, size_t length)
{
	if (!tunnel->tls)
		return send(tunnel->server, bytes, length, MSG_NOSIGNAL);
	ERR_clear_error();
	errno = 0;
	return tls_result(tunnel, SSL_write(tunnel->tls, bytes, (int)length), false);
}

static int lost(const char *why, struct spk_reason_buffer *reason)
{
	return net_refuse(reason, "the connection was lost: %s", why);
}

/* What came of the server: complete lines that are good go on. */
static void take_byte(struct tunnel *tunnel, char byte)
{
	struct flow *flow = &tunnel->to_library;

	if (byte != '\n') {
		if (tunnel->line_length < LINE_MAX_LENGTH + 1)
			tunnel->line[tunnel->line_length++] = byte;
		else
			tunnel->too_long = true;
		return;
	}
	if (tunnel->line_length > 0 && tunnel->line[tunnel->line_length - 1] == '\r')
		tunnel->line_length--;
	if (!tunnel->too_long && line_is_good(tunnel->line, tunnel->line_length)) {
		memcpy(flow->bytes + flow->length, tunnel->line, tunnel->line_length);
		flow->length += tunnel->line_length;
		flow->bytes[flow->length++] = '\r';
		flow->bytes[flow->length++] = '\n';
	}
	tunnel->line_length = 0;
	tunnel->too_long = false;
}

static int listen_to_server(struct tunnel *tunnel, struct spk_reason_buffer *reason)
{
	char bytes[2048];
	ssize_t got;

	/* All that is read has room, with the line begun before. */
	while (room(&tunnel->to_library) >= sizeof(bytes) + sizeof(tunnel->line)) {
		got = server_read(tunnel, bytes, sizeof(bytes));
		if (got == 0)
			return lost("the server closed it", reason);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR
				       ? 0
				       : lost(strerrordesc_np(errno), reason);
		for (ssize_t i = 0; i < got; i++)
			take_byte(tunnel, bytes[i]);
	}
	return 0;
}

static int speak_to_server(struct tunnel *tunnel, struct spk_reason_buffer *reason)
{
	while (tunnel->to_server.length > 0) {
		ssize_t put = server_write(tunnel, tunnel->to_server.bytes,
					   tunnel->to_server.length);

		if (put == 0)
			return lost("the server closed it", reason);
		if (put < 0)
			return errno == EAGAIN || errno == EINTR
				       ? 0
				       : lost(strerrordesc_np(errno), reason);
		consume(&tunnel->to_server, (size_t)put);
	}
	return 0;
}

/* ---- the library ---- */

static void exchange_with_library(struct tunnel *tunnel)
{
	struct flow *in = &tunnel->to_server, *out = &tunnel->to_library;
	ssize_t done = 0;

	if (tunnel->library < 0)
		return;
	if (out->length > 0)
		done = send(tunnel->library, out->bytes, out->length, MSG_NOSIGNAL);
	if (done > 0)
		consume(out, (size_t)done);
	done = room(in) > 0 ? recv(tunnel->library, in->bytes + in->length, room(in), 0) : 0;
	if (done > 0)
		in->length += (size_t)done;
}

/* A port of ours that the library can begin to connect to; nobody ever takes a connection of it. */
static int make_bait(int *ret_port, struct spk_reason_buffer *reason)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(address);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		net_refuse(reason, "cannot listen on the loopback: %s", strerrordesc_np(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* The library cannot live with descriptors that have no place in an fd_set. */
static bool descriptors_are_small(int like)
{
	int lowest = fcntl(like, F_DUPFD_CLOEXEC, 0);

	if (lowest >= 0)
		close(lowest);
	return lowest >= 0 && lowest < FD_SETSIZE - 64;
}

/* Puts `end` in the place of the library's own socket. */
static int replace_socket(irc_session_t *session, int end)
{
	fd_set in, out;
	int fd = -1;

	FD_ZERO(&in);
	FD_ZERO(&out);
	if (irc_add_select_descriptors(session, &in, &out, &fd) != 0 || fd < 0)
		return -1;
	return dup3(end, fd, O_CLOEXEC) < 0 ? -1 : 0;
}

int tunnel_attach(struct tunnel *tunnel, irc_session_t *session, const char *nick,
		  const char *real_name, struct spk_reason_buffer *reason)
{
	int ends[2] = {-1, -1};
	int bait, port, rc = -1;

	bait = make_bait(&port, reason);
	if (bait < 0)
		return -1;
	if (!descriptors_are_small(bait)) {
		net_refuse(reason, "too many files are open for libircclient");
	} else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		net_refuse(reason, "cannot make sockets: %s", strerrordesc_np(errno));
	} else if (irc_connect(session, "127.0.0.1", (unsigned short)port, NULL, nick, nick,
			       real_name) != 0 ||
		   replace_socket(session, ends[1]) < 0) {
		net_refuse(reason, "libircclient cannot connect: %s",
			   irc_strerror(irc_errno(session)));
		close(ends[0]);
	} else {
		tunnel->library = ends[0];
		rc = 0;
	}
	if (ends[1] >= 0)
		close(ends[1]);
	close(bait);
	return rc;
}

/* ---- the whole ---- */

struct tunnel *tunnel_open(const struct tunnel_place *place, bool *ret_hopeless,
			   struct spk_notify_call *call)
{
	struct tunnel *tunnel = calloc(1, sizeof(*tunnel));

	*ret_hopeless = false;
	if (!tunnel) {
		net_refuse(&call->reason, "out of memory");
		return NULL;
	}
	tunnel->library = -1;
	tunnel->server = net_dial(place->host, place->port, call);
	if (tunnel->server >= 0 &&
	    (!place->tls || start_tls(tunnel, place, ret_hopeless, call) == 0))
		return tunnel;
	tunnel_close(tunnel);
	return NULL;
}

void tunnel_close(struct tunnel *tunnel)
{
	if (!tunnel)
		return;
	SSL_free(tunnel->tls);
	SSL_CTX_free(tunnel->context);
	if (tunnel->server >= 0)
		close(tunnel->server);
	if (tunnel->library >= 0)
		close(tunnel->library);
	/* Passwords went through it. */
	explicit_bzero(tunnel, sizeof(*tunnel));
	free(tunnel);
}

void tunnel_say(struct tunnel *tunnel, const char *format, ...)
{
	struct flow *flow = &tunnel->to_server;
	char line[600];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line) - 2, format, args);
	va_end(args);
	if (length > 0 && (size_t)length < sizeof(line) - 2 && (size_t)length + 2 <= room(flow)) {
		memcpy(line + length, "\r\n", 2);
		memcpy(flow->bytes + flow->length, line, (size_t)length + 2);
		flow->length += (size_t)length + 2;
	}
	explicit_bzero(line, sizeof(line));
}

int tunnel_fd(const struct tunnel *tunnel)
{
	return tunnel->server;
}

void tunnel_watch(const struct tunnel *tunnel, struct pollfd fds[static TUNNEL_FDS])
{
	bool writes = tunnel->to_server.length > 0;
	bool reads = room(&tunnel->to_library) >= sizeof(tunnel->to_library.bytes) / 2;

	fds[0] = (struct pollfd){.fd = tunnel->server};
	if (reads || (writes && tunnel->write_waits))
		fds[0].events |= POLLIN;
	if ((writes && !tunnel->write_waits) || tunnel->read_waits)
		fds[0].events |= POLLOUT;
	fds[1] = (struct pollfd){.fd = tunnel->library};
	if (room(&tunnel->to_server) > 0)
		fds[1].events |= POLLIN;
	if (tunnel->to_library.length > 0)
		fds[1].events |= POLLOUT;
}

int tunnel_move(struct tunnel *tunnel, struct spk_reason_buffer *reason)
{
	int rc;

	exchange_with_library(tunnel);
	rc = speak_to_server(tunnel, reason);
	/* It may have said why before it closed. */
	if (listen_to_server(tunnel, reason) < 0)
		rc = -1;
	exchange_with_library(tunnel);
	return rc;
}

bool tunnel_is_empty(const struct tunnel *tunnel)
{
	return tunnel->to_server.length == 0;
}
