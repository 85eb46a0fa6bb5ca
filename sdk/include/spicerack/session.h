/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session: what a cookbook knows about the run it is part of, its memory
 * and its log. `struct spk` is handed to every callback and to every call.
 */
#ifndef SPICERACK_SESSION_H
#define SPICERACK_SESSION_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* True when nothing may be changed. The SDK's own calls know; few cookbooks need to ask. Since 1.0.
 */
SPK_API bool spk_dry_run(const struct spk *spk);
/* True with -v/--verbose. Since 1.0. */
SPK_API bool spk_verbose(const struct spk *spk);
/*
 * The real user: the name of the login uid; where there is none, as root SUDO_USER unless that is
 * root, else the name of the uid; "-" if unknown. Since 1.0.
 */
SPK_API const char *spk_username(const struct spk *spk);
/* The name of this host as the system has it, short or full. Since 1.0. */
SPK_API const char *spk_hostname(const struct spk *spk);
/* Who runs this: `user@host [pid]`, the pid being the supervisor's, as in locks. Since 1.0. */
SPK_API const char *spk_owner(const struct spk *spk);
/* The directory of the modules' configuration, see spk_module_config(). Since 1.0. */
SPK_API const char *spk_config_dir(const struct spk *spk);
/* The HTTP proxy of the configuration as host:port or URL, or NULL. Since 1.0. */
SPK_API const char *spk_http_proxy(const struct spk *spk);
/* The dotted name of the cookbook that runs. Since 1.0. */
SPK_API const char *spk_cookbook_name(const struct spk *spk);
/*
 * The value of -t/--task-id; "" when the operator left out one that may be, NULL when the
 * cookbook did not ask for it. Since 1.0.
 */
SPK_API const char *spk_task_id(const struct spk *spk);
/* The same of -r/--reason. Since 1.0. */
SPK_API const char *spk_reason(const struct spk *spk);

/*
 * Whether the argument held by this field stood on the command line, as opposed
 * to a default: spk_given(spk, &self->grace). Raises misuse for an address that
 * holds no argument. Since 1.0.
 */
SPK_API bool spk_given(const struct spk *spk, const void *field);

/* From prepare(): this run need not announce its START to the SAL; its end says DONE. Elsewhere it
 * is misuse. Since 1.0. */
SPK_API void spk_skip_start(struct spk *spk);

/*
 * From prepare(): ends the whole run successfully, with an optional message
 * (NULL or "" for none) logged at INFO: no lock, no START, exit 0. Elsewhere it
 * is misuse. Since 1.0.
 */
SPK_API SPK_NORETURN void spk_done(struct spk *spk, const char *format, ...) SPK_PRINTF(2, 3);

/*
 * Zeroed memory that belongs to the run and is still there, at the same address,
 * when a fresh process rolls back after a crash. Never NULL: raises `memory`
 * when the run has used up what it may have. Since 1.0.
 */
SPK_API void *spk_alloc(struct spk *spk, size_t size)
	__attribute__((alloc_size(2), returns_nonnull));

/* Memory for a structure: struct list *l = SPK_NEW(spk, struct list). Since 1.0. */
#define SPK_NEW(spk, T) ((T *)spk_alloc((spk), sizeof(T)))

/* How much a message matters. */
enum spk_level {
	SPK_DEBUG = 10,
	SPK_INFO = 20,
	SPK_WARNING = 30,
	SPK_ERROR = 40,
};

/*
 * Logs one message: INFO and above to the terminal and to NAME.log, everything
 * to NAME-extended.log. When the call returns the record is in the files, also
 * if the cookbook crashes next. Use the macros. Since 1.0.
 */
SPK_API void spk_log(struct spk *spk, enum spk_level level, const char *file, int line,
		     const char *function, const char *format, ...) SPK_PRINTF(6, 7);

#define spk_debug(spk, ...) spk_log((spk), SPK_DEBUG, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define spk_info(spk, ...) spk_log((spk), SPK_INFO, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define spk_warn(spk, ...) spk_log((spk), SPK_WARNING, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define spk_error(spk, ...) spk_log((spk), SPK_ERROR, __FILE__, __LINE__, __func__, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
