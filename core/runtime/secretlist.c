/* SPDX-License-Identifier: Apache-2.0 */
#include "secretlist.h"

#include <string.h>
#include <unistd.h>

#include "secretforms.h"
#include "secretmem.h"

/* The text and then its other forms, each with its NUL; an empty one is the last. */
struct entry {
	uint64_t serial; /* 0: free */
	char *memory;
	size_t size;
};

static struct entry *entries; /* secret memory, too, so that a forked child finds it empty */
static uint32_t used;         /* entries behind it are free */

struct filler {
	char *out; /* NULL: only measured */
	size_t used;
};

static int add_form(void *data, const char *form, size_t length, bool part)
{
	struct filler *filler = data;

	if (part)
		return 0;
	if (filler->out) {
		memcpy(filler->out + filler->used, form, length);
		filler->out[filler->used + length] = '\0';
	}
	filler->used += length + 1;
	return 0;
}

static int fill(struct entry *entry, const char *text, size_t length, bool *ret_locked,
		struct err *err)
{
	struct filler filler = {0};

	if (secretforms_make(text, length, add_form, &filler, err) < 0)
		return -1;
	entry->size = filler.used + 1;
	entry->memory = secretmem_map(entry->size, ret_locked, err);
	if (!entry->memory)
		return -1;
	filler = (struct filler){.out = entry->memory};
	if (secretforms_make(text, length, add_form, &filler, err) == 0)
		return 0;
	secretmem_unmap(entry->memory, entry->size);
	return -1;
}

int secretlist_add(const char *text, size_t length, struct secretlist_place *ret, bool *ret_locked,
		   struct err *err)
{
	static uint64_t serial;
	struct entry entry = {0};
	uint32_t index = 0;

	if (!entries)
		entries = secretmem_map(SECRETLIST_MAX * sizeof(*entries), NULL, err);
	if (!entries)
		return -1;
	while (index < SECRETLIST_MAX && entries[index].serial)
		index++;
	if (index == SECRETLIST_MAX)
		return err_set(err, "%d secrets are alive already", SECRETLIST_MAX);
	if (fill(&entry, text, length, ret_locked, err) < 0)
		return -1;
	/* The handle of a process that died must not name a secret of the one that follows it. */
	if (serial >> 32 != (uint64_t)getpid())
		serial = (uint64_t)getpid() << 32;
	entry.serial = ++serial;
	entries[index] = entry;
	if (index >= used)
		used = index + 1;
	*ret = (struct secretlist_place){.index = index, .serial = serial};
	return 0;
}

static struct entry *find(const struct secretlist_place *place)
{
	if (place->index >= used || !place->serial || entries[place->index].serial != place->serial)
		return NULL;
	return &entries[place->index];
}

const char *secretlist_text(const struct secretlist_place *place)
{
	const struct entry *entry = find(place);

	return entry ? entry->memory : NULL;
}

void secretlist_remove(const struct secretlist_place *place)
{
	struct entry *entry = find(place);

	if (!entry)
		return;
	secretmem_unmap(entry->memory, entry->size);
	*entry = (struct entry){0};
}

bool secretlist_is_in(const char *text)
{
	for (uint32_t i = 0; i < used; i++) {
		const char *form = entries[i].serial ? entries[i].memory : "";

		for (; *form; form += strlen(form) + 1)
			if (strstr(text, form))
				return true;
	}
	return false;
}
