/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the operator, asked at the terminal by the supervisor, the only process that
 * has it. The terminal is /dev/tty, wherever the standard streams lead.
 */
#ifndef SPICERACK_HOST_PROMPT_H
#define SPICERACK_HOST_PROMPT_H

#include <spicerack/value.h>

#include "../runtime/err.h"

enum prompt_end {
	PROMPT_ANSWERED,
	PROMPT_ABORTED,     /* Ctrl+C, or another signal that ends a run */
	PROMPT_UNANSWERED,  /* three wrong answers, or the end of the input */
	PROMPT_NO_TERMINAL, /* nobody can be asked */
};

/*
 * Prints the message and takes one of the choices, typed in full; three tries. *ret_choice
 * is its index. A signal that is readable at `signal_fd` ends the question and is left
 * there, but for SIGINT, which is taken: it is the answer. `err` gets the reason for the last two.
 */
enum prompt_end prompt_choose(const char *message, spk_strings choices, int signal_fd,
			      size_t *ret_choice, struct err *err);

#endif
