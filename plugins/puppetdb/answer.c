/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <string.h>

#include "../base/json.h"

int answer_read(const struct text *text, const char *key, spk_inventory_visitor *visitor,
		void *data, struct spk_reason_buffer *reason)
{
	cJSON *root = json_parse(text->bytes, text->length);
	const cJSON *item;
	int rc = 0;

	reason->text[0] = '\0';
	if (!cJSON_IsArray(root)) {
		reason_set(reason, "the answer is %s", root ? "no list" : "no JSON");
		rc = -1;
	}
	cJSON_ArrayForEach(item, root)
	{
		const char *name = json_text(item, key);

		if (rc < 0)
			break;
		if (!name)
			reason_set(reason, "the answer has an item without the text '%s'", key);
		rc = name && visitor(data, name, strlen(name)) ? 0 : -1;
		if (rc < 0)
			break;
	}
	cJSON_Delete(root);
	return rc;
}
