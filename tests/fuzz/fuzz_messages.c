/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole run, run_cookbook(), against a hostile worker or a hostile runner. No process is started:
 * the calls that would start, kill or wait for one, the clock and the sinks of the log are
 * replaced in messages_host.c at link time, and the other side acts whenever the supervisor waits.
 * So nothing ever blocks, and time is what the script says.
 *
 * The first byte of the input: flags (enum). The rest is the script, one letter per act, see
 * act() in messages_script.c. No `u` is ever sent, so that a record of the module `run` is the
 * supervisor's own.
 */
#include "messages.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../core/runtime/descendants.h"
#include "shown.h"

#define WAITS_MAX 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct other_side other;

static int lowest_free;

/* ---- waiting ---- */

static int ready_now(struct pollfd *fds, nfds_t count)
{
	static int (*real)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	struct timespec at_once = {0};

	if (!real)
		real = (int (*)(struct pollfd *, nfds_t, const struct timespec *,
				const sigset_t *))dlsym(RTLD_NEXT, "ppoll");
	return real(fds, count, &at_once, NULL);
}

/* The script is over: the worker dies, its successor, too, then the runner. */
static void end_of_script(void)
{
	if ((other.flags & HONEST_RUNNER) && now()->child && other.deaths++ < 2)
		send_gone(SIGSEGV, SIGSEGV);
	else
		close_ends(now());
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	int ready;

	EXPECT(++other.waits < WAITS_MAX);
	serve();
	while ((ready = ready_now(fds, count)) == 0 && other.begun && other.at < other.end) {
		play();
		serve();
	}
	if (ready != 0)
		return ready;
	if (timeout) {
		other.now_ns += timeout->tv_sec * 1000000000LL + timeout->tv_nsec + 1;
		return 0;
	}
	for (int i = 0; i < 2 && ready == 0; i++) {
		EXPECT(now()->control >= 0);
		end_of_script();
		ready = ready_now(fds, count);
	}
	/* Nobody is left to wake the supervisor. */
	EXPECT(ready != 0);
	return ready;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int ready = ready_now(fds, count);

	if (ready != 0 || timeout == 0 || !other.playing)
		return ready;
	serve();
	ready = ready_now(fds, count);
	EXPECT(ready != 0 || timeout > 0);
	if (ready == 0)
		other.now_ns += timeout * 1000000LL;
	return ready;
}

/* ---- one run ---- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	EXPECT(null >= 0 && dup2(null, STDOUT_FILENO) >= 0);
	close(null);
	signal(SIGPIPE, SIG_IGN);
	lowest_free = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	close(lowest_free);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct identity identity = {.user = "jdoe", .host = "host", .pid = 4860};
	static char name[] = "fuzz", file[] = "/nonexistent/fuzz.so", owner[] = "infra";
	struct run_options options = {.identity = &identity};
	int code, probe;

	if (size < 1 || size > 65536)
		return 0;
	memset(&other, 0, sizeof(other));
	other.at = data + 1;
	other.end = data + size;
	other.flags = data[0];
	other.typed = -1;
	other.begun = !(other.flags & HONEST_RUNNER) || other.flags >> HONEST_STAGES == 0;
	*now() = (struct ends){-1, -1, -1, -1, -1, -1, -1, false};
	other.now_ns = 1000000000000;
	other.signals = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE | EFD_CLOEXEC);
	EXPECT(other.signals >= 0);
	spec = (struct cookbook_spec){.symbol = "spk_cookbook", .title = "Fuzz", .has_run = true};
	cookbook.name = name;
	cookbook.owner = owner;
	cookbook.file = file;
	spec.has_rollback = other.flags & ROLLBACK;
	options.dry_run = other.flags & DRY_RUN;
	options.verbose = other.flags & VERBOSE;
	other.playing = true;
	code = run_cookbook(&options, &cookbook, 0, NULL, NULL);
	other.playing = false;
	descendants_kill(NULL, 0, 0, NULL);
	buf_free(&other.body);

	EXPECT(code >= 0 && code < 128);
	EXPECT(other.starts == other.ends);
	EXPECT(code == 0 || code >= 90 || other.starts > 0 || code == 2);
	probe = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	EXPECT(probe == lowest_free);
	close(probe);
	return 0;
}
