/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of the operator's terminal: echo, line editing and the like. No process of a run
 * has that terminal, but all of them can open it by its name, and so can what they start.
 */
#ifndef SPICERACK_HOST_TTYMODE_H
#define SPICERACK_HOST_TTYMODE_H

#include <stdbool.h>
#include <termios.h>

struct ttymode {
	bool known; /* there is a terminal, and we are in its foreground */
	struct termios settings;
};

/* Takes down how the terminal is. */
void ttymode_save(struct ttymode *mode);
/* Puts it back, unless it is as it was or others have the terminal now. */
void ttymode_restore(const struct ttymode *mode);

#endif
