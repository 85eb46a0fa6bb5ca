/* SPDX-License-Identifier: Apache-2.0 */
/* One host: its master, and the socket that we speak to it by. */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUX_HELLO 0x00000001U
#define MUX_VERSION 4U
#define MUX_C_PROXY 0x1000000fU
#define MUX_S_PROXY 0x8000000fU

/* A longer message is none of ours. */
#define MESSAGE_MAX (256U << 10)
/* Of what ssh says on its standard error the end is kept. */
#define WORDS_MAX 4096U
#define ANSWER_MAX (64U << 10)

/* Each ssh takes its share of this machine to log in; more at once would only all be late. */
#define CONNECTING_MAX 16

static bool is_connecting(enum host_state state)
{
	return state == HOST_ASKING || state == HOST_STARTING || state == HOST_GREETING;
}

static void enter(struct host *host, enum host_state state)
{
	bool was = is_connecting(host->state), is = is_connecting(state);

	host->state = state;
	host->transport->connecting += (size_t)is;
	host->transport->connecting -= (size_t)was;
	if (was && !is)
		transport_go_on(host->transport);
}

/* ---- ssh as a child ---- */

/* The words of a command line. The texts are freed with it, but for constants. */
struct words {
	char **items;
	size_t count;
};

static void put_word(struct words *words, const char *word)
{
	words->items = memory(words->items, (words->count + 2) * sizeof(char *));
	words->items[words->count++] = word ? strdup(word) : NULL;
	words->items[words->count] = NULL;
}

static void put_option(struct words *words, const char *option)
{
	put_word(words, "-o");
	put_word(words, option);
}

static void words_free(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
}

/* What each ssh is told. Who configured an option gets it: the first one counts. */
static void put_common(const struct host *host, struct words *words)
{
	const struct transport *transport = host->transport;

	put_word(words, transport->ssh);
	if (host->user) {
		put_word(words, "-l");
		put_word(words, host->user);
	}
	if (transport->config) {
		put_word(words, "-F");
		put_word(words, transport->config);
	}
	for (size_t i = 0; i < transport->option_count; i++)
		put_option(words, transport->options[i]);
}

static void put_master(const struct host *host, int64_t patience_ns, struct words *words)
{
	static const char *const fixed[] = {
		"ServerAliveInterval=5", "ServerAliveCountMax=2", "BatchMode=yes",
		"ForwardAgent=no",       "ForwardX11=no",         "ClearAllForwardings=yes",
		"PermitLocalCommand=no", "RequestTTY=no",         "RemoteCommand=none",
		"ControlMaster=yes",     "ControlPersist=no",     "UpdateHostKeys=no",
	};
	char text[256];

	put_common(host, words);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		put_option(words, fixed[i]);
	snprintf(text, sizeof(text), "ConnectTimeout=%lld",
		 (long long)(patience_ns / 1000000000LL + 1));
	put_option(words, text);
	snprintf(text, sizeof(text), "ControlPath=%s/%u", host->transport->directory, host->number);
	put_option(words, text);
	put_word(words, "-N");
	put_word(words, "-T");
	put_word(words, "--");
	put_word(words, host->name);
}

static void become(const struct words *words, int out, int err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(out >= 0 ? out : null, STDOUT_FILENO) >= 0 &&
	    dup2(err >= 0 ? err : null, STDERR_FILENO) >= 0)
		execv(words->items[0], words->items);
	dprintf(STDERR_FILENO, "cannot run '%s': %s\n", words->items[0], strerrordesc_np(errno));
	_exit(127);
}

/* Starts it; what it writes on `stream` (1 or 2) comes by `watch`. False: it could not be. */
static bool start(struct host *host, const struct words *words, int stream, struct watch *watch)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	host->pid = fork();
	if (host->pid == 0)
		become(words, stream == 1 ? ends[1] : -1, stream == 2 ? ends[1] : -1);
	close(ends[1]);
	watch->fd = ends[0];
	if (host->pid < 0) {
		host->pid = 0;
		return false;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	host->end.fd = (int)syscall(SYS_pidfd_open, host->pid, 0);
	return host->end.fd >= 0 && transport_watch(host->transport, &host->end, EPOLLIN) &&
	       transport_watch(host->transport, watch, EPOLLIN);
}

/* Ends our ssh, if there is one. */
static void end_process(struct host *host, bool wait)
{
	if (host->pid > 0) {
		kill(host->pid, wait ? SIGTERM : SIGKILL);
		/* One that is killed is gone at once; close() gives the others their time. */
		if (!wait)
			while (waitpid(host->pid, NULL, 0) < 0 && errno == EINTR)
				;
	}
	if (!wait)
		host->pid = 0;
	transport_unwatch(&host->end);
	transport_unwatch(&host->words);
	transport_unwatch(&host->answer);
}

/* ---- the connection's end ---- */

void host_drop(struct host *host, bool wait)
{
	char path[256];

	end_process(host, wait);
	transport_unwatch(&host->socket);
	bytes_free(&host->in);
	bytes_free(&host->out);
	bytes_free(&host->said);
	bytes_free(&host->answered);
	/* One that was killed leaves its socket behind, in the way of the next. */
	snprintf(path, sizeof(path), "%s/%u", host->transport->directory, host->number);
	if (!wait)
		unlink(path);
	enter(host, HOST_IDLE);
	host->foreign = false;
}

/* Those that the host cannot have heard of are tried once more, if the connection was an old one.
 */
static bool survives(struct command *command, bool was_connected)
{
	if (!was_connected || command->again || command->abandoned ||
	    command->state > COMMAND_OPENING)
		return false;
	command->again = true;
	command->state = COMMAND_WAITING;
	return true;
}

void host_fail(struct host *host, enum spk_transport_end_kind kind, const char *reason)
{
	bool was_connected = host->state == HOST_CONNECTED;
	struct command *list = host->commands;
	char *kept = strdup(reason ? reason : "the connection broke");

	host_drop(host, false);
	host->commands = NULL;
	while (list) {
		struct command *command = list;

		list = command->next;
		command->next = host->commands;
		host->commands = command;
		if (survives(command, was_connected))
			transport_queue(host);
		else if (command->abandoned || command->state == COMMAND_CLOSED)
			command_free(command);
		else
			command_end(command,
				    command->state >= COMMAND_ASKED ? SPK_TRANSPORT_LOST : kind,
				    kept);
	}
	free(kept);
}

/* ---- why ssh did not connect ---- */

static const struct {
	const char *word;
	enum spk_transport_end_kind kind;
} verdicts[] = {
	{"Host key verification failed", SPK_TRANSPORT_HOST_KEY},
	{"host key revoked", SPK_TRANSPORT_HOST_KEY},
	{"REVOKED HOST KEY", SPK_TRANSPORT_HOST_KEY},
	{"incorrect signature", SPK_TRANSPORT_HOST_KEY},
	{"Permission denied", SPK_TRANSPORT_DENIED},
	{"Too many authentication failures", SPK_TRANSPORT_DENIED},
	{"Bad configuration option", SPK_TRANSPORT_FAILED},
	{"cannot run '", SPK_TRANSPORT_FAILED},
};

static enum spk_transport_end_kind verdict(const char *said)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (strcasestr(said, verdicts[i].word))
			return verdicts[i].kind;
	return SPK_TRANSPORT_UNREACHABLE;
}

/* Copies a line, with nothing in it that a terminal would take for more than text. */
static size_t copy_line(const char *line, size_t length, char *out, size_t size)
{
	size_t at = 0;

	while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' '))
		length--;
	for (size_t i = 0; i < length && at + 1 < size; i++)
		out[at++] = (char)(line[i] >= ' ' && line[i] <= '~' ? line[i] : '?');
	out[at] = '\0';
	return at;
}

/* The line of a text that begins with a word; NULL: there is none. */
static const char *line_with(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	while (at && at > text && at[-1] != '\n')
		at--;
	return at;
}

/* What ssh said, as one line: the last, with the place of a key that is another. */
static void reason_of(const char *said, char *out, size_t size)
{
	const char *offending = line_with(said, "Offending ");
	size_t end = strlen(said), start, at;

	while (end > 0 && (said[end - 1] == '\n' || said[end - 1] == '\r'))
		end--;
	for (start = end; start > 0 && said[start - 1] != '\n'; start--)
		;
	at = copy_line(said + start, end - start, out, size);
	if (at == 0)
		at = (size_t)snprintf(out, size, "ssh ended without a word");
	if (offending && at + 10 < size) {
		at += (size_t)snprintf(out + at, size - at, " ");
		copy_line(offending, strcspn(offending, "\n"), out + at, size - at);
	}
}

static void collect(struct watch *watch, struct bytes *into, size_t most)
{
	char buffer[4096];
	ssize_t got = -1;

	while (watch->fd >= 0 && (got = read(watch->fd, buffer, sizeof(buffer))) > 0) {
		bytes_add(into, buffer, (size_t)got);
		if (into->length > most)
			bytes_take(into, into->length - most);
	}
	if (watch->fd >= 0 && (got == 0 || (errno != EAGAIN && errno != EINTR)))
		transport_unwatch(watch);
}

static const char *as_text(struct bytes *bytes)
{
	bytes_add(bytes, "", 1);
	bytes->length--;
	return (const char *)bytes->data + bytes->first;
}

/* ---- connecting ---- */

static void start_master(struct host *host)
{
	struct words words = {0};
	int64_t now = transport_now(), deadline = now;

	for (struct command *command = host->commands; command; command = command->next)
		if (command->state == COMMAND_WAITING && command->deadline_ns > deadline)
			deadline = command->deadline_ns;
	put_master(host, deadline - now, &words);
	enter(host, HOST_STARTING);
	if (!start(host, &words, 2, &host->words))
		host_fail(host, SPK_TRANSPORT_FAILED, "cannot start ssh");
	words_free(&words);
}

static void greet(struct host *host)
{
	bytes_put_number(&host->out, 8);
	bytes_put_number(&host->out, MUX_HELLO);
	bytes_put_number(&host->out, MUX_VERSION);
	bytes_put_number(&host->out, 8);
	bytes_put_number(&host->out, MUX_C_PROXY);
	bytes_put_number(&host->out, 0); /* the number of the request */
	enter(host, HOST_GREETING);
	host_flush(host);
}

/* False: nobody listens there. */
static bool connect_to(struct host *host, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	host->socket.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (host->socket.fd < 0)
		return false;
	if (connect(host->socket.fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    !transport_watch(host->transport, &host->socket, EPOLLIN)) {
		transport_unwatch(&host->socket);
		return false;
	}
	return true;
}

/* To the operator's master where there is one, else to ours, which has to log in first. */
static void connect_host(struct host *host)
{
	if (host->control_path && connect_to(host, host->control_path)) {
		host->foreign = true;
		greet(host);
		return;
	}
	start_master(host);
}

static void ask_for_master(struct host *host)
{
	struct words words = {0};

	put_common(host, &words);
	put_word(&words, "-G");
	put_word(&words, "--");
	put_word(&words, host->name);
	enter(host, HOST_ASKING);
	host->asked = true;
	if (!start(host, &words, 1, &host->answer))
		host_fail(host, SPK_TRANSPORT_FAILED, "cannot start ssh");
	words_free(&words);
}

static void add_variable(struct host *host, const char *variable, size_t length)
{
	host->environment = memory(host->environment,
				   (host->environment_count + 1) * sizeof(char *));
	host->environment[host->environment_count++] = strndup(variable, length);
}

/* Those of our environment whose names match. */
static void add_matching(struct host *host, const char *line, size_t length)
{
	char *pattern = strndup(line, length);

	for (char **variable = environ; *variable; variable++) {
		char *name = strndup(*variable, strcspn(*variable, "="));

		if (fnmatch(pattern, name, 0) == 0)
			add_variable(host, *variable, strlen(*variable));
		free(name);
	}
	free(pattern);
}

static void set_control_path(struct host *host, const char *line, size_t length)
{
	if (host->transport->masters && !(length == 4 && strncmp(line, "none", 4) == 0))
		host->control_path = strndup(line, length);
}

/* What of a host's configuration is ours to do, since the channels are ours. */
static const struct {
	const char *name;
	void (*take)(struct host *host, const char *value, size_t length);
} options[] = {
	{"controlpath ", set_control_path},
	{"setenv ", add_variable},
	{"sendenv ", add_matching},
};

/* `ssh -G` has said all: its lines are NAME VALUE. */
static void take_answer(struct host *host)
{
	const char *line = as_text(&host->answered);

	while (*line) {
		size_t length = strcspn(line, "\n");

		for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
			size_t name = strlen(options[i].name);

			if (length > name && strncmp(line, options[i].name, name) == 0)
				options[i].take(host, line + name, length - name);
		}
		line += length + (line[length] != '\0');
	}
	host_drop(host, false);
	connect_host(host);
}

static bool has_waiting(const struct host *host)
{
	for (const struct command *command = host->commands; command; command = command->next)
		if (command->state == COMMAND_WAITING)
			return true;
	return false;
}

static void open_channels(struct host *host)
{
	for (struct command *command = host->commands; command; command = command->next)
		if (command->state == COMMAND_WAITING)
			channel_open(command);
}

/* Goes on with all that could not go on before; who fed less than all is told that there is room.
 */
static void go_on(struct host *host)
{
	for (struct command *command = host->commands; command; command = command->next) {
		channel_pump(command);
		channel_adjust(command);
		if (command->wants_room && command->input.length == 0 && !command->abandoned) {
			command->wants_room = false;
			host->transport->calls.room(command->data);
		}
	}
}

/* Those that are tried now must be started in time. */
static void start_clocks(struct host *host)
{
	int64_t now = transport_now();

	for (struct command *command = host->commands; command; command = command->next)
		if (command->state == COMMAND_WAITING)
			command->deadline_ns = now + command->patience_ns;
}

void host_work(struct host *host)
{
	bool waiting = has_waiting(host);

	if (host->state == HOST_IDLE && waiting && host->transport->connecting >= CONNECTING_MAX) {
		host->patient = true;
		return;
	}
	if (waiting && (host->state == HOST_IDLE || host->state == HOST_CONNECTED))
		start_clocks(host);
	if (host->state == HOST_IDLE && waiting) {
		if (!host->asked)
			ask_for_master(host);
		else
			connect_host(host);
	} else if (host->state == HOST_CONNECTED) {
		open_channels(host);
		go_on(host);
		host_flush(host);
	}
}

void host_appeared(struct host *host)
{
	char path[256];

	if (host->state != HOST_STARTING)
		return;
	snprintf(path, sizeof(path), "%s/%u", host->transport->directory, host->number);
	/* It binds under another name first; this one it gets when it listens. */
	if (connect_to(host, path))
		greet(host);
}

/* ---- the socket ---- */

static bool any_held(const struct host *host)
{
	for (const struct command *command = host->commands; command; command = command->next)
		if (command->held)
			return true;
	return false;
}

static uint32_t wanted_events(const struct host *host)
{
	return (any_held(host) ? 0 : EPOLLIN) | (host->out.length > 0 ? EPOLLOUT : 0);
}

void host_flush(struct host *host)
{
	while (host->out.length > 0) {
		ssize_t put = send(host->socket.fd, host->out.data + host->out.first,
				   host->out.length, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		/* That it has gone is found when it is read. */
		if (put < 0)
			break;
		bytes_take(&host->out, (size_t)put);
	}
	transport_rewatch(host->transport, &host->socket, wanted_events(host));
}

/* While both sides say what they speak. */
static bool greeting_message(struct host *host, struct reader *message)
{
	uint32_t type = reader_number(message);

	if (type == MUX_HELLO)
		return reader_number(message) == MUX_VERSION;
	if (type != MUX_S_PROXY)
		return false;
	enter(host, HOST_CONNECTED);
	open_channels(host);
	return !message->bad;
}

/* All messages that have come as a whole. False: one makes no sense. */
static bool take_messages(struct host *host)
{
	while (host->in.length >= 4 && !any_held(host)) {
		struct reader head = {host->in.data + host->in.first, host->in.length, false};
		uint32_t length = reader_number(&head);
		struct reader message = {head.at, length, false};
		bool sense;

		if (length > MESSAGE_MAX)
			return false;
		if (head.left < length)
			return true;
		if (host->state == HOST_GREETING)
			sense = greeting_message(host, &message);
		else
			sense = channel_message(host, &message);
		bytes_take(&host->in, 4 + (size_t)length);
		if (!sense)
			return false;
	}
	return true;
}

static void not_usable(struct host *host)
{
	if (host->foreign && host->state == HOST_GREETING) {
		/* It speaks something else, or is about to end: with a master of our own, then. */
		host_drop(host, false);
		free(host->control_path);
		host->control_path = NULL;
		start_master(host);
		return;
	}
	host_fail(host, SPK_TRANSPORT_UNREACHABLE, "the master of ssh says what makes no sense");
}

/* What ssh said when the connection broke, if it is ours. */
static void broken(struct host *host)
{
	char reason[256] = "the connection broke";

	if (host->foreign && host->state == HOST_GREETING) {
		not_usable(host);
		return;
	}
	collect(&host->words, &host->said, WORDS_MAX);
	if (host->said.length > 0)
		reason_of(as_text(&host->said), reason, sizeof(reason));
	host_fail(host, verdict(as_text(&host->said)), reason);
}

static void socket_ready(struct host *host)
{
	unsigned char buffer[65536];
	ssize_t got = 0;
	int turns = 16; /* others want their turn, too */

	/* What was left while a command was held. */
	if (!take_messages(host)) {
		not_usable(host);
		return;
	}
	while (turns-- > 0 && !any_held(host) &&
	       (got = recv(host->socket.fd, buffer, sizeof(buffer), 0)) > 0) {
		bytes_add(&host->in, buffer, (size_t)got);
		explicit_bzero(buffer, (size_t)got);
		if (!take_messages(host)) {
			not_usable(host);
			return;
		}
	}
	if (turns >= 0 && !any_held(host) &&
	    (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))) {
		broken(host);
		return;
	}
	go_on(host);
	host_flush(host);
}

/* Our ssh has ended, or the one before has, and its news is from before. */
static void process_ended(struct host *host)
{
	siginfo_t info = {0};
	char reason[256];

	if (waitid(P_PID, (id_t)host->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid == 0)
		return;
	if (host->state == HOST_ASKING) {
		collect(&host->answer, &host->answered, ANSWER_MAX);
		take_answer(host);
		return;
	}
	/* What the host has sent before comes first. */
	if (host->state == HOST_CONNECTED || host->state == HOST_GREETING) {
		transport_unwatch(&host->end);
		return;
	}
	collect(&host->words, &host->said, WORDS_MAX);
	reason_of(as_text(&host->said), reason, sizeof(reason));
	host_fail(host, verdict(as_text(&host->said)), reason);
}

void host_ready(struct host *host, struct watch *watch)
{
	switch (watch->kind) {
	case WATCH_SOCKET:
		socket_ready(host);
		break;
	case WATCH_WORDS:
		collect(watch, &host->said, WORDS_MAX);
		break;
	case WATCH_ANSWER:
		collect(watch, &host->answered, ANSWER_MAX);
		break;
	case WATCH_END:
		process_ended(host);
		break;
	default:
		break;
	}
}
