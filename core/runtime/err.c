/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static size_t put(struct err *err, const char *format, va_list args)
	__attribute__((__format__(__printf__, 2, 0)));

static size_t put(struct err *err, const char *format, va_list args)
{
	int length = vsnprintf(err->text, sizeof(err->text), format, args);

	if (length < 0) {
		err->text[0] = '\0';
		return 0;
	}
	if ((size_t)length >= sizeof(err->text)) {
		memcpy(err->text + sizeof(err->text) - 4, "...", 4);
		return sizeof(err->text) - 1;
	}
	return (size_t)length;
}

int err_set(struct err *err, const char *format, ...)
{
	int saved = errno;
	va_list args;

	if (err) {
		va_start(args, format);
		put(err, format, args);
		va_end(args);
	}
	errno = saved;
	return -1;
}

int err_errno(struct err *err, const char *format, ...)
{
	int saved = errno;
	va_list args;
	size_t used;

	if (err) {
		va_start(args, format);
		used = put(err, format, args);
		va_end(args);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s",
			 strerrordesc_np(saved) ? strerrordesc_np(saved) : "unknown error");
	}
	errno = saved;
	return -1;
}
