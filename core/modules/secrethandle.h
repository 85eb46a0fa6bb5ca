/* SPDX-License-Identifier: Apache-2.0 */
/* Making the handle of a secret that the supervisor knows already; see secret.c. */
#ifndef SPICERACK_MODULES_SECRETHANDLE_H
#define SPICERACK_MODULES_SECRETHANDLE_H

struct spk;
struct spk_secret;

/* A handle without a secret; made first, so that there is nothing to lose when it raises. */
struct spk_secret *secret_new(struct spk *spk);

/* Keeps a copy of `text`, which is redacted already. Raises `secret.memory`. */
void secret_keep(struct spk *spk, struct spk_secret *secret, const char *text);

#endif
