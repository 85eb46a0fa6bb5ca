/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The id of a run, as in 20261126-021157-k3f9qz: when it began, in UTC, then two characters that
 * are the fraction of the second and four of chance, none of which is taken for another. Ids sort
 * by time, and can be told over the telephone.
 */
#ifndef SPICERACK_HOST_RUNID_H
#define SPICERACK_HOST_RUNID_H

#include <stdbool.h>
#include <stddef.h>

#define RUN_ID_SIZE 23

/* An id of now. Whoever must know that it is the only one makes a file of that name. */
void run_id_make(char out[static RUN_ID_SIZE]);

/* Whether the first `length` bytes are an id, and nothing else. */
bool run_id_is_valid(const char *text, size_t length);

#endif
