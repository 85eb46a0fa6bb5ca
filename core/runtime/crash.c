/* SPDX-License-Identifier: Apache-2.0 */
#include "crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

/* Of the kernel's <asm/sigcontext.h>, which does not get along with <signal.h>. */
#define SOFTWARE_OFFSET 464
#define SOFTWARE_MAGIC 0x46505853U
#define LEGACY_SIZE 512U

/* The area of the vector registers that the kernel made, and its size. */
static void *vectors_of(ucontext_t *context, size_t *ret_size)
{
	char *area = (char *)context->uc_mcontext.fpregs;
	uint32_t software[2]; /* magic, size of all */

	*ret_size = LEGACY_SIZE;
	if (!area)
		return NULL;
	memcpy(software, area + SOFTWARE_OFFSET, sizeof(software));
	if (software[0] == SOFTWARE_MAGIC && software[1] > LEGACY_SIZE && software[1] < STACK_SIZE)
		*ret_size = software[1];
	return area;
}
#elif defined(__aarch64__)
#define PROGRAM_COUNTER(context) ((uintptr_t)(context)->uc_mcontext.pc)
#define STACK_POINTER(context) ((uintptr_t)(context)->uc_mcontext.sp)

static void *vectors_of(ucontext_t *context, size_t *ret_size)
{
	*ret_size = sizeof(context->uc_mcontext.__reserved);
	return context->uc_mcontext.__reserved;
}
#else
#error "say here where the machine keeps its program counter and its stack pointer"
#endif

/*
 * Vector registers hold what was copied or compared last, 64 bytes of it and more, which may be a
 * secret. They are saved on our stack, which is in the core dump; nothing returns to use them.
 */
static void forget_vectors(ucontext_t *context)
{
	size_t size;
	void *area = vectors_of(context, &size);

	if (area)
		explicit_bzero(area, size);
}

static void on_crash(int number, siginfo_t *info, void *data)
{
	ucontext_t *context = data;
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
	forget_vectors(context);
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
