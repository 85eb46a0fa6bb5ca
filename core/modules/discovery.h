/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of discovery.h share. */
#ifndef SPICERACK_MODULES_DISCOVERY_H
#define SPICERACK_MODULES_DISCOVERY_H

#include <spicerack/cookbook.h>

#include "../runtime/misuse.h"

#define DISCOVERY_MAGIC 0x6469731eU

/* Plain data in memory of the run. */
struct spk_discovery {
	uint32_t magic;
	struct spk *spk;
	spk_strings records;
	struct spk_confctl *confctl;
	struct discovery_plan *plans; /* of a dry run, the last one first */
};

/* The handle's own copy of a record's name. Raises `discovery.missing` when it has none such. */
const char *discovery_own_record(const struct spk_discovery *discovery, const char *record);

/* Sets the ttl of all records in all datacenters. */
void discovery_write_ttl(struct spk_discovery *discovery, long long seconds);

#endif
