/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../runtime/buf.h"
#include "../runtime/hostset.h"
#include "../runtime/protocol.h"

/* How long an interruption may be on its way to a worker. */
#define INTERRUPT_MS 5000

static struct world *here;
static bool (*undoing_there)(void);

struct world *world_here(void)
{
	return here;
}

void world_set_here(struct world *world)
{
	here = world;
}

bool world_is_undoing(void)
{
	return undoing_there && undoing_there();
}

void world_ask_undoing(bool (*is_undoing)(void))
{
	undoing_there = is_undoing;
}

struct world *world_new(void)
{
	struct world *world = mmap(NULL, WORLD_SIZE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (world == MAP_FAILED)
		return NULL;
	world->used = sizeof(*world);
	world->last_rule = &world->rules;
	return world;
}

void world_free(struct world *world)
{
	if (world)
		munmap(world, WORLD_SIZE);
}

void *world_alloc(struct world *world, size_t size)
{
	size_t at = atomic_fetch_add(&world->used, (size + 15) & ~(size_t)15);

	if (size > WORLD_SIZE || at > WORLD_SIZE - size) {
		fputs("spicerack-testing: the world of the test is full\n", stderr);
		_exit(1);
	}
	return (char *)world + at;
}

const char *world_text(struct world *world, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;

	return text ? memcpy(world_alloc(world, size), text, size) : NULL;
}

/* ---- rules ---- */

static struct rule *add_rule(struct world *world, enum rule_kind kind, const char *where,
			     const char *pattern, const struct spk_test_reply *reply)
{
	struct rule *rule = world_alloc(world, sizeof(*rule));

	if (reply)
		memcpy(&rule->reply, reply,
		       reply->size < sizeof(rule->reply) ? reply->size : sizeof(rule->reply));
	rule->kind = kind;
	rule->where = world_text(world, where);
	rule->pattern = world_text(world, pattern);
	rule->reply.out = world_text(world, rule->reply.out ? rule->reply.out : "");
	rule->reply.err = world_text(world, rule->reply.err ? rule->reply.err : "");
	*world->last_rule = rule;
	world->last_rule = &rule->next;
	return rule;
}

void world_add_rule(struct world *world, enum rule_kind kind, const char *where,
		    const char *pattern, const struct spk_test_reply *reply)
{
	add_rule(world, kind, where, pattern, reply)->exactly = kind == RULE_QUERY;
}

void world_add_exactly(struct world *world, enum rule_kind kind, const char *where,
		       const char *what, const struct spk_test_reply *reply)
{
	add_rule(world, kind, where, what, reply)->exactly = true;
}

bool world_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool world_is_among(const char *hosts, const char *name)
{
	struct hostset *set;
	struct err err;
	bool is;

	if (strcmp(hosts, "*") == 0)
		return true;
	if (hostset_parse(hosts, strlen(hosts), &set, &err) < 0) {
		fprintf(stderr, "spicerack-testing: no set of hosts: %s\n", err.text);
		_exit(1);
	}
	is = hostset_has(set, name);
	hostset_free(set);
	return is;
}

const struct spk_test_reply *world_reply(struct world *world, enum rule_kind kind,
					 const char *where, const char *what)
{
	for (struct rule *rule = world->rules; rule; rule = rule->next) {
		if (rule->kind != kind || !world_is_among(rule->where, where) ||
		    (rule->exactly ? strcmp(rule->pattern, what) != 0
				   : !world_matches(rule->pattern, what)))
			continue;
		if (atomic_fetch_add(&rule->used, 1) < rule->reply.times || !rule->reply.times)
			return &rule->reply;
	}
	return NULL;
}

/* ---- what happens ---- */

__attribute__((__format__(__printf__, 4, 0))) static void happened(struct world *world,
								   const char *host,
								   const char *what,
								   const char *format, va_list args)
{
	struct happening *happening = world_alloc(world, sizeof(*happening));
	struct buf text = {0};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	buf_vprintf(&text, format, args);
	happening->time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	happening->line = world_text(world, buf_text(&text));
	happening->host = world_text(world, host);
	happening->what = world_text(world, what);
	buf_free(&text);
	happening->next = atomic_load(&world->happened);
	while (!atomic_compare_exchange_weak(&world->happened, &happening->next, happening))
		;
}

void world_happened(struct world *world, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	happened(world, NULL, NULL, format, args);
	va_end(args);
}

void world_happened_on(struct world *world, const char *host, const char *what, const char *format,
		       ...)
{
	va_list args;

	va_start(args, format);
	happened(world, host, what, format, args);
	va_end(args);
}

/* ---- steps ---- */

/* As the operator's Ctrl+C; it goes on when it has reached this process. */
static void interrupt(const struct world *world)
{
	struct pollfd interrupt = {.fd = RUNNER_INTERRUPT_FD, .events = POLLIN};

	kill(world->supervisor, SIGINT);
	poll(&interrupt, 1, INTERRUPT_MS);
}

bool world_step(bool fallible, bool undoing, const char *what)
{
	struct world *world = here;
	struct world_step *step;
	uint32_t number;

	if (!world)
		return false;
	number = atomic_fetch_add(&world->steps, 1) + 1;
	if (world->troubled == 0) {
		step = world_alloc(world, sizeof(*step));
		*step = (struct world_step){
			.next = world->seen,
			.what = world_text(world, what),
			.fallible = fallible,
			.undoing = undoing,
			.host = getpid() == world->supervisor,
		};
		world->seen = step;
	}
	if (number != world->troubled)
		return false;
	world_happened(world, "TROUBLE: %s at %s",
		       world->trouble == SPK_TEST_FAILURE     ? "failure"
		       : world->trouble == SPK_TEST_INTERRUPT ? "Ctrl+C"
							      : "crash",
		       what);
	switch (world->trouble) {
	case SPK_TEST_FAILURE:
		return fallible;
	case SPK_TEST_INTERRUPT:
		interrupt(world);
		return false;
	default:
		kill(getpid(), SIGKILL);
		pause();
		return false;
	}
}
