/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/check/check.h"

#include "../../core/host/check/directcall.h"
#include "../../core/host/check/library.h"

#include "scratch.h"

/* Where the library is does not matter here: nothing of a fixture is linked to it. */
#define LIBRARY "/nonexistent/libspicerack.so.1"

static struct check *check_of(const char *fixture)
{
	struct check *check = check_new(NULL, (spk_strings){0}, LIBRARY);
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.so", PEEK_FIXTURES, fixture);
	check_file(check, path);
	return check;
}

static const struct finding *find(struct check *check, const char *name)
{
	const struct findings *findings = check_findings(check);
	enum finding_kind kind = finding_named(name);

	ck_assert_msg(kind != FINDING_NONE, "no finding is named %s", name);
	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].kind == kind)
			return &findings->items[i];
	return NULL;
}

START_TEST(every_row_is_complete)
{
	for (int kind = FINDING_NONE + 1; kind < FINDING_KINDS; kind++) {
		const struct finding_row *row = finding_row((enum finding_kind)kind);

		ck_assert_msg(row->name && row->meaning && row->remedy, "row %d", kind);
		ck_assert_uint_eq(strspn(row->name, "abcdefghijklmnopqrstuvwxyz-"),
				  strlen(row->name));
		ck_assert_int_eq(finding_named(row->name), kind);
		ck_assert_ptr_nonnull(finding_severity_text(row->severity));
	}
	ck_assert_int_eq(finding_named("no-such-finding"), FINDING_NONE);
}
END_TEST

START_TEST(calls_are_known)
{
	ck_assert_int_eq(directcall_kind("system"), FINDING_DIRECT_COMMAND);
	ck_assert_int_eq(directcall_kind("unlink"), FINDING_DIRECT_CHANGE);
	ck_assert_int_eq(directcall_kind("_Exit"), FINDING_DIRECT_END);
	ck_assert_int_eq(directcall_kind("vfork"), FINDING_DIRECT_COMMAND);
	ck_assert_int_eq(directcall_kind("strlen"), FINDING_NONE);
	ck_assert_int_eq(directcall_kind(""), FINDING_NONE);
	ck_assert_int_eq(directcall_kind("zzz"), FINDING_NONE);
}
END_TEST

/* The fixtures of the reader, each refused by it: here they have a name. */
static const struct {
	const char *fixture, *finding, *text;
} refused[] = {
	{"odd-ABI", "other-abi", "needs ABI 2"},
	{"odd-NEWER_USED", "too-new", "too new"},
	{"odd-SMALL", "bad-descriptor", "smaller than in the first version"},
	{"odd-NO_RUN", "bad-descriptor", "no run function"},
	{"odd-NONE", "no-cookbook", "no cookbook in it"},
	{"odd-EXTERNAL_TITLE", "unreadable-table", "leads out of the file"},
	{"odd-NESTED_BLOCK", "bad-table", "a block within a block"},
	{"odd-TYPE", "bad-table", "an unknown type"},
	{"odd-OFFSET", "argument-field", "outside of the structure"},
	{"odd-SAME_FIELD", "argument-field", "share a field"},
	{"odd-TWICE", "argument-name", "used twice"},
	{"odd-LETTER_TWICE", "argument-name", "is another's, too"},
	{"odd-FLAG_REQUIRED", "argument-required", "says nothing"},
	{"odd-POSITIONAL_REQUIRED", "argument-required", "which is for options"},
	{"odd-DEFAULT", "argument-default", "default"},
	{"odd-ARITY", "argument-type", "several values"},
	{"odd-EXCLUSIVE_POSITIONAL", "argument-group", "able to be left out"},
	{"runpath-RELATIVE", "bad-runpath", "'lib': not an absolute path"},
	{"runpath-EMPTY", "bad-runpath", "the current directory"},
	{"needs-VARIABLE", "bad-runpath", "only $ORIGIN"},
	{"needs-PLAIN", "missing-library", "'x.so.1': not found"},
	{"plain", "lazy-binding", "when it is opened"},
};

START_TEST(refusals_have_names)
{
	struct check *check = check_of(refused[_i].fixture);
	const struct finding *finding = find(check, refused[_i].finding);

	ck_assert_msg(finding != NULL, "%s: no %s", refused[_i].fixture, refused[_i].finding);
	ck_assert_msg(strstr(finding->text, refused[_i].text) != NULL, "%s", finding->text);
	ck_assert_ptr_null(strchr(finding->text, '\n'));
	check_free(check);
}
END_TEST

START_TEST(layouts_are_silent)
{
	static const char *const layouts[] = {"layout-gcc-gnu", "layout-gcc-sysv",
					      "layout-gcc-stripped", "layout-clang-gnu",
					      "layout-clang-stripped"};
	static const char *const never[] = {
		"constructor",      "destructor",       "writable-global",  "broken-file",
		"undefined-symbol", "text-relocations", "executable-stack", "writable-code",
		"exported-symbol",  "missing-version"};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		struct check *check = check_of(layouts[i]);

		for (size_t k = 0; k < sizeof(never) / sizeof(never[0]); k++) {
			const struct finding *finding = find(check, never[k]);

			ck_assert_msg(finding == NULL, "%s: %s: %s", layouts[i], never[k],
				      finding ? finding->text : "");
		}
		check_free(check);
	}
}
END_TEST

START_TEST(what_is_no_cookbook)
{
	static const struct {
		const char *bytes, *finding;
		size_t length;
	} files[] = {
		{"", "not-shared-object", 0},
		{"#!/bin/sh\n", "not-shared-object", 10},
	};

	for (size_t i = 0; i < 2; i++) {
		struct check *check = check_new(NULL, (spk_strings){0}, LIBRARY);

		check_memory(check, files[i].bytes, files[i].length, "PATH");
		ck_assert_ptr_nonnull(find(check, files[i].finding));
		ck_assert_uint_eq(check_findings(check)->count, 1);
		check_free(check);
	}
}
END_TEST

START_TEST(libraries_of_the_system)
{
	struct libraries *libraries = libraries_new(LIBRARY);
	const struct library *library = libraries_find(libraries, "libc.so.6", NULL, NULL, NULL);
	struct err err;

	ck_assert_ptr_nonnull(library);
	ck_assert_ptr_eq(libraries_find(libraries, "libc.so.6", NULL, NULL, NULL), library);
	ck_assert(library_provides(libraries, library, "malloc", ""));
	ck_assert(library_provides(libraries, library, "malloc", "GLIBC_2.2.5") ||
		  library_provides(libraries, library, "malloc", "GLIBC_2.17"));
	ck_assert(!library_provides(libraries, library, "malloc", "GLIBC_1.0"));
	ck_assert(!library_provides(libraries, library, "no_such_function", ""));
	ck_assert(!library_has_version(library, "GLIBC_9.99"));
	ck_assert_ptr_nonnull(strstr(library_last_version(library, "GLIBC_9.99"), "GLIBC_2."));
	ck_assert_ptr_null(libraries_find(libraries, "libno-such.so.1", NULL, NULL, &err));
	ck_assert_str_eq(err.text, "not found");
	libraries_free(libraries);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check");
	TCase *test_case = tcase_create("check");
	SRunner *runner;
	int failed;

	tcase_set_timeout(test_case, 120);
	tcase_add_test(test_case, every_row_is_complete);
	tcase_add_test(test_case, calls_are_known);
	tcase_add_loop_test(test_case, refusals_have_names, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(test_case, layouts_are_silent);
	tcase_add_test(test_case, what_is_no_cookbook);
	tcase_add_test(test_case, libraries_of_the_system);
	suite_add_tcase(suite, test_case);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
