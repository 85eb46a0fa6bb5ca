/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts_command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/inventory.h"
#include "../../runtime/jsontext.h"
#include "../argument/argparse.h"
#include "../run/outcome.h"
#include "../run/signals.h"
#include "../setting/settings.h"
#include "stdio_guard.h"
#include "subcommand.h"

#define PROGRAM "spicerack hosts"

/* The command line; read by the same parser as the arguments of a cookbook. */
struct command_line {
	const char *config_file, *query;
	bool expand, count, json;
};

enum option { CONFIG_FILE, EXPAND, COUNT, JSON, QUERY, OPTION_COUNT };

#define OPTION(id, field, letter_, type_, group_, ...)                                             \
	[id] = {.name = #field,                                                                    \
		.form = SPK_FORM_OPTION,                                                           \
		.type = (type_),                                                                   \
		.letter = (letter_),                                                               \
		.offset = offsetof(struct command_line, field),                                    \
		.group = (group_),                                                                 \
		__VA_ARGS__}

static const struct arg_spec arguments[OPTION_COUNT] = {
	OPTION(CONFIG_FILE, config_file, 'c', SPK_TYPE_STRING, -1, .metavar = "FILE",
	       .meaning = ARG_FILE, .help = "read this configuration file instead of all others"),
	OPTION(EXPAND, expand, 'e', SPK_TYPE_FLAG, 0,
	       .help = "print each host in a line of its own"),
	OPTION(COUNT, count, 0, SPK_TYPE_FLAG, 0, .help = "print how many there are"),
	OPTION(JSON, json, 0, SPK_TYPE_FLAG, 0,
	       .help = "print one JSON document, see spicerack(1)"),
	[QUERY] = {.name = "QUERY",
		   .form = SPK_FORM_POSITIONAL,
		   .type = SPK_TYPE_STRING,
		   .offset = offsetof(struct command_line, query),
		   .group = -1,
		   .meaning = ARG_QUERY,
		   .help = "which hosts, see spicerack(1)"},
};

static const struct group_spec groups[] = {{.exclusive = true}};

const struct cookbook_spec hosts_words = {
	.title = "Tells which hosts a query is about, as a set: db[1001-1003].dc1.example.",
	.description = "Exits with 1 when no host matches, as for all else that goes wrong.",
	.args = arguments,
	.arg_count = OPTION_COUNT,
	.groups = groups,
	.group_count = 1,
};

static const char *text_of(const struct parsed *parsed, enum option option)
{
	spk_strings texts = parsed->args[option].texts;

	return texts.count ? texts.items[texts.count - 1] : NULL;
}

static bool given(const struct parsed *parsed, enum option option)
{
	return parsed->args[option].given;
}

static void put_names(const struct hostset *set, struct buf *out)
{
	struct hostset_walk walk;

	hostset_walk_start(&walk, set);
	while (hostset_walk_next(&walk)) {
		buf_add(out, walk.name, walk.length);
		buf_putc(out, '\n');
	}
}

static void put_json(const struct hostset *set, const char *query, struct buf *out)
{
	const char *between = "";
	struct hostset_walk walk;
	struct buf folded = {0};

	hostset_fold(set, &folded);
	buf_puts(out, "{\"version\": 1, ");
	json_put_member(out, "query", query);
	buf_printf(out, ", \"count\": %" PRIu64 ", ", hostset_count(set));
	json_put_member(out, "hosts", buf_text(&folded));
	buf_puts(out, ", \"names\": [");
	hostset_walk_start(&walk, set);
	while (hostset_walk_next(&walk)) {
		buf_puts(out, between);
		json_put_text(out, walk.name);
		between = ", ";
	}
	buf_puts(out, "]}\n");
	buf_free(&folded);
}

static int show(const struct parsed *parsed, const struct hostset *set)
{
	struct buf out = {0};
	int rc;

	if (given(parsed, EXPAND)) {
		put_names(set, &out);
	} else if (given(parsed, COUNT)) {
		buf_printf(&out, "%" PRIu64 "\n", hostset_count(set));
	} else if (given(parsed, JSON)) {
		put_json(set, text_of(parsed, QUERY), &out);
	} else {
		hostset_fold(set, &out);
		buf_putc(&out, '\n');
	}
	rc = stdio_guard_write(&out);
	if (rc < 0)
		fprintf(stderr, PROGRAM ": error: cannot write: %s\n", strerrordesc_np(errno));
	buf_free(&out);
	return rc < 0 ? EXIT_STARTUP : EXIT_OK;
}

/* Ctrl+C and the like end what a driver does, and then us. */
static int find(const struct remote_config *config, const char *query, struct hostset **ret,
		struct err *err)
{
	struct inventory *inventory;
	int signals, rc;

	if (inventory_open(config, &inventory, err) < 0)
		return EXIT_STARTUP;
	signals = signals_open(err);
	rc = signals;
	if (rc >= 0)
		rc = inventory_find(inventory, query, INT64_MAX, signals, ret, err);
	inventory_close(inventory);
	if (rc < 0 && signals >= 0 && signals_next(signals) > 0)
		rc = EXIT_INTERRUPTED;
	fd_close(&signals);
	return rc < 0 ? EXIT_STARTUP : rc;
}

static int act(const struct parsed *parsed)
{
	struct remote_config *config = NULL;
	struct settings *settings = NULL;
	struct hostset *set = NULL;
	struct err err;
	int code = EXIT_STARTUP;

	if (settings_load(text_of(parsed, CONFIG_FILE), &settings, &err) == 0 &&
	    remote_config_read(settings_text(settings, "instance_params.spicerack_config_dir"),
			       &config, &err) == 0)
		code = find(config, text_of(parsed, QUERY), &set, &err);
	if (code == EXIT_OK)
		code = show(parsed, set);
	else
		fprintf(stderr, PROGRAM ": error: %s\n", err.text);
	hostset_free(set);
	remote_config_free(config);
	settings_free(settings);
	return code;
}

int hosts_command(int argc, char **argv)
{
	struct parsed parsed;
	int code;

	if (command_read(PROGRAM, &hosts_words, argc, argv, &parsed, &code))
		code = act(&parsed);
	parsed_free(&parsed);
	return code;
}
