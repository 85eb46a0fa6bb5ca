/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of confctl.h share: confentity.c reads the schema, confstore.c is the store of
 * this process, confctl.c selects objects, confobject.c is what is in them, confvalue.c the types
 * of fields, confmerge.c an object with other fields, confwrite.c changes them. All handles are
 * plain data in memory of the run.
 */
#ifndef SPICERACK_MODULES_CONF_H
#define SPICERACK_MODULES_CONF_H

#include <spicerack/confctl.h>
#include <spicerack/error.h>
#include <spicerack/session.h>

#include "../runtime/jsonscan.h"
#include "../runtime/kvstore.h"
#include "../runtime/session.h"

#define CONFCTL_MAGIC 0x636f6e66U
#define OBJECT_MAGIC 0x636f626aU

/* The types of a schema. */
enum conf_type {
	CONF_INT,
	CONF_STRING,
	CONF_BOOL,
	CONF_ENUM,
	CONF_LIST,
	CONF_DICT,
	CONF_CIDR_LIST,
	CONF_ANY,
};

struct conf_field {
	const char *name;
	enum conf_type type;
	spk_strings choices; /* of ENUM */
	const char *initial; /* its default, as JSON */
};

struct spk_confctl {
	uint32_t magic;
	bool free_form;   /* fields that are not in the schema are good, too */
	bool json_schema; /* there are rules in JSON schema, which nobody checks here */
	struct spk *spk;
	const char *name; /* of the entity */
	const char *path; /* of its objects: "/conftool/v1/pools" */
	spk_strings tags;
	const struct conf_field *fields;
	size_t field_count;
};

struct spk_confctl_object {
	uint32_t magic;
	const struct spk_confctl *confctl;
	const char *key, *path, *name;
	const char *value; /* a JSON object */
	spk_strings parts; /* values of its tags, and its name */
	uint64_t revision;
};

/* A field that gets a value. */
struct conf_setting {
	const char *name;
	const char *json;
};

/* ---- confentity.c ---- */

/* The field of that name, NULL when the schema has none. */
const struct conf_field *conf_field_find(const struct spk_confctl *confctl, const char *name);
/* The same; raises `confctl.value` unless the entity is free of form. */
const struct conf_field *conf_field_get(const struct spk_confctl *confctl, const char *name);

/* ---- confvalue.c ---- */

/* The value as JSON, in memory of the run. Raises `confctl.value` unless it is of the field's type.
 */
const char *conf_value_json(const struct spk_confctl *confctl, const char *field,
			    const spk_conf_value *value);
/* Whether the JSON is of the type of the field, which may be NULL for any. */
bool conf_value_fits(const struct conf_field *field, struct json_slice value);
/* A text that is JSON, as the value that it is. */
struct json_slice conf_slice(const char *json);

/* ---- confmerge.c ---- */

/* What an object has in a field, or its default; without a text where it has neither. */
struct json_slice conf_current(const struct spk_confctl *confctl, struct json_slice object,
			       const char *field);
/*
 * Appends the object with these fields set, and with the defaults of fields of the schema that it
 * lacks. False, and nothing appended, when it has all of them already.
 */
bool conf_merge(const struct spk_confctl *confctl, struct json_slice object,
		const struct conf_setting *settings, size_t count, struct buf *out);

/* ---- confstore.c ---- */

/* All that is below a key. Raises `confctl.store` and `interrupted`, never from the visitor. */
void conf_list(struct spk *spk, const char *prefix, spk_kv_visitor *visitor, void *data);
/* One key into memory of the run; NULL when it is not there. Raises as above. */
const char *conf_get(struct spk *spk, const char *key, uint64_t *ret_revision);
/* How many changes one write takes. */
size_t conf_most(struct spk *spk);
/*
 * OK, or CONFLICT or UNCERTAIN: the keys have to be read again. Raises otherwise, with what
 * `before` says of what was done before.
 */
enum spk_kv_status conf_write(struct spk *spk, const struct spk_kv_change *changes, size_t count,
			      const char *before);

/* ---- confctl.c ---- */

/* Those that match, perhaps none. `function` is for what is misuse. */
spk_confctl_objects conf_select(struct spk_confctl *confctl, spk_conf_tags tags,
				const char *function);
/* The same, at least one. */
spk_confctl_objects conf_select_some(struct spk_confctl *confctl, spk_conf_tags tags,
				     const char *function);
/* Whether the value of a key is one of an object; *ret is then it. */
bool conf_object_value(const char *text, size_t length, struct json_slice *ret);

#endif
