/* SPDX-License-Identifier: Apache-2.0 */
#include "httpurl.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "../runtime/printable.h"

#define PORT_MAX 65535U

/* ":PORT" or nothing. */
static bool read_port(const char *text, size_t length, unsigned int *ret)
{
	unsigned int port = 0;

	if (length == 0)
		return true;
	if (text[0] != ':' || length < 2 || length > 6)
		return false;
	for (size_t i = 1; i < length; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		port = port * 10 + (unsigned int)(text[i] - '0');
	}
	*ret = port;
	return port > 0 && port <= PORT_MAX;
}

static size_t host_length(const char *authority, size_t length)
{
	const char *end = authority[0] == '[' ? memchr(authority, ']', length)
					      : memchr(authority, ':', length);

	if (authority[0] == '[')
		return end ? (size_t)(end - authority) + 1 : 0;
	return end ? (size_t)(end - authority) : length;
}

/* Without the whole of what may hold a password. */
static int refuse(const char *text, const char *why, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (strchr(text, '@'))
		return err_set(err, "%s", why);
	return err_set(err, "'%s': %s", printable_path(text, shown), why);
}

static bool is_url_character(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"<>\\^`{|}", c);
}

/* The length of `http://` or `https://`; 0: it is neither. */
static size_t read_scheme(const char *text, struct http_url *url)
{
	url->secure = strncasecmp(text, "https://", 8) == 0;
	url->port = url->secure ? 443 : 80;
	if (url->secure)
		return 8;
	return strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
}

int http_url_read(const char *text, struct http_url *ret, struct err *err)
{
	struct http_url url = {0};
	size_t scheme = read_scheme(text, &url), authority;

	if (!scheme)
		return refuse(text, "it begins neither with http:// nor with https://", err);
	url.host = text + scheme;
	authority = strcspn(url.host, "/?#");
	if (memchr(url.host, '@', authority))
		return refuse(text, "it holds a user or a password: these are options", err);
	url.length = strcspn(text, "#");
	for (size_t i = 0; i < url.length; i++)
		if (!is_url_character(text[i]))
			return refuse(text, "it holds what has to be percent-encoded", err);
	url.host_length = authority ? host_length(url.host, authority) : 0;
	if (!url.host_length)
		return refuse(text, "it names no host", err);
	if (!read_port(url.host + url.host_length, authority - url.host_length, &url.port))
		return refuse(text, "its port is no number from 1 to 65535", err);
	url.queried = memchr(text, '?', url.length) != NULL;
	*ret = url;
	return 0;
}

bool http_url_same_origin(const struct http_url *a, const struct http_url *b)
{
	return a->secure == b->secure && a->port == b->port && a->host_length == b->host_length &&
	       strncasecmp(a->host, b->host, a->host_length) == 0;
}

void http_url_add_escaped(struct buf *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
			buf_putc(out, text[i]);
		else
			buf_printf(out, "%%%02X", c);
	}
}

void http_url_add_pairs(struct buf *out, spk_strings pairs)
{
	for (size_t i = 0; i < pairs.count; i++) {
		const char *value = strchrnul(pairs.items[i], '=');

		if (i)
			buf_putc(out, '&');
		http_url_add_escaped(out, pairs.items[i], (size_t)(value - pairs.items[i]));
		buf_putc(out, '=');
		if (*value)
			http_url_add_escaped(out, value + 1, strlen(value + 1));
	}
}
