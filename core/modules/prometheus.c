/* SPDX-License-Identifier: Apache-2.0 */
/* Queries to Prometheus and Thanos, over a client of their API. */
#include <spicerack/prometheus.h>

#include <ctype.h>
#include <math.h>
#include <string.h>

#include <spicerack/collection.h>
#include <spicerack/config.h>
#include <spicerack/error.h>
#include <spicerack/http.h>
#include <spicerack/json.h>
#include <spicerack/text.h>

#include "../runtime/misuse.h"

#define PROMETHEUS_MAGIC 0x70726d1eU
#define MODULE "prometheus"
#define PATH "/api/v1/query"
#define READ_TIMEOUT SPK_SECONDS(10)

struct spk_prometheus {
	uint32_t magic;
	struct spk *spk;
	struct spk_api *api;
	spk_strings query; /* what each has beside the query itself */
};

static struct spk_prometheus *make(struct spk *spk, const struct spk_config *config,
				   const char *url)
{
	struct spk_prometheus *prometheus = SPK_NEW(spk, struct spk_prometheus);

	prometheus->spk = spk;
	prometheus->api =
		spk_api(spk, url,
			SPK_HTTP(.read_timeout = READ_TIMEOUT,
				 .ca_file = spk_config_find_text(config, "ca_file", NULL)));
	prometheus->magic = PROMETHEUS_MAGIC;
	return prometheus;
}

/* It becomes a part of a host or a path. */
static void check_name(struct spk *spk, const char *what, const char *name)
{
	size_t length = 0;

	while (isalnum((unsigned char)name[length]) ||
	       (name[length] && strchr("-_.", name[length])))
		length++;
	if (length == 0 || name[length] || !isalnum((unsigned char)name[0]))
		spk_raise(spk, "prometheus.site", NULL, "'%s' is no name of %s", name, what);
}

/* The template with the name in place of the variable; one must be there for the other. */
static const char *fill_in(struct spk *spk, const char *template, const char *what,
			   const char *variable, const char *name)
{
	bool wanted = strstr(template, variable) != NULL;

	if (name)
		check_name(spk, what, name);
	if (name && !wanted)
		spk_raise(spk, "prometheus.site", NULL,
			  "%s was given, '%s', and the setting 'url' of " MODULE
			  "/config.cfg has no %s",
			  what, name, variable);
	if (!name && wanted)
		spk_raise(spk, "prometheus.site", NULL,
			  "%s is needed: the setting 'url' of " MODULE "/config.cfg has %s", what,
			  variable);
	return wanted ? spk_replace(spk, template, variable, name) : template;
}

struct spk_prometheus *spk_prometheus(struct spk *spk, const char *site, const char *instance)
{
	const struct spk_config *config;
	const char *url;

	CHECK_SPK(spk);
	config = spk_module_config(spk, MODULE);
	url = spk_config_get_text(config, "url");
	if (!instance && strstr(url, "{instance}"))
		instance = spk_config_get_text(config, "instance");
	url = fill_in(spk, url, "a site", "{site}", site);
	return make(spk, config, fill_in(spk, url, "an instance", "{instance}", instance));
}

struct spk_prometheus *spk_thanos(struct spk *spk)
{
	const struct spk_config *config;
	struct spk_prometheus *thanos;

	CHECK_SPK(spk);
	config = spk_module_config(spk, MODULE);
	thanos = make(spk, config, spk_config_get_text(config, "thanos"));
	spk_append(spk, &thanos->query, "dedup=true");
	spk_append(spk, &thanos->query, "partial_response=false");
	return thanos;
}

/* ---- what it answers ---- */

static const struct spk_map *labels_of(struct spk *spk, const struct spk_json *metric)
{
	struct spk_map *labels = spk_map_new(spk);

	for (size_t i = 0; metric && i < spk_json_count(metric, ""); i++) {
		const struct spk_json *label = spk_json_item(metric, i);

		spk_map_set(labels, spk_json_name(label), spk_json_get_text(label, ""));
	}
	return labels;
}

static double value_of(struct spk *spk, const char *text)
{
	static const struct {
		const char *text;
		double value;
	} special[] = {{"NaN", NAN}, {"+Inf", INFINITY}, {"-Inf", -INFINITY}};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (spk_streq(text, special[i].text))
			return special[i].value;
	return spk_to_double(spk, text);
}

/* `pair` is `[SECONDS, "VALUE"]`. */
static spk_sample sample_of(struct spk *spk, const struct spk_json *metric,
			    const struct spk_json *pair)
{
	return (spk_sample){
		.labels = labels_of(spk, metric),
		.time = {llround(spk_json_get_double(pair, "[0]") * 1000) * INT64_C(1000000)},
		.value = value_of(spk, spk_json_get_text(pair, "[1]")),
	};
}

struct reading {
	const struct spk_json *answer;
	spk_samples samples;
};

static void read_answer(struct spk *spk, void *argument)
{
	struct reading *reading = argument;
	const struct spk_json *result = spk_json_get(reading->answer, "data.result");
	const char *type = spk_json_get_text(reading->answer, "data.resultType");
	bool scalar = spk_streq(type, "scalar");
	size_t count = scalar ? 1 : spk_json_count(result, "");
	spk_sample *items = count ? spk_alloc(spk, count * sizeof(*items)) : NULL;

	if (!scalar && !spk_streq(type, "vector"))
		spk_raise(spk, "prometheus.result", NULL,
			  "the query yields a %s, not a vector or a scalar", type);
	if (scalar)
		items[0] = sample_of(spk, NULL, result);
	for (size_t i = 0; !scalar && i < count; i++) {
		const struct spk_json *series = spk_json_item(result, i);

		items[i] = sample_of(spk, spk_json_get(series, "metric"),
				     spk_json_get(series, "value"));
	}
	reading->samples = (spk_samples){items, count};
}

/* What the server says is wrong, where it says so in its way. */
static void find_error(struct spk *spk, void *argument)
{
	const struct spk_http_answer *answer = argument;
	const struct spk_json *json = spk_http_json(answer);

	if (!spk_streq(spk_json_find_text(json, "status", ""), "success"))
		spk_raise(spk, "prometheus.query", NULL, "the query failed (%s): %s",
			  spk_json_find_text(json, "errorType", "no type"),
			  spk_json_find_text(json, "error", "no reason given"));
}

struct asking {
	struct spk_prometheus *prometheus;
	const struct spk_http_request *request;
	const struct spk_http_answer *answer;
};

static void ask(struct spk *spk, void *argument)
{
	struct asking *asking = argument;

	asking->answer = spk_api_read(asking->prometheus->api, asking->request);
}

static const struct spk_http_answer *answer_to(struct spk_prometheus *prometheus, const char *query)
{
	spk_strings pairs = {0};
	struct asking asking = {.prometheus = prometheus};
	const struct spk_error *error = NULL, *why = NULL;
	struct spk *spk = prometheus->spk;

	for (size_t i = 0; i < prometheus->query.count; i++)
		spk_append(spk, &pairs, prometheus->query.items[i]);
	spk_append(spk, &pairs, spk_format(spk, "query=%s", query));
	asking.request = SPK_HTTP_REQUEST("GET", PATH, .query = pairs);
	if (spk_try(spk, ask, &asking, &error))
		return asking.answer;
	/* An error of Prometheus' own says more than its status. */
	if (spk_error_is(error, "http.status") &&
	    !spk_try(spk, find_error, (void *)(uintptr_t)spk_error_payload(error, "http.status"),
		     &why) &&
	    spk_error_is(why, "prometheus"))
		spk_raise(spk, "prometheus.query", error, "%s", spk_error_message(why));
	spk_raise_again(spk, error);
}

spk_samples spk_prometheus_query(struct spk_prometheus *prometheus, const char *query)
{
	const struct spk_error *error = NULL;
	const struct spk_http_answer *answer;
	struct reading reading = {0};

	CHECK_HANDLE(prometheus, PROMETHEUS_MAGIC);
	CHECK_NOT_EMPTY(query);
	answer = answer_to(prometheus, query);
	find_error(prometheus->spk, (void *)(uintptr_t)answer);
	reading.answer = spk_http_json(answer);
	if (spk_try(prometheus->spk, read_answer, &reading, &error))
		return reading.samples;
	if (spk_error_is(error, "prometheus.result") || spk_error_is(error, "memory"))
		spk_raise_again(prometheus->spk, error);
	spk_raise(prometheus->spk, "prometheus.result", error,
		  "%s answered something else than samples", spk_http_url(answer));
}
