/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold for every text that reaches a log file or the terminal, whatever was fed in. */
#ifndef SPICERACK_TESTS_FUZZ_SHOWN_H
#define SPICERACK_TESTS_FUZZ_SHOWN_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void expect_at(bool truth, const char *what, int line)
{
	if (truth)
		return;
	fprintf(stderr, "line %d: expected %s\n", line, what);
	abort();
}

#define EXPECT(truth) expect_at((truth), #truth, __LINE__)

/* UTF-8 without controls other than newline and tab, without marks of direction. */
static inline void expect_shown(const char *text, size_t length)
{
	static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};

	for (size_t i = 0; i < length;) {
		unsigned char first = (unsigned char)text[i++];
		unsigned int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
		uint32_t point = more ? first & (0x3fU >> more) : first;

		EXPECT(first < 0x80 || (first >= 0xc0 && first < 0xf8));
		EXPECT(i + more <= length);
		for (unsigned int j = 0; j < more; j++) {
			EXPECT((text[i] & 0xc0) == 0x80);
			point = point << 6 | ((unsigned char)text[i++] & 0x3f);
		}
		EXPECT(point >= smallest[more] && point <= 0x10ffff);
		EXPECT(point < 0xd800 || point > 0xdfff);
		EXPECT(point >= ' ' || point == '\n' || point == '\t');
		EXPECT(point < 0x7f || point >= 0xa0);
		EXPECT((point < 0x2028 || point > 0x202e) && (point < 0x2066 || point > 0x2069));
	}
}

/*
 * One record as it stands in a file: its first line begins with a time and `head`, what follows
 * is indented, and it ends with a newline.
 */
static inline void expect_record(const char *text, size_t length, const char *head)
{
	static const char time[] = "dddd-dd-dd dd:dd:dd,ddd ";
	static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
	const char *at = text + sizeof(time) - 1 + strlen(head);
	bool known = false;

	EXPECT(length > sizeof(time) + strlen(head) && text[length - 1] == '\n');
	for (size_t i = 0; time[i]; i++)
		EXPECT(time[i] == 'd' ? isdigit((unsigned char)text[i]) : text[i] == time[i]);
	EXPECT(strncmp(text + sizeof(time) - 1, head, strlen(head)) == 0 && *at == '[');
	at++;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		size_t word = strlen(levels[i]);

		known |= strncmp(at, levels[i], word) == 0 && (at[word] == ']' || at[word] == ' ');
	}
	EXPECT(known);
	for (const char *end = text; (end = memchr(end, '\n', (size_t)(text + length - 1 - end)));)
		EXPECT(strncmp(++end, "    ", 4) == 0);
	expect_shown(text, length);
}

#endif
