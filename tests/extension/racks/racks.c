/* The accessor: what cookbooks call. */
#include <example/racks.h>

#include <example/racks_driver.h>
#include <spicerack/cookbook.h>
#include <spicerack/extend.h>
#include <string.h>
#include <unistd.h>

#define MAGIC 0x7261636bU
#define STATE_SIZE 64

SPK_NEEDS_DRIVER(racks);

/* In memory of the run: a fresh process that undoes something after a crash finds it there. */
struct racks {
	uint32_t magic;
	struct spk *spk;
	const char *driver;
	const struct spk_driver_setting *settings;
	size_t setting_count;
};

/* What is open in this process, for one register. */
static struct {
	pid_t process;
	const struct racks *racks;
	const struct racks_driver *driver;
	void *store;
} now;

/* Refuses a handle that is none, as the SDK's own calls do. */
#define CHECK(racks, host)                                                                         \
	do {                                                                                       \
		if (!(racks) || (racks)->magic != MAGIC)                                           \
			spk_misuse(__func__, "'racks' is no live handle");                         \
		if (spk_is_empty(host))                                                            \
			spk_misuse(__func__, "'host' is empty");                                   \
	} while (0)

static const char *setting(struct spk *spk, const struct spk_config *config, const char *name)
{
	return spk_config_get_text(config, spk_format(spk, "settings.%s", name));
}

struct racks *racks(struct spk *spk)
{
	const struct spk_config *config = spk_module_config(spk, "racks");
	struct racks *racks = SPK_NEW(spk, struct racks);
	struct spk_driver_setting *settings;
	spk_strings names = {0};

	spk_config_expect(config, "", SPK_STRINGS("driver", "settings"));
	if (spk_config_has(config, "settings"))
		names = spk_config_names(config, "settings");
	settings = spk_alloc(spk, (names.count + 1) * sizeof(*settings));
	for (size_t i = 0; i < names.count; i++)
		settings[i] = (struct spk_driver_setting){names.items[i],
							  setting(spk, config, names.items[i])};
	*racks = (struct racks){
		.magic = MAGIC,
		.spk = spk,
		.driver = spk_config_find_text(config, "driver", "sqlite"),
		.settings = settings,
		.setting_count = names.count,
	};
	return racks;
}

/* Opens the register, unless this process has it open: what a driver keeps survives no fork. */
static void open_register(const struct racks *racks)
{
	struct spk_reason_buffer reason = {""};

	if (now.process == getpid() && now.racks == racks)
		return;
	if (now.process == getpid())
		now.driver->close(now.store);
	now.process = 0;
	now.driver = (const struct racks_driver *)spk_driver_open(
		racks->spk, "racks", racks->driver, sizeof(*now.driver));
	now.store = now.driver->open(racks->settings, racks->setting_count, &reason);
	if (!now.store)
		spk_raise(racks->spk, "racks.register", NULL, "cannot open the register: %s",
			  reason.text);
	now.process = getpid();
	now.racks = racks;
}

static void judge(const struct racks *racks, enum racks_status status, const char *what,
		  const char *host, const struct racks_call *call)
{
	if (status == RACKS_CANCELLED)
		spk_check_interrupt(racks->spk); /* does not return */
	if (status == RACKS_UNKNOWN)
		spk_raise(racks->spk, "racks.unknown", NULL, "there is no machine '%s'", host);
	if (status != RACKS_OK)
		spk_raise(racks->spk, "racks.register", NULL, "cannot %s the state of '%s': %s",
			  what, host, call->reason.text);
}

const char *racks_state(struct racks *racks, const char *host)
{
	struct racks_call call = {.cancel_fd = -1};
	char state[STATE_SIZE];

	CHECK(racks, host);
	call.cancel_fd = spk_cancel_fd(racks->spk);
	open_register(racks);
	judge(racks, now.driver->get(now.store, host, state, sizeof(state), &call), "read", host,
	      &call);
	spk_did_read(racks->spk, "the state of '%s'", host);
	return spk_format(racks->spk, "%s", state);
}

void racks_set_state(struct racks *racks, const char *host, const char *state)
{
	struct racks_call call = {.cancel_fd = -1};

	CHECK(racks, host);
	if (spk_is_empty(state) || strlen(state) >= STATE_SIZE)
		spk_misuse(__func__, "'state' is empty, or longer than %d bytes", STATE_SIZE - 1);
	if (!spk_may_write(racks->spk, "set the state of '%s' to '%s'", host, state))
		return;
	call.cancel_fd = spk_cancel_fd(racks->spk);
	open_register(racks);
	judge(racks, now.driver->set(now.store, host, state, &call), "set", host, &call);
	spk_info(racks->spk, "the state of '%s' is '%s'", host, state);
}

/* Of a scope, in memory of the run. */
struct before {
	struct racks *racks;
	const char *host, *state;
};

static void bring_back(struct spk *spk, void *arg)
{
	const struct before *before = arg;

	racks_set_state(before->racks, before->host, before->state);
}

struct spk_scope *racks_state_scope(struct racks *racks, const char *host, const char *state)
{
	struct spk_scope *scope;
	struct before *before;

	CHECK(racks, host);
	before = SPK_NEW(racks->spk, struct before);
	before->racks = racks;
	before->host = spk_format(racks->spk, "%s", host);
	before->state = racks_state(racks, host);
	/* Opened before it is set: a crash in between undoes what was not done, which does no harm.
	 */
	scope = spk_scope_open(racks->spk,
			       spk_format(racks->spk, "%s is '%s'", host, before->state),
			       bring_back, before);
	racks_set_state(racks, host, state);
	return scope;
}
