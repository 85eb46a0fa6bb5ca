/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one object of JSON whose members are plain values or lists of them, as event_put_json()
 * writes it. Whoever may write to the file may have written anything else: that is refused.
 */
#ifndef SPICERACK_HOST_JSONLINE_H
#define SPICERACK_HOST_JSONLINE_H

#include <stdbool.h>
#include <stddef.h>

enum json_type { JSON_TEXT, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL, JSON_ELEMENT };

/*
 * One member: `value` is the text, or the number as it stands there. A list comes as a JSON_ELEMENT
 * for each of its texts. Both live until the function returns.
 */
typedef void json_member(void *data, const char *name, enum json_type type, const char *value);

/*
 * Calls `member`, unless that is NULL, for each in their order; false: it is no such object (some
 * may have been told). A text with a NUL in it is refused, too.
 */
bool json_line_read(const char *text, size_t length, json_member *member, void *data);

#endif
