/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries to PuppetDB, in Cumin's language for them, as the AST of PuppetDB's API:
 *
 *     QUERY: ITEM, or ITEM OPERATOR QUERY     all operators of one level are the same
 *     OPERATOR: and, or
 *     ITEM: [not] TERM, [not] (QUERY)
 *     TERM: hosts, with globs                 db[1001-1010]*.example
 *           C:class, O:role, P:profile        resources Class[Name], Class[Role::Name], ...
 *           C:class%parameter OP value, C:class@field OP value, O and P alike
 *           R:Type, R:Type OP title, R:Type%parameter OP value, R:Type@field OP value
 *           F:fact OP value
 *     OP: = >= <= < > ~
 *
 * Unlike Cumin: `not (...)` is not what is in the parentheses; a fact, a parameter and a field want
 * a value; names without a host are an error.
 */
#ifndef SPICERACK_PUPPETDB_QUERY_H
#define SPICERACK_PUPPETDB_QUERY_H

#include <stdbool.h>

#include "../base/text.h"

struct query {
	struct text ast;
	bool resources; /* for the endpoint `resources`; else `nodes` */
};

/* `version` is that of the API, 3 or 4. The query is the caller's, for query_free(). */
enum spk_inventory_status query_translate(const char *text, size_t length, unsigned int version,
					  struct query *ret, struct spk_inventory_call *call);
void query_free(struct query *query);

#endif
