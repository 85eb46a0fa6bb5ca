/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a run: all that the runner is told about what to open and for whom.
 * Nothing secret is in it.
 */
#ifndef SPICERACK_CORE_ORDER_H
#define SPICERACK_CORE_ORDER_H

#include <spicerack/value.h>

#include "buf.h"
#include "err.h"
#include "kvstore.h"
#include "wire.h"

/* What was given for one argument; see struct parsed_arg of the host. */
struct order_arg {
	uint64_t row_address; /* of its struct spk_arg in the file */
	uint64_t row_size;    /* as the cookbook's builder knew it */
	uint64_t offset;      /* of its field in the structure */
	uint64_t given;
	spk_strings texts;
};

/* A list of the configuration, `sites.NAME`. */
struct order_list {
	const char *name;
	spk_strings texts;
};

struct run_order {
	const char *file;
	uint64_t device, inode, size;
	int64_t mtime_ns;
	const char *build_id; /* in hexadecimal; NULL: the file has none */
	const char *symbol;   /* of the descriptor */
	uint64_t address;     /* of the descriptor in the file */
	uint64_t state_size;
	const char *name; /* full name of the cookbook */
	uint64_t dry_run, verbose, in_process;
	const char *username, *hostname, *owner;
	const char *config_dir, *http_proxy; /* the latter may be NULL */
	struct kv_config kv;
	const char *task_id, *reason; /* NULL: absent */
	const char *subcommand;       /* NULL: none */
	uint64_t subcommand_offset;
	/* For the runner's last words when the supervisor dies: the log files and what stands
	 * between time and text. */
	const char *log_file, *log_extended_file; /* NULL: none */
	const char *log_head;
	const char *journal_file, *run; /* the same for the journal, and the id of the run */
	struct order_arg *args;
	size_t arg_count;
	struct order_list *sites;
	size_t site_count;
};

void order_write(const struct run_order *order, struct buf *message);

/* Texts point into the message; `args`, `sites` and the lists in them are freed by order_free(). */
MUST_CHECK int order_read(struct wire_reader *message, struct run_order *ret, struct err *err);
void order_free(struct run_order *order);

#endif
