/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared libraries as the loader would find them, read without opening them: which symbols and
 * versions they provide. Each is read once.
 */
#ifndef SPICERACK_HOST_LIBRARY_H
#define SPICERACK_HOST_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "../peek/elf.h"
#include "driverneed.h"

struct libraries;
struct library;

/* `spicerack` is the path of libspicerack.so.1, which every cookbook finds loaded. */
struct libraries *libraries_new(const char *spicerack);
void libraries_free(struct libraries *libraries);

/*
 * The library with that name, with all that it needs itself: by its path when it has a slash, else
 * in LD_LIBRARY_PATH, in the RUNPATH entries of the file at `origin` (NULL: it has none), and where
 * the system's loader looks. NULL with the reason when there is none, or it cannot be read. It
 * lives as long as `libraries`.
 */
const struct library *libraries_find(struct libraries *libraries, const char *name,
				     const char *origin, const char *runpath, struct err *err);

const char *library_path(const struct library *library);

/* Whether it defines the version. Without any versions it has them all. */
bool library_has_version(const struct library *library, const char *version);

/* The last version `STEM_NUMBER` that it defines with the STEM of `version`; NULL: none. */
const char *library_last_version(const struct library *library, const char *version);

/* Whether it, or what it needs, provides the symbol in that version ("": any). */
bool library_provides(struct libraries *libraries, const struct library *library,
		      const char *symbol, const char *version);

/*
 * Adds the drivers that it opens, and what it needs does, by their calls and by what they say. The
 * texts live as long as `libraries`.
 */
void library_add_needs(struct libraries *libraries, const struct library *library,
		       struct driver_needs *needs);

#endif
