/* SPDX-License-Identifier: Apache-2.0 */
#include "curlstart.h"

#include <curl/curl.h>

#include "../base/memory.h"
#include "../base/text.h"

static void *hook_realloc(void *old, size_t size)
{
	return memory_resize(old, size);
}

static void *hook_calloc(size_t count, size_t size)
{
	return memory_new(count, size);
}

int curl_start(struct spk_reason_buffer *reason)
{
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_raw, memory_free, hook_realloc,
				 memory_copy, hook_calloc) == CURLE_OK)
		return 0;
	reason_set(reason, "cannot use libcurl");
	return -1;
}
