/* SPDX-License-Identifier: Apache-2.0 */
#include "kvsetting.h"

struct kv_config kv_configured(const struct settings *settings)
{
	return (struct kv_config){
		.store = settings_text(settings, "kv.store"),
		.directory = settings_text(settings, "kv.directory"),
		.etcd_api = settings_text(settings, "kv.etcd_api"),
		.etcdrc = settings_text(settings, "kv.etcdrc"),
		.conftool_config = settings_text(settings, "instance_params.conftool_config"),
		.conftool_schema = settings_text(settings, "instance_params.conftool_schema"),
	};
}

int kv_open_configured(const struct settings *settings, bool read_only, struct kv_store *ret,
		       struct err *err)
{
	struct kv_config config = kv_configured(settings);
	struct conftool_config conftool;
	int rc = conftool_config_read(config.conftool_config, &conftool, err);

	if (rc == 0)
		rc = kv_store_open(&config, &conftool, read_only, ret, err);
	conftool_config_free(&conftool);
	return rc;
}
