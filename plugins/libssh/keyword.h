/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords of ssh_config, each with what becomes of it here. */
#ifndef SPICERACK_LIBSSH_KEYWORD_H
#define SPICERACK_LIBSSH_KEYWORD_H

#include <stdbool.h>
#include <stddef.h>

/* What is done as it says. */
enum option {
	OPTION_NONE,
	OPTION_ADDRESS_FAMILY,
	OPTION_BIND_ADDRESS,
	OPTION_CERTIFICATE_FILE,
	OPTION_CIPHERS,
	OPTION_COMPRESSION,
	OPTION_CONNECT_TIMEOUT,
	OPTION_GLOBAL_KNOWN_HOSTS_FILE,
	OPTION_GSSAPI_AUTHENTICATION,
	OPTION_HOST_KEY_ALGORITHMS,
	OPTION_HOST_KEY_ALIAS,
	OPTION_HOSTNAME,
	OPTION_IDENTITIES_ONLY,
	OPTION_IDENTITY_AGENT,
	OPTION_IDENTITY_FILE,
	OPTION_KEX_ALGORITHMS,
	OPTION_MACS,
	OPTION_PORT,
	OPTION_PROXY_COMMAND,
	OPTION_PROXY_JUMP,
	OPTION_PUBKEY_ACCEPTED_ALGORITHMS,
	OPTION_REQUIRED_RSA_SIZE,
	OPTION_SEND_ENV,
	OPTION_SERVER_ALIVE_COUNT_MAX,
	OPTION_SERVER_ALIVE_INTERVAL,
	OPTION_SET_ENV,
	OPTION_STRICT_HOST_KEY_CHECKING,
	OPTION_TCP_KEEP_ALIVE,
	OPTION_USER,
	OPTION_USER_KNOWN_HOSTS_FILE,
	OPTION_COUNT
};

enum treatment {
	KEYWORD_HOST,
	KEYWORD_MATCH,
	KEYWORD_INCLUDE,
	KEYWORD_IGNORE_UNKNOWN,
	KEYWORD_HONOURED, /* `option` */
	KEYWORD_IGNORED,  /* `note` says why that harms nobody */
	KEYWORD_REFUSED,  /* unless it has one of the `harmless` values */
};

struct keyword {
	const char *name; /* in lower case */
	enum treatment treatment;
	enum option option;
	const char *harmless; /* words, in lower case; NULL: none is */
	const char *note;     /* of HONOURED: how, when not just so; of REFUSED: what it asks for */
};

extern const struct keyword keywords[];
extern const size_t keyword_count;

/* NULL: there is none of that name, whatever its case. */
const struct keyword *keyword_find(const char *name);

/* Whether a value of a refused keyword asks for nothing. */
bool keyword_is_harmless(const struct keyword *keyword, const char *value);

#endif
