/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a cookbook's descriptor and tables although the host would take them. */
#ifndef SPICERACK_HOST_SPECCHECK_H
#define SPICERACK_HOST_SPECCHECK_H

#include "../argument/argparse.h"
#include "finding.h"

struct settings;

/*
 * What argparse() has to know to parse a cookbook's words without running it. A list for
 * .choices_from that `settings` do not have is one that accepts anything.
 */
struct argparse_context speccheck_context(const struct settings *settings);

/* Judges a spec that peek has read. An owner may be its group's: that is the caller's. */
void speccheck(const struct cookbook_spec *spec, const struct settings *settings,
	       struct findings *findings);

#endif
