/* SPDX-License-Identifier: Apache-2.0 */
#include "hostkey.h"

#include <stdio.h>
#include <string.h>

#include "algorithms.h"
#include "../base/memory.h"

/* The types of keys, and the algorithms that they sign with, in our order of preference. */
static const struct {
	const char *type, *algorithms;
} types[] = {
	{"ssh-ed25519", "ssh-ed25519"},
	{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
	{"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
	{"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
	{"ssh-rsa", "rsa-sha2-512,rsa-sha2-256"},
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))
#define ALGORITHMS_SIZE 256

/* Looks up a host in all its files, by the other name where there is nothing by the first. */
static int look_up(const struct target *target, struct knownhosts *known,
		   bool (*visit)(void *data, const struct known_line *line), void *data,
		   const bool *found, struct end *end)
{
	const char *names[] = {target->known_as, target->known_as_other};
	struct spk_reason_buffer reason;

	for (size_t i = 0; i < 2 && names[i] && !*found; i++) {
		for (size_t j = 0; j < target->known_hosts.count; j++) {
			const struct knownhosts_file *file =
				knownhosts_file(known, target->known_hosts.items[j], &reason);

			if (!file)
				return end_set(end, SPK_TRANSPORT_FAILED, "%s", reason.text);
			knownhosts_look_up(file, names[i], visit, data);
		}
	}
	return 0;
}

/* ---- what to ask for ---- */

struct preference {
	bool known[TYPE_COUNT], any;
};

static bool note_type(void *data, const struct known_line *line)
{
	struct preference *preference = data;

	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (line->marker == KNOWN_PLAIN && strcmp(types[i].type, line->type) == 0) {
			preference->known[i] = true;
			preference->any = true;
		}
	}
	return true;
}

char *hostkey_algorithms(const struct target *target, struct knownhosts *known, struct end *end)
{
	struct preference preference = {{false}, false};
	char algorithms[ALGORITHMS_SIZE] = "";
	size_t length = 0;

	if (target->host_keys.text)
		return algorithms_list(ALGORITHMS_HOST_KEYS, target->host_keys.text);
	if (look_up(target, known, note_type, &preference, &preference.any, end) < 0)
		return NULL;
	for (int pass = 1; pass >= 0; pass--)
		for (size_t i = 0; i < TYPE_COUNT; i++)
			if (preference.known[i] == (pass == 1))
				length += (size_t)snprintf(algorithms + length,
							   sizeof(algorithms) - length, "%s%s",
							   length ? "," : "", types[i].algorithms);
	return memory_copy(algorithms);
}

/* ---- what came ---- */

struct verdict {
	const char *type, *key;
	bool matches, any;
	struct known_line revoked, other, authority, other_type; /* file NULL: none */
};

static bool judge(void *data, const struct known_line *line)
{
	struct verdict *verdict = data;
	bool same = strcmp(line->type, verdict->type) == 0 && strcmp(line->key, verdict->key) == 0;

	if (line->marker == KNOWN_REVOKED) {
		if (same && !verdict->revoked.file)
			verdict->revoked = *line;
		return true;
	}
	if (line->marker == KNOWN_AUTHORITY) {
		if (!verdict->authority.file)
			verdict->authority = *line;
		return true;
	}
	verdict->any = true;
	if (same)
		verdict->matches = true;
	else if (strcmp(line->type, verdict->type) == 0 && !verdict->other.file)
		verdict->other = *line;
	else if (!verdict->other_type.file)
		verdict->other_type = *line;
	return true;
}

static int refuse_unknown(const struct target *target, const struct verdict *verdict,
			  const char *fingerprint, struct end *end)
{
	const struct config_line *strict = target->strict;

	if (verdict->other_type.file)
		return end_set(end, SPK_TRANSPORT_HOST_KEY,
			       "%s: its %s key %s is not known, %s:%u has its %s key: if it is "
			       "right, add it there",
			       target->known_as, verdict->type, fingerprint,
			       verdict->other_type.file, verdict->other_type.number,
			       verdict->other_type.type);
	if (verdict->authority.file)
		return end_refuse(
			end, verdict->authority.file, verdict->authority.number,
			"the host %s is known by a certificate, which libssh cannot check",
			target->known_as);
	if (strict)
		return end_set(end, SPK_TRANSPORT_HOST_KEY,
			       "%s: its %s key %s is not known: if it is right, add it to %s; "
			       "'StrictHostKeyChecking %s' of %s:%u is not followed here",
			       target->known_as, verdict->type, fingerprint,
			       target->known_hosts.count ? target->known_hosts.items[0]
							 : "a known_hosts file",
			       strict->words[0], strict->file, strict->number);
	return end_set(end, SPK_TRANSPORT_HOST_KEY,
		       "%s: its %s key %s is not known: if it is right, add it to %s",
		       target->known_as, verdict->type, fingerprint,
		       target->known_hosts.count ? target->known_hosts.items[0]
						 : "a known_hosts file");
}

static int conclude(const struct target *target, const struct verdict *verdict,
		    const char *fingerprint, bool unchecked, struct end *end)
{
	if (verdict->revoked.file)
		return end_set(end, SPK_TRANSPORT_HOST_KEY,
			       "%s: its %s key %s is revoked by %s:%u: do not trust this host",
			       target->known_as, verdict->type, fingerprint, verdict->revoked.file,
			       verdict->revoked.number);
	if (verdict->matches || unchecked)
		return 0;
	if (verdict->other.file)
		return end_set(
			end, SPK_TRANSPORT_HOST_KEY,
			"%s: its %s key is %s, not the one in %s:%u: it was installed anew, "
			"or somebody stands between: find out which, then put that line right",
			target->known_as, verdict->type, fingerprint, verdict->other.file,
			verdict->other.number);
	return refuse_unknown(target, verdict, fingerprint, end);
}

/* "SHA256:..."; NULL: out of memory. */
static char *fingerprint_of(ssh_key key)
{
	unsigned char *hash = NULL;
	char *fingerprint = NULL;
	size_t length = 0;

	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) == 0)
		fingerprint = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
	ssh_clean_pubkey_hash(&hash);
	return fingerprint;
}

/* libssh calls the keys of all curves by one name. */
static const char *type_of(ssh_key key)
{
	const char *ecdsa = ssh_pki_key_ecdsa_name(key);

	return ecdsa && strncmp(ecdsa, "ecdsa", 5) == 0 ? ecdsa
							: ssh_key_type_to_char(ssh_key_type(key));
}

int hostkey_check(const struct target *target, struct knownhosts *known, ssh_key key,
		  bool unchecked, struct end *end)
{
	struct verdict verdict = {.type = type_of(key)};
	char *fingerprint = NULL, *base64 = NULL;
	int rc = -1;

	if (ssh_pki_export_pubkey_base64(key, &base64) == SSH_OK)
		fingerprint = fingerprint_of(key);
	if (!verdict.type || !fingerprint) {
		end_set(end, SPK_TRANSPORT_FAILED, "%s: cannot read its key", target->known_as);
	} else {
		verdict.key = base64;
		rc = look_up(target, known, judge, &verdict, &verdict.any, end);
		if (rc == 0)
			rc = conclude(target, &verdict, fingerprint, unchecked, end);
	}
	ssh_string_free_char(fingerprint);
	ssh_string_free_char(base64);
	return rc;
}
