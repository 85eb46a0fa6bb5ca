/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test as an author has it, with replies that are recorded, for cli/test_recording: FILE ACTION
 * TEXT, and the configuration of modules as pairs of PATH and TEXT. Prints what happened.
 */
#include <spicerack/testing.h>

int main(int argc, char **argv)
{
	struct spk_test *test = spk_test_new("kit.subject");
	char arguments[1024];
	int code;

	if (argc < 4)
		return 2;
	for (int i = 4; i + 1 < argc; i += 2)
		spk_test_file(test, argv[i], argv[i + 1]);
	spk_test_recorded(test, argv[1]);
	snprintf(arguments, sizeof(arguments), "%s '%s'", argv[2], argv[3]);
	code = spk_test_run(test, arguments);
	fputs(spk_test_story(test), stdout);
	spk_test_free(test);
	return code;
}
