/* SPDX-License-Identifier: Apache-2.0 */
/*
 * String maps and string sets, in memory of the run. Both keep the order in
 * which keys were added. Keys and values are copied.
 */
#ifndef SPICERACK_COLLECTION_H
#define SPICERACK_COLLECTION_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_map;
struct spk_set;

/* An empty map from strings to strings. Since 1.0. */
SPK_API struct spk_map *spk_map_new(struct spk *spk);
/* Adds or replaces; a replaced key keeps its place. `value` may not be NULL. Since 1.0. */
SPK_API void spk_map_set(struct spk_map *map, const char *key, const char *value);
/* The value, or NULL when the key is not there. Since 1.0. */
SPK_API const char *spk_map_find(const struct spk_map *map, const char *key);
/* The value; raises `map` naming the key when it is not there. Since 1.0. */
SPK_API const char *spk_map_get(const struct spk_map *map, const char *key);
/* Removes a key; false when it was not there. Since 1.0. */
SPK_API bool spk_map_remove(struct spk_map *map, const char *key);
/* How many keys there are. Since 1.0. */
SPK_API size_t spk_map_count(const struct spk_map *map);
/* The keys in order, as they are now. Since 1.0. */
SPK_API spk_strings spk_map_keys(const struct spk_map *map);

/* An empty set. Since 1.0. */
SPK_API struct spk_set *spk_set_new(struct spk *spk);
/* A set of these. Since 1.0. */
SPK_API struct spk_set *spk_set_of(struct spk *spk, spk_strings members);
/* False when it was there already. Since 1.0. */
SPK_API bool spk_set_add(struct spk_set *set, const char *member);
/* False when it was not there. Since 1.0. */
SPK_API bool spk_set_remove(struct spk_set *set, const char *member);
/* Whether it is there. Since 1.0. */
SPK_API bool spk_set_has(const struct spk_set *set, const char *member);
/* How many members there are. Since 1.0. */
SPK_API size_t spk_set_count(const struct spk_set *set);
/* The members in order, as they are now. Since 1.0. */
SPK_API spk_strings spk_set_members(const struct spk_set *set);
/* A new set: the members of both. Since 1.0. */
SPK_API struct spk_set *spk_set_union(const struct spk_set *a, const struct spk_set *b);
/* A new set: the members of `a` that are in `b`, too. Since 1.0. */
SPK_API struct spk_set *spk_set_intersection(const struct spk_set *a, const struct spk_set *b);
/* A new set: the members of `a` that are not in `b`. Since 1.0. */
SPK_API struct spk_set *spk_set_minus(const struct spk_set *a, const struct spk_set *b);
/* Whether every member of `a` is in `b`. Since 1.0. */
SPK_API bool spk_set_within(const struct spk_set *a, const struct spk_set *b);

#ifdef __cplusplus
}
#endif

#endif
