/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles, as C and as C++, only where the public headers are laid out as in layout.def. */
#include <spicerack/cookbook.h>
#include <spicerack/plugin.h>

#ifdef __cplusplus
#define HOLDS(condition, name) static_assert(condition, name);
#else
#define HOLDS(condition, name) _Static_assert(condition, name);
#endif

#define STRUCT(structure, size) HOLDS(sizeof(struct structure) == (size), #structure)
#define MEMBER(structure, name, offset, size)                                                      \
	HOLDS(offsetof(struct structure, name) == (offset) &&                                      \
		      sizeof(((struct structure *)0)->name) == (size),                             \
	      #structure "." #name)
#define NUMBER(name, value) HOLDS((name) == (value), #name)

#ifdef __LP64__
#include "layout.def"
#endif
