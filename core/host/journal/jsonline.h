/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one object of JSON whose members are plain values or lists of them, as event_put_json()
 * writes it. Whoever may write to the file may have written anything else: that is refused.
 */
#ifndef SPICERACK_HOST_JSONLINE_H
#define SPICERACK_HOST_JSONLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../runtime/jsonread.h"

/*
 * One member: `value` is the text, or the number as it stands there. Of a list each text comes
 * `in_list`, and nothing else. Both live until the function returns.
 */
typedef void json_member(void *data, const char *name, bool in_list, enum json_scalar type,
			 const char *value);

/*
 * Calls `member`, unless that is NULL, for each in their order; false: it is no such object (some
 * may have been told). A text with a NUL in it is refused, too.
 */
bool json_line_read(const char *text, size_t length, json_member *member, void *data);

#endif
