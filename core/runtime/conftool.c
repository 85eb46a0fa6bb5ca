/* SPDX-License-Identifier: Apache-2.0 */
#include "conftool.h"

#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "kvstore.h"
#include "mem.h"

/* A text of the file, or what conftool takes in its place. NULL with the reason. */
static const char *text_of(const struct document *document, const struct document_node *map,
			   const char *name, const char *otherwise, struct err *err)
{
	const struct document_node *node = map ? document_member(map, name) : NULL;

	if (!node)
		return otherwise;
	if (document_text(node))
		return node->text;
	document_refuse(document, node, err, "'%s' must be a text", name);
	return NULL;
}

/* A path as a part of keys. */
static int check_path(const struct document *document, const char *name, const char *path,
		      bool absolute, struct err *err)
{
	const struct document_node *node = document ? document_member(&document->root, name) : NULL;
	char *key = xasprintf("%s%s", absolute ? "" : "/", path);
	int rc = kv_key_check(key, NULL);

	if (rc < 0 && node)
		document_refuse(document, node, err, "'%s' must be %s path such as %s", name,
				absolute ? "an absolute" : "a relative",
				absolute ? "/conftool" : "pools");
	free(key);
	return rc;
}

static int take(const struct document *document, struct conftool_config *ret, struct err *err)
{
	const struct document_node *root = document ? &document->root : NULL;
	const struct document_node *options = root ? document_member(root, "driver_options") : NULL;
	const char *driver = text_of(document, root, "driver", "etcd", err);
	const char *name = driver ? text_of(document, root, "namespace", "/conftool", err) : NULL;
	const char *version = name ? text_of(document, root, "api_version", "v1", err) : NULL;
	const char *pools = version ? text_of(document, root, "pools_path", "pools", err) : NULL;
	const char *etcdrc = pools ? text_of(document, options, "etcd_config_file",
					     "/etc/conftool/etcdrc", err)
				   : NULL;

	if (!etcdrc || check_path(document, "namespace", name, true, err) < 0 ||
	    check_path(document, "api_version", version, false, err) < 0 ||
	    check_path(document, "pools_path", pools, false, err) < 0)
		return -1;
	ret->driver = document ? xstrdup(driver) : NULL;
	ret->base = xasprintf("%s/%s", name, version);
	ret->pools_path = xstrdup(pools);
	ret->etcdrc = xstrdup(etcdrc);
	return 0;
}

int conftool_config_read(const char *file, struct conftool_config *ret, struct err *err)
{
	struct document *document = NULL;
	int rc;

	*ret = (struct conftool_config){0};
	if (file && document_read(file, &document, err) < 0)
		return -1;
	if (document && document->root.kind != SPK_DOCUMENT_MAP &&
	    document->root.kind != SPK_DOCUMENT_NULL)
		rc = document_refuse(document, &document->root, err, "it must be keys and values");
	else
		rc = take(document, ret, err);
	document_free(document);
	return rc;
}

void conftool_config_free(struct conftool_config *config)
{
	free(config->driver);
	free(config->base);
	free(config->pools_path);
	free(config->etcdrc);
	*config = (struct conftool_config){0};
}
