/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a packager must know before shipping, of files and trees. Nothing of them is
 * executed, nor opened by the loader.
 */
#ifndef SPICERACK_HOST_CHECK_H
#define SPICERACK_HOST_CHECK_H

#include <spicerack/value.h>

#include "driverneed.h"
#include "finding.h"
#include "../setting/settings.h"

struct check;

/*
 * `settings` may be NULL: nothing is configured. `trees` are where cookbooks that others run may
 * be, beside the tree checked. `library` is the path of libspicerack.so.1; NULL: no library is
 * looked for. All must live as long.
 */
struct check *check_new(const struct settings *settings, spk_strings trees, const char *library);
void check_free(struct check *check);

/* Judges one file. */
void check_file(struct check *check, const char *path);

/* The same for bytes. */
void check_memory(struct check *check, const void *bytes, size_t size, const char *path);

/* Judges a base directory with all that is below it. */
void check_tree(struct check *check, const char *path);

/* The findings, those of one file together, with their places; valid until the next check. */
const struct findings *check_findings(struct check *check);

/* The drivers that all cookbooks judged open together. */
const struct driver_needs *check_needs(const struct check *check);

/* How many files were judged. */
size_t check_files(const struct check *check);

#endif
