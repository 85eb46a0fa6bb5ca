/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says of the store behind conftool. */
#ifndef SPICERACK_HOST_KVSETTING_H
#define SPICERACK_HOST_KVSETTING_H

#include "../../runtime/kvstore.h"
#include "settings.h"

/* The texts belong to the settings. */
struct kv_config kv_configured(const struct settings *settings);

#endif
