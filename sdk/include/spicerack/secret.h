/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: passwords, tokens, keys. Their bytes lie in locked pages of the process that made
 * them, never in a core dump, and whatever the run logs or prints has `********` in their
 * place, also where they are encoded: base64, percent-encoding, JSON, quotes of a shell.
 *
 *     struct spk_secret *token = spk_secret_read_file(spk, "/etc/deploy/token");
 *
 *     SPK_SCOPED(spk_secret_scope(spk, token));
 *     spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("deployctl", "login", "--token-stdin"),
 *                                      .input = spk_secret_text(token)));
 *
 * What is known once stays redacted until the command ends, also after it was wiped: a copy of
 * it may still be on its way. A record or the output that ends with the beginning of a secret
 * (4 bytes, or half of it) loses that, too, since the rest may follow in the next one; so may a
 * harmless text that looks like it.
 *
 * Copies are the author's: one made with spk_format() is kept out of core dumps and is redacted,
 * but is not wiped; one in a variable or from malloc() is in the core dump of a crash.
 */
#ifndef SPICERACK_SECRET_H
#define SPICERACK_SECRET_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_scope;
struct spk_secret;

/*
 * Makes a secret of a text of 4 bytes to 64 KiB: anything shorter is misuse, as its redaction
 * would shred the log. When the call returns the supervisor redacts it. The caller's own
 * copy is the caller's to wipe. Raises `secret.memory` when there are too many. Since 1.0.
 */
SPK_API struct spk_secret *spk_secret_from(struct spk *spk, const char *text);

/*
 * Makes a secret of what is in a file, without a newline at its end. Raises `secret.file` for
 * what is not a regular file, has permissions for group or others, is shorter than 4 bytes or
 * longer than 64 KiB, or holds a NUL byte; else as spk_secret_from(). Since 1.0.
 */
SPK_API struct spk_secret *spk_secret_read_file(struct spk *spk, const char *path);

/*
 * The text, until the secret is wiped or the process ends. Raises `secret.gone` after that: a
 * rollback after a crash runs in a fresh process, which must read its secrets again. Since 1.0.
 */
SPK_API const char *spk_secret_text(const struct spk_secret *secret);

/* Wipes the text from the memory. Once more, after a crash, or of NULL is fine. Since 1.0. */
SPK_API void spk_secret_wipe(struct spk_secret *secret);

/*
 * A scope at whose end the secret is wiped, for SPK_SCOPED(). Without one it is wiped when
 * the process ends. Since 1.0.
 */
SPK_API struct spk_scope *spk_secret_scope(struct spk *spk, struct spk_secret *secret);

#ifdef __cplusplus
}
#endif

#endif
