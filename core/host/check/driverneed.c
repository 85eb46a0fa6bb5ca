/* SPDX-License-Identifier: Apache-2.0 */
#include "driverneed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"

#define NEED_HTTP "http"
#define NEED_TRANSPORT "transport"

/* Functions by how their names begin. Kinds that every host has a driver of are not listed: dns,
 * document, inventory, kv, regex. */
static const struct {
	const char *stem, *kind;
} rows[] = {
	{"spk_api", NEED_HTTP},    {"spk_apt_get", NEED_TRANSPORT}, {"spk_cluster", NEED_TRANSPORT},
	{"spk_http", NEED_HTTP},   {"spk_prometheus", NEED_HTTP},   {"spk_remote", NEED_TRANSPORT},
	{"spk_thanos", NEED_HTTP},
};

/* They begin like others, and open nothing. */
static const char *const exceptions[] = {"spk_http_proxy"};

static bool begins(const char *function, const char *stem)
{
	size_t length = strlen(stem);

	return strncmp(function, stem, length) == 0 &&
	       (function[length] == '\0' || function[length] == '_');
}

const char *driver_need_of_call(const char *function)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (strcmp(function, exceptions[i]) == 0)
			return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (begins(function, rows[i].stem))
			return rows[i].kind;
	return NULL;
}

const char *driver_need_of_symbol(const char *symbol)
{
	const size_t stem = sizeof(DRIVER_NEED_STEM) - 1;
	const char *kind = symbol + stem;
	size_t length;

	if (strncmp(symbol, DRIVER_NEED_STEM, stem) != 0)
		return NULL;
	/* As driver.h has it: it becomes part of a file's name, and of a package's. */
	length = strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return length > 0 && kind[length] == '\0' ? kind : NULL;
}

void driver_needs_add(struct driver_needs *needs, const char *kind, const char *by)
{
	size_t at = 0;

	while (at < needs->count && strcmp(needs->items[at].kind, kind) < 0)
		at++;
	if (at < needs->count && strcmp(needs->items[at].kind, kind) == 0)
		return;
	needs->items = xgrow(needs->items, needs->count, &needs->capacity, sizeof(*needs->items));
	memmove(&needs->items[at + 1], &needs->items[at],
		(needs->count - at) * sizeof(*needs->items));
	needs->items[at] = (struct driver_need){.kind = kind, .by = by};
	needs->count++;
}

void driver_needs_free(struct driver_needs *needs)
{
	free(needs->items);
	*needs = (struct driver_needs){0};
}
