/* SPDX-License-Identifier: Apache-2.0 */
/* deploy.switch-release: make another release of an application the current one. */

#include <spicerack/cookbook.h>

struct deploy {
	spk_path directory; /* holds releases/NAME and the link `current` */
	const char *release;
	spk_strings health_command;
	spk_duration timeout;

	const char *link;     /* DIRECTORY/current */
	const char *target;   /* what it will hold */
	const char *previous; /* what it held, for rollback; NULL: there was none */
	bool switched;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct deploy, directory, .help = "the application's directory"),
	SPK_POSITIONAL(struct deploy, release, .pattern = "[A-Za-z0-9][A-Za-z0-9._-]*",
		       .help = "the release, a directory in DIRECTORY/releases"),
	SPK_POSITIONAL(struct deploy, health_command, .arity = SPK_ONE_OR_MORE,
		       .metavar = "HEALTH_COMMAND",
		       .help = "a command, and its arguments behind `--`, that exits with 0 when "
			       "the release works"),
	SPK_OPTION(struct deploy, timeout, .letter = 't', SPK_DEFAULT(SPK_SECONDS(30)),
		   SPK_AT_LEAST(1), .help = "how long the health command may take"),
};

static void prepare(struct spk *spk, void *self)
{
	struct deploy *deploy = self;
	const char *releases = spk_path_join(spk, deploy->directory.text, "releases");

	if (!spk_is_directory(spk, spk_path_join(spk, releases, deploy->release)))
		spk_fail(spk, "there is no release '%s' in %s", deploy->release, releases);
	deploy->link = spk_path_join(spk, deploy->directory.text, "current");
	deploy->target = spk_path_join(spk, "releases", deploy->release);
}

static const char *describe(struct spk *spk, const void *self)
{
	const struct deploy *deploy = self;

	return spk_format(spk, "%s to %s", deploy->directory.text, deploy->release);
}

static void lock(struct spk *spk, const void *self, struct spk_lock_args *lock)
{
	const struct deploy *deploy = self;

	lock->suffix = spk_replace(spk, deploy->directory.text, "/", "-");
	lock->concurrency = 1;
}

static int run(struct spk *spk, void *self)
{
	struct deploy *deploy = self;
	const struct spk_result *health;

	deploy->previous = spk_link_read(spk, deploy->link);
	if (spk_streq(deploy->previous, deploy->target)) {
		spk_info(spk, "%s is the current release already", deploy->release);
		return 0;
	}
	deploy->switched = true; /* before it is: a crash in between is rolled back, too */
	spk_link_replace(spk, deploy->link, deploy->target);
	spk_info(spk, "current is now %s, it was %s", deploy->target,
		 deploy->previous ? deploy->previous : "nothing");

	health = spk_command_run(spk,
				 SPK_COMMAND(deploy->health_command, .timeout = deploy->timeout,
					     .directory = deploy->directory.text));
	if (health->ran)
		spk_info(spk, "release %s is healthy", deploy->release);
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
	struct deploy *deploy = self;

	if (!deploy->switched)
		return;
	if (deploy->previous)
		spk_link_replace(spk, deploy->link, deploy->previous);
	else
		spk_link_remove(spk, deploy->link);
	spk_info(spk, "current is %s again", deploy->previous ? deploy->previous : "absent");
}

SPK_COOKBOOK(.title = "Switch an application to another release, back if it is not healthy",
	     SPK_ARGS(struct deploy, args), .prepare = prepare, .describe = describe, .lock = lock,
	     .run = run, .rollback = rollback);
