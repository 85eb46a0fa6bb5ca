/* SPDX-License-Identifier: Apache-2.0 */
/* What a PuppetDB answers: a list of objects that have the name of a host. */
#ifndef SPICERACK_PUPPETDB_ANSWER_H
#define SPICERACK_PUPPETDB_ANSWER_H

#include "../base/text.h"

/* Tells the names, the members `key`. -1 with a reason; it is empty where the visitor said false.
 */
int answer_read(const struct text *text, const char *key, spk_inventory_visitor *visitor,
		void *data, struct spk_reason_buffer *reason);

#endif
