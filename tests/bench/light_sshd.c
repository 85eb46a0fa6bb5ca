/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-light-sshd HOST_KEY [OUTPUT_BYTES]: speaks SSH on a free loopback port, which it prints, in
 * one process with one thread, so that what a client costs is not hidden by its server. Whatever
 * key it is shown lets in, for no command is executed: each gets its output, lines of 64 bytes, and
 * exits with 0, whatever stands in its input. Open connections stay until the client closes them.
 */
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_BYTES 64
#define PIECE_BYTES 16384

/* A command that was asked for: it is answered when its request is. */
struct command {
	struct command *next;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct calls;
	bool asked;
	size_t left; /* bytes of output to come */
};

struct connection {
	ssh_session session;
	ssh_event
		event; /* of this session alone: one that moves costs nothing to those that rest */
	struct ssh_server_callbacks_struct calls;
	struct command *commands;
	int fd;
	uint32_t waits_for; /* as the poll set has it */
};

static char piece[PIECE_BYTES];
static size_t output_bytes;

static int refuse_none(ssh_session session, const char *user, void *data)
{
	return SSH_AUTH_DENIED;
}

static int take_key(ssh_session session, const char *user, struct ssh_key_struct *key,
		    char signature_state, void *data)
{
	return signature_state == SSH_PUBLICKEY_STATE_NONE ||
			       signature_state == SSH_PUBLICKEY_STATE_VALID
		       ? SSH_AUTH_SUCCESS
		       : SSH_AUTH_DENIED;
}

static int take_command(ssh_session session, ssh_channel channel, const char *line, void *data)
{
	struct command *command = data;

	command->asked = true;
	command->left = output_bytes;
	return 0;
}

static int pass_over_input(ssh_session session, ssh_channel channel, void *bytes, uint32_t length,
			   int is_stderr, void *data)
{
	return (int)length;
}

static int take_variable(ssh_session session, ssh_channel channel, const char *name,
			 const char *value, void *data)
{
	return 0;
}

static ssh_channel open_channel(ssh_session session, void *data)
{
	struct connection *connection = data;
	struct command *command = calloc(1, sizeof(*command));

	if (!command)
		return NULL;
	command->channel = ssh_channel_new(session);
	if (!command->channel) {
		free(command);
		return NULL;
	}
	command->calls = (struct ssh_channel_callbacks_struct){
		.userdata = command,
		.channel_exec_request_function = take_command,
		.channel_data_function = pass_over_input,
		.channel_env_request_function = take_variable,
	};
	ssh_callbacks_init(&command->calls);
	ssh_set_channel_callbacks(command->channel, &command->calls);
	command->next = connection->commands;
	connection->commands = command;
	return command->channel;
}

/* Other requests, such as those that ask whether it is still there, are answered with no. */
static int answer_no(ssh_session session, ssh_message message, void *data)
{
	return 1;
}

/* Writes what the client has room for. True: the command is over. */
static bool advance(struct command *command)
{
	if (ssh_channel_is_closed(command->channel))
		return true;
	if (!command->asked)
		return false;
	while (command->left > 0) {
		size_t room = ssh_channel_window_size(command->channel);
		size_t length = command->left < PIECE_BYTES ? command->left : PIECE_BYTES;

		if (room < length)
			length = room;
		if (length == 0)
			return false;
		int wrote = ssh_channel_write(command->channel, piece, (uint32_t)length);

		if (wrote < 0)
			return true;
		command->left -= (size_t)wrote;
	}
	ssh_channel_request_send_exit_status(command->channel, 0);
	ssh_channel_send_eof(command->channel);
	ssh_channel_close(command->channel);
	return true;
}

static void forget(struct command *command)
{
	ssh_remove_channel_callbacks(command->channel, &command->calls);
	ssh_channel_free(command->channel);
	free(command);
}

static void advance_all(struct connection *connection)
{
	struct command **place = &connection->commands;

	while (*place) {
		struct command *command = *place;

		if (advance(command)) {
			*place = command->next;
			forget(command);
		} else {
			place = &command->next;
		}
	}
}

static void end(struct connection *connection)
{
	while (connection->commands) {
		struct command *command = connection->commands;

		connection->commands = command->next;
		forget(command);
	}
	if (connection->event) {
		ssh_event_remove_session(connection->event, connection->session);
		ssh_event_free(connection->event);
	}
	ssh_free(connection->session);
	free(connection);
}

/* Does what there is to do. False: the connection is over. */
static bool attend(int poll_set, struct connection *connection)
{
	struct epoll_event wanted = {.data.ptr = connection};

	if (ssh_event_dopoll(connection->event, 0) == SSH_ERROR)
		return false;
	advance_all(connection);
	if (ssh_get_status(connection->session) & (SSH_CLOSED | SSH_CLOSED_ERROR))
		return false;
	wanted.events = EPOLLIN;
	if (ssh_get_poll_flags(connection->session) & SSH_WRITE_PENDING)
		wanted.events |= EPOLLOUT;
	if (wanted.events != connection->waits_for) {
		epoll_ctl(poll_set, EPOLL_CTL_MOD, connection->fd, &wanted);
		connection->waits_for = wanted.events;
	}
	return true;
}

static int begin(int poll_set, ssh_bind keys, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = connection};
	int on = 1;

	if (!connection)
		return -1;
	connection->session = ssh_new();
	connection->event = ssh_event_new();
	connection->fd = fd;
	connection->waits_for = EPOLLIN;
	connection->calls = (struct ssh_server_callbacks_struct){
		.userdata = connection,
		.auth_none_function = refuse_none,
		.auth_pubkey_function = take_key,
		.channel_open_request_session_function = open_channel,
	};
	ssh_callbacks_init(&connection->calls);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (ssh_bind_accept_fd(keys, connection->session, fd) != SSH_OK)
		goto fail;
	ssh_set_server_callbacks(connection->session, &connection->calls);
	ssh_set_message_callback(connection->session, answer_no, NULL);
	ssh_set_auth_methods(connection->session, SSH_AUTH_METHOD_PUBLICKEY);
	ssh_set_blocking(connection->session, 0);
	if (ssh_handle_key_exchange(connection->session) == SSH_ERROR ||
	    ssh_event_add_session(connection->event, connection->session) != SSH_OK ||
	    epoll_ctl(poll_set, EPOLL_CTL_ADD, fd, &wanted) < 0)
		goto fail;
	return 0;
fail:
	end(connection);
	return -1;
}

static int listen_on_loopback(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		perror("bench-light-sshd: cannot listen");
		return -1;
	}
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static ssh_bind read_key(const char *path)
{
	ssh_bind keys = ssh_bind_new();
	bool no = false;
	ssh_key key;

	if (!keys || ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) != SSH_OK) {
		fprintf(stderr, "bench-light-sshd: cannot read the key %s\n", path);
		return NULL;
	}
	if (ssh_bind_options_set(keys, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) < 0 ||
	    ssh_bind_options_set(keys, SSH_BIND_OPTIONS_IMPORT_KEY, key) < 0) {
		fprintf(stderr, "bench-light-sshd: cannot use the key: %s\n", ssh_get_error(keys));
		return NULL;
	}
	return keys;
}

static void serve(int poll_set, int listener, ssh_bind keys)
{
	struct epoll_event events[256];

	for (;;) {
		int count = epoll_wait(poll_set, events, 256, -1);

		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;
			int fd;

			if (connection) {
				if (!attend(poll_set, connection))
					end(connection);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
			       0)
				if (begin(poll_set, keys, fd) < 0)
					fputs("bench-light-sshd: lost a connection\n", stderr);
		}
	}
}

int main(int argc, char **argv)
{
	struct epoll_event wanted = {.events = EPOLLIN};
	int poll_set = epoll_create1(EPOLL_CLOEXEC), listener;
	ssh_bind keys;

	if (argc < 2 || ssh_init() < 0 || !(keys = read_key(argv[1])))
		return EXIT_FAILURE;
	if (argc > 2)
		output_bytes = strtoul(argv[2], NULL, 10);
	for (size_t i = 0; i < PIECE_BYTES; i += LINE_BYTES) {
		memset(piece + i, 'x', LINE_BYTES - 1);
		piece[i + LINE_BYTES - 1] = '\n';
	}
	listener = listen_on_loopback();
	if (listener < 0 || epoll_ctl(poll_set, EPOLL_CTL_ADD, listener, &wanted) < 0)
		return EXIT_FAILURE;
	serve(poll_set, listener, keys);
}
