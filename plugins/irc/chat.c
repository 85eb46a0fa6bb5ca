/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/select.h>

#include "../net/dial.h"
#include "line.h"

#define SECOND_NS INT64_C(1000000000)
/* Nicks that are tried when those before are in use. */
#define NICKS_MAX 10
/* A nick that every server takes has 9 characters; of ours so many stay before the made-up end. */
#define NICK_KEPT 5
/* The first lines go at once, then one each second. */
#define BURST_LINES 8
/* So many lines are said before the server must have answered. */
#define LINES_AHEAD 4
/* Each message is tried twice: a server tells only then that we are not in the channel. */
#define TRIES 2
/* Services take their time to believe us. */
#define SERVICES_NS (5 * SECOND_NS)
/* Of a line that others get there is at least this for the text, whatever a server claims. */
#define TEXT_MIN 128

/* Answers of a server (RFC 2812 and what servers have added). */
enum {
	RPL_WELCOME = 1,
	ERR_NOSUCHCHANNEL = 403,
	ERR_CANNOTSENDTOCHAN = 404,
	ERR_TOOMANYCHANNELS = 405,
	ERR_ERRONEUSNICKNAME = 432,
	ERR_NICKNAMEINUSE = 433,
	ERR_NICKCOLLISION = 436,
	ERR_UNAVAILRESOURCE = 437,
	ERR_NOTONCHANNEL = 442,
	ERR_PASSWDMISMATCH = 464,
	ERR_YOUREBANNEDCREEP = 465,
	ERR_FIRST_OF_JOIN = 471, /* full, invited only, banned, key, ... */
	ERR_NEEDREGGEDNICK = 477,
	ERR_LAST_OF_JOIN = 480,
	ERR_SECUREONLYCHAN = 489,
};

struct chat {
	struct irc_settings settings;
	struct tunnel *tunnel;  /* NULL: not connected */
	irc_session_t *session; /* likewise */
	char nick[64];          /* the one that we have, or ask for */
	unsigned nicks;         /* tried */
	bool registered, identified, joined;
	bool refused;                 /* what was last asked for */
	bool services;                /* and it was for services that do not know us yet */
	bool over, hopeless;          /* the connection is of no use any more; nor is another */
	size_t origin;                /* bytes of who we are, as others see it before our lines */
	unsigned token, answered;     /* the last PING, and the last that was answered */
	int64_t credit_ns;            /* of lines: those before have been paid by then */
	struct spk_reason_buffer why; /* the last refusal, or the end of the connection */
};

/* ---- what the server says ---- */

static struct chat *chat_of(irc_session_t *session)
{
	return irc_get_ctx(session);
}

/* "nick!user@host" */
static bool is_me(const struct chat *chat, const char *origin)
{
	size_t length = strlen(chat->nick);

	return origin && strncasecmp(origin, chat->nick, length) == 0 &&
	       (origin[length] == '!' || origin[length] == '\0');
}

static bool is_our_channel(const struct chat *chat, const char **words, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strcasecmp(words[i], chat->settings.channel) == 0)
			return true;
	return false;
}

static void set_why(struct chat *chat, const char *what, const char **words, unsigned count)
{
	net_refuse(&chat->why, "%s: %.150s", what, count ? words[count - 1] : "no reason given");
}

static void ask_for_other_nick(struct chat *chat)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	unsigned char chance[3] = {0};

	if (++chat->nicks >= NICKS_MAX) {
		net_refuse(&chat->why, "every nick like '%s' is in use", chat->settings.nick);
		chat->over = true;
		return;
	}
	if (getrandom(chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
		chance[0] = (unsigned char)(net_now() / 1000);
	snprintf(chat->nick, sizeof(chat->nick), "%.*s-%c%c%c", NICK_KEPT, chat->settings.nick,
		 digits[chance[0] % 36], digits[chance[1] % 36], digits[chance[2] % 36]);
	irc_cmd_nick(chat->session, chat->nick);
}

static void on_refusal(struct chat *chat, unsigned number, const char **words, unsigned count)
{
	bool of_join = number >= ERR_FIRST_OF_JOIN && number <= ERR_LAST_OF_JOIN;

	if (number != ERR_NOSUCHCHANNEL && number != ERR_CANNOTSENDTOCHAN &&
	    number != ERR_TOOMANYCHANNELS && number != ERR_UNAVAILRESOURCE &&
	    number != ERR_NOTONCHANNEL && number != ERR_SECUREONLYCHAN && !of_join)
		return;
	if (!is_our_channel(chat, words, count))
		return;
	set_why(chat, chat->settings.channel, words, count);
	chat->refused = true;
	chat->services = number == ERR_NEEDREGGEDNICK;
	/* Who may not speak may be outside without having noticed. */
	chat->joined = false;
}

static void on_numeric(irc_session_t *session, unsigned number, const char *origin,
		       const char **words, unsigned count)
{
	struct chat *chat = chat_of(session);

	if (number == RPL_WELCOME && count > 0) {
		chat->registered = true;
		snprintf(chat->nick, sizeof(chat->nick), "%s", words[0]);
		return;
	}
	if (chat->registered) {
		on_refusal(chat, number, words, count);
		return;
	}
	switch (number) {
	case ERR_NICKNAMEINUSE:
	case ERR_NICKCOLLISION:
	case ERR_UNAVAILRESOURCE:
		ask_for_other_nick(chat);
		break;
	case ERR_ERRONEUSNICKNAME:
		set_why(chat, "the nick is refused", words, count);
		chat->over = chat->hopeless = true;
		break;
	case ERR_PASSWDMISMATCH:
	case ERR_YOUREBANNEDCREEP:
		set_why(chat, "the server refuses us", words, count);
		chat->over = chat->hopeless = true;
		break;
	default:
		break;
	}
}

static void on_join(irc_session_t *session, const char *event, const char *origin,
		    const char **words, unsigned count)
{
	struct chat *chat = chat_of(session);

	if (!is_me(chat, origin) || !is_our_channel(chat, words, 1))
		return;
	chat->joined = true;
	chat->origin = strlen(origin);
}

static void on_part(irc_session_t *session, const char *event, const char *origin,
		    const char **words, unsigned count)
{
	struct chat *chat = chat_of(session);

	if (is_me(chat, origin) && is_our_channel(chat, words, 1))
		chat->joined = false;
}

static void on_kick(irc_session_t *session, const char *event, const char *origin,
		    const char **words, unsigned count)
{
	struct chat *chat = chat_of(session);

	if (count < 2 || !is_me(chat, words[1]) || !is_our_channel(chat, words, 1))
		return;
	set_why(chat, "kicked", words, count);
	chat->joined = false;
}

static void on_nick(irc_session_t *session, const char *event, const char *origin,
		    const char **words, unsigned count)
{
	struct chat *chat = chat_of(session);

	if (!is_me(chat, origin))
		return;
	chat->origin += strlen(words[0]);
	snprintf(chat->nick, sizeof(chat->nick), "%s", words[0]);
}

static void on_other(irc_session_t *session, const char *event, const char *origin,
		     const char **words, unsigned count)
{
	struct chat *chat = chat_of(session);

	if (strcmp(event, "PONG") == 0 && count > 0) {
		chat->answered = (unsigned)strtoul(words[count - 1], NULL, 10);
	} else if (strcmp(event, "ERROR") == 0) {
		set_why(chat, "the server ends the connection", words, count);
		chat->over = true;
	}
}

static irc_callbacks_t callbacks = {
	.event_numeric = on_numeric,
	.event_join = on_join,
	.event_part = on_part,
	.event_kick = on_kick,
	.event_nick = on_nick,
	.event_unknown = on_other,
};

/* ---- the connection ---- */

static void disconnect(struct chat *chat)
{
	if (chat->session)
		irc_destroy_session(chat->session);
	chat->session = NULL;
	tunnel_close(chat->tunnel);
	chat->tunnel = NULL;
	chat->registered = chat->identified = chat->joined = chat->over = false;
}

/* What the library waits for: its one descriptor is the highest of its sets. */
static struct pollfd watch_library(const struct chat *chat)
{
	struct pollfd fd = {.fd = -1};
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	if (irc_add_select_descriptors(chat->session, &in, &out, &fd.fd) != 0 || fd.fd < 0)
		return (struct pollfd){.fd = -1};
	if (FD_ISSET(fd.fd, &in))
		fd.events |= POLLIN;
	if (FD_ISSET(fd.fd, &out))
		fd.events |= POLLOUT;
	return fd;
}

/* Lets the library take and give what it can. Told to read where nothing is, it tries for ever. */
static void move_library(struct chat *chat)
{
	struct pollfd fd = watch_library(chat);
	fd_set in, out;

	if (fd.fd < 0 || poll(&fd, 1, 0) <= 0)
		return;
	FD_ZERO(&in);
	FD_ZERO(&out);
	if (fd.revents & POLLIN)
		FD_SET(fd.fd, &in);
	if (fd.revents & POLLOUT)
		FD_SET(fd.fd, &out);
	irc_process_select_descriptors(chat->session, &in, &out);
}

/*
 * One round: what is ready goes on its way, waiting for that until `until_ns`. False: the call is
 * over, or the connection, which is then ended as soon as all that it has said was heard.
 */
static bool go_round(struct chat *chat, int64_t until_ns, struct spk_notify_call *call)
{
	enum { CANCEL, LIBRARY, TUNNEL, COUNT = TUNNEL + TUNNEL_FDS };
	struct pollfd fds[COUNT] = {
		[CANCEL] = {.fd = call->cancel_fd, .events = POLLIN},
		[LIBRARY] = watch_library(chat),
	};
	int64_t left = until_ns - net_now();
	struct spk_reason_buffer why;

	tunnel_watch(chat->tunnel, fds + TUNNEL);
	if (left < 0)
		left = 0;
	if (left > SECOND_NS)
		left = SECOND_NS;
	poll(fds, COUNT, (int)((left + 999999) / 1000000));
	if (fds[CANCEL].revents)
		return false;
	move_library(chat);
	if (tunnel_move(chat->tunnel, &why) < 0) {
		move_library(chat);
		if (!chat->over)
			chat->why = why;
		chat->over = true;
	}
	return !chat->over;
}

/* Goes round until `*flag` or `*other` is set; either may be NULL. False: it is not. */
static bool wait_for(struct chat *chat, const bool *flag, const bool *other,
		     struct spk_notify_call *call)
{
	while (!*flag && !(other && *other)) {
		if (net_now() >= call->deadline_ns) {
			net_refuse(&chat->why, "the server does not answer in time");
			return false;
		}
		if (!go_round(chat, call->deadline_ns, call))
			return false;
	}
	return true;
}

static bool connect_to_server(struct chat *chat, struct spk_notify_call *call)
{
	const struct irc_settings *settings = &chat->settings;
	const struct tunnel_place place = {
		.host = settings->host,
		.port = settings->port,
		.tls = settings->tls,
		.ca_file = *settings->ca_file ? settings->ca_file : NULL,
	};

	disconnect(chat);
	chat->nicks = 0;
	chat->token = chat->answered = 0;
	chat->hopeless = false;
	snprintf(chat->nick, sizeof(chat->nick), "%s", settings->nick);
	chat->tunnel = tunnel_open(&place, &chat->hopeless, call);
	if (!chat->tunnel) {
		chat->why = call->reason;
		return false;
	}
	chat->session = irc_create_session(&callbacks);
	if (!chat->session) {
		net_refuse(&chat->why, "out of memory");
		return false;
	}
	irc_set_ctx(chat->session, chat);
	if (*settings->passwords[PASSWORD_SERVER].value)
		tunnel_say(chat->tunnel, "PASS :%s", settings->passwords[PASSWORD_SERVER].value);
	return tunnel_attach(chat->tunnel, chat->session, chat->nick, settings->real_name,
			     &chat->why) == 0 &&
	       wait_for(chat, &chat->registered, NULL, call);
}

static void identify(struct chat *chat)
{
	const struct irc_settings *settings = &chat->settings;

	if (!chat->identified && *settings->passwords[PASSWORD_NICKSERV].value)
		tunnel_say(chat->tunnel, "PRIVMSG NickServ :IDENTIFY %s %s", settings->nick,
			   settings->passwords[PASSWORD_NICKSERV].value);
	chat->identified = true;
}

/* Just lets time pass. */
static bool let_pass(struct chat *chat, int64_t until_ns, struct spk_notify_call *call)
{
	while (net_now() < until_ns && net_now() < call->deadline_ns)
		if (!go_round(chat, until_ns, call))
			return false;
	return true;
}

static bool join(struct chat *chat, struct spk_notify_call *call)
{
	const char *key = chat->settings.passwords[PASSWORD_CHANNEL].value;
	int64_t services_ns = net_now() + SERVICES_NS;

	for (;;) {
		chat->refused = chat->services = false;
		irc_cmd_join(chat->session, chat->settings.channel, *key ? key : NULL);
		if (!wait_for(chat, &chat->joined, &chat->refused, call))
			return false;
		if (chat->joined)
			return true;
		if (!chat->services || net_now() >= services_ns ||
		    !*chat->settings.passwords[PASSWORD_NICKSERV].value)
			return false;
		if (!let_pass(chat, net_now() + SECOND_NS / 2, call))
			return false;
	}
}

static bool be_there(struct chat *chat, struct spk_notify_call *call)
{
	if ((!chat->session || !chat->registered || chat->over) && !connect_to_server(chat, call))
		return false;
	identify(chat);
	return chat->joined || join(chat, call);
}

/* ---- saying something ---- */

/* How much text a line may hold that others get with our name before it. */
static size_t text_limit(const struct chat *chat)
{
	size_t used = strlen(": PRIVMSG  :") + chat->origin + strlen(chat->settings.channel);

	return used + TEXT_MIN < LINE_MAX_LENGTH ? LINE_MAX_LENGTH - used : TEXT_MIN;
}

/* Waits until the next line may go. */
static bool await_turn(struct chat *chat, struct spk_notify_call *call)
{
	int64_t now = net_now();

	if (chat->credit_ns < now - BURST_LINES * SECOND_NS)
		chat->credit_ns = now - BURST_LINES * SECOND_NS;
	chat->credit_ns += SECOND_NS;
	return let_pass(chat, chat->credit_ns, call);
}

/* The library takes a line only when those before have left it. */
static bool make_room(struct chat *chat, struct spk_notify_call *call)
{
	return irc_errno(chat->session) == LIBIRC_ERR_NOMEM && net_now() < call->deadline_ns &&
	       go_round(chat, call->deadline_ns, call);
}

/* Waits until the server has heard all that was said before. */
static bool await_answer(struct chat *chat, struct spk_notify_call *call)
{
	bool heard = false;

	chat->token++;
	while (irc_send_raw(chat->session, "PING :%u", chat->token) != 0)
		if (!make_room(chat, call))
			return false;
	while (!heard) {
		if (net_now() >= call->deadline_ns) {
			net_refuse(&chat->why, "the server does not answer in time");
			return false;
		}
		if (!go_round(chat, call->deadline_ns, call))
			return false;
		heard = chat->answered == chat->token;
	}
	return true;
}

static bool say_line(struct chat *chat, const char *text, size_t length,
		     struct spk_notify_call *call)
{
	char line[LINE_MAX_LENGTH + 1];

	for (size_t i = 0; i < length; i++)
		line[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	line[length] = '\0';
	if (!await_turn(chat, call))
		return false;
	while (irc_cmd_msg(chat->session, chat->settings.channel, line) != 0)
		if (!make_room(chat, call))
			return false;
	return true;
}

static bool say_all(struct chat *chat, const char *text, struct spk_notify_call *call)
{
	unsigned ahead = 0;

	chat->refused = false;
	while (*text && !chat->refused) {
		size_t length = line_fill(text, text_limit(chat));

		if (!say_line(chat, text, length, call))
			return false;
		text += length + (text[length] == ' ');
		if (++ahead % LINES_AHEAD == 0 && !await_answer(chat, call))
			return false;
	}
	return await_answer(chat, call) && !chat->refused;
}

enum spk_notify_status chat_say(struct chat *chat, const char *text, struct spk_notify_call *call)
{
	for (int i = 0; i < TRIES; i++) {
		net_refuse(&chat->why, "the server does not answer in time");
		if (be_there(chat, call) && say_all(chat, text, call))
			return SPK_NOTIFY_SENT;
		/* It waits for something on this connection that will not come. */
		if (!chat->refused)
			disconnect(chat);
		if (chat->hopeless || net_now() >= call->deadline_ns)
			break;
	}
	net_refuse(&call->reason, "%s: %s", chat->settings.host, chat->why.text);
	return chat->hopeless ? SPK_NOTIFY_FAILED : SPK_NOTIFY_AGAIN;
}

/* ---- the rest ---- */

struct chat *chat_new(const struct irc_settings *settings, struct spk_reason_buffer *reason)
{
	struct chat *chat = calloc(1, sizeof(*chat));

	if (chat)
		chat->settings = *settings;
	else
		net_refuse(reason, "out of memory");
	return chat;
}

int chat_fd(const struct chat *chat)
{
	return chat->tunnel ? tunnel_fd(chat->tunnel) : -1;
}

void chat_attend(struct chat *chat, struct spk_notify_call *call)
{
	int64_t now = net_now();

	if (!chat->session)
		return;
	/* What is read goes through the library, whose answer goes back. */
	for (int i = 0; i < 4 && chat->tunnel; i++)
		if (!go_round(chat, now, call) && chat->over)
			disconnect(chat);
}

void chat_free(struct chat *chat, struct spk_notify_call *call)
{
	if (chat->registered && irc_cmd_quit(chat->session, "done") == 0)
		while (net_now() < call->deadline_ns && go_round(chat, call->deadline_ns, call))
			;
	disconnect(chat);
	/* It holds passwords. */
	explicit_bzero(chat, sizeof(*chat));
	free(chat);
}
