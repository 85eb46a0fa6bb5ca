/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-remote-drive DRIVER FAN_OUT ROUNDS COMMAND SECONDS [NAME=VALUE...]: runs the command on
 * each host named on stdin, one a line, by a transport's table and nothing else, no more than
 * FAN_OUT at a time and with SECONDS to connect, then again on the open connections, ROUNDS times.
 * One that has not ended three times as long after its start is abandoned. DRIVER is the file,
 * NAME=VALUE its settings. Prints of each round, in one line: the hosts that exited with 0, those
 * that did not, bytes of output, and in microseconds the wall time and the processor time of this
 * process and of those it has waited for. Of each failure the host, kind, exit code and reason go
 * to stderr, between tabs.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <spicerack/plugin.h>

struct round {
	size_t started, good, bad, running;
	uint64_t bytes;
	int64_t patience_ns;
};

struct job {
	const char *name;
	void *command;       /* NULL: it has ended */
	int64_t deadline_ns; /* INT64_MAX: it has not started */
};

static struct round current;

/* By the clock that a driver's deadlines are of. */
static int64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int64_t now_us(void)
{
	return now_ns() / 1000;
}

static int64_t processor_us(void)
{
	int64_t total = 0;
	struct rusage usage;

	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		getrusage(who, &usage);
		total += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
			 usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
	}
	return total;
}

static void started(void *data)
{
	struct job *job = data;

	job->deadline_ns = now_ns() + 3 * current.patience_ns;
}

static void output(void *data, int stream, const char *bytes, size_t length)
{
	current.bytes += length;
}

static void room(void *data)
{
}

static void ended(void *data, const struct spk_transport_end *end)
{
	struct job *job = data;

	job->command = NULL;
	current.running--;
	if (end->kind == SPK_TRANSPORT_EXITED && end->exit_code == 0) {
		current.good++;
		return;
	}
	current.bad++;
	fprintf(stderr, "%s\t%" PRIu32 "\t%" PRId32 "\t%s\n", job->name, end->kind, end->exit_code,
		end->reason ? end->reason : "");
}

static const struct spk_transport_calls calls = {
	.size = sizeof(calls),
	.started = started,
	.output = output,
	.room = room,
	.ended = ended,
};

/* The names on stdin. */
static char **read_names(size_t *ret_count)
{
	char **names = NULL, *line = NULL;
	size_t count = 0, room_for = 0;
	ssize_t length;

	while ((length = getline(&line, &room_for, stdin)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		names = realloc(names, (count + 1) * sizeof(*names));
		if (!names)
			return NULL;
		names[count++] = line;
		line = NULL;
		room_for = 0;
	}
	free(line);
	*ret_count = count;
	return names;
}

/* Those whose time is over; when that of the next is. */
static int64_t abandon_late(const struct spk_transport_driver *driver, struct job *jobs,
			    size_t count)
{
	int64_t time = now_ns(), next = INT64_MAX;

	for (size_t i = 0; i < count; i++) {
		const struct spk_transport_end end = {
			.size = sizeof(end),
			.kind = SPK_TRANSPORT_LOST,
			.reason = "abandoned: it has not ended in time",
		};

		if (!jobs[i].command)
			continue;
		if (jobs[i].deadline_ns <= time) {
			driver->abandon(jobs[i].command);
			ended(&jobs[i], &end);
		} else if (jobs[i].deadline_ns < next) {
			next = jobs[i].deadline_ns;
		}
	}
	return next;
}

static void wait_and_dispatch(const struct spk_transport_driver *driver, void *transport,
			      int64_t deadline)
{
	struct pollfd ready = {.fd = driver->fd(transport), .events = POLLIN};
	int64_t due = driver->deadline(transport), left;
	struct timespec span = {0};

	if (due < deadline)
		deadline = due;
	left = deadline - now_ns();
	if (left > 0) {
		span.tv_sec = left / 1000000000;
		span.tv_nsec = left % 1000000000;
	}
	ppoll(&ready, 1, deadline == INT64_MAX ? NULL : &span, NULL);
	driver->dispatch(transport);
}

/* The command on all of them, once. */
static int run(const struct spk_transport_driver *driver, void *transport, char **names,
	       size_t count, size_t fan_out, const char *text, int64_t seconds)
{
	struct job *jobs = calloc(count, sizeof(*jobs));
	struct spk_reason_buffer reason;

	if (!jobs)
		return -1;
	current = (struct round){.patience_ns = seconds * INT64_C(1000000000)};
	while (current.started < count || current.running > 0) {
		while (current.started < count && current.running < fan_out) {
			struct job *job = &jobs[current.started];
			const struct spk_transport_command command = {
				.size = sizeof(command),
				.host = names[current.started],
				.command = text,
				.connect_timeout_ns = current.patience_ns,
				.data = job,
			};

			*job = (struct job){.name = command.host, .deadline_ns = INT64_MAX};
			current.started++;
			current.running++;
			job->command = driver->start(transport, &command, &reason);
			if (!job->command) {
				fprintf(stderr, "bench-remote-drive: %s\n", reason.text);
				free(jobs);
				return -1;
			}
		}
		wait_and_dispatch(driver, transport, abandon_late(driver, jobs, current.started));
	}
	free(jobs);
	return 0;
}

static const struct spk_transport_driver *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	const struct spk_transport_driver *driver = library ? dlsym(library, "spk_driver") : NULL;

	if (!driver)
		fprintf(stderr, "bench-remote-drive: %s\n", dlerror());
	return driver;
}

int main(int argc, char **argv)
{
	struct spk_driver_setting settings[16];
	struct spk_reason_buffer reason;
	size_t count, used = 0;

	if (argc < 6)
		return EXIT_FAILURE;
	for (int i = 6; i < argc && used < 16; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			return EXIT_FAILURE;
		*value = '\0';
		settings[used].name = argv[i];
		settings[used++].value = value + 1;
	}
	const struct spk_transport_driver *driver = load(argv[1]);
	char **names = read_names(&count);

	if (!driver || !names)
		return EXIT_FAILURE;
	/* What comes before the first command counts to it. */
	int64_t begin = now_us(), before = 0;
	void *transport = driver->open(settings, used, &calls, &reason);

	if (!transport) {
		fprintf(stderr, "bench-remote-drive: %s\n", reason.text);
		return EXIT_FAILURE;
	}
	for (long rounds = strtol(argv[3], NULL, 10); rounds > 0; rounds--) {
		if (run(driver, transport, names, count, strtoul(argv[2], NULL, 10), argv[4],
			strtol(argv[5], NULL, 10)) < 0)
			return EXIT_FAILURE;
		int64_t end = now_us(), after = processor_us();

		printf("%zu %zu %" PRIu64 " %" PRId64 " %" PRId64 "\n", current.good, current.bad,
		       current.bytes, end - begin, after - before);
		fflush(stdout);
		begin = end;
		before = after;
	}
	driver->close(transport);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}
