/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that an executable knows: it is run with the query, and prints JSON. */
#include <stdlib.h>
#include <string.h>

#include "../base/call.h"
#include "../base/file.h"
#include "../base/json.h"
#include "../base/memory.h"
#include "../base/option.h"
#include "groups.h"
#include "child.h"

SPK_API extern const struct spk_inventory_driver spk_driver;

#define ANSWER_LIMIT ((size_t)64 * 1024 * 1024)
#define NS_PER_SECOND INT64_C(1000000000)

struct executable {
	char **argv; /* with room for the query, and NULL */
	size_t argc;
	bool by_group;
	int64_t timeout_ns;
};

struct options {
	struct option_texts command;
	uint64_t timeout;
	const char *query;
};

static const struct option table[] = {
	{"command", OPTION_TEXTS, offsetof(struct options, command), 0, 0},
	{"timeout", OPTION_NUMBER, offsetof(struct options, timeout), 1, 3600},
	{"query", OPTION_TEXT, offsetof(struct options, query), 0, 0},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static int check(const struct options *options, struct spk_reason_buffer *reason)
{
	if (options->command.count == 0)
		reason_set(reason, "'command' is missing: an executable and its arguments");
	else if (options->command.items[0][0] != '/')
		reason_set(reason, "'command' must begin with an absolute path, not '%s'",
			   options->command.items[0]);
	else if (strcmp(options->query, "argument") != 0 && strcmp(options->query, "group") != 0)
		reason_set(reason, "'query' must be 'argument' or 'group', not '%s'",
			   options->query);
	else
		return 0;
	return -1;
}

static void close_executable(void *data)
{
	struct executable *executable = data;

	for (size_t i = 0; i < executable->argc; i++)
		memory_free(executable->argv[i]);
	memory_free(executable->argv);
	memory_free(executable);
}

static void *open_executable(const struct spk_driver_setting *given, size_t count,
			     struct spk_reason_buffer *reason)
{
	struct options options = {.timeout = 30, .query = "argument"};
	struct executable *executable = NULL;

	json_init();
	if (options_read(table, ROWS, given, count, &options, reason) == 0 &&
	    check(&options, reason) == 0) {
		executable = memory_new(1, sizeof(*executable));
		executable->argv = memory_new(options.command.count + 2,
					      sizeof(executable->argv[0]));
		for (size_t i = 0; i < options.command.count; i++)
			executable->argv[i] = memory_copy(options.command.items[i]);
		executable->argc = options.command.count;
		executable->by_group = strcmp(options.query, "group") == 0;
		executable->timeout_ns = (int64_t)options.timeout * NS_PER_SECOND;
	}
	options_free(table, ROWS, &options);
	return executable;
}

/* Without the blanks around it. */
static char *trim(const char *text, size_t length)
{
	while (length > 0 && strchr(" \t\n", text[length - 1]))
		length--;
	while (length > 0 && strchr(" \t\n", *text)) {
		text++;
		length--;
	}
	return memory_copy_n(text, length);
}

/* Puts the command before what went wrong with it. */
static void name_command(const struct executable *executable, struct spk_reason_buffer *reason)
{
	struct spk_reason_buffer why = *reason;
	const char *path = file_shown(executable->argv[0]);

	if (!*why.text)
		reason_set(reason, "%s", path);
	else if (strncmp(why.text, path, strlen(path)) != 0)
		reason_set(reason, "%s: %.*s", path, (int)(sizeof(why.text) - strlen(path) - 3),
			   why.text);
}

static enum spk_inventory_status find(void *data, const char *query, size_t length,
				      spk_inventory_visitor *visitor, void *visitor_data,
				      struct spk_inventory_call *call)
{
	struct executable *executable = data;
	int64_t limit = call_now() + executable->timeout_ns;
	char *word = trim(query, length);
	const char *group = executable->by_group ? word : NULL;
	struct text out = {0};
	int rc = -1;

	if (call->deadline_ns > limit)
		call->deadline_ns = limit;
	executable->argv[executable->argc] = executable->by_group ? NULL : word;
	if (!*word || *word == '-')
		reason_set(&call->reason,
			   *word ? "a query must not begin with '-'" : "the query is empty");
	else
		rc = child_run(executable->argv, ANSWER_LIMIT, &out, call);
	executable->argv[executable->argc] = NULL;
	if (rc == 0)
		rc = groups_read(&out, group && strcmp(group, "*") != 0 ? group : NULL, visitor,
				 visitor_data, &call->reason);
	if (rc < 0)
		name_command(executable, &call->reason);
	text_free(&out);
	memory_free(word);
	return rc < 0 ? SPK_INVENTORY_FAILED : SPK_INVENTORY_OK;
}

const struct spk_inventory_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_inventory_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "inventory",
		   .name = "exec"},
	.language = SPK_INVENTORY_OWN,
	.open = open_executable,
	.close = close_executable,
	.find = find,
};
