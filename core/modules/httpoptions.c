/* SPDX-License-Identifier: Apache-2.0 */
/* What callers give for sessions and requests of HTTP: checked, and filled in. */
#include "httpsession.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <spicerack/error.h>
#include <spicerack/text.h>

#include "../runtime/copy.h"
#include "../runtime/misuse.h"

/* The sizes in version 1.0, which stay when the structures grow. */
#define OPTIONS_1_0 SIZE_UP_TO(struct spk_http_options, reserved)
#define REQUEST_1_0 SIZE_UP_TO(struct spk_http_request, accepted)

#define DEFAULT_TRIES 3
#define MAX_TRIES 100
#define DEFAULT_CONNECT_TIMEOUT SPK_SECONDS(3)
#define DEFAULT_READ_TIMEOUT SPK_SECONDS(5)
#define DEFAULT_TOTAL_TIMEOUT SPK_MINUTES(5)
#define DEFAULT_BACKOFF SPK_SECONDS(1)
#define DEFAULT_ANSWER_LIMIT ((size_t)16 << 20)
#define DEFAULT_TOKEN_HEADER "Authorization: Bearer "
#define DEFAULT_CONTENT_TYPE "application/octet-stream"

static bool is_token_character(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

size_t http_header_split(const char *line, const char **ret_value)
{
	size_t length = 0;

	while (is_token_character(line[length]))
		length++;
	if (length == 0 || line[length] != ':')
		return 0;
	*ret_value = line + length + 1 + strspn(line + length + 1, " \t");
	return length;
}

/* No line may end in it, and no other control character is in there. */
static bool is_header_value(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
			return false;
	return true;
}

static void check_header(const char *function, const char *line)
{
	static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection",
					   "Accept-Encoding"};
	const char *value;
	size_t length = http_header_split(line, &value);

	if (!length || !is_header_value(value))
		session_misuse(function, "a header that is not NAME: VALUE on one line");
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strlen(ours[i]) == length && strncasecmp(line, ours[i], length) == 0)
			session_misuse(function, "the header %s is not the caller's", ours[i]);
}

void http_check_headers(const char *function, spk_strings headers)
{
	for (size_t i = 0; i < headers.count; i++) {
		if (!headers.items || !headers.items[i])
			session_misuse(function, "header %zu is NULL", i);
		check_header(function, headers.items[i]);
	}
}

static const char *copy_given(struct spk *spk, const char *text)
{
	return text ? copy_text(spk, text) : NULL;
}

static spk_strings copy_list(struct spk *spk, spk_strings list)
{
	spk_strings copy = {0};

	for (size_t i = 0; i < list.count; i++)
		spk_append(spk, &copy, list.items[i]);
	return copy;
}

static spk_ints copy_numbers(struct spk *spk, spk_ints list)
{
	long long *items = list.count ? spk_alloc(spk, list.count * sizeof(*items)) : NULL;

	if (list.count)
		memcpy(items, list.items, list.count * sizeof(*items));
	return (spk_ints){items, list.count};
}

static void fill_in(const char *function, const char *what, spk_duration *duration,
		    spk_duration otherwise)
{
	if (duration->ns < 0)
		session_misuse(function, "the %s is negative", what);
	if (duration->ns == 0)
		*duration = otherwise;
}

static void check_credentials(const char *function, const struct spk_http_options *how)
{
	const char *value;

	if (how->password && !how->user)
		session_misuse(function, "there is a password and no user");
	if (how->user && strchr(how->user, ':'))
		session_misuse(function, "the user has a colon in it");
	if (how->key_file && !how->cert_file)
		session_misuse(function, "there is a key and no certificate");
	if (how->token_header && !how->token)
		session_misuse(function, "there is a header for a token, and no token");
	if (how->token_header && !http_header_split(how->token_header, &value))
		session_misuse(function, "token_header is no beginning of a header");
	if (how->user && how->token &&
	    (!how->token_header || strncasecmp(how->token_header, "Authorization:", 14) == 0))
		session_misuse(function, "there are a user and a token for one header");
}

struct spk_http_options http_options_adopt(const char *function, struct spk *spk,
					   const struct spk_http_options *given)
{
	static const long long statuses[] = {429, 500, 502, 503, 504};
	struct spk_http_options how = {0};

	if (given)
		adopt_structure(function, "options", "SPK_HTTP", given, &how, sizeof(how),
				OPTIONS_1_0);
	check_credentials(function, &how);
	http_check_headers(function, how.headers);
	fill_in(function, "connect_timeout", &how.connect_timeout, DEFAULT_CONNECT_TIMEOUT);
	fill_in(function, "read_timeout", &how.read_timeout, DEFAULT_READ_TIMEOUT);
	fill_in(function, "total_timeout", &how.total_timeout, DEFAULT_TOTAL_TIMEOUT);
	fill_in(function, "backoff", &how.backoff, DEFAULT_BACKOFF);
	if (how.tries == 0)
		how.tries = DEFAULT_TRIES;
	if (how.tries > MAX_TRIES)
		session_misuse(function, "%u tries are more than %d", how.tries, MAX_TRIES);
	if (how.answer_limit == 0)
		how.answer_limit = DEFAULT_ANSWER_LIMIT;
	if (how.retry_statuses.count == 0)
		how.retry_statuses = (spk_ints){statuses, sizeof(statuses) / sizeof(statuses[0])};
	how.retry_statuses = copy_numbers(spk, how.retry_statuses);
	how.headers = copy_list(spk, how.headers);
	how.name = copy_text(spk, how.name ? how.name : spk_cookbook_name(spk));
	how.token_header = copy_text(spk,
				     how.token_header ? how.token_header : DEFAULT_TOKEN_HEADER);
	how.user = copy_given(spk, how.user);
	how.ca_file = copy_given(spk, how.ca_file);
	how.cert_file = copy_given(spk, how.cert_file);
	how.key_file = copy_given(spk, how.key_file);
	if (!is_header_value(how.name))
		session_misuse(function, "the name has a control character in it");
	return how;
}

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

static void check_method(const char *function, const char *method, bool write)
{
	static const char *const writes[] = {"PUT", "PATCH", "DELETE", NULL};
	size_t length = 0;

	while (isupper((unsigned char)method[length]) || method[length] == '-')
		length++;
	if (length == 0 || method[length])
		session_misuse(function, "'%s' is no method", method);
	if (!write && is_one_of(method, writes))
		session_misuse(function, "%s is no read", method);
}

static void check_pairs(const char *function, const char *what, spk_strings pairs)
{
	for (size_t i = 0; i < pairs.count; i++)
		if (!pairs.items || !pairs.items[i] || !strchr(pairs.items[i], '=') ||
		    pairs.items[i][0] == '=')
			session_misuse(function, "item %zu of the %s is not NAME=VALUE", i, what);
}

struct spk_http_request http_request_adopt(const char *function,
					   const struct spk_http_request *given, bool write)
{
	struct spk_http_request how;

	if (!given)
		session_misuse(function, "'request' is NULL");
	adopt_structure(function, "request", "SPK_HTTP_REQUEST", given, &how, sizeof(how),
			REQUEST_1_0);
	if (!how.method || !how.url)
		session_misuse(function, "the request has no method or no URL");
	check_method(function, how.method, write);
	http_check_headers(function, how.headers);
	check_pairs(function, "query", how.query);
	check_pairs(function, "form", how.form);
	if ((how.json != NULL) + (how.form.count > 0) + (how.body != NULL) > 1)
		session_misuse(function, "the request has more than one body");
	if (how.content_type && (!how.body || !is_header_value(how.content_type)))
		session_misuse(function, "content_type without a body, or no text of a header");
	if (how.read_timeout.ns < 0 || how.total_timeout.ns < 0)
		session_misuse(function, "a timeout of the request is negative");
	if (how.body && !how.body_length)
		how.body_length = strlen(how.body);
	if (how.body && !how.content_type)
		how.content_type = DEFAULT_CONTENT_TYPE;
	return how;
}
