/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole run, run_cookbook(), against a hostile worker or a hostile runner. No process is started:
 * the calls that would start, kill or wait for one, the clock and the sinks of the log are
 * replaced below at link time, and the other side acts whenever the supervisor waits. So nothing
 * ever blocks, and time is what the script says.
 *
 * The first byte of the input: flags (enum). The rest is the script, one letter per act, see
 * act(). No `u` is ever sent, so that a record of the module `run` is the supervisor's own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../core/host/journal/journal.h"
#include "../../core/host/journal/metrics.h"
#include "../../core/host/journal/prune.h"
#include "../../core/host/notify/notify.h"
#include "../../core/host/tree/find.h"
#include "../../core/host/log/log.h"
#include "../../core/host/log/logfile.h"
#include "../../core/host/question/prompt.h"
#include "../../core/host/run/run.h"
#include "../../core/host/run/signals.h"
#include "../../core/host/log/terminal.h"
#include "../../core/runtime/descendants.h"
#include "../../core/runtime/fd.h"
#include "../../core/runtime/protocol.h"
#include "../../core/runtime/wire.h"
#include "shown.h"

#define HEAD "jdoe 4860 "
#define CYAN "\033[36m==>\033[39m "
/* No process has it. */
#define RUNNER_PID INT32_MAX
#define WAITS_MAX 200000
#define BODY_MAX (1U << 20)
#define FRAGMENT_SIZE 32768U

enum {
	HONEST_RUNNER = 1, /* answers the supervisor's orders as it should */
	DRY_RUN = 2,
	VERBOSE = 4,
	ROLLBACK = 8,
	HONEST_STAGES =
		4, /* shift: the worker is honest before this stage, the script waits for it */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The far ends of one runner and its worker. */
struct ends {
	pid_t runner;
	int control, requests, interrupt, out, err;
	int death; /* stands for the worker's pidfd */
	bool child;
};

/* What the other side is up to. */
static struct {
	const uint8_t *at, *end;
	unsigned int flags;
	struct buf body; /* of the next message */
	int far[16];     /* while they are handed over: the descriptor for each number */
	struct ends ends_of[NESTED_DEPTH_MAX + 1]; /* of each runner; the last one acts */
	unsigned int depth;                        /* how many there are */
	int typed;                                 /* the terminal of a question; -1: none */
	int signals;                               /* eventfd, readable while a signal waits */
	int queue[64];                             /* of signals */
	unsigned int queued;
	int64_t now_ns;
	unsigned int waits, deaths;
	bool playing, begun;
	uint32_t serial;
	unsigned int starts, ends;
} other;

static int lowest_free;

static struct ends *now(void)
{
	return &other.ends_of[other.depth];
}

/* The next byte of the script; 0 behind its end. */
static uint8_t next(void)
{
	return other.at < other.end ? *other.at++ : 0;
}

/* ---- sinks of the log ---- */

struct logfile {
	int unused;
};

int logfile_open(const char *base, const char *name, const struct logfile_limits *limits,
		 struct logfile **ret_logfile, struct err *err)
{
	static struct logfile logfile;

	*ret_logfile = &logfile;
	return 0;
}

int logfile_write(struct logfile *logfile, const struct buf *record, const struct buf *extended,
		  struct err *err)
{
	const char *head = other.flags & DRY_RUN ? "DRY-RUN " HEAD : HEAD, *said;

	if (record)
		expect_record(record->text, record->length, head);
	expect_record(extended->text, extended->length, head);
	/* Only announce() of run.c says so. */
	said = strchr(extended->text, '[');
	if (strncmp(said, "[INFO run:", 10) != 0 || !(said = strchr(said, ']')) ||
	    strncmp(said - 12, " in announce] ", 14) != 0)
		return 0;
	said += 2;
	other.starts += strncmp(said, "START - Cookbook fuzz", 21) == 0;
	other.ends += strncmp(said, "END (", 5) == 0 || strncmp(said, "DONE (", 6) == 0;
	return 0;
}

const char *logfile_path(const struct logfile *logfile, bool extended)
{
	return "/nonexistent/fuzz.log";
}

void logfile_close(struct logfile *logfile)
{
}

void terminal_init(struct terminal *terminal, int fd, bool dry_run, bool verbose)
{
	*terminal = (struct terminal){.fd = -1, .dry_run = dry_run};
}

void terminal_write(struct terminal *terminal, const struct log_record *record)
{
	struct buf text = {0};

	record_render_terminal(record, terminal->dry_run, &text);
	expect_shown(buf_text(&text), text.length);
	buf_free(&text);
}

void terminal_close(struct terminal *terminal)
{
}

/* There is one as long as somebody does something. */
size_t terminal_columns(const struct terminal *terminal)
{
	return other.at < other.end ? 80 : 0;
}

void terminal_set_status(struct terminal *terminal, const char *text, size_t columns)
{
	EXPECT(columns < 80);
	expect_shown(text, strlen(text));
}

void terminal_set_cue(struct terminal *terminal, const char *cue)
{
	if (cue)
		expect_shown(cue, strlen(cue));
}

bool terminal_yield(struct terminal *terminal, int fd)
{
	return false;
}

void terminal_resume(struct terminal *terminal, bool ended)
{
}

void terminal_init_lent(struct terminal *terminal, int fd, const struct terminal *like,
			bool coloured, bool addressable)
{
	terminal_init(terminal, fd, like->dry_run, false);
}

bool terminal_is_addressable(void)
{
	return false;
}

bool terminal_wants_colours(int fd)
{
	return false;
}

void terminal_show(struct terminal *terminal, const char *text, size_t length)
{
	expect_shown(text, length);
}

/* The journal is a file, and has its own tests; so have those who are told of a run. */
int journal_open(const char *directory, const char *cookbook_name, const struct journal *outer,
		 bool durable, struct journal **ret_journal, struct err *err)
{
	*ret_journal = NULL;
	return 0;
}

const char *journal_run(const struct journal *journal)
{
	return "id";
}

const char *journal_path(const struct journal *journal)
{
	return NULL;
}

void journal_add_sink(struct journal *journal, struct event_sink *sink)
{
}

int journal_tell(struct journal *journal, const char *name, const struct event_field *fields,
		 size_t count, struct err *err)
{
	return 0;
}

int journal_tell_record(struct journal *journal, const struct log_record *record, struct err *err)
{
	return 0;
}

void journal_show(const struct journal *journal, const char *name, const struct event_field *fields,
		  size_t count)
{
}

void journal_sync(struct journal *journal)
{
}

void journal_discard(struct journal *journal)
{
}

void journal_close(struct journal *journal)
{
}

bool journal_prune_is_due(const char *directory)
{
	return false;
}

int metrics_add(const char *path, const struct metrics_run *run, struct err *err)
{
	return 0;
}

struct notify *notify_open(const struct settings *settings, const struct identity *identity,
			   bool dry_run, struct log *log)
{
	return NULL;
}

void notify_irc(struct notify *notify, const char *message)
{
}

void notify_sal(struct notify *notify, const char *message)
{
}

void notify_awaiting(struct notify *notify, const char *cookbook_name)
{
}

struct event_sink *notify_sink(struct notify *notify)
{
	return NULL;
}

int notify_fd(const struct notify *notify)
{
	return -1;
}

void notify_attend(struct notify *notify)
{
}

int notify_close(struct notify *notify, int signal_fd)
{
	return 0;
}

struct prune_limits prune_limits_of(const struct settings *settings)
{
	return (struct prune_limits){0};
}

int journal_prune(const char *directory, const struct prune_limits *limits, size_t *ret_removed,
		  struct err *err)
{
	return 0;
}

/* The usage error, with the words of the worker in it. */
int fputs(const char *restrict text, FILE *restrict stream)
{
	if (other.playing)
		expect_shown(text, strlen(text));
	return 0;
}

/* ---- the host around the run ---- */

const char *settings_text(const struct settings *settings, const char *path)
{
	return "/nonexistent";
}

int settings_list(const struct settings *settings, const char *path, spk_strings *ret,
		  struct err *err)
{
	return -1;
}

spk_strings settings_strings(const struct settings *settings, const char *path)
{
	return (spk_strings){0};
}

/* No locks: their keeper is a thread, and has its own tests. */
bool settings_bool(const struct settings *settings, const char *path)
{
	return false;
}

long long settings_int(const struct settings *settings, const char *path)
{
	return 0;
}

const char *settings_origin(const struct settings *settings, const char *path)
{
	return NULL;
}

const struct setting *settings_all(const struct settings *settings, size_t *ret_count)
{
	*ret_count = 0;
	return NULL;
}

/* The cookbook that is run. */
static struct cookbook_spec spec;
static struct tree_found cookbook = {.spec = &spec};

enum tree_find tree_find(spk_strings bases, const char *name, FILE *problems,
			 struct tree_found *ret)
{
	*ret = cookbook;
	return name[0] == 'f' ? TREE_FOUND : TREE_NONE;
}

void tree_found_free(struct tree_found *found)
{
}

/* ---- the operator at the terminal ---- */

bool prompt_open(struct prompt *prompt, const struct question *question, int lent,
		 struct reply *reply)
{
	struct buf text = {0};

	question_render(question, &text);
	EXPECT(text.length == 0 || strncmp(text.text, CYAN, strlen(CYAN)) == 0);
	if (text.length > 0)
		expect_shown(text.text + strlen(CYAN), text.length - strlen(CYAN));
	buf_clear(&text);
	question_render_complaint(question, question->complaint, &text);
	question_render_cue(question, &text);
	expect_shown(buf_text(&text), text.length);
	buf_free(&text);
	*prompt = (struct prompt){.terminal = -1, .question = question};
	/* Not for ever. */
	if (other.at >= other.end) {
		reply_refuse(reply, ASK_NO_TERMINAL, "nobody answers");
		return false;
	}
	prompt->terminal = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	EXPECT(prompt->terminal >= 0);
	other.typed = prompt->terminal;
	return true;
}

static void take_secret(struct reply *reply, const char *secret)
{
	reply_answer(reply, "", "the operator");
	reply->secret = secret;
}

void prompt_read(struct prompt *prompt, struct reply *reply)
{
	static const char secret[] = "swordfish";
	const struct question *question = prompt->question;
	uint8_t choice = next();
	eventfd_t count;

	EXPECT(eventfd_read(prompt->terminal, &count) == 0);
	if (choice % 4 == 0)
		reply_refuse(reply, ASK_UNANSWERED, "too many");
	else if (choice % 4 == 1)
		return;
	else if (question->kind == ASK_SECRET)
		take_secret(reply, secret);
	else if (question->choices.count > 0)
		reply_answer(reply, question->choices.items[choice / 4 % question->choices.count],
			     "the operator");
	else if (choice % 4 == 2)
		reply_refuse(reply, ASK_INVALID, "nothing was typed");
	else
		reply_answer(reply, "what was typed", "the operator");
}

void prompt_leave(struct prompt *prompt, const struct reply *reply)
{
	other.typed = -1;
	fd_close(&prompt->terminal);
}

void prompt_close(struct prompt *prompt)
{
	prompt_leave(prompt, NULL);
}

int signals_open(struct err *err)
{
	return other.signals;
}

int signals_next(int fd)
{
	eventfd_t count;
	int number;

	if (other.queued == 0 || eventfd_read(fd, &count) < 0)
		return 0;
	number = other.queue[0];
	memmove(other.queue, other.queue + 1, --other.queued * sizeof(other.queue[0]));
	return number;
}

static void raise_signal(int number)
{
	if (other.queued == sizeof(other.queue) / sizeof(other.queue[0]))
		return;
	other.queue[other.queued++] = number;
	eventfd_write(other.signals, 1);
}

spk_duration spk_uptime(void)
{
	return (spk_duration){other.now_ns};
}

spk_time spk_now(void)
{
	return (spk_time){other.now_ns};
}

const char *spk_duration_text(struct spk *spk, spk_duration duration)
{
	return "a while";
}

/* ---- processes ---- */

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int as)
{
	EXPECT(as >= 0 && as < 16);
	other.far[as] = fd;
	return 0;
}

static int keep(int as)
{
	int fd = fcntl(other.far[as], F_DUPFD_CLOEXEC, 10);

	EXPECT(fd >= 0);
	return fd;
}

int posix_spawn(pid_t *restrict pid, const char *restrict path,
		const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *restrict attributes, char *const *restrict argv,
		char *const *restrict environment)
{
	EXPECT(other.depth < NESTED_DEPTH_MAX);
	other.depth++;
	*now() = (struct ends){
		.runner = RUNNER_PID - (pid_t)other.depth,
		.control = keep(RUNNER_CONTROL_FD),
		.requests = keep(RUNNER_REQUESTS_FD),
		.interrupt = keep(RUNNER_INTERRUPT_FD),
		.out = keep(STDOUT_FILENO),
		.err = keep(STDERR_FILENO),
		.death = -1,
	};
	*pid = now()->runner;
	if (fd_set_nonblocking(now()->out, NULL) < 0 || fd_set_nonblocking(now()->err, NULL) < 0)
		return EIO;
	return 0;
}

static void close_ends(struct ends *ends)
{
	ends->child = false;
	fd_close(&ends->control);
	fd_close(&ends->requests);
	fd_close(&ends->interrupt);
	fd_close(&ends->out);
	fd_close(&ends->err);
	fd_close(&ends->death);
}

int kill(pid_t pid, int number)
{
	if (other.depth > 0 && pid == now()->runner)
		close_ends(now());
	else
		raise_signal(number);
	return 0;
}

/* Whatever is not of an outer run ends. */
int descendants_kill(const pid_t *spared, size_t spared_count, pid_t wanted, int *ret_status)
{
	while (other.depth > spared_count)
		close_ends(&other.ends_of[other.depth--]);
	return 0;
}

/* The pidfd of the worker. */
long syscall(long number, ...)
{
	int death = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	EXPECT(number == SYS_pidfd_open && death >= 0);
	fd_close(&now()->death);
	now()->death = fcntl(death, F_DUPFD_CLOEXEC, 10);
	return death;
}

/* ---- what the other side says ---- */

struct head {
	uint32_t type, serial, more, length;
};

/* One datagram, without any `u`. A full socket loses it. */
static void datagram(int fd, const struct head *head, const char *bytes, size_t length)
{
	struct buf packet = {0};

	if (head)
		buf_add(&packet, head, sizeof(*head));
	buf_add(&packet, bytes, length);
	for (size_t i = 0; i < packet.length; i++)
		if (packet.text[i] == 'u')
			packet.text[i] = 'v';
	if (fd >= 0)
		(void)!send(fd, packet.text, packet.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&packet);
}

static void message(int fd, uint32_t type, uint32_t serial, bool more, struct buf *body)
{
	size_t done = 0, length;

	do {
		length = body->length - done < FRAGMENT_SIZE ? body->length - done : FRAGMENT_SIZE;
		datagram(fd,
			 &(struct head){type, serial, more || done + length < body->length,
					(uint32_t)length},
			 buf_text(body) + done, length);
		done += length;
	} while (done < body->length);
	buf_clear(body);
}

static void print(int fd, const char *bytes, size_t length)
{
	struct buf copy = {0};

	buf_add(&copy, bytes, length);
	for (size_t i = 0; i < length; i++)
		if (copy.text[i] == 'u')
			copy.text[i] = 'v';
	if (fd >= 0)
		(void)!write(fd, copy.text, length);
	buf_free(&copy);
}

static void put_result(uint64_t stage, uint64_t outcome, uint64_t code, const char *text,
		       uint64_t lines, struct buf *body)
{
	const uint64_t numbers[] = {stage, outcome, code, 0};

	for (size_t i = 0; i < 4; i++)
		wire_put_number(body, numbers[i]);
	wire_put_text(body, text);
	wire_put_number(body, 20);
	wire_put_number(body, 1800000000000);
	wire_put_number(body, 0);
	wire_put_number(body, lines);
	for (uint64_t i = 0; i < lines; i++)
		wire_put_text(body, i ? "caused by: this" : "that went wrong");
	wire_put_number(body, lines);
	for (uint64_t i = 0; i < lines; i++)
		wire_put_number(body, 0x1000 + i);
}

static void send_result(uint64_t stage, uint64_t outcome, uint64_t code, const char *text,
			unsigned int lines)
{
	struct buf body = {0};

	put_result(stage, outcome, code, text, lines, &body);
	message(now()->requests, REQUEST_RESULT, 0, false, &body);
	buf_free(&body);
}

static void send_log(uint64_t level, const char *text)
{
	struct buf body = {0};

	wire_put_number(&body, level);
	wire_put_text(&body, "cookbooks/fuzz.c");
	wire_put_number(&body, 7);
	wire_put_text(&body, "act");
	wire_put_text(&body, text);
	wire_put_number(&body, level % (AUDIENCE_SAL + 1));
	message(now()->requests, REQUEST_LOG, ++other.serial, false, &body);
	buf_free(&body);
}

static void send_control(uint32_t type, const uint64_t *number, const char *text)
{
	struct buf body = {0};

	if (number)
		wire_put_number(&body, *number);
	if (text)
		wire_put_text(&body, text);
	message(now()->control, type, 0, false, &body);
	buf_free(&body);
}

static void send_gone(uint64_t status, uint64_t number)
{
	const uint64_t numbers[] = {status, number, 1, 0x8, 0x7000};
	struct buf body = {0};

	for (size_t i = 0; i < 5; i++)
		wire_put_number(&body, numbers[i]);
	wire_put_text(&body, "run");
	wire_put_number(&body, 2);
	for (uint64_t i = 0; i < 2; i++) {
		wire_put_number(&body, 0x1000 + i);
		wire_put_number(&body, i);
	}
	message(now()->control, CONTROL_GONE, 0, false, &body);
	buf_free(&body);
	now()->child = false;
	if (now()->death >= 0)
		eventfd_write(now()->death, 1);
}

/* ---- the script ---- */

/* A length and as many bytes as there are. */
static const char *next_bytes(size_t *ret_length)
{
	const char *bytes;

	*ret_length = next();
	if (*ret_length > (size_t)(other.end - other.at))
		*ret_length = (size_t)(other.end - other.at);
	bytes = (const char *)other.at;
	other.at += *ret_length;
	return bytes;
}

/* The same as text, cut at a NUL; for free(). */
static char *next_text(void)
{
	size_t length;
	const char *bytes = next_bytes(&length);
	char *text = strndup(bytes, length);

	EXPECT(text);
	return text;
}

static void close_one(unsigned int which)
{
	int *ends[] = {&now()->out, &now()->err, &now()->requests, &now()->control};

	fd_close(ends[which % 4]);
}

/* Additions to the body of the next message. False: it was none of these. */
static bool compose(uint8_t letter)
{
	struct buf *body = &other.body;
	uint64_t number = 0, numbers[4];
	const char *bytes;
	size_t length;
	char *text;

	if (body->length > BODY_MAX)
		buf_clear(body);
	switch (letter) {
	case 'n': /* a small number */
		wire_put_number(body, next());
		return true;
	case 'N': /* any number */
		for (int i = 0; i < 8; i++)
			number = number << 8 | next();
		wire_put_number(body, number);
		return true;
	case 's': /* a text */
		text = next_text();
		wire_put_text(body, text);
		free(text);
		return true;
	case '0': /* no text */
		wire_put_text(body, NULL);
		return true;
	case 'x': /* bytes */
		bytes = next_bytes(&length);
		buf_add(body, bytes, length);
		return true;
	case 'X': /* the same byte very often */
		number = next();
		buf_fill(body, (char)number, (size_t)next() * 64);
		return true;
	case 'R': /* the items of a result with an error: stage, outcome, code, lines */
		for (size_t i = 0; i < 4; i++)
			numbers[i] = next();
		put_result(numbers[0], numbers[1], numbers[2], "text", numbers[3] % 80, body);
		return true;
	default:
		return false;
	}
}

/* All fragments but the last are full. */
static void fill_fragment(bool wanted, struct buf *body)
{
	size_t rest = body->length % FRAGMENT_SIZE;

	if (wanted && (rest || body->length == 0))
		buf_fill(body, ' ', FRAGMENT_SIZE - rest);
}

/* Messages and what else happens to the supervisor. */
static void act(uint8_t letter)
{
	static const spk_strings no_texts = {0};
	struct buf *body = &other.body;
	uint64_t number;
	uint32_t type;
	size_t length;
	const char *bytes;
	char *text;

	switch (letter) {
	case 'q': /* the body as a request of the worker */
	case 'f': /* the same as a fragment that others follow */
		type = next();
		fill_fragment(letter == 'f', body);
		message(now()->requests, type, next(), letter == 'f', body);
		break;
	case 'c': /* the body as an answer of the runner */
	case 'F':
		fill_fragment(letter == 'F', body);
		message(now()->control, next(), 0, letter == 'F', body);
		break;
	case 'Q': /* the body as it is */
		datagram(now()->requests, NULL, buf_text(body), body->length);
		buf_clear(body);
		break;
	case 'C':
		datagram(now()->control, NULL, buf_text(body), body->length);
		buf_clear(body);
		break;
	case 'l': /* a good record */
		number = next();
		text = next_text();
		send_log(number, text);
		free(text);
		break;
	case 'r': /* a good result */
		number = next();
		type = next();
		send_result(number, type, 0, NULL, type == OUTCOME_RAISED ? 2 : 0);
		break;
	case 't': /* a result with a text */
		number = next();
		type = next();
		text = next_text();
		send_result(number, type, next(), text, 0);
		free(text);
		break;
	case 'g': /* the worker died */
		number = next();
		send_gone(number, next());
		break;
	case 'S': /* a child is there */
		number = next();
		send_control(CONTROL_STARTED, &number, NULL);
		break;
	case 'Y': /* the cookbook is open */
		number = PROTOCOL_VERSION;
		send_control(CONTROL_READY, &number, NULL);
		break;
	case 'D': /* names of addresses */
		text = next_text();
		send_control(CONTROL_DESCRIBED, NULL, text);
		free(text);
		break;
	case 'o': /* standard output */
		bytes = next_bytes(&length);
		print(now()->out, bytes, length);
		break;
	case 'e': /* standard error */
		bytes = next_bytes(&length);
		print(now()->err, bytes, length);
		break;
	case 'O': /* the body there */
		print(now()->out, buf_text(body), body->length);
		buf_clear(body);
		break;
	case 'E':
		print(now()->err, buf_text(body), body->length);
		buf_clear(body);
		break;
	case 'k': /* an end is closed */
		close_one(next());
		break;
	case 'K': /* the runner dies */
		close_ends(now());
		break;
	case 'm': /* an inner run is wanted */
		wire_put_number(body, next() % 2);
		wire_put_text(body, "fuzz");
		wire_put_texts(body, (spk_strings){0});
		message(now()->requests, REQUEST_NESTED, ++other.serial, false, body);
		break;
	case 'a': /* a question */
		number = next() % 8;
		wire_put_number(body, number);
		wire_put_text(body, "name");
		text = next_text();
		wire_put_text(body, text);
		wire_put_texts(body, number == ASK_CHOICE ? SPK_STRINGS(text, "b") : no_texts);
		wire_put_number(body, next() % 5);
		wire_put_text(body, number == ASK_TEXT ? text : NULL);
		wire_put_number(body, next() % 4);
		free(text);
		message(now()->requests, REQUEST_ASK, ++other.serial, false, body);
		break;
	case 'y': /* something is typed at the terminal */
		if (other.typed >= 0)
			eventfd_write(other.typed, 1);
		break;
	case 'p': /* progress */
		for (int i = 0; i < 4; i++)
			wire_put_number(body, next());
		text = next_text();
		wire_put_text(body, text);
		free(text);
		message(now()->requests, REQUEST_PROGRESS, 0, false, body);
		break;
	case 'd': /* the worker dies, its runner does not tell */
		if (now()->death >= 0)
			eventfd_write(now()->death, 1);
		break;
	case 'i': /* Ctrl+C, or what else there is */
		raise_signal((const int[]){SIGINT, SIGTERM, SIGHUP, SIGTSTP}[next() % 4]);
		break;
	case 'w': /* time goes by */
		other.now_ns += next() * 1000000000LL;
		break;
	default:
		break;
	}
}

/* The other side acts until it waits, too. */
static void play(void)
{
	while (other.begun && other.at < other.end) {
		uint8_t letter = next();

		if (letter == '.')
			return;
		if (!compose(letter))
			act(letter);
	}
}

/* ---- honest answers ---- */

static bool receive(int fd, struct head *ret_head, uint64_t *ret_number)
{
	char packet[sizeof(*ret_head) + FRAGMENT_SIZE];
	ssize_t got = fd < 0 ? -1 : recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (got < (ssize_t)sizeof(*ret_head))
		return false;
	memcpy(ret_head, packet, sizeof(*ret_head));
	*ret_number = 0;
	if (got >= (ssize_t)(sizeof(*ret_head) + sizeof(*ret_number)))
		memcpy(ret_number, packet + sizeof(*ret_head), sizeof(*ret_number));
	return true;
}

static void obey(uint32_t type)
{
	uint64_t pid = 4711, version = PROTOCOL_VERSION;

	if (type == CONTROL_INIT) {
		send_control(CONTROL_READY, &version, NULL);
	} else if (type == CONTROL_CHILD) {
		now()->child = true;
		send_control(CONTROL_STARTED, &pid, NULL);
	} else if (type == CONTROL_DESCRIBE) {
		send_control(CONTROL_DESCRIBED, NULL, "    at act (fuzz.c:7)\n");
	} else if (type == CONTROL_KILL && now()->child) {
		send_gone(SIGKILL, 0);
	}
}

/* Takes what the supervisor sent, and answers where the other side is still honest. */
static void serve(void)
{
	struct head head;
	uint64_t stage;

	while (receive(now()->control, &head, &stage))
		if ((other.flags & HONEST_RUNNER) && !head.more)
			obey(head.type);
	while (receive(now()->requests, &head, &stage)) {
		if (head.type != REQUEST_STAGE || !now()->child)
			continue;
		if (stage == STAGE_QUIT)
			send_gone(0, 0);
		else if (stage < other.flags >> HONEST_STAGES)
			send_result(stage, OUTCOME_RETURNED, 0, NULL, 0);
		else
			other.begun = true;
	}
}

/* ---- waiting ---- */

static int ready_now(struct pollfd *fds, nfds_t count)
{
	static int (*real)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	struct timespec at_once = {0};

	if (!real)
		real = (int (*)(struct pollfd *, nfds_t, const struct timespec *,
				const sigset_t *))dlsym(RTLD_NEXT, "ppoll");
	return real(fds, count, &at_once, NULL);
}

/* The script is over: the worker dies, its successor, too, then the runner. */
static void end_of_script(void)
{
	if ((other.flags & HONEST_RUNNER) && now()->child && other.deaths++ < 2)
		send_gone(SIGSEGV, SIGSEGV);
	else
		close_ends(now());
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	int ready;

	EXPECT(++other.waits < WAITS_MAX);
	serve();
	while ((ready = ready_now(fds, count)) == 0 && other.begun && other.at < other.end) {
		play();
		serve();
	}
	if (ready != 0)
		return ready;
	if (timeout) {
		other.now_ns += timeout->tv_sec * 1000000000LL + timeout->tv_nsec + 1;
		return 0;
	}
	for (int i = 0; i < 2 && ready == 0; i++) {
		EXPECT(now()->control >= 0);
		end_of_script();
		ready = ready_now(fds, count);
	}
	/* Nobody is left to wake the supervisor. */
	EXPECT(ready != 0);
	return ready;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int ready = ready_now(fds, count);

	if (ready != 0 || timeout == 0 || !other.playing)
		return ready;
	serve();
	ready = ready_now(fds, count);
	EXPECT(ready != 0 || timeout > 0);
	if (ready == 0)
		other.now_ns += timeout * 1000000LL;
	return ready;
}

/* ---- one run ---- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	EXPECT(null >= 0 && dup2(null, STDOUT_FILENO) >= 0);
	close(null);
	signal(SIGPIPE, SIG_IGN);
	lowest_free = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	close(lowest_free);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct identity identity = {.user = "jdoe", .host = "host", .pid = 4860};
	static char name[] = "fuzz", file[] = "/nonexistent/fuzz.so", owner[] = "infra";
	struct run_options options = {.identity = &identity};
	int code, probe;

	if (size < 1 || size > 65536)
		return 0;
	memset(&other, 0, sizeof(other));
	other.at = data + 1;
	other.end = data + size;
	other.flags = data[0];
	other.typed = -1;
	other.begun = !(other.flags & HONEST_RUNNER) || other.flags >> HONEST_STAGES == 0;
	*now() = (struct ends){-1, -1, -1, -1, -1, -1, -1, false};
	other.now_ns = 1000000000000;
	other.signals = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE | EFD_CLOEXEC);
	EXPECT(other.signals >= 0);
	spec = (struct cookbook_spec){.symbol = "spk_cookbook", .title = "Fuzz", .has_run = true};
	cookbook.name = name;
	cookbook.owner = owner;
	cookbook.file = file;
	spec.has_rollback = other.flags & ROLLBACK;
	options.dry_run = other.flags & DRY_RUN;
	options.verbose = other.flags & VERBOSE;
	other.playing = true;
	code = run_cookbook(&options, &cookbook, 0, NULL, NULL);
	other.playing = false;
	descendants_kill(NULL, 0, 0, NULL);
	buf_free(&other.body);

	EXPECT(code >= 0 && code < 128);
	EXPECT(other.starts == other.ends);
	EXPECT(code == 0 || code >= 90 || other.starts > 0 || code == 2);
	probe = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	EXPECT(probe == lowest_free);
	close(probe);
	return 0;
}
