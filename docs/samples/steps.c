/* samples.steps: all callbacks, a lock per cluster and what rollback needs. */
#include <spicerack/cookbook.h>

struct steps {
	const char *cluster;  /* from the command line */
	const char *flag;     /* made by prepare */
	const char *previous; /* read by run, for rollback */
	bool changed;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct steps, cluster, .help = "cluster to put in maintenance"),
};

/* Reads only: what fails here fails before anything was changed. */
static void prepare(struct spk *spk, void *self)
{
	struct steps *steps = self;
	const char *directory = spk_path_join(spk, "/srv/clusters", steps->cluster);

	if (!spk_is_directory(spk, directory))
		spk_fail(spk, "there is no cluster '%s'", steps->cluster);
	steps->flag = spk_path_join(spk, directory, "state");
	if (spk_streq(spk_link_read(spk, steps->flag), "maintenance"))
		spk_done(spk, "%s is in maintenance already", steps->cluster);
}

/* For the START and END lines. */
static const char *describe(struct spk *spk, const void *self)
{
	const struct steps *steps = self;

	return spk_format(spk, "for cluster %s", steps->cluster);
}

/* One run per cluster at a time, any number of clusters. */
static void lock(struct spk *spk, const void *self, struct spk_lock_args *lock)
{
	const struct steps *steps = self;

	lock->suffix = steps->cluster;
	lock->concurrency = 1;
	lock->ttl = SPK_MINUTES(10);
}

static int run(struct spk *spk, void *self)
{
	struct steps *steps = self;

	steps->previous = spk_link_read(spk, steps->flag);
	steps->changed = true; /* said before it is done: a crash in between is undone, too */
	spk_link_replace(spk, steps->flag, "maintenance");
	spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("sync-clusters", steps->cluster)));
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
	const struct steps *steps = self;

	if (!steps->changed)
		return;
	if (steps->previous)
		spk_link_replace(spk, steps->flag, steps->previous);
	else
		spk_link_remove(spk, steps->flag);
}

SPK_COOKBOOK(.title = "Put a cluster in maintenance", SPK_ARGS(struct steps, args),
	     .prepare = prepare, .describe = describe, .lock = lock, .run = run,
	     .rollback = rollback);
