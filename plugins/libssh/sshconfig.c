/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ssh_config(5): its files become lines of words. */
#include "sshline.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../base/file.h"
#include "../base/memory.h"
#include "../net/dial.h"
#include "pattern.h"

#define FILE_MAX ((size_t)1 << 20)
#define FILES_MAX 1000
#define BLANKS " \t\r\n"

/* ---- words ---- */

/* Takes the word at *text as ssh does for keywords: to a blank or `=`, or in double quotes. */
static char *take_word(char **text)
{
	char *word = *text, *end;
	bool equals = false;

	if (!word)
		return NULL;
	end = strpbrk(word, BLANKS "\"=");
	*text = end;
	if (!end)
		return word;
	if (*end == '"') {
		memmove(end, end + 1, strlen(end));
		end = strchr(end, '"');
		*text = end;
		if (!end)
			return NULL;
	} else {
		equals = *end == '=';
	}
	*end++ = '\0';
	end += strspn(end, BLANKS);
	if (!equals && *end == '=' && *word) {
		end++;
		end += strspn(end, BLANKS);
	}
	*text = end;
	return word;
}

static bool is_escape(const char *at, char quote)
{
	return *at == '\\' &&
	       (at[1] == '\'' || at[1] == '"' || at[1] == '\\' || (!quote && at[1] == ' '));
}

/* Takes one argument at *text, without its quotes; NULL: they have no end. */
static char *take_argument(const char **text)
{
	const char *at = *text;
	char *argument = memory_raw(strlen(at) + 1), *out = argument, quote = 0;

	for (; *at && (quote || (*at != ' ' && *at != '\t')); at++) {
		if (is_escape(at, quote))
			*out++ = *++at;
		else if (!quote && (*at == '"' || *at == '\''))
			quote = *at;
		else if (quote && *at == quote)
			quote = 0;
		else
			*out++ = *at;
	}
	*out = '\0';
	*text = at;
	if (!quote)
		return argument;
	memory_free(argument);
	return NULL;
}

/* All arguments up to a comment. False: quotes without an end. */
static bool split(const char *rest, struct words *words)
{
	for (;;) {
		char *argument;

		rest += strspn(rest, " \t");
		if (!*rest || *rest == '#')
			return true;
		argument = take_argument(&rest);
		if (!argument)
			return false;
		words_add(words, argument);
	}
}

/* Those of a Match line, which are delimited as keywords are. False: quotes without an end. */
static bool split_match(const char *rest, struct words *words)
{
	char *copy = memory_copy(rest), *at = copy, *word;
	bool good = true;

	while (good && at && *at && *at != '#') {
		word = take_word(&at);
		good = word != NULL;
		if (good)
			words_add(words, memory_copy(word));
	}
	memory_free(copy);
	return good;
}

/* ---- reading ---- */

static struct line *add_line(struct sshconfig *config, enum line_kind kind, const char *file,
			     unsigned number)
{
	struct line *line;

	config->lines = memory_grow(config->lines, config->count, &config->capacity,
				    sizeof(*config->lines));
	line = &config->lines[config->count++];
	*line = (struct line){.public = {.file = file, .number = number}, .kind = kind};
	return line;
}

static void set_words(struct line *line, struct words *words)
{
	line->words = *words;
	line->public.words = (const char *const *)line->words.items;
	line->public.count = line->words.count;
}

/* `what` is wrong with the keyword. */
static void make_bad(struct line *line, const char *keyword, const char *what)
{
	struct words words = {0};
	char problem[128];

	snprintf(problem, sizeof(problem), "'%.60s' has %s", keyword, what);
	words_add(&words, memory_copy(problem));
	line->kind = LINE_BAD;
	set_words(line, &words);
}

struct reading {
	struct sshconfig *config;
	const char *directory; /* of relative names in Include; NULL: there are no other files */
	int depth;
	struct spk_reason_buffer *reason;
};

static int read_file(struct reading *reading, const char *path, bool wanted);

/* Reads what one argument of Include names. */
static int include(struct reading *reading, const char *argument)
{
	const struct config_self *self = reading->config->self;
	char pattern[4096];
	glob_t found;
	int rc = 0;

	if (!reading->directory)
		return 0;
	if (argument[0] == '~' && argument[1] == '/')
		snprintf(pattern, sizeof(pattern), "%s%s", self->home, argument + 1);
	else if (argument[0] == '/')
		snprintf(pattern, sizeof(pattern), "%s", argument);
	else
		snprintf(pattern, sizeof(pattern), "%s/%s", reading->directory, argument);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
		rc = read_file(reading, found.gl_pathv[i], false);
	globfree(&found);
	return rc;
}

/* A line that has a keyword and something behind it. */
static int take_line(struct reading *reading, const char *file, unsigned number, const char *name,
		     const char *rest)
{
	struct line *line = add_line(reading->config, LINE_PLAIN, file, number);
	const struct keyword *keyword = keyword_find(name);
	const struct config_line *public;
	struct words words = {0};
	bool good;
	int rc = 0;

	line->public.keyword = keyword;
	line->public.rest = line->rest = memory_copy(rest);
	if (!keyword) {
		/* The name, for IgnoreUnknown. */
		words_add(&words, memory_copy(name));
		set_words(line, &words);
		return 0;
	}
	good = keyword->treatment == KEYWORD_MATCH ? split_match(rest, &words)
						   : split(rest, &words);
	if (good && words.count > 0) {
		set_words(line, &words);
	} else {
		words_free(&words);
		make_bad(line, name, good ? "no value" : "quotes without an end");
		return 0;
	}
	/* The lines move when there are more of them, their words do not. */
	public = &(struct config_line){.words = line->public.words, .count = line->public.count};
	for (size_t i = 0; keyword->treatment == KEYWORD_INCLUDE && rc == 0 && i < public->count;
	     i++)
		rc = include(reading, public->words[i]);
	return rc;
}

/* One line of a file, without its end; changed. */
static int read_line(struct reading *reading, const char *file, unsigned number, char *text)
{
	size_t length = strlen(text);
	char *keyword;

	while (length > 0 && strchr(BLANKS "\f", text[length - 1]))
		text[--length] = '\0';
	text += strspn(text, BLANKS);
	if (!*text || *text == '#')
		return 0;
	keyword = take_word(&text);
	if (!keyword || !*keyword || !text || !text[strspn(text, BLANKS)]) {
		make_bad(add_line(reading->config, LINE_PLAIN, file, number),
			 keyword ? keyword : "\"", "no value");
		return 0;
	}
	return take_line(reading, file, number, keyword, text + strspn(text, BLANKS));
}

static int read_lines(struct reading *reading, const char *name, char *text, size_t length)
{
	struct sshconfig *config = reading->config;
	char *end = text ? text + length : NULL, *file;
	unsigned number = 0;

	if (config->file_count == FILES_MAX || reading->depth == CONFIG_DEPTH_MAX)
		return net_refuse(reading->reason, "%s: too many files are included", name);
	config->files = memory_grow(config->files, config->file_count, &config->file_capacity,
				    sizeof(*config->files));
	file = memory_copy(name);
	config->files[config->file_count++] = file;
	reading->depth++;
	add_line(config, LINE_ENTER, file, 0);
	while (text < end) {
		char *stop = memchr(text, '\n', (size_t)(end - text));

		stop = stop ? stop : end;
		*stop = '\0';
		if (read_line(reading, file, ++number, text) < 0)
			return -1;
		text = stop + 1;
	}
	add_line(config, LINE_LEAVE, file, 0);
	reading->depth--;
	return 0;
}

static int read_file(struct reading *reading, const char *path, bool wanted)
{
	struct text text = {0};
	int rc;

	if (file_read(path, FILE_MAX, &text, reading->reason) < 0)
		rc = wanted || errno != ENOENT ? -1 : 0;
	else
		rc = read_lines(reading, path, text.bytes, text.length);
	text_free(&text);
	return rc;
}

static struct sshconfig *config_new(const struct config_self *self)
{
	struct sshconfig *config = memory_new(1, sizeof(*config));

	config->self = self;
	return config;
}

struct sshconfig *sshconfig_read(const char *file, const struct config_self *self,
				 struct spk_reason_buffer *reason)
{
	struct sshconfig *config = config_new(self);
	char directory[4096], path[4096 + 16];
	struct reading reading = {.config = config, .directory = directory, .reason = reason};
	int rc = 0;

	snprintf(directory, sizeof(directory), "%s/.ssh", self->home);
	snprintf(path, sizeof(path), "%s/config", directory);
	if (file) {
		if (strcmp(file, "none") != 0)
			rc = read_file(&reading, file, true);
	} else {
		rc = read_file(&reading, path, false);
		reading.directory = "/etc/ssh";
		if (rc == 0)
			rc = read_file(&reading, "/etc/ssh/ssh_config", false);
	}
	if (rc == 0)
		return config;
	sshconfig_free(config);
	return NULL;
}

struct sshconfig *sshconfig_read_text(const char *name, const char *text, size_t length,
				      const struct config_self *self,
				      struct spk_reason_buffer *reason)
{
	struct reading reading = {.reason = reason};
	char *copy = memory_copy_n(text, length);
	int rc;

	reading.config = config_new(self);
	rc = read_lines(&reading, name, copy, length);
	memory_free(copy);
	if (rc == 0)
		return reading.config;
	sshconfig_free(reading.config);
	return NULL;
}

void sshconfig_free(struct sshconfig *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->count; i++) {
		words_free(&config->lines[i].words);
		memory_free(config->lines[i].rest);
	}
	for (size_t i = 0; i < config->file_count; i++)
		memory_free(config->files[i]);
	memory_free(config->files);
	memory_free(config->lines);
	memory_free(config);
}
