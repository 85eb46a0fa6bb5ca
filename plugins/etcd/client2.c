/* SPDX-License-Identifier: Apache-2.0 */
#include "client2.h"

#include <string.h>

enum spk_lock_status client2_do(struct client *client, const char *method, const char *key,
				const char *query, const char *value, const char *more,
				struct client_answer *answer, struct spk_lock_call *call)
{
	struct client_request request = {.method = method, .type = CLIENT_FORM, .once = true};
	struct text path = {0}, body = {0};
	enum spk_lock_status status;

	text_printf(&path, "%s/keys", client_settings(client)->version_prefix);
	for (const char *part = key; *part; part += strcspn(part, "/")) {
		struct text name = {0};

		part++;
		text_add(&name, part, strcspn(part, "/"));
		text_puts(&path, "/");
		text_add_escaped(&path, name.bytes);
		text_free(&name);
	}
	text_puts(&path, query);
	if (value) {
		text_puts(&body, "value=");
		text_add_escaped(&body, value);
		text_puts(&body, more);
	}
	request.path = path.bytes;
	request.body = body.bytes;
	if (strcmp(method, "GET") == 0) {
		request.harmless = true;
		request.once = false;
	}
	status = client_do(client, &request, answer, call);
	text_free(&path);
	text_free(&body);
	return status;
}

enum spk_lock_status client2_refuse(const char *key, const struct client_answer *answer,
				    struct spk_lock_call *call)
{
	const char *message = json_text(answer->json, "message");

	reason_set(&call->reason, "%.120s: etcd refuses: %s", key, message ? message : "?");
	return SPK_LOCK_REFUSED;
}
