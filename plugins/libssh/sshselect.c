/* SPDX-License-Identifier: Apache-2.0 */
/* Selecting from ssh_config(5): which of its lines are for a host. */
#include <string.h>
#include <strings.h>

#include "../base/memory.h"
#include "pattern.h"
#include "sshline.h"

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
	} outer[CONFIG_DEPTH_MAX + 1];
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
