/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of hosts, in the node-set syntax of ClusterShell and Cumin:
 *
 *     db[1001-1010,1012].dc1.example     ranges; leading zeros count: [01-10]
 *     db[1001-1009/2].dc1.example        every second one
 *     rack[1-4]-node[01-20]              all combinations
 *     a,b   a!b   a&b   a^b              union, minus, intersection, either but not both
 *
 * Operators are applied from left to right. A name has letters, digits, `-`, `_`, `.` and `:`; case
 * counts. A set never changes; it is kept as ranges, so that a million hosts of one range take as
 * much memory as one. It has at most 10,000,000 hosts, in 8,000,000 separate ranges.
 *
 * Its order is that of the names' texts without their numbers, then of the numbers, short ones
 * first: a1, a2, a10, b.
 */
#ifndef SPICERACK_HOSTS_H
#define SPICERACK_HOSTS_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_hosts;
struct spk_hosts_walk;

/* A counted list of sets. Since 1.0. */
typedef struct spk_hosts_list {
	const struct spk_hosts *const *items;
	size_t count;
} spk_hosts_list;

/*
 * The set that an expression stands for; of an empty text an empty one. Raises `hosts.syntax`
 * naming the part that is wrong or stands for too many hosts. Since 1.0.
 */
SPK_API const struct spk_hosts *spk_hosts_parse(struct spk *spk, const char *expression);
/*
 * The set of these names, each counted once. Raises `hosts.syntax` naming the one that is not the
 * name of a host, as an expression is not. Since 1.0.
 */
SPK_API const struct spk_hosts *spk_hosts_of(struct spk *spk, spk_strings names);

/* How many hosts there are. Since 1.0. */
SPK_API size_t spk_hosts_count(const struct spk_hosts *hosts);
/* The expression for the set, as short as ClusterShell makes it; "" for an empty one. Since 1.0. */
SPK_API const char *spk_hosts_fold(const struct spk_hosts *hosts);
/* All names, in order. A million of them take some 40 MiB of the run's memory. Since 1.0. */
SPK_API spk_strings spk_hosts_names(const struct spk_hosts *hosts);
/* A walk over the names in order, one by one, which needs no such memory. Since 1.0. */
SPK_API struct spk_hosts_walk *spk_hosts_walk(const struct spk_hosts *hosts);
/*
 * The first, then the next name of a walk; NULL at the end. The text stays until the next call with
 * the same walk. Since 1.0.
 */
SPK_API const char *spk_hosts_next(struct spk_hosts_walk *walk);

/* Whether a host is in the set. Since 1.0. */
SPK_API bool spk_hosts_has(const struct spk_hosts *hosts, const char *name);
/* Whether every host of `a` is in `b`. Since 1.0. */
SPK_API bool spk_hosts_within(const struct spk_hosts *a, const struct spk_hosts *b);
/* Whether both have the same hosts. Since 1.0. */
SPK_API bool spk_hosts_equal(const struct spk_hosts *a, const struct spk_hosts *b);

/* A new set: the hosts of both. Raises `hosts.size`. Since 1.0. */
SPK_API const struct spk_hosts *spk_hosts_union(const struct spk_hosts *a,
						const struct spk_hosts *b);
/* A new set: the hosts of `a` that are not in `b`. Since 1.0. */
SPK_API const struct spk_hosts *spk_hosts_minus(const struct spk_hosts *a,
						const struct spk_hosts *b);
/* A new set: the hosts of `a` that are in `b`, too. Since 1.0. */
SPK_API const struct spk_hosts *spk_hosts_intersection(const struct spk_hosts *a,
						       const struct spk_hosts *b);
/* A new set: the hosts that are in one of both only. Raises `hosts.size`. Since 1.0. */
SPK_API const struct spk_hosts *spk_hosts_symmetric_difference(const struct spk_hosts *a,
							       const struct spk_hosts *b);

/*
 * The hosts in order from number `first` on, which is 0 for the first one, at most `count`. There
 * may be fewer, or none. Since 1.0.
 */
SPK_API const struct spk_hosts *spk_hosts_slice(const struct spk_hosts *hosts, size_t first,
						size_t count);
/*
 * The set in `parts` slices that differ by one host at most, larger ones first; as many as there
 * are hosts, when those are fewer. `parts` is not 0. Since 1.0.
 */
SPK_API spk_hosts_list spk_hosts_split(const struct spk_hosts *hosts, size_t parts);

/*
 * Raises `hosts.count` with the set unless it has exactly so many hosts. Returns the set, for a
 * call around the one that made it. Since 1.0.
 */
SPK_API const struct spk_hosts *spk_hosts_exactly(const struct spk_hosts *hosts, size_t count);

#ifdef __cplusplus
}
#endif

#endif
