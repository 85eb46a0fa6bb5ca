/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259): reading, looking into, building and writing values.
 *
 *     const struct spk_json *pods = spk_json_get(answer, "status.pods");
 *
 *     for (size_t i = 0; i < spk_json_count(pods, ""); i++) {
 *     	const struct spk_json *pod = spk_json_item(pods, i);
 *
 *     	spk_info(spk, "%s", spk_json_get_text(pod, "metadata.labels[\"app/name\"]"));
 *     }
 *
 * A path is a chain of names of members and of numbers of items, from 0: `status.pods[0].name`;
 * "" is the value itself. A name with other characters than letters, digits, `_`, `-` and bytes
 * that are not ASCII stands in brackets and quotes, with `\"` and `\\` for those two. A text that
 * is no path is misuse. Names that come from outside are for spk_json_member(), which reads no
 * path.
 *
 * A `_get_` call raises
 *     json.missing  there is no such member or item
 *     json.null     it is null, or the path leads through null
 *     json.type     it is of another type, or the path leads through something without members
 *     json.range    a number that does not fit
 * naming the document and the whole path in it, also of a value that was taken out of another.
 * A `_find_` call returns what the caller gives for what is missing and for null, and raises the
 * other two. Who has to tell missing from null asks spk_json_type().
 *
 * Numbers are kept as they were written: no digit of a large one is lost, and a document that is
 * written again has the same. What cannot be given exactly as a whole number raises `json.range`.
 *
 * What is read must be one value in valid UTF-8, of at most 16 MiB, 500 levels and a million
 * values; no object may have a name twice, and no text the character NUL. Values belong to the run
 * and are there after a crash.
 */
#ifndef SPICERACK_JSON_H
#define SPICERACK_JSON_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* One value, with all that is in it. */
struct spk_json;

enum spk_json_type {
	SPK_JSON_ABSENT = 0, /* there is nothing at that path */
	SPK_JSON_NULL = 1,
	SPK_JSON_BOOL = 2,
	SPK_JSON_NUMBER = 3,
	SPK_JSON_TEXT = 4,
	SPK_JSON_ARRAY = 5,
	SPK_JSON_OBJECT = 6,
};

/*
 * Reads a document of `length` bytes. `from` says in messages where it is from: a file, a URL; it
 * is copied. Raises `json.syntax` naming line and column for what is no JSON, or not such as is
 * said above; `json.size` for too much of it. Since 1.0.
 */
SPK_API struct spk_json *spk_json_parse(struct spk *spk, const char *from, const char *text,
					size_t length);

/* What is at the path; never raises but for misuse. Since 1.0. */
SPK_API enum spk_json_type spk_json_type(const struct spk_json *value, const char *path);

/* The value at the path, which may be null. Raises `json.missing`. Since 1.0. */
SPK_API const struct spk_json *spk_json_get(const struct spk_json *value, const char *path);
/* The same, and NULL when it is missing or null. Since 1.0. */
SPK_API const struct spk_json *spk_json_find(const struct spk_json *value, const char *path);

/* A text. Raises as said above, as all that follow. Since 1.0. */
SPK_API const char *spk_json_get_text(const struct spk_json *value, const char *path);
/* The same, and `otherwise`, which may be NULL, for what is missing or null. Since 1.0. */
SPK_API const char *spk_json_find_text(const struct spk_json *value, const char *path,
				       const char *otherwise);
/*
 * A whole number: one without fraction and exponent that fits, or one with them that is whole and
 * not beyond 2^53. Since 1.0.
 */
SPK_API long long spk_json_get_int(const struct spk_json *value, const char *path);
/* The same, and `otherwise` for what is missing or null. Since 1.0. */
SPK_API long long spk_json_find_int(const struct spk_json *value, const char *path,
				    long long otherwise);
/* The same for numbers that are not negative, up to 2^64 - 1. Since 1.0. */
SPK_API unsigned long long spk_json_get_unsigned(const struct spk_json *value, const char *path);
/*
 * A number, the nearest that a double has; but `json.range` for a whole one that a double cannot
 * have, and for one beyond all doubles. Since 1.0.
 */
SPK_API double spk_json_get_double(const struct spk_json *value, const char *path);
/* The same, and `otherwise` for what is missing or null. Since 1.0. */
SPK_API double spk_json_find_double(const struct spk_json *value, const char *path,
				    double otherwise);
/* A number as it was written, whatever its size. Since 1.0. */
SPK_API const char *spk_json_get_number(const struct spk_json *value, const char *path);
/* `true` or `false`. Since 1.0. */
SPK_API bool spk_json_get_bool(const struct spk_json *value, const char *path);
/* The same, and `otherwise` for what is missing or null. Since 1.0. */
SPK_API bool spk_json_find_bool(const struct spk_json *value, const char *path, bool otherwise);
/* The items of an array of texts. Since 1.0. */
SPK_API spk_strings spk_json_get_texts(const struct spk_json *value, const char *path);

/* How many items an array or members an object has. Since 1.0. */
SPK_API size_t spk_json_count(const struct spk_json *value, const char *path);
/*
 * Item `number`, from 0, of an array, or the member at that place of an object. Raises
 * `json.missing` behind the last, `json.type` for what has none. Since 1.0.
 */
SPK_API const struct spk_json *spk_json_item(const struct spk_json *value, size_t number);
/* The name of a member; NULL for an item of an array and for a whole document. Since 1.0. */
SPK_API const char *spk_json_name(const struct spk_json *value);
/* The names of the members of an object, in their order. Since 1.0. */
SPK_API spk_strings spk_json_names(const struct spk_json *value, const char *path);
/*
 * The member of an object by its name, which is taken as it is; NULL when there is none. Raises
 * `json.type` for what is no object. Since 1.0.
 */
SPK_API const struct spk_json *spk_json_member(const struct spk_json *value, const char *name);
/* Where a value is in its document, as a path. Since 1.0. */
SPK_API const char *spk_json_path(const struct spk_json *value);

/* Whether both are the same, whatever the order of members; numbers by how they are written.
 * Since 1.0. */
SPK_API bool spk_json_equal(const struct spk_json *a, const struct spk_json *b);

/* An empty object, to be filled in. Since 1.0. */
SPK_API struct spk_json *spk_json_object(struct spk *spk);
/* An empty array. Since 1.0. */
SPK_API struct spk_json *spk_json_array(struct spk *spk);
/* A copy with all that is in it, as a document of its own. Since 1.0. */
SPK_API struct spk_json *spk_json_copy(struct spk *spk, const struct spk_json *value);
/* As spk_json_get(), of a value that may be changed, to change a part of it. Since 1.0. */
SPK_API struct spk_json *spk_json_edit(struct spk_json *value, const char *path);

/*
 * Sets a member of an object, whose name is taken as it is: adds it at the end, or replaces what
 * was there, in its place. Texts are copied. Raises `json.type` for what is no object, `json.text`
 * for a name or text that is not UTF-8. NULL as a text is null. Since 1.0.
 */
SPK_API void spk_json_set_text(struct spk_json *object, const char *name, const char *text);
/* The same for a whole number. Since 1.0. */
SPK_API void spk_json_set_int(struct spk_json *object, const char *name, long long number);
/* The same; a number that is not finite, which JSON does not have, is misuse. Since 1.0. */
SPK_API void spk_json_set_double(struct spk_json *object, const char *name, double number);
/* The same for any number as JSON writes it; a text that is none is misuse. Since 1.0. */
SPK_API void spk_json_set_number(struct spk_json *object, const char *name, const char *number);
/* The same for `true` or `false`. Since 1.0. */
SPK_API void spk_json_set_bool(struct spk_json *object, const char *name, bool flag);
/* The same for an array of texts. Since 1.0. */
SPK_API void spk_json_set_texts(struct spk_json *object, const char *name, spk_strings texts);
/* The same for a copy of any value; NULL is null. Since 1.0. */
SPK_API void spk_json_set(struct spk_json *object, const char *name, const struct spk_json *value);
/* Takes a member away; false when it was not there. Since 1.0. */
SPK_API bool spk_json_remove(struct spk_json *object, const char *name);

/* Appends a copy of a value to an array; NULL is null. Raises `json.type`. Since 1.0. */
SPK_API void spk_json_add(struct spk_json *array, const struct spk_json *value);
/* The same for a text; raises `json.text`, too. Since 1.0. */
SPK_API void spk_json_add_text(struct spk_json *array, const char *text);
/* The same for a whole number. Since 1.0. */
SPK_API void spk_json_add_int(struct spk_json *array, long long number);

/* The value as a text on one line, without blanks; members in their order. Since 1.0. */
SPK_API const char *spk_json_encode(const struct spk_json *value);
/* The same for people: a line each, indented by two blanks. Since 1.0. */
SPK_API const char *spk_json_pretty(const struct spk_json *value);

#ifdef __cplusplus
}
#endif

#endif
