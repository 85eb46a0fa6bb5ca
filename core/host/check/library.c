/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/buf.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "elfversion.h"
#include "../tree/pool.h"

#define CACHE "/etc/ld.so.cache"
#define CACHE_MAX ((size_t)16 << 20)
#define LIBRARIES_MAX 512
#define NEEDED_MAX 256
#define TEXT_MAX ((size_t)65536)

struct provided {
	const char *name, *version; /* "" without one */
};

struct library {
	const char *name, *path;
	struct provided *symbols; /* by name */
	size_t symbol_count, symbol_capacity;
	const char **versions;
	size_t version_count, version_capacity;
	const struct library *needed[NEEDED_MAX];
	size_t needed_count;
	struct driver_needs needs; /* of the library alone */
	unsigned long visited;     /* the last search that came by */
};

struct libraries {
	struct pool *pool;
	const char *spicerack;
	struct elf elf;
	struct library *all[LIBRARIES_MAX];
	size_t count;
	unsigned long search;
	char *cache; /* of the loader; NULL: not read yet, or there is none */
	size_t cache_size;
};

struct libraries *libraries_new(const char *spicerack)
{
	struct libraries *libraries = xcalloc(1, sizeof(*libraries));

	libraries->pool = pool_new(65536);
	libraries->spicerack = spicerack;
	return libraries;
}

static void forget_last(struct libraries *libraries)
{
	struct library *library = libraries->all[--libraries->count];

	free(library->symbols);
	driver_needs_free(&library->needs);
	free((void *)library->versions);
	free(library);
}

void libraries_free(struct libraries *libraries)
{
	if (!libraries)
		return;
	while (libraries->count)
		forget_last(libraries);
	elf_close(&libraries->elf);
	free(libraries->cache);
	pool_free(libraries->pool);
	free(libraries);
}

/* Where it is */

/* -1 for what is no file: a name may lead to a device, which opening would touch. */
static int open_library(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static int try_in(const char *directory, size_t length, const char *name, struct buf *path)
{
	buf_clear(path);
	buf_add(path, directory, length);
	buf_putc(path, '/');
	buf_puts(path, name);
	return open_library(path->text);
}

static int try_runpath(const char *runpath, const char *origin, const char *name, struct buf *path)
{
	const char *slash = strrchr(origin, '/');
	struct buf place = {0};
	int fd = -1;

	for (const char *entry = runpath; fd < 0 && *entry;) {
		size_t length = strcspn(entry, ":");
		size_t variable = strncmp(entry, "$ORIGIN", 7) == 0     ? 7
				  : strncmp(entry, "${ORIGIN}", 9) == 0 ? 9
									: 0;

		buf_clear(&place);
		if (variable)
			buf_add(&place, slash ? origin : ".", slash ? (size_t)(slash - origin) : 1);
		if (variable <= length)
			buf_add(&place, entry + variable, length - variable);
		fd = try_in(buf_text(&place), place.length, name, path);
		entry += length + (entry[length] == ':');
	}
	buf_free(&place);
	return fd;
}

static void read_cache(struct libraries *libraries)
{
	int fd = open(CACHE, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	libraries->cache = xcalloc(1, 1);
	if (fd < 0)
		return;
	for (;;) {
		libraries->cache = xreallocarray(libraries->cache, libraries->cache_size + 65537,
						 1);
		got = read(fd, libraries->cache + libraries->cache_size, 65536);
		if (got <= 0 || libraries->cache_size > CACHE_MAX)
			break;
		libraries->cache_size += (size_t)got;
	}
	libraries->cache[libraries->cache_size] = '\0';
	close(fd);
}

/* The loader's cache: a head, entries, texts; offsets count from the head. See ldconfig(8). */
static int try_cache(struct libraries *libraries, const char *name, struct buf *path)
{
	static const char magic[] = "glibc-ld.so.cache1.1";
	struct {
		int32_t flags;
		uint32_t key, value, os_version;
		uint64_t hardware;
	} entry;
	uint32_t count;
	const char *head;
	size_t rest;
	int fd = -1;

	if (!libraries->cache)
		read_cache(libraries);
	head = memmem(libraries->cache, libraries->cache_size, magic, sizeof(magic) - 1);
	if (!head)
		return -1;
	rest = libraries->cache_size - (size_t)(head - libraries->cache);
	if (rest < 48)
		return -1;
	memcpy(&count, head + 20, sizeof(count));
	for (size_t i = 0; fd < 0 && i < count && 48 + (i + 1) * sizeof(entry) <= rest; i++) {
		memcpy(&entry, head + 48 + i * sizeof(entry), sizeof(entry));
		if (entry.key >= rest || entry.value >= rest || entry.hardware ||
		    strcmp(head + entry.key, name) != 0)
			continue;
		buf_clear(path);
		buf_puts(path, head + entry.value);
		fd = open_library(buf_text(path));
		if (fd >= 0 &&
		    elf_open_library(&libraries->elf, fd, (uint64_t)lseek(fd, 0, SEEK_END), NULL) <
			    0 &&
		    libraries->elf.fault == ELF_FOREIGN) { /* another architecture's */
			close(fd);
			fd = -1;
		}
	}
	return fd;
}

static int find_file(struct libraries *libraries, const char *name, const char *origin,
		     const char *runpath, struct buf *path)
{
	static const char *const usual[] = {
#ifdef __x86_64__
		"/lib/x86_64-linux-gnu",
		"/usr/lib/x86_64-linux-gnu",
#else
		"/lib/aarch64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu",
#endif
		"/lib64",
		"/usr/lib64",
		"/lib",
		"/usr/lib"};
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there are no threads, and nobody sets variables */
	const char *first = getenv("LD_LIBRARY_PATH");
	const char *base = strrchr(libraries->spicerack, '/');
	int fd = -1;

	buf_clear(path);
	if (strchr(name, '/')) {
		buf_puts(path, name);
		return open_library(name);
	}
	if (strcmp(name, base ? base + 1 : libraries->spicerack) == 0) {
		buf_puts(path, libraries->spicerack);
		fd = open_library(libraries->spicerack);
	}
	if (fd < 0 && first && origin)
		fd = try_runpath(first, origin, name, path);
	if (fd < 0 && runpath && origin)
		fd = try_runpath(runpath, origin, name, path);
	if (fd < 0)
		fd = try_cache(libraries, name, path);
	for (size_t i = 0; fd < 0 && i < sizeof(usual) / sizeof(usual[0]); i++)
		fd = try_in(usual[i], strlen(usual[i]), name, path);
	return fd;
}

/* What is in it */

static int by_name(const void *a, const void *b)
{
	const struct provided *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* A symbol table being read. */
struct reading {
	struct libraries *libraries;
	struct library *library;
	struct elf_versions versions;
};

static bool take_symbol(void *data, const struct elf_entry *entry)
{
	struct reading *reading = data;
	struct library *library = reading->library;
	const char *version, *kind;

	kind = entry->section == SHN_UNDEF ? driver_need_of_call(entry->name)
					   : driver_need_of_symbol(entry->name);
	if (kind)
		driver_needs_add(&library->needs,
				 pool_text(reading->libraries->pool, kind, strlen(kind)),
				 library->name);
	if (entry->section == SHN_UNDEF || !*entry->name ||
	    (entry->binding != STB_GLOBAL && entry->binding != STB_WEAK &&
	     entry->binding != STB_GNU_UNIQUE))
		return true;
	version = elf_version_of(&reading->libraries->elf, &reading->versions, entry->index, NULL);
	library->symbols = xgrow(library->symbols, library->symbol_count, &library->symbol_capacity,
				 sizeof(*library->symbols));
	library->symbols[library->symbol_count++] = (struct provided){
		.name = pool_text(reading->libraries->pool, entry->name, strlen(entry->name)),
		.version = pool_text(reading->libraries->pool, version, strlen(version)),
	};
	return true;
}

static int read_library(struct libraries *libraries, struct library *library, struct err *err)
{
	struct reading reading = {.libraries = libraries, .library = library};
	int rc = -1;

	if (elf_versions_read(&libraries->elf, &reading.versions, err) < 0)
		return -1;
	if (elf_dynamic_symbols(&libraries->elf, take_symbol, &reading, err) < 0)
		goto out;
	if (library->symbol_count > 1)
		qsort(library->symbols, library->symbol_count, sizeof(*library->symbols), by_name);
	for (size_t i = 0; i < reading.versions.count; i++) {
		if (reading.versions.items[i].file)
			continue;
		library->versions = xgrow(library->versions, library->version_count,
					  &library->version_capacity, sizeof(*library->versions));
		library->versions[library->version_count++] =
			pool_text(libraries->pool, reading.versions.items[i].name,
				  strlen(reading.versions.items[i].name));
	}
	rc = 0;
out:
	elf_versions_free(&reading.versions);
	return rc;
}

/* The names of what it needs, before the reader turns to the next file. */
static size_t read_needed(struct libraries *libraries, const char **names, const char **ret_runpath)
{
	struct elf *elf = &libraries->elf;
	size_t left = TEXT_MAX, count = 0;

	*ret_runpath = NULL;
	for (size_t i = 0; i < elf->dynamic_count; i++) {
		uint64_t tag, value;
		char *text;

		if (elf_dynamic(elf, i, &tag, &value, NULL) < 0)
			break;
		if (tag != DT_NEEDED && tag != DT_RUNPATH && tag != DT_RPATH)
			continue;
		if (elf_dynamic_text(elf, value, &left, &text, NULL) < 0)
			break;
		if (tag != DT_NEEDED)
			*ret_runpath = pool_text(libraries->pool, text, strlen(text));
		else if (count < NEEDED_MAX)
			names[count++] = pool_text(libraries->pool, text, strlen(text));
		free(text);
	}
	return count;
}

const struct library *libraries_find(struct libraries *libraries, const char *name,
				     const char *origin, const char *runpath, struct err *err)
{
	const char *names[NEEDED_MAX], *own_runpath;
	struct library *library = NULL;
	struct buf path = {0};
	struct err cause;
	size_t count;
	int fd;

	for (size_t i = 0; i < libraries->count; i++)
		if (strcmp(libraries->all[i]->name, name) == 0)
			return libraries->all[i];
	if (libraries->count == LIBRARIES_MAX) {
		err_set(err, "too many libraries");
		return NULL;
	}
	fd = find_file(libraries, name, origin, runpath, &path);
	if (fd < 0) {
		err_set(err, "not found");
		goto out;
	}
	if (elf_open_library(&libraries->elf, fd, (uint64_t)lseek(fd, 0, SEEK_END), &cause) < 0) {
		err_set(err, "%.200s: %s", buf_text(&path), cause.text);
		goto out;
	}
	library = xcalloc(1, sizeof(*library));
	library->name = pool_text(libraries->pool, name, strlen(name));
	library->path = pool_text(libraries->pool, path.text, path.length);
	libraries->all[libraries->count++] = library; /* before what it needs: that may be itself */
	if (read_library(libraries, library, &cause) < 0) {
		err_set(err, "%.200s: %s", library->path, cause.text);
		forget_last(libraries);
		library = NULL;
		goto out;
	}
	count = read_needed(libraries, names, &own_runpath);
	for (size_t i = 0; i < count; i++) {
		const struct library *needed = libraries_find(libraries, names[i], library->path,
							      own_runpath, NULL);

		if (needed)
			library->needed[library->needed_count++] = needed;
	}
out:
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return library;
}

const char *library_path(const struct library *library)
{
	return library->path;
}

bool library_has_version(const struct library *library, const char *version)
{
	for (size_t i = 0; i < library->version_count; i++)
		if (strcmp(library->versions[i], version) == 0)
			return true;
	return library->version_count == 0;
}

const char *library_last_version(const struct library *library, const char *version)
{
	size_t stem = strcspn(version, "_");
	const char *last = NULL;

	for (size_t i = 0; i < library->version_count; i++) {
		const char *other = library->versions[i];

		if (strncmp(other, version, stem) == 0 && other[stem] == '_' &&
		    other[stem + 1] >= '0' && other[stem + 1] <= '9' &&
		    (!last || strverscmp(other, last) > 0))
			last = other;
	}
	return last;
}

static bool provides(struct libraries *libraries, struct library *library, const char *symbol,
		     const char *version)
{
	const struct provided key = {.name = symbol};
	const struct provided *end = library->symbols + library->symbol_count, *found;

	if (library->visited == libraries->search)
		return false;
	library->visited = libraries->search;
	found = library->symbol_count ? bsearch(&key, library->symbols, library->symbol_count,
						sizeof(key), by_name)
				      : NULL;
	while (found && found > library->symbols && strcmp(found[-1].name, symbol) == 0)
		found--;
	for (; found && found < end && strcmp(found->name, symbol) == 0; found++)
		if (!*version || !*found->version || strcmp(found->version, version) == 0)
			return true;
	for (size_t i = 0; i < library->needed_count; i++)
		if (provides(libraries, (struct library *)(uintptr_t)library->needed[i], symbol,
			     version))
			return true;
	return false;
}

bool library_provides(struct libraries *libraries, const struct library *library,
		      const char *symbol, const char *version)
{
	libraries->search++;
	return provides(libraries, (struct library *)(uintptr_t)library, symbol, version);
}

static void add_needs(struct libraries *libraries, struct library *library,
		      struct driver_needs *needs)
{
	/* Ours has all of the calls, and makes some itself. */
	if (library->visited == libraries->search ||
	    strcmp(library->path, libraries->spicerack) == 0)
		return;
	library->visited = libraries->search;
	for (size_t i = 0; i < library->needs.count; i++)
		driver_needs_add(needs, library->needs.items[i].kind, library->needs.items[i].by);
	for (size_t i = 0; i < library->needed_count; i++)
		add_needs(libraries, (struct library *)(uintptr_t)library->needed[i], needs);
}

void library_add_needs(struct libraries *libraries, const struct library *library,
		       struct driver_needs *needs)
{
	libraries->search++;
	add_needs(libraries, (struct library *)(uintptr_t)library, needs);
}
