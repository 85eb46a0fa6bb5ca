#include "words.h"

#include <spicerack/cookbook.h>

const char *words_told(struct spk *spk, const char *what)
{
	return spk_format(spk, "the bundle tells %s", what);
}
