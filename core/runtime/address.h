/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of IPv4 and IPv6 as people write them: with a port, as a network, backwards. */
#ifndef SPICERACK_CORE_ADDRESS_H
#define SPICERACK_CORE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* An address in its shortest text, with its NUL. */
#define ADDRESS_SIZE 46
/* One backwards, `1.2.0.192.in-addr.arpa`. */
#define ADDRESS_REVERSE_SIZE 80

struct address {
	char text[ADDRESS_SIZE];
	bool v6;
	unsigned int number; /* the port, or how many bits its network has */
};

/*
 * `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1`, `[2001:db8::1]:53`, `[2001:db8::1]`. The port is
 * `otherwise` where none is given. The reason does not name the text.
 */
MUST_CHECK int address_read_server(const char *text, unsigned int otherwise, struct address *ret,
				   struct err *err);

/* `192.0.2.0/24`, or an address, whose network has then 24 bits (IPv4) or 56 (IPv6). */
MUST_CHECK int address_read_client(const char *text, struct address *ret, struct err *err);

/* The name in the DNS that the names of an address are kept under. */
MUST_CHECK int address_reverse(const char *text, char out[static ADDRESS_REVERSE_SIZE],
			       struct err *err);

#endif
