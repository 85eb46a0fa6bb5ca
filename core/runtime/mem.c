/* SPDX-License-Identifier: Apache-2.0 */
#include "mem.h"

#include <stdio.h>
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

void *xcalloc(size_t count, size_t size)
{
	return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return or_abort(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return or_abort(strdup(text));
}

char *xstrndup(const char *text, size_t length)
{
	return or_abort(strndup(text, length));
}

char *xvasprintf(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return or_abort(text);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	return text;
}

void mem_wipe_stack(void)
{
	char below[8192];

	explicit_bzero(below, sizeof(below));
}

void *xgrow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (array && count < *capacity)
		return array;
	*capacity = count < 8 ? 8 : count + count / 2;
	return xreallocarray(array, *capacity, size);
}
