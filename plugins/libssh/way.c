/* SPDX-License-Identifier: Apache-2.0 */
#include "way.h"

#include "../base/memory.h"
#include "dial.h"
#include "proxy.h"
#include "relay.h"

/* One of them. */
struct way {
	struct dial *dial;
	struct relay *relay;
	struct proxy *proxy;
	way_done *done;
	void *data;
};

static void dialled(void *data, int fd, const struct end *end)
{
	struct way *way = data;

	way->dial = NULL;
	way->done(way->data, fd, end);
}

static void arrived(void *data, int fd, const struct end *end)
{
	struct way *way = data;

	way->done(way->data, fd, end);
}

struct way *way_open(struct host *host, int64_t deadline_ns, way_done *done, void *data)
{
	struct transport *transport = host->transport;
	const struct target *target = host->target;
	const struct dial_place place = {.host = target->host,
					 .port = target->port,
					 .family = target->family,
					 .source = target->source,
					 .keep_alive = target->keep_alive};
	struct way *way = memory_new(1, sizeof(*way));

	way->done = done;
	way->data = data;
	if (target->jump_host)
		way->relay = relay_open(host, deadline_ns, arrived, way);
	else if (target->proxy_command)
		way->proxy = proxy_open(transport, target->proxy_command, arrived, way);
	else
		way->dial = dial_begin(transport->loop, transport->resolver, &place, deadline_ns,
				       dialled, way);
	return way;
}

void way_close(struct way *way)
{
	if (!way)
		return;
	dial_cancel(way->dial);
	relay_close(way->relay);
	proxy_close(way->proxy);
	memory_free(way);
}

const char *way_explain(struct way *way, char *text, size_t size)
{
	*text = '\0';
	if (way->proxy)
		proxy_explain(way->proxy, text, size);
	else if (way->relay)
		relay_explain(way->relay, text, size);
	return text;
}
