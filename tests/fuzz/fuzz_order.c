/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a run as the runner reads it: what is accepted is written back as the same bytes. */
#include "../../core/runtime/order.h"
#include "shown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every text to its end, so that one outside of the message is noticed. */
static size_t walk(const struct run_order *order)
{
	size_t seen = strlen(order->file) + strlen(order->symbol) + strlen(order->name) +
		      strlen(order->username) + strlen(order->hostname) + strlen(order->owner) +
		      strlen(order->config_dir);

	if (order->reason)
		seen += strlen(order->reason);
	for (size_t i = 0; i < order->arg_count; i++)
		for (size_t k = 0; k < order->args[i].texts.count; k++)
			seen += strlen(order->args[i].texts.items[k]);
	for (size_t i = 0; i < order->site_count; i++) {
		seen += strlen(order->sites[i].name);
		for (size_t k = 0; k < order->sites[i].texts.count; k++)
			seen += strlen(order->sites[i].texts.items[k]);
	}
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reader message = wire_read(data, size);
	struct run_order order;
	struct buf again = {0};
	struct err err = {0};

	if (order_read(&message, &order, &err) < 0) {
		EXPECT(err.text[0] && !strchr(err.text, '\n'));
		return 0;
	}
	EXPECT(walk(&order) < size);
	order_write(&order, &again);
	EXPECT(again.length == size && memcmp(again.text, data, size) == 0);
	order_free(&order);
	buf_free(&again);
	return 0;
}
