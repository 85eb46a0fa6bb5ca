/* SPDX-License-Identifier: Apache-2.0 */
/* What is replaced around a run: its processes, the clock, the terminal and the sinks of the log.
 */
#include "messages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../core/host/journal/journal.h"
#include "../../core/host/journal/metrics.h"
#include "../../core/host/journal/prune.h"
#include "../../core/host/log/log.h"
#include "../../core/host/log/logfile.h"
#include "../../core/host/log/terminal.h"
#include "../../core/host/notify/notify.h"
#include "../../core/host/question/prompt.h"
#include "../../core/host/run/signals.h"
#include "../../core/runtime/descendants.h"
#include "../../core/runtime/fd.h"
#include "../../core/runtime/protocol.h"
#include "shown.h"

#define HEAD "jdoe 4860 "
#define CYAN "\033[36m==>\033[39m "
/* No process has it. */
#define RUNNER_PID INT32_MAX

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
struct cookbook_spec spec;
struct tree_found cookbook = {.spec = &spec};

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

void raise_signal(int number)
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

void close_ends(struct ends *ends)
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

/* Nobody has children here. */
void descendants_disown(const pid_t *spared, size_t spared_count, struct buf *names)
{
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
