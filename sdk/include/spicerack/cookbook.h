/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one header of a cookbook.
 *
 *     #include <spicerack/cookbook.h>
 *
 *     static int run(struct spk *spk, void *self)
 *     {
 *     	spk_info(spk, "hello from %s", spk_hostname(spk));
 *     	return 0;
 *     }
 *
 *     SPK_COOKBOOK(.title = "Say hello", .run = run);
 *
 * Compile it to a shared object with spicerack_add_cookbook() of the CMake
 * package, or with the flags of `pkg-config spicerack`. See docs/authors.md.
 *
 * ABI. What a cookbook exports is a constant descriptor, read by the host from
 * the file before anything of it is executed. Structures only grow, at the end;
 * members are never given another meaning; the numbers of an enum stay. A
 * cookbook that uses a member which the host does not know is refused by name.
 *
 * Changes: 1.0 first version.
 */
#ifndef SPICERACK_COOKBOOK_H
#define SPICERACK_COOKBOOK_H

#include <spicerack/actions.h>
#include <spicerack/announce.h>
#include <spicerack/argument.h>
#include <spicerack/clock.h>
#include <spicerack/cluster.h>
#include <spicerack/collection.h>
#include <spicerack/command.h>
#include <spicerack/confctl.h>
#include <spicerack/config.h>
#include <spicerack/discovery.h>
#include <spicerack/dns.h>
#include <spicerack/error.h>
#include <spicerack/file.h>
#include <spicerack/fleet.h>
#include <spicerack/hosts.h>
#include <spicerack/http.h>
#include <spicerack/json.h>
#include <spicerack/lock.h>
#include <spicerack/nested.h>
#include <spicerack/output.h>
#include <spicerack/prometheus.h>
#include <spicerack/prompt.h>
#include <spicerack/reason.h>
#include <spicerack/regex.h>
#include <spicerack/remote.h>
#include <spicerack/secret.h>
#include <spicerack/service.h>
#include <spicerack/session.h>
#include <spicerack/text.h>
#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The major version of the descriptor: another one is another world. */
#define SPK_ABI 1

/* Presence of a ready-made argument. */
enum spk_presence {
	SPK_ABSENT = 0,
	SPK_ACCEPTED = 1, /* there, may be left out */
	SPK_REQUIRED = 2,
};

/* For .max_concurrency and struct spk_lock_args: any number of runs, still recorded. */
#define SPK_UNLIMITED (-1)

/* The lock that a run takes. `lock` finds the static values in it and may change them. */
struct spk_lock_args {
	/* Appended to the key as `:suffix`; not empty, no slash; NULL for none. */
	const char *suffix;
	int32_t concurrency; /* 1 or more, or SPK_UNLIMITED */
	int32_t reserved;
	spk_duration ttl; /* more than 0 */
};

/*
 * A cookbook. Only `title` and `run` are needed. `self` is the structure named
 * by SPK_ARGS() or SPK_STATE(), zeroed and filled in from the command line; it
 * keeps what one callback leaves in it for the next, also over a crash. It is
 * NULL when the cookbook names none.
 *
 * Order of a run: check, prepare, describe, lock, run and, if run did not
 * return 0, rollback. Every callback may raise.
 */
struct spk_cookbook {
	uint32_t size;           /* sizeof(struct spk_cookbook) when the cookbook was built */
	uint32_t abi;            /* SPK_ABI */
	const char *title;       /* one line: what it does */
	const char *owner;       /* the team; default: the nearest group's */
	const char *description; /* more text for --help, kept as it is */
	uint64_t state_size;     /* of the structure behind `self` */
	struct spk_arg_table arguments;
	struct spk_rule_table rules;
	struct spk_subcommand_table subcommands;
	uint64_t subcommand_offset; /* of the `const char *` that receives the chosen name */
	uint32_t task_id;           /* enum spk_presence: -t/--task-id, see spk_task_id() */
	uint32_t reason;            /* enum spk_presence: -r/--reason, see spk_reason() */
	int32_t max_concurrency;    /* of the run's lock; 0: the default, 20 */
	bool skip_start;            /* no START in the SAL, the end says DONE */
	bool reserved[3];
	spk_duration lock_ttl; /* of the run's lock; 0: the default, 1800 s */

	/* Refuses, by spk_fail(), a command line that the tables alone cannot judge: exit 2. */
	void (*check)(struct spk *spk, void *self);
	/* Read-only: validates, asks, remembers. A failure is 94 and nothing else happens. */
	void (*prepare)(struct spk *spk, void *self);
	/* One line about this run for the START and END messages. A failure counts as "". */
	const char *(*describe)(struct spk *spk, const void *self);
	/* Computes the lock of this run. A failure is 94. */
	void (*lock)(struct spk *spk, const void *self, struct spk_lock_args *lock);
	/* Does it. Returns 0, or 1 to 89 or 100 to 127 for a failure of its own. */
	int (*run)(struct spk *spk, void *self);
	/* Called once, after scopes are closed, when run failed, raised, crashed or was
	 * interrupted. */
	void (*rollback)(struct spk *spk, void *self);

	/*
	 * How long `run` may take; 0: as long as it likes. Then it is interrupted as by Ctrl+C,
	 * and killed when it does not react within 10 s. --timeout of the command line wins.
	 */
	spk_duration timeout;

	/* The cookbooks that this one runs, with their words: see SPK_CALL(). */
	struct spk_call_table calls;
};

/* The structure behind `self` and the table of the arguments that it holds. */
#define SPK_ARGS(T, table) .state_size = sizeof(T), .arguments = SPK_TABLE(table)
/* A structure behind `self` for a cookbook without arguments. */
#define SPK_STATE(T) .state_size = sizeof(T)
/* Rules between arguments: SPK_RULES(rules) for a `static const struct spk_rule rules[]`. */
#define SPK_RULES(table) .rules = SPK_TABLE(table)
/* Subcommands; the member `field` of T, a const char *, receives the chosen name. */
#define SPK_SUBCOMMANDS(T, field, table)                                                           \
	.subcommands = SPK_TABLE(table),                                                           \
	.subcommand_offset = offsetof(T, field) +                                                  \
			     0 * sizeof(_Generic(((T *)0)->field, const char * : 0))

/* The calls of other cookbooks: SPK_CALLS(calls) for a `static const struct spk_call calls[]`. */
#define SPK_CALLS(table) .calls = SPK_TABLE(table)

#define SPK_COOKBOOK_(symbol, ...)                                                                 \
	extern const struct spk_cookbook symbol;                                                   \
	__attribute__((visibility("default"), used)) const struct spk_cookbook symbol = {          \
		.size = sizeof(struct spk_cookbook), .abi = SPK_ABI, __VA_ARGS__}

/* The one cookbook of a .so; its name is the file's. */
#define SPK_COOKBOOK(...) SPK_COOKBOOK_(spk_cookbook, __VA_ARGS__)

/* One of several cookbooks of a .so: `file.Name`. `Name` is a C identifier. */
#define SPK_COOKBOOK_NAMED(Name, ...) SPK_COOKBOOK_(spk_cookbook_##Name, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
