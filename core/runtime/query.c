/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hostglob.h"
#include "hostname.h"
#include "hostparts.h"

/* Parentheses within each other, and aliases. */
#define DEPTH_MAX 64
#define ALIAS_MAX 128

#define BLANKS " \t\n\r\f\v"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ALNUM LETTERS "0123456789"

/* An alias that is being replaced, and those around it. */
struct alias {
	const char *name;
	const struct alias *outer;
};

struct reading {
	const struct query_sources *sources; /* NULL: the grammar of the backend D */
	const struct query_known *known;     /* NULL: without globs and terms */
	const char *at, *end;
	const struct alias *aliases;
	unsigned int depth;
	struct err *err;
};

static enum query_status read_query(struct reading *reading, bool within, struct hostset **ret);

/* The text from `at` on is not what the grammar has there. */
static enum query_status foreign(const struct reading *reading, const char *expected)
{
	char shown[HOSTNAME_SHOWN_SIZE];

	if (reading->at == reading->end)
		err_set(reading->err, "expected %s at its end", expected);
	else
		err_set(reading->err, "expected %s at '%s'", expected,
			hostname_shown(reading->at, (size_t)(reading->end - reading->at), shown));
	return QUERY_FOREIGN;
}

static void skip_blanks(struct reading *reading)
{
	while (reading->at < reading->end && *reading->at && strchr(BLANKS, *reading->at))
		reading->at++;
}

/* How many characters at `at` are of a class. */
static size_t span(const struct reading *reading, const char *at, const char *class)
{
	size_t length = 0;

	while (at + length < reading->end && at[length] && strchr(class, at[length]))
		length++;
	return length;
}

#define HOSTS ALNUM "-_.,!&^[]/"
#define COMPARISONS "=!<>~"

/* How long the word for hosts is that stands there. */
static size_t hosts_span(const struct reading *reading)
{
	return span(reading, reading->at, reading->known ? HOSTS HOSTGLOB_CHARACTERS : HOSTS);
}

/* Goes behind a word, when that is what stands there. */
static bool take_word(struct reading *reading, const char *word)
{
	size_t length = hosts_span(reading);

	if (length != strlen(word) || strncasecmp(reading->at, word, length) != 0)
		return false;
	reading->at += length;
	return true;
}

/* Goes behind an operator. */
static bool take_operator(struct reading *reading, struct boxes_kept *ret)
{
	const char *behind;

	if (take_word(reading, "or")) {
		*ret = HOSTSET_UNION;
	} else if (take_word(reading, "xor")) {
		*ret = HOSTSET_SYMMETRIC;
	} else if (take_word(reading, "and")) {
		*ret = HOSTSET_INTERSECTION;
		behind = reading->at;
		skip_blanks(reading);
		if (take_word(reading, "not"))
			*ret = HOSTSET_MINUS;
		else
			reading->at = behind;
	} else {
		return false;
	}
	return true;
}

/* The end of a backend's query: its brace, or NULL. What is quoted may have one. */
static const char *find_brace(const char *at, const char *end)
{
	for (; at < end; at++) {
		const char *quote;

		if (*at == '}')
			return at;
		if (*at != '\'' && *at != '"')
			continue;
		quote = memchr(at + 1, *at, (size_t)(end - at - 1));
		if (quote)
			at = quote;
	}
	return NULL;
}

/* X{...} */
static enum query_status read_backend(struct reading *reading, struct hostset **ret)
{
	const struct query_sources *sources = reading->sources;
	const char *text = reading->at + 2, *brace = find_brace(text, reading->end);
	char shown[HOSTNAME_SHOWN_SIZE], backend = *reading->at;
	enum query_status status;
	struct err why;

	if (!brace)
		return foreign(reading, "a '}' behind the query of a backend");
	if (backend >= 'a')
		backend = (char)(backend - 'a' + 'A');
	status = sources->ask(sources->data, backend, text, (size_t)(brace - text), ret, &why);
	if (status != QUERY_OK)
		err_set(reading->err, "%c{%s}: %s", backend,
			hostname_shown(text, (size_t)(brace - text), shown), why.text);
	reading->at = brace + 1;
	return status == QUERY_FOREIGN ? QUERY_FAILED : status;
}

/* Reads the query that an alias stands for. */
static enum query_status replace(struct reading *reading, const char *name, struct hostset **ret)
{
	const struct query_sources *sources = reading->sources;
	const char *text = sources->alias ? sources->alias(sources->data, name) : NULL;
	struct alias alias = {.name = name, .outer = reading->aliases};
	struct err why;
	struct reading inner = {
		.sources = sources,
		.at = text,
		.end = text ? text + strlen(text) : NULL,
		.aliases = &alias,
		.depth = reading->depth + 1,
		.err = &why,
	};

	for (const struct alias *outer = reading->aliases; outer; outer = outer->outer) {
		if (strcmp(outer->name, name) == 0) {
			err_set(reading->err, "the alias '%s' stands for itself", name);
			return QUERY_FAILED;
		}
	}
	if (!text) {
		err_set(reading->err, "there is no alias '%s'", name);
		return QUERY_FAILED;
	}
	if (reading->depth >= DEPTH_MAX) {
		err_set(reading->err, "more than %d aliases and parentheses within each other",
			DEPTH_MAX);
		return QUERY_FAILED;
	}
	if (read_query(&inner, false, ret) == QUERY_OK)
		return QUERY_OK;
	err_set(reading->err, "A:%s: %s", name, why.text);
	return QUERY_FAILED;
}

/* A:name */
static enum query_status read_alias(struct reading *reading, struct hostset **ret)
{
	const char *text = reading->at + 2;
	size_t length = span(reading, text, ALNUM "-_.+");
	char name[ALIAS_MAX + 1];

	if (length == 0 || length > ALIAS_MAX)
		return foreign(reading, "the name of an alias");
	memcpy(name, text, length);
	name[length] = '\0';
	reading->at = text + length;
	return replace(reading, name, ret);
}

/* (QUERY) */
static enum query_status read_group(struct reading *reading, struct hostset **ret)
{
	enum query_status status;

	if (reading->depth >= DEPTH_MAX) {
		err_set(reading->err, "more than %d aliases and parentheses within each other",
			DEPTH_MAX);
		return QUERY_FAILED;
	}
	reading->at++;
	reading->depth++;
	status = read_query(reading, true, ret);
	reading->depth--;
	return status;
}

/* An expression of the backend D. */
static enum query_status read_hosts(struct reading *reading, struct hostset **ret)
{
	size_t length = hosts_span(reading);
	const char *text = reading->at;
	struct boxes_kept ignored;
	int rc;

	if (length == 0 || take_operator(reading, &ignored)) {
		reading->at = text;
		return foreign(reading, "hosts");
	}
	reading->at += length;
	if (reading->known)
		rc = hostset_parse_globs(text, length, reading->known->all, ret, reading->err);
	else
		rc = hostset_parse(text, length, ret, reading->err);
	return rc < 0 ? QUERY_FAILED : QUERY_OK;
}

/* The end of the word at `at`: of what is quoted, or the next blank or parenthesis. */
static const char *word_end(const char *at, const char *end)
{
	const char *quote;

	if (at < end && (*at == '"' || *at == '\'')) {
		quote = memchr(at + 1, *at, (size_t)(end - at - 1));
		return quote ? quote + 1 : at;
	}
	while (at < end && *at && !strchr(BLANKS "()", *at))
		at++;
	return at;
}

/* WORD:NAME, WORD:NAME OPERATOR VALUE; it begins with `letters` letters and the colon. */
static enum query_status read_term(struct reading *reading, size_t letters, struct hostset **ret)
{
	const struct query_known *known = reading->known;
	char shown[HOSTNAME_SHOWN_SIZE];
	const char *text = reading->at;
	enum query_status status;
	struct err why;
	size_t length;

	reading->at += letters + 1;
	while (reading->at < reading->end && *reading->at &&
	       !strchr(BLANKS "()" COMPARISONS, *reading->at))
		reading->at++;
	if (reading->at == text + letters + 1)
		return foreign(reading, "a name");
	length = (size_t)(reading->at - text);
	skip_blanks(reading);
	if (reading->at < reading->end && *reading->at && strchr(COMPARISONS, *reading->at)) {
		const char *end;

		reading->at += span(reading, reading->at, COMPARISONS);
		skip_blanks(reading);
		end = word_end(reading->at, reading->end);
		if (end == reading->at)
			return foreign(reading, "a value");
		reading->at = end;
		length = (size_t)(end - text);
	}
	status = known->term(known->data, text, length, ret, &why);
	if (status != QUERY_OK)
		err_set(reading->err, "%s: %s", hostname_shown(text, length, shown), why.text);
	return status;
}

static enum query_status read_known(struct reading *reading, struct hostset **ret)
{
	struct hostset *others = NULL;
	enum query_status status;
	bool inverse = false;
	size_t letters;

	for (; take_word(reading, "not"); skip_blanks(reading))
		inverse = !inverse;
	letters = span(reading, reading->at, LETTERS);
	if (reading->at < reading->end && *reading->at == '(')
		status = read_group(reading, ret);
	else if (letters && reading->at + letters < reading->end && reading->at[letters] == ':')
		status = read_term(reading, letters, ret);
	else
		status = read_hosts(reading, ret);
	if (status != QUERY_OK || !inverse)
		return status;
	if (hostset_combine(reading->known->all, *ret, HOSTSET_MINUS, &others, reading->err) < 0)
		status = QUERY_FAILED;
	hostset_free(*ret);
	*ret = others;
	return status;
}

static enum query_status read_item(struct reading *reading, struct hostset **ret)
{
	size_t letters;

	skip_blanks(reading);
	if (reading->known)
		return read_known(reading, ret);
	if (reading->at < reading->end && *reading->at == '(')
		return read_group(reading, ret);
	if (!reading->sources)
		return read_hosts(reading, ret);
	letters = span(reading, reading->at, LETTERS);
	if (letters == 1 && reading->at + 1 < reading->end) {
		if (reading->at[1] == '{')
			return read_backend(reading, ret);
		if (reading->at[1] == ':' && strchr("aA", *reading->at))
			return read_alias(reading, ret);
	}
	return foreign(reading, "X{...}, A:name or (...)");
}

/* Combines *total with the hosts of the next item. */
static enum query_status read_next(struct reading *reading, struct boxes_kept kept,
				   struct hostset **total)
{
	struct hostset *item = NULL, *both = NULL;
	enum query_status status = read_item(reading, &item);

	if (status != QUERY_OK)
		return status;
	if (hostset_combine(*total, item, kept, &both, reading->err) < 0)
		status = QUERY_FAILED;
	hostset_free(item);
	if (status == QUERY_OK) {
		hostset_free(*total);
		*total = both;
	}
	return status;
}

/* Reads up to the end, or `within` parentheses behind the one that closes them. */
static enum query_status read_query(struct reading *reading, bool within, struct hostset **ret)
{
	struct hostset *total = NULL;
	enum query_status status = read_item(reading, &total);
	struct boxes_kept kept;

	while (status == QUERY_OK) {
		skip_blanks(reading);
		if (within && reading->at < reading->end && *reading->at == ')') {
			reading->at++;
			break;
		}
		if (!within && reading->at == reading->end)
			break;
		if (take_operator(reading, &kept))
			status = read_next(reading, kept, &total);
		else
			status = foreign(reading, within ? "'and', 'or', 'xor', 'and not' or ')'"
							 : "'and', 'or', 'xor' or 'and not'");
	}
	if (status == QUERY_OK)
		*ret = total;
	else
		hostset_free(total);
	return status;
}

enum query_status query_direct(const char *text, size_t length, struct hostset **ret,
			       struct err *err)
{
	struct reading reading = {.at = text, .end = text + length, .err = err};

	return read_query(&reading, false, ret);
}

/* Those of `set` that are known, beside those that can be named. */
static enum query_status pick_known(const struct query_known *known, const struct hostset *set,
				    struct hostset **ret, struct err *err)
{
	struct hostparts parts = {0};
	struct hostset *unsure = NULL, *named = NULL;
	struct hostset_walk walk;
	int rc = hostset_combine(set, known->all, HOSTSET_INTERSECTION, &named, err);

	if (rc < 0 || !known->knows) {
		*ret = named;
		return rc < 0 ? QUERY_FAILED : QUERY_OK;
	}
	hostparts_add_set(&parts, named);
	hostset_free(named);
	rc = hostset_combine(set, known->all, HOSTSET_MINUS, &unsure, err);
	if (rc == 0)
		hostset_walk_start(&walk, unsure);
	while (rc >= 0 && hostset_walk_next(&walk)) {
		rc = known->knows(known->data, walk.name, err);
		if (rc > 0)
			rc = hostparts_add_name(&parts, walk.name, walk.length, err);
	}
	hostset_free(unsure);
	if (rc >= 0)
		return hostparts_finish(&parts, ret, err) < 0 ? QUERY_FAILED : QUERY_OK;
	hostparts_free(&parts);
	return QUERY_FAILED;
}

enum query_status query_known(const struct query_known *known, const char *text, size_t length,
			      struct hostset **ret, struct err *err)
{
	struct reading reading = {.known = known, .at = text, .end = text + length, .err = err};
	struct hostset *set = NULL;
	enum query_status status = read_query(&reading, false, &set);

	if (status == QUERY_OK)
		status = pick_known(known, set, ret, err);
	hostset_free(set);
	return status;
}

int query_find(const struct query_sources *sources, const char *text, struct hostset **ret,
	       struct err *err)
{
	struct err global = {{0}}, first = {{0}};
	char shown[HOSTNAME_SHOWN_SIZE];
	struct reading reading = {
		.sources = sources,
		.at = text,
		.end = text + strlen(text),
		.err = &global,
	};
	enum query_status status = QUERY_FOREIGN;

	hostname_shown(text, strlen(text), shown);
	if (sources->default_backend) {
		status = sources->ask(sources->data, sources->default_backend, text, strlen(text),
				      ret, &first);
		if (status == QUERY_FAILED)
			return err_set(err, "cannot query '%s': %s", shown, first.text);
	}
	if (status == QUERY_FOREIGN)
		status = read_query(&reading, false, ret);
	if (status == QUERY_OK)
		return 0;
	if (status == QUERY_FOREIGN && sources->default_backend)
		return err_set(
			err,
			"cannot query '%s': as a query of the default backend %c: %s; as one "
			"of all: %s",
			shown, sources->default_backend, first.text, global.text);
	return err_set(err, "cannot query '%s': %s", shown, global.text);
}

int query_find_some(const struct query_sources *sources, const char *text, struct hostset **ret,
		    struct err *err)
{
	char shown[HOSTNAME_SHOWN_SIZE];

	if (query_find(sources, text, ret, err) < 0)
		return -1;
	if (hostset_count(*ret) > 0)
		return 0;
	hostset_free(*ret);
	*ret = NULL;
	return err_set(err, "no host matches '%s'", hostname_shown(text, strlen(text), shown));
}
