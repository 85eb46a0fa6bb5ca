/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of hosts for cookbooks, in memory of the run. */
#include <spicerack/hosts.h>

#include <stdlib.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "../runtime/copy.h"
#include "../runtime/hostset.h"
#include "../runtime/mem.h"
#include "../runtime/misuse.h"

#define HOSTS_MAGIC 0x686f731eU
#define WALK_MAGIC 0x68776c1eU
/* Of a set in a message. */
#define SHOWN 200

struct spk_hosts {
	uint32_t magic;
	struct spk *spk;
	const struct hostset *set;
	/* Made when first asked for, as they do not change. NULL: not yet. */
	const char *folded;
	const char *const *names;
};

struct spk_hosts_walk {
	uint32_t magic;
	struct hostset_walk walk;
};

/* A set on its way into memory of the run, which may have an end. */
struct keeping {
	const struct hostset *set;
	struct spk_hosts *hosts;
};

static void keep_in_run(struct spk *spk, void *argument)
{
	struct keeping *keeping = argument;
	size_t bytes = hostset_bytes(keeping->set);
	void *set = spk_alloc(spk, bytes);
	struct spk_hosts *hosts = SPK_NEW(spk, struct spk_hosts);

	memcpy(set, keeping->set, bytes);
	hosts->spk = spk;
	hosts->set = set;
	hosts->magic = HOSTS_MAGIC;
	keeping->hosts = hosts;
}

/* The handle of a set, which is freed. */
static const struct spk_hosts *keep(struct spk *spk, struct hostset *set)
{
	struct keeping keeping = {.set = set};
	const struct spk_error *error = NULL;
	bool done = spk_try(spk, keep_in_run, &keeping, &error);

	hostset_free(set);
	if (!done)
		spk_raise_again(spk, error);
	return keeping.hosts;
}

const struct spk_hosts *spk_hosts_parse(struct spk *spk, const char *expression)
{
	struct hostset *set;
	struct err err;

	CHECK_SPK(spk);
	CHECK_GIVEN(expression);
	if (hostset_parse(expression, strlen(expression), &set, &err) < 0)
		spk_raise(spk, "hosts.syntax", NULL, "%s", err.text);
	return keep(spk, set);
}

const struct spk_hosts *spk_hosts_of(struct spk *spk, spk_strings names)
{
	struct hostset *set;
	struct err err;

	CHECK_SPK(spk);
	CHECK_LIST(names);
	if (hostset_of(names.items, names.count, &set, &err) < 0)
		spk_raise(spk, "hosts.syntax", NULL, "%s", err.text);
	return keep(spk, set);
}

size_t spk_hosts_count(const struct spk_hosts *hosts)
{
	CHECK_HANDLE(hosts, HOSTS_MAGIC);
	return hostset_count(hosts->set);
}

const char *spk_hosts_fold(const struct spk_hosts *hosts)
{
	struct buf text = {0};
	const char *folded;

	CHECK_HANDLE(hosts, HOSTS_MAGIC);
	if (hosts->folded)
		return hosts->folded;
	hostset_fold(hosts->set, &text);
	folded = copy_buf(hosts->spk, &text);
	((struct spk_hosts *)(uintptr_t)hosts)->folded = folded;
	return folded;
}

spk_strings spk_hosts_names(const struct spk_hosts *hosts)
{
	struct hostset_walk walk;
	size_t count, bytes = 0, at = 0;
	const char **items;
	char *end;

	CHECK_HANDLE(hosts, HOSTS_MAGIC);
	count = hostset_count(hosts->set);
	if (hosts->names || count == 0)
		return (spk_strings){hosts->names, count};
	hostset_walk_start(&walk, hosts->set);
	while (hostset_walk_next(&walk))
		bytes += walk.length + 1;
	items = spk_alloc(hosts->spk, count * sizeof(char *) + bytes);
	end = (char *)(items + count);
	hostset_walk_start(&walk, hosts->set);
	while (hostset_walk_next(&walk)) {
		items[at++] = end;
		end = (char *)mempcpy(end, walk.name, walk.length) + 1;
	}
	((struct spk_hosts *)(uintptr_t)hosts)->names = items;
	return (spk_strings){items, count};
}

struct spk_hosts_walk *spk_hosts_walk(const struct spk_hosts *hosts)
{
	struct spk_hosts_walk *walk;

	CHECK_HANDLE(hosts, HOSTS_MAGIC);
	walk = SPK_NEW(hosts->spk, struct spk_hosts_walk);
	hostset_walk_start(&walk->walk, hosts->set);
	walk->magic = WALK_MAGIC;
	return walk;
}

const char *spk_hosts_next(struct spk_hosts_walk *walk)
{
	CHECK_HANDLE(walk, WALK_MAGIC);
	return hostset_walk_next(&walk->walk) ? walk->walk.name : NULL;
}

bool spk_hosts_has(const struct spk_hosts *hosts, const char *name)
{
	CHECK_HANDLE(hosts, HOSTS_MAGIC);
	CHECK_GIVEN(name);
	return hostset_has(hosts->set, name);
}

bool spk_hosts_within(const struct spk_hosts *a, const struct spk_hosts *b)
{
	CHECK_HANDLE(a, HOSTS_MAGIC);
	CHECK_HANDLE(b, HOSTS_MAGIC);
	return hostset_within(a->set, b->set);
}

bool spk_hosts_equal(const struct spk_hosts *a, const struct spk_hosts *b)
{
	CHECK_HANDLE(a, HOSTS_MAGIC);
	CHECK_HANDLE(b, HOSTS_MAGIC);
	return hostset_equal(a->set, b->set);
}

static const struct spk_hosts *combine(const struct spk_hosts *a, const struct spk_hosts *b,
				       struct boxes_kept kept)
{
	struct hostset *set;
	struct err err;

	if (hostset_combine(a->set, b->set, kept, &set, &err) < 0)
		spk_raise(a->spk, "hosts.size", NULL, "%s", err.text);
	return keep(a->spk, set);
}

const struct spk_hosts *spk_hosts_union(const struct spk_hosts *a, const struct spk_hosts *b)
{
	CHECK_HANDLE(a, HOSTS_MAGIC);
	CHECK_HANDLE(b, HOSTS_MAGIC);
	return combine(a, b, HOSTSET_UNION);
}

const struct spk_hosts *spk_hosts_minus(const struct spk_hosts *a, const struct spk_hosts *b)
{
	CHECK_HANDLE(a, HOSTS_MAGIC);
	CHECK_HANDLE(b, HOSTS_MAGIC);
	return combine(a, b, HOSTSET_MINUS);
}

const struct spk_hosts *spk_hosts_intersection(const struct spk_hosts *a, const struct spk_hosts *b)
{
	CHECK_HANDLE(a, HOSTS_MAGIC);
	CHECK_HANDLE(b, HOSTS_MAGIC);
	return combine(a, b, HOSTSET_INTERSECTION);
}

const struct spk_hosts *spk_hosts_symmetric_difference(const struct spk_hosts *a,
						       const struct spk_hosts *b)
{
	CHECK_HANDLE(a, HOSTS_MAGIC);
	CHECK_HANDLE(b, HOSTS_MAGIC);
	return combine(a, b, HOSTSET_SYMMETRIC);
}

static const struct spk_hosts *slice(const struct spk_hosts *hosts, size_t first, size_t count)
{
	struct hostset *set;
	struct err err;

	if (hostset_slice(hosts->set, first, count, &set, &err) < 0)
		spk_raise(hosts->spk, "hosts.size", NULL, "%s", err.text);
	return keep(hosts->spk, set);
}

const struct spk_hosts *spk_hosts_slice(const struct spk_hosts *hosts, size_t first, size_t count)
{
	CHECK_HANDLE(hosts, HOSTS_MAGIC);
	return slice(hosts, first, count);
}

/* Sets on their way into memory of the run. */
struct splitting {
	struct hostset **sets;
	const struct spk_hosts **items;
	size_t count;
};

static void keep_parts(struct spk *spk, void *argument)
{
	struct splitting *splitting = argument;

	splitting->items = spk_alloc(spk, splitting->count * sizeof(splitting->items[0]));
	for (size_t i = 0; i < splitting->count; i++) {
		struct keeping keeping = {.set = splitting->sets[i]};

		keep_in_run(spk, &keeping);
		splitting->items[i] = keeping.hosts;
	}
}

spk_hosts_list spk_hosts_split(const struct spk_hosts *hosts, size_t parts)
{
	struct splitting splitting = {.count = parts};
	const struct spk_error *error = NULL;
	struct err err;
	bool done;

	CHECK_HANDLE(hosts, HOSTS_MAGIC);
	CHECK_GIVEN(parts);
	if (splitting.count > hostset_count(hosts->set))
		splitting.count = hostset_count(hosts->set);
	if (splitting.count == 0)
		return (spk_hosts_list){0};
	splitting.sets = xcalloc(splitting.count, sizeof(splitting.sets[0]));
	if (hostset_split(hosts->set, splitting.count, splitting.sets, &err) < 0) {
		free(splitting.sets);
		spk_raise(hosts->spk, "hosts.size", NULL, "%s", err.text);
	}
	done = spk_try(hosts->spk, keep_parts, &splitting, &error);
	for (size_t i = 0; i < splitting.count; i++)
		hostset_free(splitting.sets[i]);
	free(splitting.sets);
	if (!done)
		spk_raise_again(hosts->spk, error);
	return (spk_hosts_list){splitting.items, splitting.count};
}

const struct spk_hosts *spk_hosts_exactly(const struct spk_hosts *hosts, size_t count)
{
	size_t found;

	CHECK_HANDLE(hosts, HOSTS_MAGIC);
	found = hostset_count(hosts->set);
	if (found != count) {
		const char *folded = spk_hosts_fold(hosts);

		spk_raise(hosts->spk, "hosts.count", NULL, "expected %zu host%s, got %zu%s%.*s%s",
			  count, count == 1 ? "" : "s", found, found ? ": " : "", SHOWN, folded,
			  strlen(folded) > SHOWN ? "..." : "");
	}
	return hosts;
}
