/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "argvalue.h"
#include "crash.h"
#include "guard.h"
#include "mem.h"
#include "protocol.h"
#include "secretlist.h"
#include "undo.h"

/* Defaults of a run's lock. */
#define LOCK_CONCURRENCY 20
#define LOCK_TTL SPK_SECONDS(1800)

/* What a stage came to, on its way into a REQUEST_RESULT. */
struct result {
	enum stage_outcome outcome;
	int code;
	const char *text;
	struct spk_lock_args lock;
	const struct spk_error *error;
};

static struct spk_arg live_row(const struct spk *spk, const struct order_arg *arg)
{
	struct spk_arg row = {0};
	size_t size = arg->row_size < sizeof(row) ? arg->row_size : sizeof(row);

	memcpy(&row, (const void *)(spk->base + arg->row_address), size);
	return row;
}

static void *alloc_for_argument(void *data, size_t size)
{
	return spk_alloc(data, size);
}

static const char *argument_name(struct spk *spk, const struct spk_arg *row)
{
	const char *name = row->names.count ? row->names.items[0] : row->name;

	if (row->form == SPK_FORM_POSITIONAL)
		return row->metavar ? row->metavar : row->name;
	if (!row->names.count)
		name = spk_format(spk, "--%s", spk_replace(spk, name, "_", "-"));
	return row->letter ? spk_format(spk, "-%c/%s", row->letter, name) : name;
}

struct parse_call {
	const struct spk_arg *row;
	const char *text;
	void *field;
};

static void call_parser(struct spk *spk, void *argument)
{
	struct parse_call *call = argument;

	call->row->parse(spk, call->text, call->field);
}

static void call_default(struct spk *spk, void *argument)
{
	struct parse_call *call = argument;

	call->row->default_from(spk, call->field);
}

static void store_argument(struct spk *spk, const struct order_arg *arg)
{
	struct spk_arg row = live_row(spk, arg);
	void *field = (char *)spk->shared->self + arg->offset;
	struct parse_call call = {.row = &row, .field = field};
	spk_strings texts = arg->texts;
	const struct spk_error *error;
	struct err err;

	if (!arg->given && row.default_from) {
		error = guard_call(spk, call_default, &call, true);
		if (error && spk_error_is(error, KIND_INTERRUPTED))
			guard_raise(spk, error);
		if (error)
			spk_raise(spk, "argument.default", error,
				  "cannot compute the default of argument %s",
				  argument_name(spk, &row));
		return;
	}
	if (row.type != SPK_TYPE_CUSTOM) {
		if (argvalue_store(&row, arg->given, arg->texts, field, alloc_for_argument, spk,
				   &err) < 0)
			spk_fail(spk, "argument %s: %s", argument_name(spk, &row), err.text);
		return;
	}
	if (!arg->given && row.default_text)
		texts = (spk_strings){.items = &row.default_text, .count = 1};
	for (size_t i = 0; i < texts.count; i++) {
		call.text = texts.items[i];
		error = guard_call(spk, call_parser, &call, true);
		if (error && !spk_error_is(error, "cookbook"))
			guard_raise(spk, error);
		if (error)
			spk_fail(spk, "argument %s: invalid value: '%s': %s",
				 argument_name(spk, &row), call.text, spk_error_message(error));
	}
}

/* Each of these runs under a guard; `argument` is the result to fill in. */
static void stage_arguments(struct spk *spk, void *argument)
{
	if (spk->order.subcommand)
		*(const char **)((char *)spk->shared->self + spk->order.subcommand_offset) =
			spk->order.subcommand;
	for (size_t i = 0; i < spk->order.arg_count; i++)
		store_argument(spk, &spk->order.args[i]);
	if (spk->cookbook.check)
		spk->cookbook.check(spk, spk->shared->self);
}

static void stage_prepare(struct spk *spk, void *argument)
{
	spk->preparing = true;
	if (spk->cookbook.prepare)
		spk->cookbook.prepare(spk, spk->shared->self);
}

static void stage_describe(struct spk *spk, void *argument)
{
	struct result *result = argument;

	if (spk->cookbook.describe)
		result->text = spk->cookbook.describe(spk, spk->shared->self);
	/* Touched here, under the guard, so that a bad pointer crashes where it was made. */
	if (result->text)
		result->text = spk_format(spk, "%s", result->text);
}

static void stage_lock(struct spk *spk, void *argument)
{
	const struct spk_cookbook *cookbook = &spk->cookbook;
	struct result *result = argument;
	struct spk_lock_args *lock = &result->lock;

	lock->concurrency = cookbook->max_concurrency ? cookbook->max_concurrency
						      : LOCK_CONCURRENCY;
	lock->ttl = cookbook->lock_ttl.ns ? cookbook->lock_ttl : LOCK_TTL;
	if (cookbook->lock)
		cookbook->lock(spk, spk->shared->self, lock);
	if (lock->concurrency < 1 && lock->concurrency != SPK_UNLIMITED)
		spk_raise(spk, "lock.invalid", NULL,
			  "a lock with concurrency %d: it must be at least 1 or SPK_UNLIMITED",
			  lock->concurrency);
	if (lock->ttl.ns <= 0)
		spk_raise(spk, "lock.invalid", NULL, "a lock with a ttl of %s: it must be positive",
			  spk_duration_text(spk, lock->ttl));
	if (lock->suffix && (!*lock->suffix || strchr(lock->suffix, '/')))
		spk_raise(spk, "lock.invalid", NULL,
			  "a lock with the suffix '%s': it must not be empty nor hold a slash",
			  lock->suffix);
	if (lock->suffix && secretlist_is_in(lock->suffix))
		spk_raise(spk, "lock.invalid", NULL,
			  "a lock with a secret in its suffix: everybody can read that");
	result->text = lock->suffix ? spk_format(spk, "%s", lock->suffix) : NULL;
}

static void stage_run(struct spk *spk, void *argument)
{
	struct result *result = argument;

	result->code = spk->cookbook.run(spk, spk->shared->self);
}

static void stage_undo(struct spk *spk, void *argument)
{
	undo_after_crash(spk);
}

static void stage_rollback(struct spk *spk, void *argument)
{
	if (spk->shared->rollback_started)
		spk_raise(spk, "misuse", NULL, "rollback was started before");
	spk->shared->rollback_started = true;
	if (spk->cookbook.rollback)
		spk->cookbook.rollback(spk, spk->shared->self);
}

static const struct {
	spk_action *action;
	bool interruptible;
} stages[STAGE_COUNT] = {
	[STAGE_ARGUMENTS] = {stage_arguments, true},
	[STAGE_PREPARE] = {stage_prepare, true},
	[STAGE_DESCRIBE] = {stage_describe, true},
	[STAGE_LOCK] = {stage_lock, true},
	[STAGE_RUN] = {stage_run, true},
	/* Undoing goes on whatever the operator does; the supervisor ends it when it must. */
	[STAGE_UNDO] = {stage_undo, false},
	[STAGE_ROLLBACK] = {stage_rollback, false},
};

static void judge(enum stage stage, struct result *result)
{
	if (!result->error)
		result->outcome = OUTCOME_RETURNED;
	else if (spk_error_is(result->error, KIND_INTERRUPTED))
		result->outcome = OUTCOME_INTERRUPTED;
	else if (spk_error_is(result->error, KIND_DONE))
		result->outcome = OUTCOME_DONE;
	else if (stage == STAGE_ARGUMENTS && spk_error_is(result->error, "cookbook"))
		result->outcome = OUTCOME_USAGE;
	else
		result->outcome = OUTCOME_RAISED;
	if (result->outcome == OUTCOME_DONE || result->outcome == OUTCOME_USAGE)
		result->text = spk_error_message(result->error);
}

static void put_error(struct buf *body, const struct spk_error *error)
{
	const struct spk_error *each, *root = error;
	size_t lines = 0;

	for (each = error; each && lines < 64; each = each->cause) {
		root = each; /* where it all began is the place worth a backtrace */
		lines++;
	}
	wire_put_number(body, lines);
	for (each = error; lines > 0; lines--, each = each->cause) {
		bool own = strcmp(each->kind, "cookbook") == 0;
		struct buf line = {0};

		buf_printf(&line, "%s%s%s%s%s", each == error ? "" : "caused by: ", each->message,
			   own ? "" : " [", own ? "" : each->kind, own ? "" : "]");
		wire_put_text(body, buf_text(&line));
		buf_free(&line);
	}
	mem_wipe_stack();
	wire_put_number(body, root ? root->address_count : 0);
	for (uint32_t i = 0; root && i < root->address_count; i++)
		wire_put_number(body, root->addresses[i]);
}

static void do_stage(struct spk *spk, enum stage stage)
{
	struct result result = {0};
	struct buf body = {0};

	/* In this order: a death in between must not look like the success of this stage. */
	spk->shared->stage_succeeded = false;
	atomic_signal_fence(memory_order_seq_cst);
	spk->shared->stage = stage;
	spk->uninterruptible = stages[stage].interruptible ? 0 : 1;
	spk->preparing = false;
	result.error = guard_call(spk, stages[stage].action, &result, true);
	judge(stage, &result);
	spk->shared->stage_succeeded = result.outcome == OUTCOME_RETURNED && result.code == 0;

	wire_put_number(&body, stage);
	wire_put_number(&body, result.outcome);
	wire_put_number(&body, (uint64_t)(int64_t)result.code);
	wire_put_number(&body, spk->shared->undo_failed);
	wire_put_text(&body, result.text);
	wire_put_number(&body, (uint64_t)(int64_t)result.lock.concurrency);
	wire_put_number(&body, (uint64_t)result.lock.ttl.ns);
	wire_put_number(&body, spk->shared->skip_start);
	put_error(&body, result.error);
	/* All that the cookbook has written is out before its success is told, files, too. */
	fflush(NULL);
	if (channel_send(&spk->requests, REQUEST_RESULT, 0, &body, -1) < 0)
		_exit(1);
	buf_free(&body);
}

/* Makes itself the first that the kernel ends when memory runs out. */
static void offer_to_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* Not allowed everywhere; the run is as good without. */
	if (fd < 0)
		return;
	if (write(fd, "500", 3) < 0) {
		close(fd);
		return;
	}
	close(fd);
}

/* What waits there to be flushed may be secret: out of the heap, which a core dump shows. */
static void shield_stdout(void)
{
	const size_t size = 65536;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return;
	if (madvise(memory, size, MADV_DONTDUMP) < 0 || setvbuf(stdout, memory, _IOFBF, size) != 0)
		munmap(memory, size);
}

static void settle_in(struct spk *spk, pid_t runner)
{
	static const int ignored[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGPIPE};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != runner) /* it died before the line above */
		_exit(1);
	prctl(PR_SET_NAME, "spicerack-work");
	setsid();
	spk->process = getpid();
	/* What the operator or systemd wants reaches us through the supervisor. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	offer_to_oom_killer();
	shield_stdout();
	crash_install(&spk->shared->crash);
}

void worker_settle_in_process(struct spk *spk)
{
	sigset_t none;

	/* A debugger wants the signals of faults, and blocked ones would be inherited. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	spk->process = getpid();
	spk->shared->crash = (struct crash){0};
}

bool worker_step(struct spk *spk)
{
	struct message message;
	uint64_t stage;

	if (channel_receive(&spk->requests, true, &message) != CHANNEL_MESSAGE)
		return false;
	if (message.type == REQUEST_CHECKED)
		session_checked(spk, &message, 0);
	if (message.type != REQUEST_STAGE)
		return true; /* the answer to a request of a dead child */
	spk->orders++;
	stage = wire_get_number(&message.body);
	if (stage == STAGE_QUIT) {
		spk->shared->stage = STAGE_QUIT;
		if (spk->before_end)
			spk->before_end(spk);
		fflush(NULL);
		return false;
	}
	if (stage < STAGE_COUNT && stages[stage].action)
		do_stage(spk, (enum stage)stage);
	return true;
}

void worker_main(struct spk *spk, pid_t runner)
{
	settle_in(spk, runner);
	do {
		/* Between the stages an interruption is the supervisor's to judge. */
		spk->uninterruptible = 1;
		session_listen(spk, 0);
	} while (worker_step(spk));
	_exit(spk->shared->stage == STAGE_QUIT ? 0 : 1);
}
