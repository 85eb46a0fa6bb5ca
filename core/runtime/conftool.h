/* SPDX-License-Identifier: Apache-2.0 */
/* What conftool is configured to: `instance_params.conftool_config`, YAML, as conftool reads it. */
#ifndef SPICERACK_CORE_CONFTOOL_H
#define SPICERACK_CORE_CONFTOOL_H

#include "err.h"

struct conftool_config {
	char *driver;     /* "etcd"; NULL: there is no file */
	char *base;       /* of all keys: "/conftool/v1" */
	char *pools_path; /* of the entity node, below that: "pools" */
	char *etcdrc;     /* driver_options.etcd_config_file: "/etc/conftool/etcdrc" */
};

/*
 * Reads the file; `file` NULL: all is as conftool has it without one. Keys that are not ours are
 * passed over. conftool_config_free() in any case.
 */
MUST_CHECK int conftool_config_read(const char *file, struct conftool_config *ret, struct err *err);
void conftool_config_free(struct conftool_config *config);

#endif
