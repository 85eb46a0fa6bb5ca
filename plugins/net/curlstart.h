/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPICERACK_NET_CURLSTART_H
#define SPICERACK_NET_CURLSTART_H

#include <spicerack/plugin.h>

/*
 * Has libcurl use memory that is wiped when it is freed, since passwords pass through it. Where
 * somebody else in the process came first it keeps what it has. -1 and the reason: it cannot be
 * used.
 */
int curl_start(struct spk_reason_buffer *reason);

#endif
