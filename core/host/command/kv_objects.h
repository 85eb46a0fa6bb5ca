/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and their values, as they are read from a store or from a file of `spicerack kv export`. */
#ifndef SPICERACK_HOST_KV_OBJECTS_H
#define SPICERACK_HOST_KV_OBJECTS_H

#include <spicerack/plugin.h>

#include "../../runtime/buf.h"
#include "../../runtime/err.h"

struct kv_object {
	char *key, *value;
	size_t length, line; /* of the value; of the file */
	uint64_t revision;
};

/* Zero-initialised is empty. */
struct kv_objects {
	struct kv_object *items;
	size_t count, capacity;
};

/* A spk_kv_visitor: `data` is the list. */
bool kv_objects_add(void *data, const struct spk_kv_item *item);
void kv_objects_free(struct kv_objects *objects);
/* The object of that key in a list that is in the order of its keys; NULL: none. */
const struct kv_object *kv_objects_find(const struct kv_objects *objects, const char *key);

/* Whether it is what conftool writes: a JSON object. */
bool kv_value_ok(const char *value, size_t length);

/* Appends one line that kv_objects_read() reads. False when the value is no JSON object. */
bool kv_object_write(const struct kv_object *object, struct buf *out);
/*
 * Reads such lines, in the order of their keys. -1 with `FILE:LINE: ...`, also for a key that is
 * there twice.
 */
MUST_CHECK int kv_objects_read(const char *file, const char *text, size_t length,
			       struct kv_objects *ret, struct err *err);

/* The key that all of them are below, or "/". The caller frees it. */
char *kv_objects_above(const struct kv_objects *objects);

#endif
