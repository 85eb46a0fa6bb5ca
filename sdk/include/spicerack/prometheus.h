/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries to Prometheus, and to Thanos, which answers for many of them. They read, and so do the
 * same in dry-run.
 *
 *     spk_samples up = spk_prometheus_query(spk_prometheus(spk, "dc1", NULL), "up == 0");
 *
 *     for (size_t i = 0; i < up.count; i++)
 *     	spk_warn(spk, "down: %s", spk_map_get(up.items[i].labels, "instance"));
 *
 * Where they are says `CONFIG_DIR/prometheus/config.cfg`:
 *
 *     url = "http://prometheus.{site}.example/{instance}";
 *     instance = "ops";                # where the caller names none
 *     thanos = "https://thanos.example";
 *     ca_file = "/etc/ssl/example.pem";  # for both; may be left out, like all but `url`
 *
 * Raises `config.*` for that file, what http.h says for the exchange, and
 *     prometheus.site   a site or an instance that is no name, or one that `url` has no place for
 *     prometheus.query  the server does not accept the query, or fails with it
 *     prometheus.result it answers something else than samples
 */
#ifndef SPICERACK_PROMETHEUS_H
#define SPICERACK_PROMETHEUS_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_map;

/* Where queries go. It belongs to the run. */
struct spk_prometheus;

/* A series and its value at an instant. */
typedef struct spk_sample {
	const struct spk_map *labels; /* of a scalar: none */
	spk_time time;
	double value; /* may be NaN or infinite, as Prometheus has them */
} spk_sample;

/* A counted list of samples. Since 1.0. */
typedef struct spk_samples {
	const struct spk_sample *items;
	size_t count;
} spk_samples;

/*
 * The server of a site. `site` NULL: the URL of the configuration has none. `instance` NULL: that
 * of the configuration. Both consist of letters, digits, `-`, `_` and `.`. Since 1.0.
 */
SPK_API struct spk_prometheus *spk_prometheus(struct spk *spk, const char *site,
					      const char *instance);
/* Thanos; its answers are without duplicates, and complete or an error. Since 1.0. */
SPK_API struct spk_prometheus *spk_thanos(struct spk *spk);

/*
 * The instant vector, or the scalar, that the query yields now; there may be no samples. The server
 * has 10 s for it. Since 1.0.
 */
SPK_API spk_samples spk_prometheus_query(struct spk_prometheus *prometheus, const char *query);

#ifdef __cplusplus
}
#endif

#endif
