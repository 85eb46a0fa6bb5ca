/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of locks by hand, for tests: lock-client DIRECTORY DRIVER [NAME=VALUE...] opens the
 * driver and does what its standard input says, one line each, words between tabs; the answers are
 * lines of JSON. A call is enter KEY ID CONCURRENCY TTL    wait KEY ID    leave KEY ID    renew
 * list [KEY] remove KEY ID    freeze KEY ID TTL REASON    close and before it may come within
 * SECONDS    cancel SECONDS for its deadline (20 s) and for when its descriptor becomes readable.
 *
 *     contend SOCKET KEY CONCURRENCY TIMES MILLISECONDS
 * takes the lock so many times and writes to the witness at that socket what happens.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../../core/runtime/driver.h"

#define NS INT64_C(1000000000)
#define WORDS_MAX 16
#define SETTINGS_MAX 16

static const struct spk_lock_driver *driver;
static void *store;
static struct spk_lock_call call;
static double within = 20;

static const char *const status_names[] = {
	"OK",          "WAITING", "TIMEOUT", "CANCELLED", "LOST",
	"UNREACHABLE", "REFUSED", "MISSING", "BUSY",
};

static void fail(const char *what)
{
	fprintf(stderr, "lock-client: %s\n", what);
	exit(2);
}

static int64_t boot_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

static void put_text(const char *name, const char *text)
{
	printf(",\"%s\":", name);
	if (!text) {
		printf("null");
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void put_entry(void *data, const struct spk_lock_entry *entry)
{
	(void)data;
	printf("{\"place\":%u", entry->place);
	put_text("key", entry->key);
	put_text("id", entry->id);
	put_text("owner", entry->owner);
	put_text("cookbook", entry->cookbook);
	put_text("reason", entry->reason);
	printf(",\"created_ns\":%" PRId64 ",\"ttl_ns\":%" PRId64
	       ",\"concurrency\":%d,\"fence\":%" PRIu64 "}\n",
	       entry->created_ns, entry->ttl_ns, entry->concurrency, entry->fence);
}

static void put_status(enum spk_lock_status status, int64_t began,
		       const struct spk_lock_entry *entry)
{
	printf("{\"status\":\"%s\",\"ms\":%.3f", status_names[status],
	       (double)(boot_now() - began) / 1e6);
	put_text("reason", call.reason.text);
	if (entry)
		printf(",\"place\":%u,\"fence\":%" PRIu64 ",\"created_ns\":%" PRId64, entry->place,
		       entry->fence, entry->created_ns);
}

static void arm(int fd, double seconds)
{
	struct itimerspec when = {
		.it_value = {.tv_sec = (time_t)seconds,
			     .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)}};

	if (timerfd_settime(fd, 0, &when, NULL) < 0)
		fail("timerfd_settime");
}

static struct spk_lock_entry entry_of(const char *const *words, size_t count)
{
	static char owner[64];

	snprintf(owner, sizeof(owner), "tester@host1 [%d]", getpid());
	return (struct spk_lock_entry){
		.size = sizeof(struct spk_lock_entry),
		.key = count > 1 ? words[1] : "",
		.id = count > 2 ? words[2] : "",
		.owner = owner,
		.cookbook = "test.cookbook",
		.ttl_ns = count > 4 ? (int64_t)(strtod(words[4], NULL) * 1e9) : NS,
		.concurrency = count > 3 ? (int32_t)strtol(words[3], NULL, 10) : 1,
	};
}

static void do_call(const char *const *words, size_t count)
{
	int64_t until = 0, next = 0, began = boot_now();
	struct spk_lock_entry entry = entry_of(words, count);
	enum spk_lock_status status = SPK_LOCK_REFUSED;
	const char *name = words[0];

	call.deadline_ns = began + (int64_t)(within * 1e9);
	call.reason.text[0] = '\0';
	if (strcmp(name, "enter") == 0) {
		status = driver->enter(store, &entry, put_entry, NULL, &call);
	} else if (strcmp(name, "wait") == 0) {
		status = driver->wait(store, &entry, put_entry, NULL, &call);
	} else if (strcmp(name, "leave") == 0) {
		status = driver->leave(store, &entry, &call);
	} else if (strcmp(name, "renew") == 0) {
		status = driver->renew(store, &until, &next, &call);
	} else if (strcmp(name, "list") == 0) {
		status = driver->list(store, count > 1 ? words[1] : NULL, put_entry, NULL, &call);
	} else if (strcmp(name, "remove") == 0 && count > 2) {
		status = driver->remove(store, words[1], words[2], &call);
	} else if (strcmp(name, "freeze") == 0 && count > 4) {
		entry.ttl_ns = (int64_t)(strtod(words[3], NULL) * 1e9);
		entry.reason = words[4];
		status = driver->freeze(store, &entry, &call);
	} else if (strcmp(name, "close") == 0) {
		driver->close(store, &call);
		store = NULL;
		status = SPK_LOCK_OK;
	} else {
		fail(name);
	}
	put_status(status, began, &entry);
	if (strcmp(name, "renew") == 0)
		printf(",\"until\":%.3f,\"next\":%.3f",
		       until == INT64_MAX ? -1 : (double)(until - boot_now()) / 1e9,
		       next == INT64_MAX ? -1 : (double)(next - boot_now()) / 1e9);
	printf("}\n");
	fflush(stdout);
	if (call.cancel_fd >= 0)
		arm(call.cancel_fd, 0);
	within = 20;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail("cannot reach the witness");
	return fd;
}

/* One line to the witness, and one back: 'y' when it accepts. */
static char tell(int witness, const char *verb, const char *id, uint64_t fence)
{
	char line[128], answer = 0;
	int length = snprintf(line, sizeof(line), "%s %s %" PRIu64 "\n", verb, id, fence);

	if (write(witness, line, (size_t)length) != length || read(witness, &answer, 1) != 1)
		fail("the witness is gone");
	return answer;
}

static void new_id(char id[static 37])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		fail("getrandom");
	snprintf(id, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

/* Renews when due. False when the lock must not be used any more. */
static bool keep_up(int64_t *until, int64_t *next)
{
	struct spk_lock_call renewal = {.deadline_ns = *until, .cancel_fd = -1};
	enum spk_lock_status status;

	if (boot_now() < *next)
		return boot_now() < *until;
	status = driver->renew(store, until, next, &renewal);
	return status != SPK_LOCK_LOST && boot_now() < *until;
}

static enum spk_lock_status get(struct spk_lock_entry *entry)
{
	enum spk_lock_status status;
	int64_t until, next;

	do {
		call.deadline_ns = boot_now() + 20 * NS;
		status = driver->enter(store, entry, NULL, NULL, &call);
		if (status == SPK_LOCK_BUSY)
			usleep(300000);
	} while (status == SPK_LOCK_BUSY || status == SPK_LOCK_UNREACHABLE ||
		 status == SPK_LOCK_TIMEOUT);
	while (status == SPK_LOCK_WAITING || status == SPK_LOCK_TIMEOUT ||
	       status == SPK_LOCK_UNREACHABLE) {
		call.deadline_ns = boot_now() + NS;
		driver->renew(store, &until, &next, &call);
		call.deadline_ns = boot_now() + NS;
		status = driver->wait(store, entry, NULL, NULL, &call);
	}
	return status;
}

static void contend(const char *const *words)
{
	int witness = connect_to(words[1]);
	long times = strtol(words[4], NULL, 10), ms = strtol(words[5], NULL, 10);
	char id[37];

	for (long i = 0; i < times; i++) {
		const char *as[] = {"enter", words[2], id, words[3], "300"};
		int64_t until = INT64_MAX, next = 0, end;
		struct spk_lock_entry entry;
		enum spk_lock_status status;
		bool good = true;

		new_id(id);
		entry = entry_of(as, 5);
		status = get(&entry);
		if (status != SPK_LOCK_OK) {
			tell(witness, status_names[status], id, 0);
			fprintf(stderr, "%s: %s\n", status_names[status], call.reason.text);
			continue;
		}
		call.deadline_ns = boot_now() + 10 * NS;
		good = driver->renew(store, &until, &next, &call) == SPK_LOCK_OK;
		if (good)
			tell(witness, "in", id, entry.fence);
		/* The work: steps, each of which looks whether the lock is still ours. */
		for (end = boot_now() + ms * 1000000; good && boot_now() < end;
		     good = keep_up(&until, &next))
			usleep(500);
		if (good)
			tell(witness, "out", id, entry.fence);
		else
			tell(witness, "lost", id, entry.fence);
		do {
			call.deadline_ns = boot_now() + 20 * NS;
			status = driver->leave(store, &entry, &call);
		} while (status == SPK_LOCK_TIMEOUT || status == SPK_LOCK_UNREACHABLE);
	}
	close(witness);
	printf("{\"status\":\"OK\"}\n");
	fflush(stdout);
}

static void do_line(char *line)
{
	const char *words[WORDS_MAX] = {NULL};
	size_t count = 0;

	for (char *word; count < WORDS_MAX && (word = strsep(&line, "\t")); count++)
		words[count] = word;
	if (strcmp(words[0], "within") == 0 && count == 2)
		within = strtod(words[1], NULL);
	else if (strcmp(words[0], "cancel") == 0 && count == 2)
		arm(call.cancel_fd, strtod(words[1], NULL));
	else if (strcmp(words[0], "contend") == 0 && count == 6)
		contend(words);
	else
		do_call(words, count);
}

int main(int argc, char **argv)
{
	struct spk_lock_setting settings[SETTINGS_MAX];
	struct spk_reason_buffer reason = {{0}};
	size_t count = 0, size = 0;
	struct err err = {{0}};
	char *line = NULL;
	ssize_t length;

	if (argc < 3)
		fail("usage: lock-client DIRECTORY DRIVER [NAME=VALUE...]");
	driver_set_directory(argv[1]);
	driver = (const struct spk_lock_driver *)driver_open("lock", argv[2], sizeof(*driver),
							     &err);
	if (!driver)
		fail(err.text);
	for (int i = 3; i < argc && count < SETTINGS_MAX; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			fail(argv[i]);
		*value = '\0';
		settings[count++] = (struct spk_lock_setting){argv[i], value + 1};
	}
	call.cancel_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	store = driver->open(settings, count, &reason);
	printf("{\"status\":\"%s\"", store ? "OK" : "REFUSED");
	put_text("reason", reason.text);
	printf("}\n");
	fflush(stdout);
	while (store && (length = getline(&line, &size, stdin)) > 0) {
		line[length - 1] = '\0';
		do_line(line);
	}
	free(line);
	if (store) {
		call.deadline_ns = boot_now() + 2 * NS;
		driver->close(store, &call);
	}
	return 0;
}
