/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk_stub.h"

#define spk (sdk_session())

static char file[64];

static void write_config(const char *text)
{
	FILE *stream;

	snprintf(file, sizeof(file), "/tmp/spicerack-test-XXXXXX");
	stream = fdopen(mkstemp(file), "w");
	fputs(text, stream);
	fclose(stream);
}

static const struct spk_config *read_config(const char *text)
{
	const struct spk_config *config;

	write_config(text);
	config = spk_config_read(spk, file);
	unlink(file);
	return config;
}

static void refuse(const char *text, const char *reason)
{
	write_config(text);
	SDK_RAISES("config.file", spk_config_read(spk, file));
	ck_assert_msg(strstr(sdk_message(), reason) && strstr(sdk_message(), file), "%s",
		      sdk_message());
	unlink(file);
}

static const char sample[] = "masters = { eqiad: { host = \"db1\"; port = 3306; };\n"
			     "  codfw: { port = 5000000000L; ratio = 1.5; on = true; }; };\n"
			     "sites = [\"eqiad\", \"codfw\"];\n"
			     "mixed = (1, \"a\", { name = \"x\"; });\n"
			     "empty = ();\n"
			     "off = false;\n";

START_TEST(answers)
{
	const struct spk_config *config = read_config(sample);

	ck_assert_str_eq(spk_config_get_text(config, "masters.eqiad.host"), "db1");
	ck_assert_int_eq(spk_config_get_int(config, "masters.eqiad.port"), 3306);
	ck_assert_int_eq(spk_config_get_int(config, "masters.codfw.port"), 5000000000);
	ck_assert_double_eq(spk_config_get_double(config, "masters.codfw.ratio"), 1.5);
	ck_assert_double_eq(spk_config_get_double(config, "masters.eqiad.port"), 3306);
	ck_assert(spk_config_get_bool(config, "masters.codfw.on"));
	ck_assert(!spk_config_find_bool(config, "off", true));
	ck_assert(spk_config_find_bool(config, "no.where", true));
	ck_assert_int_eq(spk_config_find_int(config, "nowhere", 7), 7);
	ck_assert_str_eq(spk_config_find_text(config, "nowhere", "x"), "x");
	ck_assert_ptr_null(spk_config_find_text(config, "nowhere", NULL));
	ck_assert_str_eq(spk_join(spk, ",", spk_config_get_list(config, "sites")), "eqiad,codfw");
	ck_assert_uint_eq(spk_config_get_list(config, "empty").count, 0);
	ck_assert_str_eq(spk_join(spk, ",", spk_config_names(config, "")),
			 "masters,sites,mixed,empty,off");
	ck_assert_str_eq(spk_join(spk, ",", spk_config_names(config, "masters.codfw")),
			 "port,ratio,on");
	ck_assert_str_eq(spk_config_get_text(config, "mixed.[2].name"), "x");
	ck_assert(spk_config_has(config, "masters.eqiad"));
	ck_assert(!spk_config_has(config, "masters.eqiad.host.x"));
	ck_assert(!spk_config_has(config, "masters.none"));
}
END_TEST

START_TEST(says_what_is_wrong)
{
	const struct spk_config *config = read_config(sample);

	SDK_RAISES("config.missing", spk_config_get_text(config, "masters.eqiad.name"));
	ck_assert(strstr(sdk_message(), "masters.eqiad.name") && strstr(sdk_message(), file));
	SDK_RAISES("config.type", spk_config_get_text(config, "masters.eqiad.port"));
	ck_assert(strstr(sdk_message(), ":1:"));
	SDK_RAISES("config.type", spk_config_find_int(config, "masters.codfw.on", 1));
	SDK_RAISES("config.type", spk_config_find_text(config, "masters.eqiad.port.x", ""));
	SDK_RAISES("config.type", spk_config_get_list(config, "mixed"));
	SDK_RAISES("config.type", spk_config_names(config, "sites"));
	SDK_RAISES("misuse", spk_config_has(config, NULL));
	SDK_RAISES("misuse", spk_config_has(NULL, "a"));
}
END_TEST

START_TEST(refuses_files)
{
	refuse("a = 1;\nb = ;\n", ":2: ");
	refuse("a = 1;\n \t@include \"/etc/passwd\"\n", ":2: '@include'");
	refuse("a = 1; a = 2;", ":1: ");
	/* What libconfig would cut to 32 bits, or drop without a word. */
	refuse("a = 1;\nport = 5000000000;\n", ":2: the number 5000000000 is out of range");
	refuse("a = 1;\n/* b = 2;\n", ":2: this comment does not end");
	write_config("a = 1;");
	ck_assert_int_eq(chmod(file, 0666), 0);
	SDK_RAISES("config.file", spk_config_read(spk, file));
	unlink(file);
	ck_assert_int_eq(mkfifo(file, 0600), 0);
	SDK_RAISES("config.file", spk_config_read(spk, file));
	unlink(file);
	SDK_RAISES("config.file", spk_config_read(spk, file));
	SDK_RAISES("config.file", spk_config_read(spk, "/tmp"));
}
END_TEST

START_TEST(survives_deep_files)
{
	char *deep = spk_alloc(spk, 200001);

	memcpy(deep, "a = ", 4);
	memset(deep + 4, '(', 199996);
	refuse(deep, "");
	memset(deep + 4, '(', 100);
	memset(deep + 104, ')', 100);
	memcpy(deep + 204, ";", 2);
	refuse(deep, "too deeply");
}
END_TEST

START_TEST(finds_modules)
{
	char directory[] = "/tmp/spicerack-test-XXXXXX";
	const char *module;
	FILE *stream;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	module = spk_path_join(spk, directory, "mysql");
	ck_assert_int_eq(mkdir(module, 0700), 0);
	stream = fopen(spk_path_join(spk, module, "config.cfg"), "w");
	fputs("a = 1;", stream);
	fclose(stream);
	sdk_set_config_dir(directory);
	ck_assert_int_eq(spk_config_get_int(spk_module_config(spk, "mysql"), "a"), 1);
	SDK_RAISES("misuse", spk_module_config(spk, "../mysql"));
	SDK_RAISES("misuse", spk_module_config(spk, ".."));
	SDK_RAISES("config.file", spk_module_config(spk, "none"));
	unlink(spk_path_join(spk, module, "config.cfg"));
	rmdir(module);
	rmdir(directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, answers);
	tcase_add_test(tcase, says_what_is_wrong);
	tcase_add_test(tcase, refuses_files);
	tcase_add_test(tcase, survives_deep_files);
	tcase_add_test(tcase, finds_modules);
	tcase_add_checked_fixture(tcase, NULL, sdk_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
