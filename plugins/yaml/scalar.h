/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain scalar of YAML 1.1 stands for, as Python's safe loader has it. */
#ifndef SPICERACK_YAML_SCALAR_H
#define SPICERACK_YAML_SCALAR_H

#include "../base/text.h"

/*
 * SPK_DOCUMENT_NULL, FALSE, TRUE, NUMBER (*number is then what JSON writes) or TEXT. Dates, bases
 * of 60 and numbers beyond what JSON can tell are texts.
 */
uint32_t scalar_kind(const char *text, size_t length, struct text *number);

#endif
