/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define PORT_MAX 65535
/* What resolvers tell of their clients: RFC 7871, 11.1. */
#define CLIENT_BITS_V4 24
#define CLIENT_BITS_V6 56

static int read_address(const char *text, size_t length, struct address *ret, struct err *err)
{
	char copy[ADDRESS_SIZE];
	unsigned char bytes[16];
	int family;

	if (length == 0 || length >= sizeof(copy))
		return err_set(err, "it is no address");
	memcpy(copy, text, length);
	copy[length] = '\0';
	ret->v6 = strchr(copy, ':') != NULL;
	family = ret->v6 ? AF_INET6 : AF_INET;
	if (inet_pton(family, copy, bytes) != 1)
		return err_set(err, "it is no address");
	inet_ntop(family, bytes, ret->text, sizeof(ret->text));
	return 0;
}

/* A number from `least` to `most`, all of the text. */
static int read_number(const char *text, unsigned int least, unsigned int most, unsigned int *ret)
{
	unsigned int number = 0;

	if (!*text || strlen(text) > 5 || text[strspn(text, "0123456789")])
		return -1;
	for (; *text; text++)
		number = number * 10 + (unsigned int)(*text - '0');
	*ret = number;
	return number >= least && number <= most ? 0 : -1;
}

int address_read_server(const char *text, unsigned int otherwise, struct address *ret,
			struct err *err)
{
	const char *port = NULL, *end = text + strlen(text);
	struct address address = {.number = otherwise};

	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return err_set(err, "a bracket is not closed, or not followed by a port");
		port = end[1] ? end + 2 : NULL;
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		end = strchr(text, ':');
		port = end + 1;
	}
	if (read_address(text, (size_t)(end - text), &address, err) < 0)
		return -1;
	if (port && read_number(port, 1, PORT_MAX, &address.number) < 0)
		return err_set(err, "the port must be from 1 to %d", PORT_MAX);
	*ret = address;
	return 0;
}

int address_read_client(const char *text, struct address *ret, struct err *err)
{
	size_t length = strcspn(text, "/");
	struct address address;
	unsigned int most;

	if (read_address(text, length, &address, err) < 0)
		return -1;
	most = address.v6 ? 128 : 32;
	address.number = address.v6 ? CLIENT_BITS_V6 : CLIENT_BITS_V4;
	if (text[length] && read_number(text + length + 1, 0, most, &address.number) < 0)
		return err_set(err, "a network of it has 0 to %u bits", most);
	*ret = address;
	return 0;
}

int address_reverse(const char *text, char out[static ADDRESS_REVERSE_SIZE], struct err *err)
{
	struct address address;
	unsigned char bytes[16];
	char *at = out;

	if (read_address(text, strlen(text), &address, err) < 0)
		return -1;
	inet_pton(address.v6 ? AF_INET6 : AF_INET, address.text, bytes);
	if (!address.v6) {
		snprintf(out, ADDRESS_REVERSE_SIZE, "%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2],
			 bytes[1], bytes[0]);
		return 0;
	}
	for (int i = 15; i >= 0; i--) {
		*at++ = "0123456789abcdef"[bytes[i] & 15];
		*at++ = '.';
		*at++ = "0123456789abcdef"[bytes[i] >> 4];
		*at++ = '.';
	}
	memcpy(at, "ip6.arpa", sizeof("ip6.arpa"));
	return 0;
}
