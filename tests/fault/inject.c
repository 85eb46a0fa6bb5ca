/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command, follows all that it starts, and either writes down every system call of
 * the processes of a run, or makes exactly one of them fail:
 *
 *	inject [--timeout SECONDS] --report FILE --trace FILE COMMAND...
 *	inject [--timeout SECONDS] --report FILE --fail ROLE:CALL:NTH=FAULT[@FUNCTION] COMMAND...
 *
 * ROLE is given in the order in which processes appear:
 *	supervisor  the command itself
 *	keeper      a thread of it, which makes the calls of the store of locks
 *	spawn       what it forks, until that calls execve
 *	runner      what that is from then on
 *	worker      the first child of the runner
 *	fresh       the later ones
 *	other       all else: followed, but left alone
 *
 * In the second case nothing but that call is looked at, and all else runs as it always does.
 *
 * A call is named by its role, its name and how many of that name the role has made, from
 * 1: so polls that woke up for nothing do not shift the others. With a FUNCTION only those from
 * that call site count: so what another place did more or less often does not shift them. malloc,
 *calloc and realloc are calls like any other under alloc.so (see there).
 *
 * FAULT is the name of an error (the call is not made; close() is, as the kernel closes
 * whatever it returns), `drop` (a message is lost on its way), `cut` (half of it arrives), `short`
 * (a read or write of half the length) or `kill` (SIGKILL instead of the call).
 *
 * The trace has a line per call, in tab separated columns: number, role, call, nth, call
 * site (`FUNCTION FILE` of the innermost frame in no library of the system nor a helper, or `-`),
 * what was returned, and of a sendmsg the type and length of the message and its first number.
 * The report tells `hit` and the call of a fault, `crash` and what was called from where when the
 * command met SIGSEGV, `end` and how it ended, and `left` for each process that was still there
 * LEFT_SECONDS later. Leaves nothing behind.
 *
 * Exit code: 0 done, 77 processes may not be traced here, 2 anything else.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "callsite.h"
#include "machine.h"
#include "syscall_names.h"

#define EXIT_TROUBLE 2
#define EXIT_NOT_PERMITTED 77
#define LEFT_SECONDS 5
#define PROCESSES_MAX 64
#define CALLS_MAX (SYSCALL_COUNT + ALLOC_KINDS)

enum role { SUPERVISOR, KEEPER, SPAWN, RUNNER, WORKER, FRESH, OTHER, ROLE_COUNT };

static const char *const role_names[] = {"supervisor", "keeper", "spawn", "runner",
					 "worker",     "fresh",  "other"};

enum fault { FAULT_NONE, FAULT_ERROR, FAULT_DROP, FAULT_CUT, FAULT_SHORT, FAULT_KILL };

static const struct {
	const char *name;
	int number;
} errors[] = {
	{"EACCES", EACCES}, {"EAGAIN", EAGAIN}, {"ECHILD", ECHILD},
	{"EINTR", EINTR},   {"EINVAL", EINVAL}, {"EIO", EIO},
	{"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"ENOBUFS", ENOBUFS},
	{"ENOENT", ENOENT}, {"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC},
	{"EPERM", EPERM},   {"EPIPE", EPIPE},   {"EROFS", EROFS},
	{"ESRCH", ESRCH},   {"ENOTTY", ENOTTY}, {"ECONNRESET", ECONNRESET},
};

struct process {
	pid_t pid;
	enum role role;
	bool known;   /* its parent told of it */
	bool waiting; /* it stopped before that */
	bool started; /* its first stop is over */
	bool in_call;
	int call; /* index of the call that it is in */
	unsigned long sequence, nth;
	char message[64];
	bool override; /* of what that call returns */
	int64_t value;
	struct callsite site;
	bool mapped; /* something, since that was looked at */
};

static struct {
	struct process processes[PROCESSES_MAX];
	unsigned long counts[ROLE_COUNT][CALLS_MAX];
	unsigned long sequence;
	unsigned int children_of_runner;
	bool runner_seen;
	pid_t first;
	FILE *trace, *report;
	/* the fault */
	enum fault fault;
	enum role role;
	char call[64], function[128]; /* "": wherever it is made */
	int call_wanted;              /* its index */
	unsigned long nth, seen;
	int error;
	unsigned int hits;
} state;

static volatile sig_atomic_t alarmed;

static void on_alarm(int number)
{
	alarmed = 1;
}

/* ---- names of calls ---- */

static int call_index(uint64_t number, uint64_t first_argument)
{
	if (number == ALLOC_CALL)
		return SYSCALL_COUNT + (int)(first_argument % ALLOC_KINDS);
	return number < SYSCALL_COUNT ? (int)number : 0;
}

static const char *call_name(int call)
{
	static const char *const allocations[ALLOC_KINDS] = ALLOC_NAMES;

	if (call >= SYSCALL_COUNT)
		return allocations[call - SYSCALL_COUNT];
	return syscall_names[call] ? syscall_names[call] : "unknown";
}

static void find_site(struct process *process)
{
	callsite_find(&process->site, process->pid, process->mapped || !state.trace);
	process->mapped = false;
}

/* ---- messages ---- */

struct message_view {
	struct msghdr head;
	struct iovec parts[2];
	uint32_t type, length;
	uint64_t number;
	uint64_t total;
};

/* What a sendmsg of channel.c is about to send. */
static bool view_message(pid_t pid, uint64_t address, struct message_view *view)
{
	uint32_t words[4];

	*view = (struct message_view){0};
	if (!read_memory(pid, address, &view->head, sizeof(view->head)) ||
	    view->head.msg_iovlen != 2 ||
	    !read_memory(pid, (uintptr_t)view->head.msg_iov, view->parts, sizeof(view->parts)) ||
	    view->parts[0].iov_len != sizeof(words) ||
	    !read_memory(pid, (uintptr_t)view->parts[0].iov_base, words, sizeof(words)))
		return false;
	view->type = words[0];
	view->length = words[3];
	view->total = view->parts[0].iov_len + view->parts[1].iov_len;
	if (view->parts[1].iov_len >= sizeof(view->number))
		read_memory(pid, (uintptr_t)view->parts[1].iov_base, &view->number,
			    sizeof(view->number));
	return true;
}

static void cut_message(pid_t pid, const struct message_view *view)
{
	int part = view->parts[1].iov_len > 0;
	uint64_t length = view->parts[part].iov_len / 2;
	uint64_t address = (uintptr_t)view->head.msg_iov + (size_t)part * sizeof(struct iovec) +
			   offsetof(struct iovec, iov_len);

	write_memory(pid, address, &length, sizeof(length));
}

/* ---- processes ---- */

static struct process *find_process(pid_t pid)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (state.processes[i].pid == pid)
			return &state.processes[i];
	return NULL;
}

static struct process *add_process(pid_t pid)
{
	struct process *process = find_process(pid);

	if (process)
		return process;
	process = find_process(0);
	if (!process) {
		fputs("inject: too many processes\n", stderr);
		exit(EXIT_TROUBLE);
	}
	*process = (struct process){.pid = pid, .role = OTHER};
	return process;
}

static enum role role_of_child(const struct process *parent, int event)
{
	if (parent->role == SUPERVISOR && event == PTRACE_EVENT_VFORK && !state.runner_seen)
		return SPAWN;
	if (parent->role == SUPERVISOR && event == PTRACE_EVENT_CLONE)
		return KEEPER;
	if (parent->role == RUNNER && event == PTRACE_EVENT_FORK)
		return state.children_of_runner++ ? FRESH : WORKER;
	return OTHER;
}

/* Where one call is to fail, the kernel stops at that one alone, and only its return is of
 * interest. */
static void resume(struct process *process, int signal_number)
{
	bool watched = state.trace ? process->role != OTHER : process->override;

	ptrace(watched ? PTRACE_SYSCALL : PTRACE_CONT, process->pid, NULL, signal_number);
}

static void on_new_process(struct process *parent, int event)
{
	struct process *child;
	unsigned long pid;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) < 0)
		return;
	child = add_process((pid_t)pid);
	child->known = true;
	child->role = role_of_child(parent, event);
	if (child->waiting) {
		child->waiting = false;
		child->started = true;
		resume(child, 0);
	}
}

static void write_line(struct process *process, const char *result)
{
	if (state.trace && process->in_call && process->role != OTHER)
		fprintf(state.trace, "%lu\t%s\t%s\t%lu\t%s\t%s\t%s\n", process->sequence,
			role_names[process->role], call_name(process->call), process->nth,
			process->site.caller, result, process->message);
}

static void on_exec(struct process *process)
{
	callsite_forget(&process->site);
	write_line(process, "0");
	if (process->role == SPAWN) {
		process->role = RUNNER;
		state.runner_seen = true;
		/* The rest of execve is nobody's. */
		process->in_call = false;
	}
}

/* ---- calls ---- */

static void inject(struct process *process, const struct __ptrace_syscall_info *info)
{
	pid_t pid = process->pid;
	struct message_view view;
	bool close_call = strcmp(state.call, "close") == 0;

	find_site(process);
	state.hits++;
	process->override = true;
	switch (state.fault) {
	case FAULT_ERROR:
		if (process->call >= SYSCALL_COUNT) {
			process->value = 1; /* alloc.so knows what that means */
			break;
		}
		/* brk tells the end of the memory that there is, not an error. */
		process->value = strcmp(state.call, "brk") == 0 ? 0 : -state.error;
		if (!close_call)
			set_call(pid, -1);
		break;
	case FAULT_DROP:
		view_message(pid, info->entry.args[1], &view);
		process->value = (int64_t)view.total;
		set_call(pid, -1);
		break;
	case FAULT_CUT:
		view_message(pid, info->entry.args[1], &view);
		process->value = (int64_t)view.total;
		cut_message(pid, &view);
		break;
	case FAULT_SHORT:
		process->override = false;
		if (info->entry.args[2] > 1)
			set_third_argument(pid, info->entry.args[2] / 2);
		break;
	case FAULT_KILL:
		kill(pid, SIGKILL);
		break;
	case FAULT_NONE:
		break;
	}
	fprintf(state.report, "hit\t%s\t%s\t%lu\t%s\n", role_names[process->role],
		call_name(process->call), process->nth, process->site.caller);
}

/* Whether the call that a process enters is the one that is to fail. */
static bool is_due(struct process *process)
{
	size_t length = strlen(state.function);

	if (state.fault == FAULT_NONE || process->role != state.role ||
	    strcmp(call_name(process->call), state.call) != 0)
		return false;
	if (length == 0)
		return process->nth == state.nth;
	find_site(process);
	return strncmp(process->site.caller, state.function, length) == 0 &&
	       process->site.caller[length] == ' ' && ++state.seen == state.nth;
}

static void on_entry(struct process *process, const struct __ptrace_syscall_info *info)
{
	struct message_view view;

	if (process->role == OTHER)
		return;
	process->in_call = true;
	process->call = call_index(info->entry.nr, info->entry.args[0]);
	process->sequence = ++state.sequence;
	process->nth = ++state.counts[process->role][process->call];
	process->override = false;
	process->message[0] = '\0';
	if (state.trace) {
		find_site(process);
		if (strcmp(call_name(process->call), "sendmsg") == 0 &&
		    view_message(process->pid, info->entry.args[1], &view))
			snprintf(process->message, sizeof(process->message), "%u %u %llu",
				 view.type, view.length, (unsigned long long)view.number);
	}
	if (is_due(process))
		inject(process, info);
}

static void on_return(struct process *process, const struct __ptrace_syscall_info *info)
{
	const char *name = call_name(process->call);
	char result[32];

	if (process->override)
		set_result(process->pid, process->value);
	process->override = false;
	snprintf(result, sizeof(result), "%lld", (long long)info->exit.rval);
	write_line(process, result);
	process->in_call = false;
	process->mapped |= strcmp(name, "mmap") == 0 || strcmp(name, "munmap") == 0 ||
			   strcmp(name, "mprotect") == 0;
}

static void on_call(struct process *process)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, sizeof(info), &info) <= 0)
		return;
	/* The arguments are at the same place in both. */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY || info.op == PTRACE_SYSCALL_INFO_SECCOMP)
		on_entry(process, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && process->in_call)
		on_return(process, &info);
}

static void report_crash(struct process *process)
{
	find_site(process);
	fprintf(state.report, "crash\t%s\t%s\n", process->site.entered, process->site.caller);
}

static void on_stop(struct process *process, int status)
{
	int event = status >> 16;
	int number = WSTOPSIG(status);
	int deliver = 0;

	if (number == (SIGTRAP | 0x80) || event == PTRACE_EVENT_SECCOMP) {
		on_call(process);
	} else if (event == PTRACE_EVENT_EXEC) {
		on_exec(process);
	} else if (event != 0) {
		on_new_process(process, event);
	} else if (number == SIGSTOP && !process->started) {
		if (!process->known) {
			process->waiting = true;
			return;
		}
		process->started = true;
	} else {
		if (number == SIGSEGV && process->pid == state.first)
			report_crash(process);
		deliver = number;
	}
	resume(process, deliver);
}

/* ---- from start to end ---- */

static void on_end(struct process *process, int status)
{
	write_line(process, "?");
	if (process->pid == state.first) {
		if (WIFEXITED(status))
			fprintf(state.report, "end\texit\t%d\n", WEXITSTATUS(status));
		else
			fprintf(state.report, "end\tsignal\t%d\n", WTERMSIG(status));
		state.first = 0;
		alarmed = 0;
		alarm(LEFT_SECONDS);
	}
	callsite_forget(&process->site);
	process->pid = 0;
}

/* The call that a process is in, by the kernel. */
static const char *current_call(pid_t pid)
{
	char path[64], text[32];
	const char *name = "-";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	file = fopen(path, "re");
	if (file && fgets(text, sizeof(text), file) && text[0] >= '0' && text[0] <= '9')
		name = call_name(call_index(strtoul(text, NULL, 10), 0));
	if (file)
		fclose(file);
	return name;
}

static void report_left(void)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		struct process *process = &state.processes[i];

		if (!process->pid)
			continue;
		write_line(process, "?");
		fprintf(state.report, "%s\t%s\t%s\n", state.first ? "hang" : "left",
			role_names[process->role], current_call(process->pid));
		kill(process->pid, SIGKILL);
	}
	if (state.first)
		fputs("end\ttimeout\n", state.report);
}

static void follow(void)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (alarmed)
			break;
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return;
		if (WIFSTOPPED(status))
			on_stop(add_process(pid), status);
		else if (find_process(pid))
			on_end(find_process(pid), status);
	}
	report_left();
	alarm(0);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
}

/* Has the kernel stop whoever makes the call that is to fail, in this process and all that it
 * starts. */
static bool stop_at_the_call(void)
{
	bool allocation = state.call_wanted >= SYSCALL_COUNT;
	uint32_t number = allocation ? ALLOC_CALL : (uint32_t)state.call_wanted;
	uint32_t kind = (uint32_t)(state.call_wanted - SYSCALL_COUNT);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, allocation ? 3 : 1),
		/* The low half of the first argument, on machines that have that first. */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kind, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	if (!allocation) {
		filter[2] = filter[4];
		filter[3] = filter[5];
	}
	/* Without it only root may; with it nobody gets more rights by what he executes. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return true;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void start(char **command)
{
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
			     PTRACE_O_TRACESECCOMP;
	struct process *process;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(EXIT_NOT_PERMITTED);
		raise(SIGSTOP);
		if (state.fault != FAULT_NONE && !stop_at_the_call())
			_exit(EXIT_NOT_PERMITTED);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		exit(EXIT_TROUBLE);
	if (!WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, pid, NULL, options) < 0) {
		fputs("inject: processes may not be traced here\n", stderr);
		kill(pid, SIGKILL);
		exit(EXIT_NOT_PERMITTED);
	}
	/* As far as execve it is still us: nothing to look at. */
	ptrace(PTRACE_CONT, pid, NULL, 0);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       status >> 16 != PTRACE_EVENT_EXEC)
		ptrace(PTRACE_CONT, pid, NULL, 0);
	if (!WIFSTOPPED(status))
		exit(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_PERMITTED
			     ? EXIT_NOT_PERMITTED
			     : EXIT_TROUBLE);
	process = add_process(pid);
	process->known = process->started = true;
	process->role = SUPERVISOR;
	state.first = pid;
	resume(process, 0);
}

static bool parse_what(const char *what)
{
	static const struct {
		const char *name;
		enum fault fault;
	} faults[] = {{"drop", FAULT_DROP},
		      {"cut", FAULT_CUT},
		      {"short", FAULT_SHORT},
		      {"kill", FAULT_KILL}};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(what, faults[i].name) == 0)
			state.fault = faults[i].fault;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (strcmp(what, errors[i].name) == 0) {
			state.fault = FAULT_ERROR;
			state.error = errors[i].number;
		}
	}
	return state.fault != FAULT_NONE;
}

static bool parse_fault(const char *text)
{
	char role[32], what[32];

	if (sscanf(text, "%31[a-z]:%63[a-z0-9_]:%lu=%31[A-Za-z]@%127[A-Za-z0-9_.]", role,
		   state.call, &state.nth, what, state.function) < 4)
		return false;
	while (state.call_wanted < CALLS_MAX &&
	       strcmp(call_name(state.call_wanted), state.call) != 0)
		state.call_wanted++;
	if (state.call_wanted == CALLS_MAX)
		return false;
	for (state.role = SUPERVISOR; state.role < OTHER; state.role++)
		if (strcmp(role, role_names[state.role]) == 0)
			return parse_what(what);
	return false;
}

static FILE *open_output(const char *path)
{
	FILE *file = fopen(path, "we");

	if (file)
		return file;
	perror(path);
	exit(EXIT_TROUBLE);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_alarm};
	unsigned int timeout = 60;
	int i;

	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "--timeout") == 0)
			timeout = (unsigned int)strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--report") == 0)
			state.report = open_output(argv[i + 1]);
		else if (strcmp(argv[i], "--trace") == 0)
			state.trace = open_output(argv[i + 1]);
		else if (strcmp(argv[i], "--fail") != 0 || !parse_fault(argv[i + 1]))
			break;
	}
	if (!argv[i] || argv[i][0] == '-' || !state.report) {
		fputs("usage: inject [--timeout SECONDS] --report FILE "
		      "{--trace FILE | --fail ROLE:CALL:NTH=FAULT[@FUNCTION]} COMMAND...\n",
		      stderr);
		return EXIT_TROUBLE;
	}
	sigaction(SIGALRM, &action, NULL);
	start(argv + i);
	alarm(timeout);
	follow();
	if (state.trace)
		fclose(state.trace);
	fclose(state.report);
	return 0;
}
