/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An automaton of Aho and Corasick: a tree of the beginnings of all forms, where each node knows
 * the longest other beginning that its own end is. The tree only grows, so that the
 * numbers of nodes which streams hold stay valid.
 */
#include "redactor.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/secretforms.h"
#include "../../runtime/secretmem.h"

#define STARS "********"
#define ROOT 0U
/* All nodes together: 256 MiB, far more than honest cookbooks need. */
#define NODES_MAX (8U << 20)
/* The beginning of a secret that is worth hiding. */
#define TAIL_MIN 4U

struct node {
	uint32_t parent, child, sibling; /* ROOT: none */
	uint32_t fail; /* the longest beginning that is a proper end of this one */
	uint32_t depth;
	uint32_t match;    /* the length of the longest form that ends here; 0: none */
	uint32_t shortest; /* the length of the shortest form that begins like this */
	unsigned char byte;
	bool whole; /* a form ends exactly here */
};

struct redactor {
	struct node *nodes;
	uint32_t count, capacity;
	uint32_t first[256]; /* children of the root */
	bool stale;          /* `fail` and `match` are to be computed */
};

/* Bytes of a text, from an offset to one behind the last. */
struct interval {
	size_t begin, end;
};

struct intervals {
	struct interval *items;
	size_t count, capacity;
};

struct redactor *redactor_shared(void)
{
	static struct redactor *shared;

	if (!shared)
		shared = redactor_new();
	return shared;
}

struct redactor *redactor_new(void)
{
	return xcalloc(1, sizeof(struct redactor));
}

void redactor_free(struct redactor *redactor)
{
	if (!redactor)
		return;
	secretmem_unmap(redactor->nodes, redactor->capacity * sizeof(struct node));
	free(redactor);
}

bool redactor_is_empty(const struct redactor *redactor)
{
	return redactor->count == 0;
}

/* ---- the tree ---- */

static uint32_t find_child(const struct redactor *redactor, uint32_t node, unsigned char byte)
{
	uint32_t child;

	if (node == ROOT)
		return redactor->first[byte];
	child = redactor->nodes[node].child;
	while (child && redactor->nodes[child].byte != byte)
		child = redactor->nodes[child].sibling;
	return child;
}

static int reserve(struct redactor *redactor, size_t more, struct err *err)
{
	size_t need = redactor->count + more + 1;
	size_t capacity = redactor->capacity ? redactor->capacity : 512;
	struct node *nodes;

	if (need > NODES_MAX)
		return err_set(err, "too many secrets");
	if (need <= redactor->capacity)
		return 0;
	while (capacity < need)
		capacity *= 2;
	nodes = secretmem_map(capacity * sizeof(*nodes), NULL, err);
	if (!nodes)
		return -1;
	if (redactor->nodes)
		memcpy(nodes, redactor->nodes, redactor->count * sizeof(*nodes));
	secretmem_unmap(redactor->nodes, redactor->capacity * sizeof(*nodes));
	redactor->nodes = nodes;
	redactor->capacity = (uint32_t)capacity;
	return 0;
}

static uint32_t add_child(struct redactor *redactor, uint32_t node, unsigned char byte)
{
	uint32_t child = redactor->count++;
	struct node *parent = &redactor->nodes[node];

	redactor->nodes[child] = (struct node){
		.parent = node,
		.sibling = node == ROOT ? ROOT : parent->child,
		.depth = parent->depth + 1,
		.shortest = UINT32_MAX,
		.byte = byte,
	};
	if (node == ROOT)
		redactor->first[byte] = child;
	else
		parent->child = child;
	return child;
}

struct addition {
	struct redactor *redactor;
	struct err *err;
};

static int add_form(void *data, const char *form, size_t length, bool part)
{
	struct addition *addition = data;
	struct redactor *redactor = addition->redactor;
	uint32_t node = ROOT;

	if (reserve(redactor, length, addition->err) < 0)
		return -1;
	if (redactor->count == 0)
		redactor->count = 1; /* the root */
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)form[i];
		uint32_t child = find_child(redactor, node, byte);

		node = child ? child : add_child(redactor, node, byte);
		if (length < redactor->nodes[node].shortest)
			redactor->nodes[node].shortest = (uint32_t)length;
	}
	redactor->nodes[node].whole = true;
	redactor->stale = true;
	return 0;
}

int redactor_add(struct redactor *redactor, const char *text, struct err *err)
{
	struct addition addition = {.redactor = redactor, .err = err};
	size_t length = strlen(text);

	if (length < SECRET_MIN || length > SECRET_MAX)
		return err_set(err, "a secret of %zu bytes", length);
	return secretforms_make(text, length, add_form, &addition, err);
}

/* ---- the automaton ---- */

static uint32_t step(const struct redactor *redactor, uint32_t node, unsigned char byte)
{
	for (;;) {
		uint32_t child = find_child(redactor, node, byte);

		if (child || node == ROOT)
			return child;
		node = redactor->nodes[node].fail;
	}
}

static void settle_node(struct redactor *redactor, uint32_t number)
{
	struct node *node = &redactor->nodes[number];

	node->fail = node->parent == ROOT
			     ? ROOT
			     : step(redactor, redactor->nodes[node->parent].fail, node->byte);
	node->match = node->whole ? node->depth : redactor->nodes[node->fail].match;
}

/* Level after level, since `fail` always leads to a higher one. */
static void refresh(struct redactor *redactor)
{
	uint32_t *queue;
	uint32_t count = 0;

	if (!redactor->stale)
		return;
	queue = xcalloc(redactor->count, sizeof(*queue));
	for (size_t byte = 0; byte < 256; byte++)
		if (redactor->first[byte])
			queue[count++] = redactor->first[byte];
	for (uint32_t i = 0; i < count; i++) {
		settle_node(redactor, queue[i]);
		for (uint32_t child = redactor->nodes[queue[i]].child; child;
		     child = redactor->nodes[child].sibling)
			queue[count++] = child;
	}
	free(queue);
	redactor->stale = false;
}

/* Intervals come by rising ends; those that overlap become one. */
static void add_interval(struct intervals *found, size_t begin, size_t end)
{
	while (found->count > 0 && found->items[found->count - 1].end > begin) {
		struct interval last = found->items[--found->count];

		begin = last.begin < begin ? last.begin : begin;
	}
	found->items = xgrow(found->items, found->count, &found->capacity, sizeof(*found->items));
	found->items[found->count++] = (struct interval){begin, end};
}

/*
 * Follows `text` from a state and returns the last one. What was found before the text began
 * counts from its beginning.
 */
static uint32_t scan(const struct redactor *redactor, uint32_t state, const char *text,
		     size_t length, struct intervals *found)
{
	for (size_t i = 0; i < length; i++) {
		size_t match;

		state = step(redactor, state, (unsigned char)text[i]);
		if (state == ROOT)
			continue;
		match = redactor->nodes[state].match;
		if (match)
			add_interval(found, match > i + 1 ? 0 : i + 1 - match, i + 1);
	}
	return state;
}

/* Appends text[begin, end) with the intervals replaced; all lie within. */
static void write_redacted(const char *text, size_t begin, size_t end,
			   const struct intervals *found, struct buf *out)
{
	for (size_t i = 0; i < found->count; i++) {
		buf_add(out, text + begin, found->items[i].begin - begin);
		buf_puts(out, STARS);
		begin = found->items[i].end;
	}
	buf_add(out, text + begin, end - begin);
}

/* ---- records ---- */

/* How much of the end of a record to hide: it is the beginning of a secret. */
static size_t tail_of(const struct redactor *redactor, uint32_t state)
{
	for (; state != ROOT; state = redactor->nodes[state].fail) {
		const struct node *node = &redactor->nodes[state];

		if (node->depth >= TAIL_MIN || 2 * node->depth >= node->shortest)
			return node->depth;
	}
	return 0;
}

void redactor_apply(struct redactor *redactor, struct redactor_stream *stream, const char *text,
		    struct buf *out)
{
	struct redactor_stream none = {0};
	struct intervals found = {0};
	size_t length = strlen(text), tail;
	size_t newlines = 0;

	if (redactor_is_empty(redactor)) {
		buf_add(out, text, length);
		return;
	}
	refresh(redactor);
	if (!stream)
		stream = &none;
	/* Where a record ends there is no newline, whether the author wrote one or not. */
	while (newlines < length && text[length - newlines - 1] == '\n')
		newlines++;
	length -= newlines;
	stream->state = scan(redactor, stream->state, text, length, &found);
	tail = tail_of(redactor, stream->state);
	if (tail > 0 && length > 0)
		add_interval(&found, tail > length ? 0 : length - tail, length);
	write_redacted(text, 0, length, &found, out);
	buf_add(out, text + length, newlines);
	free(found.items);
}

/* ---- data ---- */

/* The bytes that lead to a state. */
static void put_path(const struct redactor *redactor, uint32_t state, struct buf *out)
{
	size_t length = redactor->nodes[state].depth;
	size_t at = out->length;

	buf_fill(out, 0, length);
	for (; state != ROOT; state = redactor->nodes[state].parent)
		out->text[at + --length] = (char)redactor->nodes[state].byte;
}

/*
 * Passes on the first `end` bytes of `text`, of which `settled` went before; what is found there
 * may reach beyond `end`. Leaves in the stream what that means for the bytes behind.
 */
static void pass_until(struct redactor_stream *stream, const char *text, size_t end,
		       struct intervals *found, struct buf *out)
{
	const size_t settled = stream->settled;
	bool starred = stream->starred;
	size_t at = settled;

	for (size_t i = 0; i < found->count && found->items[i].begin < end; i++) {
		struct interval each = found->items[i];

		if (each.end <= at)
			continue;
		if (each.begin > at)
			buf_add(out, text + at, each.begin - at);
		if (!starred || each.begin >= settled)
			buf_puts(out, STARS);
		at = each.end;
	}
	if (at < end) {
		buf_add(out, text + at, end - at);
		at = end;
	}
	stream->starred = at > end && (at > settled || starred);
	stream->settled = (uint32_t)(at - end);
}

void redactor_pass(struct redactor *redactor, struct redactor_stream *stream, const char *bytes,
		   size_t length, struct buf *out)
{
	struct intervals found = {0};
	struct buf joined = {0};
	const char *text = bytes;
	size_t all = length;
	uint32_t state;

	if (redactor_is_empty(redactor)) {
		buf_add(out, bytes, length);
		return;
	}
	refresh(redactor);
	/* What was kept back is read again: that finds what it found before. */
	if (stream->state != ROOT) {
		put_path(redactor, stream->state, &joined);
		buf_add(&joined, bytes, length);
		text = joined.text;
		all = joined.length;
	}
	state = scan(redactor, ROOT, text, all, &found);
	pass_until(stream, text, all - redactor->nodes[state].depth, &found, out);
	stream->state = state;
	free(found.items);
	buf_free(&joined);
}

/* How much of the end of what is kept back must not be shown alone: it is half a secret. */
static size_t half_of(const struct redactor *redactor, uint32_t state)
{
	for (; state != ROOT; state = redactor->nodes[state].fail) {
		const struct node *node = &redactor->nodes[state];

		if (node->depth >= TAIL_MIN && 2 * node->depth >= node->shortest)
			return node->depth;
	}
	return 0;
}

/* Shows what is kept back, but for `hidden` bytes at its end. */
static void let_go(struct redactor *redactor, struct redactor_stream *stream, size_t hidden,
		   struct buf *out)
{
	struct intervals found = {0};
	struct buf text = {0};

	put_path(redactor, stream->state, &text);
	scan(redactor, ROOT, text.text, text.length, &found);
	if (hidden)
		add_interval(&found, text.length - hidden, text.length);
	pass_until(stream, text.text, text.length, &found, out);
	free(found.items);
	buf_free(&text);
}

void redactor_pause(struct redactor *redactor, struct redactor_stream *stream, struct buf *out)
{
	if (redactor_is_empty(redactor) || stream->state == ROOT)
		return;
	refresh(redactor);
	if (half_of(redactor, stream->state))
		return;
	let_go(redactor, stream, 0, out);
	/* It was shown and may be the beginning of a secret all the same. */
	stream->settled = redactor->nodes[stream->state].depth;
}

void redactor_end(struct redactor *redactor, struct redactor_stream *stream, struct buf *out)
{
	if (redactor_is_empty(redactor) || stream->state == ROOT)
		return;
	refresh(redactor);
	let_go(redactor, stream, half_of(redactor, stream->state), out);
	*stream = (struct redactor_stream){0};
}
