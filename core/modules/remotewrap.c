/* SPDX-License-Identifier: Apache-2.0 */
#include "remotewrap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/mem.h"
#include "../runtime/shell.h"

/*
 * All that the shell of the user sees: it reads so many lines, and does what they say. It has no
 * newline, which csh does not take within quotes, and no exclamation mark.
 */
static const char loader[] =
	"exec 3<&0 </dev/null; _n=$1; _s=$(printf '\\nx'); _s=${_s%x}; "
	"IFS= read -r _t <&3 || exit 125; while [ $_n -gt 1 ]; do "
	"IFS= read -r _l <&3 || exit 125; _t=$_t$_s$_l; _n=$((_n-1)); done; eval \"$_t\"";

/*
 * The script comes with what is particular to the command, as the last of the lines; so an argument
 * list is short, and so are the messages that a transport has to keep room for. Its variables,
 * whose names begin with _ to be nobody else's:
 *
 *     _c  the command            _e  its environment    _d  1: detached
 *     _i  bytes of its input     _k  its number         _g  its process group
 *     _h  number of the host, which is in _k: two names may be one machine
 *     _n, _t, _l  what is read   _w  the watcher
 *
 * _left lists what has the number in its environment, which is set right before the command starts:
 * nothing of the watcher has it. What is in the group comes last, for the watcher is in it. A
 * command that nobody has waited for yet is not _alive.
 */
#define ENDING                                                                                     \
	"_left() { grep -lsF \"SPICERACK_COMMAND_ID=$_k\" /proc/[0-9]*/environ; }; "               \
	"_end() { for _p in $(_left); do _p=${_p#/proc/}; kill -$1 ${_p%/environ}; done; }; "      \
	"_alive() { kill -0 $$ || return 1; _s=; IFS= read -r _s </proc/$$/stat; "                 \
	"case $_s in *') Z '*) return 1;; esac; return 0; }; "

/*
 * The sleep runs out after the silence; each word has it killed and another started. The signals of
 * the reader, which is begun when they are listened to, may come at any moment: they are looked at
 * again when the sleep has a number.
 */
#define WATCHER                                                                                    \
	"_watch() { trap '' TERM HUP INT QUIT; _b=; _z=; _s=; "                                    \
	"trap '_b=1; kill -9 $_s' USR1; trap '_z=1; kill -9 $_s' USR2; "                           \
	"read -r _w _s </proc/self/stat; { exec <&3 3<&-; _hear; } & exec >/dev/null 3<&-; _s=; "  \
	"while :; do _b=; sleep 10 & _s=$!; case $_b$_z in ?*) kill -9 $_s;; esac; "               \
	"wait $_s; _r=$?; case $_z in 1) break;; esac; case $_b in 1) continue;; esac; "           \
	"case $_r in [12][0-9][0-9]) ;; *) break;; esac; done; "                                   \
	"_alive || exit 0; _end TERM; kill -TERM -$_g; "                                           \
	"for _t in 1 2 3; do sleep 1; _alive || case $(_left) in '') break;; esac; done; "         \
	"for _t in 1 2 3 4 5; do case $(_left) in '') break;; esac; _end KILL; done; "             \
	"kill -KILL -$_g; }; "

/*
 * Reads words, and hands on the input: `d BYTES` and so many of it, `e` behind the last. Input that
 * ends earlier must not be taken for all of it: then the pipe stays open until all is ended.
 */
#define READER                                                                                     \
	"_hear() { trap '' TERM HUP INT QUIT; "                                                    \
	"_f() { dd bs=$1 count=1 iflag=fullblock; }; case $_i in 0) ;; *) "                        \
	"dd iflag=fullblock count=0 </dev/null >/dev/null || _f() { dd bs=1 count=$1; };; esac; "  \
	"while read -r _x _y; do case $_x in d) _f $_y;; "                                         \
	"e) _i=0; exec >/dev/null;; "                                                              \
	"esac; kill -USR1 $_w; done; kill -USR2 $_w; case $_i in 0) ;; *) sleep 60;; esac; }; "

static const char script[] =
	"_g=; case $SHELL in '') SHELL=/bin/sh;; esac; "
	/* mksh keeps copies of the pipes that the input goes by, so nobody would see its end. */
	"case $_i$KSH_VERSION in 0*) ;; *KSH*) echo 'spicerack: /bin/sh is mksh here, with which a "
	"command cannot have input: another shell can, dash say' >&2; exit 125;; esac; "
	/* Detached. */
	"case $_d in 1) _s=; command -v setsid >/dev/null 2>&1 && _s=setsid; "
	"eval \"$_e\"; $_s \"$SHELL\" -c \"$_c\" 3<&- >/dev/null 2>&1 & exit 0;; esac; "
	"read -r _s _s _s _s _g _s 2>/dev/null </proc/$$/stat; "
	"case $_g in ''|0|1) _g=$$;; esac; " ENDING READER WATCHER "case $_i in "
	/* Twice forked: who is about to become the command has no children then. */
	"0) (exec >/dev/null 2>&1; _watch &); eval \"$_e\"; exec \"$SHELL\" -c \"$_c\" 3<&-;; "
	/*
	 * The dd takes in all of the input, or the words behind it would have to wait. Who has the
	 * pipe closes it by exec: dash keeps a copy of what is moved for a function.
	 */
	"*) { { exec 2>/dev/null; _watch; } | dd ibs=65536 obs=$_i 3<&- 2>/dev/null & } | "
	"{ eval \"$_e\"; exec \"$SHELL\" -c \"$_c\" 3<&-; }; exit $?;; esac";

static void put_quoted(const char *text, size_t length, struct buf *out)
{
	size_t need = shell_quote(text, length, NULL);
	char *word = xcalloc(1, need + 1);

	shell_quote(text, length, word);
	buf_add(out, word, need);
	explicit_bzero(word, need);
	free(word);
}

/*
 * The script for `sudo -i`, which joins its words to a line for the shell of root and hides every
 * special character of them but the dollar: as what printf makes of it.
 */
static void put_printed(const char *text, struct buf *out)
{
	buf_puts(out, "eval \"`printf %b '");
	for (; *text; text++) {
		if (strchr("$`\"'\\!", *text))
			buf_printf(out, "\\0%03o", (unsigned char)*text);
		else
			buf_putc(out, *text);
	}
	buf_puts(out, "'`\"");
}

static size_t count_lines(const struct buf *text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text->length; i++)
		lines += text->text[i] == '\n';
	return lines;
}

static void put_environment(const struct wrap *wrap, struct buf *out)
{
	for (size_t i = 0; i < wrap->environment.count; i++) {
		const char *entry = wrap->environment.items[i];
		size_t name = strcspn(entry, "=") + 1;

		buf_puts(out, "export ");
		buf_add(out, entry, name);
		put_quoted(entry + name, strlen(entry + name), out);
		buf_puts(out, "; ");
	}
	buf_printf(out, "export SPICERACK_RUN_ID=%s SPICERACK_COMMAND_ID=$_k", wrap->run);
}

/* What sets the variables of the script. */
static void put_head(const struct wrap *wrap, struct buf *out)
{
	struct buf environment = {0};

	put_environment(wrap, &environment);
	buf_printf(out, "_k=%s.$_h.%" PRIu64 ". _i=%zu _d=%d _e=", wrap->run, wrap->serial,
		   wrap->input_length, wrap->detached);
	put_quoted(buf_text(&environment), environment.length, out);
	buf_puts(out, " _c=");
	put_quoted(wrap->command, strlen(wrap->command), out);
	buf_free(&environment);
}

void wrap_make(const struct wrap *wrap, struct buf *line, struct buf *head)
{
	struct buf printed = {0};

	put_head(wrap, head);
	buf_puts(line, wrap->sudo ? "exec sudo -n -i -- /bin/sh -c " : "exec /bin/sh -c ");
	if (wrap->sudo)
		put_printed(loader, &printed);
	else
		buf_puts(&printed, loader);
	put_quoted(buf_text(&printed), printed.length, line);
	buf_putc(head, '\n');
	buf_puts(head, script);
	buf_printf(line, " spicerack-%s %zu", wrap->run, count_lines(head));
	buf_free(&printed);
	buf_putc(head, '\n');
}

void wrap_host(size_t host, struct buf *out)
{
	buf_printf(out, "_h=%zu; ", host);
}

void wrap_frame(size_t length, struct buf *out)
{
	buf_printf(out, "d %zu\n", length);
}

void wrap_input_end(struct buf *out)
{
	buf_puts(out, "e\n");
}

void wrap_beat(struct buf *out)
{
	buf_puts(out, "\n");
}

/* The words of the script's variables: a text that is one line for the shell. */
static char *value_of(spk_strings words, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < words.count; i++)
		if (strncmp(words.items[i], name, length) == 0)
			return xstrdup(words.items[i] + length);
	return NULL;
}

void wrap_hear(const char *line, const char *bytes, size_t length, struct wrap_heard *heard)
{
	const char *number = strrchr(line, ' ');
	unsigned long lines = number ? strtoul(number, NULL, 10) : 0;
	const char *end = bytes, *before_script = bytes;
	spk_strings words;
	char *head;

	for (; lines > 0; lines--) {
		before_script = end;
		end = memchr(end, '\n', length - (size_t)(end - bytes));
		if (!end)
			return;
		end++;
	}
	head = xstrndup(bytes, (size_t)(before_script - bytes));
	if (shell_split(head, &words) == 0) {
		heard->command = value_of(words, "_c=");
		free((void *)(uintptr_t)words.items);
	}
	free(head);
}

void wrap_heard_free(struct wrap_heard *heard)
{
	free(heard->command);
	heard->command = NULL;
}
