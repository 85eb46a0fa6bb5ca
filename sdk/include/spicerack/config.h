/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration of modules and cookbooks: files in libconfig's syntax, read when
 * asked for. A setting is named by its path: "masters.eqiad.port". A `_get_` call
 * raises `config.missing` naming file and path when the setting is absent; a
 * `_find_` call then returns what the caller gives. A setting of another type
 * raises `config.type` in both.
 */
#ifndef SPICERACK_CONFIG_H
#define SPICERACK_CONFIG_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_config;

/*
 * The configuration of a module: CONFIG_DIR/MODULE/config.cfg. `module` is one
 * path component. Raises `config.file` when it cannot be read, is not a regular
 * file of at most 1 MiB, may be written by others, or does not parse. Since 1.0.
 */
SPK_API const struct spk_config *spk_module_config(struct spk *spk, const char *module);

/* The same from any file. Since 1.0. */
SPK_API const struct spk_config *spk_config_read(struct spk *spk, const char *file);

/*
 * The same from a file in YAML, which other programs write: a map is a group, null is absent, and
 * an alias is what it stands for. At most 4 MiB. Raises `config.file`, also when the file is no
 * map. Since 1.0.
 */
SPK_API const struct spk_config *spk_config_read_yaml(struct spk *spk, const char *file);

/*
 * A list of sites, `sites.NAME` of spicerack.cfg, the one that `.choices_from` of an argument may
 * name as "sites.NAME": spk_sites(spk, "core"). Raises `config.missing`. Since 1.0.
 * Source: wmflib.constants.
 */
SPK_API spk_strings spk_sites(struct spk *spk, const char *name);

/* Whether there is a setting of that path, of whatever type. Since 1.0. */
SPK_API bool spk_config_has(const struct spk_config *config, const char *path);
/* A string. Raises `config.missing` and `config.type`, as said above. Since 1.0. */
SPK_API const char *spk_config_get_text(const struct spk_config *config, const char *path);
/* The same, and `otherwise`, which may be NULL, when it is absent. Since 1.0. */
SPK_API const char *spk_config_find_text(const struct spk_config *config, const char *path,
					 const char *otherwise);
/* An integer, in libconfig's range of 64 bits; raises as above. Since 1.0. */
SPK_API long long spk_config_get_int(const struct spk_config *config, const char *path);
/* The same, and `otherwise` when it is absent. Since 1.0. */
SPK_API long long spk_config_find_int(const struct spk_config *config, const char *path,
				      long long otherwise);
/* A number, with a fraction or without; raises as above. Since 1.0. */
SPK_API double spk_config_get_double(const struct spk_config *config, const char *path);
/* `true` or `false`; raises as above. Since 1.0. */
SPK_API bool spk_config_get_bool(const struct spk_config *config, const char *path);
/* The same, and `otherwise` when it is absent. Since 1.0. */
SPK_API bool spk_config_find_bool(const struct spk_config *config, const char *path,
				  bool otherwise);
/* An array or list of strings. Since 1.0. */
SPK_API spk_strings spk_config_get_list(const struct spk_config *config, const char *path);
/* The names of the settings of a group, in the order of the file ("" is the whole file). Since 1.0.
 */
SPK_API spk_strings spk_config_names(const struct spk_config *config, const char *path);
/*
 * Raises `config.type`, naming file, line and setting, unless all settings of a group, "" for the
 * whole file, are among `names`: what was mistyped must not go unnoticed. Since 1.0.
 */
SPK_API void spk_config_expect(const struct spk_config *config, const char *path,
			       spk_strings names);

#ifdef __cplusplus
}
#endif

#endif
