/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store behind conftool, through its driver (kind "kv"). An open store belongs to one process:
 * connections and databases do not survive a fork.
 */
#ifndef SPICERACK_CORE_KVSTORE_H
#define SPICERACK_CORE_KVSTORE_H

#include <spicerack/plugin.h>

#include "conftool.h"
#include "err.h"

#define KV_KEY_MAX 1024
#define KV_VALUE_MAX ((size_t)1024 * 1024)

/* What the configuration says; NULL or "" is not set. Plain data, part of the order of a run. */
struct kv_config {
	const char *store;     /* `kv.store`; not set: the driver of conftool's file, else sqlite */
	const char *directory; /* `kv.directory` */
	const char *etcd_api;  /* `kv.etcd_api` */
	const char *etcdrc;    /* `kv.etcdrc` */
	const char *conftool_config; /* `instance_params.conftool_config` */
	const char *conftool_schema; /* `instance_params.conftool_schema` */
};

struct kv_store {
	const struct spk_kv_driver *driver;
	void *store; /* NULL: not open */
};

/* The driver that is meant. */
const char *kv_store_name(const struct kv_config *config, const struct conftool_config *conftool);

/* Opens it; with `read_only` nothing is made where there is nothing. */
MUST_CHECK int kv_store_open(const struct kv_config *config, const struct conftool_config *conftool,
			     bool read_only, struct kv_store *ret, struct err *err);
/* One that is not open is fine. */
void kv_store_close(struct kv_store *store);

/* Whether a key may be one (plugin.h). The reason begins with it; `err` may be NULL. */
MUST_CHECK int kv_key_check(const char *key, struct err *err);

/* Puts into words what a call came to, as the driver told it. Returns -1. */
int kv_explain(const struct spk_kv_call *call, enum spk_kv_status status, struct err *err);

#endif
