/*
 * Drivers of the kind "racks": each speaks to one sort of register, racks-NAME.so beside the
 * drivers of spicerack. Grows as those do: by appending, size first.
 */
#ifndef EXAMPLE_RACKS_DRIVER_H
#define EXAMPLE_RACKS_DRIVER_H

#include <spicerack/plugin.h>

enum racks_status {
	RACKS_OK = 0,
	RACKS_UNKNOWN = 1,   /* there is no such machine */
	RACKS_FAILED = 2,    /* with a reason */
	RACKS_CANCELLED = 3, /* cancel_fd is readable; nothing was written */
};

/* What helps with a call. */
struct racks_call {
	int cancel_fd; /* -1: none */
	struct spk_reason_buffer reason;
};

struct racks_driver {
	struct spk_driver driver;
	/* `settings` of the configuration, as texts. NULL and a reason. */
	void *(*open)(const struct spk_driver_setting *settings, size_t count,
		      struct spk_reason_buffer *reason);
	void (*close)(void *store);
	/* The state as a text of less than `size` bytes. */
	enum racks_status (*get)(void *store, const char *host, char *state, size_t size,
				 struct racks_call *call);
	enum racks_status (*set)(void *store, const char *host, const char *state,
				 struct racks_call *call);
};

#endif
