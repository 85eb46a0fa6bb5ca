/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/tree/find.h"
#include "../../core/host/tree/tree.h"

#include "scratch.h"

static char *problems_text;
static size_t problems_length;
static FILE *problems;

static void setup(void)
{
	scratch_make();
	problems = open_memstream(&problems_text, &problems_length);
	ck_assert_ptr_nonnull(problems);
}

static void teardown(void)
{
	fclose(problems);
	free(problems_text);
	scratch_remove();
}

static void install(const char *fixture, const char *name)
{
	char path[512];
	unsigned char *bytes;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s.so", PEEK_FIXTURES, fixture);
	bytes = read_whole(path, &length);
	scratch_bytes(name, bytes, length, 0644);
	free(bytes);
}

/* Up to two base directories of the scratch directory. */
static spk_strings bases(const char *first, const char *second)
{
	static const char *items[2];

	items[0] = scratch_path(first);
	items[1] = second ? scratch_path(second) : NULL;
	return (spk_strings){.items = items, .count = second ? 2 : 1};
}

/* What -l (or -lv) prints; the caller's to free(). */
static char *list(spk_strings where, const char *prefix, bool titles)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct tree tree;
	struct err err;

	ck_assert_ptr_nonnull(out);
	ck_assert_msg(tree_read(where, prefix, problems, &tree, &err) == 0, "%s", err.text);
	tree_print(&tree, prefix, titles, out);
	tree_free(&tree);
	fclose(out);
	return text;
}

static void lists(spk_strings where, const char *prefix, bool titles, const char *expected)
{
	char *text = list(where, prefix, titles);

	ck_assert_str_eq(text, expected);
	free(text);
}

/* What was complained about since the last call, `@` for the scratch directory. */
static void complained(const char *expected)
{
	char said[4096] = "";
	size_t used = 0, length = strlen(scratch);

	fflush(problems);
	for (const char *from = problems_text; *from && used < sizeof(said) - 1;) {
		bool ours = strncmp(from, scratch, length) == 0;

		said[used++] = ours ? '@' : *from;
		from += ours ? length : 1;
	}
	ck_assert_str_eq(said, expected);
	fclose(problems);
	free(problems_text);
	problems = open_memstream(&problems_text, &problems_length);
	ck_assert_ptr_nonnull(problems);
}

static void make_sample(void)
{
	scratch_directory_mode("base", 0755);
	scratch_directory_mode("base/class_api", 0755);
	scratch_directory_mode("base/group2", 0755);
	scratch_directory_mode("base/group2/subgroup1", 0755);
	scratch_directory_mode("base/empty", 0755);
	scratch_directory_mode("base/_private", 0755);
	scratch_file_mode("base/class_api/group.cfg",
			  "title = \"Class API\";\nowner = \"team9\";\n", 0644);
	scratch_file_mode("base/group2/group.cfg", "owner = \"team3\";\n", 0644);
	install("named", "base/class_api/call_another");
	ck_assert_int_eq(rename(scratch_path("base/class_api/call_another"),
				scratch_path("base/class_api/call_another.so")),
			 0);
	install("several", "base/class_api/multiple.so");
	install("named", "base/cookbook.so");
	install("plain", "base/group2/cookbook2.so");
	install("named", "base/group2/subgroup1/cookbook3.so");
	install("named", "base/group2/zcookbook4.so");
	install("plain", "base/group2/_helper.so");
	install("plain", "base/_private/x.so");
	scratch_file_mode("base/README", "no cookbook", 0644);
}

START_TEST(lists_a_tree)
{
	make_sample();
	lists(bases("base", NULL), "", false,
	      "cookbooks\n"
	      "|-- class_api\n"
	      "|   |-- class_api.call_another [team9]\n"
	      "|   |-- class_api.multiple.CookbookA [team9]\n"
	      "|   `-- class_api.multiple.CookbookB [team2]\n"
	      "|-- cookbook [unowned]\n"
	      "`-- group2\n"
	      "    |-- group2.cookbook2 [team1]\n"
	      "    |-- group2.subgroup1\n"
	      "    |   `-- group2.subgroup1.cookbook3 [team3]\n"
	      "    `-- group2.zcookbook4 [team3]\n");
	complained("");
	lists(bases("base", NULL), "", true,
	      "cookbooks\n"
	      "|-- class_api: Class API\n"
	      "|   |-- class_api.call_another: The only one [team9]\n"
	      "|   |-- class_api.multiple.CookbookA: UNKNOWN (unable to detect title) [team9]\n"
	      "|   `-- class_api.multiple.CookbookB: Second [team2]\n"
	      "|-- cookbook: The only one [unowned]\n"
	      "`-- group2: -\n"
	      "    |-- group2.cookbook2: Say nothing [team1]\n"
	      "    |-- group2.subgroup1: -\n"
	      "    |   `-- group2.subgroup1.cookbook3: The only one [team3]\n"
	      "    `-- group2.zcookbook4: The only one [team3]\n");
}
END_TEST

START_TEST(lists_below_a_prefix_and_opens_nothing_else)
{
	make_sample();
	scratch_file_mode("base/broken.so", "x", 0644);
	scratch_file_mode("base/group2/broken.so", "x", 0644);
	scratch_file_mode("base/group2/subgroup1/group.cfg", "colour = 1;\n", 0644);
	lists(bases("base", NULL), "class_api.multiple", false,
	      "cookbooks\n"
	      "`-- class_api\n"
	      "    |-- class_api.multiple.CookbookA [team9]\n"
	      "    `-- class_api.multiple.CookbookB [team2]\n");
	lists(bases("base", NULL), "class_api.multiple.CookbookB", false,
	      "cookbooks\n"
	      "`-- class_api\n"
	      "    `-- class_api.multiple.CookbookB [team2]\n");
	lists(bases("base", NULL), "c", false,
	      "cookbooks\n"
	      "|-- class_api\n"
	      "|   |-- class_api.call_another [team9]\n"
	      "|   |-- class_api.multiple.CookbookA [team9]\n"
	      "|   `-- class_api.multiple.CookbookB [team2]\n"
	      "`-- cookbook [unowned]\n");
	lists(bases("base", NULL), "nothing.here", false, "cookbooks\n");
	complained("");
	lists(bases("base", NULL), "group2.", false,
	      "cookbooks\n"
	      "`-- group2\n"
	      "    |-- group2.cookbook2 [team1]\n"
	      "    |-- group2.subgroup1\n"
	      "    |   `-- group2.subgroup1.cookbook3 [team3]\n"
	      "    `-- group2.zcookbook4 [team3]\n");
	complained("@/base/group2/broken.so: not a shared object\n"
		   "@/base/group2/subgroup1/group.cfg:1: unknown key 'colour'; there are title and "
		   "owner\n");
}
END_TEST

START_TEST(passes_over_in_one_line_each)
{
	scratch_directory_mode("base", 0755);
	scratch_directory_mode("base/open", 0777);
	scratch_directory_mode("base/bad name", 0755);
	install("plain", "base/open/a.so");
	install("plain", "base/bad name/a.so");
	install("plain", "base/foo.bar.so");
	install("plain", "base/line\nfeed.so");
	install("mixed", "base/mixed.so");
	install("odd-NONE", "base/none.so");
	scratch_file_mode("base/group.cfg", "title = \"x\";\n@include \"/dev/zero\"\n", 0644);
	ck_assert_int_eq(symlink(".", scratch_path("base/loop")), 0);
	ck_assert_int_eq(symlink("nowhere", scratch_path("base/gone.so")), 0);
	ck_assert_int_eq(symlink("open/a.so", scratch_path("base/linked.so")), 0);
	ck_assert_int_eq(symlink("mixed.so", scratch_path("base/same.so")), 0);
	lists(bases("base", "missing"), "mixed", true,
	      "cookbooks\n"
	      "|-- mixed.CookbookA: UNKNOWN (unable to detect title) [unowned]\n"
	      "`-- mixed.CookbookB: Second [team2]\n");
	complained(
		"@/base/group.cfg:2: @include is not allowed here\n"
		"@/base/mixed.so: its unnamed cookbook is passed over, for it has named ones, too\n"
		"@/missing: cannot open: No such file or directory\n");
	free(list(bases("base", NULL), "", false));
	complained(
		"@/base/group.cfg:2: @include is not allowed here\n"
		"@/base/bad name: passed over, the name of a cookbook or group is of letters, "
		"digits, '_' and '-'\n"
		"@/base/foo.bar.so: passed over, the name of a cookbook or group is of letters, "
		"digits, '_' and '-'\n"
		"@/base/gone.so: No such file or directory\n"
		"@/base/line\\x0afeed.so: passed over, the name of a cookbook or group is of "
		"letters, digits, '_' and '-'\n"
		"@/base/open: not trusted, others may write to it\n"
		"@/base/loop: passed over, it leads back to a directory above it\n"
		"@/base/mixed.so: its unnamed cookbook is passed over, for it has named ones, too\n"
		"@/base/none.so: no cookbook in it\n"
		"@/base/open: not trusted, others may write to it\n"
		"@/base/same.so: its unnamed cookbook is passed over, for it has named ones, "
		"too\n");
}
END_TEST

START_TEST(merges_bases)
{
	struct tree tree;
	struct err err;

	scratch_directory_mode("one", 0755);
	scratch_directory_mode("one/g", 0755);
	scratch_directory_mode("two", 0755);
	scratch_directory_mode("two/g", 0755);
	install("plain", "one/g/a.so");
	install("named", "two/g/a.so");
	install("named", "two/g/b.so");
	scratch_file_mode("one/g/c.so", "broken", 0644);
	install("named", "two/g/c.so");
	scratch_file_mode("one/g/group.cfg", "title = \"One\"\n", 0644);
	scratch_file_mode("two/g/group.cfg", "title = \"Two\"\nowner = \"team7\"\n", 0644);
	lists(bases("one", "two"), "", true,
	      "cookbooks\n"
	      "`-- g: One\n"
	      "    |-- g.a: Say nothing [team1]\n"
	      "    `-- g.b: The only one [team7]\n");
	complained("@/one/g/c.so: not a shared object\n"
		   "@/two/g/a.so: passed over, g.a is in @/one/g/a.so, too, which comes first\n"
		   "@/two/g/c.so: passed over, g.c is in @/one/g/c.so, too, which is broken\n"
		   "@/two/g/group.cfg: ignoring its title, @/one/g/group.cfg gives another\n");
	lists(bases("one", "one"), "g.a", false, "cookbooks\n`-- g\n    `-- g.a [team1]\n");
	complained("");
	ck_assert_int_eq(tree_read(bases("none", NULL), "", problems, &tree, &err), -1);
	complained("@/none: cannot open: No such file or directory\n");
}
END_TEST

START_TEST(a_tree_of_nothing_has_nothing_below)
{
	struct tree tree;
	struct err err;
	size_t count = 1;

	scratch_directory("empty");
	ck_assert_int_eq(tree_read(bases("empty", NULL), "", problems, &tree, &err), 0);
	ck_assert_ptr_null(tree_below(&tree, "", &count));
	ck_assert_uint_eq(count, 0);
	tree_free(&tree);
}
END_TEST

START_TEST(a_cookbook_may_be_named_like_a_group)
{
	struct tree_found found;

	scratch_directory_mode("base", 0755);
	scratch_directory_mode("base/foo", 0755);
	scratch_directory_mode("base/foo-x", 0755);
	install("plain", "base/foo.so");
	install("named", "base/foo/a.so");
	install("named", "base/foo-x/a.so");
	lists(bases("base", NULL), "", false,
	      "cookbooks\n"
	      "|-- foo [team1]\n"
	      "|-- foo\n"
	      "|   `-- foo.a [unowned]\n"
	      "`-- foo-x\n"
	      "    `-- foo-x.a [unowned]\n");
	ck_assert_int_eq(tree_find(bases("base", NULL), "foo", problems, &found), TREE_FOUND);
	ck_assert_str_eq(found.title, "Say nothing");
	tree_found_free(&found);
	ck_assert_int_eq(tree_find(bases("base", NULL), "foo-x", problems, &found), TREE_GROUP);
}
END_TEST

static void finds(spk_strings where, const char *name, const char *full, const char *owner)
{
	struct tree_found found;

	ck_assert_int_eq(tree_find(where, name, problems, &found), TREE_FOUND);
	ck_assert_str_eq(found.name, full);
	ck_assert_str_eq(found.owner, owner);
	ck_assert_ptr_nonnull(found.spec);
	ck_assert(found.spec->has_run);
	tree_found_free(&found);
}

static void finds_not(spk_strings where, const char *name)
{
	struct tree_found found;

	ck_assert_msg(tree_find(where, name, problems, &found) == TREE_NONE, "%s", name);
}

START_TEST(finds_one_cookbook)
{
	struct tree_found found;
	spk_strings where;

	make_sample();
	scratch_file_mode("base/group2/broken.so", "x", 0644);
	scratch_directory_mode("other", 0755);
	scratch_directory_mode("other/group2", 0755);
	install("plain", "other/group2/late.so");
	install("plain", "other/group2/broken.so");
	where = bases("base", "other");
	finds(where, "cookbook", "cookbook", "unowned");
	finds(where, "group2.cookbook2", "group2.cookbook2", "team1");
	finds(where, "group2/cookbook2.so", "group2.cookbook2", "team1");
	finds(where, "cookbook.so", "cookbook", "unowned");
	finds(where, "group2.subgroup1.cookbook3", "group2.subgroup1.cookbook3", "team3");
	finds(where, "class_api.multiple.CookbookA", "class_api.multiple.CookbookA", "team9");
	finds(where, "class_api.multiple.CookbookB", "class_api.multiple.CookbookB", "team2");
	finds(where, "group2.late", "group2.late", "team1");
	complained("");
	finds_not(where, "class_api.multiple");
	complained("@/base/class_api/multiple.so: holds several cookbooks, name one of them: "
		   "class_api.multiple.CookbookA class_api.multiple.CookbookB\n");
	finds_not(where, "class_api.multiple.CookbookC");
	finds_not(where, "class_api/multiple/CookbookA.so");
	finds_not(where, "cookbook.Only");
	finds_not(where, "none");
	finds_not(where, "group2.none");
	finds_not(where, "group2._helper");
	finds_not(where, "_private.x");
	finds_not(where, "../base/cookbook.so");
	finds_not(where, "group2/../cookbook.so");
	finds_not(where, "./cookbook.so");
	finds_not(where, scratch_path("base/cookbook.so"));
	finds_not(where, "group2/cookbook2");
	finds_not(where, "group2..cookbook2");
	finds_not(where, ".");
	finds_not(where, ".so");
	finds_not(where, "group2.");
	finds_not(where, "group2/");
	complained("");
	finds_not(where, "group2.broken");
	complained("@/base/group2/broken.so: not a shared object\n");
	ck_assert_int_eq(tree_find(where, "", problems, &found), TREE_GROUP);
	ck_assert_int_eq(tree_find(where, "group2", problems, &found), TREE_GROUP);
	ck_assert_int_eq(tree_find(where, "group2.subgroup1", problems, &found), TREE_GROUP);
	where = bases("missing", "base");
	finds(where, "cookbook", "cookbook", "unowned");
	complained("@/missing: cannot open: No such file or directory\n");
}
END_TEST

START_TEST(follows_trusted_links_only)
{
	scratch_directory_mode("base", 0755);
	scratch_directory_mode("elsewhere", 0755);
	scratch_directory_mode("elsewhere/open", 0777);
	scratch_directory_mode("elsewhere/open/inner", 0755);
	install("plain", "elsewhere/a.so");
	install("plain", "elsewhere/open/inner/b.so");
	ck_assert_int_eq(symlink("../elsewhere/a.so", scratch_path("base/a.so")), 0);
	ck_assert_int_eq(symlink("../elsewhere/open/inner/b.so", scratch_path("base/b.so")), 0);
	ck_assert_int_eq(symlink("../elsewhere", scratch_path("base/c")), 0);
	ck_assert_int_eq(symlink("../elsewhere/open/inner", scratch_path("base/d")), 0);
	lists(bases("base", NULL), "", false,
	      "cookbooks\n"
	      "|-- a [team1]\n"
	      "`-- c\n"
	      "    `-- c.a [team1]\n");
	complained("@/elsewhere/open: not trusted, others may write to it\n"
		   "@/base/c/open: not trusted, others may write to it\n"
		   "@/elsewhere/open: not trusted, others may write to it\n");
	finds(bases("base", NULL), "c.a", "c.a", "team1");
	finds_not(bases("base", NULL), "b");
	complained("@/elsewhere/open: not trusted, others may write to it\n");
	finds_not(bases("base", NULL), "d.b");
	complained("@/elsewhere/open: not trusted, others may write to it\n");
}
END_TEST

START_TEST(reads_group_files_with_suspicion)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{"owner = 5;\n", ":1: owner is not a string"},
		{"\n\nowner = \"a\\nb\";\n", ":3: owner is not one line of text"},
		{"owner = \"a\"\nbudget = \"b\"\n",
		 ":2: unknown key 'budget'; there are title and owner"},
		{"owner = = \"a\"\n", ":1: syntax error"},
		{" @include \"x\"\n", ":1: @include is not allowed here"},
	};
	char line[256];

	scratch_directory_mode("base", 0755);
	install("named", "base/a.so");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scratch_file_mode("base/group.cfg", cases[i].text, 0644);
		lists(bases("base", NULL), "", false, "cookbooks\n`-- a [unowned]\n");
		snprintf(line, sizeof(line), "@/base/group.cfg%s\n", cases[i].complaint);
		complained(line);
	}
	scratch_file_mode("base/group.cfg", "owner = \"a\"\n", 0666);
	lists(bases("base", NULL), "", false, "cookbooks\n`-- a [unowned]\n");
	complained("@/base/group.cfg: not trusted, others may write to it\n");
	scratch_file_mode("base/group.cfg", "owner = \"t\xc3\xa9\"\ntitle = \"\"\n", 0644);
	lists(bases("base", NULL), "", false, "cookbooks\n`-- a [t\xc3\xa9]\n");
	ck_assert_int_eq(unlink(scratch_path("base/group.cfg")), 0);
	ck_assert_int_eq(mkfifo(scratch_path("base/group.cfg"), 0644), 0);
	lists(bases("base", NULL), "", false, "cookbooks\n`-- a [unowned]\n");
	complained("@/base/group.cfg: not a regular file\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree");
	TCase *tcase = tcase_create("tree");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, lists_a_tree);
	tcase_add_test(tcase, lists_below_a_prefix_and_opens_nothing_else);
	tcase_add_test(tcase, passes_over_in_one_line_each);
	tcase_add_test(tcase, merges_bases);
	tcase_add_test(tcase, a_tree_of_nothing_has_nothing_below);
	tcase_add_test(tcase, a_cookbook_may_be_named_like_a_group);
	tcase_add_test(tcase, finds_one_cookbook);
	tcase_add_test(tcase, follows_trusted_links_only);
	tcase_add_test(tcase, reads_group_files_with_suspicion);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
