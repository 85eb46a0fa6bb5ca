/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: contract of the host
 * shape: module-level code that runs at import
 * caught: check (constructor)
 * words: begin.. runs when it is opened
 */
#include <spicerack/cookbook.h>

#ifdef FIXED
static void begin(struct spk *spk, void *self)
{
	spk_info(spk, "ready");
}
#define PREPARE .prepare = begin,
#else
#include <stdio.h>

__attribute__((constructor)) static void begin(void)
{
	puts("ready");
}
#define PREPARE
#endif

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", PREPARE.run = run);
