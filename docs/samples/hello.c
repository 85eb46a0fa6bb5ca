/* samples.hello: the smallest cookbook there is. */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	spk_info(spk, "hello from %s", spk_hostname(spk));
	return 0;
}

SPK_COOKBOOK(.title = "Say hello", .run = run);
