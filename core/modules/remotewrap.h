/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command is started under on its host, so that nothing of it is left behind: a small script
 * for /bin/sh, and what that is told on its standard input. docs/decisions/0013 says why it is as
 * it is.
 *
 * It becomes the command, whose exit code and signal are then those of the channel, and whose
 * output nobody touches. A watcher stays beside it and reads standard input: at its end, or after
 * WRAP_SILENCE without a word, it ends the process group and whatever has the command's number in
 * its environment, by TERM and then by KILL. When the command has ended before, it only goes.
 */
#ifndef SPICERACK_MODULES_REMOTEWRAP_H
#define SPICERACK_MODULES_REMOTEWRAP_H

#include <stdbool.h>

#include <spicerack/value.h>

#include "../runtime/buf.h"

/* How often a word must come, and after how long a silence the command is ended. */
#define WRAP_BEAT SPK_MILLISECONDS(2500)
#define WRAP_SILENCE SPK_SECONDS(10)
/* Of one frame of input: so much comes within the silence also where the network is slow. */
#define WRAP_FRAME (256U << 10)

struct wrap {
	const char *run;         /* the id of the run */
	uint64_t serial;         /* of the command in that run */
	const char *command;     /* for the shell of the user */
	spk_strings environment; /* NAME=VALUE each */
	size_t input_length;     /* of its standard input; 0: none */
	bool sudo, detached;
};

/*
 * Appends the line for the shell of the user there, whichever shell that is, and what goes to its
 * standard input before all else.
 */
void wrap_make(const struct wrap *wrap, struct buf *line, struct buf *head);
/* Appends which host of the execution it is, from 0 on: goes before the head. */
void wrap_host(size_t host, struct buf *out);
/* Appends the head of a frame; `length` bytes of input, at most WRAP_FRAME, follow it. */
void wrap_frame(size_t length, struct buf *out);
/* Appends that the input was all; not when there is none. */
void wrap_input_end(struct buf *out);
/* Appends a word, when there is nothing else to say. */
void wrap_beat(struct buf *out);

/* What the other side makes of it: for who plays a host (core/testing). */
struct wrap_heard {
	char *command; /* as wrap.command; NULL: not all of it has come yet */
};

/* Reads the head from the first `length` bytes of what went to standard input, as far as it is
 * there. */
void wrap_hear(const char *line, const char *bytes, size_t length, struct wrap_heard *heard);
void wrap_heard_free(struct wrap_heard *heard);

#endif
