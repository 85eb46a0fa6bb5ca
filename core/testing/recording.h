/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of those outside, kept in a file, an object of JSON in a line each: written while the
 * real ones are asked, and read as rules that hold once.
 */
#ifndef SPICERACK_TESTING_RECORDING_H
#define SPICERACK_TESTING_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `end` of a rule that was recorded: with the number of how a driver says that it ended. */
#define RECORDED_END 0x10000U

/* A reply to be written. Texts end in a NUL; `whom` may be NULL. */
struct recorded_reply {
	const char *kind;        /* the name of the member that is `what`: "command" ... */
	const char *whom, *what; /* the host, the request */
	uint32_t end;            /* as the driver has it */
	int32_t code;
	int64_t took_ns;
	const char *out, *err;
	size_t out_length; /* of what should be a text */
};

/* Whether the real ones are asked in this process. */
bool recording_is_on(void);

/* Appends it; ends the process where that fails, or what came is no text. */
void recording_add(const struct recorded_reply *reply);

#endif
