/* SPDX-License-Identifier: Apache-2.0 */
/* Records that the supervisor also tells others of. */
#include <spicerack/announce.h>

#include <stdarg.h>

#include "../runtime/session.h"

void spk_announce(struct spk *spk, enum spk_audience audience, const char *file, int line,
		  const char *function, const char *format, ...)
{
	va_list args;

	CHECK_SPK(spk);
	CHECK_GIVEN(file);
	CHECK_GIVEN(function);
	CHECK_GIVEN(format);
	if (audience != SPK_TO_IRC && audience != SPK_TO_SAL)
		session_misuse(__func__, "%d is no audience", (int)audience);
	va_start(args, format);
	session_log(spk, audience == SPK_TO_SAL ? AUDIENCE_SAL : AUDIENCE_IRC, SPK_INFO, file, line,
		    function, format, args);
	va_end(args);
}
