/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <arpa/inet.h>
#include <string.h>

#include "../base/memory.h"
#include "../net/attend.h"
#include "../net/dial.h"

/* How often each server is asked, and how long it is waited for, longer each time. */
#define TRIES 3
#define SERVER_MS_MIN 200
#define SERVER_MS_MAX 2000
#define MILLISECOND_NS INT64_C(1000000)

struct delivery {
	bool over;
	int code;
	struct text *answer;
};

static void take_answer(void *data, int code, int timeouts, unsigned char *answer, int length)
{
	struct delivery *delivery = data;

	if (code == ARES_SUCCESS)
		text_add(delivery->answer, answer, (size_t)length);
	delivery->over = true;
	delivery->code = code;
}

/* With all servers tried once, and once more, the time of the call is over. */
static int server_ms(const struct spk_dns_question *question, const struct spk_dns_call *call)
{
	size_t servers = question->server_count ? question->server_count : 1;
	int64_t left = (call->deadline_ns - net_now()) / MILLISECOND_NS;
	int64_t share = left / (int64_t)(3 * servers);

	return share < SERVER_MS_MIN ? SERVER_MS_MIN
				     : (int)(share > SERVER_MS_MAX ? SERVER_MS_MAX : share);
}

static int use_servers(ares_channel channel, const struct spk_dns_question *question)
{
	struct ares_addr_port_node *nodes;
	int code = ARES_SUCCESS;

	if (question->server_count == 0)
		return ARES_SUCCESS;
	nodes = memory_new(question->server_count, sizeof(*nodes));
	for (size_t i = 0; i < question->server_count && code == ARES_SUCCESS; i++) {
		const struct spk_dns_server *server = &question->servers[i];

		nodes[i].family = strchr(server->address, ':') ? AF_INET6 : AF_INET;
		nodes[i].udp_port = nodes[i].tcp_port = (int)server->port;
		nodes[i].next = i + 1 < question->server_count ? &nodes[i + 1] : NULL;
		if (inet_pton(nodes[i].family, server->address, &nodes[i].addr) != 1)
			code = ARES_EBADSTR;
	}
	if (code == ARES_SUCCESS)
		code = ares_set_servers_ports(channel, nodes);
	memory_free(nodes);
	return code;
}

/* What a failure of c-ares means. */
static enum spk_dns_status judge(int code, struct spk_reason_buffer *reason)
{
	switch (code) {
	case ARES_SUCCESS:
		return SPK_DNS_ANSWERED;
	case ARES_ETIMEOUT:
		return SPK_DNS_TIMEOUT;
	case ARES_ECONNREFUSED:
		reason_set(reason, "no server is reached");
		return SPK_DNS_FAILED;
	default:
		reason_set(reason, "%s", ares_strerror(code));
		return SPK_DNS_FAILED;
	}
}

/* Once through the servers; *ret_code is what c-ares says. */
static enum spk_dns_status try_servers(const struct spk_dns_question *question,
				       const struct text *packet, int flags, struct text *answer,
				       struct spk_dns_call *call, int *ret_code)
{
	struct ares_options options = {
		.flags = flags | (question->tcp ? ARES_FLAG_USEVC : 0),
		.timeout = server_ms(question, call),
		.tries = TRIES,
	};
	struct delivery delivery = {.answer = answer, .code = ARES_ECANCELLED};
	enum spk_dns_status status;
	ares_channel channel;
	int code = ares_init_options(&channel, &options,
				     ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);

	*ret_code = code;
	if (code != ARES_SUCCESS)
		return judge(code, &call->reason);
	code = *ret_code = use_servers(channel, question);
	if (code != ARES_SUCCESS) {
		ares_destroy(channel);
		return judge(code, &call->reason);
	}
	ares_send(channel, (const unsigned char *)packet->bytes, (int)packet->length, take_answer,
		  &delivery);
	switch (attend(channel, &delivery.over, call->deadline_ns, call->cancel_fd)) {
	case ATTEND_DONE:
		status = judge(delivery.code, &call->reason);
		break;
	case ATTEND_CANCELLED:
		status = SPK_DNS_CANCELLED;
		break;
	default:
		status = SPK_DNS_TIMEOUT;
		break;
	}
	*ret_code = delivery.code;
	ares_destroy(channel);
	return status;
}

enum spk_dns_status exchange(const struct spk_dns_question *question, const struct text *packet,
			     struct text *answer, struct spk_dns_call *call)
{
	enum spk_dns_status status;
	int code;

	status = try_servers(question, packet, 0, answer, call, &code);
	/*
	 * c-ares says the same of servers that cannot be reached and of those that all refuse or
	 * fail: now the first answer counts, whatever it is.
	 */
	if (status == SPK_DNS_FAILED && code == ARES_ECONNREFUSED)
		status = try_servers(question, packet, ARES_FLAG_NOCHECKRESP, answer, call, &code);
	return status;
}
