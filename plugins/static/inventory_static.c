/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, groups and facts from a file (book.h). */
#include <errno.h>
#include <string.h>

#include "../base/file.h"
#include "../base/memory.h"
#include "../base/option.h"
#include "term.h"

SPK_API extern const struct spk_inventory_driver spk_driver;

#define FILE_LIMIT ((size_t)16 * 1024 * 1024)

struct inventory {
	char *file;
	struct book book;
	bool read;
};

struct options {
	const char *file;
};

static const struct option table[] = {
	{"file", OPTION_TEXT, offsetof(struct options, file), 0, 0},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static void *open_static(const struct spk_driver_setting *given, size_t count,
			 struct spk_reason_buffer *reason)
{
	struct options options = {0};
	struct inventory *inventory;

	if (options_read(table, ROWS, given, count, &options, reason) < 0)
		return NULL;
	if (!options.file) {
		reason_set(reason, "'file' is missing: the path of the file of hosts");
		return NULL;
	}
	inventory = memory_new(1, sizeof(*inventory));
	inventory->file = memory_copy(options.file);
	return inventory;
}

static void close_static(void *data)
{
	struct inventory *inventory = data;

	book_free(&inventory->book);
	memory_free(inventory->file);
	memory_free(inventory);
}

/* Reads the file when first asked. */
static int read_file(struct inventory *inventory, struct spk_reason_buffer *reason)
{
	struct text text = {0};
	int rc = 0;

	if (!inventory->read) {
		rc = file_read(inventory->file, FILE_LIMIT, &text, reason);
		if (rc == 0)
			rc = book_read(inventory->file, &text, &inventory->book, reason);
		inventory->read = rc == 0;
	}
	text_free(&text);
	return rc;
}

struct visit {
	const struct inventory *inventory;
	spk_inventory_visitor *visitor;
	void *data;
	struct spk_reason_buffer *reason;
};

static bool visit_entry(void *data, const struct book_entry *entry)
{
	const struct visit *visit = data;

	if (visit->visitor(visit->data, entry->hosts, strlen(entry->hosts)))
		return true;
	reason_set(visit->reason, "%s:%zu", file_shown(visit->inventory->file), entry->line);
	return false;
}

static enum spk_inventory_status find(void *data, const char *query, size_t length,
				      spk_inventory_visitor *visitor, void *visitor_data,
				      struct spk_inventory_call *call)
{
	struct inventory *inventory = data;
	struct visit visit = {inventory, visitor, visitor_data, &call->reason};

	if (read_file(inventory, &call->reason) < 0)
		return SPK_INVENTORY_FAILED;
	return term_find(&inventory->book, query, length, visit_entry, &visit, &call->reason);
}

const struct spk_inventory_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_inventory_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "inventory",
		   .name = "static"},
	.language = SPK_INVENTORY_TERMS,
	.open = open_static,
	.close = close_static,
	.find = find,
};
