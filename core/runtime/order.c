/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

#include <stdlib.h>

#include "mem.h"

/* The scalar members in the order of the message: one table for writing and reading. */
enum item_kind { ITEM_NUMBER, ITEM_TEXT, ITEM_OPTIONAL_TEXT };

#define ITEM(kind, member)                                                                         \
	{                                                                                          \
		kind, offsetof(struct run_order, member)                                           \
	}

static const struct {
	enum item_kind kind;
	size_t offset;
} items[] = {
	ITEM(ITEM_TEXT, file),
	ITEM(ITEM_NUMBER, device),
	ITEM(ITEM_NUMBER, inode),
	ITEM(ITEM_NUMBER, size),
	ITEM(ITEM_NUMBER, mtime_ns),
	ITEM(ITEM_OPTIONAL_TEXT, build_id),
	ITEM(ITEM_TEXT, symbol),
	ITEM(ITEM_NUMBER, address),
	ITEM(ITEM_NUMBER, state_size),
	ITEM(ITEM_TEXT, name),
	ITEM(ITEM_NUMBER, dry_run),
	ITEM(ITEM_NUMBER, verbose),
	ITEM(ITEM_NUMBER, in_process),
	ITEM(ITEM_TEXT, username),
	ITEM(ITEM_TEXT, hostname),
	ITEM(ITEM_TEXT, owner),
	ITEM(ITEM_TEXT, config_dir),
	ITEM(ITEM_OPTIONAL_TEXT, http_proxy),
	ITEM(ITEM_OPTIONAL_TEXT, kv.store),
	ITEM(ITEM_OPTIONAL_TEXT, kv.directory),
	ITEM(ITEM_OPTIONAL_TEXT, kv.etcd_api),
	ITEM(ITEM_OPTIONAL_TEXT, kv.etcdrc),
	ITEM(ITEM_OPTIONAL_TEXT, kv.conftool_config),
	ITEM(ITEM_OPTIONAL_TEXT, kv.conftool_schema),
	ITEM(ITEM_OPTIONAL_TEXT, task_id),
	ITEM(ITEM_OPTIONAL_TEXT, reason),
	ITEM(ITEM_OPTIONAL_TEXT, subcommand),
	ITEM(ITEM_NUMBER, subcommand_offset),
	ITEM(ITEM_OPTIONAL_TEXT, log_file),
	ITEM(ITEM_OPTIONAL_TEXT, log_extended_file),
	ITEM(ITEM_OPTIONAL_TEXT, log_head),
	ITEM(ITEM_OPTIONAL_TEXT, journal_file),
	ITEM(ITEM_OPTIONAL_TEXT, run),
};

#define ITEM_COUNT (sizeof(items) / sizeof(items[0]))

void order_write(const struct run_order *order, struct buf *message)
{
	for (size_t i = 0; i < ITEM_COUNT; i++) {
		const void *member = (const char *)order + items[i].offset;

		if (items[i].kind == ITEM_NUMBER)
			wire_put_number(message, *(const uint64_t *)member);
		else
			wire_put_text(message, *(const char *const *)member);
	}
	wire_put_number(message, order->arg_count);
	for (size_t i = 0; i < order->arg_count; i++) {
		wire_put_number(message, order->args[i].row_address);
		wire_put_number(message, order->args[i].row_size);
		wire_put_number(message, order->args[i].offset);
		wire_put_number(message, order->args[i].given);
		wire_put_texts(message, order->args[i].texts);
	}
	wire_put_number(message, order->site_count);
	for (size_t i = 0; i < order->site_count; i++) {
		wire_put_text(message, order->sites[i].name);
		wire_put_texts(message, order->sites[i].texts);
	}
}

/* A text that may not be missing. */
static const char *get_text(struct wire_reader *message)
{
	const char *text = wire_get_text(message);

	if (!text)
		message->bad = true;
	return text;
}

/* A list for free(). */
static spk_strings get_texts(struct wire_reader *message)
{
	size_t count = wire_get_count(message);
	const char **texts = xcalloc(count, sizeof(*texts));

	for (size_t i = 0; i < count; i++)
		texts[i] = get_text(message);
	return (spk_strings){texts, count};
}

int order_read(struct wire_reader *message, struct run_order *ret, struct err *err)
{
	struct run_order order = {0};

	for (size_t i = 0; i < ITEM_COUNT; i++) {
		void *member = (char *)&order + items[i].offset;

		if (items[i].kind == ITEM_NUMBER)
			*(uint64_t *)member = wire_get_number(message);
		else if (items[i].kind == ITEM_TEXT)
			*(const char **)member = get_text(message);
		else
			*(const char **)member = wire_get_text(message);
	}
	order.arg_count = wire_get_count(message);
	order.args = xcalloc(order.arg_count, sizeof(*order.args));
	for (size_t i = 0; i < order.arg_count; i++) {
		struct order_arg *arg = &order.args[i];

		arg->row_address = wire_get_number(message);
		arg->row_size = wire_get_number(message);
		arg->offset = wire_get_number(message);
		arg->given = wire_get_number(message);
		arg->texts = get_texts(message);
	}
	order.site_count = wire_get_count(message);
	order.sites = xcalloc(order.site_count, sizeof(*order.sites));
	for (size_t i = 0; i < order.site_count; i++) {
		order.sites[i].name = get_text(message);
		order.sites[i].texts = get_texts(message);
	}
	if (!wire_complete(message)) {
		order_free(&order);
		return err_set(err, "the order of the run is malformed");
	}
	*ret = order;
	return 0;
}

void order_free(struct run_order *order)
{
	for (size_t i = 0; i < order->arg_count; i++)
		free((void *)(uintptr_t)order->args[i].texts.items);
	for (size_t i = 0; i < order->site_count; i++)
		free((void *)(uintptr_t)order->sites[i].texts.items);
	free(order->args);
	free(order->sites);
	order->args = NULL;
	order->sites = NULL;
	order->arg_count = order->site_count = 0;
}
