/* SPDX-License-Identifier: Apache-2.0 */
#include "end.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Makes it one line of printable ASCII, and shows where it was cut. */
static void clean(char *text, size_t size, size_t wanted)
{
	if (wanted >= size)
		memcpy(text + size - 4, "...", 4);
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

__attribute__((__format__(__printf__, 3, 0))) static size_t write_reason(char *text, size_t size,
									 const char *format,
									 va_list args)
{
	int wanted = vsnprintf(text, size, format, args);

	return wanted < 0 ? 0 : (size_t)wanted;
}

int end_set(struct end *end, enum spk_transport_end_kind kind, const char *format, ...)
{
	size_t wanted;
	va_list args;

	va_start(args, format);
	wanted = write_reason(end->reason, sizeof(end->reason), format, args);
	va_end(args);
	clean(end->reason, sizeof(end->reason), wanted);
	end->kind = kind;
	return -1;
}

int end_refuse(struct end *end, const char *file, unsigned line, const char *format, ...)
{
	char what[END_REASON_SIZE];
	va_list args;

	va_start(args, format);
	write_reason(what, sizeof(what), format, args);
	va_end(args);
	return end_set(end, SPK_TRANSPORT_UNSUPPORTED, "%s:%u: %s; the transport 'openssh' can",
		       file, line, what);
}

void end_prefix(struct end *end, const char *format, ...)
{
	char reason[END_REASON_SIZE], prefix[END_REASON_SIZE / 2];
	va_list args;

	memcpy(reason, end->reason, sizeof(reason));
	va_start(args, format);
	write_reason(prefix, sizeof(prefix), format, args);
	va_end(args);
	end_set(end, end->kind, "%s: %s", prefix, reason);
}

const char *end_printable(const char *text, char *out, size_t size)
{
	size_t length = strlen(text);

	while (length > 0 && strchr("\r\n\t ", text[length - 1]))
		length--;
	snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), text);
	clean(out, size, length);
	return out;
}
