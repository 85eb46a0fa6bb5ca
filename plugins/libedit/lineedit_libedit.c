/* SPDX-License-Identifier: Apache-2.0 */
/* Lines typed at a terminal, with libedit. The user's ~/.editrc is not read. */
#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <spicerack/plugin.h>

SPK_API extern const struct spk_lineedit_driver spk_driver;

/* Stands for a key that draws the line anew; no keyboard sends it. */
#define REDRAW_KEY L'\x9f'
#define COMPLETE_KEY L'\t'
#define END_KEY L'\x04' /* Ctrl+D: the end on an empty line, else Delete */
/* How many rows of the terminal stay free of a list of candidates. */
#define LIST_MARGIN 3

struct editor {
	EditLine *line;
	History *history;
	int input, output;
	FILE *in, *out; /* of their own descriptors */
	const struct spk_lineedit_calls *calls;
	void *data;
	const char *prompt; /* while a line is read */
	size_t columns;     /* of the terminal, as far as the editor knows */
	char *taken;        /* the line returned last */
};

static struct editor *editor_of(EditLine *line)
{
	void *editor = NULL;

	el_get(line, EL_CLIENTDATA, &editor);
	return editor;
}

static const char *show_prompt(EditLine *line)
{
	const struct editor *editor = editor_of(line);

	return editor->prompt ? editor->prompt : "";
}

/* ---- the terminal ---- */

static size_t columns_of_text(const char *text, size_t length)
{
	size_t columns = 0, used;
	mbstate_t state = {0};
	wchar_t point;
	int width;

	for (; length > 0; text += used, length -= used) {
		used = mbrtowc(&point, text, length, &state);
		if (used == 0 || used > length)
			break;
		width = wcwidth(point);
		columns += width > 0 ? (size_t)width : 0;
	}
	return columns;
}

static struct winsize size_of(const struct editor *editor)
{
	struct winsize size = {0};

	if (ioctl(editor->output, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		size.ws_col = 80;
	if (size.ws_row == 0)
		size.ws_row = 24;
	return size;
}

/* How many rows below that of the prompt a line ends that is typed as far as `text`. */
static size_t rows_of(const struct editor *editor, const char *text, size_t length)
{
	return (columns_of_text(editor->prompt, strlen(editor->prompt)) +
		columns_of_text(text, length)) /
	       editor->columns;
}

/*
 * The terminal has another size, or was used by somebody else. True when a line of one row is to be
 * drawn anew in its place; one of several, of which nobody knows where they are now, is shown
 * again below.
 */
static bool is_to_redraw(EditLine *line, struct editor *editor)
{
	const LineInfo *info = el_line(line);
	size_t length = (size_t)(info->lastchar - info->buffer);
	bool one_row = rows_of(editor, info->buffer, length) == 0;

	el_resize(line);
	editor->columns = size_of(editor).ws_col;
	if (one_row && rows_of(editor, info->buffer, length) == 0)
		return true;
	fputc('\n', editor->out);
	el_set(line, EL_REFRESH);
	return false;
}

/* ---- completion ---- */

static void put_newlines(struct editor *editor, size_t count)
{
	while (count-- > 0)
		fputc('\n', editor->out);
}

/* Below the line, in columns that are read downwards, as many as the terminal has room for. */
static void list(struct editor *editor, spk_strings words)
{
	struct winsize size = size_of(editor);
	size_t widest = 0, across, down, room;

	for (size_t i = 0; i < words.count; i++) {
		size_t columns = columns_of_text(words.items[i], strlen(words.items[i]));

		widest = columns > widest ? columns : widest;
	}
	across = size.ws_col / (widest + 2);
	across = across > 0 ? across : 1;
	down = (words.count + across - 1) / across;
	room = size.ws_row > LIST_MARGIN + 1 ? size.ws_row - LIST_MARGIN : 1;
	if (down > room)
		down = room;
	for (size_t row = 0; row < down; row++) {
		for (size_t column = 0; column < across; column++) {
			size_t at = column * down + row, left;

			if (at >= words.count)
				break;
			left = widest + 2 -
			       columns_of_text(words.items[at], strlen(words.items[at]));
			fprintf(editor->out, "%s%*s", words.items[at],
				column + 1 < across && at + down < words.count ? (int)left : 0, "");
		}
		fputc('\n', editor->out);
	}
	if (down * across < words.count)
		fprintf(editor->out, "... and %zu more\n", words.count - down * across);
}

/* How many bytes all of the words have in common. */
static size_t common_length(spk_strings words)
{
	size_t length = strlen(words.items[0]);

	for (size_t i = 1; i < words.count; i++) {
		size_t same = 0;

		while (same < length && words.items[i][same] == words.items[0][same])
			same++;
		length = same;
	}
	/* Not in the middle of a character. */
	while (length > 0 && (words.items[0][length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* Tab: as much as is certain; where that is nothing, what could follow. */
static void complete(EditLine *line, struct editor *editor)
{
	const LineInfo *info = el_line(line);
	size_t length = (size_t)(info->cursor - info->buffer), word = 0, have, certain, behind;
	size_t whole = (size_t)(info->lastchar - info->buffer);
	char *text = strndup(info->buffer, length), *more;
	spk_strings words;

	if (!text)
		return;
	words = editor->calls->complete(editor->data, text, &word);
	have = length > word ? length - word : 0;
	if (words.count == 0) {
		el_beep(line);
		goto out;
	}
	certain = common_length(words);
	if (words.count == 1 || certain > have) {
		more = strndup(words.items[0] + have, certain > have ? certain - have : 0);
		if (more && el_insertstr(line, more) == 0 && words.count == 1)
			el_insertstr(line, " ");
		free(more);
		goto out;
	}
	/* From here on the editor does not know where the cursor is: it goes down as many rows as
	 * the editor will go up again to draw its line. */
	behind = rows_of(editor, info->buffer, whole);
	put_newlines(editor, behind - rows_of(editor, text, length) + 1);
	list(editor, words);
	put_newlines(editor, behind);
out:
	free(text);
}

/* ---- keys ---- */

/*
 * One character, whose bytes come one at a time; bytes that are none are dropped. 0 at the end of
 * the input.
 */
static int take_character(EditLine *line, struct editor *editor, wchar_t *ret_key)
{
	char bytes[MB_LEN_MAX];
	size_t have = 0, used;
	mbstate_t state;
	ssize_t got;

	for (;;) {
		switch (editor->calls->wait(editor->data)) {
		case SPK_LINEEDIT_REDRAW:
			if (!is_to_redraw(line, editor))
				continue;
			*ret_key = REDRAW_KEY;
			return 1;
		case SPK_LINEEDIT_ABANDON:
			return 0;
		case SPK_LINEEDIT_READY:
			break;
		}
		got = read(editor->input, &bytes[have], 1);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return 0;
		memset(&state, 0, sizeof(state));
		used = mbrtowc(ret_key, bytes, ++have, &state);
		if (used != (size_t)-1 && used != (size_t)-2)
			return 1;
		if (used == (size_t)-1 || have == sizeof(bytes))
			have = 0;
	}
}

static void delete_next(EditLine *line)
{
	const LineInfo *info = el_line(line);

	if (info->cursor == info->lastchar) {
		el_beep(line);
		return;
	}
	el_cursor(line, 1);
	el_deletestr(line, 1);
}

/*
 * The next key for the library. Those that mean something of ours are done with here, for what it
 * takes for functions of its own it never frees, and the line is drawn anew.
 */
static int take_key(EditLine *line, wchar_t *ret_key)
{
	struct editor *editor = editor_of(line);
	const LineInfo *info;

	if (take_character(line, editor, ret_key) == 0)
		return 0;
	if (*ret_key != COMPLETE_KEY && *ret_key != END_KEY)
		return 1;
	info = el_line(line);
	if (*ret_key == END_KEY && info->lastchar == info->buffer)
		return 0;
	if (*ret_key == END_KEY)
		delete_next(line);
	else
		complete(line, editor);
	*ret_key = REDRAW_KEY;
	return 1;
}

/* ---- the driver ---- */

static const struct {
	const char *key, *function;
} keys[] = {
	{"\033[1~", "ed-move-to-beg"},
	{"\033[4~", "ed-move-to-end"},
	{"\033[1;5C", "em-next-word"}, /* Ctrl+Right */
	{"\033[1;5D", "ed-prev-word"}, /* Ctrl+Left */
};

static int set_up(struct editor *editor, size_t lines)
{
	static const wchar_t redraw[] = {REDRAW_KEY, 0};
	EditLine *line = editor->line;
	HistEvent event;

	if (el_set(line, EL_CLIENTDATA, editor) < 0 || el_set(line, EL_SIGNAL, 0) < 0 ||
	    el_set(line, EL_EDITOR, "emacs") < 0 || el_set(line, EL_PROMPT, show_prompt) < 0 ||
	    el_set(line, EL_GETCFN, take_key) < 0)
		return -1;
	if (history(editor->history, &event, H_SETSIZE, (int)lines) < 0 ||
	    history(editor->history, &event, H_SETUNIQUE, 1) < 0 ||
	    el_set(line, EL_HIST, history, editor->history) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (el_set(line, EL_BIND, keys[i].key, keys[i].function, NULL) < 0)
			return -1;
	if (el_wset(line, EL_BIND, redraw, L"ed-redisplay", NULL) < 0)
		return -1;
	/* M-x would let whoever may run cookbooks as root bind a key to one that starts vi. */
	if (el_set(line, EL_BIND, "-r", "\033x", NULL) < 0 ||
	    el_set(line, EL_BIND, "-r", "\033X", NULL) < 0)
		return -1;
	return 0;
}

static FILE *open_copy(int fd, const char *mode)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	FILE *file = copy < 0 ? NULL : fdopen(copy, mode);

	if (!file && copy >= 0)
		close(copy);
	return file;
}

static void close_editor(void *data)
{
	struct editor *editor = data;

	if (!editor)
		return;
	if (editor->line) {
		/* Or the end would throw away what is typed for the shell already. */
		el_set(editor->line, EL_EDITMODE, 0);
		el_end(editor->line);
	}
	if (editor->history)
		history_end(editor->history);
	if (editor->in)
		fclose(editor->in);
	if (editor->out)
		fclose(editor->out);
	free(editor->taken);
	free(editor);
}

static void *open_editor(int input, int output, size_t lines,
			 const struct spk_lineedit_calls *calls, void *data,
			 struct spk_reason_buffer *reason)
{
	struct editor *editor = calloc(1, sizeof(*editor));
	struct termios before;

	if (!editor || tcgetattr(input, &before) < 0)
		goto failed;
	editor->input = input;
	editor->output = output;
	editor->calls = calls;
	editor->data = data;
	editor->in = open_copy(input, "r");
	editor->out = open_copy(output, "w");
	editor->history = history_init();
	if (editor->in && editor->out && editor->history)
		editor->line = el_init("cookbook", editor->in, editor->out, editor->out);
	tcsetattr(input, TCSADRAIN, &before);
	if (!editor->line || set_up(editor, lines) < 0)
		goto failed;
	return editor;
failed:
	snprintf(reason->text, sizeof(reason->text), "cannot edit lines at this terminal: %s",
		 strerrordesc_np(errno));
	close_editor(editor);
	return NULL;
}

static void remember(void *data, const char *line)
{
	struct editor *editor = data;
	HistEvent event;

	history(editor->history, &event, H_ENTER, line);
}

static int read_line(void *data, const char *prompt, const char **ret_line)
{
	struct editor *editor = data;
	struct termios before;
	bool known = tcgetattr(editor->input, &before) == 0;
	const char *line;
	int length = 0;

	editor->prompt = prompt;
	editor->columns = size_of(editor).ws_col;
	line = el_gets(editor->line, &length);
	fflush(editor->out);
	if (known)
		tcsetattr(editor->input, TCSADRAIN, &before);
	free(editor->taken);
	editor->taken = line && length > 0 ? strndup(line, (size_t)length) : NULL;
	if (!editor->taken)
		return 0;
	editor->taken[strcspn(editor->taken, "\n")] = '\0';
	*ret_line = editor->taken;
	return 1;
}

const struct spk_lineedit_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_lineedit_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "lineedit",
		   .name = "libedit"},
	.open = open_editor,
	.remember = remember,
	.read = read_line,
	.close = close_editor,
};
