/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "term.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"

#define OPERATORS "=<>~!"
#define BLANKS " \t\n\r\f\v"

enum comparison { PRESENT, EQUAL, LESS, LESS_EQUAL, MORE, MORE_EQUAL, MATCH };

static const struct {
	const char *text;
	enum comparison comparison;
} comparisons[] = {
	{"=", EQUAL}, {"<", LESS},        {"<=", LESS_EQUAL},
	{">", MORE},  {">=", MORE_EQUAL}, {"~", MATCH},
};

/* A term, taken apart. */
struct term {
	char *name, *value;
	enum comparison comparison;
	double number; /* what `value` is as one */
	bool is_number;
	pcre2_code *pattern;
	pcre2_match_data *match;
};

/* A number as people write it, all of the text. */
static bool number_of(const char *text, double *ret)
{
	char *end;

	if (!*text || !strchr("+-.0123456789", *text))
		return false;
	*ret = strtod(text, &end);
	return *end == '\0';
}

static int compile(struct term *term, struct spk_reason_buffer *reason)
{
	PCRE2_UCHAR8 why[128];
	PCRE2_SIZE at;
	int code;

	term->pattern = pcre2_compile((PCRE2_SPTR8)term->value, PCRE2_ZERO_TERMINATED,
				      PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	term->match = term->pattern ? pcre2_match_data_create_from_pattern(term->pattern, NULL)
				    : NULL;
	if (term->match)
		return 0;
	pcre2_get_error_message(code, why, sizeof(why));
	reason_set(reason, "'%.60s' is not a regular expression: %s", term->value,
		   (const char *)why);
	return -1;
}

/* The value as it is meant, without its quotes. */
static char *unquote(const char *text, size_t length)
{
	if (length >= 2 && strchr("\"'", *text) && text[length - 1] == *text)
		return memory_copy_n(text + 1, length - 2);
	return memory_copy_n(text, length);
}

static int read_comparison(struct term *term, const char *at, const char *end,
			   struct spk_reason_buffer *reason)
{
	const char *sign = at;
	size_t length;

	while (at < end && strchr(OPERATORS, *at))
		at++;
	length = (size_t)(at - sign);
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		if (strlen(comparisons[i].text) == length &&
		    memcmp(comparisons[i].text, sign, length) == 0)
			term->comparison = comparisons[i].comparison;
	if (term->comparison == PRESENT) {
		reason_set(reason, "'%.*s' is not one of = < <= > >= ~", (int)length, sign);
		return -1;
	}
	while (at < end && strchr(BLANKS, *at))
		at++;
	term->value = unquote(at, (size_t)(end - at));
	term->is_number = number_of(term->value, &term->number);
	if (term->comparison == MATCH)
		return compile(term, reason);
	if (term->comparison != EQUAL && !term->is_number) {
		reason_set(reason, "'%.60s' is not a number", term->value);
		return -1;
	}
	return 0;
}

static int read_term(struct term *term, const char *text, size_t length,
		     struct spk_reason_buffer *reason)
{
	const char *end = text + length, *at = text + 2;

	while (at < end && !strchr(BLANKS OPERATORS, *at))
		at++;
	term->name = memory_copy_n(text + 2, (size_t)(at - text - 2));
	while (at < end && strchr(BLANKS, *at))
		at++;
	return at < end ? read_comparison(term, at, end, reason) : 0;
}

static void term_free(struct term *term)
{
	pcre2_match_data_free(term->match);
	pcre2_code_free(term->pattern);
	memory_free(term->name);
	memory_free(term->value);
}

/* 1, 0, or -1 with a reason. */
static int holds(const struct term *term, const char *value, struct spk_reason_buffer *reason)
{
	double number;
	int rc;

	if (term->comparison == PRESENT)
		return 1;
	if (term->comparison == MATCH) {
		rc = pcre2_match(term->pattern, (PCRE2_SPTR8)value, strlen(value), 0, 0,
				 term->match, NULL);
		if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
			return rc >= 0;
		reason_set(reason, "'%.60s' cannot be matched with '%.60s'", term->value, value);
		return -1;
	}
	if (!term->is_number || !number_of(value, &number))
		return term->comparison == EQUAL && strcmp(value, term->value) == 0;
	switch (term->comparison) {
	case LESS:
		return number < term->number;
	case LESS_EQUAL:
		return number <= term->number;
	case MORE:
		return number > term->number;
	case MORE_EQUAL:
		return number >= term->number;
	default:
		return number == term->number;
	}
}

/* Whether one of its facts is as the term says. *known: one of them has its name. */
static int entry_holds(const struct term *term, const struct book_entry *entry, bool *known,
		       struct spk_reason_buffer *reason)
{
	int rc = 0;

	for (size_t i = 0; i < entry->fact_count && rc == 0; i++) {
		if (strcmp(entry->facts[i].name, term->name) != 0)
			continue;
		*known = true;
		rc = holds(term, entry->facts[i].value, reason);
	}
	return rc;
}

static enum spk_inventory_status find_facts(const struct book *book, const struct term *term,
					    bool (*entry)(void *data,
							  const struct book_entry *entry),
					    void *data, struct spk_reason_buffer *reason)
{
	bool known = false;

	for (size_t i = 0; i < book->count; i++) {
		int rc = entry_holds(term, &book->entries[i], &known, reason);

		if (rc < 0 || (rc > 0 && !entry(data, &book->entries[i])))
			return SPK_INVENTORY_FAILED;
	}
	if (known)
		return SPK_INVENTORY_OK;
	reason_set(reason, "no host has a fact '%.60s'", term->name);
	return SPK_INVENTORY_FAILED;
}

static enum spk_inventory_status find_group(const struct book *book, const struct term *term,
					    bool (*entry)(void *data,
							  const struct book_entry *entry),
					    void *data, struct spk_reason_buffer *reason)
{
	if (term->comparison != PRESENT) {
		reason_set(reason, "a group is not compared: G:%.60s", term->name);
		return SPK_INVENTORY_FAILED;
	}
	if (!book_has_group(book, term->name)) {
		reason_set(reason, "there is no group '%.60s'", term->name);
		return SPK_INVENTORY_FAILED;
	}
	for (size_t i = 0; i < book->count; i++) {
		const struct book_entry *one = &book->entries[i];

		if (one->group && strcmp(one->group, term->name) == 0 && !entry(data, one))
			return SPK_INVENTORY_FAILED;
	}
	return SPK_INVENTORY_OK;
}

enum spk_inventory_status term_find(const struct book *book, const char *text, size_t length,
				    bool (*entry)(void *data, const struct book_entry *entry),
				    void *data, struct spk_reason_buffer *reason)
{
	enum spk_inventory_status status = SPK_INVENTORY_FAILED;
	struct term term = {0};
	bool group;

	if (length == 1 && *text == '*') {
		for (size_t i = 0; i < book->count; i++)
			if (!entry(data, &book->entries[i]))
				return SPK_INVENTORY_FAILED;
		return SPK_INVENTORY_OK;
	}
	if (length < 3 || text[1] != ':' || !strchr("GgFf", text[0])) {
		reason_set(reason, "terms are G:group and F:fact");
		return SPK_INVENTORY_FOREIGN;
	}
	group = strchr("Gg", text[0]) != NULL;
	if (read_term(&term, text, length, reason) == 0)
		status = (group ? find_group : find_facts)(book, &term, entry, data, reason);
	term_free(&term);
	return status;
}
