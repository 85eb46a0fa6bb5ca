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

/* kind "lineedit": lines typed at a terminal, with editing, history and completion. */

/* What ended a wait for input. */
enum spk_lineedit_wake {
	SPK_LINEEDIT_READY,   /* there is something to read */
	SPK_LINEEDIT_REDRAW,  /* the terminal has another size, or shows something else now */
	SPK_LINEEDIT_ABANDON, /* this line is not wanted any more */
};

/* What an editor asks of whoever reads lines with it; `data` is theirs. */
struct spk_lineedit_calls {
	uint32_t size; /* of this structure */
	/* Waits for input of the terminal; called before each byte is read. */
	enum spk_lineedit_wake (*wait)(void *data);
	/*
	 * What may stand in the place of the word that `text`, the line up to the cursor, ends
	 * with; each begins as that word does. *ret_word is the byte of `text` where it begins. The
	 * strings live until the next call. What goes behind a complete word is a blank.
	 */
	spk_strings (*complete)(void *data, const char *text, size_t *ret_word);
};

/*
 * Texts are in the encoding of the locale (LC_CTYPE), which the caller has set. Signals are the
 * caller's as well: an editor neither handles nor blocks any, and hears of them by wait().
 */
struct spk_lineedit_driver {
	struct spk_driver driver;
	/*
	 * Makes an editor for the terminal behind the two descriptors, which stay the caller's, and
	 * keeps `lines` lines of history. NULL and a reason when it cannot be edited at.
	 */
	void *(*open)(int input, int output, size_t lines, const struct spk_lineedit_calls *calls,
		      void *data, struct spk_reason_buffer *reason);
	/* Adds a line to the history, behind those that are there. */
	void (*remember)(void *editor, const char *line);
	/*
	 * Shows the prompt and reads a line: 1 and the line, without its end, which lives until the
	 * next call; 0 at the end of the input (Ctrl+D on an empty line, a terminal that has gone)
	 * or when it was abandoned. However it returns, the terminal has the settings that it had
	 * before and the cursor is behind what was typed, after 1 at the start of a line.
	 */
	int (*read)(void *editor, const char *prompt, const char **ret_line);
	void (*close)(void *editor);
};

/* kind "source": where in its sources something of a file was written. Executes nothing of it. */
struct spk_source_line {
	char file[256]; /* as the compiler was told, below its directory where it can be */
	char name[128]; /* of the variable or function */
	int line;
};

struct spk_source_driver {
	struct spk_driver driver;
	/*
	 * Reads the debugging information of the shared object open at `fd`, which stays the
	 * caller's. NULL and a reason when there is none.
	 */
	void *(*open)(int fd, struct spk_reason_buffer *reason);
	void (*close)(void *opened);
	/* The variable or function that covers the address, as it is in the file: 1; 0: none. */
	int (*declared)(void *opened, uint64_t address, struct spk_source_line *line);
	/* The first call of a function that the file does not define: 1; 0: none is known. */
	int (*called)(void *opened, const char *function, struct spk_source_line *line);
};

#ifdef __cplusplus
}
#endif

#endif
