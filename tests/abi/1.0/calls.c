/* calls: what structures, callbacks and lists go into and come out of the library. */
#include <spicerack/cookbook.h>

struct calls {
	const char *directory;
	spk_path token;
	int tries;
	bool bad;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct calls, directory, .help = "an empty directory to work in"),
	SPK_POSITIONAL(struct calls, token, .help = "a file with a secret"),
	SPK_OPTION(struct calls, bad, .help = "fail in the end"),
};

static void remove_flag(struct spk *spk, void *arg)
{
	const struct calls *calls = arg;

	spk_link_remove(spk, spk_path_join(spk, calls->directory, "flag"));
	spk_info(spk, "the flag is down");
}

static void third_time(struct spk *spk, void *arg)
{
	struct calls *calls = arg;

	if (++calls->tries < 3)
		spk_raise(spk, "calls.early", NULL, "try %d", calls->tries);
}

static void command_that_fails(struct spk *spk, void *arg)
{
	spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("sh", "-c", "echo out; exit 3")));
}

static void commands(struct spk *spk)
{
	const struct spk_result *result;
	const struct spk_error *error;

	result = spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("sh", "-c", "cat; pwd; exit 4"),
						  .input = "input ", .directory = "/",
						  .timeout = SPK_MINUTES(1), .output_limit = 4096,
						  .environment = (spk_strings)SPK_LIST("A=b"),
						  .accepted = SPK_INTS(0, 4)));
	spk_info(spk, "command: ran %d, code %d, %zu bytes: %s", result->ran, result->exit_code,
		 result->out_length, spk_trim(spk, result->out));
	if (!spk_try(spk, command_that_fails, NULL, &error)) {
		result = spk_error_payload(error, "command.failed");
		spk_info(spk, "caught %s with code %d", spk_error_kind(error), result->exit_code);
	}
}

static void texts(struct spk *spk)
{
	const struct spk_match *match = spk_match(spk, "(?<name>[a-z]+)([0-9]+)", "host db17");
	struct spk_map *map = spk_map_new(spk);
	spk_strings list = {0};

	spk_append(spk, &list, "b");
	spk_append(spk, &list, "a");
	spk_map_set(map, "key", spk_join(spk, "+", spk_sorted(spk, list)));
	spk_info(spk, "texts: %s %s %s %s", spk_match_named(match, "name"),
		 spk_match_group(match, 2), spk_map_get(map, "key"),
		 spk_shell_format(spk, "rm -- %s", "a b"));
	spk_info(spk, "times: %s %s", spk_duration_text(spk, spk_duration_parse(spk, "90m")),
		 spk_time_text(spk, spk_time_add((spk_time){0}, SPK_DAYS(1))));
}

static int run(struct spk *spk, void *self)
{
	struct calls *calls = self;
	struct spk_secret *secret = spk_secret_read_file(spk, calls->token.text);

	SPK_SCOPED(spk_secret_scope(spk, secret));
	spk_info(spk, "the secret is %s", spk_secret_text(secret));
	spk_link_replace(spk, spk_path_join(spk, calls->directory, "flag"), "up");
	SPK_SCOPED(spk_scope_open(spk, "flag", remove_flag, self));
	commands(spk);
	texts(spk);
	spk_retry(spk,
		  SPK_RETRY(.tries = 5, .delay = SPK_MILLISECONDS(1),
			    .backoff = SPK_BACKOFF_CONSTANT, .kinds = SPK_STRINGS("calls"),
			    .message = "not yet"),
		  third_time, self);
	spk_info(spk, "nested: %d",
		 spk_run_cookbook(spk, "several.Steps", SPK_STRINGS("-r", "calls", "fail")));
	if (calls->bad)
		spk_fail(spk, "asked to fail after %d tries", calls->tries);
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
	const struct calls *calls = self;

	spk_info(spk, "rollback after %d tries", calls->tries);
}

SPK_COOKBOOK(.title = "Calls of all kinds", SPK_ARGS(struct calls, args), .run = run,
	     .rollback = rollback);
