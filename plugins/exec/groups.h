/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an executable printed: a list of names, or an object of groups in the shape of Ansible's
 * dynamic inventories:
 *
 *     {"web": {"hosts": ["a", "b"], "children": ["api"]}, "api": ["c"],
 *      "_meta": {"hostvars": {"a": {}}}}
 */
#ifndef SPICERACK_EXEC_GROUPS_H
#define SPICERACK_EXEC_GROUPS_H

#include <stdbool.h>

#include <spicerack/plugin.h>

#include "../base/text.h"

/*
 * Tells the hosts of one group and its children, all with NULL. -1 with a reason; it is empty where
 * the visitor said false.
 */
int groups_read(const struct text *text, const char *group, spk_inventory_visitor *visitor,
		void *data, struct spk_reason_buffer *reason);

#endif
