/* several: more than one cookbook in a file, one with all callbacks. */
#include <spicerack/cookbook.h>

struct steps {
	const char *word;
	const char *prepared;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct steps, word, .arity = SPK_ZERO_OR_ONE, SPK_DEFAULT("nothing")),
};

static void check(struct spk *spk, void *self)
{
	const struct steps *steps = self;

	if (spk_streq(steps->word, "refused"))
		spk_fail(spk, "the word is 'refused'");
}

static void prepare(struct spk *spk, void *self)
{
	struct steps *steps = self;

	if (spk_streq(steps->word, "done"))
		spk_done(spk, "there is nothing to do");
	steps->prepared = spk_format(spk, "<%s>", steps->word);
}

static const char *describe(struct spk *spk, const void *self)
{
	const struct steps *steps = self;

	return spk_format(spk, "with %s", steps->prepared);
}

static void lock(struct spk *spk, const void *self, struct spk_lock_args *lock)
{
	const struct steps *steps = self;

	lock->suffix = steps->word;
	lock->concurrency = 2;
	lock->ttl = SPK_MINUTES(5);
}

static int run(struct spk *spk, void *self)
{
	const struct steps *steps = self;

	spk_info(spk, "run has %s, task %s, because of %s", steps->prepared, spk_task_id(spk),
		 spk_reason(spk));
	if (spk_streq(steps->word, "crash"))
		__builtin_trap();
	return spk_streq(steps->word, "fail") ? 7 : 0;
}

static void rollback(struct spk *spk, void *self)
{
	const struct steps *steps = self;

	spk_info(spk, "rollback has %s", steps->prepared);
}

static int say(struct spk *spk, void *self)
{
	spk_info(spk, "this is %s", spk_cookbook_name(spk));
	return 0;
}

SPK_COOKBOOK_NAMED(Steps, .title = "All callbacks", .description = "More about it.",
		   SPK_ARGS(struct steps, args), .task_id = SPK_ACCEPTED, .reason = SPK_REQUIRED,
		   .max_concurrency = 3, .lock_ttl = {600000000000}, .check = check,
		   .prepare = prepare, .describe = describe, .lock = lock, .run = run,
		   .rollback = rollback, .timeout = {3600000000000});
SPK_COOKBOOK_NAMED(Quiet, .title = "No START", .owner = "Quiet ones", .skip_start = true,
		   .max_concurrency = SPK_UNLIMITED, .run = say);
