/* SPDX-License-Identifier: Apache-2.0 */
/* top-level-cookbook: the smallest cookbook there is. */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	spk_info(spk, "hello %s, this is %s", spk_username(spk), spk_hostname(spk));
	return 0;
}

SPK_COOKBOOK(.title = "Say hello", .run = run);
