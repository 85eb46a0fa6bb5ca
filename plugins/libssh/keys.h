/* SPDX-License-Identifier: Apache-2.0 */
/* Key files of ours, read once however many hosts take them. */
#ifndef SPICERACK_LIBSSH_KEYS_H
#define SPICERACK_LIBSSH_KEYS_H

#include <libssh/libssh.h>
#include <stdbool.h>

#define KEY_PROBLEM_SIZE 160

/* A file named by IdentityFile, and the certificate beside it. */
struct identity {
	char *path;
	ssh_key private;     /* NULL: `problem` says why */
	ssh_key public;      /* also of an encrypted one; NULL: not known */
	unsigned char *blob; /* of `public`, as it goes over the wire; NULL */
	size_t blob_length;
	ssh_key certificate; /* of PATH-cert.pub; NULL: none */
	ssh_key certified;   /* `private` with it; NULL: one of them is missing */
	bool missing, encrypted;
	char problem[KEY_PROBLEM_SIZE]; /* printable */
};

/* A file named by CertificateFile. */
struct certificate {
	char *path;
	ssh_key key; /* NULL: `problem` says why */
	char problem[KEY_PROBLEM_SIZE];
};

struct keys;

struct keys *keys_new(void);
/* NULL is fine. */
void keys_free(struct keys *keys);

/* They live as long as `keys` does. */
const struct identity *keys_identity(struct keys *keys, const char *path);
const struct certificate *keys_certificate(struct keys *keys, const char *path);

/*
 * A copy of the private key with the certificate, when they belong together, else NULL; freed by
 * ssh_key_free().
 */
ssh_key keys_certify(ssh_key private, ssh_key certificate);

/* Whether a certificate is of this key, which may be public or private. */
bool keys_is_certified_by(ssh_key key, ssh_key certificate);

/* The public part as it goes over the wire; freed by memory_free(). NULL: there is none. */
unsigned char *keys_blob(ssh_key key, size_t *ret_length);

#endif
