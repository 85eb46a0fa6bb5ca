/* SPDX-License-Identifier: Apache-2.0 */
#include "sshconfig.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../base/file.h"
#include "../base/memory.h"
#include "../net/dial.h"
#include "pattern.h"
#include "words.h"

#define FILE_MAX ((size_t)1 << 20)
#define FILES_MAX 1000
#define DEPTH_MAX 16
#define BLANKS " \t\r\n"

enum line_kind {
	LINE_PLAIN,
	LINE_BAD,   /* the first word says why */
	LINE_ENTER, /* what comes is included */
	LINE_LEAVE,
};

struct line {
	struct config_line public;
	enum line_kind kind;
	struct words words;
	char *rest;
};

struct sshconfig {
	const struct config_self *self;
	struct line *lines;
	size_t count, capacity;
	char **files; /* their names */
	size_t file_count, file_capacity;
};

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

	if (config->file_count == FILES_MAX || reading->depth == DEPTH_MAX)
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

/* ---- selecting ---- */

struct walk {
	const struct sshconfig *config;
	const char *name, *user;
	const char *matched; /* what Host is about: the name, in the last pass that to connect to */
	bool last_pass, wants_last_pass;
	bool active, never; /* never: included from where it was not active */
	const struct config_line *ignore_unknown;
	const struct config_line **refusable; /* the first of each refused keyword */
	struct config_selection *selection;
	struct end *end;
};

char *sshconfig_expand_host(const char *text, const char *host)
{
	size_t host_length = strlen(host), size = 1;
	char *expanded, *out;

	for (const char *at = text; *at; at++) {
		if (*at == '%' && *++at != '%' && *at != 'h')
			return NULL;
		size += *at == 'h' ? host_length : 1;
	}
	out = expanded = memory_raw(size + 1);
	for (const char *at = text; *at; at++) {
		if (*at != '%') {
			*out++ = *at;
		} else if (*++at == '%') {
			*out++ = '%';
		} else {
			memcpy(out, host, host_length);
			out += host_length;
		}
	}
	*out = '\0';
	return expanded;
}

static int refuse(struct walk *walk, const struct config_line *line, const char *what)
{
	return end_refuse(walk->end, line->file, line->number, "%s", what);
}

static bool host_matches(const struct walk *walk, const struct config_line *line)
{
	bool active = false;

	for (size_t i = 0; i < line->count; i++) {
		const char *pattern = line->words[i];
		bool negated = *pattern == '!';

		if (!pattern_matches(walk->matched, pattern + negated))
			continue;
		if (negated)
			return false;
		active = true;
	}
	return active;
}

/* The name to connect to, as far as it is known in the middle of the file; freed by the caller. */
static char *name_so_far(const struct walk *walk)
{
	const struct config_line *line = walk->selection->first[OPTION_HOSTNAME];
	char *name = line ? sshconfig_expand_host(line->words[0], walk->name) : NULL;

	name = name ? name : memory_copy(walk->name);
	pattern_lower(name);
	return name;
}

static const char *user_so_far(const struct walk *walk)
{
	const struct config_line *line = walk->selection->first[OPTION_USER];

	if (walk->user)
		return walk->user;
	return line ? line->words[0] : walk->config->self->user;
}

/* A criterion with an argument. -1: there is no such criterion. */
static int criterion_holds(const struct walk *walk, const char *name, const char *argument)
{
	size_t length = strlen(argument);
	char *host;
	int holds;

	if (strcasecmp(name, "user") == 0)
		return pattern_list_match(user_so_far(walk), argument, length, false) == 1;
	if (strcasecmp(name, "localuser") == 0)
		return pattern_list_match(walk->config->self->user, argument, length, false) == 1;
	if (strcasecmp(name, "host") != 0 && strcasecmp(name, "originalhost") != 0)
		return -1;
	host = strcasecmp(name, "host") == 0 ? name_so_far(walk) : memory_copy(walk->name);
	pattern_lower(host);
	holds = pattern_list_match(host, argument, length, true) == 1;
	memory_free(host);
	return holds;
}

/* 1: matches, 0: does not; -1 with the end. */
static int match_matches(struct walk *walk, const struct config_line *line)
{
	bool result = true, command = false;

	for (size_t i = 0; i < line->count; i++) {
		const char *name = line->words[i];
		bool negated = *name == '!';
		int holds;

		name += negated;
		if (strcasecmp(name, "all") == 0) {
			if (line->count != 1)
				return refuse(walk, line, "'all' stands with other criteria");
			return !negated;
		}
		if (strcasecmp(name, "final") == 0 || strcasecmp(name, "canonical") == 0) {
			if (strcasecmp(name, "final") == 0)
				walk->wants_last_pass = true;
			holds = walk->last_pass;
		} else if (i + 1 == line->count) {
			return refuse(walk, line, "a criterion of Match has no argument");
		} else if (strcasecmp(name, "exec") == 0) {
			i++;
			command = true;
			continue;
		} else {
			holds = criterion_holds(walk, name, line->words[++i]);
			if (holds < 0)
				return refuse(walk, line,
					      "Match has a criterion that is not known");
		}
		if (holds == negated)
			result = false;
	}
	if (result && command && !walk->never)
		return refuse(walk, line, "'Match exec' runs a command, which is not done here");
	return result;
}

static int add_to_list(struct walk *walk, struct config_lines *list, const struct config_line *line)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->lines[i] == line)
			return 0;
	if (list->count == CONFIG_LINES_MAX)
		return end_set(walk->end, SPK_TRANSPORT_FAILED, "%s:%u: there are too many of '%s'",
			       line->file, line->number, line->keyword->name);
	list->lines[list->count++] = line;
	return 0;
}

static int take_option(struct walk *walk, const struct config_line *line)
{
	const struct config_line **first = walk->selection->first;
	enum option option = line->keyword->option;

	switch (option) {
	case OPTION_IDENTITY_FILE:
		return add_to_list(walk, &walk->selection->identity_files, line);
	case OPTION_CERTIFICATE_FILE:
		return add_to_list(walk, &walk->selection->certificate_files, line);
	case OPTION_SEND_ENV:
		return add_to_list(walk, &walk->selection->send_env, line);
	case OPTION_PROXY_JUMP:
		/* The two exclude each other: the first one counts. */
		if (first[OPTION_PROXY_COMMAND])
			return 0;
		break;
	case OPTION_PROXY_COMMAND:
		if (first[OPTION_PROXY_JUMP] &&
		    strcasecmp(first[OPTION_PROXY_JUMP]->rest, "none") != 0)
			return 0;
		break;
	case OPTION_HOSTNAME:
		/* What the first pass has found stays. */
		if (walk->last_pass)
			return 0;
		break;
	case OPTION_CONNECT_TIMEOUT:
	case OPTION_SERVER_ALIVE_INTERVAL:
		/* To ssh this is as if it was not there. */
		if (strcmp(line->words[0], "none") == 0)
			return 0;
		break;
	default:
		break;
	}
	if (!first[option])
		first[option] = line;
	return 0;
}

/* A keyword that has another value than a harmless one is refused, when it is the first of it. */
static int judge_refused(struct walk *walk, const struct config_line *line)
{
	const struct config_line **first = &walk->refusable[line->keyword - keywords];

	if (*first)
		return 0;
	*first = line;
	if (keyword_is_harmless(line->keyword, line->words[0]))
		return 0;
	return end_refuse(walk->end, line->file, line->number,
			  "'%s %s' asks for %s, which there is none of here", line->keyword->name,
			  line->words[0], line->keyword->note);
}

static int judge_unknown(struct walk *walk, const struct config_line *line)
{
	const struct config_line *list = walk->ignore_unknown;
	char *name = memory_copy(line->words[0]);
	bool ignored;

	pattern_lower(name);
	ignored = list &&
		  pattern_list_match(name, list->words[0], strlen(list->words[0]), true) == 1;
	memory_free(name);
	if (ignored)
		return 0;
	return end_refuse(walk->end, line->file, line->number, "'%s' is not known here",
			  line->words[0]);
}

/* A line that is for the host. */
static int take(struct walk *walk, const struct line *line)
{
	const struct config_line *public = &line->public;

	if (line->kind == LINE_BAD)
		return end_set(walk->end, SPK_TRANSPORT_FAILED, "%s:%u: %s", public->file,
			       public->number, public->words[0]);
	if (!public->keyword)
		return judge_unknown(walk, public);
	switch (public->keyword->treatment) {
	case KEYWORD_HONOURED:
		return take_option(walk, public);
	case KEYWORD_REFUSED:
		return judge_refused(walk, public);
	case KEYWORD_IGNORE_UNKNOWN:
		if (!walk->ignore_unknown)
			walk->ignore_unknown = public;
		return 0;
	default:
		return 0;
	}
}

static int take_condition(struct walk *walk, const struct config_line *line)
{
	int matches = line->keyword->treatment == KEYWORD_HOST ? host_matches(walk, line)
							       : match_matches(walk, line);

	walk->active = matches > 0 && !walk->never;
	return matches < 0 ? -1 : 0;
}

static bool is_condition(const struct line *line)
{
	const struct keyword *keyword = line->public.keyword;

	return line->kind == LINE_PLAIN && keyword &&
	       (keyword->treatment == KEYWORD_HOST || keyword->treatment == KEYWORD_MATCH);
}

static int walk_once(struct walk *walk)
{
	struct {
		bool active, never;
	} outer[DEPTH_MAX + 1];
	size_t depth = 0;
	int rc = 0;

	walk->active = true;
	walk->never = false;
	for (size_t i = 0; rc == 0 && i < walk->config->count; i++) {
		const struct line *line = &walk->config->lines[i];

		if (line->kind == LINE_ENTER) {
			outer[depth].active = walk->active;
			outer[depth++].never = walk->never;
			walk->never = walk->never || !walk->active;
		} else if (line->kind == LINE_LEAVE) {
			walk->active = outer[--depth].active;
			walk->never = outer[depth].never;
		} else if (is_condition(line)) {
			rc = take_condition(walk, &line->public);
		} else if (walk->active) {
			rc = take(walk, line);
		}
	}
	return rc;
}

int sshconfig_select(const struct sshconfig *config, const char *name, const char *user,
		     struct config_selection *selection, struct end *end)
{
	struct walk walk = {.config = config,
			    .name = name,
			    .matched = name,
			    .user = user,
			    .selection = selection,
			    .end = end};
	int rc;

	memset(selection, 0, sizeof(*selection));
	walk.refusable = memory_new(keyword_count, sizeof(const struct config_line *));
	rc = walk_once(&walk);
	if (rc == 0 && walk.wants_last_pass) {
		char *found = name_so_far(&walk);

		walk.last_pass = true;
		walk.matched = found;
		rc = walk_once(&walk);
		memory_free(found);
	}
	memory_free(walk.refusable);
	return rc;
}
