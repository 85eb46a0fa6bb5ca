/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands on hosts through OpenSSH's own client. One `ssh` for each host, the master, has the
 * connection; we speak to its control socket, in the mode in which it hands on messages of SSH's
 * connection protocol as they are. A master of the operator's that is open already is used as it
 * is.
 */
#ifndef OPENSSH_TRANSPORT_H
#define OPENSSH_TRANSPORT_H

#include <spicerack/plugin.h>

#include <sys/types.h>

#include "packet.h"

struct transport;
struct command;

enum host_state {
	HOST_IDLE,     /* no connection */
	HOST_ASKING,   /* `ssh -G` tells where a master would be */
	HOST_STARTING, /* our master logs in, and then makes its socket */
	HOST_GREETING, /* the socket is connected, both sides say what they speak */
	HOST_CONNECTED,
};

/* What epoll wakes us for. */
enum watch_kind { WATCH_WORK, WATCH_DIRECTORY, WATCH_SOCKET, WATCH_WORDS, WATCH_ANSWER, WATCH_END };

struct watch {
	enum watch_kind kind;
	int fd; /* -1: none */
	struct host *host;
};

struct host {
	char *name, *user; /* NULL: as configured */
	struct transport *transport;
	enum host_state state;
	bool foreign;       /* the master is the operator's */
	bool asked;         /* `ssh -G` has told what is configured */
	bool queued;        /* there is something to do for it */
	bool patient;       /* it waits until fewer hosts are being connected to */
	uint32_t number;    /* its socket has this name */
	char *control_path; /* where the operator's master would be; NULL: nowhere */
	char **environment; /* NAME=VALUE each, to be set there */
	size_t environment_count;
	pid_t pid; /* of `ssh -G` or of our master; 0: none */
	struct watch socket, words, answer, end;
	struct bytes in, out, said, answered;
	struct command *commands; /* all that are not gone */
	struct host *next_queued;
	uint32_t channels; /* numbers given */
};

enum command_state {
	COMMAND_WAITING, /* for the connection */
	COMMAND_OPENING, /* its channel */
	COMMAND_ASKED,   /* the host to run it */
	COMMAND_STARTED,
	COMMAND_CLOSED, /* by us; the host has not said so yet */
};

struct command {
	struct host *host;
	struct command *next;
	enum command_state state;
	char *text;
	void *data;
	int64_t patience_ns, deadline_ns; /* to be started: the latter from when it is tried */
	uint32_t channel, far_channel;
	uint32_t far_window, far_packet; /* how much it takes, at once and in one message */
	uint32_t taken;                  /* of our window, not given back yet */
	struct bytes input;
	bool wants_input, finished, end_sent, wants_room, held, abandoned;
	bool told;  /* by the host, how it ended */
	bool again; /* it was tried on a connection that had gone */
	struct spk_transport_end end;
	char *signal;
};

struct transport {
	struct spk_transport_calls calls;
	char *ssh, *config;
	char **options; /* NAME=VALUE each */
	size_t option_count;
	bool masters; /* those of the operator's are used */
	char *directory;
	struct watch work, changes;
	int epoll;
	void *hosts; /* a tree, by name and user */
	struct host **numbered;
	size_t host_count, host_capacity;
	struct host *queue, **queue_end;
	size_t connecting; /* hosts that are being connected to */
};

/* ---- transport.c ---- */

int64_t transport_now(void);
bool transport_watch(struct transport *transport, struct watch *watch, uint32_t events);
void transport_rewatch(struct transport *transport, struct watch *watch, uint32_t events);
/* Closes its descriptor. */
void transport_unwatch(struct watch *watch);
/* One host less is being connected to: others may be. */
void transport_go_on(struct transport *transport);
/* Has host_work() called by dispatch(). */
void transport_queue(struct host *host);

/* ---- host.c ---- */

/* Does what there is to do: connects, and lets commands go on. */
void host_work(struct host *host);
/* One of its descriptors is ready. */
void host_ready(struct host *host, struct watch *watch);
/* The socket of our master has appeared. */
void host_appeared(struct host *host);
/* Its connection ends, whatever state it is in; commands are told `kind` and the reason. */
void host_fail(struct host *host, enum spk_transport_end_kind kind, const char *reason);
/* Its connection ends, nobody is told. With `wait` also our process has gone. */
void host_drop(struct host *host, bool wait);
/* Sends what stands in `out`. */
void host_flush(struct host *host);

/* ---- process.c ---- */

/* Starts the master for the host, which has so long to log in. False: it could not be. */
bool process_connect(struct host *host, int64_t patience_ns);
/* Starts `ssh -G`, which tells what is configured for the host. False: it could not be. */
bool process_ask(struct host *host);
/* Ends that process, if there is one; with `wait` it has time, and is still to be waited for. */
void process_end(struct host *host, bool wait);
/* Keeps what the master has said on standard error, and the answer of `ssh -G`. */
void process_read_words(struct host *host);
void process_read_answer(struct host *host);
/* Sets what of the configuration is ours to do from that answer: lines of NAME VALUE. */
void process_take_answer(struct host *host);
/* Why there is no connection, from what the master said as one line; `silent`: it said nothing. */
enum spk_transport_end_kind process_verdict(struct host *host, const char *silent, char *reason,
					    size_t size);

/* ---- channel.c ---- */

/* Opens the channel of a command on a connected host. */
void channel_open(struct command *command);
/* A message of the connection protocol has come. False: it makes no sense. */
bool channel_message(struct host *host, struct reader *message);
/* Sends input as far as the host takes it. */
void channel_pump(struct command *command);
/* Gives the room for output back that was used, unless it is held. */
void channel_adjust(struct command *command);
void channel_close(struct command *command);
/* The command is over: tells the caller and frees it. */
void command_end(struct command *command, enum spk_transport_end_kind kind, const char *reason);
void command_free(struct command *command);

#endif
