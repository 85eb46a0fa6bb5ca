/* SPDX-License-Identifier: Apache-2.0 */
/* Members of answers. All of them tell a member that is absent from one of the wrong type. */
#ifndef SPICERACK_BASE_JSON_H
#define SPICERACK_BASE_JSON_H

#include <cjson/cJSON.h>

#include "text.h"

/* Makes cJSON use memory.h. */
void json_init(void);

/* Parses the text; nothing may be behind it but space. NULL: not JSON. */
cJSON *json_parse(const char *text, size_t length);
cJSON *json_object(const cJSON *object, const char *name);
cJSON *json_array(const cJSON *object, const char *name);
/* NULL when it is absent or no text. */
const char *json_text(const cJSON *object, const char *name);
/*
 * The gateway of etcd writes 64-bit numbers as texts and leaves those of 0 out, and so an absent
 * one is 0; API 2 writes numbers. False when it is neither.
 */
bool json_number(const cJSON *object, const char *name, int64_t *ret_number);
bool json_unsigned(const cJSON *object, const char *name, uint64_t *ret_number);
/* Appends the bytes of a member in base64, none when absent. False when it is not base64. */
bool json_bytes(const cJSON *object, const char *name, struct text *out);

#endif
