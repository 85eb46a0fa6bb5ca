/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../net/dial.h"
#include "../base/memory.h"
#include "algorithms.h"
#include "auth.h"
#include "dial.h"
#include "hostkey.h"
#include "way.h"

/* sshd's own limit where nobody has set another (MaxSessions). */
#define SESSIONS_MAX 10
/* Rounds of the session before others get their turn: 4 KiB each. */
#define ROUNDS_AT_ONCE 16
/* Turns of its guests, who have something to say when they have heard something. */
#define TURNS_AT_ONCE 3
/* What a host may send for a channel that we have let go of. */
#define DISCARDED_MAX ((uint64_t)16 << 20)
/* Who takes less in a message is up to something; RFC 4253 asks for 32 KiB. */
#define PACKET_MIN 256
/* What libssh may have to say that the host does not take. */
#define BACKLOG_MAX ((uint64_t)16 << 20)

enum connection_state { CONNECTING, SHAKING_HANDS, AUTHENTICATING, READY, GONE };

struct connection {
	struct grave grave;
	struct connection *next;
	struct host *host;
	enum connection_state state;
	struct way *way;
	struct watch watch;
	struct task task;
	struct timer timer; /* of what keeps it alive */
	ssh_session session;
	ssh_event event;
	struct auth *auth;
	struct guests guests;
	size_t sessions, session_limit;
	struct ssh_counter_struct wire, packets;
	uint64_t heard; /* bytes, when it was last looked at */
	int silences;
	uint64_t discarded;
	struct ssh_channel_callbacks_struct discard;
	struct end end; /* when it has to go */
	bool accused;
	bool lent;     /* libssh has the socket, and may close it */
	bool stepping; /* step() is at work, and looks at the session behind it */
};

#define OWNER(member, pointer)                                                                     \
	((struct connection *)(void *)((char *)(pointer)-offsetof(struct connection, member)))

static struct loop *loop_of(const struct connection *connection)
{
	return connection->host->transport->loop;
}

static const struct target *target_of(const struct connection *connection)
{
	return connection->host->target;
}

/* ---- the end ---- */

static void bury(struct grave *grave)
{
	memory_free(grave);
}

/* libssh may have closed the socket, which we must not do again. */
static void close_session(struct connection *connection)
{
	ssh_session session = connection->session;
	int fd = connection->watch.fd;

	if (!connection->lent) {
		if (fd >= 0)
			close(fd);
		ssh_free(session);
		return;
	}
	if (ssh_get_fd(session) < 0) {
		loop_forget(&connection->watch);
		fd = -1;
	} else {
		loop_unwatch(loop_of(connection), &connection->watch);
	}
	if (connection->event) {
		ssh_event_remove_session(connection->event, session);
		ssh_event_free(connection->event);
	}
	/* Told goodbye, the socket stays open and ours. */
	if (fd >= 0 && connection->state == READY) {
		ssh_disconnect(session);
		close(fd);
	}
	ssh_silent_disconnect(session);
	ssh_free(session);
}

void connection_close(struct connection *connection)
{
	struct connection **link = &connection->host->connections;

	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	auth_free(connection->auth);
	close_session(connection);
	way_close(connection->way);
	loop_drop_task(loop_of(connection), &connection->task);
	loop_stop_timer(loop_of(connection), &connection->timer);
	connection->session = NULL;
	connection->state = GONE;
	connection->grave.bury = bury;
	loop_bury(loop_of(connection), &connection->grave);
}

void connection_evict(struct connection *connection, const struct end *end)
{
	while (connection->guests.first) {
		struct guest *guest = connection->guests.first;

		connection_dismiss(connection, guest);
		guest->host = NULL;
		guest->calls->lost(guest, end);
	}
}

/* It goes, with all that is on it; `end` says why. */
static void lose(struct connection *connection, const struct end *end)
{
	bool was_ready = connection->state == READY;
	struct host *host = connection->host;
	const struct end kept = *end;

	connection_evict(connection, &kept);
	connection_close(connection);
	host_lost(host, was_ready, &kept);
}

static void fail(struct connection *connection)
{
	lose(connection, &connection->end);
}

/* What libssh says of a session that is broken. */
static const char *why(const struct connection *connection, char *text, size_t size)
{
	const char *said = ssh_get_error(connection->session);

	/* An end that came when something was to be written has no error. */
	if (strcmp(said, "Socket error: disconnected") == 0 || strcmp(said, "Success") == 0)
		said = "it closed the connection";
	return end_printable(*said ? said : "the connection broke", text, size);
}

/* ---- made ---- */

/* Sets one or two options to a list: what the configuration says, or ours. */
static int set_list(struct connection *connection, enum algorithms kind,
		    const struct target_list *configured, enum ssh_options_e there,
		    enum ssh_options_e back)
{
	char *list = kind == ALGORITHMS_HOST_KEYS
			     ? hostkey_algorithms(target_of(connection),
						  connection->host->transport->known,
						  &connection->end)
			     : algorithms_list(kind, configured->text);
	int rc = -1;

	if (list && ssh_options_set(connection->session, there, list) == 0 &&
	    ssh_options_set(connection->session, back, list) == 0)
		rc = 0;
	else if (list && configured->text)
		end_refuse(&connection->end, configured->line->file, configured->line->number,
			   "libssh knows none of '%.200s'", configured->text);
	else if (list)
		end_set(&connection->end, SPK_TRANSPORT_FAILED, "libssh refuses '%s'", list);
	memory_free(list);
	return rc;
}

static int set_algorithms(struct connection *connection)
{
	const struct target *target = target_of(connection);
	ssh_session session = connection->session;

	if (target->rsa_size)
		ssh_options_set(session, SSH_OPTIONS_RSA_MIN_SIZE, &target->rsa_size);
	ssh_options_set(session, SSH_OPTIONS_COMPRESSION, target->compression ? "yes" : "no");
	if (set_list(connection, ALGORITHMS_CIPHERS, &target->ciphers, SSH_OPTIONS_CIPHERS_C_S,
		     SSH_OPTIONS_CIPHERS_S_C) < 0 ||
	    set_list(connection, ALGORITHMS_MACS, &target->macs, SSH_OPTIONS_HMAC_C_S,
		     SSH_OPTIONS_HMAC_S_C) < 0 ||
	    set_list(connection, ALGORITHMS_KEX, &target->kex, SSH_OPTIONS_KEY_EXCHANGE,
		     SSH_OPTIONS_KEY_EXCHANGE) < 0 ||
	    set_list(connection, ALGORITHMS_PUBLIC_KEYS, &target->public_keys,
		     SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES,
		     SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES) < 0)
		return -1;
	return set_list(connection, ALGORITHMS_HOST_KEYS, &target->host_keys, SSH_OPTIONS_HOSTKEYS,
			SSH_OPTIONS_HOSTKEYS);
}

/* What a host may ask of a client is refused; without this libssh would keep it for us. */
static int refuse_message(ssh_session session, ssh_message message, void *data)
{
	return 1;
}

/* libssh reads no configuration, no known_hosts and no key by itself. */
static int set_up(struct connection *connection, int fd)
{
	static const bool no = false;
	ssh_session session = ssh_new();

	connection->session = session;
	if (!session)
		return end_set(&connection->end, SPK_TRANSPORT_FAILED, "out of memory");
	if (ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_SSH_DIR, "/nonexistent") < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_HOST, "host") < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_USER, target_of(connection)->user) < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_FD, &fd) < 0)
		return end_set(&connection->end, SPK_TRANSPORT_FAILED, "libssh: %s",
			       ssh_get_error(session));
	ssh_set_blocking(session, 0);
	ssh_set_message_callback(session, refuse_message, NULL);
	ssh_set_counters(session, &connection->wire, &connection->packets);
	return set_algorithms(connection);
}

static void step(struct connection *connection);

static void ready(struct watch *watch, uint32_t events)
{
	step(OWNER(watch, watch));
}

static void step_soon(struct task *task)
{
	step(OWNER(task, task));
}

static void arrived(void *data, int fd, const struct end *end)
{
	struct connection *connection = data;

	if (fd < 0) {
		lose(connection, end);
		return;
	}
	connection->watch = (struct watch){.ready = ready, .fd = fd};
	connection->state = SHAKING_HANDS;
	if (set_up(connection, fd) < 0)
		fail(connection);
	else
		step(connection);
}

/* ---- checked and let in ---- */

static int judge_failure(struct connection *connection)
{
	const struct target *target = target_of(connection);
	char text[END_REASON_SIZE / 2], more[END_REASON_SIZE / 2];

	why(connection, text, sizeof(text));
	if (strstr(text, "no match for method"))
		return end_set(&connection->end, SPK_TRANSPORT_UNSUPPORTED,
			       "%s: the host and libssh have no algorithm in common, the transport "
			       "'openssh' may have: %s",
			       target->name, text);
	if (strstr(text, "verify server hostkey signature"))
		return end_set(&connection->end, SPK_TRANSPORT_HOST_KEY,
			       "%s: it does not have the key that it shows: somebody stands "
			       "between, or what it says is changed on its way: find out which",
			       target->name);
	return end_set(&connection->end, SPK_TRANSPORT_UNREACHABLE, "%s port %d: %s%s",
		       target->host, target->port, text,
		       way_explain(connection->way, more, sizeof(more)));
}

/* 1: done; 0: not yet; -1: `end`. */
static int shake_hands(struct connection *connection)
{
	ssh_session session = connection->session;
	ssh_key key = NULL;
	int rc;

	connection->lent = true;
	for (int i = 0; i < ROUNDS_AT_ONCE; i++) {
		rc = ssh_connect(session);
		/* It makes the socket block. */
		if (ssh_get_fd(session) >= 0)
			fcntl(ssh_get_fd(session), F_SETFL, O_NONBLOCK);
		if (rc != SSH_AGAIN || !(ssh_get_poll_flags(session) & SSH_WRITE_PENDING))
			break;
	}
	if (rc == SSH_AGAIN)
		return 0;
	if (rc != SSH_OK)
		return judge_failure(connection);
	if (ssh_get_server_publickey(session, &key) != SSH_OK)
		return end_set(&connection->end, SPK_TRANSPORT_FAILED, "%s: it has no key",
			       target_of(connection)->name);
	rc = hostkey_check(target_of(connection), connection->host->transport->known, key,
			   settings_is_unchecked(&connection->host->transport->settings,
						 target_of(connection)->name),
			   &connection->end);
	ssh_key_free(key);
	return rc < 0 ? -1 : 1;
}

static void begin_authentication(struct connection *connection)
{
	struct transport *transport = connection->host->transport;
	const struct target *target = target_of(connection);

	connection->state = AUTHENTICATING;
	connection->auth = auth_new(connection->session, target, transport->keys,
				    target->agent ? transport_agent(transport, target->agent)
						  : NULL,
				    transport->loop, &connection->task);
}

static int authenticate(struct connection *connection)
{
	int rc = 0;

	for (int i = 0; i < ROUNDS_AT_ONCE; i++) {
		rc = auth_step(connection->auth, &connection->end);
		if (rc != 0 || !(ssh_get_poll_flags(connection->session) & SSH_WRITE_PENDING))
			break;
	}
	return rc;
}

static void look_after(struct timer *timer);

static int be_ready(struct connection *connection)
{
	auth_free(connection->auth);
	connection->auth = NULL;
	connection->event = ssh_event_new();
	if (!connection->event ||
	    ssh_event_add_session(connection->event, connection->session) != SSH_OK)
		return end_set(&connection->end, SPK_TRANSPORT_FAILED, "out of memory");
	connection->state = READY;
	connection->timer.fire = look_after;
	if (target_of(connection)->alive_interval_ns > 0)
		loop_set_timer(loop_of(connection), &connection->timer,
			       net_now() + target_of(connection)->alive_interval_ns);
	host_has_room(connection->host);
	return 0;
}

/* ---- used ---- */

/* A host that is silent is asked, and believed to be gone when it does not answer. */
static void look_after(struct timer *timer)
{
	struct connection *connection = OWNER(timer, timer);
	const struct target *target = target_of(connection);

	if (connection->wire.in_bytes != connection->heard)
		connection->silences = 0;
	else
		connection->silences++;
	connection->heard = connection->wire.in_bytes;
	if (connection->silences > target->alive_count) {
		end_set(&connection->end, SPK_TRANSPORT_LOST,
			"%s: it has not answered for %lld s, the connection is given up",
			target->name,
			(long long)(target->alive_interval_ns / 1000000000 * connection->silences));
		fail(connection);
		return;
	}
	/* The first call takes note of the answer to the last request, if there was one. */
	ssh_send_keepalive(connection->session);
	ssh_send_keepalive(connection->session);
	loop_set_timer(loop_of(connection), timer, net_now() + target->alive_interval_ns);
	connection_touch(connection);
}

static bool is_broken(struct connection *connection)
{
	char text[END_REASON_SIZE / 2], more[END_REASON_SIZE / 2];

	if (connection->accused)
		return true;
	if (ssh_is_connected(connection->session) && ssh_get_fd(connection->session) >= 0 &&
	    !(ssh_get_status(connection->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)))
		return false;
	end_set(&connection->end, SPK_TRANSPORT_LOST, "%s: the connection was lost: %s%s",
		target_of(connection)->name, why(connection, text, sizeof(text)),
		way_explain(connection->way, more, sizeof(more)));
	return true;
}

static void advance_guests(struct connection *connection)
{
	struct guest *guest = connection->guests.first;

	while (guest) {
		struct guest *following = guest->next;

		if (guest->restless)
			guest->calls->advance(guest);
		guest = following;
	}
}

static void go_rounds(struct connection *connection)
{
	int rc = SSH_OK;

	for (int i = 0; i < ROUNDS_AT_ONCE && rc != SSH_AGAIN && !is_broken(connection); i++)
		rc = ssh_event_dopoll(connection->event, 0);
}

/* -1: `end`. */
static int use(struct connection *connection)
{
	for (int i = 0; i < TURNS_AT_ONCE; i++) {
		go_rounds(connection);
		/* What came before the end is told before the end. */
		advance_guests(connection);
		if (is_broken(connection) ||
		    !(ssh_get_poll_flags(connection->session) & SSH_WRITE_PENDING))
			break;
	}
	if (connection->packets.out_bytes > connection->wire.out_bytes + BACKLOG_MAX)
		connection_accuse(connection, "asks for more than it takes answers");
	return is_broken(connection) ? -1 : 0;
}

static void watch_session(struct connection *connection)
{
	bool writes = ssh_get_poll_flags(connection->session) & SSH_WRITE_PENDING;

	if (connection->state != READY)
		dial_hurry(connection->watch.fd);
	if (loop_watch(loop_of(connection), &connection->watch, EPOLLIN | (writes ? EPOLLOUT : 0)))
		return;
	end_set(&connection->end, SPK_TRANSPORT_FAILED, "cannot watch the connection: %s",
		strerrordesc_np(errno));
	fail(connection);
}

/*
 * How much a host takes in a message is known from libssh's log only. Of what fits around its own
 * 10 bytes, and that is nothing, it would make messages without end.
 */
static void hear(int priority, const char *function, const char *text, void *data)
{
	static const char words[] = "maxpacket : ";
	const char *size = strstr(text, words);

	if (data && size && strtoul(size + strlen(words), NULL, 10) < PACKET_MIN)
		connection_accuse(data, "takes too little at a time");
}

void connection_hear_log(void)
{
	ssh_set_log_callback(hear);
	ssh_set_log_level(SSH_LOG_PROTOCOL);
}

static void step(struct connection *connection)
{
	int rc = 0;

	connection->stepping = true;
	ssh_set_log_userdata(connection);
	if (connection->state == SHAKING_HANDS) {
		rc = shake_hands(connection);
		if (rc > 0)
			begin_authentication(connection);
	}
	if (connection->state == AUTHENTICATING && rc >= 0) {
		rc = authenticate(connection);
		if (rc > 0)
			rc = be_ready(connection);
	}
	if (connection->state == READY && rc >= 0)
		rc = use(connection);
	connection->stepping = false;
	ssh_set_log_userdata(NULL);
	if (rc < 0)
		fail(connection);
	else if (connection->session)
		watch_session(connection);
}

/* ---- for others ---- */

static int discard_data(ssh_session session, ssh_channel channel, void *bytes, uint32_t length,
			int is_stderr, void *data)
{
	struct connection *connection = data;

	connection->discarded += length;
	if (connection->discarded > DISCARDED_MAX)
		connection_accuse(connection, "sends to a channel that was closed");
	return (int)length;
}

struct connection *connection_new(struct host *host, int64_t deadline_ns)
{
	struct connection *connection = memory_new(1, sizeof(*connection));

	connection->host = host;
	connection->task.run = step_soon;
	connection->watch.fd = -1;
	connection->session_limit = SESSIONS_MAX;
	connection->discard.userdata = connection;
	connection->discard.channel_data_function = discard_data;
	ssh_callbacks_init(&connection->discard);
	connection->next = host->connections;
	host->connections = connection;
	connection->way = way_open(host, deadline_ns, arrived, connection);
	return connection;
}

struct connection *connection_next(const struct connection *connection)
{
	return connection->next;
}

bool connection_is_ready(const struct connection *connection)
{
	return connection->state == READY;
}

size_t connection_limit(const struct connection *connection)
{
	return connection->session_limit;
}

bool connection_has_room(const struct connection *connection, const struct guest *guest)
{
	return connection->state == READY &&
	       (!guest->is_session || connection->sessions < connection->session_limit);
}

const char *connection_phase(const struct connection *connection)
{
	static const char *const phases[] = {
		[CONNECTING] = "the connection",
		[SHAKING_HANDS] = "the key exchange",
		[AUTHENTICATING] = "the authentication",
		[READY] = "a free session",
		[GONE] = "the connection",
	};

	return phases[connection->state];
}

void connection_admit(struct connection *connection, struct guest *guest)
{
	guest->connection = connection;
	guests_add(&connection->guests, guest);
	connection->sessions += guest->is_session;
	ssh_set_log_userdata(connection);
	guest->calls->admitted(guest);
	ssh_set_log_userdata(NULL);
}

void connection_dismiss(struct connection *connection, struct guest *guest)
{
	guests_remove(&connection->guests, guest);
	connection->sessions -= guest->is_session;
	guest->connection = NULL;
	/* Somebody may be on the way through the list. */
	loop_add_task(loop_of(connection), &connection->task);
}

size_t connection_share(const struct connection *connection)
{
	return connection->sessions;
}

void connection_is_full(struct connection *connection)
{
	connection->session_limit = connection->sessions - 1;
}

ssh_session connection_session(const struct connection *connection)
{
	return connection->session;
}

void connection_touch(struct connection *connection)
{
	if (!connection->stepping)
		loop_add_task(loop_of(connection), &connection->task);
}

void connection_accuse(struct connection *connection, const char *of_what)
{
	if (connection->accused)
		return;
	connection->accused = true;
	end_set(&connection->end, SPK_TRANSPORT_LOST, "%s: the host %s, the connection is given up",
		target_of(connection)->name, of_what);
	connection_touch(connection);
}

void connection_drop_channel(struct connection *connection, ssh_channel channel)
{
	if (ssh_channel_is_open(channel)) {
		ssh_add_channel_callbacks(channel, &connection->discard);
		/* In two steps when not all could be written at once. */
		ssh_channel_close(channel);
		ssh_channel_close(channel);
	}
	ssh_channel_free(channel);
	connection_touch(connection);
}

bool connection_is_flushed(const struct connection *connection)
{
	return !connection->accused && !(ssh_get_status(connection->session) & SSH_WRITE_PENDING);
}
