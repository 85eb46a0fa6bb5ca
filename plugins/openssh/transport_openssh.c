/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DIRECTORY_NAME "spicerack-ssh-"
/* Of the path of a socket, which OpenSSH makes longer for a moment. */
#define DIRECTORY_MAX 70
/* So much input of a command is taken before the host wants it. */
#define INPUT_MAX (256U << 10)
/* So long close() waits for what it has told to end. */
#define GRACE_NS 2000000000LL

int64_t transport_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* ---- what wakes us ---- */

bool transport_watch(struct transport *transport, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return epoll_ctl(transport->epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

void transport_rewatch(struct transport *transport, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (watch->fd >= 0)
		epoll_ctl(transport->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void transport_unwatch(struct watch *watch)
{
	if (watch->fd < 0)
		return;
	/* A child that has not come to its exec yet has it, too: closing would not take it out. */
	if (watch->host)
		epoll_ctl(watch->host->transport->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	close(watch->fd);
	watch->fd = -1;
}

void transport_queue(struct host *host)
{
	struct transport *transport = host->transport;
	uint64_t one = 1;
	ssize_t ignored;

	if (host->queued)
		return;
	host->queued = true;
	host->next_queued = NULL;
	*transport->queue_end = host;
	transport->queue_end = &host->next_queued;
	ignored = write(transport->work.fd, &one, sizeof(one));
	(void)ignored;
}

void transport_go_on(struct transport *transport)
{
	for (size_t i = 0; i < transport->host_count; i++) {
		if (transport->numbered[i]->patient)
			transport_queue(transport->numbered[i]);
		transport->numbered[i]->patient = false;
	}
}

static void do_queued(struct transport *transport)
{
	struct host *queue = transport->queue;
	uint64_t count;
	ssize_t ignored = read(transport->work.fd, &count, sizeof(count));

	(void)ignored;
	transport->queue = NULL;
	transport->queue_end = &transport->queue;
	while (queue) {
		struct host *host = queue;

		queue = host->next_queued;
		host->queued = false;
		host_work(host);
	}
}

/* Sockets that have appeared in our directory. */
static void read_changes(struct transport *transport)
{
	union {
		struct inotify_event event;
		char bytes[4096];
	} buffer;
	ssize_t got;

	while ((got = read(transport->changes.fd, &buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event =
				(const struct inotify_event *)(const void *)(buffer.bytes + at);
			char *end;
			unsigned long number = event->len ? strtoul(event->name, &end, 10) : 0;

			if (event->len && *end == '\0' && number < transport->host_count)
				host_appeared(transport->numbered[number]);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
}

/* ---- settings ---- */

static void add_option(struct transport *transport, const char *value)
{
	transport->options = memory(transport->options,
				    (transport->option_count + 1) * sizeof(char *));
	transport->options[transport->option_count++] = strdup(value);
}

static bool read_setting(struct transport *transport, const struct spk_driver_setting *setting,
			 struct spk_reason_buffer *reason)
{
	const char *name = setting->name, *value = setting->value;

	if (strcmp(name, "ssh") == 0 && value[0] == '/') {
		free(transport->ssh);
		transport->ssh = strdup(value);
	} else if (strcmp(name, "config") == 0 && value[0] == '/') {
		free(transport->config);
		transport->config = strdup(value);
	} else if (strcmp(name, "options") == 0 && strchr(value, '=')) {
		add_option(transport, value);
	} else if (strcmp(name, "masters") == 0 &&
		   (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) {
		transport->masters = strcmp(value, "true") == 0;
	} else if (strcmp(name, "ssh") == 0 || strcmp(name, "config") == 0) {
		snprintf(reason->text, sizeof(reason->text), "'%s' must be an absolute path", name);
		return false;
	} else if (strcmp(name, "options") == 0) {
		snprintf(reason->text, sizeof(reason->text),
			 "'options' must be texts NAME=VALUE, as behind -o of ssh");
		return false;
	} else if (strcmp(name, "masters") == 0) {
		snprintf(reason->text, sizeof(reason->text), "'masters' must be true or false");
		return false;
	} else {
		snprintf(reason->text, sizeof(reason->text),
			 "'%s' is no setting of the transport openssh", name);
		return false;
	}
	return true;
}

/* ---- the directory of our sockets ---- */

static void remove_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory)
		closedir(directory);
	rmdir(path);
}

/* Those of processes of ours that were killed: the number of the process is in the name. */
static void sweep(const char *base)
{
	DIR *directory = opendir(base);
	struct dirent *entry;
	struct stat st;
	char path[512];

	while (directory && (entry = readdir(directory))) {
		long pid;

		if (strncmp(entry->d_name, DIRECTORY_NAME, strlen(DIRECTORY_NAME)) != 0)
			continue;
		pid = strtol(entry->d_name + strlen(DIRECTORY_NAME), NULL, 10);
		if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH ||
		    fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
		remove_directory(path);
	}
	if (directory)
		closedir(directory);
}

/* A directory that is ours alone, with a name that needs no quotes in ssh's options. */
static const char *base_directory(void)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): drivers are opened by one thread */
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (runtime && runtime[0] == '/' && strlen(runtime) < DIRECTORY_MAX - 32 &&
	    runtime[strspn(runtime, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-")] == '\0' &&
	    stat(runtime, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & 077) == 0)
		return runtime;
	return "/tmp";
}

static bool make_directory(struct transport *transport, struct spk_reason_buffer *reason)
{
	const char *base = base_directory();
	char path[DIRECTORY_MAX + 32];

	sweep(base);
	snprintf(path, sizeof(path), "%s/" DIRECTORY_NAME "%d-XXXXXX", base, (int)getpid());
	if (!mkdtemp(path)) {
		snprintf(reason->text, sizeof(reason->text),
			 "cannot make a directory for sockets in '%s': %s", base,
			 strerrordesc_np(errno));
		return false;
	}
	transport->directory = strdup(path);
	if (inotify_add_watch(transport->changes.fd, path, IN_CREATE | IN_MOVED_TO) < 0) {
		snprintf(reason->text, sizeof(reason->text), "cannot watch '%s': %s", path,
			 strerrordesc_np(errno));
		return false;
	}
	return true;
}

/* ---- opening and closing ---- */

/* So many have not ended yet. */
static size_t reap(struct transport *transport, int options)
{
	size_t left = 0;

	for (size_t i = 0; i < transport->host_count; i++) {
		struct host *host = transport->numbered[i];

		if (host->pid > 0 && waitpid(host->pid, NULL, options) != 0)
			host->pid = 0;
		left += host->pid > 0;
	}
	return left;
}

static void end_processes(struct transport *transport)
{
	int64_t deadline = transport_now() + GRACE_NS;
	const struct timespec nap = {.tv_nsec = 2000000};

	while (reap(transport, WNOHANG) > 0 && transport_now() < deadline)
		nanosleep(&nap, NULL);
	for (size_t i = 0; i < transport->host_count; i++)
		if (transport->numbered[i]->pid > 0)
			kill(transport->numbered[i]->pid, SIGKILL);
	reap(transport, 0);
}

static void host_free(struct host *host)
{
	while (host->commands)
		command_free(host->commands);
	for (size_t i = 0; i < host->environment_count; i++)
		free(host->environment[i]);
	free(host->environment);
	free(host->control_path);
	free(host->name);
	free(host->user);
	free(host);
}

static void nothing(void *node)
{
}

static void transport_close(void *opened)
{
	struct transport *transport = opened;

	for (size_t i = 0; i < transport->host_count; i++)
		host_drop(transport->numbered[i], true);
	end_processes(transport);
	tdestroy(transport->hosts, nothing);
	for (size_t i = 0; i < transport->host_count; i++)
		host_free(transport->numbered[i]);
	free(transport->numbered);
	transport_unwatch(&transport->work);
	transport_unwatch(&transport->changes);
	if (transport->epoll >= 0)
		close(transport->epoll);
	if (transport->directory)
		remove_directory(transport->directory);
	for (size_t i = 0; i < transport->option_count; i++)
		free(transport->options[i]);
	free(transport->options);
	free(transport->directory);
	free(transport->config);
	free(transport->ssh);
	free(transport);
}

static bool make_descriptors(struct transport *transport)
{
	transport->epoll = epoll_create1(EPOLL_CLOEXEC);
	transport->work.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	transport->changes.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return transport->epoll >= 0 && transport->work.fd >= 0 && transport->changes.fd >= 0 &&
	       transport_watch(transport, &transport->work, EPOLLIN) &&
	       transport_watch(transport, &transport->changes, EPOLLIN);
}

static void *transport_open(const struct spk_driver_setting *settings, size_t count,
			    const struct spk_transport_calls *calls,
			    struct spk_reason_buffer *reason)
{
	struct transport *transport = memory(NULL, sizeof(*transport));
	bool good = true;

	*transport = (struct transport){
		.calls = *calls,
		.ssh = strdup("/usr/bin/ssh"),
		.masters = true,
		.work = {.kind = WATCH_WORK, .fd = -1},
		.changes = {.kind = WATCH_DIRECTORY, .fd = -1},
		.epoll = -1,
	};
	transport->queue_end = &transport->queue;
	for (size_t i = 0; i < count && good; i++)
		good = read_setting(transport, &settings[i], reason);
	if (good && access(transport->ssh, X_OK) < 0) {
		snprintf(reason->text, sizeof(reason->text), "cannot run '%s': %s", transport->ssh,
			 strerrordesc_np(errno));
		good = false;
	}
	if (good && !make_descriptors(transport)) {
		snprintf(reason->text, sizeof(reason->text), "cannot wait for ssh: %s",
			 strerrordesc_np(errno));
		good = false;
	}
	if (good && make_directory(transport, reason))
		return transport;
	transport_close(transport);
	return NULL;
}

/* ---- its life ---- */

static int transport_fd(void *opened)
{
	const struct transport *transport = opened;

	return transport->epoll;
}

static bool is_late(const struct command *command, int64_t now)
{
	return command->state < COMMAND_STARTED && !command->abandoned &&
	       command->deadline_ns <= now;
}

static int64_t transport_deadline(void *opened)
{
	const struct transport *transport = opened;
	int64_t earliest = INT64_MAX;

	for (size_t i = 0; i < transport->host_count; i++)
		for (const struct command *command = transport->numbered[i]->commands; command;
		     command = command->next)
			if (command->state < COMMAND_STARTED && !command->abandoned &&
			    command->deadline_ns < earliest)
				earliest = command->deadline_ns;
	return earliest;
}

/* A host that does not get so far in time has its connection taken away. */
static void end_late(struct transport *transport)
{
	int64_t now = transport_now();

	for (size_t i = 0; i < transport->host_count; i++) {
		struct host *host = transport->numbered[i];
		struct command *command = host->commands;

		while (command && !is_late(command, now))
			command = command->next;
		if (!command)
			continue;
		command->again = true;
		host_fail(host, SPK_TRANSPORT_UNREACHABLE,
			  host->state < HOST_CONNECTED ? "no connection in time"
						       : "it did not start the command in time");
	}
}

static void transport_dispatch(void *opened)
{
	struct transport *transport = opened;
	struct epoll_event events[64];
	int count = epoll_wait(transport->epoll, events, 64, 0);

	for (int i = 0; i < count; i++) {
		struct watch *watch = events[i].data.ptr;

		if (watch->kind == WATCH_WORK)
			do_queued(transport);
		else if (watch->kind == WATCH_DIRECTORY)
			read_changes(transport);
		else if (watch->fd >= 0) /* not closed since */
			host_ready(watch->host, watch);
	}
	end_late(transport);
}

static int compare(const void *a, const void *b)
{
	const struct host *one = a, *other = b;
	int order = strcmp(one->name, other->name);

	return order ? order : strcmp(one->user ? one->user : "", other->user ? other->user : "");
}

static struct host *host_of(struct transport *transport, const char *name, const char *user)
{
	const struct host key = {.name = (char *)(uintptr_t)name, .user = (char *)(uintptr_t)user};
	struct host **found = tfind(&key, &transport->hosts, compare);
	struct host *host;

	if (found)
		return *found;
	host = memory(NULL, sizeof(*host));
	*host = (struct host){
		.name = strdup(name),
		.user = user ? strdup(user) : NULL,
		.transport = transport,
		.number = (uint32_t)transport->host_count,
		.socket = {WATCH_SOCKET, -1, host},
		.words = {WATCH_WORDS, -1, host},
		.answer = {WATCH_ANSWER, -1, host},
		.end = {WATCH_END, -1, host},
	};
	if (transport->host_count == transport->host_capacity) {
		transport->host_capacity = transport->host_capacity * 2 + 64;
		transport->numbered = memory(transport->numbered,
					     transport->host_capacity * sizeof(struct host *));
	}
	transport->numbered[transport->host_count++] = host;
	tsearch(host, &transport->hosts, compare);
	return host;
}

/* A host that was built before there was such a member names none. */
static const char *user_of(const struct spk_transport_command *what)
{
	return what->size > offsetof(struct spk_transport_command, user) ? what->user : NULL;
}

static void *transport_start(void *opened, const struct spk_transport_command *what,
			     struct spk_reason_buffer *reason)
{
	struct host *host = host_of(opened, what->host, user_of(what));
	struct command *command = memory(NULL, sizeof(*command));

	*command = (struct command){
		.host = host,
		.next = host->commands,
		.text = strdup(what->command),
		.data = what->data,
		.patience_ns = what->connect_timeout_ns,
		.deadline_ns = INT64_MAX,
		.wants_input = what->input,
		.finished = !what->input,
	};
	host->commands = command;
	transport_queue(host);
	return command;
}

static size_t transport_feed(void *started, const char *bytes, size_t length)
{
	struct command *command = started;
	size_t room = INPUT_MAX - command->input.length;
	size_t taken = length < room ? length : room;

	if (command->finished)
		return length;
	bytes_add(&command->input, bytes, taken);
	command->wants_room = taken < length;
	transport_queue(command->host);
	return taken;
}

static void transport_finish(void *started)
{
	struct command *command = started;

	command->finished = true;
	transport_queue(command->host);
}

static void transport_hold(void *started, bool on)
{
	struct command *command = started;
	struct host *host = command->host;

	if (command->held == on)
		return;
	command->held = on;
	/* What was read already is handed over when the socket is looked at again. */
	if (host->state == HOST_CONNECTED)
		transport_rewatch(host->transport, &host->socket, on ? 0 : EPOLLIN | EPOLLOUT);
}

static void transport_abandon(void *started)
{
	struct command *command = started;
	struct host *host = command->host;

	command->abandoned = true;
	if (command->held)
		transport_hold(command, false);
	if (command->state == COMMAND_WAITING) {
		command_free(command);
		/* Nobody waits for it any more. */
		if (!host->commands && host->state < HOST_CONNECTED)
			host_drop(host, false);
		return;
	}
	channel_close(command);
	host_flush(host);
}

SPK_API extern const struct spk_transport_driver spk_driver;

const struct spk_transport_driver spk_driver = {
	.driver = {sizeof(spk_driver), SPK_DRIVER_ABI, "transport", "openssh"},
	.open = transport_open,
	.close = transport_close,
	.fd = transport_fd,
	.deadline = transport_deadline,
	.dispatch = transport_dispatch,
	.start = transport_start,
	.feed = transport_feed,
	.finish = transport_finish,
	.hold = transport_hold,
	.abandon = transport_abandon,
	.names_users = 1,
};
