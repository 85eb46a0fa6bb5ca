/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says of the store behind conftool. */
#ifndef SPICERACK_HOST_KVSETTING_H
#define SPICERACK_HOST_KVSETTING_H

#include "../../runtime/kvstore.h"
#include "settings.h"

/* The texts belong to the settings. */
struct kv_config kv_configured(const struct settings *settings);

/* Opens that store; with `read_only` nothing is made where there is nothing. */
MUST_CHECK int kv_open_configured(const struct settings *settings, bool read_only,
				  struct kv_store *ret, struct err *err);

#endif
