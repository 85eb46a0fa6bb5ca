/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries for hosts in Cumin's global grammar:
 *
 *     QUERY: ITEM, or ITEM OPERATOR QUERY    from left to right, no operator before another
 *     OPERATOR: and, or, xor, and not        in any case
 *     ITEM: X{...}, A:name, (QUERY)
 *
 * X is the letter of a backend, whose own query ends at the first `}` that is not within quotes; an
 * alias stands for another query. Unlike Cumin, an operator may have an empty set on its left.
 */
#ifndef SPICERACK_CORE_QUERY_H
#define SPICERACK_CORE_QUERY_H

#include "hostset.h"

enum query_status {
	QUERY_OK = 0,
	QUERY_FAILED = -1,
	QUERY_FOREIGN = -2, /* the text is not of this grammar: it may be of another */
};

/* Where hosts come from. */
struct query_sources {
	/* The hosts of a backend's query. A letter that it does not know is QUERY_FAILED. */
	enum query_status (*ask)(void *data, char backend, const char *text, size_t length,
				 struct hostset **ret, struct err *err);
	/* The query that an alias stands for; NULL: there is no such alias. */
	const char *(*alias)(void *data, const char *name);
	void *data;
	char default_backend; /* is asked first with all of the text; 0: none */
};

/* The hosts of a query, perhaps none. *ret is the caller's, for hostset_free(). */
MUST_CHECK int query_find(const struct query_sources *sources, const char *text,
			  struct hostset **ret, struct err *err);

/* The same; a query that no host matches is an error, as a target of anything. */
MUST_CHECK int query_find_some(const struct query_sources *sources, const char *text,
			       struct hostset **ret, struct err *err);

/*
 * The backend D: expressions for sets of hosts, operators as above and parentheses:
 * `db[1-9] and not (db3 or db5)`.
 */
enum query_status query_direct(const char *text, size_t length, struct hostset **ret,
			       struct err *err);

/* What a backend knows that leaves the language of its queries to us (plugin.h). */
struct query_known {
	const struct hostset *all; /* that it can name */
	/* The hosts of a term, as it was written. */
	enum query_status (*term)(void *data, const char *text, size_t length, struct hostset **ret,
				  struct err *err);
	/* Whether it knows a host that is not among `all`: 1, 0, -1. NULL: those are all. */
	int (*knows)(void *data, const char *name, struct err *err);
	void *data;
};

/*
 * The language of such a backend: that of D with globs, which stand for hosts that it can name,
 * with terms, `not ITEM` for all others that it can name, and only known hosts in the end.
 */
enum query_status query_known(const struct query_known *known, const char *text, size_t length,
			      struct hostset **ret, struct err *err);

#endif
