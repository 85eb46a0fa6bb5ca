/* SPDX-License-Identifier: Apache-2.0 */
/* The store behind confctl: opened by each process when it first needs it. */
#include "conf.h"

#include <stdio.h>
#include <unistd.h>

#include "../runtime/copy.h"
#include "../runtime/testing.h"

/* A store that does not answer at all is given up after this. */
#define CALL_NS 60000000000LL

/* Of this process: what another one opened cannot be used here, nor closed. */
static struct {
	pid_t process;
	struct kv_store store;
} opened;

static const struct kv_store *need(struct spk *spk)
{
	struct conftool_config conftool;
	struct err err;
	int rc;

	if (opened.store.store && opened.process == getpid())
		return &opened.store;
	rc = conftool_config_read(spk->order.kv.conftool_config, &conftool, &err);
	if (rc == 0)
		rc = kv_store_open(&spk->order.kv, &conftool, spk->order.dry_run, &opened.store,
				   &err);
	conftool_config_free(&conftool);
	if (rc < 0)
		spk_raise(spk, "confctl.config", NULL, "%s", err.text);
	opened.process = getpid();
	return &opened.store;
}

static struct spk_kv_call call_of(struct spk *spk)
{
	return (struct spk_kv_call){.deadline_ns = spk_uptime().ns + CALL_NS,
				    .cancel_fd = session_cancel_fd(spk)};
}

static SPK_NORETURN void fail(struct spk *spk, const char *what, const struct spk_kv_call *call,
			      enum spk_kv_status status, const char *more)
{
	struct err err;

	session_check_interrupt(spk);
	(void)kv_explain(call, status, &err);
	spk_raise(spk, "confctl.store", NULL, "cannot %s the store: %s%s", what, err.text, more);
}

/* What a store does that has gone away. */
static void fail_in_test(struct spk *spk, const char *what, const char *key,
			 struct spk_kv_call *call, const char *more)
{
	if (!testing_step(spk, true, "%s %s", what, key))
		return;
	snprintf(call->reason.text, sizeof(call->reason.text), "the test has it fail");
	fail(spk, what, call, SPK_KV_UNREACHABLE, more);
}

void conf_list(struct spk *spk, const char *prefix, spk_kv_visitor *visitor, void *data)
{
	const struct kv_store *store = need(spk);
	struct spk_kv_call call = call_of(spk);
	enum spk_kv_status status;

	fail_in_test(spk, "read", prefix, &call, "");
	status = store->driver->list(store->store, prefix, visitor, data, &call);
	if (status != SPK_KV_OK)
		fail(spk, "read", &call, status, "");
}

/* A value that was shown, before it is in memory of the run. */
struct shown {
	struct buf value;
	uint64_t revision;
	const char *copy;
};

static bool take(void *data, const struct spk_kv_item *item)
{
	struct shown *shown = data;

	buf_clear(&shown->value);
	buf_add(&shown->value, item->value, item->length);
	shown->revision = item->revision;
	return true;
}

static void keep(struct spk *spk, void *argument)
{
	struct shown *shown = argument;

	shown->copy = copy_text(spk, buf_text(&shown->value));
}

const char *conf_get(struct spk *spk, const char *key, uint64_t *ret_revision)
{
	const struct kv_store *store = need(spk);
	struct spk_kv_call call = call_of(spk);
	const struct spk_error *error = NULL;
	struct shown shown = {0};
	enum spk_kv_status status;
	bool done;

	fail_in_test(spk, "read", key, &call, "");
	status = store->driver->get(store->store, key, take, &shown, &call);
	done = status != SPK_KV_OK || spk_try(spk, keep, &shown, &error);
	buf_free(&shown.value);
	if (!done)
		spk_raise_again(spk, error);
	if (status == SPK_KV_MISSING)
		return NULL;
	if (status != SPK_KV_OK)
		fail(spk, "read", &call, status, "");
	*ret_revision = shown.revision;
	return shown.copy;
}

size_t conf_most(struct spk *spk)
{
	const struct kv_store *store = need(spk);
	size_t most = store->driver->most(store->store);

	return most ? most : 1;
}

enum spk_kv_status conf_write(struct spk *spk, const struct spk_kv_change *changes, size_t count,
			      const char *before)
{
	const struct kv_store *store = need(spk);
	struct spk_kv_call call = call_of(spk);
	enum spk_kv_status status;

	fail_in_test(spk, "write to", count ? changes[0].key : "", &call, before);
	status = store->driver->write(store->store, changes, count, &call);
	if (status != SPK_KV_OK && status != SPK_KV_CONFLICT && status != SPK_KV_UNCERTAIN)
		fail(spk, "write to", &call, status, before);
	return status;
}
