/* SPDX-License-Identifier: Apache-2.0 */
/* What alloc.so and inject say to each other. */
#ifndef SPICERACK_TESTS_FAULT_ALLOC_H
#define SPICERACK_TESTS_FAULT_ALLOC_H

/* A number that is no system call: its first argument is the kind of the allocation. */
#define ALLOC_CALL 0x5350

enum alloc_kind { ALLOC_MALLOC, ALLOC_CALLOC, ALLOC_REALLOC, ALLOC_KINDS };

/* In that order. */
#define ALLOC_NAMES                                                                                \
	{                                                                                          \
		"malloc", "calloc", "realloc"                                                      \
	}

#endif
