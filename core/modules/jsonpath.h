/* SPDX-License-Identifier: Apache-2.0 */
/* Paths into JSON values (json.h): what is at their end, or why there is nothing. */
#ifndef SPICERACK_MODULES_JSONPATH_H
#define SPICERACK_MODULES_JSONPATH_H

#include "../runtime/buf.h"
#include "jsonvalue.h"

/* How far a path leads. */
struct json_found {
	struct spk_json *value; /* at its end; NULL: there is nothing */
	struct spk_json *last;  /* the last value on the way: `value`, or where it ends */
	size_t used;            /* bytes of the path that lead to `last` */
	bool astray;            /* `last` is neither null nor what can have what comes next */
};

/* Follows a path. `function` is told that a text which is no path is misuse. */
struct json_found json_path_follow(const char *function, const struct spk_json *value,
				   const char *path);

/* Appends the path of a value in its document. */
void json_path_add(struct buf *out, const struct spk_json *value);

/* Raises what a get of `path` in `value` raises for what was not found. */
SPK_NORETURN void json_path_raise(const struct spk_json *value, const char *path,
				  const struct json_found *found);

/* Raises `kind` with `FROM: 'PATH' PROBLEM` of a value. */
SPK_NORETURN void json_raise(const struct spk_json *value, const char *kind, const char *format,
			     ...) SPK_PRINTF(3, 4);

#endif
