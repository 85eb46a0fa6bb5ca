/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the members of a cluster by the records of type SRV of `_etcd._tcp.DOMAIN`, asking the
 * servers of names that the system has (/etc/resolv.conf).
 */
#ifndef SPICERACK_ETCD_DISCOVERY_H
#define SPICERACK_ETCD_DISCOVERY_H

#include <spicerack/plugin.h>

#include "hosts.h"

/*
 * Adds to *hosts, which is empty, at least one, in the order in which they are to be asked: by
 * their priority, then by their weight. Ends at the deadline of the call or when it is cancelled.
 * A target must lie in the domain, or in the one above it when that is more than a top-level one.
 * UNREACHABLE: no server of names answered; REFUSED: the answer is none that may be followed.
 */
enum spk_lock_status discover(const char *domain, struct hosts *hosts, struct spk_lock_call *call);

#endif
