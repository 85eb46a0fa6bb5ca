/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running commands on other hosts, over SSH, on many at once:
 *
 *     struct spk_remote *web = spk_remote_query(spk, "D{web[01-40].dc1.example}");
 *
 *     spk_remote_run(web, "systemctl restart %s", unit);
 *     spk_remote_run_all(web, SPK_REMOTE("apt-get update", .batch = SPK_PERCENT(10)));
 *     load = spk_remote_first_output(spk_remote_read(web, "cat /proc/loadavg"));
 *
 * A command is a line for the login shell of the user there, as `ssh HOST COMMAND` has it. What
 * changes something is `run`: in dry-run it is not run, and the results say so. What only reads is
 * `read`: it runs in dry-run, too, and then fails nobody.
 *
 * Nothing is left behind: when the run ends, is interrupted or killed, or the network to a host is
 * cut, the command ends there within 15 s, with all that it has started, but for what was started
 * `.detached`. A command that has come to its end is not followed further: what it has put into the
 * background before stays, as with ssh.
 *
 * The operator is shown what one host writes as it comes; of several how far it is, and then what
 * they wrote, hosts with the same output together, each failure, and the ratio of success. See
 * docs/authors.md.
 *
 * Kinds of errors: `remote.query` (no such hosts), `remote.subset`, `remote.settings` (the
 * configuration of hosts and transport), `remote.transport` (it does not work at all),
 * `remote.files` (.output_directory), `remote.execution` (hosts failed; the payload are the
 * results), `remote.result` (there is not the one that was asked for), `interrupted`.
 */
#ifndef SPICERACK_REMOTE_H
#define SPICERACK_REMOTE_H

#include <spicerack/hosts.h>
#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* Hosts to run commands on. It belongs to the run, and never changes. */
struct spk_remote;

/*
 * The hosts that a query finds: `D{db[1-9]} and not A:canary`, see docs/operators.md. Raises
 * `remote.query` for one that cannot be read or answered, or that no host matches. Since 1.0.
 */
SPK_API struct spk_remote *spk_remote_query(struct spk *spk, const char *query);
/* These hosts, unasked. Raises `remote.query` when there are none. Since 1.0. */
SPK_API struct spk_remote *spk_remote_on(struct spk *spk, const struct spk_hosts *hosts);

/* Which they are. Since 1.0. */
SPK_API const struct spk_hosts *spk_remote_hosts(const struct spk_remote *remote);
/* How many. Since 1.0. */
SPK_API size_t spk_remote_count(const struct spk_remote *remote);

/* A counted list of them. Since 1.0. */
typedef struct spk_remote_list {
	struct spk_remote *const *items;
	size_t count;
} spk_remote_list;

/*
 * In `parts` slices that differ by one host at most, larger ones first; as many as there are
 * hosts, when those are fewer. `parts` is not 0. Since 1.0.
 */
SPK_API spk_remote_list spk_remote_split(const struct spk_remote *remote, size_t parts);
/* Some of its hosts. Raises `remote.subset` unless all of them are among its own. Since 1.0. */
SPK_API struct spk_remote *spk_remote_subset(const struct spk_remote *remote,
					     const struct spk_hosts *hosts);
/* The same hosts, every command there as root, by `sudo -i`. Since 1.0. */
SPK_API struct spk_remote *spk_remote_with_sudo(const struct spk_remote *remote);

/* A number of hosts, or a share of them. Zero is "not given". */
typedef struct spk_share {
	uint32_t kind; /* set by the macros */
	uint32_t reserved;
	double value;
} spk_share;

/* So many hosts. */
#define SPK_HOSTS(n) ((spk_share){.kind = 1, .value = (double)(n)})
/* So much of all: 0 to 100. */
#define SPK_PERCENT(n) ((spk_share){.kind = 2, .value = (double)(n)})

/* One command of several. A member left out has its default. */
struct spk_remote_command {
	uint32_t size; /* set by SPK_REMOTE_COMMAND() */
	bool any_code; /* no exit code is a failure; a signal is */
	bool reserved[3];
	const char *text;     /* for the shell there; not empty */
	spk_duration timeout; /* from its start on a host; default: none */
	spk_ints accepted;    /* exit codes that are no failure; default: 0 */
};

/* A counted list of them. */
typedef struct spk_remote_commands {
	const struct spk_remote_command *items;
	size_t count;
} spk_remote_commands;

/* SPK_REMOTE_COMMAND("puppet agent -t", .timeout = SPK_MINUTES(5), .accepted = SPK_INTS(0, 2)) */
#define SPK_REMOTE_COMMAND(text_, ...)                                                             \
	((struct spk_remote_command){                                                              \
		.size = sizeof(struct spk_remote_command), .text = (text_), ##__VA_ARGS__})

/* .commands = SPK_REMOTE_COMMANDS(SPK_REMOTE_COMMAND("a"), SPK_REMOTE_COMMAND("b")) */
#define SPK_REMOTE_COMMANDS(...)                                                                   \
	((spk_remote_commands){.items = (const struct spk_remote_command[]){__VA_ARGS__},          \
			       .count = sizeof((const struct spk_remote_command[]){__VA_ARGS__}) / \
					sizeof(struct spk_remote_command)})

/* In which order hosts come to several commands. */
enum spk_remote_mode {
	SPK_REMOTE_SYNC = 0,  /* each command on all hosts that succeeded so far, then the next */
	SPK_REMOTE_ASYNC = 1, /* each host its list, until one fails there; then another host */
};

/*
 * What to run, and how. A member left out has its default.
 *
 * No more than `batch` hosts are at work at a time; when one has finished, the next starts, after
 * `batch_sleep`. Of a share the number is rounded up: 10 % of 4 hosts are 1. More than there are is
 * all.
 *
 * When so many hosts have failed that fewer than `threshold` can still succeed, no other is
 * started; those at work finish. A threshold that was met is a success: nothing is raised, and the
 * results tell who failed. Cumin raises then, too.
 *
 * A text that holds a secret (secret.h), also an encoded one, is misuse and nothing is run: others
 * on the host can read commands and environments. `input` may hold one.
 */
struct spk_remote_options {
	uint32_t size;                /* set by SPK_REMOTE() */
	uint32_t mode;                /* enum spk_remote_mode */
	const char *command;          /* the only one, with the defaults of a command; or */
	spk_remote_commands commands; /* several */
	spk_share batch;              /* default: all; with `fanout`, whichever is less */
	spk_duration batch_sleep;     /* default: none */
	spk_share threshold;          /* default: SPK_PERCENT(100) */
	spk_duration timeout;         /* of `command` on a host, from its start; default: none */
	spk_duration total_timeout;   /* for all of it, connecting included; default: none */
	spk_duration connect_timeout; /* until a host lets us in; default: 10 s */
	spk_ints accepted;            /* exit codes of `command` that are no failure; default: 0 */
	spk_strings environment;      /* NAME=VALUE, beside what the login there sets */
	const char *input;            /* standard input of each command; default: none, its end */
	size_t input_length;          /* in bytes, at most 64 MiB; 0: up to its NUL */
	size_t output_limit;          /* bytes kept of each stream of a host; default: 1 MiB */
	/* HOST.out and HOST.err get all that a host writes. The directory is made where it is
	 * missing, its files are replaced. In dry-run a `run` makes none. */
	const char *output_directory;
	bool sudo;        /* as root, by `sudo -i`: as spk_remote_with_sudo() */
	bool any_code;    /* no exit code of `command` is a failure */
	bool no_output;   /* the operator is not shown what the hosts write */
	bool no_progress; /* nor how far it is */
	bool detached;    /* the command is started and left alone: it outlives the run, what it
			     writes goes nowhere, and its host counts as succeeded */
	bool reserved[3];
	/* To log in as, whatever is configured for the hosts; default: as configured. */
	const char *user;
};

/* SPK_REMOTE("systemctl restart nginx", .batch = SPK_HOSTS(2), .batch_sleep = SPK_SECONDS(30)) */
#define SPK_REMOTE(command_, ...)                                                                  \
	(&(const struct spk_remote_options){                                                       \
		.size = sizeof(struct spk_remote_options), .command = (command_), ##__VA_ARGS__})

/* What came of an execution. It belongs to the run; later ones do not change it. */
struct spk_remote_results;

/*
 * Runs one command that changes something, on all hosts at once, as SPK_REMOTE() without options
 * has it. The line is made as spk_shell_format() does it: each %s becomes one quoted word. In
 * dry-run it is not run. Raises `remote.execution` unless all hosts succeeded, and what
 * spk_remote_run_all() raises. Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_remote_run(const struct spk_remote *remote,
							const char *format, ...) SPK_PRINTF(2, 3);
/*
 * The same for one that only reads: it runs in dry-run, too, where a failure is shown, but does
 * not raise. Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_remote_read(const struct spk_remote *remote,
							 const char *format, ...) SPK_PRINTF(2, 3);

/*
 * Runs commands that change something. Raises `remote.execution` when less than the threshold
 * succeeded, `remote.settings`, `remote.transport`, `remote.files`, `interrupted`. In dry-run
 * nothing is run. Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_remote_run_all(
	const struct spk_remote *remote, const struct spk_remote_options *options);
/* The same for commands that only read, as spk_remote_read() has it. Since 1.0. */
SPK_API const struct spk_remote_results *spk_remote_read_all(
	const struct spk_remote *remote, const struct spk_remote_options *options);

/* How a command ended on a host. */
enum spk_remote_end {
	SPK_REMOTE_NOT_RUN = 0,     /* dry-run, stopped before its turn, or an earlier one failed */
	SPK_REMOTE_OK = 1,          /* with an accepted exit code, or started detached */
	SPK_REMOTE_FAILED = 2,      /* with another */
	SPK_REMOTE_SIGNALLED = 3,   /* by a signal */
	SPK_REMOTE_TIMED_OUT = 4,   /* it was ended there */
	SPK_REMOTE_UNREACHABLE = 5, /* not run: no connection */
	SPK_REMOTE_HOST_KEY = 6, /* not run: it is not the host that is known, or an unknown one */
	SPK_REMOTE_DENIED = 7,   /* not run: the host lets this user not in */
	SPK_REMOTE_UNSUPPORTED = 8, /* not run: the transport cannot do what is configured */
	SPK_REMOTE_LOST = 9,        /* the connection broke: what became of it is not known */
	SPK_REMOTE_ERROR = 10,      /* not run, for another reason */
};

/* One command on one host. What later versions tell more is told by functions. */
struct spk_remote_result {
	uint32_t end;      /* enum spk_remote_end */
	int32_t exit_code; /* 0 to 255; -1: there is none */
	const char *host;
	const char *command;  /* its text */
	size_t command_index; /* 0: the first */
	const char *signal;   /* of SIGNALLED: its name without SIG; else "" */
	const char *reason;   /* why it failed, one line; "" when it did not */
	const char *out;      /* standard output and error, apart, each ending in NUL */
	const char *err;
	size_t out_length; /* without that NUL; the data may hold others */
	size_t err_length;
	uint64_t out_total; /* what was written; more than the length: the rest was dropped */
	uint64_t err_total;
	spk_duration took; /* from its start there */
};

/* How many there are: one for each host and command, also those that did not run. Since 1.0. */
SPK_API size_t spk_remote_results_count(const struct spk_remote_results *results);
/*
 * One of them, by number: of the first command on all hosts in their order, then of the second
 * ... Out of range is misuse. Since 1.0.
 */
SPK_API const struct spk_remote_result *spk_remote_results_at(
	const struct spk_remote_results *results, size_t index);
/* That of a host for command number `command`; NULL: there is no such host. Since 1.0. */
SPK_API const struct spk_remote_result *spk_remote_results_of(
	const struct spk_remote_results *results, const char *host, size_t command);
/* The hosts that did all commands successfully; perhaps none. Since 1.0. */
SPK_API const struct spk_hosts *spk_remote_succeeded(const struct spk_remote_results *results);
/* The hosts on which a command failed in any way; perhaps none. Since 1.0. */
SPK_API const struct spk_hosts *spk_remote_failed(const struct spk_remote_results *results);
/* All others: those that had not done all commands when it was over. Since 1.0. */
SPK_API const struct spk_hosts *spk_remote_not_run(const struct spk_remote_results *results);
/* The hosts on which some command ended in that way (enum spk_remote_end). Since 1.0. */
SPK_API const struct spk_hosts *spk_remote_ended(const struct spk_remote_results *results,
						 enum spk_remote_end end);

/* Hosts that wrote the same. */
struct spk_remote_group {
	const struct spk_hosts *hosts;
	const char *out, *err;
	size_t out_length, err_length;
};

typedef struct spk_remote_groups {
	const struct spk_remote_group *items;
	size_t count;
} spk_remote_groups;

/*
 * What the hosts on which command number `command` ran wrote, those with the same bytes in both
 * streams together; larger groups first. Since 1.0.
 */
SPK_API spk_remote_groups spk_remote_results_groups(const struct spk_remote_results *results,
						    size_t command);

/*
 * Standard output of the last command on the only host, without blanks at both ends. Raises
 * `remote.result` when there are several hosts. "" when it was not run. Since 1.0.
 */
SPK_API const char *spk_remote_output(const struct spk_remote_results *results);
/* The same of the first host on which it succeeded; raises when there is none. Since 1.0. */
SPK_API const char *spk_remote_first_output(const struct spk_remote_results *results);
/* The same of all hosts on which it ran, in their order. Since 1.0. */
SPK_API spk_strings spk_remote_outputs(const struct spk_remote_results *results);

#ifdef __cplusplus
}
#endif

#endif
