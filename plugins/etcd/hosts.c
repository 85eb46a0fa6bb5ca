/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts.h"

#include <string.h>

#include "../base/memory.h"

bool host_name_ok(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789.-_:") == strlen(name);
}

bool hosts_add(struct hosts *hosts, const char *name, unsigned port)
{
	if (hosts->count == HOSTS_MAX)
		return false;
	hosts->items = memory_grow(hosts->items, hosts->count, &hosts->capacity,
				   sizeof(*hosts->items));
	hosts->items[hosts->count++] = (struct host){memory_copy(name), port};
	return true;
}

void hosts_clear(struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		memory_free(hosts->items[i].name);
	hosts->count = 0;
}

void hosts_free(struct hosts *hosts)
{
	hosts_clear(hosts);
	memory_free(hosts->items);
	*hosts = (struct hosts){0};
}
