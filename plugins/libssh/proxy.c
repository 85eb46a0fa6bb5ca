/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/memory.h"

struct proxy {
	struct grave grave;
	struct proxy *next; /* of those that are closed and have not ended */
	struct transport *transport;
	pid_t pid; /* 0: none, or it has been waited for */
	int status;
	struct watch watch; /* of its pidfd */
	struct task task;
	int fd; /* until it is given out */
	struct end end;
	bool closed;
	way_done *done;
	void *data;
};

#define OWNER(member, pointer)                                                                     \
	((struct proxy *)(void *)((char *)(pointer)-offsetof(struct proxy, member)))

static void bury(struct grave *grave)
{
	memory_free(grave);
}

/* Whether it has ended. */
static bool reap(struct proxy *proxy, int flags)
{
	if (proxy->pid > 0 && waitpid(proxy->pid, &proxy->status, flags) != 0)
		proxy->pid = 0;
	return proxy->pid == 0;
}

static void forget(struct proxy *proxy)
{
	struct proxy **link = &proxy->transport->proxies;

	while (*link && *link != proxy)
		link = &(*link)->next;
	if (*link)
		*link = proxy->next;
	if (proxy->watch.fd >= 0) {
		loop_unwatch(proxy->transport->loop, &proxy->watch);
		close(proxy->watch.fd);
	}
	proxy->grave.bury = bury;
	loop_bury(proxy->transport->loop, &proxy->grave);
}

static void ended(struct watch *watch, uint32_t events)
{
	struct proxy *proxy = OWNER(watch, watch);

	if (!reap(proxy, WNOHANG))
		return;
	if (proxy->closed) {
		forget(proxy);
		return;
	}
	loop_unwatch(proxy->transport->loop, watch);
}

void proxy_close(struct proxy *proxy)
{
	if (!proxy)
		return;
	loop_drop_task(proxy->transport->loop, &proxy->task);
	if (proxy->fd >= 0)
		close(proxy->fd);
	proxy->closed = true;
	if (reap(proxy, WNOHANG)) {
		forget(proxy);
		return;
	}
	kill(proxy->pid, SIGHUP);
	proxy->next = proxy->transport->proxies;
	proxy->transport->proxies = proxy;
}

void proxy_end_all(struct transport *transport)
{
	while (transport->proxies) {
		struct proxy *proxy = transport->proxies;

		if (proxy->pid > 0)
			kill(proxy->pid, SIGKILL);
		reap(proxy, 0);
		forget(proxy);
	}
}

void proxy_explain(struct proxy *proxy, char *text, size_t size)
{
	if (proxy->pid > 0 && !reap(proxy, WNOHANG))
		return;
	if (WIFEXITED(proxy->status))
		snprintf(text, size, " (the proxy command ended with code %d)",
			 WEXITSTATUS(proxy->status));
	else if (WIFSIGNALED(proxy->status))
		snprintf(text, size, " (the proxy command was ended by SIG%s)",
			 sigabbrev_np(WTERMSIG(proxy->status)));
}

/* Starts it with the socket for input and output, and no signal blocked or ignored. */
static int start(struct proxy *proxy, const char *command, int socket)
{
	const char *shell = getenv("SHELL");
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	size_t size = strlen(command) + sizeof("exec ");
	char *line = memory_raw(size);
	char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, line, NULL};
	int error;

	snprintf(line, size, "exec %s", command);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	error = posix_spawn(&proxy->pid, shell && *shell == '/' ? shell : "/bin/sh", &actions,
			    &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	memory_free(line);
	if (error)
		proxy->pid = 0;
	return error;
}

static int open_all(struct proxy *proxy, const char *command)
{
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return errno;
	proxy->fd = ends[0];
	error = start(proxy, command, ends[1]);
	close(ends[1]);
	if (error)
		return error;
	proxy->watch = (struct watch){.ready = ended, .fd = pidfd_open(proxy->pid, 0)};
	if (proxy->watch.fd < 0 || !loop_watch(proxy->transport->loop, &proxy->watch, EPOLLIN))
		return errno;
	return 0;
}

static void tell(struct task *task)
{
	struct proxy *proxy = OWNER(task, task);
	int fd = proxy->fd;

	proxy->fd = -1;
	if (*proxy->end.reason) {
		if (fd >= 0)
			close(fd);
		proxy->done(proxy->data, -1, &proxy->end);
		return;
	}
	proxy->done(proxy->data, fd, NULL);
}

struct proxy *proxy_open(struct transport *transport, const char *command, way_done *done,
			 void *data)
{
	struct proxy *proxy = memory_new(1, sizeof(*proxy));
	int error;

	proxy->transport = transport;
	proxy->fd = proxy->watch.fd = -1;
	proxy->task.run = tell;
	proxy->done = done;
	proxy->data = data;
	error = open_all(proxy, command);
	if (error)
		end_set(&proxy->end, SPK_TRANSPORT_FAILED, "cannot start the proxy command: %s",
			strerrordesc_np(error));
	loop_add_task(transport->loop, &proxy->task);
	return proxy;
}
