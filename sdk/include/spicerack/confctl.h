/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of conftool: which servers are pooled with what weight, which datacenters a service
 * answers from, and whatever else a schema describes, kept in etcd or in a file of this machine.
 *
 *     struct spk_confctl *nodes = spk_confctl(spk, "node");
 *     {
 *     	SPK_SCOPED(spk_confctl_changed(nodes, "pooled", SPK_CONF("yes"), SPK_CONF("no"),
 *     				       SPK_CONF_TAGS({"dc", "dc1"}, {"name", "web1|web2"})));
 *     	spk_remote_run(...);
 *     }
 *
 * An object has a name, tags and fields. It is selected by regular expressions of its tags, each
 * of which has to match the whole tag: `apache2|nginx` selects these two and not `apache2-ssl`,
 * unlike in the Python host. The tag "name" is the object's name; a tag that is not given matches
 * all.
 *
 * The schema gives each field a type, and a value of another one is refused before anything is
 * sent. A write looks at what it overwrites: who is faster wins, and the change is then made to
 * what that one has written. What others keep in an object beside the fields that are changed
 * stays byte by byte.
 *
 * In dry-run all is read as it is; of a write the log tells the old and the new value. Objects that
 * were read stay as they were read.
 *
 * Kinds of errors: `confctl.config` (the configuration, the schema, no such entity),
 * `confctl.selector` (no such tag, no such pattern, or one that takes too many steps),
 * `confctl.missing` (no object matches), `confctl.value` (no such field, or not its type),
 * `confctl.data` (what is stored makes no sense), `confctl.store` (the store is out of reach, or
 * refuses), `confctl.conflict` (others write all the time), `confctl.verify` (a field has another
 * value than was set), `interrupted`.
 */
#ifndef SPICERACK_CONFCTL_H
#define SPICERACK_CONFCTL_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_scope;

/* An entity of the schema, "node" or "discovery". It belongs to the run. */
struct spk_confctl;

/* An object as it was read. It belongs to the run, and never changes. */
struct spk_confctl_object;

/* A counted list of them, in the order of their paths. Since 1.0. */
typedef struct spk_confctl_objects {
	const struct spk_confctl_object *const *items;
	size_t count;
} spk_confctl_objects;

/* What a tag has to match, as a whole: a regular expression, PCRE2's. Since 1.0. */
struct spk_conf_tag {
	const char *name;
	const char *pattern;
};

/* Tags that all have to match; none: all objects. Since 1.0. */
typedef struct spk_conf_tags {
	const struct spk_conf_tag *items;
	size_t count;
} spk_conf_tags;

/*
 * SPK_CONF_TAGS({"dc", "dc1"}, {"service", "apache2|nginx"}). Names that were not written as
 * patterns pass spk_confctl_names() first.
 */
#define SPK_CONF_TAGS(...)                                                                         \
	((spk_conf_tags){.items = (const struct spk_conf_tag[]){__VA_ARGS__},                      \
			 .count = sizeof((const struct spk_conf_tag[]){__VA_ARGS__}) /             \
				  sizeof(struct spk_conf_tag)})
/* All objects of the entity. */
#define SPK_CONF_ALL ((spk_conf_tags){.items = NULL, .count = 0})

enum spk_conf_type {
	SPK_CONF_TYPE_TEXT = 1,    /* for the types string and enum */
	SPK_CONF_TYPE_INTEGER = 2, /* for int; 0 and 1 for bool, too: C's `true` is a number */
	SPK_CONF_TYPE_FLAG = 3,    /* for bool */
	SPK_CONF_TYPE_JSON = 4,    /* any value, written as JSON: for list, dict, cidr_list, any */
};

/* A value of a field. For a field of the type `any` all are good. Since 1.0. */
typedef struct spk_conf_value {
	uint32_t type; /* enum spk_conf_type */
	uint32_t reserved;
	const char *text; /* of TEXT and JSON */
	long long number; /* of INTEGER and FLAG */
} spk_conf_value;

/* SPK_CONF("yes"), SPK_CONF(10), SPK_CONF(true), SPK_CONF(self->pooled) */
#define SPK_CONF(value)                                                                            \
	_Generic((value),                                                                          \
		bool: spk_conf_flag_,                                                              \
		int: spk_conf_integer_,                                                            \
		long: spk_conf_integer_,                                                           \
		long long: spk_conf_integer_,                                                      \
		char *: spk_conf_text_,                                                            \
		const char *: spk_conf_text_)(value)
/* SPK_CONF_JSON("[\"a\", \"b\"]"): one value of JSON, and nothing else. */
#define SPK_CONF_JSON(value) ((spk_conf_value){.type = SPK_CONF_TYPE_JSON, .text = (value)})

static inline spk_conf_value spk_conf_text_(const char *text)
{
	spk_conf_value value = {SPK_CONF_TYPE_TEXT, 0, text, 0};

	return value;
}

static inline spk_conf_value spk_conf_integer_(long long number)
{
	spk_conf_value value = {SPK_CONF_TYPE_INTEGER, 0, NULL, number};

	return value;
}

static inline spk_conf_value spk_conf_flag_(bool flag)
{
	spk_conf_value value = {SPK_CONF_TYPE_FLAG, 0, NULL, flag};

	return value;
}

/* A field and a value. Since 1.0. */
struct spk_conf_field {
	const char *name;
	spk_conf_value value;
};

typedef struct spk_conf_fields {
	const struct spk_conf_field *items;
	size_t count;
} spk_conf_fields;

/* SPK_CONF_FIELDS({"pooled", SPK_CONF("yes")}, {"weight", SPK_CONF(10)}) */
#define SPK_CONF_FIELDS(...)                                                                       \
	((spk_conf_fields){.items = (const struct spk_conf_field[]){__VA_ARGS__},                  \
			   .count = sizeof((const struct spk_conf_field[]){__VA_ARGS__}) /         \
				    sizeof(struct spk_conf_field)})

/*
 * The entity of that name: "node", which is always there, or one of
 * `instance_params.conftool_schema`. Nothing is asked of the store yet. Raises `confctl.config`
 * with file and line. Since 1.0.
 */
SPK_API struct spk_confctl *spk_confctl(struct spk *spk, const char *entity);

/* A pattern that matches these names and nothing else: for SPK_CONF_TAGS(). Since 1.0. */
SPK_API const char *spk_confctl_names(struct spk *spk, spk_strings names);

/* ---- reading ---- */

/*
 * The objects that match, at least one. One read of the store. Raises `confctl.missing` when there
 * is none, `confctl.selector`, `confctl.data`, `confctl.store`, `interrupted`. Since 1.0.
 */
SPK_API spk_confctl_objects spk_confctl_get(struct spk_confctl *confctl, spk_conf_tags tags);
/* The same, and perhaps none. Since 1.0. */
SPK_API spk_confctl_objects spk_confctl_find(struct spk_confctl *confctl, spk_conf_tags tags);
/*
 * Those of spk_confctl_get() whose fields have all of these values; perhaps none. Raises
 * `confctl.value` for a field that the entity does not have or a value that is not of its type, and
 * as spk_confctl_get(). Since 1.0.
 */
SPK_API spk_confctl_objects spk_confctl_filter(struct spk_confctl *confctl, spk_conf_fields fields,
					       spk_conf_tags tags);

/* Its name, without tags. Since 1.0. */
SPK_API const char *spk_confctl_name(const struct spk_confctl_object *object);
/* The value of a tag of the entity; raises `confctl.selector` for another name. Since 1.0. */
SPK_API const char *spk_confctl_tag(const struct spk_confctl_object *object, const char *tag);
/* Tags and name as in its key: "dc1/web/apache2/web1". Since 1.0. */
SPK_API const char *spk_confctl_path(const struct spk_confctl_object *object);

/*
 * A field; its default by the schema where the object does not have it or has null there. Raise
 * `confctl.value` when the entity has no such field or it is of another type, `confctl.data` when
 * what is stored is not of its type. As with conftool, a stored text of digits is a number, and a
 * stored number is a text. Since 1.0.
 */
/* Of the types string and enum, and any that holds a text. Since 1.0. */
SPK_API const char *spk_confctl_text(const struct spk_confctl_object *object, const char *field);
/* Of the type int, and any that holds a whole number. Since 1.0. */
SPK_API long long spk_confctl_int(const struct spk_confctl_object *object, const char *field);
/* Of the type bool, and any that holds one. Since 1.0. */
SPK_API bool spk_confctl_bool(const struct spk_confctl_object *object, const char *field);
/* Of any type, as JSON: what is stored, byte by byte. Since 1.0. */
SPK_API const char *spk_confctl_json(const struct spk_confctl_object *object, const char *field);
/* The whole object as JSON, as it is stored. Since 1.0. */
SPK_API const char *spk_confctl_object_json(const struct spk_confctl_object *object);

/* ---- writing ---- */

/*
 * Sets fields of all objects that match, at least one. An object that has them already is not
 * written. Fields of the schema that an object lacks get their defaults, as conftool does. Where
 * the store can, up to 64 objects change at once or not at all. Raises `confctl.value` before
 * anything is sent, `confctl.conflict`, and as spk_confctl_get(); the message tells how many
 * were changed before. Since 1.0.
 */
SPK_API void spk_confctl_update(struct spk_confctl *confctl, spk_conf_fields fields,
				spk_conf_tags tags);
/* The same of these objects, which are of this entity; none is fine. One that was removed since is
 * `confctl.missing`. Since 1.0. */
SPK_API void spk_confctl_update_objects(struct spk_confctl *confctl, spk_conf_fields fields,
					spk_confctl_objects objects);
/*
 * Sets one field of all objects that match, reads them once more, and raises `confctl.verify`,
 * telling what was found and what expected, unless all have it. In dry-run it only tells. Since
 * 1.0.
 */
SPK_API void spk_confctl_set_and_verify(struct spk_confctl *confctl, const char *field,
					spk_conf_value value, spk_conf_tags tags);

/* How a change for a time is wanted. A member left out has its default. */
struct spk_conf_change {
	uint32_t size; /* set by SPK_CONF_CHANGE() */
	/* What was changed stays so when the scope is left by an error or a crash; default: false,
	 * it is always restored. The Python host does not restore. */
	bool keep_on_failure;
	bool reserved[3];
	const char *field;
	spk_conf_value original; /* only objects that have this value are changed */
	spk_conf_value changed;  /* to this one */
	spk_conf_tags tags;
};

/* SPK_CONF_CHANGE(.field = "pooled", .original = SPK_CONF("yes"), .changed = SPK_CONF("no")) */
#define SPK_CONF_CHANGE(...)                                                                       \
	(&(const struct spk_conf_change){.size = sizeof(struct spk_conf_change), ##__VA_ARGS__})

/*
 * Changes a field of those objects that match and have the value `original`, for as long as the
 * scope is open; what then still has the value `changed` gets back `original`, and what others have
 * changed in between stays, with a warning. The scope is closed by the end of its block, by an
 * error, or after a crash: SPK_SCOPED(spk_confctl_changed(...)). No object with that value is
 * fine. Raises as spk_confctl_update(); what was changed until then is restored. Since 1.0.
 */
SPK_API struct spk_scope *spk_confctl_changed(struct spk_confctl *confctl, const char *field,
					      spk_conf_value original, spk_conf_value changed,
					      spk_conf_tags tags);
/* The same with more to say. Since 1.0. */
SPK_API struct spk_scope *spk_confctl_changed_how(struct spk_confctl *confctl,
						  const struct spk_conf_change *how);

#ifdef __cplusplus
}
#endif

#endif
