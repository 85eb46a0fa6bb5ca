/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of host names in the syntax of ClusterShell's node sets, `db[1001-1010,1012].dc1.example`,
 * kept as ranges: a million hosts of one range take as much memory as one.
 *
 * A set never changes. It is one block of plain data, without pointers, that may be copied as
 * bytes; equal sets are equal bytes. Its order is that of the names' texts around their numbers,
 * then of the numbers, by their length and value, from left to right.
 *
 * The first 8 numbers of a name, of at most 18 digits each, are numbers; other digits are text.
 */
#ifndef SPICERACK_CORE_HOSTSET_H
#define SPICERACK_CORE_HOSTSET_H

#include "boxes.h"
#include "buf.h"
#include "digits.h"
#include "err.h"

/* Hosts in one set, and in each part of an expression; a fuzzer has less time. */
#ifndef HOSTSET_MAX
#define HOSTSET_MAX 10000000
#endif
/* Bytes of a name, as in DNS. */
#define HOSTSET_NAME_MAX 253

struct hostset;

#define HOSTSET_UNION ((struct boxes_kept){.first = true, .second = true, .both = true})
#define HOSTSET_MINUS ((struct boxes_kept){.first = true})
#define HOSTSET_INTERSECTION ((struct boxes_kept){.both = true})
#define HOSTSET_SYMMETRIC ((struct boxes_kept){.first = true, .second = true})

/*
 * Reads an expression of `length` bytes: names with ranges, joined from left to right by `,`
 * (union), `!` (minus), `&` (intersection), `^` (symmetric difference). Blanks around a name are
 * ignored; of nothing but blanks the set is empty. *ret is the caller's, for hostset_free().
 */
MUST_CHECK int hostset_parse(const char *text, size_t length, struct hostset **ret,
			     struct err *err);
/*
 * The same where names may have globs: `*` stands for any characters and `?` for any one in the
 * names of `known`. With NULL they are characters of names as others are.
 */
MUST_CHECK int hostset_parse_globs(const char *text, size_t length, const struct hostset *known,
				   struct hostset **ret, struct err *err);
/* The set of plain names, none of which may be an expression. */
MUST_CHECK int hostset_of(const char *const *names, size_t count, struct hostset **ret,
			  struct err *err);
MUST_CHECK int hostset_combine(const struct hostset *a, const struct hostset *b,
			       struct boxes_kept kept, struct hostset **ret, struct err *err);
/* The hosts from number `skip` on in order, at most `count`. */
MUST_CHECK int hostset_slice(const struct hostset *set, uint64_t skip, uint64_t count,
			     struct hostset **ret, struct err *err);
/*
 * The hosts in order as `parts` sets, at most as many as there are hosts and at least 1, whose
 * sizes differ by one at most, larger ones first. ret[0] to ret[parts - 1] are the caller's.
 */
MUST_CHECK int hostset_split(const struct hostset *set, size_t parts, struct hostset **ret,
			     struct err *err);
void hostset_free(struct hostset *set);

uint64_t hostset_count(const struct hostset *set);
/* Of the block. */
size_t hostset_bytes(const struct hostset *set);
bool hostset_equal(const struct hostset *a, const struct hostset *b);
/* Whether all of `a` is in `b`. */
bool hostset_within(const struct hostset *a, const struct hostset *b);
/* False for what is no name, too. */
bool hostset_has(const struct hostset *set, const char *name);

/* Appends the shortest expression for the set, as ClusterShell writes it; nothing for none. */
void hostset_fold(const struct hostset *set, struct buf *out);

/* A walk over the names, in order. */
struct hostset_walk {
	char name[HOSTSET_NAME_MAX + 1 + DIGITS_MAX];
	size_t length; /* of `name` */
	const struct hostset *set;
	size_t part;
	struct boxes boxes; /* of the part */
	struct boxes_walk place;
};

void hostset_walk_start(struct hostset_walk *walk, const struct hostset *set);
/* Puts the first, then the next name into `name`; false: there is none. */
bool hostset_walk_next(struct hostset_walk *walk);

#endif
