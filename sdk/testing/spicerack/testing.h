/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of cookbooks. A test sets up a world, runs the cookbook in it, and looks at what it did:
 *
 *     struct spk_test *test = spk_test_new("sre.hosts.restart");
 *
 *     spk_test_host(test, "web[1-2]", "systemctl restart *", SPK_TEST_REPLY());
 *     spk_test_answer(test, "go-on", "go");
 *     SPK_EXPECT(spk_test_exits(test, "web[1-2] nginx", 0));
 *     SPK_EXPECT(spk_test_ran(test, "web1", "systemctl restart nginx"));
 *     spk_test_free(test);
 *
 * What runs is the real host, library and cookbook, in processes of their own: a crash of the
 * cookbook is exit code 92 and not the end of the test. Faked is what is outside of this machine,
 * where a driver would speak to it (plugin.h), and time: a cookbook that sleeps for an hour is told
 * at once that it is an hour later. Nothing of the machine's configuration, locks and logs is used.
 * Real are files and programs of this machine: have names of files come from arguments or
 * configuration, and put programs of your own before them by spk_test_program().
 *
 * For any framework. Where <check.h> was included before, SPK_EXPECT() fails with its words; else
 * it prints and exits with 1.
 *
 * Patterns: `*` stands for any characters, `?` for any one.
 *
 * A call that makes no sense, with NULL say where that is not allowed for, ends the process and
 * says why on stderr.
 */
#ifndef SPICERACK_TESTING_H
#define SPICERACK_TESTING_H

#include <spicerack/cookbook.h>
#include <spicerack/plugin.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A cookbook and the world that it is run in. It is the caller's, for spk_test_free(). */
struct spk_test;

/* Fails the test unless what was expected is so. `expectation` returns why not, or NULL. */
#define SPK_EXPECT(expectation)                                                                    \
	do {                                                                                       \
		const char *spk_why_ = (expectation);                                              \
		if (spk_why_)                                                                      \
			SPK_TEST_FAILED_(spk_why_);                                                \
	} while (0)

#ifdef ck_abort_msg
#define SPK_TEST_FAILED_(why) ck_abort_msg("%s", (why))
#else
#define SPK_TEST_FAILED_(why) (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, (why)), exit(1))
#endif

/* ---- the world ---- */

/*
 * A world for the cookbook of that name. `tree` is the directory where it lies with those that it
 * runs itself; spk_test_new() takes the one of spicerack_add_test(), SPICERACK_TEST_TREE. Whoever
 * is out of memory or disk is told so on stderr, and ended. Since 1.0.
 */
SPK_API struct spk_test *spk_test_new_in(const char *tree, const char *cookbook);
#define spk_test_new(cookbook) spk_test_new_in(SPICERACK_TEST_TREE, (cookbook))
/* NULL is fine. Since 1.0. */
SPK_API void spk_test_free(struct spk_test *test);

/* As `cookbook --dry-run`. Since 1.0. */
SPK_API void spk_test_dry_run(struct spk_test *test);
/* After so much time of the real clock a run is ended, and has failed; default: 30 s. Since 1.0. */
SPK_API void spk_test_time_limit(struct spk_test *test, spk_duration limit);

/* How somebody outside replies. A member left out has its default. */
struct spk_test_reply {
	uint32_t size;     /* set by SPK_TEST_REPLY() */
	int32_t code;      /* exit code of a command, 0; status of HTTP, 200 */
	const char *out;   /* what it writes, or the body of HTTP; "" */
	const char *err;   /* on standard error; of HTTP: headers, `Name: value` lines; "" */
	spk_duration took; /* until it has ended; 0 */
	uint32_t times;    /* so often, then the next that fits; 0: always */
	uint32_t end;      /* of a host: SPK_REMOTE_UNREACHABLE, _HOST_KEY, _DENIED, _LOST */
	bool hangs;        /* it does not end by itself */
	bool reserved[7];
};

/* SPK_TEST_REPLY(.code = 3, .out = "inactive\n") */
#define SPK_TEST_REPLY(...)                                                                        \
	(&(const struct spk_test_reply){.size = sizeof(struct spk_test_reply), ##__VA_ARGS__})

/*
 * How hosts reply to commands that match a pattern. `hosts` is a set (hosts.h) or `*`. The first
 * rule that fits holds, of those that have `times` left. A command that none fits to ends with 127
 * and a word about that on standard error. Since 1.0.
 */
SPK_API void spk_test_host(struct spk_test *test, const char *hosts, const char *command,
			   const struct spk_test_reply *reply);
/* Which hosts a query of a backend finds: ("P{O:db}", "db[1-3]"); its text as it is. Since 1.0. */
SPK_API void spk_test_query(struct spk_test *test, const char *query, const char *hosts);
/*
 * How requests of HTTP are answered: ("GET *ipam.example?hosts?*"). Of the headers, `Location` (a
 * whole URL, of a status 3xx) is followed and `Retry-After` (seconds) heeded. Since 1.0.
 */
SPK_API void spk_test_http(struct spk_test *test, const char *request,
			   const struct spk_test_reply *reply);
/*
 * What the DNS knows: type and name, and the texts of its records, a line each: ("A web.example",
 * "192.0.2.1\n192.0.2.2"); those of MX and SRV with their numbers in front, as in a zone: "10 5 80
 * web.example". Every server says the same. A name that is not told does not exist; one that is has
 * no records of other types. Since 1.0.
 */
SPK_API void spk_test_dns(struct spk_test *test, const char *question, const char *records);
/*
 * A key of conftool's store and its value, JSON; the store is a real one, and empty but for that:
 * ("/conftool/v1/pools/dc1/web/nginx/web1", "{\"pooled\": \"yes\", \"weight\": 10}"). Since 1.0.
 */
SPK_API void spk_test_kv(struct spk_test *test, const char *key, const char *value);
/*
 * A program of this machine, found before others of that name: it writes and exits as the reply
 * says; `times`, `took`, `end` and `hangs` are not for it. Since 1.0.
 */
SPK_API void spk_test_program(struct spk_test *test, const char *name,
			      const struct spk_test_reply *reply);
/* What the operator answers, by the name of the question; several in their order. Since 1.0. */
SPK_API void spk_test_answer(struct spk_test *test, const char *question, const char *answer);
/*
 * Somebody else holds a lock, of SPK_LOCK_... its whole key or the end of one: "hosts.restart:db1".
 * After `frees` it is free; 0: never. Since 1.0.
 */
SPK_API void spk_test_lock_held(struct spk_test *test, const char *key, spk_duration frees);
/*
 * A file of the modules' configuration, below spk_config_dir(): ("service.cfg", "port = 80;\n").
 * It replaces what the kit would write there (remote/config.cfg). Since 1.0.
 */
SPK_API void spk_test_file(struct spk_test *test, const char *path, const char *text);
/* A line of spicerack.cfg, such as `sites = { core = ["dc1"]; };`. Since 1.0. */
SPK_API void spk_test_setting(struct spk_test *test, const char *line);
/* A driver of one's own, before any that is installed. It is kept. Since 1.0. */
SPK_API void spk_test_driver(struct spk_test *test, const struct spk_driver *driver);
/*
 * How somebody replies whom only such a driver knows: ("racks", "get web1", reply). `who` is what
 * the story has in front of the request, which is a pattern. Since 1.0.
 */
SPK_API void spk_test_rule(struct spk_test *test, const char *who, const char *request,
			   const struct spk_test_reply *reply);
/*
 * For the functions of such a driver, which the cookbook's process calls: a request is a step, as
 * one of HTTP is, and a line of the story. Returns the reply, which lives as long as the test; NULL
 * when the step is to fail, or no rule fits: *ret_why, unless that is NULL, says which. The time
 * that it took has passed; `code`, `out` and `err` mean what the driver likes. Since 1.0.
 */
SPK_API const struct spk_test_reply *spk_test_play(const char *who, const char *request,
						   const char **ret_why);
/*
 * Replies of hosts, servers of HTTP and the DNS from a file: with SPICERACK_TEST_RECORD=1 in the
 * environment the real ones are asked, and the file is written anew; else it is played: each reply
 * once, in the order of its host, its request (method and URL), its question. Hosts are asked by
 * the transport `libssh`, and the DNS, as their own configuration has it (spk_test_file:
 * remote/config.cfg, dns/config.cfg); requests and questions that the test has a rule for are
 * played all the same. What is no text in UTF-8 cannot be recorded and ends the run; of the DNS,
 * what an answer says of a client's network is not kept. Since 1.0.
 */
SPK_API void spk_test_recorded(struct spk_test *test, const char *file);

/* ---- a run ---- */

/*
 * Runs the cookbook with the arguments of a command line, as a shell splits it, and returns its
 * exit code. May be called again: the world goes on, with what locks and `times` have become; what
 * is expected is about the last run. Since 1.0.
 */
SPK_API int spk_test_run(struct spk_test *test, const char *arguments);
/* The same, and expects an exit code. Since 1.0. */
SPK_API const char *spk_test_exits(struct spk_test *test, const char *arguments, int code);

/*
 * What is expected of the last run; NULL: it is so. Why not is a text with all that happened, which
 * belongs to the test.
 */

/* A record of the log matches. Since 1.0. */
SPK_API const char *spk_test_logged(struct spk_test *test, const char *message);
SPK_API const char *spk_test_not_logged(struct spk_test *test, const char *message);
/* A question of that name was asked. Since 1.0. */
SPK_API const char *spk_test_asked(struct spk_test *test, const char *question);
/* A lock was taken: its key, or the end of that. Since 1.0. */
SPK_API const char *spk_test_locked(struct spk_test *test, const char *key);
/* A command ran on each of the hosts, a set or `*` for any. Since 1.0. */
SPK_API const char *spk_test_ran(struct spk_test *test, const char *hosts, const char *command);
/* It ran on none of them. Since 1.0. */
SPK_API const char *spk_test_not_ran(struct spk_test *test, const char *hosts, const char *command);
/* A program of this machine ran: its words as one line. Since 1.0. */
SPK_API const char *spk_test_ran_here(struct spk_test *test, const char *line);
/* A request of HTTP was sent: ("POST *ipam.example*"). Since 1.0. */
SPK_API const char *spk_test_requested(struct spk_test *test, const char *request);
/* A request was made of somebody that only a driver of the test knows. Since 1.0. */
SPK_API const char *spk_test_reached(struct spk_test *test, const char *who, const char *request);
/* The value of a key of conftool's store matches; NULL: there is no such key. Since 1.0. */
SPK_API const char *spk_test_kv_is(struct spk_test *test, const char *key, const char *value);
/* Something was announced to others, as `!log user@host ...` or `user@host ...`. Since 1.0. */
SPK_API const char *spk_test_announced(struct spk_test *test, const char *text);
/*
 * Lines of spk_test_story() that match, in this order, others in between. The list ends in NULL:
 * (test, "host web1: depool", "host web1: pool", NULL). Since 1.0.
 */
SPK_API const char *spk_test_in_order(struct spk_test *test, ...) __attribute__((sentinel));
/* Rollback was called and came to its end. Since 1.0. */
SPK_API const char *spk_test_rolled_back(struct spk_test *test);
/* Nothing is left open: no lock is held, no rollback is owed, all scopes are undone. Since 1.0. */
SPK_API const char *spk_test_clean(struct spk_test *test);
/*
 * On each host the last command that matches one of the two is the second: what was stopped runs
 * again. Since 1.0.
 */
SPK_API const char *spk_test_undone(struct spk_test *test, const char *done, const char *undone);
/* What the cookbook has printed to standard output. Since 1.0. */
SPK_API const char *spk_test_output(struct spk_test *test);
/*
 * All that happened, a line each, which belongs to the test:
 *     log INFO: restarting nginx
 *     host web1: systemctl restart nginx -> exit code 0
 *     http POST https://alerts.example/silences -> 200
 *     racks get web1 -> spare
 *     question go-on: go
 *     lock /spicerack/locks/custom/db
 *     unlock /spicerack/locks/custom/db
 *     announced !log me@here START - Cookbook a.b
 *     rollback
 *     end FAIL, exit code 99, rollback done
 * Since 1.0.
 */
SPK_API const char *spk_test_story(struct spk_test *test);

/* ---- fail at every step ---- */

/* What a step may come to. */
enum spk_test_trouble {
	SPK_TEST_FAILURE = 1,   /* it fails: a host is unreachable, a program cannot be run ... */
	SPK_TEST_INTERRUPT = 2, /* Ctrl+C is pressed */
	SPK_TEST_CRASH = 4,     /* the cookbook's process dies */
};

/*
 * What is tried. A step is what reaches outside: a command on a host or here, a query for hosts, a
 * request, a read or write of conftool's store, a lock, that of the run included (which nothing but
 * fails: then nothing has begun), a question, spk_test_play(); for interruption and crash also a
 * record of the log, a sleep, an inner run. Not tried are: a lock that is lost while it is held,
 * files, memory, D{...}, which asks nobody, and a host that did what it was told and could not say
 * so (SPK_REMOTE_LOST in a reply).
 */
struct spk_test_steps {
	uint32_t size;     /* set by SPK_TEST_STEPS() */
	uint32_t troubles; /* of enum spk_test_trouble; 0: all */
	const char *cookbook, *arguments;
	/* Makes the world; called for each run. */
	void (*set_up)(struct spk_test *test, void *data);
	/* What must be so however the run ended, beside what is always expected. May be NULL. */
	const char *(*check)(struct spk_test *test, void *data);
	void *data;
};

#define SPK_TEST_STEPS(cookbook_, arguments_, ...)                                                 \
	(&(const struct spk_test_steps){.size = sizeof(struct spk_test_steps),                     \
					.cookbook = (cookbook_),                                   \
					.arguments = (arguments_),                                 \
					##__VA_ARGS__})

/*
 * Runs the cookbook once as it is, which must end with 0, and then again for each of its steps and
 * each trouble, with just that one in trouble. Expected of every run: the failure is the only one
 * (a cookbook that crashes by itself fails the test), rollback was called and succeeded if the run
 * had started and failed, all locks are given back, and `check`. What fails or crashes while a
 * scope is being undone cannot be: of these runs only their end is looked at. Returns why not, with
 * the step and all that happened; it lives until the next call. Since 1.0.
 */
SPK_API const char *spk_test_every_step_in(const char *tree, const struct spk_test_steps *steps);
#define spk_test_every_step(steps) spk_test_every_step_in(SPICERACK_TEST_TREE, (steps))
/* How many runs the last call made. Since 1.0. */
SPK_API unsigned int spk_test_every_step_runs(void);

#ifdef __cplusplus
}
#endif

#endif
