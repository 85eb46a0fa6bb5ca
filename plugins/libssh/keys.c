/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../base/memory.h"
#include "end.h"

#define FILE_MAX ((size_t)1 << 18)

struct keys {
	struct identity **identities;
	struct certificate **certificates;
	size_t identity_count, identity_capacity, certificate_count, certificate_capacity;
};

static void set_problem(char problem[static KEY_PROBLEM_SIZE], const char *path, const char *why)
{
	char text[2 * KEY_PROBLEM_SIZE];

	snprintf(text, sizeof(text), "%s: %s", file_shown(path), why);
	end_printable(text, problem, KEY_PROBLEM_SIZE);
}

/* Called when a key wants a passphrase, which there is none of. */
static int note_encryption(const char *prompt, char *buffer, size_t length, int echo, int verify,
			   void *data)
{
	bool *encrypted = data;

	*encrypted = true;
	return -1;
}

/* As ssh does: a key of ours is nobody else's business. */
static bool is_exposed(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & (S_IRWXG | S_IRWXO));
}

static void read_private(struct identity *identity)
{
	struct spk_reason_buffer reason;
	struct text text = {0};

	if (file_read(identity->path, FILE_MAX, &text, &reason) < 0) {
		identity->missing = errno == ENOENT;
		end_printable(reason.text, identity->problem, KEY_PROBLEM_SIZE);
	} else if (is_exposed(identity->path)) {
		set_problem(identity->problem, identity->path, "others may read it: chmod go=");
	} else if (!text.bytes || ssh_pki_import_privkey_base64(text.bytes, NULL, note_encryption,
								&identity->encrypted,
								&identity->private) != SSH_OK) {
		identity->private = NULL;
		set_problem(identity->problem, identity->path,
			    identity->encrypted ? "it is encrypted, and no agent has it"
						: "it is no private key that libssh can read");
	}
	text_free(&text);
}

/* NULL: there is none. */
static ssh_key read_public(const char *path)
{
	ssh_key key = NULL;

	return ssh_pki_import_pubkey_file(path, &key) == SSH_OK ? key : NULL;
}

/* The length of the string at `at` of a blob, with the four bytes before it; 0: it has none. */
static size_t string_size(const unsigned char *blob, size_t length, size_t at)
{
	size_t size;

	if (length - at < 4)
		return 0;
	size = 4 + ((size_t)blob[at] << 24 | (size_t)blob[at + 1] << 16 |
		    (size_t)blob[at + 2] << 8 | blob[at + 3]);
	return size <= length - at ? size : 0;
}

unsigned char *keys_blob(ssh_key key, size_t *ret_length)
{
	char *base64 = NULL;
	unsigned char *blob;
	size_t length;
	int decoded;

	if (!key || ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK)
		return NULL;
	length = strlen(base64);
	blob = memory_raw(length / 4 * 3 + 1);
	decoded = EVP_DecodeBlock(blob, (const unsigned char *)base64, (int)length);
	for (size_t i = length; i > 0 && base64[i - 1] == '='; i--)
		decoded--;
	ssh_string_free_char(base64);
	if (decoded > 0) {
		*ret_length = (size_t)decoded;
		return blob;
	}
	memory_free(blob);
	return NULL;
}

/* A certificate has its own type, a nonce, and then what a plain key has behind its type. */
bool keys_is_certified_by(ssh_key key, ssh_key certificate)
{
	size_t plain_length = 0, length = 0, skip, plain_skip;
	unsigned char *plain = keys_blob(key, &plain_length);
	unsigned char *blob = keys_blob(certificate, &length);
	bool is = false;

	if (plain && blob) {
		plain_skip = string_size(plain, plain_length, 0);
		skip = string_size(blob, length, 0);
		if (skip)
			skip += string_size(blob, length, skip);
		is = plain_skip && skip && length - skip >= plain_length - plain_skip &&
		     memcmp(blob + skip, plain + plain_skip, plain_length - plain_skip) == 0;
	}
	memory_free(plain);
	memory_free(blob);
	return is;
}

ssh_key keys_certify(ssh_key private, ssh_key certificate)
{
	ssh_key certified;

	if (!private || !certificate || !keys_is_certified_by(private, certificate))
		return NULL;
	certified = ssh_key_dup(private);
	if (certified && ssh_pki_copy_cert_to_privkey(certificate, certified) != SSH_OK) {
		ssh_key_free(certified);
		certified = NULL;
	}
	return certified;
}

static struct identity *read_identity(const char *path)
{
	struct identity *identity = memory_new(1, sizeof(*identity));
	size_t size = strlen(path) + sizeof("-cert.pub");
	char *beside = memory_raw(size);

	identity->path = memory_copy(path);
	read_private(identity);
	snprintf(beside, size, "%s.pub", path);
	if (identity->private)
		ssh_pki_export_privkey_to_pubkey(identity->private, &identity->public);
	else
		identity->public = read_public(beside);
	identity->blob = keys_blob(identity->public, &identity->blob_length);
	snprintf(beside, size, "%s-cert.pub", path);
	if (ssh_pki_import_cert_file(beside, &identity->certificate) != SSH_OK)
		identity->certificate = NULL;
	identity->certified = keys_certify(identity->private, identity->certificate);
	memory_free(beside);
	return identity;
}

const struct identity *keys_identity(struct keys *keys, const char *path)
{
	for (size_t i = 0; i < keys->identity_count; i++)
		if (strcmp(keys->identities[i]->path, path) == 0)
			return keys->identities[i];
	keys->identities = memory_grow(keys->identities, keys->identity_count,
				       &keys->identity_capacity, sizeof(*keys->identities));
	keys->identities[keys->identity_count] = read_identity(path);
	return keys->identities[keys->identity_count++];
}

const struct certificate *keys_certificate(struct keys *keys, const char *path)
{
	struct certificate *certificate;

	for (size_t i = 0; i < keys->certificate_count; i++)
		if (strcmp(keys->certificates[i]->path, path) == 0)
			return keys->certificates[i];
	certificate = memory_new(1, sizeof(*certificate));
	certificate->path = memory_copy(path);
	if (ssh_pki_import_cert_file(path, &certificate->key) != SSH_OK) {
		certificate->key = NULL;
		set_problem(certificate->problem, path,
			    "it is no certificate that libssh can read");
	}
	keys->certificates = memory_grow(keys->certificates, keys->certificate_count,
					 &keys->certificate_capacity, sizeof(*keys->certificates));
	keys->certificates[keys->certificate_count++] = certificate;
	return certificate;
}

struct keys *keys_new(void)
{
	return memory_new(1, sizeof(struct keys));
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->identity_count; i++) {
		struct identity *identity = keys->identities[i];

		ssh_key_free(identity->private);
		ssh_key_free(identity->public);
		ssh_key_free(identity->certificate);
		ssh_key_free(identity->certified);
		memory_free(identity->blob);
		memory_free(identity->path);
		memory_free(identity);
	}
	for (size_t i = 0; i < keys->certificate_count; i++) {
		ssh_key_free(keys->certificates[i]->key);
		memory_free(keys->certificates[i]->path);
		memory_free(keys->certificates[i]);
	}
	memory_free(keys->identities);
	memory_free(keys->certificates);
	memory_free(keys);
}
