/* SPDX-License-Identifier: Apache-2.0 */
/* How wide help texts may be. */
#ifndef SPICERACK_HOST_COLUMNS_H
#define SPICERACK_HOST_COLUMNS_H

/*
 * Columns for help texts, by Python's rule: COLUMNS of the environment, else the
 * terminal on standard output, else 80; less two.
 */
int columns_for_help(void);

#endif
