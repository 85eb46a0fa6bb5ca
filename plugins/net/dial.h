/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections for drivers of the kind "notify", without a library: made, read and written within
 * the time of a call, whatever resolver and network do.
 */
#ifndef SPICERACK_NET_DIAL_H
#define SPICERACK_NET_DIAL_H

#include <stdbool.h>

#include <spicerack/plugin.h>

/* CLOCK_BOOTTIME. */
int64_t net_now(void);

/* Why a wait came to its end. */
enum net_wait { NET_READY, NET_TIMEOUT, NET_CANCELLED };

/* Waits for `events` of poll() at `fd`, or -1: for the time to pass. */
enum net_wait net_wait(int fd, short events, const struct spk_notify_call *call);

/*
 * A socket that is connected to one of the addresses of `host`, non-blocking and close-on-exec;
 * each of them gets its share of the time. -1 with the reason, which names host and port.
 */
int net_dial(const char *host, const char *port, struct spk_notify_call *call);

/* Sends all of it. -1 with the reason, which does not name the place. */
int net_send(int fd, const char *bytes, size_t length, struct spk_notify_call *call);

/* Writes the reason: one line of printable ASCII, whatever is formatted into it. Returns -1. */
int net_refuse(struct spk_reason_buffer *reason, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* The value of a setting, or NULL. */
const char *net_setting(const struct spk_driver_setting *settings, size_t count, const char *name);

#endif
