/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSH's client as a process of ours: how it is called, and what it says. */
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of what ssh says on its standard error the end is kept. */
#define WORDS_MAX 4096U
#define ANSWER_MAX (64U << 10)

/* ---- its command line ---- */

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

/* ---- its begin and its end ---- */

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

bool process_connect(struct host *host, int64_t patience_ns)
{
	struct words words = {0};
	bool started;

	put_master(host, patience_ns, &words);
	started = start(host, &words, 2, &host->words);
	words_free(&words);
	return started;
}

bool process_ask(struct host *host)
{
	struct words words = {0};
	bool started;

	put_common(host, &words);
	put_word(&words, "-G");
	put_word(&words, "--");
	put_word(&words, host->name);
	started = start(host, &words, 1, &host->answer);
	words_free(&words);
	return started;
}

void process_end(struct host *host, bool wait)
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

/* ---- what it says ---- */

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

void process_read_words(struct host *host)
{
	collect(&host->words, &host->said, WORDS_MAX);
}

void process_read_answer(struct host *host)
{
	collect(&host->answer, &host->answered, ANSWER_MAX);
}

/* ---- what is configured ---- */

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

void process_take_answer(struct host *host)
{
	const char *line;

	process_read_answer(host);
	line = as_text(&host->answered);
	while (*line) {
		size_t length = strcspn(line, "\n");

		for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
			size_t name = strlen(options[i].name);

			if (length > name && strncmp(line, options[i].name, name) == 0)
				options[i].take(host, line + name, length - name);
		}
		line += length + (line[length] != '\0');
	}
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

static enum spk_transport_end_kind kind_of(const char *said)
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
static void reason_of(const char *said, const char *silent, char *out, size_t size)
{
	const char *offending = line_with(said, "Offending ");
	size_t end = strlen(said), start, at;

	while (end > 0 && (said[end - 1] == '\n' || said[end - 1] == '\r'))
		end--;
	for (start = end; start > 0 && said[start - 1] != '\n'; start--)
		;
	at = copy_line(said + start, end - start, out, size);
	if (at == 0)
		at = (size_t)snprintf(out, size, "%s", silent);
	if (offending && at + 10 < size) {
		at += (size_t)snprintf(out + at, size - at, " ");
		copy_line(offending, strcspn(offending, "\n"), out + at, size - at);
	}
}

enum spk_transport_end_kind process_verdict(struct host *host, const char *silent, char *reason,
					    size_t size)
{
	const char *said;

	process_read_words(host);
	said = as_text(&host->said);
	reason_of(said, silent, reason, size);
	return kind_of(said);
}
