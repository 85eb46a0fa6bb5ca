/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a cookbook: the handle lies in the arena, the bytes in secretlist.c. */
#include <spicerack/secret.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "../runtime/protocol.h"
#include "../runtime/secretforms.h"
#include "../runtime/secretlist.h"
#include "../runtime/secretmem.h"
#include "../runtime/misuse.h"
#include "secrethandle.h"

#define SECRET_MAGIC 0x53504b59U
#define READ_SIZE (SECRET_MAX + 2) /* with a newline, and the byte that is too much */

struct spk_secret {
	uint32_t magic;
	struct secretlist_place place;
};

/* Tells the supervisor, which from then on redacts it. False: it takes no more. */
static bool announce(struct spk *spk, const char *text)
{
	struct message answer;
	struct buf body = {0};
	bool taken;

	wire_put_text(&body, text);
	/* A secret that is known here and not there must not be. */
	spk->uninterruptible++;
	session_request(spk, REQUEST_SECRET, &body, &answer);
	spk->uninterruptible--;
	taken = wire_get_number(&answer.body) != 0;
	buf_free(&body);
	return taken;
}

static struct spk_secret *adopt(struct spk *spk, struct spk_secret *secret)
{
	if (!announce(spk, secretlist_text(&secret->place))) {
		secretlist_remove(&secret->place);
		spk_raise(spk, "secret.memory", NULL,
			  "cannot keep a secret: the run has had too many");
	}
	secret->magic = SECRET_MAGIC;
	return secret;
}

static void tell_unlocked(struct spk *spk)
{
	static bool told;

	if (!told)
		spk_debug(spk, "the memory of secrets cannot be locked (RLIMIT_MEMLOCK), ignoring");
	told = true;
}

struct spk_secret *secret_new(struct spk *spk)
{
	return SPK_NEW(spk, struct spk_secret);
}

void secret_keep(struct spk *spk, struct spk_secret *secret, const char *text)
{
	struct err err;
	bool locked;

	if (secretlist_add(text, strlen(text), &secret->place, &locked, &err) < 0)
		spk_raise(spk, "secret.memory", NULL, "cannot keep a secret: %s", err.text);
	secret->magic = SECRET_MAGIC;
	if (!locked)
		tell_unlocked(spk);
}

struct spk_secret *spk_secret_from(struct spk *spk, const char *text)
{
	struct spk_secret *secret;
	struct err err;
	size_t length;
	bool locked;

	CHECK_SPK(spk);
	CHECK_GIVEN(text);
	length = strlen(text);
	if (length < SECRET_MIN)
		session_misuse(__func__,
			       "a secret of less than %d bytes: to redact it would shred the log",
			       SECRET_MIN);
	if (length > SECRET_MAX)
		session_misuse(__func__, "a secret of more than %d bytes", SECRET_MAX);
	secret = SPK_NEW(spk, struct spk_secret);
	if (secretlist_add(text, length, &secret->place, &locked, &err) < 0)
		spk_raise(spk, "secret.memory", NULL, "cannot keep a secret: %s", err.text);
	adopt(spk, secret);
	if (!locked)
		tell_unlocked(spk);
	return secret;
}

/* The length, at most `size`; -1 with the reason. */
static ssize_t read_whole(int fd, const char *path, char *out, size_t size, struct err *err)
{
	size_t length = 0;
	ssize_t got = 1;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, "cannot examine '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, "cannot read a secret from '%s': not a regular file", path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return err_set(err,
			       "cannot read a secret from '%s': its mode %04o has permissions for "
			       "group or others",
			       path, (unsigned int)st.st_mode & 07777U);
	while (length < size && got != 0) {
		got = read(fd, out + length, size - length);
		if (got < 0 && errno != EINTR)
			return err_errno(err, "cannot read '%s'", path);
		length += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)length;
}

static int read_secret(const char *path, char *text, struct secretlist_place *ret, bool *ret_locked,
		       struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t length;

	if (fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	length = read_whole(fd, path, text, READ_SIZE, err);
	close(fd);
	if (length < 0)
		return -1;
	if (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	if (length < SECRET_MIN)
		return err_set(err, "cannot read a secret from '%s': shorter than %d bytes", path,
			       SECRET_MIN);
	if (length > SECRET_MAX)
		return err_set(err, "cannot read a secret from '%s': longer than %d bytes", path,
			       SECRET_MAX);
	if (memchr(text, '\0', (size_t)length))
		return err_set(err, "cannot read a secret from '%s': it holds a NUL byte", path);
	return secretlist_add(text, (size_t)length, ret, ret_locked, err);
}

struct spk_secret *spk_secret_read_file(struct spk *spk, const char *path)
{
	struct spk_secret *secret;
	struct err err;
	bool locked = false;
	char *text;
	int rc = -1;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(path);
	secret = SPK_NEW(spk, struct spk_secret);
	text = secretmem_map(READ_SIZE, NULL, &err);
	if (text)
		rc = read_secret(path, text, &secret->place, &locked, &err);
	secretmem_unmap(text, READ_SIZE);
	if (rc < 0)
		spk_raise(spk, "secret.file", NULL, "%s", err.text);
	adopt(spk, secret);
	if (!locked)
		tell_unlocked(spk);
	return secret;
}

const char *spk_secret_text(const struct spk_secret *secret)
{
	const char *text;

	CHECK_HANDLE(secret, SECRET_MAGIC);
	text = secretlist_text(&secret->place);
	if (!text)
		spk_raise(session_current(), "secret.gone", NULL,
			  "the secret is gone: it was wiped, or the process that read it has "
			  "died; read it again");
	return text;
}

void spk_secret_wipe(struct spk_secret *secret)
{
	if (!secret)
		return;
	CHECK_HANDLE(secret, SECRET_MAGIC);
	secretlist_remove(&secret->place);
}

static void wipe(struct spk *spk, void *argument)
{
	spk_secret_wipe(argument);
}

struct spk_scope *spk_secret_scope(struct spk *spk, struct spk_secret *secret)
{
	CHECK_SPK(spk);
	CHECK_HANDLE(secret, SECRET_MAGIC);
	return spk_scope_open(spk, "a secret is wiped", wipe, secret);
}
