/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Announcements: lines for other people while the run goes on, in the operations channel on IRC and
 * in the SAL, the server admin log that reads that channel. START and END of each run are announced
 * there by the host; a cookbook has a word of its own rarely.
 *
 *     spk_sal_log(spk, "depooled %s for the reboot", host);
 */
#ifndef SPICERACK_ANNOUNCE_H
#define SPICERACK_ANNOUNCE_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* Whom it is told. */
enum spk_audience {
	SPK_TO_IRC = 1, /* the channel: `USER@HOST MESSAGE` */
	SPK_TO_SAL = 2, /* and the SAL: `!log USER@HOST MESSAGE` */
};

/*
 * Logs the message at INFO, as spk_log() does, and announces it where the configuration says; in a
 * dry run it is logged only. It is sent aside: the call returns when the record is in the log, and
 * what cannot be sent is told there and fails nothing. Lines are joined by blanks, control
 * characters are shown as in the log, and of a message longer than about 4000 bytes only the
 * beginning is sent. Raises misuse for another audience. Use the macros. Since 1.0.
 */
SPK_API void spk_announce(struct spk *spk, enum spk_audience audience, const char *file, int line,
			  const char *function, const char *format, ...) SPK_PRINTF(6, 7);

#define spk_irc_log(spk, ...)                                                                      \
	spk_announce((spk), SPK_TO_IRC, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define spk_sal_log(spk, ...)                                                                      \
	spk_announce((spk), SPK_TO_SAL, __FILE__, __LINE__, __func__, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
