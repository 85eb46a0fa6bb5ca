/* SPDX-License-Identifier: Apache-2.0 */
/* What may be in a tree, and how it is complained about: for listing and for finding. */
#ifndef SPICERACK_HOST_TREERULES_H
#define SPICERACK_HOST_TREERULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "../../runtime/err.h"
#include "../peek/spec.h"

#define TREE_DEPTH_MAX 32
#define TREE_PLAIN_SYMBOL "spk_cookbook"
#define TREE_NO_OWNER "unowned"
#define TREE_NO_TITLE "UNKNOWN (unable to detect title)"

/* Prints one line, of a path or of a whole reason. `problems` NULL: it was printed before. */
void tree_complain(FILE *problems, const char *path, const char *reason);
void tree_report(FILE *problems, const struct err *err);

/* [A-Za-z0-9_-]+ */
bool tree_is_word(const char *text, size_t length);

/* What a file (without its suffix) or a directory must be named for a cookbook to have the name. */
bool tree_is_component(const char *name, size_t length);

/* Whether a file has the `.so` of a cookbook. */
bool tree_has_suffix(const char *name, size_t length);

/*
 * The part of a full name behind the module's for one of `count` cookbooks: "" for the file's own
 * name, NULL for an unnamed one among others.
 */
const char *tree_name_in_module(const struct cookbook_spec *spec, size_t count);

/* Opens a base directory, judged with all that leads to it. -1 after one line about why not. */
MUST_CHECK int tree_open_base(const char *base, FILE *problems);

#endif
