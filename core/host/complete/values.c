/* SPDX-License-Identifier: Apache-2.0 */
/* What the host can name: cookbooks, runs, locks, findings, keys, hosts. */
#include "completion.h"

#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../../runtime/inventory.h"
#include "../../runtime/mem.h"
#include "../journal/journalfile.h"
#include "../journal/runview.h"
#include "../lock/locklist.h"
#include "../lock/lockname.h"
#include "../lock/lockstore.h"
#include "../setting/kvsetting.h"
#include "../tree/tree.h"

/* A store that has not answered by then has nothing to offer. */
#define STORE_MS 200
/* The newest ones: the name of an older one is known from elsewhere. */
#define RUNS_MAX 200
#define COOKBOOK_LOCKS LOCK_ROOT "cookbooks/"

/* ---- cookbooks, a level of the tree at a time ---- */

/* The length of the name as far as it is offered: with the dot of a group. */
static size_t shown_length(const char *name, size_t typed)
{
	const char *dot = strchr(name + typed, '.');

	return dot ? (size_t)(dot + 1 - name) : strlen(name);
}

/* The group that all of them are in, with its dot, behind what was typed; NULL: there is no such.
 */
static char *common_group(const struct tree *tree, const char *typed)
{
	const char *first = tree->cookbook_count ? tree->cookbooks[0].name : "";
	const size_t length = *first ? shown_length(first, strlen(typed)) : 0;

	if (!length || first[length - 1] != '.')
		return NULL;
	for (size_t i = 1; i < tree->cookbook_count; i++)
		if (strncmp(tree->cookbooks[i].name, first, length) != 0)
			return NULL;
	return xstrndup(first, length);
}

/* The level at which there is something to choose; *ret_typed is what all names there begin with.
 */
static int read_level(spk_strings bases, const char *typed, struct tree *ret, char **ret_typed)
{
	struct err err;
	char *deeper;

	*ret_typed = xstrdup(typed);
	for (;;) {
		if (tree_read_level(bases, *ret_typed, ret, &err) < 0)
			return -1;
		deeper = common_group(ret, *ret_typed);
		if (!deeper)
			return 0;
		tree_free(ret);
		free(*ret_typed);
		*ret_typed = deeper;
	}
}

static void offer_group(struct completion *completion, const struct tree *tree, const char *name,
			size_t length)
{
	char *text = xstrndup(name, length);
	const struct tree_group *group;

	text[length - 1] = '\0';
	group = tree_find_group(tree, text);
	text[length - 1] = '.';
	completion_offer_value(completion, text, group ? group->title : NULL, true);
	free(text);
}

static void offer_cookbooks(struct completion *completion)
{
	const struct settings *settings = completion_settings(completion);
	const char *last = "";
	size_t last_length = 0;
	struct tree tree;
	char *typed = NULL;

	if (!settings || read_level(settings_strings(settings, "cookbooks_base_dirs"),
				    completion_value(completion), &tree, &typed) < 0) {
		free(typed);
		return;
	}
	for (size_t i = 0; i < tree.cookbook_count; i++) {
		const struct tree_cookbook *cookbook = &tree.cookbooks[i];
		size_t length = shown_length(cookbook->name, strlen(typed));

		if (cookbook->name[length - 1] != '.') {
			completion_offer_value(completion, cookbook->name, cookbook->title, false);
			continue;
		}
		if (length != last_length || strncmp(cookbook->name, last, length) != 0)
			offer_group(completion, &tree, cookbook->name, length);
		last = cookbook->name;
		last_length = length;
	}
	tree_free(&tree);
	free(typed);
}

/* ---- runs, the newest first ---- */

static void offer_run(struct completion *completion, const char *directory, const char *id,
		      enum arg_meaning meaning)
{
	struct run_summary summary;
	struct buf about = {0};
	struct err err;

	if (journal_glance(directory, id, &summary, &err) != 0)
		return;
	if ((meaning == ARG_RUN || (meaning == ARG_RUN_ALIVE && summary.state == RUN_GOES_ON) ||
	     (meaning == ARG_RUN_OWED && summary.owed))) {
		buf_printf(&about, "%s, %s, %s", summary.cookbook ? summary.cookbook : "?",
			   run_view_result(&summary), summary.user ? summary.user : "?");
		completion_offer_value(completion, id, buf_text(&about), false);
	}
	buf_free(&about);
	run_summary_free(&summary);
}

static void offer_runs(struct completion *completion, enum arg_meaning meaning)
{
	const struct settings *settings = completion_settings(completion);
	const char *directory = settings ? settings_text(settings, "journal.directory") : NULL;
	const char *typed = completion_value(completion);
	size_t count, looked = 0;
	char(*ids)[RUN_ID_SIZE];
	struct err err;

	if (!directory || journal_list(directory, &ids, &count, &err) < 0)
		return;
	for (size_t i = 0; i < count && looked < RUNS_MAX; i++)
		if (strncmp(ids[i], typed, strlen(typed)) == 0) {
			offer_run(completion, directory, ids[i], meaning);
			looked++;
		}
	if (count && meaning == ARG_RUN)
		completion_offer_value(completion, "last", "the newest", false);
	free(ids);
}

/* ---- locks ---- */

/* The name that stands for the key of a cookbook, as long as nobody types a key; else the key. */
static const char *short_key(const char *key, const char *typed)
{
	const size_t length = strlen(COOKBOOK_LOCKS);

	return *typed != '/' && strncmp(key, COOKBOOK_LOCKS, length) == 0 ? key + length : key;
}

static void offer_entries(struct completion *completion, const struct lock_list *list, bool ids)
{
	const char *typed = completion_value(completion), *last = "";
	struct buf about = {0};

	for (size_t i = 0; i < list->count; i++) {
		const struct spk_lock_entry *entry = &list->entries[i];

		if (!ids && strcmp(entry->key, last) == 0)
			continue;
		last = entry->key;
		buf_clear(&about);
		buf_printf(&about, "%s %s",
			   lock_is_freeze(entry) ? "on hold by"
			   : lock_is_held(entry) ? "held by"
						 : "waited for by",
			   entry->owner);
		completion_offer_value(completion, ids ? entry->id : short_key(entry->key, typed),
				       buf_text(&about), false);
	}
	buf_free(&about);
}

/* Keys, or the entries of one. The store gets some of the time, then the process ends. */
static void offer_locks(struct completion *completion, const char *word, bool ids)
{
	const struct settings *settings = completion_settings(completion);
	struct spk_lock_call call = {.deadline_ns = spk_uptime().ns + STORE_MS * 1000000LL,
				     .cancel_fd = -1};
	struct lock_list list = {0};
	struct lock_store store = {0};
	struct err err;
	char *key = ids && word ? lock_key_of_word(word, &err) : NULL;

	if (settings && (key || !ids)) {
		completion_bound(STORE_MS);
		if (lock_store_open_configured(settings, false, &store, &err) == 0 &&
		    store.driver->list(store.store, key, lock_list_add, &list, &call) ==
			    SPK_LOCK_OK)
			offer_entries(completion, &list, ids);
	}
	lock_store_close(&store, spk_uptime().ns);
	lock_list_free(&list);
	free(key);
}

/* ---- conftool's keys, a level at a time ---- */

struct key_level {
	struct completion *completion;
	char *last; /* that was offered; NULL: none */
};

static bool offer_key(void *data, const struct spk_kv_item *item)
{
	struct key_level *level = data;
	const char *typed = completion_value(level->completion), *slash;
	char *text;

	if (strncmp(item->key, typed, strlen(typed)) != 0)
		return true;
	slash = strchr(item->key + (*typed ? strlen(typed) : 1), '/');
	text = slash ? xstrndup(item->key, (size_t)(slash + 1 - item->key)) : xstrdup(item->key);
	if (!level->last || strcmp(level->last, text) != 0)
		completion_offer_value(level->completion, text, NULL, slash != NULL);
	free(level->last);
	level->last = text;
	return true;
}

static void offer_keys(struct completion *completion)
{
	const struct settings *settings = completion_settings(completion);
	const char *typed = completion_value(completion), *slash = strrchr(typed, '/');
	struct spk_kv_call call = {.deadline_ns = spk_uptime().ns + STORE_MS * 1000000LL,
				   .cancel_fd = -1};
	struct key_level level = {.completion = completion};
	char *above = slash > typed ? xstrndup(typed, (size_t)(slash - typed)) : xstrdup("/");
	struct kv_store store = {0};
	struct err err;

	if (settings && (slash == typed || kv_key_check(above, &err) == 0 || !*typed)) {
		completion_bound(STORE_MS);
		if (kv_open_configured(settings, true, &store, &err) == 0)
			(void)store.driver->list(store.store, above, offer_key, &level, &call);
	}
	kv_store_close(&store);
	free(level.last);
	free(above);
}

/* ---- queries for hosts ---- */

/* What a query has in front of the name at its end. */
struct query_end {
	struct completion *completion;
	const char *kind; /* what goes in front of each of these */
	size_t length;
};

static void offer_in_query(void *data, const char *name, const char *about)
{
	const struct query_end *end = data;
	struct buf text = {0};

	buf_add(&text, completion_value(end->completion), end->length);
	buf_puts(&text, end->kind);
	buf_puts(&text, name);
	completion_offer_value(end->completion, buf_text(&text), about, false);
	buf_free(&text);
}

/* Aliases, and hosts that files tell of, for the last name of the query. */
static void offer_hosts(struct completion *completion)
{
	const struct settings *settings = completion_settings(completion);
	const char *typed = completion_value(completion), *name = typed;
	struct query_end end = {.completion = completion, .kind = "A:"};
	struct remote_config *config = NULL;
	struct inventory *inventory = NULL;
	struct err err;

	for (const char *at = typed; *at; at++)
		if (strchr(" (,", *at))
			name = at + 1;
	end.length = (size_t)(name - typed);
	if (!settings ||
	    remote_config_read(settings_text(settings, "instance_params.spicerack_config_dir"),
			       &config, &err) < 0 ||
	    inventory_open(config, &inventory, &err) < 0)
		goto out;
	inventory_aliases(inventory, offer_in_query, &end);
	end.kind = "";
	inventory_known(inventory, name, spk_uptime().ns + STORE_MS * 1000000LL, offer_in_query,
			&end);
out:
	inventory_close(inventory);
	remote_config_free(config);
}

/* ---- all of them ---- */

static void offer_findings(struct completion *completion)
{
	for (int kind = FINDING_NONE + 1; kind < FINDING_KINDS; kind++) {
		const struct finding_row *row = finding_row((enum finding_kind)kind);

		completion_offer_value(completion, row->name, row->meaning, false);
	}
}

void values_offer(struct completion *completion, enum arg_meaning meaning, const char *before)
{
	switch (meaning) {
	case ARG_ANYTHING:
		break;
	case ARG_FILE:
		completion->files = COMPLETION_FILES;
		break;
	case ARG_DIRECTORY:
		completion->files = COMPLETION_DIRECTORIES;
		break;
	case ARG_COOKBOOK:
		offer_cookbooks(completion);
		break;
	case ARG_RUN:
	case ARG_RUN_ALIVE:
	case ARG_RUN_OWED:
		offer_runs(completion, meaning);
		break;
	case ARG_LOCK:
		offer_locks(completion, NULL, false);
		break;
	case ARG_LOCK_ENTRY:
		offer_locks(completion, before, true);
		break;
	case ARG_FINDING:
		offer_findings(completion);
		break;
	case ARG_KEY:
		offer_keys(completion);
		break;
	case ARG_QUERY:
		offer_hosts(completion);
		break;
	}
}
