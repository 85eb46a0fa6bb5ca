/* SPDX-License-Identifier: Apache-2.0 */
/* The raw steps of SHA-1 are what makes a long hashed file cheap. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "knownhosts.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../base/memory.h"
#include "pattern.h"

#define FILE_MAX ((size_t)256 << 20)
#define BLANKS " \t"
#define HASH_SIZE SHA_DIGEST_LENGTH
#define HASH_BLOCK 64

/* HMAC-SHA1 of a name, the salt being the key: the states behind the two blocks of the key. */
struct hashed {
	struct known_line line;
	unsigned char hash[HASH_SIZE];
	SHA_LONG inner[5], outer[5];
};

/* Names that are written out; `names` is the whole field of the file. */
struct named {
	struct known_line line;
	const char *names;
};

/* One name of a line that has no patterns. */
struct exact {
	const char *name;
	size_t line; /* in `named` */
};

struct knownhosts_file {
	char *path, *text;
	struct hashed *hashed;
	struct named *named;
	struct exact *exact; /* sorted */
	size_t *patterns;    /* the lines of `named` that have some */
	size_t hashed_count, hashed_capacity, named_count, named_capacity;
	size_t exact_count, exact_capacity, pattern_count, pattern_capacity;
};

struct knownhosts {
	struct knownhosts_file **files;
	size_t count, capacity;
};

/* ---- hashes ---- */

static void state_of(const SHA_CTX *context, SHA_LONG state[static 5])
{
	memcpy(state, (SHA_LONG[]){context->h0, context->h1, context->h2, context->h3, context->h4},
	       5 * sizeof(*state));
}

static void key_block(const unsigned char *salt, size_t length, unsigned char pad,
		      SHA_LONG state[static 5])
{
	unsigned char block[HASH_BLOCK];
	SHA_CTX context;

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < length; i++)
		block[i] ^= salt[i];
	SHA1_Init(&context);
	SHA1_Update(&context, block, sizeof(block));
	state_of(&context, state);
}

/* Goes on behind the block of the key. */
static void hash_from(const SHA_LONG state[static 5], const void *bytes, size_t length,
		      unsigned char hash[static HASH_SIZE])
{
	SHA_CTX context;

	SHA1_Init(&context);
	context.h0 = state[0];
	context.h1 = state[1];
	context.h2 = state[2];
	context.h3 = state[3];
	context.h4 = state[4];
	context.Nl = HASH_BLOCK * 8;
	SHA1_Update(&context, bytes, length);
	SHA1_Final(hash, &context);
}

static bool is_hash_of(const struct hashed *hashed, const char *name, size_t length)
{
	unsigned char inner[HASH_SIZE], outer[HASH_SIZE];

	hash_from(hashed->inner, name, length, inner);
	hash_from(hashed->outer, inner, sizeof(inner), outer);
	return memcmp(outer, hashed->hash, sizeof(outer)) == 0;
}

/* HASH_SIZE bytes in base64, `length` characters. */
static bool read_hash(const char *text, size_t length, unsigned char hash[static HASH_SIZE])
{
	unsigned char bytes[HASH_SIZE + 4];

	if (length != 28 || text[27] != '=' || text[26] == '=' ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length) != 21)
		return false;
	memcpy(hash, bytes, HASH_SIZE);
	return true;
}

/* "|1|salt|hash" */
static bool read_hashed(const char *field, struct hashed *hashed)
{
	unsigned char salt[HASH_SIZE];
	const char *bar = strncmp(field, "|1|", 3) == 0 ? strchr(field + 3, '|') : NULL;

	if (!bar || !read_hash(field + 3, (size_t)(bar - field - 3), salt) ||
	    !read_hash(bar + 1, strlen(bar + 1), hashed->hash))
		return false;
	key_block(salt, sizeof(salt), 0x36, hashed->inner);
	key_block(salt, sizeof(salt), 0x5c, hashed->outer);
	return true;
}

/* ---- reading ---- */

static void add_exact(struct knownhosts_file *file, const char *name, size_t length)
{
	file->exact = memory_grow(file->exact, file->exact_count, &file->exact_capacity,
				  sizeof(*file->exact));
	file->exact[file->exact_count++] = (struct exact){.name = memory_copy_n(name, length),
							  .line = file->named_count};
}

static void add_pattern(struct knownhosts_file *file)
{
	file->patterns = memory_grow(file->patterns, file->pattern_count, &file->pattern_capacity,
				     sizeof(*file->patterns));
	file->patterns[file->pattern_count++] = file->named_count;
}

static void add_named(struct knownhosts_file *file, char *names, const struct known_line *line)
{
	size_t length = strlen(names);

	pattern_lower(names);
	if (pattern_is_one(names, length)) {
		add_pattern(file);
	} else {
		for (const char *name = names; *name; name += strspn(name, ",")) {
			size_t end = strcspn(name, ",");

			add_exact(file, name, end);
			name += end;
		}
	}
	file->named = memory_grow(file->named, file->named_count, &file->named_capacity,
				  sizeof(*file->named));
	file->named[file->named_count++] = (struct named){.line = *line, .names = names};
}

/* The field at *text, which ends at a blank; NULL: there is none. */
static char *take_field(char **text)
{
	char *field = *text + strspn(*text, BLANKS), *end = field + strcspn(field, BLANKS);

	if (!*field)
		return NULL;
	*text = *end ? end + 1 : end;
	*end = '\0';
	return field;
}

static bool take_marker(char **names, char **text, enum known_marker *marker)
{
	*marker = KNOWN_PLAIN;
	if (**names != '@')
		return true;
	if (strcmp(*names, "@revoked") == 0)
		*marker = KNOWN_REVOKED;
	else if (strcmp(*names, "@cert-authority") == 0)
		*marker = KNOWN_AUTHORITY;
	else
		return false;
	*names = take_field(text);
	return *names != NULL;
}

/* A line without its end. What cannot be read is passed over, as ssh does. */
static void read_line(struct knownhosts_file *file, unsigned number, char *text)
{
	struct known_line line = {.file = file->path, .number = number};
	struct hashed hashed;
	char *names;

	text[strcspn(text, "\r")] = '\0';
	names = take_field(&text);
	if (!names || *names == '#' || !take_marker(&names, &text, &line.marker))
		return;
	line.type = take_field(&text);
	line.key = take_field(&text);
	if (!line.type || !line.key)
		return;
	if (*names != '|') {
		add_named(file, names, &line);
		return;
	}
	hashed.line = line;
	if (!read_hashed(names, &hashed))
		return;
	file->hashed = memory_grow(file->hashed, file->hashed_count, &file->hashed_capacity,
				   sizeof(*file->hashed));
	file->hashed[file->hashed_count++] = hashed;
}

static int compare_exact(const void *a, const void *b)
{
	const struct exact *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	if (order != 0)
		return order;
	return left->line < right->line ? -1 : left->line > right->line;
}

static void read_lines(struct knownhosts_file *file, size_t length)
{
	char *text = file->text, *end = text + length;
	unsigned number = 0;

	while (text < end) {
		char *stop = memchr(text, '\n', (size_t)(end - text));

		stop = stop ? stop : end;
		*stop = '\0';
		read_line(file, ++number, text);
		text = stop + 1;
	}
	if (file->exact_count)
		qsort(file->exact, file->exact_count, sizeof(*file->exact), compare_exact);
}

struct knownhosts *knownhosts_new(void)
{
	return memory_new(1, sizeof(struct knownhosts));
}

static void file_free(struct knownhosts_file *file)
{
	for (size_t i = 0; i < file->exact_count; i++)
		memory_free((void *)(uintptr_t)file->exact[i].name);
	memory_free(file->exact);
	memory_free(file->hashed);
	memory_free(file->named);
	memory_free(file->patterns);
	memory_free(file->text);
	memory_free(file->path);
	memory_free(file);
}

void knownhosts_free(struct knownhosts *known)
{
	if (!known)
		return;
	for (size_t i = 0; i < known->count; i++)
		file_free(known->files[i]);
	memory_free(known->files);
	memory_free(known);
}

/* Takes `text` over. */
static const struct knownhosts_file *add_file(struct knownhosts *known, const char *path,
					      char *text, size_t length)
{
	struct knownhosts_file *file = memory_new(1, sizeof(*file));

	file->path = memory_copy(path);
	file->text = text;
	read_lines(file, length);
	known->files = memory_grow(known->files, known->count, &known->capacity,
				   sizeof(*known->files));
	known->files[known->count++] = file;
	return file;
}

const struct knownhosts_file *knownhosts_file(struct knownhosts *known, const char *path,
					      struct spk_reason_buffer *reason)
{
	struct text text = {0};

	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->files[i]->path, path) == 0)
			return known->files[i];
	if (strcmp(path, "/dev/null") != 0 && file_read(path, FILE_MAX, &text, reason) < 0 &&
	    errno != ENOENT) {
		text_free(&text);
		return NULL;
	}
	text_add(&text, "", 0);
	return add_file(known, path, text.bytes, text.length);
}

const struct knownhosts_file *knownhosts_text(struct knownhosts *known, const char *name,
					      const char *text, size_t length)
{
	return add_file(known, name, memory_copy_n(text, length), length);
}

/* ---- looking up ---- */

/* The place of the first one that is not below the name. */
static size_t find_exact(const struct knownhosts_file *file, const char *name)
{
	size_t low = 0, high = file->exact_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(file->exact[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What comes next in the order of the file, of the three kinds. */
struct cursor {
	const struct knownhosts_file *file;
	const char *name;
	size_t name_length, exact, pattern, hashed;
};

static const struct known_line *peek_exact(const struct cursor *at)
{
	const struct knownhosts_file *file = at->file;

	if (at->exact == file->exact_count || strcmp(file->exact[at->exact].name, at->name) != 0)
		return NULL;
	return &file->named[file->exact[at->exact].line].line;
}

static const struct known_line *peek_pattern(struct cursor *at)
{
	const struct knownhosts_file *file = at->file;

	for (; at->pattern < file->pattern_count; at->pattern++) {
		const struct named *named = &file->named[file->patterns[at->pattern]];

		if (pattern_list_match(at->name, named->names, strlen(named->names), false) == 1)
			return &named->line;
	}
	return NULL;
}

static const struct known_line *peek_hashed(struct cursor *at)
{
	const struct knownhosts_file *file = at->file;

	for (; at->hashed < file->hashed_count; at->hashed++)
		if (is_hash_of(&file->hashed[at->hashed], at->name, at->name_length))
			return &file->hashed[at->hashed].line;
	return NULL;
}

static bool is_before(const struct known_line *a, const struct known_line *b)
{
	return a && (!b || a->number < b->number);
}

static const struct known_line *next(struct cursor *at)
{
	const struct known_line *exact = peek_exact(at), *pattern = peek_pattern(at);
	const struct known_line *hashed = peek_hashed(at);

	if (is_before(exact, pattern) && is_before(exact, hashed)) {
		/* A line may have the name twice. */
		while (peek_exact(at) == exact)
			at->exact++;
		return exact;
	}
	if (is_before(pattern, hashed)) {
		at->pattern++;
		return pattern;
	}
	if (hashed)
		at->hashed++;
	return hashed;
}

void knownhosts_look_up(const struct knownhosts_file *file, const char *name,
			bool (*visit)(void *data, const struct known_line *line), void *data)
{
	struct cursor at = {.file = file,
			    .name = name,
			    .name_length = strlen(name),
			    .exact = find_exact(file, name)};
	const struct known_line *line = next(&at);

	while (line && visit(data, line))
		line = next(&at);
}
