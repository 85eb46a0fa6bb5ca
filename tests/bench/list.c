/* SPDX-License-Identifier: Apache-2.0 */
/* bench-list DIRECTORY...: what `cookbook -l` does, without the rest of the command. */
#include <stdlib.h>

#include "../../core/host/tree/tree.h"

int main(int argc, char **argv)
{
	const char **bases = calloc((size_t)argc, sizeof(*bases));
	struct tree tree;
	struct err err;

	if (!bases)
		return EXIT_FAILURE;
	for (int i = 1; i < argc; i++)
		bases[i - 1] = argv[i];
	if (tree_read((spk_strings){.items = bases, .count = (size_t)argc - 1}, "", stderr, &tree,
		      &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	tree_print(&tree, "", true, stdout);
	tree_free(&tree);
	free(bases);
	return EXIT_SUCCESS;
}
