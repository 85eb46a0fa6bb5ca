/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that are in known_hosts files of SSH. Those whose names are hashed there cannot be named,
 * but are known when they are asked for.
 */
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/call.h"
#include "../base/file.h"
#include "../base/memory.h"
#include "../base/option.h"
#include "line.h"

SPK_API extern const struct spk_inventory_driver spk_driver;

#define FILE_LIMIT ((size_t)64 * 1024 * 1024)
#define SYSTEM_FILE "/etc/ssh/ssh_known_hosts"
#define USER_FILE ".ssh/known_hosts"
/* Of SHA-1. */
#define HASH_BLOCK 64
/* So many hashes take about a millisecond. */
#define LOOK_EVERY 2048

struct known {
	char **files;
	size_t file_count, file_capacity;
	bool may_miss; /* files that are not there are fine: nobody named them */
	bool read;
	struct text names; /* each with a newline behind it */
	struct line_hashed *hashed;
	size_t hashed_count, hashed_capacity;
	EVP_MD *sha1;
	EVP_MD_CTX *context;
	unsigned int asked; /* for LOOK_EVERY */
};

struct options {
	struct option_texts files;
};

static const struct option table[] = {
	{"files", OPTION_TEXTS, offsetof(struct options, files), 0, 0},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static void close_known(void *data)
{
	struct known *known = data;

	for (size_t i = 0; i < known->file_count; i++)
		memory_free(known->files[i]);
	memory_free(known->files);
	memory_free(known->hashed);
	text_free(&known->names);
	EVP_MD_CTX_free(known->context);
	EVP_MD_free(known->sha1);
	memory_free(known);
}

/* Takes `path`. */
static void add_file(struct known *known, char *path)
{
	known->files = memory_grow(known->files, known->file_count, &known->file_capacity,
				   sizeof(known->files[0]));
	known->files[known->file_count++] = path;
}

static const char *home(void)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the host's calls come from one thread */
	const struct passwd *entry = getpwuid(geteuid());

	return entry && entry->pw_dir[0] == '/' ? entry->pw_dir : NULL;
}

/* `~/` is the home of who runs this, as ssh has it: by uid, whatever the environment says. */
static void add_named(struct known *known, const char *path)
{
	const char *directory = strncmp(path, "~/", 2) == 0 ? home() : NULL;
	struct text full = {0};

	if (directory)
		text_printf(&full, "%s%s", directory, path + 1);
	else
		text_puts(&full, path);
	add_file(known, memory_copy(full.bytes));
	text_free(&full);
}

static void *open_known(const struct spk_driver_setting *given, size_t count,
			struct spk_reason_buffer *reason)
{
	struct known *known = memory_new(1, sizeof(*known));
	struct options options = {0};
	int rc = options_read(table, ROWS, given, count, &options, reason);

	known->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	known->context = EVP_MD_CTX_new();
	known->may_miss = options.files.count == 0;
	for (size_t i = 0; i < options.files.count; i++)
		add_named(known, options.files.items[i]);
	if (known->may_miss) {
		add_named(known, SYSTEM_FILE);
		add_named(known, "~/" USER_FILE);
	}
	options_free(table, ROWS, &options);
	if (rc == 0 && (!known->sha1 || !known->context)) {
		reason_set(reason, "cannot use SHA-1 of libcrypto");
		rc = -1;
	}
	if (rc == 0)
		return known;
	close_known(known);
	return NULL;
}

static void take_name(void *data, const char *name, size_t length)
{
	struct known *known = data;

	text_add(&known->names, name, length);
	text_add(&known->names, "\n", 1);
}

static void take_hashed(void *data, const struct line_hashed *hashed)
{
	struct known *known = data;

	known->hashed = memory_grow(known->hashed, known->hashed_count, &known->hashed_capacity,
				    sizeof(known->hashed[0]));
	known->hashed[known->hashed_count++] = *hashed;
}

/* Calls back for each line; stops where that says so. */
static bool each_line(const struct text *text, bool (*line)(void *, const char *, size_t),
		      void *data)
{
	const char *at = text->bytes, *end = at ? at + text->length : NULL;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if (!line(data, at, (size_t)(stop - at)))
			return false;
		at = stop + 1;
	}
	return true;
}

static bool take_line(void *data, const char *line, size_t length)
{
	line_read(line, length, take_name, take_hashed, data);
	return true;
}

/* Reads the files when first asked. */
static bool read_files(struct known *known, struct spk_inventory_call *call)
{
	for (; !known->read && known->file_count > 0; known->file_count--) {
		char *path = known->files[known->file_count - 1];
		struct text text = {0};

		if (file_read(path, FILE_LIMIT, &text, &call->reason) < 0) {
			text_free(&text);
			if (errno != ENOENT || !known->may_miss)
				return false;
		}
		each_line(&text, take_line, known);
		text_free(&text);
		memory_free(path);
	}
	known->read = true;
	return true;
}

struct visit {
	spk_inventory_visitor *visitor;
	void *data;
};

static bool visit_line(void *data, const char *line, size_t length)
{
	const struct visit *visit = data;

	return visit->visitor(visit->data, line, length);
}

static enum spk_inventory_status find(void *data, const char *query, size_t length,
				      spk_inventory_visitor *visitor, void *visitor_data,
				      struct spk_inventory_call *call)
{
	struct visit visit = {visitor, visitor_data};
	struct known *known = data;

	if (length != 1 || *query != '*') {
		reason_set(&call->reason, "there are names in known_hosts files, and nothing else");
		return SPK_INVENTORY_FOREIGN;
	}
	if (!read_files(known, call) || !each_line(&known->names, visit_line, &visit))
		return SPK_INVENTORY_FAILED;
	return SPK_INVENTORY_OK;
}

/* One half of an HMAC: the hash of the padded key and `bytes`. */
static bool hash_half(const struct known *known, const unsigned char *key, unsigned char padding,
		      const void *bytes, size_t length, unsigned char out[static LINE_HASH_SIZE])
{
	unsigned char block[HASH_BLOCK];

	memset(block, padding, sizeof(block));
	for (size_t i = 0; i < LINE_HASH_SIZE; i++)
		block[i] ^= key[i];
	return EVP_DigestInit_ex2(known->context, known->sha1, NULL) &&
	       EVP_DigestUpdate(known->context, block, sizeof(block)) &&
	       EVP_DigestUpdate(known->context, bytes, length) &&
	       EVP_DigestFinal_ex(known->context, out, NULL);
}

static bool is_hash_of(const struct known *known, const struct line_hashed *hashed,
		       const char *name)
{
	unsigned char inner[LINE_HASH_SIZE], outer[LINE_HASH_SIZE];

	return hash_half(known, hashed->salt, 0x36, name, strlen(name), inner) &&
	       hash_half(known, hashed->salt, 0x5c, inner, sizeof(inner), outer) &&
	       memcmp(outer, hashed->hash, sizeof(outer)) == 0;
}

static int knows(void *data, const char *name, struct spk_inventory_call *call)
{
	struct known *known = data;
	char *lower = memory_copy(name);
	int found = 0;

	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (size_t i = 0; i < known->hashed_count && found == 0; i++) {
		if (++known->asked % LOOK_EVERY == 0 && !call_goes_on(call))
			found = -1;
		else
			found = is_hash_of(known, &known->hashed[i], lower);
	}
	memory_free(lower);
	return found;
}

const struct spk_inventory_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_inventory_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "inventory",
		   .name = "knownhosts"},
	.language = SPK_INVENTORY_TERMS,
	.open = open_known,
	.close = close_known,
	.find = find,
	.knows = knows,
};
