/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for c-ares, within the time of a call. */
#ifndef SPICERACK_NET_ATTEND_H
#define SPICERACK_NET_ATTEND_H

#include <ares.h>
#include <stdbool.h>
#include <stdint.h>

enum attend_end { ATTEND_DONE, ATTEND_TIMEOUT, ATTEND_CANCELLED };

/*
 * Serves a channel until *over, which a callback of the channel sets, is true, it is `until_ns` of
 * CLOCK_BOOTTIME or `cancel_fd` (-1: none) is readable.
 */
enum attend_end attend(ares_channel channel, const bool *over, int64_t until_ns, int cancel_fd);

#endif
