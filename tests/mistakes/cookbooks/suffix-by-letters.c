/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: logic that shows
 * shape: rstrip() as if it took a suffix off (bdef034)
 * caught: nobody
 */
#include <spicerack/cookbook.h>
#include <string.h>

static int run(struct spk *spk, void *self)
{
	const char *host = "dns1001.wikimedia.org";

#ifdef FIXED
	spk_info(spk, "%s", spk_strip_suffix(spk, host, ".wikimedia.org"));
#else
	size_t length = strlen(host);

	while (length && strchr(".wikimedia.org", host[length - 1]))
		length--;
	spk_info(spk, "%.*s", (int)length, host);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
