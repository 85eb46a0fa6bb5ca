/* SPDX-License-Identifier: Apache-2.0 */
#include "algorithms.h"

#include <stdbool.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/text.h"
#include "pattern.h"

#define ECDSA "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"
#define CERTIFIED                                                                                  \
	"ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,"               \
	"ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,"       \
	"rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com"

/* What is offered, in our order, and what libssh could do when it is asked to. */
static const struct {
	const char *usual, *others;
} lists[] = {
	/* AES-GCM costs the least on machines of today. */
	[ALGORITHMS_CIPHERS] = {"aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
				"chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr",
				"aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc"},
	[ALGORITHMS_MACS] = {"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
			     "hmac-sha2-256,hmac-sha2-512",
			     "hmac-sha1-etm@openssh.com,hmac-sha1"},
	[ALGORITHMS_KEX] = {"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
			    "ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
			    "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,"
			    "diffie-hellman-group18-sha512,diffie-hellman-group14-sha256",
			    "diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,"
			    "diffie-hellman-group1-sha1"},
	[ALGORITHMS_HOST_KEYS] = {"ssh-ed25519," ECDSA ",rsa-sha2-512,rsa-sha2-256", "ssh-rsa"},
	[ALGORITHMS_PUBLIC_KEYS] = {CERTIFIED ",ssh-ed25519," ECDSA ",rsa-sha2-512,rsa-sha2-256",
				    "ssh-rsa,ssh-rsa-cert-v01@openssh.com"},
};

static bool has(const struct text *list, const char *name, size_t length)
{
	const char *at = list->bytes;

	while (at && *at) {
		size_t end = strcspn(at, ",");

		if (end == length && memcmp(at, name, length) == 0)
			return true;
		at += end + (at[end] == ',');
	}
	return false;
}

static void add(struct text *list, const char *name, size_t length)
{
	if (length == 0 || has(list, name, length))
		return;
	if (list->length > 0)
		text_puts(list, ",");
	text_add(list, name, length);
}

/* Adds the names of `from` that match the patterns, or do not. */
static void add_matching(struct text *list, const char *from, const char *patterns, size_t length,
			 bool matching)
{
	while (*from) {
		size_t end = strcspn(from, ",");
		char *name = memory_copy_n(from, end);

		if ((pattern_list_match(name, patterns, length, false) == 1) == matching)
			add(list, name, end);
		memory_free(name);
		from += end + (from[end] == ',');
	}
}

/* Adds each name of a list; a pattern stands for all that we know. */
static void add_all(struct text *list, enum algorithms kind, const char *names)
{
	while (*names) {
		size_t end = strcspn(names, ",");

		if (pattern_is_one(names, end)) {
			add_matching(list, lists[kind].usual, names, end, true);
			add_matching(list, lists[kind].others, names, end, true);
		} else {
			add(list, names, end);
		}
		names += end + (names[end] == ',');
	}
}

char *algorithms_list(enum algorithms kind, const char *configured)
{
	const char *usual = lists[kind].usual;
	struct text list = {0};

	text_puts(&list, "");
	if (!configured) {
		text_puts(&list, usual);
	} else if (*configured == '+') {
		add_all(&list, kind, usual);
		add_all(&list, kind, configured + 1);
	} else if (*configured == '^') {
		add_all(&list, kind, configured + 1);
		add_all(&list, kind, usual);
	} else if (*configured == '-') {
		add_matching(&list, usual, configured + 1, strlen(configured + 1), false);
	} else {
		add_all(&list, kind, configured);
	}
	return list.bytes;
}
