/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What drivers that find hosts read of others: the first byte says whose (`q`, `r` queries to
 * PuppetDB for API 4 and 3, `a` its answers, `e` those of an executable, `s` a file of hosts with
 * a term in its first line, `k` lines of a known_hosts file).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/base/json.h"
#include "../../plugins/exec/groups.h"
#include "../../plugins/knownhosts/line.h"
#include "../../plugins/puppetdb/answer.h"
#include "../../plugins/puppetdb/query.h"
#include "../../plugins/static/term.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Refuses what has a blank, as the host does. */
static bool visit(void *data, const char *name, size_t length)
{
	(*(size_t *)data)++;
	return memchr(name, ' ', length) == NULL;
}

/* The host's own has a harness, hosts: this one knows commas only. */
static bool expand(struct spk_inventory_call *call, const char *expression, size_t length,
		   spk_inventory_visitor *visitor, void *data)
{
	const char *end = expression + length;

	for (;;) {
		const char *comma = memchr(expression, ',', (size_t)(end - expression));
		const char *stop = comma ? comma : end;

		if (stop > expression && !visitor(data, expression, (size_t)(stop - expression)))
			return false;
		if (!comma)
			return true;
		expression = comma + 1;
	}
}

/* What is sent is JSON whatever was typed. */
static void read_query(const char *text, size_t length, unsigned int version)
{
	struct spk_inventory_call call = {
		.deadline_ns = INT64_MAX, .cancel_fd = -1, .expand = expand};
	enum spk_inventory_status status;
	struct query query;
	cJSON *json;

	json_init();
	status = query_translate(text, length, version, &query, &call);
	if (status == SPK_INVENTORY_OK) {
		json = json_parse(query.ast.bytes, query.ast.length);
		must(cJSON_IsArray(json));
		cJSON_Delete(json);
	} else {
		must(*call.reason.text);
	}
	query_free(&query);
}

static void read_answer(const struct text *text,
			int (*read)(const struct text *, size_t *, struct spk_reason_buffer *))
{
	struct spk_reason_buffer reason = {{0}};
	size_t told = 0;

	json_init();
	if (read(text, &told, &reason) < 0)
		must(*reason.text || told > 0);
}

static int of_puppetdb(const struct text *text, size_t *told, struct spk_reason_buffer *reason)
{
	return answer_read(text, "certname", visit, told, reason);
}

static int of_executable(const struct text *text, size_t *told, struct spk_reason_buffer *reason)
{
	return groups_read(text, NULL, visit, told, reason);
}

static int of_group(const struct text *text, size_t *told, struct spk_reason_buffer *reason)
{
	return groups_read(text, "g", visit, told, reason);
}

static bool count_entry(void *data, const struct book_entry *entry)
{
	(*(size_t *)data)++;
	return entry->hosts && entry->line > 0;
}

static void read_file(const char *text, size_t length)
{
	const char *newline = memchr(text, '\n', length);
	size_t term = newline ? (size_t)(newline - text) : 0, found = 0, all = 0;
	struct spk_reason_buffer reason = {{0}};
	struct text rest = {0};
	struct book book;

	if (newline)
		text_add(&rest, newline + 1, length - term - 1);
	if (newline && book_read("/file", &rest, &book, &reason) == 0) {
		must(term_find(&book, "*", 1, count_entry, &all, &reason) == SPK_INVENTORY_OK);
		must(all == book.count);
		if (term > 0)
			term_find(&book, text, term, count_entry, &found, &reason);
		must(found <= all);
		book_free(&book);
	} else if (newline) {
		must(*reason.text);
	}
	text_free(&rest);
}

static void take_name(void *data, const char *name, size_t length)
{
	must(length > 0 && length <= 253 && !memchr(name, '*', length));
}

static void take_hashed(void *data, const struct line_hashed *hashed)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = {0};

	if (size < 1)
		return 0;
	text_add(&text, data + 1, size - 1);
	switch (*data) {
	case 'q':
	case 'r':
		read_query(text.bytes, text.length, *data == 'q' ? 4 : 3);
		break;
	case 'a':
		read_answer(&text, of_puppetdb);
		break;
	case 'e':
		read_answer(&text, of_executable);
		read_answer(&text, of_group);
		break;
	case 's':
		read_file(text.bytes, text.length);
		break;
	case 'k':
		line_read(text.bytes, text.length, take_name, take_hashed, NULL);
		break;
	default:
		break;
	}
	text_free(&text);
	return 0;
}
