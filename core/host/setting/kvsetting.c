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
