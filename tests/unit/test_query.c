/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/runtime/query.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *query;
} aliases[] = {
	{"db", "D{db[1-9]}"},           {"odd", "D{db[1-9/2],web1}"}, {"none", "D{db1} and D{db2}"},
	{"even", "A:db and not A:odd"}, {"loop", "A:again or D{a}"},  {"again", "(A:loop)"},
	{"wrong", "D{a} D{b}"},         {"dc-1.all+x_y", "(D{a})"},
};

static const char *find_alias(void *data, const char *name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(aliases[i].name, name) == 0)
			return aliases[i].query;
	}
	return NULL;
}

/* D, and Q, which has whatever it is asked for up to a quote. */
static enum query_status ask(void *data, char backend, const char *text, size_t length,
			     struct hostset **ret, struct err *err)
{
	const char *quote = memchr(text, '"', length);

	if (backend == 'D')
		return query_direct(text, length, ret, err);
	if (backend == 'Q' && quote)
		return hostset_parse(text, (size_t)(quote - text), ret, err) < 0 ? QUERY_FAILED
										 : QUERY_OK;
	err_set(err, "there is no backend '%c'", backend);
	return QUERY_FAILED;
}

static const struct query_sources all = {.ask = ask, .alias = find_alias};
static const struct query_sources direct_first = {
	.ask = ask, .alias = find_alias, .default_backend = 'D'};

static void assert_finds(const struct query_sources *sources, const char *query,
			 const char *expected)
{
	struct buf folded = {0};
	struct hostset *set;
	struct err err;

	if (query_find(sources, query, &set, &err) < 0)
		ck_abort_msg("'%s': %s", query, err.text);
	hostset_fold(set, &folded);
	ck_assert_str_eq(buf_text(&folded), expected);
	buf_free(&folded);
	hostset_free(set);
}

static void assert_refused(const struct query_sources *sources, const char *query, const char *why)
{
	struct hostset *set;
	struct err err;

	ck_assert_int_eq(query_find(sources, query, &set, &err), -1);
	if (!strstr(err.text, why))
		ck_abort_msg("'%s': %s", query, err.text);
}

START_TEST(operators_go_from_left_to_right)
{
	assert_finds(&all, "D{a[1-3]}", "a[1-3]");
	assert_finds(&all, " d{a[1-3]} OR D{b}", "a[1-3],b");
	assert_finds(&all, "D{a[1-3]} and D{a[2-9]} or D{a9}", "a[2-3,9]");
	assert_finds(&all, "D{a9} or D{a[1-3]} and D{a[2-9]}", "a[2-3,9]");
	assert_finds(&all, "D{a[1-3]} or (D{a9} and D{a8})", "a[1-3]");
	assert_finds(&all, "D{a[1-3]} and not D{a2}", "a[1,3]");
	assert_finds(&all, "D{a[1-3]} And  Not(D{a2}or D{a3})", "a1");
	assert_finds(&all, "D{a[1-3]} xor D{a[3-5]}", "a[1-2,4-5]");
	assert_finds(&all, "((D{a}))", "a");
}
END_TEST

START_TEST(aliases_stand_for_queries)
{
	assert_finds(&all, "A:db", "db[1-9]");
	assert_finds(&all, "a:even", "db[2,4,6,8]");
	assert_finds(&all, "A:odd and not A:db or D{x}", "web1,x");
	assert_finds(&all, "A:dc-1.all+x_y", "a");
	assert_refused(&all, "A:gone", "there is no alias 'gone'");
	assert_refused(&all, "A:loop", "A:loop: A:again: the alias 'loop' stands for itself");
	assert_refused(&all, "A:wrong", "A:wrong: expected 'and'");
	assert_refused(&all, "A:", "the name of an alias");
}
END_TEST

/* Where Cumin fails. */
START_TEST(an_empty_left_side_is_a_set)
{
	assert_finds(&all, "A:none or A:db", "db[1-9]");
	assert_finds(&all, "A:db or A:none", "db[1-9]");
	assert_finds(&all, "A:none and not A:db", "");
	assert_finds(&all, "(D{a} and D{b}) xor D{c}", "c");
}
END_TEST

START_TEST(a_query_ends_at_its_brace)
{
	assert_finds(&all, "Q{a[1-2]\"}\"} or D{b}", "a[1-2],b");
	assert_finds(&all, "Q{a[1-2]\"x'} or D{b}", "a[1-2],b");
	assert_refused(&all, "D{a", "'}'");
	assert_refused(&all, "Z{a}", "there is no backend 'Z'");
	assert_refused(&all, "D{a(}", "D{a(}: expected 'and'");
	assert_refused(&all, "D{a[1}", "a bracket is not closed");
	assert_refused(&all, "D{}", "D{}: expected hosts at its end");
}
END_TEST

START_TEST(what_is_no_query_is_said)
{
	struct buf deep = {0};

	assert_refused(&all, "", "expected X{...}, A:name or (...) at its end");
	assert_refused(&all, "a", "at 'a'");
	assert_refused(&all, "D{a} or", "at its end");
	assert_refused(&all, "or D{a}", "at 'or D{a}'");
	assert_refused(&all, "(D{a}", "or ')'");
	assert_refused(&all, "D{a})", "at ')'");
	assert_refused(&all, "D{a} but D{b}", "at 'but D{b}'");
	assert_refused(&all, "D{a} orD{b}", "at 'orD{b}'");
	assert_refused(&all, "DD{a}", "at 'DD{a}'");
	assert_refused(&all, "D{a} \x1b[2J", "'\\x1b[2J'");
	buf_fill(&deep, '(', 100000);
	assert_refused(&all, buf_text(&deep), "more than 64");
	buf_free(&deep);
}
END_TEST

START_TEST(the_default_backend_comes_first)
{
	assert_finds(&direct_first, "a[1-3] and not (a2 or a3)", "a1");
	assert_finds(&direct_first, "a1,a2!a1", "a2");
	assert_finds(&direct_first, "or-host or and-host", "and-host,or-host");
	assert_finds(&direct_first, "A:db and D{db1}", "db1");
	assert_finds(&direct_first, "(D{a})", "a");
	assert_refused(&direct_first, "a b", "as a query of the default backend D: expected 'and'");
	assert_refused(&direct_first, "a b", "as one of all: expected X{...}");
	assert_refused(&direct_first, "a[1", "a bracket is not closed");
	assert_refused(&direct_first, "a and", "expected hosts at its end");
}
END_TEST

/* ---- backends whose queries we read ---- */

/* Of whoever is asked for: `T:odd` and `T:n = 3`. */
static enum query_status find_term(void *data, const char *text, size_t length,
				   struct hostset **ret, struct err *err)
{
	char term[64];

	snprintf(term, sizeof(term), "%.*s", (int)length, text);
	if (strcmp(term, "T:odd") == 0)
		return hostset_parse("db[1-9/2]", 9, ret, err) < 0 ? QUERY_FAILED : QUERY_OK;
	if (strcmp(term, "T:n = 3") == 0 || strcmp(term, "T:n=\"( 3\"") == 0)
		return hostset_parse("db3", 3, ret, err) < 0 ? QUERY_FAILED : QUERY_OK;
	err_set(err, "no such term");
	return strncmp(term, "T:", 2) == 0 ? QUERY_FAILED : QUERY_FOREIGN;
}

/* Even ones of `hidden`, and it fails for 13. */
static int knows(void *data, const char *name, struct err *err)
{
	(*(int *)data)++;
	if (strcmp(name, "hidden13") == 0)
		return err_set(err, "bad luck");
	return strncmp(name, "hidden", 6) == 0 && strchr("02468", name[strlen(name) - 1]);
}

static enum query_status find_known(const char *query, bool hidden, struct buf *folded, int *asked,
				    struct err *err)
{
	static const char names[] = "db[1-12],web[01-03].dc1.example,cache1,or,host[10-12,105]x";
	struct query_known known = {
		.term = find_term, .knows = hidden ? knows : NULL, .data = asked};
	struct hostset *set, *found = NULL;
	enum query_status status;

	ck_assert_int_eq(hostset_parse(names, strlen(names), &set, err), 0);
	known.all = set;
	*asked = 0;
	status = query_known(&known, query, strlen(query), &found, err);
	if (status == QUERY_OK)
		hostset_fold(found, folded);
	hostset_free(found);
	hostset_free(set);
	return status;
}

static const struct {
	const char *query, *expected;
} globs[] = {
	{"*", "cache1,db[1-12],host[10-12,105]x,or,web[01-03].dc1.example"},
	{"db*", "db[1-12]"},
	{"db?", "db[1-9]"},
	{"db?,db1?", "db[1-12]"},
	{"db1*", "db[1,10-12]"},
	{"db[1-2]*", "db[1-2,10-12]"},
	{"*[2-3]", "db[2-3,12]"},
	{"*0[2-3].*", "web[02-03].dc1.example"},
	{"host1[0-2]*", "host[10-12,105]x"},
	{"host1[0-2]?", "host[10-12]x"},
	{"*.example!*2*", "web[01,03].dc1.example"},
	{"db*&*1", "db[1,11]"},
	{"db[1-3]^db*1", "db[2-3,11]"},
	{"db?.*", ""},
	{"o*", "or"},
	{"or*", "or"},
	{"db1,unknown1,db99", "db1"},
	{"*,unknown1", "cache1,db[1-12],host[10-12,105]x,or,web[01-03].dc1.example"},
	{"db* and not (db1* or db2)", "db[3-9]"},
	{"db* and not T:odd", "db[2,4,6,8,10-12]"},
	{"T:odd xor db[1-3]", "db[2,5,7,9]"},
	{"T:n = 3 or T:n=\"( 3\"", "db3"},
	{"not db*", "cache1,host[10-12,105]x,or,web[01-03].dc1.example"},
	{"not not (db1 or db2)", "db[1-2]"},
	{"not(T:odd)and db*", "db[2,4,6,8,10-12]"},
	{"db[1-2] or not *", "db[1-2]"},
};

START_TEST(globs_stand_for_known_hosts)
{
	for (size_t i = 0; i < sizeof(globs) / sizeof(globs[0]); i++) {
		struct buf folded = {0};
		struct err err;
		int asked;

		if (find_known(globs[i].query, false, &folded, &asked, &err) != QUERY_OK)
			ck_abort_msg("'%s': %s", globs[i].query, err.text);
		if (strcmp(buf_text(&folded), globs[i].expected) != 0)
			ck_abort_msg("'%s': %s", globs[i].query, buf_text(&folded));
		buf_free(&folded);
	}
}
END_TEST

START_TEST(hosts_that_cannot_be_named_are_asked_for)
{
	struct buf folded = {0};
	struct err err;
	int asked;

	ck_assert_int_eq(
		find_known("hidden[1-9],db[1-2] and not hidden[5-6]", true, &folded, &asked, &err),
		QUERY_OK);
	ck_assert_str_eq(buf_text(&folded), "db[1-2],hidden[2,4,8]");
	ck_assert_int_eq(asked, 7);
	buf_clear(&folded);
	ck_assert_int_eq(find_known("hidden*", true, &folded, &asked, &err), QUERY_OK);
	ck_assert_str_eq(buf_text(&folded), "");
	ck_assert_int_eq(find_known("hidden[11-14]", true, &folded, &asked, &err), QUERY_FAILED);
	ck_assert_str_eq(err.text, "bad luck");
	buf_free(&folded);
}
END_TEST

START_TEST(what_is_no_term_is_said)
{
	static const struct {
		const char *query, *why;
		enum query_status status;
	} refused[] = {
		{"A:x", "A:x: no such term", QUERY_FOREIGN},
		{"D{a}", "at '{a}'", QUERY_FOREIGN},
		{"T:no", "T:no: no such term", QUERY_FAILED},
		{"T:", "expected a name at its end", QUERY_FOREIGN},
		{"T:=3", "expected a name at '=3'", QUERY_FOREIGN},
		{"T:n =", "expected a value at its end", QUERY_FOREIGN},
		{"T:n = 'x", "expected a value at ''x'", QUERY_FOREIGN},
		{"T:n = )", "expected a value at ')'", QUERY_FOREIGN},
		{"T:odd x", "at 'x'", QUERY_FOREIGN},
		{"not", "at its end", QUERY_FOREIGN},
		{"db[1", "a bracket is not closed", QUERY_FAILED},
	};
	struct buf many = {0};
	struct err err;
	int asked;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		ck_assert_int_eq(find_known(refused[i].query, true, NULL, &asked, &err),
				 refused[i].status);
		if (!strstr(err.text, refused[i].why))
			ck_abort_msg("'%s': %s", refused[i].query, err.text);
	}
	for (int i = 0; i < 100001; i++)
		buf_puts(&many, "not ");
	buf_puts(&many, "x");
	ck_assert_int_eq(find_known(buf_text(&many), false, &many, &asked, &err), QUERY_OK);
	buf_free(&many);
}
END_TEST

START_TEST(nobody_is_an_error)
{
	struct hostset *set;
	struct err err;

	ck_assert_int_eq(query_find_some(&all, "A:none", &set, &err), -1);
	ck_assert_str_eq(err.text, "no host matches 'A:none'");
	ck_assert_ptr_null(set);
	ck_assert_int_eq(query_find_some(&all, "A:db", &set, &err), 0);
	hostset_free(set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("query");
	TCase *tcase = tcase_create("query");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, operators_go_from_left_to_right);
	tcase_add_test(tcase, aliases_stand_for_queries);
	tcase_add_test(tcase, an_empty_left_side_is_a_set);
	tcase_add_test(tcase, a_query_ends_at_its_brace);
	tcase_add_test(tcase, what_is_no_query_is_said);
	tcase_add_test(tcase, the_default_backend_comes_first);
	tcase_add_test(tcase, nobody_is_an_error);
	tcase_add_test(tcase, globs_stand_for_known_hosts);
	tcase_add_test(tcase, hosts_that_cannot_be_named_are_asked_for);
	tcase_add_test(tcase, what_is_no_term_is_said);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
