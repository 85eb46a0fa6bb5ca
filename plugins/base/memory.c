/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *or_abort(void *memory)
{
	static const char message[] = "spicerack: out of memory\n";
	ssize_t ignored;

	if (memory)
		return memory;
	ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
	(void)ignored;
	abort();
}

void *memory_raw(size_t size)
{
	return or_abort(malloc(size ? size : 1));
}

void *memory_new(size_t count, size_t size)
{
	return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void memory_free(void *old)
{
	if (old)
		explicit_bzero(old, malloc_usable_size(old));
	free(old);
}

void *memory_resize(void *old, size_t size)
{
	size_t have = old ? malloc_usable_size(old) : 0;
	void *new = memory_raw(size);

	if (old)
		memcpy(new, old, have < size ? have : size);
	memory_free(old);
	return new;
}

char *memory_copy_n(const char *text, size_t length)
{
	char *copy = memory_raw(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *memory_copy(const char *text)
{
	return memory_copy_n(text, strlen(text));
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (!array || count >= *capacity) {
		*capacity = count < 8 ? 8 : count + count / 2;
		if (*capacity > SIZE_MAX / size)
			or_abort(NULL);
		array = memory_resize(array, *capacity * size);
	}
	memset((char *)array + count * size, 0, size);
	return array;
}
