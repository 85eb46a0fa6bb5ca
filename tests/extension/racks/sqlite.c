/* The driver racks-sqlite: a register in a file of SQLite. It links nothing of spicerack's. */
#include <example/racks_driver.h>

#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long somebody else may be writing. */
#define PATIENCE_MS 10000
#define STEP_MS 20

SPK_API extern const struct racks_driver spk_driver;

struct store {
	sqlite3 *database;
	int cancel_fd; /* of the call that is made */
	bool cancelled;
};

/* SQLite's, while another writes. 0: no longer. */
static int wait_a_little(void *data, int times)
{
	struct store *store = data;
	struct pollfd cancel = {.fd = store->cancel_fd, .events = POLLIN};

	if (times * STEP_MS >= PATIENCE_MS)
		return 0;
	store->cancelled = poll(&cancel, 1, STEP_MS) > 0;
	return !store->cancelled;
}

static void *open_store(const struct spk_driver_setting *settings, size_t count,
			struct spk_reason_buffer *reason)
{
	struct store *store = calloc(1, sizeof(*store));
	const char *file = NULL;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(settings[i].name, "file") == 0)
			file = settings[i].value;
		else
			snprintf(reason->text, sizeof(reason->text), "unknown setting '%.64s'",
				 settings[i].name);
	}
	if (store && file && !*reason->text) {
		if (sqlite3_open_v2(file, &store->database, SQLITE_OPEN_READWRITE, NULL) ==
		    SQLITE_OK) {
			sqlite3_busy_handler(store->database, wait_a_little, store);
			return store;
		}
		snprintf(reason->text, sizeof(reason->text), "%.128s: %s", file,
			 sqlite3_errmsg(store->database));
		sqlite3_close(store->database);
	} else if (!*reason->text) {
		snprintf(reason->text, sizeof(reason->text), "%s",
			 store ? "'file' is not set" : "out of memory");
	}
	free(store);
	return NULL;
}

static void close_store(void *data)
{
	struct store *store = data;

	sqlite3_close(store->database);
	free(store);
}

/* Executes a statement about one machine: SQLITE_ROW, SQLITE_DONE or a failure; to be finalized. */
static int execute(struct store *store, const char *text, const char *host, const char *state,
		   sqlite3_stmt **ret, struct racks_call *call)
{
	int rc;

	store->cancel_fd = call->cancel_fd;
	store->cancelled = false;
	rc = sqlite3_prepare_v2(store->database, text, -1, ret, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(*ret, 1, host, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK && state)
		rc = sqlite3_bind_text(*ret, 2, state, -1, SQLITE_STATIC);
	return rc == SQLITE_OK ? sqlite3_step(*ret) : rc;
}

static enum racks_status failed(struct store *store, struct racks_call *call)
{
	if (store->cancelled)
		return RACKS_CANCELLED;
	snprintf(call->reason.text, sizeof(call->reason.text), "%s",
		 sqlite3_errmsg(store->database));
	return RACKS_FAILED;
}

static enum racks_status get(void *data, const char *host, char *state, size_t size,
			     struct racks_call *call)
{
	struct store *store = data;
	sqlite3_stmt *statement = NULL;
	int rc = execute(store, "SELECT state FROM machines WHERE name = ?1", host, NULL,
			 &statement, call);
	enum racks_status status = rc == SQLITE_DONE ? RACKS_UNKNOWN : RACKS_OK;

	if (rc == SQLITE_ROW)
		snprintf(state, size, "%s", sqlite3_column_text(statement, 0));
	else if (rc != SQLITE_DONE)
		status = failed(store, call);
	sqlite3_finalize(statement);
	return status;
}

static enum racks_status set(void *data, const char *host, const char *state,
			     struct racks_call *call)
{
	struct store *store = data;
	sqlite3_stmt *statement = NULL;
	int rc = execute(store, "UPDATE machines SET state = ?2 WHERE name = ?1", host, state,
			 &statement, call);
	enum racks_status status = RACKS_OK;

	if (rc != SQLITE_DONE)
		status = failed(store, call);
	else if (sqlite3_changes(store->database) == 0)
		status = RACKS_UNKNOWN;
	sqlite3_finalize(statement);
	return status;
}

const struct racks_driver spk_driver = {
	.driver = {.size = sizeof(spk_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "racks",
		   .name = "sqlite"},
	.open = open_store,
	.close = close_store,
	.get = get,
	.set = set,
};
