/*
 * Accessor for a register of machines: what state each is in. For cookbooks; link with
 * example::racks or -lexample-racks.
 *
 * Configuration: CONFIG_DIR/racks/config.cfg
 *     driver = "sqlite";                           who speaks to the register (default: sqlite)
 *     settings = { file = "/var/lib/racks.db"; };  what that driver wants to know
 *
 * Errors: racks.unknown (no such machine), racks.register (the register cannot be read or written);
 * config.* and driver for what is not set up.
 */
#ifndef EXAMPLE_RACKS_H
#define EXAMPLE_RACKS_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_scope;
struct racks;

/* The register of the configuration. It belongs to the run. Raises `config.*`. */
SPK_API struct racks *racks(struct spk *spk);

/* The state of a machine: "active", "spare" ... Reads, also in a dry run. Raises `racks.*`. */
SPK_API const char *racks_state(struct racks *racks, const char *host);

/* Sets it; nothing in a dry run. Raises `racks.*`. */
SPK_API void racks_set_state(struct racks *racks, const char *host, const char *state);

/* The same until the scope is closed, which brings back the state that was before. */
SPK_API struct spk_scope *racks_state_scope(struct racks *racks, const char *host,
					    const char *state);

#ifdef __cplusplus
}
#endif

#endif
