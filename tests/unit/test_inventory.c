/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/runtime/inventory.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scratch.h"

static void configure(const char *config, const char *aliases)
{
	scratch_make();
	scratch_directory("remote");
	if (config)
		scratch_file("remote/config.cfg", config);
	if (aliases)
		scratch_file("remote/aliases.cfg", aliases);
}

/* What became of a query, or of the configuration. */
static const char *find(const char *query)
{
	static struct buf out;
	struct remote_config *config = NULL;
	struct inventory *inventory = NULL;
	struct hostset *set = NULL;
	struct err err;

	buf_clear(&out);
	if (remote_config_read(scratch, &config, &err) < 0 ||
	    inventory_open(config, &inventory, &err) < 0 ||
	    inventory_find(inventory, query, INT64_MAX, -1, &set, &err) < 0)
		buf_puts(&out, err.text);
	else
		hostset_fold(set, &out);
	hostset_free(set);
	inventory_close(inventory);
	remote_config_free(config);
	return buf_text(&out);
}

static void assert_refused(const char *why)
{
	const char *said = find("D{a}");

	ck_assert_str_eq(
		strncmp(said, scratch, strlen(scratch)) == 0 ? said + strlen(scratch) : said, why);
}

START_TEST(without_configuration_names_are_hosts)
{
	scratch_make();
	ck_assert_str_eq(find("db[1-3] and not db2"), "db[1,3]");
	ck_assert_str_eq(find("D{a} or D{b}"), "a,b");
	ck_assert_str_eq(find("db1 and db2"), "no host matches 'db1 and db2'");
	ck_assert_ptr_nonnull(strstr(find("A:x"), "there is no alias 'x'"));
	ck_assert_ptr_nonnull(strstr(find("Z{x}"), "Z{x}: there is no backend 'Z'"));
	scratch_remove();
}
END_TEST

START_TEST(aliases_stand_for_queries)
{
	configure(
		"default_backend = \"\";",
		"aliases = (\n"
		"  { name = \"db+1.x_y-z\"; query = \"D{db[1-9]}\"; },\n"
		"  { name = \"odd\"; query = \"A:db+1.x_y-z and D{db[1-9/2]}\"; },\n"
		"  { name = \"one\"; query = \"A:two\"; }, { name = \"two\"; query = \"A:one\"; }\n"
		");");
	ck_assert_str_eq(find("A:odd and not D{db1}"), "db[3,5,7,9]");
	ck_assert_ptr_nonnull(
		strstr(find("A:one"), "A:one: A:two: the alias 'one' stands for itself"));
	/* Without a default backend a name alone is no query. */
	ck_assert_ptr_nonnull(strstr(find("db1"), "expected X{...}, A:name or (...) at 'db1'"));
	scratch_remove();
}
END_TEST

static const struct {
	const char *config, *aliases, *why;
} refused[] = {
	{"a = 1;", NULL, "/remote/config.cfg:1: unknown key 'a'"},
	{"\ndefault_backend = 1;", NULL, "/remote/config.cfg:2: 'default_backend' must be a text"},
	{"default_backend = \"X\";", NULL, "/remote/config.cfg:1: there is no backend 'X'"},
	{"default_backend = \"DD\";", NULL, "/remote/config.cfg:1: there is no backend 'DD'"},
	{"backends = 1;", NULL, "/remote/config.cfg:1: 'backends' must be a list"},
	{"backends = ( 1 );", NULL, "/remote/config.cfg:1: 'backends' must be a list of groups"},
	{"backends = (\n{ driver = \"x\"; } );", NULL,
	 "/remote/config.cfg:2: 'letter' is missing here"},
	{"backends = ( { letter = \"X\"; } );", NULL,
	 "/remote/config.cfg:1: 'driver' is missing here"},
	{"backends = ( { letter = \"x\"; driver = \"x\"; } );", NULL,
	 "/remote/config.cfg:1: 'letter' must be one letter from A to Z"},
	{"backends = ( { letter = \"D\"; driver = \"x\"; } );", NULL,
	 "/remote/config.cfg:1: the letter D is that of names written down"},
	{"backends = ( { letter = \"A\"; driver = \"x\"; } );", NULL,
	 "/remote/config.cfg:1: the letter A is that of aliases"},
	{"backends = ( { letter = \"X\"; driver = \"x\"; },\n{ letter = \"X\"; driver = \"y\"; } "
	 ");",
	 NULL, "/remote/config.cfg:2: this letter has a backend already"},
	{"backends = ( { letter = \"X\"; driver = \"x\";\nfile = { a = 1; }; } );", NULL,
	 "/remote/config.cfg:2: 'file' must be a text, a number, true or false, or a list of them"},
	{"@include \"x\"", NULL, "/remote/config.cfg:1: '@include' is not allowed"},
	{NULL, "a = ();", "/remote/aliases.cfg:1: the one key here is 'aliases'"},
	{NULL, "aliases = 1;", "/remote/aliases.cfg:1: 'aliases' must be a list of groups"},
	{NULL, "aliases = ( 1 );", "/remote/aliases.cfg:1: 'aliases' must be a list of groups"},
	{NULL, "aliases = ( { query = \"x\"; } );",
	 "/remote/aliases.cfg:1: 'name' is missing here"},
	{NULL, "aliases = ( { name = \"x\"; } );",
	 "/remote/aliases.cfg:1: 'query' is missing here"},
	{NULL, "aliases = ( { name = \"x\"; query = 1; } );",
	 "/remote/aliases.cfg:1: 'query' must be a text of printable characters"},
	{NULL, "aliases = ( { name = \"a b\"; query = \"x\"; } );",
	 "/remote/aliases.cfg:1: 'name' must be of letters, digits, '-', '_', '.' and '+'"},
	{NULL, "aliases = ( { name = \"x\"; query = \"x\"; hosts = \"y\"; } );",
	 "/remote/aliases.cfg:1: an alias has 'name' and 'query' only"},
	{NULL, "aliases = ( { name = \"x\"; query = \"x\"; }, { name = \"x\"; query = \"y\"; } );",
	 "/remote/aliases.cfg: there are two aliases 'x'"},
};

START_TEST(what_is_wrong_is_said)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		configure(refused[i].config, refused[i].aliases);
		assert_refused(refused[i].why);
		scratch_remove();
	}
}
END_TEST

START_TEST(files_that_others_may_change_are_refused)
{
	configure("default_backend = \"D\";", NULL);
	ck_assert_int_eq(chmod(scratch_path("remote/config.cfg"), 0666), 0);
	ck_assert_ptr_nonnull(strstr(find("a"), "not trusted, others may write to it"));
	scratch_remove();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inventory");
	TCase *tcase = tcase_create("inventory");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, without_configuration_names_are_hosts);
	tcase_add_test(tcase, aliases_stand_for_queries);
	tcase_add_test(tcase, what_is_wrong_is_said);
	tcase_add_test(tcase, files_that_others_may_change_are_refused);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
