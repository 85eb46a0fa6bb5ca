/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text. Everything returned belongs to the run and is never NULL unless said;
 * strings are bytes ending in NUL, taken as UTF-8 where it matters.
 */
#ifndef SPICERACK_TEXT_H
#define SPICERACK_TEXT_H

#include <stdarg.h>

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* printf into memory of the run. Since 1.0. */
SPK_API const char *spk_format(struct spk *spk, const char *format, ...) SPK_PRINTF(2, 3);
/* The same with the arguments of somebody else. Since 1.0. */
SPK_API const char *spk_vformat(struct spk *spk, const char *format, va_list args) SPK_PRINTF(2, 0);

/*
 * printf for a line that a POSIX shell will read: the text of every %s is quoted
 * as one word. spk_shell_format(spk, "rm -f -- %s", path). %n, %ls and positional
 * arguments are misuse. Since 1.0.
 */
SPK_API const char *spk_shell_format(struct spk *spk, const char *format, ...) SPK_PRINTF(2, 3);

/* One word for a POSIX shell: unchanged when it holds nothing special. Since 1.0. */
SPK_API const char *spk_shell_quote(struct spk *spk, const char *text);
/* Several words, quoted and joined by blanks. Since 1.0. */
SPK_API const char *spk_shell_join(struct spk *spk, spk_strings words);
/*
 * The words of a line as a POSIX shell reads them: blanks, quotes and
 * backslashes; no expansion of any kind. Raises `text` for an open quote. Since 1.0.
 */
SPK_API spk_strings spk_shell_split(struct spk *spk, const char *line);

/* True when both are NULL or both hold the same bytes. Since 1.0. */
SPK_API bool spk_streq(const char *a, const char *b);
/* NULL or no bytes. Since 1.0. */
SPK_API bool spk_is_empty(const char *text);
/* Whether it begins with `prefix`; everything does with "". NULL is misuse. Since 1.0. */
SPK_API bool spk_has_prefix(const char *text, const char *prefix);
/* Whether it ends with `suffix`. NULL is misuse. Since 1.0. */
SPK_API bool spk_has_suffix(const char *text, const char *suffix);
/* Whether `part` is somewhere in it. NULL is misuse. Since 1.0. */
SPK_API bool spk_contains(const char *text, const char *part);
/* Without that prefix, once; the text itself when it does not begin with it. Since 1.0. */
SPK_API const char *spk_strip_prefix(struct spk *spk, const char *text, const char *prefix);
/* The same at the end. Since 1.0. */
SPK_API const char *spk_strip_suffix(struct spk *spk, const char *text, const char *suffix);

/* Without white space at both ends. Since 1.0. */
SPK_API const char *spk_trim(struct spk *spk, const char *text);
/* ASCII letters in lower case, other bytes kept. Since 1.0. */
SPK_API const char *spk_lower(struct spk *spk, const char *text);
/* The same in upper case. Since 1.0. */
SPK_API const char *spk_upper(struct spk *spk, const char *text);
/* Every occurrence of `from`, which is not empty, replaced by `to`. Since 1.0. */
SPK_API const char *spk_replace(struct spk *spk, const char *text, const char *from,
				const char *to);
/* What stands before the first `separator`, or the whole text; host names: spk_before(spk, fqdn,
 * "."). Since 1.0. */
SPK_API const char *spk_before(struct spk *spk, const char *text, const char *separator);
/* What stands after the first `separator`, or NULL when there is none. Since 1.0. */
SPK_API const char *spk_after(struct spk *spk, const char *text, const char *separator);

/*
 * Parts between the separators: "a,,b" has three, "" has one empty part, as in
 * most languages. The separator is not empty. Since 1.0.
 */
SPK_API spk_strings spk_split(struct spk *spk, const char *text, const char *separator);
/* Words between white space, none of them empty. Since 1.0. */
SPK_API spk_strings spk_words(struct spk *spk, const char *text);
/* Lines without their ends (LF or CRLF); a last line end adds no empty line. Since 1.0. */
SPK_API spk_strings spk_lines(struct spk *spk, const char *text);
/* The parts one after the other, with the separator, which may be "", between them. Since 1.0. */
SPK_API const char *spk_join(struct spk *spk, const char *separator, spk_strings parts);

/* Appends a copy of `text` to a list that this call made or that is empty ({0}). Since 1.0. */
SPK_API void spk_append(struct spk *spk, spk_strings *list, const char *text);
/* Whether one of the list is this text. Since 1.0. */
SPK_API bool spk_includes(spk_strings list, const char *text);
/* A copy in byte order. Since 1.0. */
SPK_API spk_strings spk_sorted(struct spk *spk, spk_strings list);

/*
 * The whole text as a number, white space at the ends allowed. Raises `text`
 * naming it when it is no number or does not fit. Since 1.0.
 */
SPK_API long long spk_to_int(struct spk *spk, const char *text);
/* The same with a fraction or an exponent. Since 1.0. */
SPK_API double spk_to_double(struct spk *spk, const char *text);

#ifdef __cplusplus
}
#endif

#endif
