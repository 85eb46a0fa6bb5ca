/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions, PCRE2's, on UTF-8. The library is opened by the first
 * call. A pattern that does not compile raises `regex` naming the place; one
 * that takes too many steps on a text raises `regex` too instead of hanging.
 */
#ifndef SPICERACK_REGEX_H
#define SPICERACK_REGEX_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_match;

/* True when the pattern matches somewhere in the text; anchor with ^ and $ for all of it.
 * Since 1.0. */
SPK_API bool spk_matches(struct spk *spk, const char *pattern, const char *text);

/* The first match, or NULL. Since 1.0. */
SPK_API const struct spk_match *spk_match(struct spk *spk, const char *pattern, const char *text);
/* Group `number` (0: the whole match), or NULL when it took no part. Since 1.0. */
SPK_API const char *spk_match_group(const struct spk_match *match, unsigned int number);
/* A named group, or NULL when it took no part or there is none of that name. Since 1.0. */
SPK_API const char *spk_match_named(const struct spk_match *match, const char *name);

/* The text of every match, or of its first group where the pattern has one. Since 1.0. */
SPK_API spk_strings spk_match_all(struct spk *spk, const char *pattern, const char *text);
/* Every match replaced; `$1`, `${name}` and `$$` in the replacement as in PCRE2. Since 1.0. */
SPK_API const char *spk_substitute(struct spk *spk, const char *pattern, const char *replacement,
				   const char *text);
/* The parts between the matches. Since 1.0. */
SPK_API spk_strings spk_regex_split(struct spk *spk, const char *pattern, const char *text);
/* The text so that it matches itself. Since 1.0. */
SPK_API const char *spk_regex_quote(struct spk *spk, const char *text);

#ifdef __cplusplus
}
#endif

#endif
