/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <string.h>

#include "memory.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: the largest whole number that a double is sure of */

void json_init(void)
{
	cJSON_Hooks hooks = {.malloc_fn = memory_raw, .free_fn = memory_free};

	cJSON_InitHooks(&hooks);
}

cJSON *json_parse(const char *text, size_t length)
{
	const char *end = NULL;
	cJSON *json;

	if (!text || memchr(text, '\0', length))
		return NULL;
	json = cJSON_ParseWithLengthOpts(text, length, &end, false);
	if (json && (size_t)(end - text) + strspn(end, " \t\r\n") != length) {
		cJSON_Delete(json);
		json = NULL;
	}
	return json;
}

cJSON *json_object(const cJSON *object, const char *name)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsObject(item) ? item : NULL;
}

cJSON *json_array(const cJSON *object, const char *name)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsArray(item) ? item : NULL;
}

const char *json_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

bool json_unsigned(const cJSON *object, const char *name, uint64_t *ret_number)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	*ret_number = 0;
	if (!item)
		return true;
	if (cJSON_IsString(item))
		return parse_number(item->valuestring, UINT64_MAX, ret_number);
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > EXACT_MAX)
		return false;
	*ret_number = (uint64_t)item->valuedouble;
	return (double)*ret_number == item->valuedouble;
}

bool json_number(const cJSON *object, const char *name, int64_t *ret_number)
{
	const char *text = json_text(object, name);
	bool negative = text && *text == '-';
	uint64_t number;

	if (negative ? !parse_number(text + 1, INT64_MAX, &number)
		     : !json_unsigned(object, name, &number))
		return false;
	if (number > INT64_MAX)
		return false;
	*ret_number = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

bool json_bytes(const cJSON *object, const char *name, struct text *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!item)
		return true;
	return cJSON_IsString(item) && text_add_from_base64(out, item->valuestring);
}
