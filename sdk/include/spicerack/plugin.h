/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drivers: each wraps one third-party library in a shared object of its own,
 * `LIBDIR/spicerack/plugins/KIND-NAME.so`, opened when first used. A driver
 * exports one constant table named `spk_driver`; the tables grow by appending,
 * size first, and a caller checks the size before it uses a later member.
 *
 * A driver raises nothing: it returns a status and writes the reason, one line,
 * into the buffer that it is given.
 */
#ifndef SPICERACK_PLUGIN_H
#define SPICERACK_PLUGIN_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPK_DRIVER_ABI 1

/* The head of every driver's table. */
struct spk_driver {
	uint32_t size;    /* of the whole table */
	uint32_t abi;     /* SPK_DRIVER_ABI */
	const char *kind; /* "regex", "backtrace" ... */
	const char *name; /* "pcre2", "dwfl" ... */
};

/* Where a driver writes why it failed. */
struct spk_reason_buffer {
	char text[256];
};

/*
 * kind "regex". A compiled pattern is the driver's own and is kept for the life
 * of the process by the caller.
 */
struct spk_regex_driver {
	struct spk_driver driver;
	/* NULL and a reason when the pattern is wrong. `length` in bytes. */
	void *(*compile)(const char *pattern, size_t length, struct spk_reason_buffer *reason);
	/*
	 * Matches from byte `start` on; with `whole`, all of the text or nothing. Stores at most
	 * `pairs` pairs of byte offsets (SIZE_MAX: took no part). Returns the number of groups
	 * including the whole match, 0 for no match, -1 and a reason for a failure.
	 */
	int (*match)(void *compiled, const char *text, size_t length, size_t start, bool whole,
		     size_t *offsets, size_t pairs, struct spk_reason_buffer *reason);
	/* The number of a named group, or -1. */
	int (*group)(void *compiled, const char *name);
	/*
	 * Replaces every match into `out`, which has room for *length bytes and gets a NUL. Returns
	 * 0; 1 when there is no room, *length then being what is needed; -1 and a reason.
	 */
	int (*substitute)(void *compiled, const char *text, size_t length, const char *replacement,
			  char *out, size_t *out_length, struct spk_reason_buffer *reason);
};

/* kind "backtrace": names for addresses of the calling process. */
struct spk_frame {
	char function[128]; /* "" when unknown */
	char object[128];   /* base name of the shared object, "" when unknown */
	char file[192];     /* source file, "" when unknown */
	int line;           /* 0 when unknown */
};

struct spk_backtrace_driver {
	struct spk_driver driver;
	/*
	 * Fills in one frame per address. An address with `is_return` false is the place itself
	 * (of a crash), otherwise it is where a call will return to. Returns 0, or -1 and a reason.
	 */
	int (*resolve)(const uintptr_t *addresses, const bool *is_return, size_t count,
		       struct spk_frame *frames, struct spk_reason_buffer *reason);
};

#ifdef __cplusplus
}
#endif

#endif
