/* SPDX-License-Identifier: Apache-2.0 */
#include "kv_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../runtime/kvstore.h"
#include "../../runtime/mem.h"
#include "../../runtime/jsontext.h"
#include "../../runtime/printable.h"
#include "../log/log.h"
#include "../run/identity.h"
#include "../run/outcome.h"
#include "../setting/kvsetting.h"
#include "kv_objects.h"
#include "stdio_guard.h"
#include "subcommand.h"

/* A store that does not answer at all is given up after this. */
#define CALL_NS 60000000000LL
#define FILE_LIMIT ((size_t)256 * 1024 * 1024)
/* Of the values of one write: etcd takes 1.5 MiB, in base64. */
#define BATCH_BYTES ((size_t)512 * 1024)

/* The words of all subcommands. */
struct words {
	const char *config_file, *key, *prefix, *value, *file;
	bool json, overwrite;
};

#define COMMON(field_, form_, type_)                                                               \
	.form = (form_), .type = (type_), .offset = offsetof(struct words, field_), .group = -1

static const struct arg_spec config_option = {.name = "config_file",
					      .letter = 'c',
					      COMMON(config_file, SPK_FORM_OPTION, SPK_TYPE_STRING),
					      .metavar = "FILE",
					      .meaning = ARG_FILE,
					      .help = "read this configuration file instead of all "
						      "others"};
static const struct arg_spec json_option = {
	.name = "json", COMMON(json, SPK_FORM_OPTION, SPK_TYPE_FLAG), .help = "print JSON"};
static const struct arg_spec overwrite_option = {.name = "overwrite",
						 COMMON(overwrite, SPK_FORM_OPTION, SPK_TYPE_FLAG),
						 .help = "also where another value is there"};
static const struct arg_spec key_word = {.name = "KEY",
					 COMMON(key, SPK_FORM_POSITIONAL, SPK_TYPE_STRING),
					 .meaning = ARG_KEY,
					 .help = "a whole key: /conftool/v1/..."};
static const struct arg_spec prefix_word = {.name = "KEY",
					    COMMON(prefix, SPK_FORM_POSITIONAL, SPK_TYPE_STRING),
					    .arity = SPK_ZERO_OR_ONE,
					    .meaning = ARG_KEY,
					    .help = "only what is below it"};
static const struct arg_spec value_word = {.name = "VALUE",
					   COMMON(value, SPK_FORM_POSITIONAL, SPK_TYPE_STRING),
					   .help = "a JSON object"};
static const struct arg_spec file_word = {.name = "FILE",
					  COMMON(file, SPK_FORM_POSITIONAL, SPK_TYPE_STRING),
					  .meaning = ARG_FILE,
					  .help = "what export has written; - for standard input"};

/* What a subcommand works with. */
struct call {
	const char *command;
	const struct parsed *parsed;
	struct settings *settings;
	struct kv_store store;
	struct identity identity;
	struct spk_kv_call call;
};

static int complain(const struct call *call, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

static int complain(const struct call *call, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	subcommand_vcomplain("kv", call->command, format, args);
	va_end(args);
	return EXIT_STARTUP;
}

static int complain_status(const struct call *call, enum spk_kv_status status)
{
	struct err err;

	(void)kv_explain(&call->call, status, &err);
	return complain(call, "%s", err.text);
}

/* A call of its own time. */
static struct spk_kv_call *timed(struct call *call)
{
	call->call = (struct spk_kv_call){.deadline_ns = spk_uptime().ns + CALL_NS,
					  .cancel_fd = -1};
	return &call->call;
}

/* Who did what, in a log of its own, and on the terminal. */
static int record(const struct call *call, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

static int record(const struct call *call, const char *format, ...)
{
	va_list args;
	struct log *log;
	struct err err;
	char *what;

	if (log_open(call->settings, "spicerack.kv", false, false, &call->identity, &log, &err) < 0)
		return complain(call, "done, but not logged: %s", err.text);
	va_start(args, format);
	what = xvasprintf(format, args);
	va_end(args);
	log_info(log, "%s", what);
	free(what);
	log_close(log);
	return EXIT_OK;
}

static int print(const struct call *call, const struct buf *text)
{
	if (stdio_guard_write(text) == 0)
		return EXIT_OK;
	return complain(call, "cannot write: %s", strerrordesc_np(errno));
}

static const char *text_of(const struct call *call, const struct arg_spec *row)
{
	return subcommand_text(call->parsed, row);
}

/* ---- reading ---- */

/* What is below a key, or all. */
static enum spk_kv_status read_below(struct call *call, const char *key, struct kv_objects *ret)
{
	return call->store.driver->list(call->store.store, key ? key : "/", kv_objects_add, ret,
					timed(call));
}

static void put_json(const struct kv_object *object, struct buf *out)
{
	buf_putc(out, '{');
	json_put_member(out, "key", object->key);
	buf_printf(out, ", \"revision\": %llu, ", (unsigned long long)object->revision);
	json_put_member(out, "value", object->value);
	buf_putc(out, '}');
}

static int list(void *data)
{
	struct call *call = data;
	bool json = subcommand_is_given(call->parsed, &json_option);
	struct kv_objects objects = {0};
	struct buf text = {0};
	enum spk_kv_status status = read_below(call, text_of(call, &prefix_word), &objects);
	int code;

	if (status != SPK_KV_OK) {
		kv_objects_free(&objects);
		return complain_status(call, status);
	}
	buf_puts(&text, json ? "[" : "");
	for (size_t i = 0; i < objects.count; i++) {
		const struct kv_object *object = &objects.items[i];

		if (json) {
			buf_puts(&text, i ? ",\n " : "");
			put_json(object, &text);
			continue;
		}
		printable_add(&text, object->key, strlen(object->key));
		buf_putc(&text, ' ');
		printable_add(&text, object->value, object->length);
		buf_putc(&text, '\n');
	}
	buf_puts(&text, json ? "]\n" : "");
	code = print(call, &text);
	buf_free(&text);
	kv_objects_free(&objects);
	return code;
}

static int get(void *data)
{
	struct call *call = data;
	struct kv_objects objects = {0};
	const char *key = text_of(call, &key_word);
	struct buf text = {0};
	enum spk_kv_status status = call->store.driver->get(call->store.store, key, kv_objects_add,
							    &objects, timed(call));
	int code;

	if (status == SPK_KV_MISSING) {
		code = complain(call, "%s: there is no such key", key);
	} else if (status != SPK_KV_OK) {
		code = complain_status(call, status);
	} else {
		if (subcommand_is_given(call->parsed, &json_option))
			put_json(&objects.items[0], &text);
		else
			printable_add(&text, objects.items[0].value, objects.items[0].length);
		buf_putc(&text, '\n');
		code = print(call, &text);
	}
	buf_free(&text);
	kv_objects_free(&objects);
	return code;
}

static int export(void *data)
{
	struct call *call = data;
	struct kv_objects objects = {0};
	struct buf text = {0};
	enum spk_kv_status status = read_below(call, text_of(call, &prefix_word), &objects);
	size_t left_out = 0;
	int code;

	if (status != SPK_KV_OK) {
		kv_objects_free(&objects);
		return complain_status(call, status);
	}
	for (size_t i = 0; i < objects.count; i++) {
		if (kv_object_write(&objects.items[i], &text))
			continue;
		left_out++;
		complain(call, "%s: left out, its value is no JSON object", objects.items[i].key);
	}
	code = print(call, &text);
	buf_free(&text);
	kv_objects_free(&objects);
	return left_out ? EXIT_STARTUP : code;
}

/* ---- writing ---- */

static enum spk_kv_status write_one(struct call *call, const char *key, const char *value,
				    uint64_t revision)
{
	struct spk_kv_change change = {.size = sizeof(change),
				       .key = key,
				       .value = value,
				       .length = value ? strlen(value) : 0,
				       .revision = revision};

	return call->store.driver->write(call->store.store, &change, 1, timed(call));
}

/* set and delete: `value` NULL is delete. */
static int change_one(struct call *call, const char *value)
{
	const char *key = text_of(call, &key_word);
	struct kv_objects objects = {0};
	const struct kv_object *old;
	enum spk_kv_status status = call->store.driver->get(call->store.store, key, kv_objects_add,
							    &objects, timed(call));
	int code = EXIT_OK;

	old = objects.count ? &objects.items[0] : NULL;
	if (status != SPK_KV_OK && status != SPK_KV_MISSING)
		code = complain_status(call, status);
	else if (!old && !value)
		code = complain(call, "%s: there is no such key", key);
	else if (old && value && !subcommand_is_given(call->parsed, &overwrite_option))
		code = complain(call, "%s: it is there already, as %s: --overwrite", key,
				old->value);
	if (code == EXIT_OK) {
		status = write_one(call, key, value, old ? old->revision : 0);
		if (status != SPK_KV_OK)
			code = complain_status(call, status);
		else if (value && old)
			code = record(call, "set %s from %s to %s", key, old->value, value);
		else if (value)
			code = record(call, "made %s: %s", key, value);
		else
			code = record(call, "deleted %s: it was %s", key, old->value);
	}
	kv_objects_free(&objects);
	return code;
}

static int set(void *data)
{
	struct call *call = data;
	const char *value = text_of(call, &value_word);

	if (!kv_value_ok(value, strlen(value))) {
		complain(call, "argument VALUE: must be a JSON object of at most 1 MiB");
		return EXIT_USAGE;
	}
	return change_one(call, value);
}

static int delete (void *data)
{
	return change_one(data, NULL);
}

static int read_file(const struct call *call, const char *file, struct buf *out)
{
	bool standard = strcmp(file, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char chunk[65536];
	ssize_t got = -1;

	if (fd < 0)
		return complain(call, "%s: %s", file, strerrordesc_np(errno));
	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || out->length + (size_t)got > FILE_LIMIT)
			break;
		buf_add(out, chunk, (size_t)got);
	}
	if (got < 0)
		complain(call, "%s: %s", file, strerrordesc_np(errno));
	else if (got > 0)
		complain(call, "%s: longer than %zu bytes", file, FILE_LIMIT);
	if (!standard)
		close(fd);
	return got == 0 ? EXIT_OK : EXIT_STARTUP;
}

/* An import on its way. */
struct import {
	struct kv_objects wanted, there;
	struct spk_kv_change *changes;
	size_t count, replaced;
};

/* What has to be written. Tells all that would be overwritten, which is an error unless allowed. */
static int plan_import(const struct call *call, struct import *import, const char *file)
{
	bool overwrite = subcommand_is_given(call->parsed, &overwrite_option);
	size_t refused = 0;

	import->changes = xcalloc(import->wanted.count + 1, sizeof(*import->changes));
	for (size_t i = 0; i < import->wanted.count; i++) {
		const struct kv_object *wanted = &import->wanted.items[i];
		const struct kv_object *there = kv_objects_find(&import->there, wanted->key);

		if (there && there->length == wanted->length &&
		    memcmp(there->value, wanted->value, there->length) == 0)
			continue;
		if (there && !overwrite) {
			complain(call, "%s:%zu: %s is there already, as %s", file, wanted->line,
				 wanted->key, there->value);
			refused++;
		}
		import->replaced += there != NULL;
		import->changes[import->count++] =
			(struct spk_kv_change){.size = sizeof(struct spk_kv_change),
					       .key = wanted->key,
					       .value = wanted->value,
					       .length = wanted->length,
					       .revision = there ? there->revision : 0};
	}
	return refused ? complain(call, "nothing was written: --overwrite") : EXIT_OK;
}

/* How many changes go together. */
static size_t batch_size(const struct import *import, size_t at, size_t most)
{
	size_t bytes = 0, count = 0;

	for (; at + count < import->count && count < most; count++) {
		bytes += import->changes[at + count].length +
			 strlen(import->changes[at + count].key);
		if (count && bytes > BATCH_BYTES)
			break;
	}
	return count;
}

static int write_import(struct call *call, const struct import *import)
{
	size_t most = call->store.driver->most(call->store.store);
	size_t at = 0, size;

	for (; at < import->count; at += size) {
		enum spk_kv_status status;

		size = batch_size(import, at, most ? most : 1);
		status = call->store.driver->write(call->store.store, import->changes + at, size,
						   timed(call));
		if (status == SPK_KV_OK)
			continue;
		complain_status(call, status);
		return complain(
			call, "%zu of %zu objects were written; the same import goes on from there",
			at, import->count);
	}
	return EXIT_OK;
}

static int import(void *data)
{
	struct call *call = data;
	const char *file = text_of(call, &file_word);
	enum spk_kv_status status = SPK_KV_OK;
	struct import import = {0};
	struct buf text = {0};
	struct err err;
	char *above = NULL;
	int code = read_file(call, file, &text);

	if (code == EXIT_OK &&
	    kv_objects_read(file, buf_text(&text), text.length, &import.wanted, &err) < 0)
		code = complain(call, "%s", err.text);
	if (code == EXIT_OK) {
		above = kv_objects_above(&import.wanted);
		status = read_below(call, above, &import.there);
	}
	if (status != SPK_KV_OK)
		code = complain_status(call, status);
	if (code == EXIT_OK)
		code = plan_import(call, &import, file);
	if (code == EXIT_OK)
		code = write_import(call, &import);
	if (code == EXIT_OK)
		code = record(call, "imported %s: %zu made, %zu replaced, %zu as they were", file,
			      import.count - import.replaced, import.replaced,
			      import.wanted.count - import.count);
	free(above);
	free(import.changes);
	kv_objects_free(&import.wanted);
	kv_objects_free(&import.there);
	buf_free(&text);
	return code;
}

static const struct subcommand items[] = {
	{"list", "show objects", list, .rows = {&config_option, &json_option, &prefix_word}},
	{"get", "show one object", get, .rows = {&config_option, &json_option, &key_word}},
	{"set", "write one object", set,
	 .rows = {&config_option, &overwrite_option, &key_word, &value_word}},
	{"delete", "remove one object", delete, .rows = {&config_option, &key_word}},
	{"export", "print objects for import, one a line", export,
	 .rows = {&config_option, &prefix_word}},
	{"import", "write what export has printed", import,
	 .rows = {&config_option, &overwrite_option, &file_word}},
};

/* ---- the command ---- */

static bool writes(const struct subcommand *subcommand)
{
	return subcommand->run == set || subcommand->run == delete || subcommand->run == import;
}

static int open_store(struct call *call, bool read_only)
{
	struct err err;

	if (kv_open_configured(call->settings, read_only, &call->store, &err) < 0)
		return complain(call, "%s", err.text);
	return EXIT_OK;
}

static int check_words(const struct call *call)
{
	static const struct arg_spec *const rows[] = {&key_word, &prefix_word};
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *key = subcommand_is_given(call->parsed, rows[i])
					  ? text_of(call, rows[i])
					  : NULL;

		if (!key || (rows[i] == &prefix_word && strcmp(key, "/") == 0))
			continue;
		if (kv_key_check(key, &err) < 0) {
			complain(call, "%s", err.text);
			return EXIT_USAGE;
		}
	}
	return EXIT_OK;
}

static int act(const struct subcommand *subcommand, const struct parsed *parsed)
{
	struct call call = {.command = subcommand->name, .parsed = parsed};
	struct err err;
	int code;

	/* A server that hangs up is an error, not the end. */
	signal(SIGPIPE, SIG_IGN);
	identity_fill(&call.identity);
	code = check_words(&call);
	if (code == EXIT_OK &&
	    settings_load(text_of(&call, &config_option), &call.settings, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		code = EXIT_STARTUP;
	}
	if (code == EXIT_OK)
		code = open_store(&call, !writes(subcommand));
	if (code == EXIT_OK)
		code = subcommand->run(&call);
	kv_store_close(&call.store);
	settings_free(call.settings);
	return code;
}

const struct subcommands kv_subcommands = {
	.command = "kv",
	.about = "The objects of conftool, as they are in their store.",
	.act = act,
	.items = items,
	.count = sizeof(items) / sizeof(items[0]),
};
