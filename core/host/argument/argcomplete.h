/* SPDX-License-Identifier: Apache-2.0 */
/* What may come next on a command line that is being typed, read from the parser's tables. */
#ifndef SPICERACK_HOST_ARGCOMPLETE_H
#define SPICERACK_HOST_ARGCOMPLETE_H

#include "argaction.h"

/* What may stand in the place of a word. */
struct argexpected {
	struct parser *parser;  /* the main one, or that of the subcommand that was chosen */
	struct action **values; /* whose value it may be, in the order of the table */
	size_t count;
	bool options;    /* it may be an option of `parser` */
	bool only_words; /* it is none even with a dash in front */
	size_t prefix;   /* so many bytes of it are `--option=`; the value is what follows */
};

/*
 * Reads the words before the one at the cursor as the parser would, but forgives what is wrong or
 * missing, and tells what `word`, which may be empty or half of one, can be: at least all that the
 * parser would take there. What was given is noted in the actions. To be freed by
 * argexpected_free(); it points into the parser.
 */
void argcomplete(struct parser *parser, const char *const *words, size_t count, const char *word,
		 struct argexpected *ret);
void argexpected_free(struct argexpected *expected);

/* Somebody is told of a text that may stand there as a whole. `about` is one line or NULL. */
typedef void argcomplete_offer(void *data, const char *text, const char *about);

/*
 * Offers the options that begin with `word`: not those that were given, that are hidden or go not
 * together with what was given; of one with a long name its letter only when that is the word.
 */
void argcomplete_options(const struct argexpected *expected, const char *word,
			 argcomplete_offer *offer, void *data);

/*
 * Offers the choices of a value that go on with `word`, of which `prefix` bytes come before it; in
 * a list with commas those that are not there yet, behind the last one. None that the parser would
 * take for an option: those with a dash in front come behind `--option=` or `--`.
 */
void argcomplete_choices(const struct argexpected *expected, const struct action *action,
			 const char *word, argcomplete_offer *offer, void *data);

#endif
