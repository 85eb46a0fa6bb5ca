/* SPDX-License-Identifier: Apache-2.0 */
#include "crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>
#include <unistd.h>

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

#define STACK_SIZE (128 * 1024)
#define EXTRA_FRAMES 4 /* of the handler and the signal frame */

static struct crash *record;
static char stack[STACK_SIZE] __attribute__((aligned(16)));

void crash_prepare(void)
{
	void *ignored[2];

	/* The first call loads the unwinder. */
	backtrace(ignored, 2);
}

#if defined(__x86_64__)
#define PROGRAM_COUNTER(context) ((uintptr_t)(context)->uc_mcontext.gregs[REG_RIP])
#define STACK_POINTER(context) ((uintptr_t)(context)->uc_mcontext.gregs[REG_RSP])
#elif defined(__aarch64__)
#define PROGRAM_COUNTER(context) ((uintptr_t)(context)->uc_mcontext.pc)
#define STACK_POINTER(context) ((uintptr_t)(context)->uc_mcontext.sp)
#else
#error "say here where the machine keeps its program counter and its stack pointer"
#endif

static void on_crash(int number, siginfo_t *info, void *data)
{
	const ucontext_t *context = data;
	void *addresses[CRASH_FRAMES + EXTRA_FRAMES];
	uintptr_t place = PROGRAM_COUNTER(context);
	unsigned int count = 0;
	int found, first = 0;

	record->signal = number;
	record->code = info->si_code;
	record->fault_address = (uintptr_t)info->si_addr;
	record->stack_pointer = STACK_POINTER(context);
	record->addresses[count++] = place;
	record->count = count;
	found = backtrace(addresses, CRASH_FRAMES + EXTRA_FRAMES);
	for (int i = 0; i < found; i++)
		if ((uintptr_t)addresses[i] == place)
			first = i + 1;
	/* After a jump to nowhere the unwinder does not find the place: all but the handler's own.
	 */
	if (first == 0)
		first = 2;
	for (int i = first; i < found && count < CRASH_FRAMES; i++)
		record->addresses[count++] = (uintptr_t)addresses[i];
	record->count = count;
	/* The handler was installed to run once: the signal now does what it would have done. */
	raise(number);
}

void crash_install(struct crash *crash)
{
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {
		.sa_sigaction = on_crash,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER,
	};

	record = crash;
	*crash = (struct crash){0};
	sigaltstack(&alternate, NULL);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}
