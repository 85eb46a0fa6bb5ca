/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../net/dial.h"

/* As many as there are names, up to so many; where answers take their time, many more. */
#define THREADS_AT_FIRST 8
#define THREADS_MAX 256
#define PATIENCE_NS INT64_C(100000000)
/* What the modules of the name service are known to live with. */
#define STACK_SIZE (512 * 1024)

struct lookup {
	struct lookup *next;
	char *name, *port;
	int family;
	lookup_done *done; /* NULL: nobody waits for it any more; the loop's thread's own */
	void *data;
	int code;
	struct addrinfo *addresses;
};

struct queue {
	struct lookup *first, **end;
};

/* What the threads share; whoever leaves last frees it. */
struct office {
	pthread_mutex_t mutex;
	pthread_cond_t more;
	struct queue asked, answered;
	size_t waiting; /* in `asked` */
	unsigned threads, idle, users;
	bool closed;
	int news; /* an eventfd: something was answered */
};

struct resolver {
	struct office *office;
	struct loop *loop;
	struct watch watch;
	struct timer timer; /* until more threads are made for those who still wait */
};

static void append(struct queue *queue, struct lookup *lookup)
{
	lookup->next = NULL;
	*queue->end = lookup;
	queue->end = &lookup->next;
}

static struct lookup *take(struct queue *queue)
{
	struct lookup *lookup = queue->first;

	if (!lookup)
		return NULL;
	queue->first = lookup->next;
	if (!queue->first)
		queue->end = &queue->first;
	return lookup;
}

static void lookup_free(struct lookup *lookup)
{
	if (lookup->addresses)
		freeaddrinfo(lookup->addresses);
	memory_free(lookup->name);
	memory_free(lookup->port);
	memory_free(lookup);
}

/* With the mutex held, which it gives back. */
static void leave(struct office *office)
{
	struct lookup *lookup;
	bool last = --office->users == 0;

	pthread_mutex_unlock(&office->mutex);
	if (!last)
		return;
	while ((lookup = take(&office->asked)) || (lookup = take(&office->answered)))
		lookup_free(lookup);
	close(office->news);
	pthread_cond_destroy(&office->more);
	pthread_mutex_destroy(&office->mutex);
	memory_free(office);
}

static void answer(struct lookup *lookup)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_family = lookup->family,
				 .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};

	lookup->code = getaddrinfo(lookup->name, lookup->port, &hints, &lookup->addresses);
	if (lookup->code != 0)
		lookup->addresses = NULL;
}

static void *work(void *data)
{
	struct office *office = data;
	struct lookup *lookup;

	pthread_mutex_lock(&office->mutex);
	while (!office->closed) {
		lookup = take(&office->asked);
		if (!lookup) {
			office->idle++;
			pthread_cond_wait(&office->more, &office->mutex);
			office->idle--;
			continue;
		}
		office->waiting--;
		pthread_mutex_unlock(&office->mutex);
		answer(lookup);
		pthread_mutex_lock(&office->mutex);
		append(&office->answered, lookup);
		eventfd_write(office->news, 1);
	}
	leave(office);
	return NULL;
}

/* With the mutex held. Signals are for others. */
static void make_thread(struct office *office)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (pthread_create(&thread, &attributes, work, office) == 0) {
		office->threads++;
		office->users++;
	}
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the loop's side ---- */

static void hand_out(struct lookup *lookup)
{
	struct addrinfo *addresses = lookup->addresses;
	lookup_done *done = lookup->done;
	void *data = lookup->data;
	int code = lookup->code;

	if (done)
		lookup->addresses = NULL;
	lookup_free(lookup);
	if (done)
		done(data, code, addresses);
}

static void collect(struct watch *watch, uint32_t events)
{
	struct resolver *resolver =
		(struct resolver *)(void *)((char *)watch - offsetof(struct resolver, watch));
	struct office *office = resolver->office;
	struct lookup *lookup;
	eventfd_t ignored;

	eventfd_read(office->news, &ignored);
	do {
		pthread_mutex_lock(&office->mutex);
		lookup = take(&office->answered);
		pthread_mutex_unlock(&office->mutex);
		if (lookup)
			hand_out(lookup);
	} while (lookup);
}

static struct resolver *of_timer(struct timer *timer)
{
	return (struct resolver *)(void *)((char *)timer - offsetof(struct resolver, timer));
}

/* Names whose servers do not answer must not hold up all others. */
static void lose_patience(struct timer *timer)
{
	struct office *office = of_timer(timer)->office;

	pthread_mutex_lock(&office->mutex);
	for (size_t left = office->waiting; left > 0 && office->threads < THREADS_MAX; left--)
		make_thread(office);
	pthread_mutex_unlock(&office->mutex);
}

struct resolver *resolver_new(struct loop *loop)
{
	struct resolver *resolver;
	struct office *office;
	int news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (news < 0)
		return NULL;
	office = memory_new(1, sizeof(*office));
	pthread_mutex_init(&office->mutex, NULL);
	pthread_cond_init(&office->more, NULL);
	office->asked.end = &office->asked.first;
	office->answered.end = &office->answered.first;
	office->news = news;
	office->users = 1;
	resolver = memory_new(1, sizeof(*resolver));
	resolver->office = office;
	resolver->loop = loop;
	resolver->watch = (struct watch){.ready = collect, .fd = news};
	resolver->timer.fire = lose_patience;
	if (loop_watch(loop, &resolver->watch, EPOLLIN))
		return resolver;
	resolver_free(resolver);
	return NULL;
}

void resolver_free(struct resolver *resolver)
{
	struct office *office;

	if (!resolver)
		return;
	office = resolver->office;
	loop_unwatch(resolver->loop, &resolver->watch);
	loop_stop_timer(resolver->loop, &resolver->timer);
	pthread_mutex_lock(&office->mutex);
	office->closed = true;
	pthread_cond_broadcast(&office->more);
	leave(office);
	memory_free(resolver);
}

struct lookup *resolver_ask(struct resolver *resolver, const char *name, const char *port,
			    int family, lookup_done *done, void *data)
{
	struct lookup *lookup = memory_new(1, sizeof(*lookup));
	struct office *office = resolver->office;

	lookup->name = memory_copy(name);
	lookup->port = memory_copy(port);
	lookup->family = family;
	lookup->done = done;
	lookup->data = data;
	pthread_mutex_lock(&office->mutex);
	/* Who is idle may have been called already by those who wait. */
	if (office->idle <= office->waiting && office->threads < THREADS_AT_FIRST)
		make_thread(office);
	if (office->threads > 0) {
		append(&office->asked, lookup);
		office->waiting++;
		pthread_cond_signal(&office->more);
	} else {
		lookup->code = EAI_AGAIN;
		append(&office->answered, lookup);
		eventfd_write(office->news, 1);
	}
	if (!resolver->timer.place && office->waiting > office->idle)
		loop_set_timer(resolver->loop, &resolver->timer, net_now() + PATIENCE_NS);
	pthread_mutex_unlock(&office->mutex);
	return lookup;
}

void lookup_cancel(struct lookup *lookup)
{
	lookup->done = NULL;
}
