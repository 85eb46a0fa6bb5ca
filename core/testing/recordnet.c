/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of HTTP and of the DNS: asked for real by the installed drivers, and recorded. */
#include "outside.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../runtime/buf.h"
#include "../runtime/driver.h"
#include "recording.h"
#include "world.h"

/* ---- HTTP ---- */

/* An answer on its way through. */
struct passing {
	const struct spk_http_calls *calls;
	void *data;
	struct buf headers, body;
};

/* What the driver makes of these two is kept instead. */
static void pass_header(void *data, const char *name, const char *value)
{
	struct passing *passing = data;

	if (strcasecmp(name, "Location") != 0 && strcasecmp(name, "Retry-After") != 0)
		buf_printf(&passing->headers, "%s: %s\n", name, value);
	passing->calls->header(passing->data, name, value);
}

static bool pass_body(void *data, const char *bytes, size_t length)
{
	struct passing *passing = data;

	buf_add(&passing->body, bytes, length);
	return passing->calls->body(passing->data, bytes, length);
}

/* The real client of this process. */
static const struct spk_http_driver *open_real(void **ret_client, struct spk_reason_buffer *reason)
{
	static const struct spk_http_driver *real;
	static void *client;
	static pid_t process;
	struct err err;

	if (!real)
		real = (const struct spk_http_driver *)driver_open_installed(
			"http", outside_http.driver.name, sizeof(*real), &err);
	if (!real) {
		snprintf(reason->text, sizeof(reason->text), "%.255s", err.text);
		return NULL;
	}
	if (!client || process != getpid())
		client = real->open(reason);
	process = getpid();
	*ret_client = client;
	return client ? real : NULL;
}

enum spk_http_end record_http(const char *request, const struct spk_http_order *order,
			      const struct spk_http_calls *calls, void *data,
			      struct spk_http_reply *ret)
{
	static const struct spk_http_calls ours = {
		.size = sizeof(ours),
		.header = pass_header,
		.body = pass_body,
	};
	struct passing passing = {.calls = calls, .data = data};
	const struct spk_http_driver *real;
	int64_t began_ns = spk_uptime().ns;
	enum spk_http_end end;
	void *client;

	real = open_real(&client, &ret->reason);
	if (!real)
		return SPK_HTTP_UNUSABLE;
	end = real->exchange(client, order, &ours, &passing, ret);
	if (ret->redirect)
		buf_printf(&passing.headers, "Location: %s\n", ret->redirect);
	if (ret->retry_after_ns)
		buf_printf(&passing.headers, "Retry-After: %lld\n",
			   (long long)((ret->retry_after_ns + 999999999) / 1000000000));
	recording_add(&(const struct recorded_reply){
		.kind = "request",
		.what = request,
		.end = end,
		.code = ret->status,
		.took_ns = spk_uptime().ns - began_ns,
		.out = buf_text(&passing.body),
		.out_length = passing.body.length,
		.err = buf_text(&passing.headers),
	});
	buf_free(&passing.headers);
	buf_free(&passing.body);
	return end;
}

/* ---- the DNS ---- */

/* Records on their way through. */
struct naming {
	spk_dns_visitor *visitor;
	void *data;
	uint32_t type;
	struct buf lines;
};

static void pass_record(void *data, const struct spk_dns_reply_record *record)
{
	struct naming *naming = data;

	if (naming->type == OUTSIDE_SRV)
		buf_printf(&naming->lines, "%u %u %u ", record->priority, record->weight,
			   record->port);
	else if (naming->type == OUTSIDE_MX)
		buf_printf(&naming->lines, "%u ", record->priority);
	/* A line is a record: what would break it is no text for recording_add(). */
	for (size_t i = 0; i < record->length; i++)
		buf_putc(&naming->lines, record->text[i] == '\n' ? '\0' : record->text[i]);
	buf_putc(&naming->lines, '\n');
	naming->visitor(naming->data, record);
}

enum spk_dns_status record_dns(const char *what, const struct spk_dns_question *question,
			       struct spk_dns_reply *reply, spk_dns_visitor *visitor, void *data,
			       struct spk_dns_call *call)
{
	struct naming naming = {.visitor = visitor, .data = data, .type = question->type};
	const struct spk_dns_driver *real;
	int64_t began_ns = spk_uptime().ns;
	enum spk_dns_status status;
	struct err err;

	real = (const struct spk_dns_driver *)driver_open_installed("dns", outside_dns.driver.name,
								    sizeof(*real), &err);
	if (!real) {
		snprintf(call->reason.text, sizeof(call->reason.text), "%.255s", err.text);
		return SPK_DNS_FAILED;
	}
	status = real->ask(question, reply, pass_record, &naming, call);
	recording_add(&(const struct recorded_reply){
		.kind = "question",
		.what = what,
		.end = status,
		.code = (int32_t)reply->ttl,
		.took_ns = spk_uptime().ns - began_ns,
		.out = buf_text(&naming.lines),
		.out_length = naming.lines.length,
		.err = reply->authoritative ? "" : "not authoritative\n",
	});
	buf_free(&naming.lines);
	return status;
}
