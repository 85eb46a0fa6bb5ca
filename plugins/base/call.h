/* SPDX-License-Identifier: Apache-2.0 */
/* How long a call of a driver of the kind "inventory" may take. */
#ifndef SPICERACK_BASE_CALL_H
#define SPICERACK_BASE_CALL_H

#include <stdbool.h>

#include <spicerack/plugin.h>

/* CLOCK_BOOTTIME. */
int64_t call_now(void);

/* How long poll() may sleep for it, in milliseconds: 0 when the deadline has passed. */
int call_sleep(int64_t deadline_ns);

/* Whether the call goes on. Otherwise the reason is set. */
bool call_goes_on(struct spk_inventory_call *call);

#endif
