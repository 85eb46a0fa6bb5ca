/* SPDX-License-Identifier: Apache-2.0 */
#include "runid.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../runtime/chance.h"

/* Without i, l, o and u: 5 bits each. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
/* Of a second, and behind that. */
#define FRACTIONS 1024
#define CHANCE_BITS 20

/* What an id looks like: a digit, a letter of the alphabet, itself. */
static const char form[] = "dddddddd-dddddd-aaaaaa";

void run_id_make(char out[static RUN_ID_SIZE])
{
	struct timespec now;
	struct tm utc = {0};
	uint32_t bits;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	chance_fill(&bits, sizeof(bits));
	bits = (uint32_t)(now.tv_nsec * FRACTIONS / 1000000000) << CHANCE_BITS |
	       bits % (1U << CHANCE_BITS);
	if (strftime(out, RUN_ID_SIZE, "%Y%m%d-%H%M%S-", &utc) == 0)
		snprintf(out, RUN_ID_SIZE, "00000000-000000-"); /* a clock beyond the year 9999 */
	for (size_t i = strlen(out), left = RUN_ID_SIZE - 1 - i; left > 0; i++)
		out[i] = alphabet[(bits >> 5 * --left) % 32];
	out[RUN_ID_SIZE - 1] = '\0';
}

bool run_id_is_valid(const char *text, size_t length)
{
	if (length != RUN_ID_SIZE - 1)
		return false;
	for (size_t i = 0; i < length; i++) {
		const char *allowed = form[i] == 'd'   ? "0123456789"
				      : form[i] == 'a' ? alphabet
						       : "-";

		if (!text[i] || !strchr(allowed, text[i]))
			return false;
	}
	return true;
}
