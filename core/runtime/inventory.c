/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configtext.h"
#include "driver.h"
#include "hostname.h"
#include "hostparts.h"
#include "mem.h"
#include "printable.h"
#include "query.h"

#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
#define ALIAS_CHARACTERS HOST_CHARACTERS "+"

/* A letter that has a driver. */
struct backend {
	char letter;
	char *driver_name;
	struct driver_settings settings;
	const struct spk_inventory_driver *driver;
	void *opened; /* NULL: not yet */
};

struct alias {
	char *name, *query;
};

struct inventory {
	struct backend *backends;
	size_t backend_count, backend_capacity;
	struct alias *aliases; /* in the order of their names */
	size_t alias_count, alias_capacity;
	char default_backend; /* 0: none */
};

/* A query on its way. */
struct search {
	struct inventory *inventory;
	struct backend *backend; /* that is asked */
	int64_t deadline_ns;
	int cancel_fd;
};

/* ---- what is configured ---- */

static struct backend *find_backend(struct inventory *inventory, char letter)
{
	for (size_t i = 0; i < inventory->backend_count; i++)
		if (inventory->backends[i].letter == letter)
			return &inventory->backends[i];
	return NULL;
}

static struct backend *add_backend(struct inventory *inventory, char letter, const char *driver)
{
	struct backend *backend;

	inventory->backends = xgrow(inventory->backends, inventory->backend_count,
				    &inventory->backend_capacity, sizeof(*inventory->backends));
	backend = &inventory->backends[inventory->backend_count++];
	*backend = (struct backend){.letter = letter, .driver_name = xstrdup(driver)};
	return backend;
}

static int refuse(const char *file, const config_setting_t *at, const char *what, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	return err_set(err, "%s:%u: %s", printable_path(file, shown),
		       config_setting_source_line(at), what);
}

/* A member of an item of a list; NULL with the reason. */
static const char *text_of(const char *file, const config_setting_t *item, const char *name,
			   struct err *err)
{
	const config_setting_t *value = config_setting_get_member(item, name);
	const char *text = value ? config_setting_get_string(value) : NULL;
	char *what;

	if (text && printable_is(text, strlen(text)))
		return text;
	what = xasprintf(value ? "'%s' must be a text of printable characters"
			       : "'%s' is missing here",
			 name);
	refuse(file, value ? value : item, what, err);
	free(what);
	return NULL;
}

static int check_letter(struct inventory *inventory, const char *file, const config_setting_t *item,
			const char *letter, struct err *err)
{
	if (letter[0] < 'A' || letter[0] > 'Z' || letter[1] != '\0')
		return refuse(file, item, "'letter' must be one letter from A to Z", err);
	if (letter[0] == 'A' || letter[0] == 'D')
		return refuse(file, item,
			      letter[0] == 'A' ? "the letter A is that of aliases"
					       : "the letter D is that of names written down",
			      err);
	if (find_backend(inventory, letter[0]))
		return refuse(file, item, "this letter has a backend already", err);
	return 0;
}

static int read_backend(struct inventory *inventory, const char *file, const config_setting_t *item,
			struct err *err)
{
	static const char *const ours[] = {"letter", "driver", NULL};
	const char *letter, *driver;

	if (config_setting_type(item) != CONFIG_TYPE_GROUP)
		return refuse(file, item, "'backends' must be a list of groups", err);
	letter = text_of(file, item, "letter", err);
	if (!letter || check_letter(inventory, file, item, letter, err) < 0)
		return -1;
	driver = text_of(file, item, "driver", err);
	if (!driver)
		return -1;
	return driver_settings_read(file, item, ours,
				    &add_backend(inventory, letter[0], driver)->settings, err);
}

static int read_backends(struct inventory *inventory, const struct remote_config *config,
			 struct err *err)
{
	const config_setting_t *list = remote_config_list(config, "backends");
	const char *letter = remote_config_text(config, "default_backend");

	for (int i = 0; list && i < config_setting_length(list); i++)
		if (read_backend(inventory, remote_config_file(config),
				 config_setting_get_elem(list, (unsigned int)i), err) < 0)
			return -1;
	if (!find_backend(inventory, 'K'))
		add_backend(inventory, 'K', "knownhosts");
	if (!find_backend(inventory, 'P'))
		add_backend(inventory, 'P', "puppetdb");
	if (letter[0] && (letter[1] || (letter[0] != 'D' && !find_backend(inventory, letter[0]))))
		return remote_config_refuse(config, "default_backend", err,
					    "there is no backend '%s'", letter);
	inventory->default_backend = letter[0];
	return 0;
}

static int compare_aliases(const void *a, const void *b)
{
	const struct alias *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static int read_alias(struct inventory *inventory, const char *file, const config_setting_t *item,
		      struct err *err)
{
	const char *name, *query;

	if (config_setting_type(item) != CONFIG_TYPE_GROUP)
		return refuse(file, item, "'aliases' must be a list of groups", err);
	name = text_of(file, item, "name", err);
	query = name ? text_of(file, item, "query", err) : NULL;
	if (!query)
		return -1;
	if (!*name || name[strspn(name, ALIAS_CHARACTERS)])
		return refuse(file, item,
			      "'name' must be of letters, digits, '-', '_', '.' and '+'", err);
	for (int i = 0; i < config_setting_length(item); i++) {
		const config_setting_t *member = config_setting_get_elem(item, (unsigned int)i);

		if (strcmp(config_setting_name(member), "name") != 0 &&
		    strcmp(config_setting_name(member), "query") != 0)
			return refuse(file, member, "an alias has 'name' and 'query' only", err);
	}
	inventory->aliases = xgrow(inventory->aliases, inventory->alias_count,
				   &inventory->alias_capacity, sizeof(*inventory->aliases));
	inventory->aliases[inventory->alias_count++] = (struct alias){.name = xstrdup(name),
								      .query = xstrdup(query)};
	return 0;
}

static int take_aliases(struct inventory *inventory, const char *file, const config_setting_t *root,
			struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *list = config_setting_get_elem(root, (unsigned int)i);

		if (strcmp(config_setting_name(list), "aliases") != 0)
			return refuse(file, list, "the one key here is 'aliases'", err);
		if (config_setting_type(list) != CONFIG_TYPE_LIST)
			return refuse(file, list, "'aliases' must be a list of groups", err);
		for (int j = 0; j < config_setting_length(list); j++)
			if (read_alias(inventory, file,
				       config_setting_get_elem(list, (unsigned int)j), err) < 0)
				return -1;
	}
	if (inventory->alias_count)
		qsort(inventory->aliases, inventory->alias_count, sizeof(*inventory->aliases),
		      compare_aliases);
	for (size_t i = 1; i < inventory->alias_count; i++)
		if (compare_aliases(&inventory->aliases[i - 1], &inventory->aliases[i]) == 0)
			return err_set(err, "%s: there are two aliases '%s'",
				       printable_path(file, shown), inventory->aliases[i].name);
	return 0;
}

static int read_aliases(struct inventory *inventory, const struct remote_config *config,
			struct err *err)
{
	char *file = xasprintf("%s/aliases.cfg", remote_config_directory(config));
	config_t parsed;
	int rc = 0;

	if (configtext_read(file, &parsed, err) < 0) {
		if (errno != ENOENT)
			rc = -1;
	} else {
		rc = take_aliases(inventory, file, config_root_setting(&parsed), err);
		config_destroy(&parsed);
	}
	free(file);
	return rc;
}

int inventory_open(const struct remote_config *config, struct inventory **ret, struct err *err)
{
	struct inventory *inventory = xcalloc(1, sizeof(*inventory));

	if (read_backends(inventory, config, err) < 0 || read_aliases(inventory, config, err) < 0) {
		inventory_close(inventory);
		return -1;
	}
	*ret = inventory;
	return 0;
}

void inventory_close(struct inventory *inventory)
{
	if (!inventory)
		return;
	for (size_t i = 0; i < inventory->backend_count; i++) {
		struct backend *backend = &inventory->backends[i];

		if (backend->opened)
			backend->driver->close(backend->opened);
		driver_settings_free(&backend->settings);
		free(backend->driver_name);
	}
	for (size_t i = 0; i < inventory->alias_count; i++) {
		free(inventory->aliases[i].name);
		free(inventory->aliases[i].query);
	}
	free(inventory->backends);
	free(inventory->aliases);
	free(inventory);
}

/* ---- drivers ---- */

static int open_backend(struct backend *backend, struct err *err)
{
	struct spk_reason_buffer reason = {{0}};
	struct err why;

	if (backend->opened)
		return 0;
	backend->driver = (const struct spk_inventory_driver *)driver_open(
		"inventory", backend->driver_name, sizeof(*backend->driver), &why);
	if (!backend->driver)
		return driver_settings_refuse(&backend->settings, why.text, err);
	backend->opened = backend->driver->open(backend->settings.items, backend->settings.count,
						&reason);
	if (!backend->opened)
		return driver_settings_refuse(&backend->settings, reason.text, err);
	return 0;
}

/* Names told by a driver. */
struct told {
	struct hostparts parts;
	struct err err;
	bool refused; /* one was none: `err` says why */
};

static bool take_told(void *data, const char *expression, size_t length)
{
	struct told *told = data;
	struct hostset *set;

	if (hostparts_add_name(&told->parts, expression, length, NULL) == 0)
		return true;
	if (hostset_parse(expression, length, &set, &told->err) < 0) {
		told->refused = true;
		return false;
	}
	hostparts_add_set(&told->parts, set);
	hostset_free(set);
	return true;
}

/* What a driver's language of its own needs of ours. */
static bool expand(struct spk_inventory_call *call, const char *expression, size_t length,
		   spk_inventory_visitor *visitor, void *data)
{
	struct hostset_walk walk;
	struct hostset *set;
	struct err err;
	bool goes_on = true;

	if (hostset_parse_globs(expression, length, NULL, &set, &err) < 0) {
		snprintf(call->reason.text, sizeof(call->reason.text), "%.*s",
			 (int)sizeof(call->reason.text) - 1, err.text);
		return false;
	}
	hostset_walk_start(&walk, set);
	while (goes_on && hostset_walk_next(&walk))
		goes_on = visitor(data, walk.name, walk.length);
	hostset_free(set);
	return goes_on;
}

static struct spk_inventory_call call_of(const struct search *search)
{
	return (struct spk_inventory_call){
		.deadline_ns = search->deadline_ns,
		.cancel_fd = search->cancel_fd,
		.expand = expand,
	};
}

/* Asks the driver, which is open. */
static enum query_status find(struct search *search, const char *text, size_t length,
			      struct hostset **ret, struct err *err)
{
	const struct backend *backend = search->backend;
	struct spk_inventory_call call = call_of(search);
	struct told told = {.refused = false};
	enum spk_inventory_status status = backend->driver->find(backend->opened, text, length,
								 take_told, &told, &call);

	if (status == SPK_INVENTORY_OK && !told.refused)
		return hostparts_finish(&told.parts, ret, err) < 0 ? QUERY_FAILED : QUERY_OK;
	hostparts_free(&told.parts);
	err_set(err, "%s%s%s", call.reason.text, *call.reason.text && told.refused ? ": " : "",
		told.refused ? told.err.text : "");
	return status == SPK_INVENTORY_FOREIGN ? QUERY_FOREIGN : QUERY_FAILED;
}

static enum query_status find_term(void *data, const char *text, size_t length,
				   struct hostset **ret, struct err *err)
{
	return find(data, text, length, ret, err);
}

static int knows(void *data, const char *name, struct err *err)
{
	struct search *search = data;
	struct spk_inventory_call call = call_of(search);
	int rc = search->backend->driver->knows(search->backend->opened, name, &call);

	return rc < 0 ? err_set(err, "%s", call.reason.text) : rc;
}

/* The language of the query is ours. */
static enum query_status find_known(struct search *search, const char *text, size_t length,
				    struct hostset **ret, struct err *err)
{
	struct query_known known = {
		.term = find_term,
		.knows = search->backend->driver->knows ? knows : NULL,
		.data = search,
	};
	struct hostset *all = NULL;
	enum query_status status = find(search, "*", 1, &all, err);

	known.all = all;
	if (status == QUERY_OK)
		status = query_known(&known, text, length, ret, err);
	hostset_free(all);
	return status;
}

/* ---- queries ---- */

static enum query_status ask(void *data, char letter, const char *text, size_t length,
			     struct hostset **ret, struct err *err)
{
	struct search *search = data;

	if (letter == 'D')
		return query_direct(text, length, ret, err);
	search->backend = find_backend(search->inventory, letter);
	if (!search->backend) {
		err_set(err, "there is no backend '%c'", letter);
		return QUERY_FAILED;
	}
	if (open_backend(search->backend, err) < 0)
		return QUERY_FAILED;
	if (search->backend->driver->language == SPK_INVENTORY_TERMS)
		return find_known(search, text, length, ret, err);
	return find(search, text, length, ret, err);
}

static const char *find_alias(void *data, const char *name)
{
	const struct inventory *inventory = ((struct search *)data)->inventory;
	struct alias wanted = {.name = (char *)(uintptr_t)name}, *found = NULL;

	if (inventory->alias_count)
		found = bsearch(&wanted, inventory->aliases, inventory->alias_count,
				sizeof(*inventory->aliases), compare_aliases);
	return found ? found->query : NULL;
}

int inventory_find(struct inventory *inventory, const char *query, int64_t deadline_ns,
		   int cancel_fd, struct hostset **ret, struct err *err)
{
	struct search search = {
		.inventory = inventory,
		.deadline_ns = deadline_ns,
		.cancel_fd = cancel_fd,
	};
	struct query_sources sources = {
		.ask = ask,
		.alias = find_alias,
		.data = &search,
		.default_backend = inventory->default_backend,
	};

	return query_find_some(&sources, query, ret, err);
}

/* ---- what is known ---- */

void inventory_aliases(const struct inventory *inventory, inventory_visitor *visitor, void *data)
{
	for (size_t i = 0; i < inventory->alias_count; i++)
		visitor(data, inventory->aliases[i].name, inventory->aliases[i].query);
}

/* The letter of files that are cheap to ask; 0: there is none. */
static char letter_of_files(struct inventory *inventory)
{
	static const char *const of_files[] = {"knownhosts", "static"};
	const char letter = inventory->default_backend == 'D' ? 'K' : inventory->default_backend;
	const struct backend *backend = find_backend(inventory, letter);

	for (size_t i = 0; backend && i < sizeof(of_files) / sizeof(of_files[0]); i++)
		if (strcmp(backend->driver_name, of_files[i]) == 0)
			return letter;
	return 0;
}

void inventory_known(struct inventory *inventory, const char *beginning, int64_t deadline_ns,
		     inventory_visitor *visitor, void *data)
{
	const char letter = letter_of_files(inventory);
	struct hostset *set = NULL;
	struct hostset_walk walk;
	char *query, *name;
	struct err err;

	if (!letter || beginning[strspn(beginning, HOST_CHARACTERS)])
		return;
	query = xasprintf("%c{%s*}", letter, beginning);
	if (inventory_find(inventory, query, deadline_ns, -1, &set, &err) == 0) {
		hostset_walk_start(&walk, set);
		while (hostset_walk_next(&walk)) {
			name = xstrndup(walk.name, walk.length);
			visitor(data, name, NULL);
			free(name);
		}
		hostset_free(set);
	}
	free(query);
}
