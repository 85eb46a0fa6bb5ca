/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON value with all that is in it, as a tree in memory of the run: plain data, which a fresh
 * process can read after a crash.
 */
#ifndef SPICERACK_MODULES_JSONVALUE_H
#define SPICERACK_MODULES_JSONVALUE_H

#include <spicerack/json.h>

#include "../runtime/session.h"
#include "../runtime/strtable.h"

#define JSON_MAGIC 0x6a736e1eU

struct spk_json {
	uint32_t magic;
	uint32_t type; /* enum spk_json_type */
	uint32_t count, capacity;
	bool flag;
	const char *name;        /* in its object; else NULL */
	struct spk_json *parent; /* NULL: a whole document */
	const char *text;        /* of a number, too, as it is written */
	struct spk_json **items;
	struct strtable *index; /* of an object with many members: its members by name */
};

/* The head of a document: its value, then where it is from. */
struct json_document {
	struct spk_json value;
	struct spk *spk;
	const char *from;
};

/* The document that a value is in. */
const struct json_document *json_document_of(const struct spk_json *value);

/* A document with a value of this type, still empty. `from` is kept. */
struct spk_json *json_document_new(struct spk *spk, enum spk_json_type type, const char *from);

/* A value for an item of `parent`, or for the member of that name, which is kept; it is not in
 * there yet. */
struct spk_json *json_value_new(struct spk_json *parent, enum spk_json_type type, const char *name);

/* Puts it behind the others. A member of that name is not there yet. */
void json_value_append(struct spk_json *parent, struct spk_json *value);

/* Puts it in the place of another of the same name, or behind the others. */
void json_value_put(struct spk_json *object, struct spk_json *value);

/* The member of an object, or NULL. */
struct spk_json *json_value_member(const struct spk_json *object, const char *name);

/* Takes a member away. */
void json_value_remove(struct spk_json *object, struct spk_json *member);

/* "an object", "a text" ... */
const char *json_type_text(uint32_t type);

#endif
