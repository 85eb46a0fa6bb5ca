/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_config(5): read once, and asked for each host which lines are for it. The first line with a
 * keyword counts, as it does for ssh.
 */
#ifndef SPICERACK_LIBSSH_SSHCONFIG_H
#define SPICERACK_LIBSSH_SSHCONFIG_H

#include <sys/types.h>

#include "end.h"
#include "keyword.h"

/* Of the lists, more are an error. */
#define CONFIG_LINES_MAX 100

/* Who we are. */
struct config_self {
	const char *user, *home;
	const char *machine, *machine_short; /* the name of this machine, and without its domain */
	uid_t uid;
};

struct config_line {
	const struct keyword *keyword; /* NULL: it is not known, or no line of the file */
	const char *file;
	unsigned number;
	const char *const *words; /* behind the keyword, without quotes */
	size_t count;
	const char *rest; /* all that is behind the keyword, as it was */
};

struct config_lines {
	const struct config_line *lines[CONFIG_LINES_MAX];
	size_t count;
};

/* The lines that are for a host; NULL: none. */
struct config_selection {
	const struct config_line *first[OPTION_COUNT];
	struct config_lines identity_files, certificate_files, send_env;
};

struct sshconfig;

/*
 * Reads `file` only, which must be there; "none" is no file; with NULL the user's and the
 * system's, which need not. `self` must stay. NULL and a reason when one cannot be trusted.
 */
struct sshconfig *sshconfig_read(const char *file, const struct config_self *self,
				 struct spk_reason_buffer *reason);
/* NULL is fine. */
void sshconfig_free(struct sshconfig *config);

/*
 * Selects for the host that was named `name`, with `user` where that was named as well, else
 * NULL. -1 with the end UNSUPPORTED, when a line that is for it cannot be honoured, or FAILED.
 */
int sshconfig_select(const struct sshconfig *config, const char *name, const char *user,
		     struct config_selection *selection, struct end *end);

/* Replaces %h and %%; NULL: it has others, or no end. Freed by memory_free(). */
char *sshconfig_expand_host(const char *text, const char *host);

/* Reads the text of a file with this name, for tests; what it includes is not read. */
struct sshconfig *sshconfig_read_text(const char *name, const char *text, size_t length,
				      const struct config_self *self,
				      struct spk_reason_buffer *reason);

#endif
