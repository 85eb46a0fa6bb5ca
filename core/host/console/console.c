/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"

/* One more takes the place of the one that has been silent for longest. */
#define CLIENTS_MAX 8
#define WISHES_MAX 8
/* What epoll calls the socket; clients have the number of their place. */
#define LISTENER CLIENTS_MAX
#define SCREEN_MODE 0600

struct client {
	int fd; /* -1: none */
	uint64_t since;
	bool wants_effect;             /* of what it wished */
	enum attachment_type farewell; /* that is due to it; 0: none */
};

struct console {
	char run[RUN_ID_SIZE];
	char *directory;
	struct log *log;
	int listener, poller, screen;
	enum console_place place;
	bool waits;
	bool is_own[STDERR_FILENO + 1]; /* which standard descriptors are left with the first */
	int lent;                       /* that terminal; -1: none */
	struct client *borrower;        /* who has lent it */
	struct client clients[CLIENTS_MAX];
	uint64_t clock;
	bool moved, owes_farewell;
	struct console_wish wishes[WISHES_MAX];
	size_t wish_count;
};

static bool say(const struct client *client, enum attachment_type type, uint64_t value)
{
	const struct attachment_message message = {
		.version = ATTACHMENT_VERSION, .type = type, .value = value};

	return attachment_send(client->fd, &message, -1);
}

/* A client learns that the terminal is its own again when nothing is done to that any more. */
static void owe_farewell(struct console *console, struct client *client, enum attachment_type type)
{
	if (!client)
		return;
	client->farewell = type;
	console->owes_farewell = true;
}

void console_bid_farewell(struct console *console)
{
	if (!console || !console->owes_farewell)
		return;
	console->owes_farewell = false;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &console->clients[i];

		if (client->fd >= 0 && client->farewell)
			say(client, client->farewell, 0);
		client->farewell = 0;
	}
}

/* ---- terminals ---- */

/* The standard descriptors that were that terminal lead nowhere from now on. */
static void leave_descriptors(struct console *console)
{
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && nowhere >= 0; fd++)
		if (console->is_own[fd])
			dup2(nowhere, fd);
	fd_close(&nowhere);
}

/* Leaves the terminal that the run has; it has none then. */
static void leave(struct console *console, const char *last_words)
{
	if (console->place == CONSOLE_LENT)
		log_leave_lent(console->log, last_words);
	if (console->place == CONSOLE_OWN && console->is_own[STDERR_FILENO])
		log_leave_own(console->log, last_words);
	if (console->place == CONSOLE_OWN)
		leave_descriptors(console);
	fd_close(&console->lent);
	console->borrower = NULL;
	console->place = CONSOLE_NONE;
	console->moved = true;
}

bool console_has_moved(struct console *console)
{
	bool moved = console && console->moved;

	if (console)
		console->moved = false;
	return moved;
}

void console_hang_up(struct console *console, const char *why)
{
	if (!console || console->place != CONSOLE_OWN)
		return;
	leave(console, NULL);
	log_warning(console->log,
		    "%s: the run goes on without a terminal, `spicerack runs attach %s` gives it "
		    "another",
		    why, console->run);
}

void console_detach(struct console *console)
{
	console->waits = true;
	leave(console, NULL);
}

/* How much of the screen the client has not shown. */
static size_t rest_of(const struct console *console, uint64_t shown)
{
	struct stat st;

	if (fstat(console->screen, &st) < 0 || (uint64_t)st.st_size <= shown)
		return 0;
	return (size_t)st.st_size - (size_t)shown;
}

static void show_rest(struct console *console, uint64_t shown, size_t length)
{
	char *rest = xcalloc(length, 1);
	ssize_t got = pread(console->screen, rest, length, (off_t)shown);

	if (got > 0)
		log_show_lent(console->log, rest, (size_t)got);
	free(rest);
}

static bool is_usable(int fd)
{
	struct err err;

	return fd >= 0 && isatty(fd) && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR &&
	       fd_set_nonblocking(fd, &err) == 0;
}

/* Takes over the descriptor: that is the terminal now. */
static void take(struct console *console, struct client *client,
		 const struct attachment_message *message, int fd)
{
	size_t rest = rest_of(console, message->value);

	if (!is_usable(fd) || client == console->borrower) {
		say(client, ATTACHMENT_REFUSED, ATTACHMENT_NO_TERMINAL);
		fd_close(&fd);
		return;
	}
	if (rest > ATTACHMENT_REST_MAX) {
		say(client, ATTACHMENT_MORE, 0);
		fd_close(&fd);
		return;
	}
	owe_farewell(console, console->borrower, ATTACHMENT_REPLACED);
	leave(console, "Another terminal has taken over this run\n");
	console->lent = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	console->place = CONSOLE_LENT;
	console->borrower = client;
	/* Somebody cares for it: he may come back. */
	console->waits = true;
	say(client, ATTACHMENT_TAKEN, 0);
	log_lend(console->log, fd, message->flags & ATTACHMENT_COLOURED,
		 message->flags & ATTACHMENT_ADDRESSABLE);
	show_rest(console, message->value, rest);
	log_info(console->log, "A terminal was attached by uid %lld", attachment_peer(client->fd));
}

/* ---- clients ---- */

static void drop(struct console *console, struct client *client)
{
	if (client == console->borrower)
		leave(console, NULL);
	fd_close(&client->fd);
	*client = (struct client){.fd = -1};
}

/* The operator has seen all that there is. */
static void let_go(struct console *console, struct client *client)
{
	leave(console, NULL);
	/* When it cannot be forgotten it is shown again. */
	if (ftruncate(console->screen, 0) < 0)
		log_debug(console->log, "cannot empty the screen of this run: %s",
			  strerrordesc_np(errno));
	owe_farewell(console, client, ATTACHMENT_LEFT);
	log_debug(console->log, "The terminal was let go");
}

static void wish(struct console *console, int signal, bool kill)
{
	/* Whoever presses more often than the run can attend to is not ignored by that. */
	if (console->wish_count < WISHES_MAX)
		console->wishes[console->wish_count++] = (struct console_wish){.signal = signal,
									       .kill = kill};
}

static void obey(struct console *console, struct client *client,
		 const struct attachment_message *message, int *descriptor)
{
	bool has_terminal = client == console->borrower;
	int fd = *descriptor;

	switch (message->type) {
	case ATTACHMENT_TAKE:
		*descriptor = -1;
		take(console, client, message, fd);
		break;
	case ATTACHMENT_LEAVE:
		if (has_terminal)
			let_go(console, client);
		break;
	case ATTACHMENT_INTERRUPT:
	case ATTACHMENT_SUSPEND:
		if (has_terminal)
			wish(console, message->type == ATTACHMENT_INTERRUPT ? SIGINT : SIGTSTP,
			     false);
		break;
	case ATTACHMENT_STOP:
	case ATTACHMENT_KILL:
		client->wants_effect = true;
		log_info(console->log, "`spicerack runs stop%s` by uid %lld",
			 message->type == ATTACHMENT_KILL ? " --kill" : "",
			 attachment_peer(client->fd));
		wish(console, SIGINT, message->type == ATTACHMENT_KILL);
		break;
	default:
		say(client, ATTACHMENT_REFUSED, ATTACHMENT_UNKNOWN);
		drop(console, client);
		break;
	}
}

static void hear(struct console *console, struct client *client)
{
	struct attachment_message message;
	int descriptor;

	switch (attachment_receive(client->fd, &message, &descriptor)) {
	case ATTACHMENT_NOTHING:
		return;
	case ATTACHMENT_GARBAGE:
	case ATTACHMENT_CLOSED:
		drop(console, client);
		return;
	case ATTACHMENT_MESSAGE:
		break;
	}
	if (message.version == ATTACHMENT_VERSION) {
		obey(console, client, &message, &descriptor);
	} else {
		say(client, ATTACHMENT_REFUSED, ATTACHMENT_OTHER_VERSION);
		drop(console, client);
	}
	fd_close(&descriptor);
}

/* A place for one more; the terminal's client keeps its own. */
static struct client *find_place(struct console *console)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *each = &console->clients[i];

		if (each->fd < 0)
			return each;
		if (each != console->borrower && (!oldest || each->since < oldest->since))
			oldest = each;
	}
	drop(console, oldest);
	return oldest;
}

static void welcome(struct console *console)
{
	struct client guest = {.since = ++console->clock};
	struct epoll_event interest = {.events = EPOLLIN};
	struct client *client;
	long long peer;

	guest.fd = accept4(console->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (guest.fd < 0)
		return;
	peer = attachment_peer(guest.fd);
	if (peer != 0 && peer != (long long)geteuid()) {
		say(&guest, ATTACHMENT_REFUSED, ATTACHMENT_OTHER_USER);
		fd_close(&guest.fd);
		return;
	}
	client = find_place(console);
	interest.data.u32 = (uint32_t)(client - console->clients);
	if (epoll_ctl(console->poller, EPOLL_CTL_ADD, guest.fd, &interest) < 0)
		fd_close(&guest.fd);
	*client = guest;
}

void console_attend(struct console *console)
{
	struct epoll_event ready[CLIENTS_MAX + 1];
	int count = epoll_wait(console->poller, ready, CLIENTS_MAX + 1, 0);

	for (int i = 0; i < count; i++) {
		uint32_t place = ready[i].data.u32;

		if (place != LISTENER && console->clients[place].fd >= 0)
			hear(console, &console->clients[place]);
	}
	/* Last: it may give a place to another. */
	for (int i = 0; i < count; i++)
		if (ready[i].data.u32 == LISTENER)
			welcome(console);
}

bool console_next_wish(struct console *console, struct console_wish *ret)
{
	if (!console || console->wish_count == 0)
		return false;
	*ret = console->wishes[0];
	console->wish_count--;
	memmove(console->wishes, console->wishes + 1,
		console->wish_count * sizeof(console->wishes[0]));
	return true;
}

void console_tell_effect(struct console *console, enum attachment_effect effect)
{
	for (size_t i = 0; console && i < CLIENTS_MAX; i++) {
		if (!console->clients[i].wants_effect)
			continue;
		say(&console->clients[i], ATTACHMENT_EFFECT, effect);
		console->clients[i].wants_effect = false;
	}
}

/* ---- all of it ---- */

int console_fd(const struct console *console)
{
	return console ? console->poller : -1;
}

enum console_place console_place(const struct console *console, int *ret_fd)
{
	*ret_fd = -1;
	if (!console)
		return CONSOLE_OWN;
	if (console->place == CONSOLE_LENT)
		*ret_fd = fcntl(console->lent, F_DUPFD_CLOEXEC, 3);
	return console->place == CONSOLE_LENT && *ret_fd < 0 ? CONSOLE_NONE : console->place;
}

void console_await_operator(const struct console *console)
{
	log_warning(console->log,
		    "a question waits for an operator, who comes with `spicerack runs attach %s`",
		    console->run);
}

bool console_waits(const struct console *console)
{
	return console && console->waits;
}

static char *path_of(const struct console *console, const char *suffix)
{
	return xasprintf("%s/%s%s", console->directory, console->run, suffix);
}

static int open_screen(struct console *console, struct err *err)
{
	char *path = path_of(console, ATTACHMENT_SCREEN_SUFFIX);
	char shown[PRINTABLE_PATH_SIZE];

	console->screen = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			       SCREEN_MODE);
	if (console->screen < 0)
		err_errno(err, "%s: cannot make", printable_path(path, shown));
	free(path);
	return console->screen < 0 ? -1 : fd_move_up(&console->screen, err);
}

static int open_socket(struct console *console, struct err *err)
{
	struct epoll_event interest = {.events = EPOLLIN, .data.u32 = LISTENER};

	console->listener = attachment_listen(console->directory, console->run, err);
	if (console->listener < 0)
		return -1;
	console->poller = epoll_create1(EPOLL_CLOEXEC);
	if (console->poller < 0 ||
	    epoll_ctl(console->poller, EPOLL_CTL_ADD, console->listener, &interest) < 0)
		return err_errno(err, "cannot wait for who attaches");
	return 0;
}

/*
 * What is the terminal at the start. Who detaches leaves all that is no file of his own: somebody
 * may wait for the end of a pipe.
 */
static void look_around(struct console *console, bool detaches)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	console->waits = fd >= 0;
	fd_close(&fd);
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		console->is_own[fd] = detaches ? fd == STDIN_FILENO || fstat(fd, &st) < 0 ||
							 !S_ISREG(st.st_mode)
					       : isatty(fd);
}

static void remove_file(const struct console *console, const char *suffix)
{
	char *path = path_of(console, suffix);

	unlink(path);
	free(path);
}

static void free_console(struct console *console)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		fd_close(&console->clients[i].fd);
	fd_close(&console->lent);
	fd_close(&console->screen);
	fd_close(&console->poller);
	fd_close(&console->listener);
	free(console->directory);
	free(console);
}

int console_open(const char *directory, const char *run, struct log *log, bool detaches,
		 struct console **ret_console, struct err *err)
{
	struct console *console = xcalloc(1, sizeof(*console));

	memcpy(console->run, run, RUN_ID_SIZE);
	console->directory = xstrdup(directory);
	console->log = log;
	console->listener = console->poller = console->screen = console->lent = -1;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		console->clients[i].fd = -1;
	if (open_screen(console, err) < 0 || open_socket(console, err) < 0) {
		if (console->screen >= 0)
			remove_file(console, ATTACHMENT_SCREEN_SUFFIX);
		if (console->listener >= 0)
			remove_file(console, ATTACHMENT_SOCKET_SUFFIX);
		free_console(console);
		return -1;
	}
	look_around(console, detaches);
	log_keep(log, console->screen, console->is_own[STDOUT_FILENO]);
	*ret_console = console;
	return 0;
}

bool console_close(struct console *console, int code)
{
	bool away = console && console->place != CONSOLE_OWN;

	if (!console)
		return false;
	remove_file(console, ATTACHMENT_SOCKET_SUFFIX);
	/* Who is at the terminal to the end has seen it. */
	if (console->place != CONSOLE_NONE)
		remove_file(console, ATTACHMENT_SCREEN_SUFFIX);
	if (console->place == CONSOLE_LENT)
		leave(console, NULL);
	console_bid_farewell(console);
	log_keep(console->log, -1, false);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (console->clients[i].fd >= 0)
			say(&console->clients[i], ATTACHMENT_END, (uint64_t)code);
	free_console(console);
	return away;
}
