/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <string.h>

/* What is passed on, beside numbers. */
static const struct {
	const char *command;
	int parameters; /* at least */
	bool prefix;    /* who it is of must be told */
} commands[] = {
	{"PING", 1, false}, {"PONG", 1, false}, {"ERROR", 1, false}, {"JOIN", 1, true},
	{"PART", 1, true},  {"KICK", 2, true},  {"NICK", 1, true},
};

static bool is_number(const char *word, size_t length)
{
	if (length != 3)
		return false;
	for (size_t i = 0; i < length; i++)
		if (word[i] < '0' || word[i] > '9')
			return false;
	return true;
}

/* Of what is behind the command: words, the last of which may begin with a colon. */
static int count_parameters(const char *text, size_t length)
{
	int count = 0;

	for (size_t i = 0; i < length;) {
		if (text[i] == ' ') {
			i++;
			continue;
		}
		count++;
		if (text[i] == ':')
			break;
		while (i < length && text[i] != ' ')
			i++;
	}
	return count;
}

static size_t word_length(const char *text, size_t length)
{
	const char *blank = memchr(text, ' ', length);

	return blank ? (size_t)(blank - text) : length;
}

static bool is_known(const char *word, size_t length, bool prefix, int parameters)
{
	if (is_number(word, length))
		return parameters >= 1;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].command) == length &&
		    memcmp(commands[i].command, word, length) == 0)
			return parameters >= commands[i].parameters &&
			       (prefix || !commands[i].prefix);
	return false;
}

bool line_is_good(const char *line, size_t length)
{
	bool prefix = length > 0 && line[0] == ':';
	size_t word;

	if (length == 0 || length > LINE_MAX_LENGTH || memchr(line, '\0', length) ||
	    memchr(line, '\r', length) || memchr(line, '\n', length))
		return false;
	if (prefix) {
		word = word_length(line, length);
		if (word < 2 || word == length)
			return false;
		line += word + 1;
		length -= word + 1;
	}
	word = word_length(line, length);
	/* One blank, and something behind it: the library looks there without asking. */
	if (word + 1 >= length || line[word + 1] == ' ')
		return false;
	return is_known(line, word, prefix, count_parameters(line + word, length - word));
}

size_t line_fill(const char *text, size_t limit)
{
	size_t length = strlen(text), cut = limit;

	if (length <= limit)
		return length;
	while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	/* No text, but the bytes must go somewhere. */
	if (cut == 0)
		return limit;
	for (size_t i = cut; i > limit / 2; i--)
		if (text[i] == ' ')
			return i;
	return cut;
}
