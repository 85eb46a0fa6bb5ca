/* SPDX-License-Identifier: Apache-2.0 */
/* A request of HTTP on its way: its redirects, its tries, and what comes of it. */
#include "httpsession.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include <spicerack/clock.h>
#include <spicerack/error.h>
#include <spicerack/json.h>
#include <spicerack/secret.h>
#include <spicerack/text.h>

#include "../runtime/copy.h"
#include "../runtime/guard.h"
#include "../runtime/printable.h"
#include "httpdriver.h"
#include "httpurl.h"

#define MAX_REDIRECTS 10
#define MAX_PAUSE SPK_MINUTES(2)
#define MAX_HEADERS ((size_t)1 << 20) /* bytes of those of an answer */
#define SHOWN 500                     /* bytes of a body in a record */

struct making {
	const struct http_call *call;
	struct spk *spk;
	const struct spk_http_driver *driver;
	void *client;

	/* the request */
	const char *whole_url; /* with its query */
	const char *body;
	size_t body_length;
	struct spk_driver_setting *headers; /* all, the one with the token last */
	size_t header_count;
	struct spk_driver_setting *sent; /* room for as many */
	struct buf token;                /* the value of that header */
	const char *password;
	int64_t deadline;

	/* where it is */
	unsigned int attempt;
	const char *url;
	bool home; /* of the same origin as whole_url */

	/* what came last */
	struct spk_http_reply reply;
	struct buf received, received_headers; /* these as name, NUL, value, NUL */
	bool too_long;
	const struct spk_http_answer *answer;
};

/* ---- the request ---- */

/* In the place of one of the same name, or behind the others. */
static void set_header(struct making *making, const char *name, const char *value)
{
	size_t i = 0;

	while (i < making->header_count && strcasecmp(making->headers[i].name, name) != 0)
		i++;
	making->headers[i] = (struct spk_driver_setting){.name = name, .value = value};
	making->header_count += i == making->header_count;
}

static void set_lines(struct making *making, spk_strings lines)
{
	for (size_t i = 0; i < lines.count; i++) {
		const char *value;
		size_t length = http_header_split(lines.items[i], &value);

		set_header(making, copy_bytes(making->spk, lines.items[i], length),
			   copy_text(making->spk, value));
	}
}

/* Last, so that it is easily left out. */
static void set_token(struct making *making)
{
	const struct spk_http_options *how = &making->call->http->how;
	const char *text, *before;
	size_t length;

	if (!how->token)
		return;
	text = spk_secret_text(how->token);
	length = http_header_split(how->token_header, &before);
	buf_puts(&making->token, before);
	buf_puts(&making->token, text);
	making->headers[making->header_count++] = (struct spk_driver_setting){
		.name = copy_bytes(making->spk, how->token_header, length),
		.value = buf_text(&making->token),
	};
}

static const char *set_body(struct making *making)
{
	const struct spk_http_request *how = &making->call->how;
	struct buf form = {0};

	if (how->json) {
		making->body = spk_json_encode(how->json);
		making->body_length = strlen(making->body);
		return "application/json";
	}
	if (how->form.count) {
		http_url_add_pairs(&form, how->form);
		making->body_length = form.length;
		making->body = copy_buf(making->spk, &form);
		return "application/x-www-form-urlencoded";
	}
	making->body = how->body;
	making->body_length = how->body_length;
	/* These say how long their body is, even when they have none. */
	if (!how->body && (spk_streq(how->method, "POST") || spk_streq(how->method, "PUT") ||
			   spk_streq(how->method, "PATCH")))
		making->body = "";
	return how->body ? how->content_type : NULL;
}

static void set_headers(struct making *making)
{
	const struct spk_http_options *options = &making->call->http->how;
	const struct spk_http_request *how = &making->call->how;
	const char *type = set_body(making);
	size_t most = options->headers.count + how->headers.count + 3;

	making->headers = spk_alloc(making->spk, most * sizeof(*making->headers));
	making->sent = spk_alloc(making->spk, most * sizeof(*making->sent));
	set_header(making, "User-Agent",
		   spk_format(making->spk, "spicerack/%s %s", SPICERACK_VERSION, options->name));
	if (type)
		set_header(making, "Content-Type", copy_text(making->spk, type));
	set_lines(making, options->headers);
	set_lines(making, how->headers);
}

static const char *with_query(struct spk *spk, const char *url, spk_strings query)
{
	struct http_url parts;
	struct buf text = {0};
	struct err err;

	if (http_url_read(url, &parts, &err) < 0)
		spk_raise(spk, "http.url", NULL, "not such a URL as can be asked for: %s",
			  err.text);
	buf_add(&text, url, parts.length);
	if (query.count)
		buf_putc(&text, parts.queried ? '&' : '?');
	http_url_add_pairs(&text, query);
	return copy_buf(spk, &text);
}

static bool may_follow(const struct making *making)
{
	const char *method = making->call->how.method;

	return !making->call->write && (spk_streq(method, "GET") || spk_streq(method, "HEAD"));
}

/* Whether doing it twice is as good as once. */
static bool may_repeat(const struct making *making)
{
	const char *method = making->call->how.method;

	return !making->call->write || spk_streq(method, "PUT") || spk_streq(method, "DELETE") ||
	       spk_streq(method, "GET") || spk_streq(method, "HEAD") ||
	       spk_streq(method, "OPTIONS");
}

/* ---- one exchange ---- */

static void take_header(void *data, const char *name, const char *value)
{
	size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
	struct making *making = data;

	if (making->received_headers.length + name_size + value_size > MAX_HEADERS) {
		making->too_long = true;
		return;
	}
	buf_add(&making->received_headers, name, name_size);
	buf_add(&making->received_headers, value, value_size);
}

static bool take_body(void *data, const char *bytes, size_t length)
{
	struct making *making = data;

	if (length > making->call->http->how.answer_limit - making->received.length)
		making->too_long = true;
	if (!making->too_long)
		buf_add(&making->received, bytes, length);
	return !making->too_long;
}

/* The headers that are for the server of the current URL. */
static size_t select_headers(struct making *making)
{
	size_t count = 0;

	for (size_t i = 0; i < making->header_count; i++)
		if (making->home || strcasecmp(making->headers[i].name, "User-Agent") == 0 ||
		    strcasecmp(making->headers[i].name, "Accept") == 0)
			making->sent[count++] = making->headers[i];
	return count;
}

static const char *proxy_of(const struct making *making)
{
	const char *proxy = spk_http_proxy(making->spk);

	return making->call->http->how.proxied && !spk_is_empty(proxy) ? proxy : NULL;
}

static enum spk_http_end exchange(struct making *making)
{
	static const struct spk_http_calls calls = {
		.size = sizeof(calls), .header = take_header, .body = take_body};
	const struct spk_http_options *options = &making->call->http->how;
	const struct spk_http_request *how = &making->call->how;
	struct spk_http_order order = {
		.size = sizeof(order),
		.once = !may_repeat(making),
		.method = how->method,
		.url = making->url,
		.headers = making->sent,
		.header_count = select_headers(making),
		.body = making->body,
		.body_length = making->body_length,
		.user = making->home ? options->user : NULL,
		.password = making->home ? making->password : NULL,
		.proxy = proxy_of(making),
		.ca_file = options->ca_file,
		.cert_file = making->home ? options->cert_file : NULL,
		.key_file = making->home ? options->key_file : NULL,
		.connect_timeout_ns = options->connect_timeout.ns,
		.read_timeout_ns = how->read_timeout.ns ? how->read_timeout.ns
							: options->read_timeout.ns,
		.deadline_ns = making->deadline,
		.cancel_fd = session_cancel_fd(making->spk),
	};

	buf_clear(&making->received);
	buf_clear(&making->received_headers);
	making->too_long = false;
	making->reply = (struct spk_http_reply){.size = sizeof(making->reply)};
	return making->driver->exchange(making->client, &order, &calls, making, &making->reply);
}

static const char *failure_of(const struct making *making)
{
	if (making->too_long)
		return spk_format(making->spk, "the answer is longer than %zu bytes",
				  making->call->http->how.answer_limit);
	return copy_text(making->spk, making->reply.reason.text);
}

static void tell(const struct making *making, enum spk_http_end end, spk_duration took)
{
	const char *duration = spk_duration_text(making->spk, took);
	unsigned int tries = making->call->http->how.tries;
	struct spk *spk = making->spk;

	if (end == SPK_HTTP_ANSWERED)
		spk_debug(spk, "%s %s: %d after %s, %zu bytes [%u/%u]", making->call->how.method,
			  making->url, making->reply.status, duration, making->received.length,
			  making->attempt, tries);
	else
		spk_debug(spk, "%s %s: %s after %s [%u/%u]", making->call->how.method, making->url,
			  failure_of(making), duration, making->attempt, tries);
}

/* ---- redirects ---- */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void follow(struct making *making, unsigned int hops)
{
	const char *method = making->call->how.method;
	struct http_url from, home, to;
	struct spk *spk = making->spk;
	const char *target;
	struct err err;

	if (hops == MAX_REDIRECTS)
		spk_raise(spk, "http.redirect", NULL, "cannot %s %s: more than %d redirects",
			  method, making->whole_url, MAX_REDIRECTS);
	if (http_url_read(making->reply.redirect, &to, &err) < 0)
		spk_raise(spk, "http.redirect", NULL,
			  "cannot %s %s: it is redirected to what is no such URL: %s", method,
			  making->url, err.text);
	target = copy_bytes(spk, making->reply.redirect, to.length);
	/* They were read before. */
	if (http_url_read(making->url, &from, &err) < 0 ||
	    http_url_read(making->whole_url, &home, &err) < 0)
		spk_raise(spk, "http.url", NULL, "%s", err.text);
	if (from.secure && !to.secure)
		spk_raise(spk, "http.redirect", NULL,
			  "cannot %s %s: it is redirected from https to %s", method, making->url,
			  target);
	/* Who was elsewhere once does not come back with credentials. */
	making->home = making->home && http_url_same_origin(&home, &to);
	making->url = target;
}

static enum spk_http_end try_once(struct making *making)
{
	making->url = making->whole_url;
	making->home = true;
	for (unsigned int hops = 0;; hops++) {
		spk_duration begin = spk_uptime();
		enum spk_http_end end = exchange(making);

		if (end == SPK_HTTP_ANSWERED && making->too_long)
			end = SPK_HTTP_STOPPED;
		tell(making, end, SPK_NANOSECONDS(spk_uptime().ns - begin.ns));
		if (end != SPK_HTTP_ANSWERED || !may_follow(making) ||
		    !is_redirect(making->reply.status) || !making->reply.redirect)
			return end;
		follow(making, hops);
	}
}

/* ---- tries ---- */

static bool is_worth_another(const struct making *making, enum spk_http_end end)
{
	const spk_ints *statuses = &making->call->http->how.retry_statuses;

	if (end == SPK_HTTP_UNSENT)
		return true;
	if (!may_repeat(making))
		return false;
	if (end == SPK_HTTP_LATE || end == SPK_HTTP_BROKEN || end == SPK_HTTP_NONSENSE)
		return true;
	if (end != SPK_HTTP_ANSWERED)
		return false;
	for (size_t i = 0; i < statuses->count; i++)
		if (statuses->items[i] == making->reply.status)
			return true;
	return false;
}

/* Waits before the next try; false: there is none, it would be too late. */
static bool pause_for_next(struct making *making, enum spk_http_end end)
{
	const struct spk_http_options *how = &making->call->http->how;
	spk_duration pause = how->backoff;
	struct spk *spk = making->spk;
	const char *why;

	for (unsigned int i = 1; i < making->attempt && pause.ns < MAX_PAUSE.ns; i++)
		pause.ns *= 2;
	if (pause.ns > MAX_PAUSE.ns)
		pause = MAX_PAUSE;
	if (making->reply.retry_after_ns > MAX_PAUSE.ns)
		return false;
	if (pause.ns < making->reply.retry_after_ns)
		pause.ns = making->reply.retry_after_ns;
	if (spk_uptime().ns + pause.ns >= making->deadline)
		return false;
	why = end == SPK_HTTP_ANSWERED
		      ? spk_format(spk, "the server answered %d", making->reply.status)
		      : failure_of(making);
	spk_warn(spk, "[%u/%u, retrying in %.2fs] %s %s: %s", making->attempt, how->tries,
		 spk_duration_seconds(pause), making->call->how.method, making->url, why);
	session_poll(spk, NULL, 0, spk_uptime().ns + pause.ns);
	return true;
}

static SPK_NORETURN void fail(const struct making *making, enum spk_http_end end)
{
	static const char *const kinds[] = {
		[SPK_HTTP_ANSWERED] = "http.protocol",
		[SPK_HTTP_UNSENT] = "http.connect",
		[SPK_HTTP_DISTRUSTED] = "http.certificate",
		[SPK_HTTP_LATE] = "http.timeout",
		[SPK_HTTP_BROKEN] = "http.lost",
		[SPK_HTTP_NONSENSE] = "http.protocol",
		[SPK_HTTP_STOPPED] = "http.size",
		[SPK_HTTP_CANCELLED] = "http.lost",
		[SPK_HTTP_UNUSABLE] = "http.url",
	};
	bool left = end == SPK_HTTP_LATE || end == SPK_HTTP_BROKEN || end == SPK_HTTP_NONSENSE ||
		    end == SPK_HTTP_STOPPED || end == SPK_HTTP_CANCELLED;

	spk_raise(making->spk, end <= SPK_HTTP_UNUSABLE ? kinds[end] : "http.protocol", NULL,
		  "cannot %s %s: %s%s", making->call->how.method, making->url, failure_of(making),
		  left && making->call->write
			  ? "; it may have been carried out all the same, look before repeating it"
			  : "");
}

/* ---- the answer ---- */

static size_t count_texts(const struct buf *texts)
{
	size_t count = 0;

	for (size_t i = 0; i < texts->length; i++)
		count += texts->text[i] == '\0';
	return count;
}

static const struct spk_http_answer *make_answer(const struct making *making)
{
	struct spk_http_answer *answer = SPK_NEW(making->spk, struct spk_http_answer);
	size_t count = count_texts(&making->received_headers) / 2;
	const char **names = spk_alloc(making->spk, count * sizeof(*names));
	const char **values = spk_alloc(making->spk, count * sizeof(*values));
	const char *text = copy_bytes(making->spk, buf_text(&making->received_headers),
				      making->received_headers.length);

	for (size_t i = 0; i < count; i++) {
		names[i] = text;
		values[i] = text + strlen(text) + 1;
		text = values[i] + strlen(values[i]) + 1;
	}
	answer->sent = true;
	answer->status = making->reply.status;
	answer->spk = making->spk;
	answer->method = copy_text(making->spk, making->call->how.method);
	answer->url = making->url;
	answer->body = copy_bytes(making->spk, buf_text(&making->received),
				  making->received.length);
	answer->length = making->received.length;
	answer->names = (spk_strings){names, count};
	answer->values = (spk_strings){values, count};
	answer->magic = ANSWER_MAGIC;
	return answer;
}

static const struct spk_http_answer *no_answer(const struct making *making)
{
	struct spk_http_answer *answer = SPK_NEW(making->spk, struct spk_http_answer);

	answer->spk = making->spk;
	answer->method = copy_text(making->spk, making->call->how.method);
	answer->url = making->whole_url;
	answer->magic = ANSWER_MAGIC;
	return answer;
}

/* ---- all of it ---- */

static const char *shown_body(const struct making *making)
{
	bool cut = making->body_length > SHOWN;
	struct buf text = {0};

	if (!making->body || !making->body_length)
		return "";
	buf_puts(&text, " with ");
	printable_add(&text, making->body, cut ? SHOWN : making->body_length);
	if (cut)
		buf_puts(&text, "...");
	return copy_buf(making->spk, &text);
}

static void open_driver(struct making *making)
{
	struct err err;

	if (http_driver_open(&making->driver, &making->client, &err) < 0)
		spk_raise(making->spk, "http.driver", NULL, "%s", err.text);
}

static void set_secrets(struct making *making)
{
	const struct spk_http_options *options = &making->call->http->how;

	if (options->password)
		making->password = spk_secret_text(options->password);
	set_token(making);
}

static void make(struct spk *spk, void *argument)
{
	struct making *making = argument;
	const struct http_call *call = making->call;
	enum spk_http_end end;

	making->whole_url = with_query(spk, call->how.url, call->how.query);
	set_headers(making);
	if (call->write && !session_may_write(spk, "%s %s%s", call->how.method, making->whole_url,
					      shown_body(making))) {
		session_cannot_know(spk, "what %s %s would have answered", call->how.method,
				    making->whole_url);
		making->answer = no_answer(making);
		return;
	}
	open_driver(making);
	set_secrets(making);
	for (making->attempt = 1;; making->attempt++) {
		end = try_once(making);
		session_check_interrupt(spk);
		if (!is_worth_another(making, end) || making->attempt == call->http->how.tries ||
		    !pause_for_next(making, end))
			break;
	}
	if (end != SPK_HTTP_ANSWERED)
		fail(making, end);
	if (!call->write)
		session_did_read(spk, "%s %s", call->how.method, making->whole_url);
	making->answer = make_answer(making);
}

const struct spk_http_answer *http_make(const struct http_call *call)
{
	const struct spk_http_options *options = &call->http->how;
	struct making making = {.call = call, .spk = call->http->spk};
	spk_duration total = call->how.total_timeout.ns ? call->how.total_timeout
							: options->total_timeout;
	const struct spk_error *error;

	session_check_interrupt(making.spk);
	making.deadline = session_deadline(total);
	/* Buffers are this process's own, and may hold secrets: freed here on every way out. */
	error = guard_call(making.spk, make, &making, false);
	buf_free(&making.token);
	buf_free(&making.received);
	buf_free(&making.received_headers);
	if (error)
		guard_raise(making.spk, error);
	return making.answer;
}
