/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: glued literals
 * shape: the same in a table of the cookbook
 * caught: compiler (clang)
 * words: suspicious concatenation
 */
#include <spicerack/cookbook.h>

static const char *const hosts[] = {
	"db1001",
#ifdef FIXED
	"db1002",
#else
	"db1002"
#endif
	"db1003",
	"db1004",
};

static int run(struct spk *spk, void *self)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		spk_info(spk, "%s", hosts[i]);
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
