/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a cluster by name and port, as they are listed or found. */
#ifndef SPICERACK_ETCD_HOSTS_H
#define SPICERACK_ETCD_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#define HOSTS_MAX 64

struct host {
	char *name;
	unsigned port; /* 0: the common one */
};

/* Zero-initialised is empty. */
struct hosts {
	struct host *items;
	size_t count, capacity;
};

/* Whether it can be the name or the address of a host. */
bool host_name_ok(const char *name);

/* False when there are HOSTS_MAX already. */
bool hosts_add(struct hosts *hosts, const char *name, unsigned port);
void hosts_clear(struct hosts *hosts);
void hosts_free(struct hosts *hosts);

#endif
