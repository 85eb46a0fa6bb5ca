/* SPDX-License-Identifier: Apache-2.0 */
#include "driverneed.h"

#include <stddef.h>
#include <string.h>

/* Functions by how their names begin. Kinds that every host has a driver of are not listed: dns,
 * document, inventory, kv, regex. */
static const struct {
	const char *stem;
	enum driver_need need;
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

void driver_needs_add(struct driver_needs *needs, const char *function)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (strcmp(function, exceptions[i]) == 0)
			return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (begins(function, rows[i].stem))
			needs->needed[rows[i].need] = true;
}

const char *driver_need_kind(enum driver_need need)
{
	static const char *const kinds[] = {[NEED_HTTP] = "http", [NEED_TRANSPORT] = "transport"};

	return kinds[need];
}
