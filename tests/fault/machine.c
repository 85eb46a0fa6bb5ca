/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)
void set_call(pid_t pid, int64_t number)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), number);
}

void set_result(pid_t pid, int64_t value)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), value);
}

void set_third_argument(pid_t pid, uint64_t value)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rdx), value);
}
#elif defined(__aarch64__)
void set_call(pid_t pid, int64_t number)
{
	int call = (int)number;
	struct iovec part = {&call, sizeof(call)};

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part);
}

static void set_register(pid_t pid, int index, uint64_t value)
{
	struct user_regs_struct regs;
	struct iovec part = {&regs, sizeof(regs)};

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) < 0)
		return;
	regs.regs[index] = value;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part);
}

void set_result(pid_t pid, int64_t value)
{
	set_register(pid, 0, (uint64_t)value);
}

void set_third_argument(pid_t pid, uint64_t value)
{
	set_register(pid, 2, value);
}
#else
#error "say here how a system call is changed on this machine"
#endif

bool read_memory(pid_t pid, uint64_t address, void *to, size_t length)
{
	struct iovec here = {to, length};
	struct iovec there = {(void *)(uintptr_t)address, length};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)length;
}

void write_memory(pid_t pid, uint64_t address, const void *from, size_t length)
{
	struct iovec here = {(void *)(uintptr_t)from, length};
	struct iovec there = {(void *)(uintptr_t)address, length};

	if (process_vm_writev(pid, &here, 1, &there, 1, 0) != (ssize_t)length)
		fprintf(stderr, "inject: cannot write into process %d\n", pid);
}
