/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C side of tests/cli/inventory_differential.py: `PROGRAM PLUGINS CONFIG_DIR` reads queries
 * from stdin and answers each with one line: the folded hosts, or `error: ` and the reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/driver.h"
#include "../../core/runtime/inventory.h"

static void answer(struct inventory *inventory, const char *query)
{
	struct hostset *set = NULL;
	struct buf folded = {0};
	struct err err;

	if (inventory_find(inventory, query, INT64_MAX, -1, &set, &err) < 0) {
		printf("error: %s\n", err.text);
	} else {
		hostset_fold(set, &folded);
		puts(buf_text(&folded));
	}
	fflush(stdout);
	buf_free(&folded);
	hostset_free(set);
}

int main(int argc, char **argv)
{
	struct remote_config *config = NULL;
	struct inventory *inventory = NULL;
	char *line = NULL;
	size_t room = 0;
	struct err err;

	if (argc != 3)
		return EXIT_FAILURE;
	driver_set_directory(argv[1]);
	if (remote_config_read(argv[2], &config, &err) < 0 ||
	    inventory_open(config, &inventory, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		answer(inventory, line);
	}
	free(line);
	inventory_close(inventory);
	remote_config_free(config);
	return EXIT_SUCCESS;
}
