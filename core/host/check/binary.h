/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a cookbook as a shared object, whatever its descriptors say. */
#ifndef SPICERACK_HOST_BINARY_H
#define SPICERACK_HOST_BINARY_H

#include "driverneed.h"
#include "../peek/elf.h"
#include "finding.h"
#include "library.h"

/*
 * Judges the open file; places to look for libraries in are runpath_check()'s. `libraries` NULL:
 * what it needs of others is not looked at. `needs` gets the drivers that its calls open.
 */
void binary_check(struct elf *elf, const char *path, struct libraries *libraries,
		  struct findings *findings, struct driver_needs *needs);

#endif
