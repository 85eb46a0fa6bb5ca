/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <stdbool.h>

/* The length of the character of UTF-8 at `at`; 0: there is none. */
static size_t character(const unsigned char *at, size_t left)
{
	static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = at[0] < 0x80             ? 1
			: (at[0] & 0xe0) == 0xc0 ? 2
			: (at[0] & 0xf0) == 0xe0 ? 3
			: (at[0] & 0xf8) == 0xf0 ? 4
						 : 0;
	unsigned int code = at[0] & (0xff >> (length + 1));

	if (length < 2)
		return length;
	if (length > left)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)
		       ? 0
		       : length;
}

void bytes_put_json(FILE *out, const char *bytes, size_t length)
{
	fputc('"', out);
	for (size_t i = 0, step; i < length; i += step) {
		const unsigned char *at = (const unsigned char *)bytes + i;
		size_t whole = character(at, length - i);

		step = whole ? whole : 1;
		if (!whole)
			fputs("\xef\xbf\xbd", out);
		else if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at == '\n')
			fputs("\\n", out);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\u%04x", *at);
		else
			fwrite(at, 1, step, out);
	}
	fputc('"', out);
}

/* Controls of ASCII but the tab, and those of 0x80 to 0x9f, which terminals also obey. */
static bool is_control(const unsigned char *at, size_t length)
{
	return length == 1 ? (*at < 0x20 && *at != '\t') || *at == 0x7f
			   : length == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

void bytes_put_line(FILE *out, const char *bytes, size_t length)
{
	for (size_t i = 0, step; i < length; i += step) {
		const unsigned char *at = (const unsigned char *)bytes + i;
		size_t whole = character(at, length - i);

		step = whole ? whole : 1;
		if (whole && !is_control(at, whole)) {
			fwrite(at, 1, step, out);
			continue;
		}
		for (size_t k = 0; k < step; k++)
			fprintf(out, "\\x%02x", at[k]);
	}
}
