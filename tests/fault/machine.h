/* SPDX-License-Identifier: Apache-2.0 */
/* Registers and memory of a process that stopped at a call: each architecture has its own. */
#ifndef SPICERACK_FAULT_MACHINE_H
#define SPICERACK_FAULT_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Which call it is about to make; -1: none. */
void set_call(pid_t pid, int64_t number);
/* What the call that it comes from returns. */
void set_result(pid_t pid, int64_t value);
void set_third_argument(pid_t pid, uint64_t value);

bool read_memory(pid_t pid, uint64_t address, void *to, size_t length);
void write_memory(pid_t pid, uint64_t address, const void *from, size_t length);

#endif
