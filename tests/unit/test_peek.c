/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/peek/peek.h"

#include <glob.h>
#include <spicerack/cookbook.h>

#include "scratch.h"

static const struct arg_spec *find(const struct cookbook_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->arg_count; i++)
		if (strcmp(spec->args[i].name, name) == 0)
			return &spec->args[i];
	ck_abort_msg("no argument %s", name);
	return NULL;
}

static void check_arguments(const struct cookbook_spec *spec)
{
	const struct arg_spec *arg;

	ck_assert_uint_eq(spec->arg_count, 13);
	arg = find(spec, "service");
	ck_assert_int_eq(arg->form, SPK_FORM_POSITIONAL);
	ck_assert_int_eq(arg->type, SPK_TYPE_STRING);
	ck_assert_str_eq(arg->help, "service to act on");
	ck_assert_str_eq(arg->pattern, "[a-z]+");
	ck_assert_int_eq(arg->group, -1);
	arg = find(spec, "datacenter");
	ck_assert_uint_eq(arg->choices.count, 2);
	ck_assert_str_eq(arg->choices.items[1], "eqiad");
	arg = find(spec, "hosts");
	ck_assert_int_eq(arg->as, SPK_COMMA_LIST);
	ck_assert_uint_eq(arg->default_list.count, 2);
	ck_assert_str_eq(arg->default_list.items[0], "a");
	arg = find(spec, "batch");
	ck_assert(arg->has_range && arg->range_first == 1 && arg->range_last == 10);
	ck_assert_int_eq(arg->default_int, 3);
	ck_assert_str_eq(spec->groups[arg->group].title, "tuning");
	ck_assert_int_eq(arg->group, find(spec, "ratio")->group);
	ck_assert_double_eq(find(spec, "ratio")->default_double, 0.5);
	arg = find(spec, "grace");
	ck_assert_int_eq(arg->default_duration.ns, 120000000000);
	ck_assert_uint_eq(arg->max.set, 1);
	arg = find(spec, "quiet");
	ck_assert_str_eq(arg->names.items[1], "--silent");
	ck_assert(spec->groups[arg->group].exclusive && spec->groups[arg->group].required);
	ck_assert_int_eq(arg->group, find(spec, "force")->group);
	ck_assert_int_eq(find(spec, "force")->letter, 'f');
	ck_assert(find(spec, "keep")->off);
	ck_assert(find(spec, "size")->has_parse && find(spec, "size")->type == SPK_TYPE_CUSTOM);
	ck_assert(find(spec, "day")->default_computed);
	/* The block lies flat: its rows count from the cookbook's structure. */
	ck_assert_uint_eq(find(spec, "host")->offset, 24);
	ck_assert_uint_eq(find(spec, "port")->offset, 32);
	ck_assert_int_eq(find(spec, "port")->default_int, 22);
}

static void check_rich(const struct cookbook_spec *spec)
{
	const struct subcommand_spec *add;

	ck_assert_str_eq(spec->symbol, "spk_cookbook");
	ck_assert_str_eq(spec->title, "Do everything");
	ck_assert(spec->title_changed);
	ck_assert_str_eq(spec->owner, "team2");
	ck_assert_str_eq(spec->description, "First line.\nSecond\\x1b[31m line.");
	ck_assert(spec->has_prepare && spec->has_run && spec->has_rollback);
	ck_assert(!spec->has_check && !spec->has_describe && !spec->has_lock);
	ck_assert_uint_eq(spec->task_id, SPK_ACCEPTED);
	ck_assert_int_eq(spec->max_concurrency, SPK_UNLIMITED);
	ck_assert_int_eq(spec->lock_ttl.ns, 3600000000000);
	check_arguments(spec);
	ck_assert_uint_eq(spec->subcommand_count, 3);
	add = &spec->subcommands[0];
	ck_assert_str_eq(add->name, "add");
	ck_assert_uint_eq(add->arg_count, 2);
	ck_assert_uint_eq(add->args[1].offset, add->args[0].offset + 8);
	ck_assert_uint_eq(add->args[0].offset, spec->subcommands[1].args[0].offset);
	ck_assert_uint_eq(spec->subcommands[2].arg_count, 0);
	ck_assert_uint_eq(spec->rule_count, 2);
	ck_assert_ptr_eq(spec->rules[0].first, find(spec, "force"));
	ck_assert_ptr_eq(spec->rules[1].second, find(spec, "host"));
	ck_assert_str_eq(spec->rules[1].value, "codfw");
}

START_TEST(reads_every_layout_alike)
{
	glob_t files;

	ck_assert_int_eq(glob(PEEK_FIXTURES "/layout-*.so", 0, NULL, &files), 0);
	ck_assert_uint_ge(files.gl_pathc, 7);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct peek peek;
		struct err err;

		ck_assert_msg(peek_file(files.gl_pathv[i], PEEK_ALL, &peek, &err) == 0, "%s",
			      err.text);
		ck_assert_uint_eq(peek.count, 1);
		ck_assert_uint_gt(peek.identity.build_id_length, 0);
		ck_assert_uint_gt(peek.identity.inode, 0);
		check_rich(&peek.cookbooks[0]);
		peek_free(&peek);
		ck_assert_int_eq(peek_file(files.gl_pathv[i], PEEK_TITLES, &peek, &err), 0);
		ck_assert_str_eq(peek.cookbooks[0].title, "Do everything");
		peek_free(&peek);
	}
	globfree(&files);
}
END_TEST

static const struct {
	const char *name, *reason; /* NULL: it is read */
} odd[] = {
	{"NEWER_ZERO", NULL},
	{"NEWER_USED", "too new: its descriptor uses a member at offset"},
	{"NEWER_POINTER", "too new: its descriptor uses a member at offset"},
	{"ROW_LATER", NULL},
	{"ROW_LATER_USED", "too new: its argument table uses a member at offset"},
	{"ABI", "needs ABI 2"},
	{"SMALL", "bad descriptor: smaller"},
	{"NO_RUN", "no run function"},
	{"EXTERNAL_TITLE", "descriptor not readable: .title"},
	{"EXTERNAL_RUN", NULL},
	{"NONE", "no cookbook in it"},
	{"EXTERNAL_GROUP", "argument table not readable: argument 1 'name': .group leads out"},
	{"EXTERNAL_BLOCK", "argument table not readable: argument 1: .block leads out"},
	{"NESTED_BLOCK", "bad argument table: argument 1, row 1: a block within"},
	{"TYPE", "bad argument table: argument 'name': an unknown type"},
	{"FORM", "an unknown form"},
	{"OFFSET", "outside of the structure"},
	{"NO_NAME", "bad argument table: argument 1: no name"},
	{"NAME", "a name that is no name"},
	{"LETTER", "a letter"},
	{"TWICE", "the name --name is used twice"},
	{"LETTER_TWICE", "-n is another's"},
	{"SAME_FIELD", "share a field"},
	{"ARITY", "several values"},
	{"FLAG_REQUIRED", "a required flag"},
	{"POSITIONAL_REQUIRED", "required, which is for options"},
	{"TWO_OPEN", "a second positional"},
	{"CHOICE_MISSING", ".choices: a string is missing"},
	{"PARSE", "a parser of its own"},
	{"DEFAULT", "a default of another type"},
	{"EXCLUSIVE_POSITIONAL", "must be able to be left out"},
	{"RULE", "bad rule table: rule 1: a field that no argument fills in"},
};

START_TEST(says_what_is_wrong_in_one_line)
{
	for (enum peek_depth depth = PEEK_TITLES; depth <= PEEK_ALL; depth++) {
		struct err err = {{0}};
		struct peek peek;
		char path[512];
		int rc;

		snprintf(path, sizeof(path), "%s/odd-%s.so", PEEK_FIXTURES, odd[_i].name);
		rc = peek_file(path, depth, &peek, &err);
		if (rc == 0)
			peek_free(&peek);
		ck_assert_msg((rc == 0) == !odd[_i].reason, "%s: %s", odd[_i].name, err.text);
		if (rc == 0)
			continue;
		ck_assert_ptr_null(strchr(err.text, '\n'));
		ck_assert_int_eq(strncmp(err.text, path, strlen(path)), 0);
		ck_assert_msg(strstr(err.text, odd[_i].reason), "'%s' does not say '%s'", err.text,
			      odd[_i].reason);
	}
}
END_TEST

static unsigned next_random(unsigned *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Whatever becomes of a good file, it is read or refused with one line. */
static void mutate(const char *fixture, unsigned rounds)
{
	size_t length, good = 0;
	unsigned char *bytes = read_whole(fixture, &length);
	unsigned char *copy = malloc(length);
	unsigned state = 42;

	ck_assert_ptr_nonnull(copy);
	for (unsigned i = 0; i < rounds; i++) {
		size_t size = i % 8 ? length : next_random(&state) % length;
		struct err err = {{0}};
		struct peek peek;
		unsigned char *exact = malloc(size ? size : 1); /* so that ASan sees its end */

		ck_assert_ptr_nonnull(exact);
		memcpy(copy, bytes, length);
		for (unsigned k = next_random(&state) % 16; k; k--) {
			size_t at = next_random(&state) % (k % 2 ? length : 4096);

			copy[at] = k % 3 ? (unsigned char)next_random(&state) : 0xff;
		}
		memcpy(exact, copy, size);
		if (peek_memory(NULL, exact, size, "PATH", PEEK_ALL, &peek, &err) == 0) {
			good++;
			peek_free(&peek);
		} else {
			ck_assert_int_eq(strncmp(err.text, "PATH: ", 6), 0);
			ck_assert_ptr_null(strchr(err.text, '\n'));
		}
		free(exact);
	}
	ck_assert_uint_gt(good, 0);
	ck_assert_uint_lt(good, rounds);
	free(copy);
	free(bytes);
}

START_TEST(survives_mutated_files)
{
	mutate(PEEK_FIXTURES "/rich.so", 20000);
	mutate(PEEK_FIXTURES "/several.so", 4000);
	mutate(PEEK_FIXTURES "/layout-gcc-relr.so", 4000);
}
END_TEST

START_TEST(survives_truncated_files)
{
	size_t length;
	unsigned char *bytes = read_whole(PEEK_FIXTURES "/layout-gcc-large.so", &length);
	struct err err;
	struct peek peek;

	/* By descriptor, for memory is read another way. */
	scratch_bytes("whole.so", bytes, length, 0644);
	ck_assert_int_eq(peek_file(scratch_path("whole.so"), PEEK_ALL, &peek, &err), 0);
	check_rich(&peek.cookbooks[0]);
	peek_free(&peek);
	for (size_t size = 0; size < length; size += 997) {
		scratch_bytes("cut.so", bytes, size, 0644);
		if (peek_file(scratch_path("cut.so"), PEEK_ALL, &peek, &err) == 0)
			peek_free(&peek);
		else
			ck_assert_ptr_nonnull(strstr(err.text, "cut.so: "));
	}
	free(bytes);
}
END_TEST

START_TEST(refuses_what_is_no_trusted_file)
{
	size_t length;
	unsigned char *bytes = read_whole(PEEK_FIXTURES "/plain.so", &length);
	struct err err;
	struct peek peek;

	scratch_bytes("open.so", bytes, length, 0666);
	ck_assert_int_eq(peek_file(scratch_path("open.so"), PEEK_ALL, &peek, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "others may write"));
	scratch_bytes("a\nb.so", bytes, length, 0666);
	ck_assert_int_eq(peek_file(scratch_path("a\nb.so"), PEEK_ALL, &peek, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "a\\x0ab.so"));
	ck_assert_int_eq(mkfifo(scratch_path("fifo.so"), 0644), 0);
	ck_assert_int_eq(peek_file(scratch_path("fifo.so"), PEEK_ALL, &peek, &err), -1);
	ck_assert_int_eq(peek_file(scratch, PEEK_ALL, &peek, &err), -1);
	ck_assert_int_eq(peek_file(scratch_path("none.so"), PEEK_ALL, &peek, &err), -1);
	free(bytes);
}
END_TEST

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

/* Reads base/x.so of the scratch directory; `reason` NULL: it is read, else what stands behind its
 * path, and a list does not mind. */
static void judged(const char *reason)
{
	char path[128];
	struct peek peek;
	struct err err = {{0}};
	int rc;

	snprintf(path, sizeof(path), "%s/base/x.so", scratch);
	ck_assert_int_eq(peek_file(path, PEEK_TITLES, &peek, &err), 0);
	peek_free(&peek);
	rc = peek_file(path, PEEK_ALL, &peek, &err);
	if (rc == 0)
		peek_free(&peek);
	ck_assert_msg((rc == 0) == !reason, "%s", err.text);
	if (rc == 0)
		return;
	ck_assert_ptr_null(strchr(err.text, '\n'));
	ck_assert_int_eq(strncmp(err.text, path, strlen(path)), 0);
	ck_assert_msg(strstr(err.text + strlen(path), reason), "'%s' does not say '%s'", err.text,
		      reason);
}

static const struct {
	const char *fixture, *reason; /* NULL: it is read */
} places[] = {
	{"runpath-ORIGIN", NULL}, /* there is no lib, and nobody else can make it */
	{"runpath-BRACES", NULL},
	{"runpath-BARE", NULL},
	{"runpath-SYSTEM", NULL},
	{"runpath-EMPTY", ": RUNPATH entry '': it is empty"},
	{"runpath-RELATIVE", ": RUNPATH entry 'lib': not an absolute path"},
	{"runpath-LIB", ": RUNPATH entry '$ORIGIN/$LIB': of variables only $ORIGIN"},
	{"runpath-PLATFORM", ": RUNPATH entry '/usr/$PLATFORM': of variables only $ORIGIN"},
	{"runpath-GLUED", ": RUNPATH entry '$ORIGINAL/lib': of variables only $ORIGIN"},
	{"runpath-INNER", ": RUNPATH entry '/usr/$ORIGIN': of variables only $ORIGIN"},
	{"runpath-TMP", ": RUNPATH entry '/tmp': /tmp: not trusted, others may write"},
	{"runpath-OLD", ": RUNPATH entry 'lib': not an absolute path"},
	{"needs-PLAIN", NULL},
	{"needs-ORIGIN", NULL},
	{"needs-RELATIVE", ": needs './lib/x.so': not an absolute path"},
	{"needs-VARIABLE", ": needs '$LIB': of variables only $ORIGIN"},
};

START_TEST(judges_where_libraries_are_looked_for)
{
	scratch_directory("base");
	install(places[_i].fixture, "base/x.so");
	judged(places[_i].reason);
}
END_TEST

START_TEST(judges_the_directory_of_libraries)
{
	scratch_directory("base");
	scratch_directory("lib");
	install("runpath-ORIGIN", "base/x.so");
	judged(NULL);
	ck_assert_int_eq(chmod(scratch_path("lib"), 0777), 0);
	judged(": RUNPATH entry '$ORIGIN/../lib': /tmp/spicerack-test-");
	judged("/lib: not trusted, others may write to it");
}
END_TEST

START_TEST(judges_where_a_link_to_libraries_leads)
{
	scratch_directory("base");
	ck_assert_int_eq(symlink("/tmp/spicerack-test-missing", scratch_path("lib")), 0);
	install("runpath-ORIGIN", "base/x.so");
	judged(": RUNPATH entry '$ORIGIN/../lib': /tmp: not trusted");
	install("needs-ORIGIN", "base/x.so");
	judged(": needs '$ORIGIN/../lib/x.so': /tmp: not trusted");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("peek");
	TCase *tcase = tcase_create("peek");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
	tcase_add_test(tcase, reads_every_layout_alike);
	tcase_add_loop_test(tcase, says_what_is_wrong_in_one_line, 0, sizeof(odd) / sizeof(odd[0]));
	tcase_add_test(tcase, survives_mutated_files);
	tcase_add_test(tcase, survives_truncated_files);
	tcase_add_test(tcase, refuses_what_is_no_trusted_file);
	tcase_add_loop_test(tcase, judges_where_libraries_are_looked_for, 0,
			    sizeof(places) / sizeof(places[0]));
	tcase_add_test(tcase, judges_the_directory_of_libraries);
	tcase_add_test(tcase, judges_where_a_link_to_libraries_leads);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
