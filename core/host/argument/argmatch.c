/* SPDX-License-Identifier: Apache-2.0 */
#include "argmatch.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"

#define ANY_NUMBER ((size_t)-1)
#define ATOMS_PER_ACTION 3

/* A run of characters of the pattern, all of them from `set`. */
struct atom {
	const char *set;
	size_t least, most;
};

static const struct atom grammar[][ATOMS_PER_ACTION] = {
	[NARGS_NONE] = {{"-", 0, 0}, {"-", 0, 0}, {"-", 0, 0}},
	[NARGS_ONE] = {{"-", 0, ANY_NUMBER}, {"A", 1, 1}, {"-", 0, ANY_NUMBER}},
	[NARGS_OPTIONAL] = {{"-", 0, ANY_NUMBER}, {"A", 0, 1}, {"-", 0, ANY_NUMBER}},
	[NARGS_ANY] = {{"-", 0, ANY_NUMBER}, {"A-", 0, ANY_NUMBER}, {"-", 0, 0}},
	[NARGS_SOME] = {{"-", 0, ANY_NUMBER}, {"A", 1, 1}, {"A-", 0, ANY_NUMBER}},
	[NARGS_SUBCOMMAND] = {{"-", 0, ANY_NUMBER}, {"A", 1, 1}, {"A-O", 0, ANY_NUMBER}},
};

/* One attempt: which atoms at which places are known to lead nowhere. */
struct attempt {
	struct action *const *actions;
	size_t atoms;
	const char *pattern;
	size_t length;
	bool *hopeless;
	size_t *counts;
};

static bool match_from(struct attempt *attempt, size_t index, size_t at)
{
	const size_t owner = index / ATOMS_PER_ACTION;
	const struct atom *atom;
	size_t run = 0;

	if (index == attempt->atoms)
		return true;
	if (attempt->hopeless[index * (attempt->length + 1) + at])
		return false;
	atom = &grammar[attempt->actions[owner]->nargs][index % ATOMS_PER_ACTION];
	while (run < atom->most && at + run < attempt->length &&
	       strchr(atom->set, attempt->pattern[at + run]))
		run++;
	for (size_t take = run + 1; take-- > atom->least;) {
		if (match_from(attempt, index + 1, at + take)) {
			attempt->counts[owner] += take;
			return true;
		}
	}
	attempt->hopeless[index * (attempt->length + 1) + at] = true;
	return false;
}

size_t argmatch(struct action *const *actions, size_t count, const char *pattern, size_t *counts)
{
	for (size_t served = count; served > 0; served--) {
		const bool to_end = actions[served - 1]->nargs == NARGS_SUBCOMMAND;
		struct attempt attempt = {
			.actions = actions,
			.atoms = served * ATOMS_PER_ACTION,
			.pattern = pattern,
			.length = to_end ? strlen(pattern) : strcspn(pattern, "O"),
			.counts = counts,
		};
		bool matched;

		attempt.hopeless = xcalloc(attempt.atoms * (attempt.length + 1), 1);
		memset(counts, 0, count * sizeof(*counts));
		matched = match_from(&attempt, 0, 0);
		free(attempt.hopeless);
		if (matched)
			return served;
	}
	return 0;
}
