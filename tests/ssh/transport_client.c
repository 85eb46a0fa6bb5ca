/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transport by hand, for tests: transport-client DIRECTORY DRIVER [NAME=VALUE...] opens the
 * driver and does what its standard input says, one line each, words between tabs; what happens is
 * told in lines of JSON.
 *
 *     start ID HOST SECONDS INPUT COMMAND   SECONDS to connect, INPUT 1 or 0
 *     send ID TEXT       input; \n is a line's end
 *     pour ID BYTES      so many bytes of input, of a pattern, as the transport takes them
 *     finish ID, hold ID, release ID, abandon ID
 *     sip ID             release, and hold at the next piece of output
 *     usage              memory, processor time and descriptors
 *     close
 *
 * An output is told at the end: its length, a sum of it, and its first bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../../core/runtime/driver.h"

#define WORDS_MAX 8
#define SETTINGS_MAX 16
#define SHOWN_MAX 4096

static const struct spk_transport_driver *driver;
static void *transport;
static int dispatching;

struct stream {
	uint64_t length, sum;
	size_t shown;
	char *first; /* SHOWN_MAX bytes; NULL: none yet */
};

struct job {
	struct job *next;
	char id[64];
	void *command; /* NULL: it has ended */
	int64_t began;
	double started_ms;
	uint64_t to_pour, poured;
	struct stream streams[2];
	int held, held_output, sips;
};

static struct job *jobs;

static void fail(const char *what)
{
	fprintf(stderr, "transport-client: %s\n", what);
	exit(2);
}

static int64_t boot_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void put_bytes(const char *name, const char *bytes, size_t length)
{
	printf(",\"%s\":\"", name);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c > '~')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void put_text(const char *name, const char *text)
{
	if (text)
		put_bytes(name, text, strlen(text));
	else
		printf(",\"%s\":null", name);
}

static struct job *find(const char *id)
{
	struct job *job = jobs;

	while (job && strcmp(job->id, id) != 0)
		job = job->next;
	if (!job)
		fail("no such id");
	return job;
}

static void pour(struct job *job)
{
	char bytes[8192];
	size_t taken = 1;

	while (job->command && job->to_pour && taken) {
		size_t length = job->to_pour < sizeof(bytes) ? (size_t)job->to_pour : sizeof(bytes);

		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)((job->poured + i) * 2654435761u >> 13);
		taken = driver->feed(job->command, bytes, length);
		if (taken > length)
			fail("more was taken than given");
		job->poured += taken;
		job->to_pour -= taken;
	}
}

/* ---- what the transport tells ---- */

static void expect_dispatching(void)
{
	if (!dispatching)
		fail("a call outside of dispatch()");
}

static void started(void *data)
{
	struct job *job = data;

	expect_dispatching();
	job->started_ms = (double)(boot_now() - job->began) / 1e6;
}

static void output(void *data, int stream, const char *bytes, size_t length)
{
	struct job *job = data;
	struct stream *to = &job->streams[stream - 1];

	expect_dispatching();
	if (job->held)
		job->held_output = 1;
	if (job->sips) {
		job->sips = 0;
		job->held = 1;
		driver->hold(job->command, true);
	}
	for (size_t i = 0; i < length; i++)
		to->sum = to->sum * 31 + (unsigned char)bytes[i];
	if (!to->first && !(to->first = malloc(SHOWN_MAX)))
		fail("out of memory");
	if (to->shown < SHOWN_MAX) {
		size_t more = length < SHOWN_MAX - to->shown ? length : SHOWN_MAX - to->shown;

		memcpy(to->first + to->shown, bytes, more);
		to->shown += more;
	}
	to->length += length;
}

static void room(void *data)
{
	expect_dispatching();
	pour(data);
}

static void put_stream(const char *name, const struct stream *stream)
{
	char label[32];

	put_bytes(name, stream->first, stream->shown);
	snprintf(label, sizeof(label), "%s_bytes", name);
	printf(",\"%s\":%" PRIu64, label, stream->length);
	snprintf(label, sizeof(label), "%s_sum", name);
	printf(",\"%s\":\"%016" PRIx64 "\"", label, stream->sum);
}

static void ended(void *data, const struct spk_transport_end *end)
{
	static const char *const kinds[] = {"EXITED", "SIGNALLED", "UNREACHABLE", "HOST_KEY",
					    "DENIED", "LOST",      "UNSUPPORTED", "FAILED"};
	struct job *job = data;

	expect_dispatching();
	if (!job->command)
		fail("it ended twice");
	printf("{\"id\":\"%s\",\"kind\":\"%s\",\"exit_code\":%d", job->id, kinds[end->kind],
	       end->exit_code);
	put_text("signal", end->signal);
	put_text("reason", end->reason);
	put_stream("stdout", &job->streams[0]);
	put_stream("stderr", &job->streams[1]);
	printf(",\"poured\":%" PRIu64 ",\"held_output\":%d", job->poured, job->held_output);
	if (job->started_ms > 0)
		printf(",\"started_ms\":%.3f", job->started_ms);
	else
		printf(",\"started_ms\":null");
	printf(",\"ms\":%.3f}\n", (double)(boot_now() - job->began) / 1e6);
	fflush(stdout);
	job->command = NULL;
	for (int i = 0; i < 2; i++) {
		free(job->streams[i].first);
		job->streams[i].first = NULL;
	}
}

static const struct spk_transport_calls calls = {
	.size = sizeof(calls), .started = started, .output = output, .room = room, .ended = ended};

/* ---- what the test says ---- */

static void start(const char *const *words, size_t count)
{
	struct job *job = calloc(1, sizeof(*job));
	struct spk_reason_buffer reason = {{0}};
	struct spk_transport_command command = {.size = sizeof(command)};

	if (count != 6 || !job)
		fail("start");
	snprintf(job->id, sizeof(job->id), "%s", words[1]);
	job->next = jobs;
	jobs = job;
	job->began = boot_now();
	command.host = words[2];
	command.connect_timeout_ns = (int64_t)(strtod(words[3], NULL) * 1e9);
	command.input = words[4][0] == '1';
	command.command = words[5];
	command.data = job;
	job->command = driver->start(transport, &command, &reason);
	if (!job->command)
		fail(reason.text);
}

static void send_text(struct job *job, const char *text)
{
	char *bytes = strdup(text), *out = bytes;

	for (const char *at = text; *at; at++) {
		if (at[0] == '\\' && at[1] == 'n') {
			*out++ = '\n';
			at++;
		} else {
			*out++ = *at;
		}
	}
	if (job->command &&
	    driver->feed(job->command, bytes, (size_t)(out - bytes)) != (size_t)(out - bytes))
		fail("a short text was not taken");
	free(bytes);
}

static void put_usage(void)
{
	char line[256];
	long peak = 0, resident = 0;
	FILE *file = fopen("/proc/self/status", "r");
	struct rusage usage;
	int descriptors = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			peak = strtol(line + 6, NULL, 10);
		if (strncmp(line, "VmRSS:", 6) == 0)
			resident = strtol(line + 6, NULL, 10);
	}
	if (file)
		fclose(file);
	for (int fd = 0; fd < 65536; fd++)
		descriptors += fd < 4096 && lseek(fd, 0, SEEK_CUR) >= 0
				       ? 1
				       : fd < 4096 && errno == ESPIPE;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"peak_kib\":%ld,\"resident_kib\":%ld,\"cpu_ms\":%.3f,\"descriptors\":%d}\n", peak,
	       resident,
	       (double)usage.ru_utime.tv_sec * 1e3 + (double)usage.ru_utime.tv_usec / 1e3 +
		       (double)usage.ru_stime.tv_sec * 1e3 + (double)usage.ru_stime.tv_usec / 1e3,
	       descriptors);
	fflush(stdout);
}

static void do_line(char *line)
{
	const char *words[WORDS_MAX] = {NULL};
	size_t count = 0;
	struct job *job;

	for (char *word; count < WORDS_MAX && (word = strsep(&line, "\t")); count++)
		words[count] = word;
	if (strcmp(words[0], "start") == 0) {
		start(words, count);
		return;
	}
	if (strcmp(words[0], "usage") == 0) {
		put_usage();
		return;
	}
	if (count < 2)
		fail(words[0]);
	job = find(words[1]);
	if (!job->command)
		return;
	if (strcmp(words[0], "send") == 0 && count == 3) {
		send_text(job, words[2]);
	} else if (strcmp(words[0], "pour") == 0 && count == 3) {
		job->to_pour += strtoull(words[2], NULL, 10);
		pour(job);
	} else if (strcmp(words[0], "finish") == 0) {
		driver->finish(job->command);
	} else if (strcmp(words[0], "hold") == 0) {
		job->held = 1;
		driver->hold(job->command, true);
	} else if (strcmp(words[0], "sip") == 0) {
		job->sips = 1;
		job->held = 0;
		driver->hold(job->command, false);
	} else if (strcmp(words[0], "release") == 0) {
		job->held = 0;
		driver->hold(job->command, false);
	} else if (strcmp(words[0], "abandon") == 0) {
		driver->abandon(job->command);
		job->command = NULL;
	} else {
		fail(words[0]);
	}
}

/* Reads what is there; false at the end, or at "close". */
static int do_lines(void)
{
	static char *pending;
	static size_t length, capacity;
	char *line, *end;
	ssize_t got;

	if (capacity - length < 65536) {
		capacity += 262144;
		pending = realloc(pending, capacity);
		if (!pending)
			fail("out of memory");
	}
	got = read(STDIN_FILENO, pending + length, capacity - length - 1);
	if (got <= 0) {
		free(pending);
		return 0;
	}
	length += (size_t)got;
	line = pending;
	while ((end = memchr(line, '\n', length - (size_t)(line - pending)))) {
		*end = '\0';
		if (strcmp(line, "close") == 0) {
			free(pending);
			return 0;
		}
		do_line(line);
		line = end + 1;
	}
	length -= (size_t)(line - pending);
	memmove(pending, line, length);
	return 1;
}

static void run(void)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			       {.fd = driver->fd(transport), .events = POLLIN}};

	for (;;) {
		int64_t due = driver->deadline(transport), now = boot_now();
		int timeout = due == INT64_MAX ? -1
			      : due <= now     ? 0
			      : due - now > INT64_C(100000000000)
				      ? 100000
				      : (int)((due - now) / 1000000) + 1;
		int count = poll(fds, 2, timeout);

		if (count < 0 && errno != EINTR)
			fail("poll");
		if (count == 0 || fds[1].revents) {
			dispatching = 1;
			driver->dispatch(transport);
			dispatching = 0;
		}
		if (count > 0 && fds[0].revents && !do_lines())
			return;
	}
}

int main(int argc, char **argv)
{
	struct spk_driver_setting settings[SETTINGS_MAX];
	struct spk_reason_buffer reason = {{0}};
	struct err err = {{0}};
	size_t count = 0;

	if (argc < 3)
		fail("usage: transport-client DIRECTORY DRIVER [NAME=VALUE...]");
	driver_set_directory(argv[1]);
	driver = (const struct spk_transport_driver *)driver_open("transport", argv[2],
								  sizeof(*driver), &err);
	if (!driver)
		fail(err.text);
	for (int i = 3; i < argc && count < SETTINGS_MAX; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			fail(argv[i]);
		*value = '\0';
		settings[count++] = (struct spk_driver_setting){argv[i], value + 1};
	}
	transport = driver->open(settings, count, &calls, &reason);
	printf("{\"open\":%s", transport ? "true" : "false");
	put_text("reason", reason.text);
	printf("}\n");
	fflush(stdout);
	if (transport) {
		run();
		driver->close(transport);
	}
	while (jobs) {
		struct job *job = jobs;

		jobs = job->next;
		free(job->streams[0].first);
		free(job->streams[1].first);
		free(job);
	}
	return 0;
}
