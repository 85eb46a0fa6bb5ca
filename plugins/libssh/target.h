/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration makes of a host: where to connect to, as whom, with what. */
#ifndef SPICERACK_LIBSSH_TARGET_H
#define SPICERACK_LIBSSH_TARGET_H

#include <stdint.h>

#include "sshconfig.h"
#include "words.h"

/* A list of algorithms, as ssh_config has it, and where it is from; NULL: not set. */
struct target_list {
	const char *text;
	const struct config_line *line;
};

/* A host and how it was named; 0 and NULL: not named. */
struct target_name {
	const char *host, *user;
	int port;
	const char *jump; /* in the place of the configuration's ProxyJump */
};

struct target {
	char *name; /* as it was named */
	char *host; /* to connect to */
	char *user;
	int port;
	int family;         /* AF_UNSPEC or one */
	const char *source; /* NULL: any address of ours */
	bool keep_alive, compression;
	int64_t connect_timeout_ns; /* INT64_MAX: none */
	int64_t alive_interval_ns;  /* 0: never */
	int alive_count;

	char *known_as;       /* in known_hosts */
	char *known_as_other; /* also, when there is no `known_as`; NULL: none */
	struct words known_hosts;
	const struct config_line *strict; /* it says that unknown keys may be taken; NULL: none */

	struct target_list ciphers, kex, macs, host_keys, public_keys;
	int rsa_size; /* 0: not set */

	struct words identities, certificates; /* paths */
	bool identities_only;
	bool identities_given; /* they are no defaults: one that is not there is worth a word */
	char *agent;           /* NULL: none */
	const struct config_line *gssapi; /* it wants GSSAPI; NULL: none */

	struct words environment; /* NAME=VALUE */

	char *proxy_command; /* NULL: none */
	/* NULL: none. The last one of the list, and those before it. */
	char *jump_host, *jump_user, *jump_before;
	int jump_port;
};

/* *ret_target is freed by target_free(); it refers to `config`. -1 with the end. */
int target_find(const struct sshconfig *config, const struct config_self *self,
		const struct target_name *name, struct target **ret_target, struct end *end);
/* NULL is fine. */
void target_free(struct target *target);

/* Names that can stand in a command line, and are no option. */
bool target_is_host_name(const char *name);

#endif
