/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way between libircclient and a server. The library of Debian speaks no TLS, resolves names
 * while everybody waits, sends a password as a format, and crashes on some lines; so it is
 * connected to us, we are connected to the server, and between the two stands line.h.
 */
#ifndef SPICERACK_IRC_TUNNEL_H
#define SPICERACK_IRC_TUNNEL_H

#include <libircclient.h>
#include <poll.h>

#include <spicerack/plugin.h>

struct tunnel;

struct tunnel_place {
	const char *host, *port;
	bool tls;
	const char *ca_file; /* NULL: the system's */
};

/*
 * Connects to the server, which must prove with its certificate that it is `host`. NULL with the
 * reason; *ret_hopeless when trying again does not help.
 */
struct tunnel *tunnel_open(const struct tunnel_place *place, bool *ret_hopeless,
			   struct spk_notify_call *call);
/* NULL is fine. */
void tunnel_close(struct tunnel *tunnel);

/*
 * Has the library begin to speak with the server. -1 with the reason. The session is to be ended
 * before the tunnel.
 */
int tunnel_attach(struct tunnel *tunnel, irc_session_t *session, const char *nick,
		  const char *real_name, struct spk_reason_buffer *reason);

/* Sends a line itself, at most 600 bytes with its end, for the library must not see it. */
void tunnel_say(struct tunnel *tunnel, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* The descriptor of the server, readable when it says something. */
int tunnel_fd(const struct tunnel *tunnel);

/* What to wait for: two of them, of the server and of the library. */
#define TUNNEL_FDS 2
void tunnel_watch(const struct tunnel *tunnel, struct pollfd fds[static TUNNEL_FDS]);

/* Moves what there is to move, without waiting. -1 with the reason: the connection is over. */
int tunnel_move(struct tunnel *tunnel, struct spk_reason_buffer *reason);

/* Whether all that was said has been sent. */
bool tunnel_is_empty(const struct tunnel *tunnel);

#endif
