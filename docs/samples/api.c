/* samples.api: set the status of a host in an inventory with an API. */
#include <spicerack/cookbook.h>

struct change {
	const char *host, *status, *was;
	spk_path token;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct change, host),
	SPK_POSITIONAL(struct change, status, .choices = SPK_LIST("active", "failed")),
	SPK_OPTION(struct change, token, SPK_DEFAULT("/etc/inventory/token")),
};

static struct spk_api *inventory(struct spk *spk, const struct change *change)
{
	struct spk_secret *token = spk_secret_read_file(spk, change->token.text);

	return spk_api(spk, "https://inventory.example/api", SPK_HTTP(.token = token));
}

static const char *path_of(struct spk *spk, const struct change *change)
{
	return spk_format(spk, "/hosts/%s", spk_http_segment(spk, change->host));
}

static void set_status(struct spk *spk, struct change *change, const char *status)
{
	struct spk_json *body = spk_json_object(spk);

	spk_json_set_text(body, "status", status);
	spk_api_write(inventory(spk, change),
		      SPK_HTTP_REQUEST("PATCH", path_of(spk, change), .json = body));
}

static int run(struct spk *spk, void *self)
{
	struct change *change = self;
	const struct spk_json *host = spk_api_get(inventory(spk, change), path_of(spk, change));

	change->was = spk_json_get_text(host, "status");
	set_status(spk, change, change->status);
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
	struct change *change = self;

	if (change->was)
		set_status(spk, change, change->was);
}

SPK_COOKBOOK(.title = "Set the status of a host", SPK_ARGS(struct change, args), .run = run,
	     .rollback = rollback);
