/* SPDX-License-Identifier: Apache-2.0 */
/* Those who are told of runs (kind "notify"), and servers of HTTP. */
#include "outside.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <spicerack/clock.h>

#include "../runtime/mem.h"
#include "../runtime/testing.h"
#include "recording.h"
#include "world.h"

static void *open_notifier(const struct spk_driver_setting *settings, size_t count,
			   struct spk_reason_buffer *reason)
{
	return world_here();
}

static void close_notifier(void *notifier, struct spk_notify_call *call)
{
}

static enum spk_notify_status send_notice(void *notifier, const struct spk_notice *notice,
					  struct spk_notify_call *call)
{
	if (notice->text)
		world_happened(notifier, "announced %s", notice->text);
	return SPK_NOTIFY_SENT;
}

const struct spk_notify_driver outside_notify = {
	.driver = {.size = sizeof(outside_notify),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "notify",
		   .name = OUTSIDE_NAME},
	.open = open_notifier,
	.close = close_notifier,
	.send = send_notice,
};

/* ---- HTTP ---- */

static void *open_http(struct spk_reason_buffer *reason)
{
	return world_here();
}

static void close_http(void *client)
{
}

/* What a driver makes of some. */
static void read_header(const char *name, const char *value, struct spk_http_reply *ret)
{
	if (strcasecmp(name, "Location") == 0 && ret->status / 100 == 3)
		ret->redirect = world_text(world_here(), value);
	if (strcasecmp(name, "Retry-After") == 0)
		ret->retry_after_ns = strtoll(value, NULL, 10) * 1000000000;
}

/* `Name: value` each. */
static void tell_headers(const char *lines, const struct spk_http_calls *calls, void *data,
			 struct spk_http_reply *ret)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");
		char *line = xstrndup(lines, length), *colon = strchr(line, ':');

		if (colon) {
			*colon = '\0';
			colon += 1 + strspn(colon + 1, " ");
			read_header(line, colon, ret);
			calls->header(data, line, colon);
		}
		free(line);
		lines += length + (lines[length] == '\n');
	}
}

static enum spk_http_end answer(const struct spk_test_reply *reply, const char *request,
				const struct spk_http_order *order,
				const struct spk_http_calls *calls, void *data,
				struct spk_http_reply *ret)
{
	int64_t until;

	if (!reply) {
		snprintf(ret->reason.text, sizeof(ret->reason.text),
			 "the test does not say how %.180s is answered", request);
		return SPK_HTTP_UNUSABLE;
	}
	if (__builtin_add_overflow(spk_uptime().ns, reply->took.ns, &until) || reply->hangs ||
	    until > order->deadline_ns) {
		testing_sleep_until(order->deadline_ns);
		snprintf(ret->reason.text, sizeof(ret->reason.text), "no answer, the test says");
		return SPK_HTTP_LATE;
	}
	testing_sleep_until(until);
	if (reply->end && reply->end != RECORDED_END) {
		snprintf(ret->reason.text, sizeof(ret->reason.text),
			 "no connection, the test says");
		return reply->end & RECORDED_END ? reply->end & ~RECORDED_END : SPK_HTTP_UNSENT;
	}
	ret->status = reply->code ? reply->code : 200;
	tell_headers(reply->err, calls, data, ret);
	if (*reply->out && !calls->body(data, reply->out, strlen(reply->out)))
		return SPK_HTTP_STOPPED;
	return SPK_HTTP_ANSWERED;
}

static enum spk_http_end exchange(void *client, const struct spk_http_order *order,
				  const struct spk_http_calls *calls, void *data,
				  struct spk_http_reply *ret)
{
	char *request = xasprintf("%s %s", order->method, order->url);
	char *step = xasprintf("http %s", request);
	const struct spk_test_reply *reply;
	enum spk_http_end end;

	if (world_step(true, world_is_undoing(), step)) {
		snprintf(ret->reason.text, sizeof(ret->reason.text), "the test has it fail");
		end = SPK_HTTP_UNSENT;
	} else {
		reply = world_reply(client, RULE_HTTP, "*", request);
		end = !reply && recording_is_on() ? record_http(request, order, calls, data, ret)
						  : answer(reply, request, order, calls, data, ret);
	}
	if (end == SPK_HTTP_ANSWERED)
		world_happened_on(client, NULL, request, "%s -> %d", step, ret->status);
	else
		world_happened_on(client, NULL, request, "%s -> %s", step, ret->reason.text);
	free(request);
	free(step);
	return end;
}

const struct spk_http_driver outside_http = {
	.driver = {.size = sizeof(outside_http),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "http",
		   .name = "curl"},
	.open = open_http,
	.close = close_http,
	.exchange = exchange,
};
