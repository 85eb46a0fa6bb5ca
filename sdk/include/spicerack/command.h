/* SPDX-License-Identifier: Apache-2.0 */
/* Running a command on this host, from an argument vector: no shell reads it. */
#ifndef SPICERACK_COMMAND_H
#define SPICERACK_COMMAND_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/*
 * How to run it. A member left out has its default. A word or an entry of the environment that
 * holds a secret (secret.h), also an encoded one, is misuse and nothing is run: others on the
 * host can read both. `input` may hold one.
 */
struct spk_command {
	uint32_t size; /* set by SPK_COMMAND() */
	uint32_t reserved;
	spk_strings argv;        /* the program, looked up in PATH, and its arguments; not empty */
	spk_duration timeout;    /* for all of it; default: 60 s; SPK_FOREVER for none */
	const char *directory;   /* where it starts; default: / */
	const char *input;       /* its standard input; default: none, end of file at once */
	spk_strings environment; /* NAME=VALUE, over PATH, HOME, USER, LOGNAME, LANG=C.UTF-8,
				    TERM=dumb */
	spk_ints accepted;       /* exit codes that are no error; default: 0 */
	size_t output_limit;     /* bytes kept of each stream; default: 16 MiB, more is an error */
};

#define SPK_FOREVER SPK_NANOSECONDS(INT64_MAX)

/* SPK_COMMAND(SPK_STRINGS("systemctl", "restart", unit), .timeout = SPK_SECONDS(30)) */
#define SPK_COMMAND(argv_, ...)                                                                    \
	(&(const struct spk_command){                                                              \
		.size = sizeof(struct spk_command), .argv = (argv_), ##__VA_ARGS__})

/* What came of it. It belongs to the run. What later versions tell more is told by functions. */
struct spk_result {
	bool ran;        /* false: dry-run, nothing was run, and all below is empty */
	int exit_code;   /* 0 to 255; -1 when a signal ended it */
	int signal;      /* that signal, or 0 */
	const char *out; /* standard output and error, apart, each ending in NUL */
	const char *err;
	size_t out_length; /* without that NUL; the data may hold others */
	size_t err_length;
	spk_duration took;
};

/*
 * Runs a command that changes something: in dry-run it is not run, and the
 * result says so. Waits for its end; the process group it started ends with it.
 * Raises `command.failed` (not an accepted exit code; the payload is the
 * spk_result), `command.timeout`, `command.missing` (no such program),
 * `command.output` (too much of it), `interrupted`. The words of the command and
 * its exit code are logged at DEBUG. Since 1.0.
 */
SPK_API const struct spk_result *spk_command_run(struct spk *spk,
						 const struct spk_command *command);

/* The same for a command that only reads: it runs in dry-run, too. Since 1.0. */
SPK_API const struct spk_result *spk_command_read(struct spk *spk,
						  const struct spk_command *command);

#ifdef __cplusplus
}
#endif

#endif
