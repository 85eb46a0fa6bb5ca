/* SPDX-License-Identifier: Apache-2.0 */
/* What is expected of the last run. */
#include "test.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../runtime/mem.h"

/* Why not, with all that happened; it belongs to the test. */
static const char *refuse(struct spk_test *test, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

static const char *refuse(struct spk_test *test, const char *format, ...)
{
	va_list args;

	buf_clear(&test->why);
	va_start(args, format);
	buf_vprintf(&test->why, format, args);
	va_end(args);
	buf_printf(&test->why, "\n--- what happened in run %u of %s:\n", test->runs,
		   test->cookbook);
	story_put(&test->story, &test->why);
	if (test->runs == 0)
		buf_puts(&test->why, "(nothing: it was not run yet)\n");
	return buf_text(&test->why);
}

/* The first line, from `from` on, that is of the kind and whose rest matches; `count`: none. */
static size_t find_line(const struct spk_test *test, size_t from, const char *prefix,
			const char *pattern)
{
	size_t length = strlen(prefix);

	for (size_t i = from; i < test->story.count; i++)
		if (strncmp(test->story.lines[i].text, prefix, length) == 0 &&
		    world_matches(pattern, test->story.lines[i].text + length))
			return i;
	return test->story.count;
}

static bool has_line(const struct spk_test *test, const char *prefix, const char *pattern)
{
	return find_line(test, 0, prefix, pattern) < test->story.count;
}

/* For what did not happen, or is left of a run: before the first one everything would be fine. */
static const char *without_run(struct spk_test *test)
{
	return test->runs == 0 ? refuse(test, "there was no run to look at") : NULL;
}

const char *spk_test_exits(struct spk_test *test, const char *arguments, int code)
{
	int came = spk_test_run(test, arguments);

	if (came == code)
		return NULL;
	if (came == -1)
		return refuse(test,
			      "it did not end within %g s and was ended: expected exit code %d",
			      spk_duration_seconds(test->limit), code);
	return refuse(test, "exit code %d, expected %d", came, code);
}

static bool is_logged(const struct spk_test *test, const char *message)
{
	return has_line(test, "log DEBUG: ", message) || has_line(test, "log INFO: ", message) ||
	       has_line(test, "log WARNING: ", message) || has_line(test, "log ERROR: ", message);
}

const char *spk_test_logged(struct spk_test *test, const char *message)
{
	CHECK_TEST(test);
	CHECK_POINTERS(message);
	return is_logged(test, message) ? NULL : refuse(test, "not logged: %s", message);
}

const char *spk_test_not_logged(struct spk_test *test, const char *message)
{
	CHECK_TEST(test);
	CHECK_POINTERS(message);
	return is_logged(test, message) ? refuse(test, "logged: %s", message) : without_run(test);
}

const char *spk_test_asked(struct spk_test *test, const char *question)
{
	CHECK_TEST(test);
	CHECK_POINTERS(question);
	char *line = xasprintf("%s: *", question);
	bool asked = has_line(test, "question ", line);

	free(line);
	return asked ? NULL : refuse(test, "not asked: %s", question);
}

const char *spk_test_locked(struct spk_test *test, const char *key)
{
	CHECK_TEST(test);
	CHECK_POINTERS(key);
	char *end = xasprintf("*/%s", key);
	bool locked = has_line(test, "lock ", key) || has_line(test, "lock ", end);

	free(end);
	return locked ? NULL : refuse(test, "not locked: %s", key);
}

/* ---- commands ---- */

static bool ran_on(const struct spk_test *test, const char *host, const char *command)
{
	for (const struct happening *each = test->world->happened; each; each = each->next)
		if (each->host && each->what && world_matches(command, each->what) &&
		    (!host || strcmp(each->host, host) == 0))
			return true;
	return false;
}

/* Looks for a host where it ran, or (`wanted` false) where it did not; NULL: there is none. */
static char *find_host(const struct spk_test *test, const char *hosts, const char *command,
		       bool wanted)
{
	struct hostset *set = test_hosts(hosts);
	struct hostset_walk walk;
	char *found = NULL;

	hostset_walk_start(&walk, set);
	while (!found && hostset_walk_next(&walk))
		if (ran_on(test, walk.name, command) == wanted)
			found = xstrdup(walk.name);
	hostset_free(set);
	return found;
}

const char *spk_test_ran(struct spk_test *test, const char *hosts, const char *command)
{
	const char *why = NULL;
	char *host;

	CHECK_TEST(test);
	CHECK_POINTERS(hosts, command);
	if (strcmp(hosts, "*") == 0)
		return ran_on(test, NULL, command)
			       ? NULL
			       : refuse(test, "did not run on any host: %s", command);
	host = find_host(test, hosts, command, false);
	if (host)
		why = refuse(test, "did not run on %s: %s", host, command);
	free(host);
	return why;
}

const char *spk_test_not_ran(struct spk_test *test, const char *hosts, const char *command)
{
	CHECK_TEST(test);
	CHECK_POINTERS(hosts, command);
	const char *why = without_run(test);
	char *host;

	if (strcmp(hosts, "*") == 0)
		return ran_on(test, NULL, command) ? refuse(test, "ran: %s", command) : why;
	host = find_host(test, hosts, command, true);
	if (host)
		why = refuse(test, "ran on %s: %s", host, command);
	free(host);
	return why;
}

const char *spk_test_ran_here(struct spk_test *test, const char *line)
{
	CHECK_TEST(test);
	CHECK_POINTERS(line);
	char *ended = xasprintf("command '%s' exited with *", line);
	char *killed = xasprintf("command '%s' was ended by *", line);
	bool ran = is_logged(test, ended) || is_logged(test, killed);

	free(ended);
	free(killed);
	return ran ? NULL : refuse(test, "did not run here: %s", line);
}

/* Each host's newest command of the two. */
const char *spk_test_undone(struct spk_test *test, const char *done, const char *undone)
{
	CHECK_TEST(test);
	CHECK_POINTERS(done, undone);
	const struct happening *all = test->world->happened;

	for (const struct happening *each = all; each; each = each->next) {
		const struct happening *newer = all;

		if (!each->host || !each->what || !world_matches(done, each->what))
			continue;
		while (newer != each &&
		       (!newer->host || !newer->what || strcmp(newer->host, each->host) != 0 ||
			!world_matches(undone, newer->what)))
			newer = newer->next;
		if (newer == each)
			return refuse(test, "not undone on %s: '%s' was not followed by '%s'",
				      each->host, each->what, undone);
	}
	return without_run(test);
}

/* ---- the rest ---- */

const char *spk_test_requested(struct spk_test *test, const char *request)
{
	CHECK_TEST(test);
	CHECK_POINTERS(request);
	char *line = xasprintf("%s -> *", request);
	bool requested = has_line(test, "http ", line);

	free(line);
	return requested ? NULL : refuse(test, "not requested: %s", request);
}

const char *spk_test_reached(struct spk_test *test, const char *who, const char *request)
{
	CHECK_TEST(test);
	CHECK_POINTERS(who, request);
	char *line = xasprintf("%s %s -> *", who, request);
	bool reached = has_line(test, "", line);

	free(line);
	return reached ? NULL : refuse(test, "%s was not reached: %s", who, request);
}

const char *spk_test_kv_is(struct spk_test *test, const char *key, const char *value)
{
	CHECK_TEST(test);
	CHECK_POINTERS(key);
	char *is = keys_get(test, key);
	const char *why = NULL;

	if (value ? !is || !world_matches(value, is) : is != NULL)
		why = refuse(test, "the key %s is %s, expected %s", key, is ? is : "not there",
			     value ? value : "none");
	free(is);
	return why;
}

const char *spk_test_announced(struct spk_test *test, const char *text)
{
	CHECK_TEST(test);
	CHECK_POINTERS(text);
	return has_line(test, "announced ", text) ? NULL : refuse(test, "not announced: %s", text);
}

const char *spk_test_in_order(struct spk_test *test, ...)
{
	const char *pattern, *before = NULL, *why = NULL;
	size_t at = 0;
	va_list args;

	CHECK_TEST(test);
	va_start(args, test);
	while (!why && (pattern = va_arg(args, const char *))) {
		at = find_line(test, at, "", pattern);
		if (at == test->story.count)
			why = before ? refuse(test, "no line '%s' behind '%s'", pattern, before)
				     : refuse(test, "no line '%s'", pattern);
		before = pattern;
		at++;
	}
	va_end(args);
	return why;
}

static bool has_rollback(const struct spk_test *test, const char *word)
{
	return test->story.rollback && strcmp(test->story.rollback, word) == 0;
}

const char *spk_test_rolled_back(struct spk_test *test)
{
	CHECK_TEST(test);
	return has_rollback(test, "done") ? NULL : refuse(test, "it was not rolled back");
}

const char *spk_test_clean(struct spk_test *test)
{
	CHECK_TEST(test);
	for (const struct world_lock *lock = test->world->locks; lock; lock = lock->next)
		if (!lock->others && !lock->gone)
			return refuse(test, "not given back: the lock %s", lock->key);
	if (has_line(test, "log ERROR: ", "not undone: *"))
		return refuse(test, "not all of its scopes were undone");
	if (has_rollback(test, "owed"))
		return refuse(test, "a rollback is owed");
	if (has_rollback(test, "failed"))
		return refuse(test, "its rollback failed");
	return without_run(test);
}

const char *spk_test_output(struct spk_test *test)
{
	CHECK_TEST(test);
	return test->output ? test->output : "";
}

const char *spk_test_story(struct spk_test *test)
{
	CHECK_TEST(test);
	return buf_text(&test->story.text);
}
