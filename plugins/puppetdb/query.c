/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include <string.h>
#include <strings.h>

#include "../base/json.h"
#include "../base/memory.h"
#include "value.h"

/* Parentheses within each other. */
#define DEPTH_MAX 64
/* Each host is a term of the query. */
#define HOSTS_MAX 50000

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ALNUM LETTERS "0123456789"
#define BLANKS " \t\n\r\f\v"
#define HOSTS ALNUM "-_.*?,!&^[]/"
#define KEY ALNUM "-_.%@:"

enum endpoint { ENDPOINT_ANY, ENDPOINT_NODES, ENDPOINT_RESOURCES };

struct reading {
	const char *at, *end;
	unsigned int version, depth;
	enum endpoint endpoint;
	const char *host_key; /* what the API calls the name of a host */
	size_t hosts;
	struct spk_inventory_call *call;
};

/* NULL is a failure, with the status in `status` and the reason set. */
struct result {
	cJSON *ast;
	enum spk_inventory_status status;
};

static struct result read_query(struct reading *reading, bool within);

static struct result good(cJSON *ast)
{
	return (struct result){ast, SPK_INVENTORY_OK};
}

static struct result failed(struct reading *reading, const char *why)
{
	reason_set(&reading->call->reason, "%s", why);
	return (struct result){NULL, SPK_INVENTORY_FAILED};
}

/* The text from `at` on is not what the language has there. */
static struct result foreign(struct reading *reading, const char *expected)
{
	if (reading->at == reading->end)
		reason_set(&reading->call->reason, "expected %s at its end", expected);
	else
		reason_set(&reading->call->reason, "expected %s at '%.*s'", expected,
			   (int)(reading->end - reading->at < 40 ? reading->end - reading->at : 40),
			   reading->at);
	return (struct result){NULL, SPK_INVENTORY_FOREIGN};
}

/* ---- words ---- */

static size_t span(const struct reading *reading, const char *at, const char *class)
{
	size_t length = 0;

	while (at + length < reading->end && at[length] && strchr(class, at[length]))
		length++;
	return length;
}

static void skip_blanks(struct reading *reading)
{
	reading->at += span(reading, reading->at, BLANKS);
}

/* Goes behind a word, when that is what stands there. */
static bool take_word(struct reading *reading, const char *word)
{
	size_t length = span(reading, reading->at, HOSTS);

	if (length != strlen(word) || strncasecmp(reading->at, word, length) != 0)
		return false;
	reading->at += length;
	skip_blanks(reading);
	return true;
}

static bool take_character(struct reading *reading, char c)
{
	if (reading->at == reading->end || *reading->at != c)
		return false;
	reading->at++;
	skip_blanks(reading);
	return true;
}

/* One of = >= <= < > ~, or NULL. */
static const char *take_comparison(struct reading *reading)
{
	static const char *const comparisons[] = {">=", "<=", "=", "<", ">", "~"};

	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
		size_t length = strlen(comparisons[i]);

		if ((size_t)(reading->end - reading->at) >= length &&
		    memcmp(reading->at, comparisons[i], length) == 0) {
			reading->at += length;
			skip_blanks(reading);
			return comparisons[i];
		}
	}
	return NULL;
}

/* ---- parts of an AST ---- */

/* `["a"`, for more. */
static cJSON *list_of(const char *first)
{
	cJSON *list = cJSON_CreateArray();

	cJSON_AddItemToArray(list, cJSON_CreateString(first));
	return list;
}

static cJSON *list_of_two(const char *first, const char *second)
{
	cJSON *list = list_of(first);

	cJSON_AddItemToArray(list, cJSON_CreateString(second));
	return list;
}

static cJSON *json_of(const struct value *value)
{
	return value->is_text ? cJSON_CreateString(value->text.bytes ? value->text.bytes : "")
			      : cJSON_CreateRaw(value->text.bytes);
}

/* `[comparison, name, value]` */
static cJSON *compare(const char *comparison, cJSON *name, cJSON *value)
{
	cJSON *list = list_of(comparison);

	cJSON_AddItemToArray(list, name);
	cJSON_AddItemToArray(list, value);
	return list;
}

static cJSON *compare_texts(const char *comparison, const char *name, const char *value)
{
	return compare(comparison, cJSON_CreateString(name), cJSON_CreateString(value));
}

static cJSON *both(cJSON *first, cJSON *second)
{
	cJSON *list = list_of("and");

	cJSON_AddItemToArray(list, first);
	cJSON_AddItemToArray(list, second);
	return list;
}

/* Role::Module for role::MODULE. */
static void capitalize(char *name)
{
	bool first = true;

	for (; *name; name++) {
		if (*name >= 'a' && *name <= 'z' && first)
			*name = (char)(*name - 'a' + 'A');
		else if (*name >= 'A' && *name <= 'Z' && !first)
			*name = (char)(*name - 'A' + 'a');
		first = name[0] == ':' && name[1] == ':';
		if (first)
			name++;
	}
}

/* ---- hosts ---- */

struct naming {
	struct reading *reading;
	cJSON *list;
};

/* A name with globs is a regular expression; no other character of a name means something there. */
static void add_pattern(cJSON *list, const char *key, const char *name, size_t length)
{
	struct text pattern = {0};

	text_puts(&pattern, "^");
	for (size_t i = 0; i < length; i++) {
		if (name[i] == '*')
			text_puts(&pattern, ".*");
		else if (name[i] == '?')
			text_puts(&pattern, ".");
		else if (name[i] == '.')
			text_puts(&pattern, "\\.");
		else
			text_add(&pattern, name + i, 1);
	}
	text_puts(&pattern, "$");
	cJSON_AddItemToArray(list, compare_texts("~", key, pattern.bytes));
	text_free(&pattern);
}

static bool add_host(void *data, const char *name, size_t length)
{
	const struct naming *naming = data;
	struct reading *reading = naming->reading;
	char *copy;

	if (++reading->hosts > HOSTS_MAX) {
		reason_set(&reading->call->reason, "more than %d hosts in a query to PuppetDB",
			   HOSTS_MAX);
		return false;
	}
	if (memchr(name, '*', length) || memchr(name, '?', length)) {
		add_pattern(naming->list, reading->host_key, name, length);
		return true;
	}
	copy = memory_copy_n(name, length);
	cJSON_AddItemToArray(naming->list, compare_texts("=", reading->host_key, copy));
	memory_free(copy);
	return true;
}

static struct result read_hosts(struct reading *reading)
{
	const char *text = reading->at, *behind = quoted_end(text, reading->end);
	size_t length = (size_t)(behind - text);
	struct naming naming = {.reading = reading};

	if (length > 2) {
		text++;
		length -= 2;
	} else {
		length = span(reading, text, HOSTS);
		behind = text + length;
	}
	if (length == 0 || take_word(reading, "and") || take_word(reading, "or") ||
	    take_word(reading, "not")) {
		reading->at = text;
		return foreign(reading, "hosts, C:, F:, O:, P:, R: or (...)");
	}
	naming.list = list_of("or");
	if (!reading->call->expand(reading->call, text, length, add_host, &naming)) {
		cJSON_Delete(naming.list);
		return (struct result){NULL, SPK_INVENTORY_FAILED};
	}
	reading->at = behind;
	skip_blanks(reading);
	if (cJSON_GetArraySize(naming.list) > 1)
		return good(naming.list);
	cJSON_Delete(naming.list);
	reason_set(&reading->call->reason, "there is no host in '%.*s'",
		   (int)(length < 80 ? length : 80), text);
	return (struct result){NULL, SPK_INVENTORY_FAILED};
}

/* ---- facts and resources ---- */

/* A term C:, F:, O:, P: or R:, taken apart. */
struct term {
	char category;
	char *key;              /* without what is behind % or @ */
	char selector;          /* '%', '@', or 0 */
	const char *selected;   /* within `key` */
	const char *comparison; /* NULL: none */
	struct value value;
};

static void term_free(struct term *term)
{
	memory_free(term->key);
	text_free(&term->value.text);
}

static struct result wrong(struct reading *reading, const struct term *term, const char *why)
{
	reason_set(&reading->call->reason, "%c:%.80s %s", term->category, term->key, why);
	return (struct result){NULL, SPK_INVENTORY_FAILED};
}

/* `[comparison, selected, value]` of a parameter or a field. */
static struct result compare_selected(struct reading *reading, const struct term *term)
{
	cJSON *name;

	if (!term->comparison)
		return wrong(reading, term, "lacks a comparison behind its parameter or field");
	if (reading->version == 3 && term->selector == '%' && strcmp(term->comparison, "~") == 0)
		return failed(reading,
			      "API 3 of PuppetDB knows no regular expressions for parameters");
	if (term->selector == '%')
		name = list_of_two("parameter", term->selected);
	else
		name = cJSON_CreateString(term->selected);
	return good(compare(term->comparison, name, json_of(&term->value)));
}

/* All classes have `Class` as their type. */
static struct result make_class(struct reading *reading, const struct term *term)
{
	const char *prefix = term->category == 'O'   ? "Role::"
			     : term->category == 'P' ? "Profile::"
						     : "";
	struct result selected = good(NULL);
	struct text title = {0};
	cJSON *class;

	if (!term->selector && term->comparison)
		return wrong(reading, term, "is compared only with %parameter or @field behind it");
	if (term->selector)
		selected = compare_selected(reading, term);
	if (selected.status != SPK_INVENTORY_OK)
		return selected;
	text_printf(&title, "%s%s", prefix, term->key);
	capitalize(title.bytes);
	class = both(compare_texts("=", "type", "Class"), compare_texts("=", "title", title.bytes));
	text_free(&title);
	if (!term->selector)
		return good(class);
	return good(both(class, both(compare_texts("=", "type", "Class"), selected.ast)));
}

static struct result make_resource(struct reading *reading, const struct term *term)
{
	struct result selected = good(NULL);
	bool is_class = strcasecmp(term->key, "class") == 0;
	cJSON *type, *list;

	if (term->selector)
		selected = compare_selected(reading, term);
	if (selected.status != SPK_INVENTORY_OK)
		return selected;
	if (!term->selector && term->comparison) {
		if (is_class && term->value.is_text && term->value.text.bytes &&
		    strcmp(term->comparison, "~") != 0)
			capitalize(term->value.text.bytes);
		selected.ast = compare(term->comparison, cJSON_CreateString("title"),
				       json_of(&term->value));
	}
	capitalize(term->key);
	type = compare_texts("=", "type", term->key);
	if (selected.ast)
		return good(both(type, selected.ast));
	list = list_of("and");
	cJSON_AddItemToArray(list, type);
	return good(list);
}

static struct result make_fact(struct reading *reading, const struct term *term)
{
	if (!term->comparison)
		return wrong(reading, term, "lacks a comparison");
	return good(
		compare(term->comparison, list_of_two("fact", term->key), json_of(&term->value)));
}

/* Takes what is behind the first % or @ off. Returns what is wrong with it, or NULL. */
static const char *split_key(struct term *term)
{
	char *selector = strpbrk(term->key, "%@");

	if (term->category == 'F' || !selector)
		return NULL;
	if ((strchr(term->key, '%') && strchr(term->key, '@')) ||
	    (term->category != 'R' && strpbrk(selector + 1, "%@")))
		return "has more than one %parameter or @field";
	term->selector = *selector;
	*selector = '\0';
	term->selected = selector + 1;
	return *term->key && *term->selected ? NULL : "lacks a name beside its % or @";
}

static struct result make(struct reading *reading, struct term *term)
{
	enum endpoint endpoint = term->category == 'F' ? ENDPOINT_NODES : ENDPOINT_RESOURCES;
	const char *bad;

	if (reading->endpoint != ENDPOINT_ANY && reading->endpoint != endpoint)
		return failed(reading, "facts and resources are not mixed in one query: "
				       "use P{...} and P{...}");
	reading->endpoint = endpoint;
	bad = split_key(term);
	if (bad)
		return wrong(reading, term, bad);
	if (term->category == 'F')
		return make_fact(reading, term);
	return (term->category == 'R' ? make_resource : make_class)(reading, term);
}

/* The part behind the category and the colon. */
static struct result read_term(struct reading *reading, char category)
{
	struct term term = {.category = category};
	size_t length = span(reading, reading->at, KEY);
	struct result result;
	const char *behind;

	if (length == 0)
		return foreign(reading, "a name");
	term.key = memory_copy_n(reading->at, length);
	reading->at += length;
	skip_blanks(reading);
	term.comparison = take_comparison(reading);
	if (term.comparison) {
		behind = value_read(reading->at, reading->end, &term.value);
		if (!behind || behind == reading->at) {
			result = behind ? foreign(reading, "a value")
					: failed(reading, "this number is too large");
			term_free(&term);
			return result;
		}
		reading->at = behind;
		skip_blanks(reading);
	}
	result = make(reading, &term);
	term_free(&term);
	return result;
}

/* ---- the language ---- */

static struct result read_positive(struct reading *reading)
{
	static const char categories[] = "CFOPRcfopr";
	const char *found;
	struct result result;

	if (take_character(reading, '(')) {
		if (++reading->depth > DEPTH_MAX)
			return failed(reading, "too many parentheses within each other");
		result = read_query(reading, true);
		reading->depth--;
		return result;
	}
	if (reading->end - reading->at >= 2 && reading->at[1] == ':') {
		found = *reading->at ? strchr(categories, *reading->at) : NULL;
		if (found) {
			reading->at += 2;
			return read_term(reading, categories[(found - categories) % 5]);
		}
	}
	return read_hosts(reading);
}

static struct result read_item(struct reading *reading)
{
	bool inverse = take_word(reading, "not");
	struct result result = read_positive(reading);
	cJSON *list;

	if (!inverse || result.status != SPK_INVENTORY_OK)
		return result;
	list = list_of("not");
	cJSON_AddItemToArray(list, result.ast);
	return good(list);
}

static const char *take_operator(struct reading *reading)
{
	if (take_word(reading, "and"))
		return "and";
	return take_word(reading, "or") ? "or" : NULL;
}

/* Puts the item behind the others of its level, which has one operator. NULL list: it is the first
 * behind `*first`. */
static struct result join(struct reading *reading, const char *sign, cJSON *first, cJSON **list)
{
	struct result item;

	if (*list && strcmp(cJSON_GetArrayItem(*list, 0)->valuestring, sign) != 0)
		return failed(reading, "'and' and 'or' are mixed: use parentheses");
	item = read_item(reading);
	if (item.status != SPK_INVENTORY_OK)
		return item;
	if (!*list) {
		*list = list_of(sign);
		cJSON_AddItemToArray(*list, first);
	}
	cJSON_AddItemToArray(*list, item.ast);
	return good(*list);
}

/* Reads up to the end, or `within` parentheses behind the one that closes them. */
static struct result read_query(struct reading *reading, bool within)
{
	struct result first, result;
	cJSON *list = NULL;

	skip_blanks(reading);
	first = read_item(reading);
	result = first;
	while (result.status == SPK_INVENTORY_OK) {
		const char *sign;

		if (within ? take_character(reading, ')') : reading->at == reading->end)
			return result;
		sign = take_operator(reading);
		result = sign ? join(reading, sign, first.ast, &list)
			      : foreign(reading, within ? "'and', 'or' or ')'" : "'and' or 'or'");
	}
	cJSON_Delete(list ? list : first.ast);
	return result;
}

static struct result read_all(struct reading *reading, const char *text, size_t length)
{
	reading->at = text;
	reading->end = text + length;
	reading->depth = 0;
	reading->hosts = 0;
	return read_query(reading, false);
}

enum spk_inventory_status query_translate(const char *text, size_t length, unsigned int version,
					  struct query *ret, struct spk_inventory_call *call)
{
	struct reading reading = {.version = version, .host_key = "certname", .call = call};
	struct result result = read_all(&reading, text, length);
	char *printed;

	*ret = (struct query){0};
	/* There it depends on what the rest of the query is about. */
	if (result.status == SPK_INVENTORY_OK && version == 3 &&
	    reading.endpoint != ENDPOINT_RESOURCES) {
		cJSON_Delete(result.ast);
		reading.host_key = "name";
		result = read_all(&reading, text, length);
	}
	if (result.status != SPK_INVENTORY_OK)
		return result.status;
	printed = cJSON_PrintUnformatted(result.ast);
	cJSON_Delete(result.ast);
	text_puts(&ret->ast, printed);
	cJSON_free(printed);
	ret->resources = reading.endpoint == ENDPOINT_RESOURCES;
	return SPK_INVENTORY_OK;
}

void query_free(struct query *query)
{
	text_free(&query->ast);
}
