/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells a relay of IRC, such as tcpircbot: a connection for each message, its bytes without a
 * newline, closed. No answer comes.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../net/dial.h"

SPK_API extern const struct spk_notify_driver spk_driver;

/* All of a message must be over by then. */
#define LIMIT_NS INT64_C(1000000000)

struct relay {
	char host[NI_MAXHOST], port[16];
};

static void *open_relay(const struct spk_driver_setting *settings, size_t count,
			struct spk_reason_buffer *reason)
{
	const char *host = net_setting(settings, count, "tcpircbot_host");
	const char *port = net_setting(settings, count, "tcpircbot_port");
	struct relay *relay;

	if (!host || !port) {
		net_refuse(reason, "'tcpircbot_host' and 'tcpircbot_port' are not both set");
		return NULL;
	}
	if (strlen(host) >= sizeof(relay->host) || strlen(port) >= sizeof(relay->port)) {
		net_refuse(reason, "'tcpircbot_host' or 'tcpircbot_port' is too long");
		return NULL;
	}
	relay = calloc(1, sizeof(*relay));
	if (!relay) {
		net_refuse(reason, "out of memory");
		return NULL;
	}
	snprintf(relay->host, sizeof(relay->host), "%s", host);
	snprintf(relay->port, sizeof(relay->port), "%s", port);
	return relay;
}

static void close_relay(void *data, struct spk_notify_call *call)
{
	free(data);
}

static enum spk_notify_status send_notice(void *data, const struct spk_notice *notice,
					  struct spk_notify_call *call)
{
	const int64_t limit = net_now() + LIMIT_NS;
	const struct relay *relay = data;
	int fd, rc;

	if (!notice->text)
		return SPK_NOTIFY_SENT;
	if (limit < call->deadline_ns)
		call->deadline_ns = limit;
	fd = net_dial(relay->host, relay->port, call);
	if (fd < 0)
		return SPK_NOTIFY_AGAIN;
	rc = net_send(fd, notice->text, strlen(notice->text), call);
	close(fd);
	/* Some of it may have come through: it is not said twice. */
	return rc == 0 ? SPK_NOTIFY_SENT : SPK_NOTIFY_FAILED;
}

const struct spk_notify_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_notify_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "notify",
		   .name = "relay"},
	.open = open_relay,
	.close = close_relay,
	.send = send_notice,
};
