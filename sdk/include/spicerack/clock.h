/* SPDX-License-Identifier: Apache-2.0 */
/* Time: instants and durations as text, sleeping, and trying again. */
#ifndef SPICERACK_CLOCK_H
#define SPICERACK_CLOCK_H

#include <spicerack/error.h>
#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* Now, by the wall clock. Since 1.0. */
SPK_API spk_time spk_now(void);
/* Time since some fixed point, suspend included, that no one can set: for measuring. Since 1.0. */
SPK_API spk_duration spk_uptime(void);
/* Today in the local zone. Since 1.0. */
SPK_API spk_date spk_today(void);

/* later - earlier. Since 1.0. */
SPK_API spk_duration spk_time_between(spk_time earlier, spk_time later);
/* `time` moved by a duration, which may be negative. Since 1.0. */
SPK_API spk_time spk_time_add(spk_time time, spk_duration duration);

/* `2026-11-22T15:39:13Z`, with a fraction of six digits where there is one. Since 1.0. */
SPK_API const char *spk_time_text(struct spk *spk, spk_time time);
/* strftime in UTC. Since 1.0. */
SPK_API const char *spk_time_format(struct spk *spk, const char *format, spk_time time);
/* `2026-11-22`. Since 1.0. */
SPK_API const char *spk_date_text(struct spk *spk, spk_date date);
/* As people write it: `1h30m`, `2.5s`, `7d`, `0s`. spk_duration_parse() reads it back. Since 1.0.
 */
SPK_API const char *spk_duration_text(struct spk *spk, spk_duration duration);
/* Seconds, with their fraction. Since 1.0. */
SPK_API double spk_duration_seconds(spk_duration duration);

/* An instant as the command line accepts it; raises `text` naming the input. Since 1.0. */
SPK_API spk_time spk_time_parse(struct spk *spk, const char *text);
/* The same for a day, `2026-11-22`. Since 1.0. */
SPK_API spk_date spk_date_parse(struct spk *spk, const char *text);
/* The same for a duration, `1h30m`. Since 1.0. */
SPK_API spk_duration spk_duration_parse(struct spk *spk, const char *text);

/*
 * Waits. In dry-run it only logs, at DEBUG, that it would. Raises `interrupted`
 * when the run is interrupted. Since 1.0.
 */
SPK_API void spk_sleep(struct spk *spk, spk_duration duration);

/*
 * How to try again. A member left out has its default. The delay before try N+1
 * for a delay d: constant d, linear d*N, power d*2^(N-1),
 * exponential d^N in seconds (d at least 1 s).
 */
enum spk_backoff {
	SPK_BACKOFF_EXPONENTIAL = 0,
	SPK_BACKOFF_CONSTANT = 1,
	SPK_BACKOFF_LINEAR = 2,
	SPK_BACKOFF_POWER = 3,
};

struct spk_retry {
	uint32_t size;      /* set by SPK_RETRY() */
	uint32_t tries;     /* 3 */
	spk_duration delay; /* 3 s */
	uint32_t backoff;   /* enum spk_backoff */
	uint32_t reserved;
	spk_strings
		kinds; /* errors worth another try; default: every `spicerack` error but misuse */
	const char *message; /* what failed, for the log; default: `Unable to run the operation` */
};

/* SPK_RETRY(.tries = 10, .delay = SPK_SECONDS(5), .backoff = SPK_BACKOFF_CONSTANT) */
#define SPK_RETRY(...) (&(const struct spk_retry){.size = sizeof(struct spk_retry), ##__VA_ARGS__})

/*
 * Calls action(spk, arg) until it returns, at most `tries` times; each failure
 * but the last is logged at WARNING as `[1/3, retrying in 3.00s] MESSAGE: ERROR`,
 * the last one is raised as it is. In dry-run there is one try, whatever the
 * caller. Bad parameters are misuse. Since 1.0.
 */
SPK_API void spk_retry(struct spk *spk, const struct spk_retry *how, spk_action *action, void *arg);

#ifdef __cplusplus
}
#endif

#endif
