/*
 * For tests of cookbooks that use <example/racks.h>: a register as the test has it.
 *
 *     racks_test(test);
 *     spk_test_rule(test, "racks", "get web1", SPK_TEST_REPLY(.out = "active"));
 *     spk_test_rule(test, "racks", "set web1 *", SPK_TEST_REPLY());
 *
 * A machine that no rule tells of is unknown.
 */
#ifndef EXAMPLE_RACKS_TESTING_H
#define EXAMPLE_RACKS_TESTING_H

#include <example/racks_driver.h>
#include <spicerack/testing.h>

static inline void *racks_test_open(const struct spk_driver_setting *settings, size_t count,
				    struct spk_reason_buffer *reason)
{
	return reason; /* any address will do */
}

static inline void racks_test_close(void *store)
{
}

static inline enum racks_status racks_test_ask(const char *request, struct racks_call *call,
					       const struct spk_test_reply **ret_reply)
{
	const char *why;

	*ret_reply = spk_test_play("racks", request, &why);
	if (*ret_reply)
		return (*ret_reply)->code ? RACKS_UNKNOWN : RACKS_OK;
	snprintf(call->reason.text, sizeof(call->reason.text), "%s", why);
	return RACKS_FAILED;
}

static inline enum racks_status racks_test_get(void *store, const char *host, char *state,
					       size_t size, struct racks_call *call)
{
	const struct spk_test_reply *reply;
	char request[256];
	enum racks_status status;

	snprintf(request, sizeof(request), "get %s", host);
	status = racks_test_ask(request, call, &reply);
	if (status == RACKS_OK)
		snprintf(state, size, "%s", reply->out);
	return status;
}

static inline enum racks_status racks_test_set(void *store, const char *host, const char *state,
					       struct racks_call *call)
{
	const struct spk_test_reply *reply;
	char request[256];

	snprintf(request, sizeof(request), "set %s %s", host, state);
	return racks_test_ask(request, call, &reply);
}

/* Has the cookbook meet that register instead of a real one. */
static inline void racks_test(struct spk_test *test)
{
	static const struct racks_driver driver = {
		.driver = {.size = sizeof(driver),
			   .abi = SPK_DRIVER_ABI,
			   .kind = "racks",
			   .name = "test"},
		.open = racks_test_open,
		.close = racks_test_close,
		.get = racks_test_get,
		.set = racks_test_set,
	};

	spk_test_driver(test, &driver.driver);
	spk_test_file(test, "racks/config.cfg", "driver = \"test\";\n");
}

#endif
