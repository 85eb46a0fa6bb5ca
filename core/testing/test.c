/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../runtime/mem.h"
#include "../runtime/shell.h"
#include "outside.h"

#define DEFAULT_LIMIT SPK_SECONDS(30)

void test_give_up(const char *format, ...)
{
	va_list args;

	fputs("spicerack-testing: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	exit(1);
}

void test_check(const struct spk_test *test, const char *function)
{
	if (!test || test->magic != TEST_MAGIC)
		test_give_up("%s(): 'test' is no live test", function);
}

void test_check_pointers(const char *function, const char *names, const void *const *pointers,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(names, ",");

		if (!pointers[i])
			test_give_up("%s(): '%.*s' is NULL", function, (int)length, names);
		names += length + strspn(names + length, ", ");
	}
}

struct hostset *test_hosts(const char *hosts)
{
	struct hostset *set;
	struct err err;

	if (hostset_parse(hosts, strlen(hosts), &set, &err) < 0)
		test_give_up("%s", err.text);
	return set;
}

void test_put_quoted(struct buf *out, const char *text)
{
	buf_putc(out, '"');
	for (; *text; text++) {
		if ((unsigned char)*text < ' ') {
			buf_printf(out, "\\x%02x", (unsigned char)*text);
			continue;
		}
		if (*text == '"' || *text == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
	buf_putc(out, '"');
}

void test_write(const char *path, const char *text, unsigned int mode)
{
	char *copy = xstrdup(path);
	size_t left = strlen(text);
	int fd;

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			test_give_up("cannot make '%s': %s", copy, strerrordesc_np(errno));
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, text, left) != (ssize_t)left)
		test_give_up("cannot write '%s': %s", path, strerrordesc_np(errno));
	close(fd);
	free(copy);
}

/* ---- its life ---- */

static void add_driver(struct spk_test *test, const void *driver)
{
	if (test->driver_count == TEST_DRIVERS_MAX)
		test_give_up("a test has at most %d drivers", TEST_DRIVERS_MAX);
	test->drivers[test->driver_count++] = driver;
}

/* A transport by another name. */
static void add_transport(struct spk_test *test, struct spk_transport_driver *as, const char *name,
			  const struct spk_transport_driver *what)
{
	*as = *what;
	as->driver.name = name;
	add_driver(test, as);
}

/*
 * There are those of the author first: of two with one name, his. The transports have the names of
 * the real ones, too, which a configuration of the author's may have.
 */
static void add_drivers(struct spk_test *test)
{
	static struct spk_transport_driver libssh, openssh;
	static const void *const all[] = {&outside_hosts,  &outside_inventory, &outside_locks,
					  &outside_notify, &outside_http,      &outside_dns};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		add_driver(test, all[i]);
	add_transport(test, &libssh, OUTSIDE_RECORDER,
		      test->record_file ? &outside_recorder : &outside_hosts);
	add_transport(test, &openssh, "openssh", &outside_hosts);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return remove(path);
}

static void remove_directory(const struct spk_test *test)
{
	nftw(test->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Those that were not freed: an expectation that is not met ends the process. */
static struct spk_test *live;

static void remove_left(void)
{
	for (const struct spk_test *test = live; test; test = test->next)
		if (test->maker == getpid())
			remove_directory(test);
}

static void enlist(struct spk_test *test)
{
	static bool registered;

	test->maker = getpid();
	test->next = live;
	live = test;
	if (!registered)
		registered = atexit(remove_left) == 0;
}

static void strike_off(const struct spk_test *test)
{
	struct spk_test **at = &live;

	while (*at && *at != test)
		at = &(*at)->next;
	if (*at)
		*at = test->next;
}

struct spk_test *spk_test_new_in(const char *tree, const char *cookbook)
{
	CHECK_POINTERS(tree, cookbook);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the threads of a test are its author's */
	const char *place = getenv("TMPDIR");
	struct spk_test *test = xcalloc(1, sizeof(*test));
	char *whole = realpath(tree, NULL);

	if (!whole)
		test_give_up("cannot find the tree of cookbooks '%s': %s", tree,
			     strerrordesc_np(errno));
	test->magic = TEST_MAGIC;
	test->limit = DEFAULT_LIMIT;
	test->tree = whole;
	test->cookbook = xstrdup(cookbook);
	test->directory = xasprintf("%s/spicerack-test-XXXXXX", place && *place ? place : "/tmp");
	if (!mkdtemp(test->directory))
		test_give_up("cannot make the directory '%s': %s", test->directory,
			     strerrordesc_np(errno));
	enlist(test);
	test->world = world_new();
	if (!test->world)
		test_give_up("there is no memory for a test");
	return test;
}

void spk_test_free(struct spk_test *test)
{
	if (!test)
		return;
	CHECK_TEST(test);
	strike_off(test);
	remove_directory(test);
	world_free(test->world);
	story_free(&test->story);
	buf_free(&test->settings);
	buf_free(&test->backends);
	buf_free(&test->answers);
	buf_free(&test->why);
	free(test->directory);
	free(test->tree);
	free(test->cookbook);
	free(test->record_file);
	free(test->output);
	test->magic = 0;
	free(test);
}

/* ---- setting up ---- */

void spk_test_dry_run(struct spk_test *test)
{
	CHECK_TEST(test);
	test->dry_run = true;
}

void spk_test_time_limit(struct spk_test *test, spk_duration limit)
{
	CHECK_TEST(test);
	test->limit = limit;
}

void spk_test_host(struct spk_test *test, const char *hosts, const char *command,
		   const struct spk_test_reply *reply)
{
	CHECK_TEST(test);
	CHECK_POINTERS(hosts, command, reply);
	if (strcmp(hosts, "*") != 0)
		hostset_free(test_hosts(hosts));
	world_add_rule(test->world, RULE_HOST, hosts, command, reply);
}

void spk_test_query(struct spk_test *test, const char *query, const char *hosts)
{
	CHECK_TEST(test);
	CHECK_POINTERS(query, hosts);
	if (query[0] < 'A' || query[0] > 'Z' || query[1] != '{')
		test_give_up("spk_test_query(): '%s' is not of the form P{...}", query);
	if (query[0] == 'A' || query[0] == 'D')
		test_give_up("spk_test_query(): %c{...} is read by the host itself", query[0]);
	if (!strchr(buf_text(&test->backends), query[0]))
		buf_putc(&test->backends, query[0]);
	world_add_rule(test->world, RULE_QUERY, "*", query, SPK_TEST_REPLY(.out = hosts));
}

void spk_test_http(struct spk_test *test, const char *request, const struct spk_test_reply *reply)
{
	CHECK_TEST(test);
	CHECK_POINTERS(request, reply);
	world_add_rule(test->world, RULE_HTTP, "*", request, reply);
}

void spk_test_dns(struct spk_test *test, const char *question, const char *records)
{
	CHECK_TEST(test);
	CHECK_POINTERS(question, records);
	world_add_rule(test->world, RULE_DNS, "*", question, SPK_TEST_REPLY(.out = records));
}

static void put_word(struct buf *out, const char *text)
{
	size_t length = strlen(text), need = shell_quote(text, length, NULL);
	char *word = xcalloc(1, need + 1);

	shell_quote(text, length, word);
	buf_puts(out, word);
	free(word);
}

void spk_test_program(struct spk_test *test, const char *name, const struct spk_test_reply *reply)
{
	CHECK_TEST(test);
	CHECK_POINTERS(name, reply);
	char *path = xasprintf("%s/programs/%s", test->directory, name);
	struct buf text = {0};

	buf_puts(&text, "#!/bin/sh\ncat >/dev/null\nprintf %s ");
	put_word(&text, reply->out ? reply->out : "");
	buf_puts(&text, "\nprintf %s ");
	put_word(&text, reply->err ? reply->err : "");
	buf_printf(&text, " >&2\nexit %d\n", reply->code);
	test_write(path, buf_text(&text), 0700);
	buf_free(&text);
	free(path);
}

void spk_test_answer(struct spk_test *test, const char *question, const char *answer)
{
	CHECK_TEST(test);
	CHECK_POINTERS(question, answer);
	buf_puts(&test->answers, question);
	buf_putc(&test->answers, '\0');
	buf_puts(&test->answers, answer);
	buf_putc(&test->answers, '\0');
}

void spk_test_lock_held(struct spk_test *test, const char *key, spk_duration frees)
{
	struct world_lock *lock;

	CHECK_TEST(test);
	CHECK_POINTERS(key);
	lock = world_alloc(test->world, sizeof(*lock));
	*lock = (struct world_lock){
		.next = test->world->locks,
		.key = world_text(test->world, key),
		.id = "00000000-0000-4000-8000-000000000000",
		.owner = "somebody@elsewhere [1]",
		.cookbook = "the.test",
		.others = true,
		.concurrency = 1,
		.created_ns = spk_now().ns,
		.ttl_ns = SPK_MINUTES(30).ns,
		.frees_ns = frees.ns ? spk_uptime().ns + test->world->ahead_ns + frees.ns
				     : INT64_MAX,
	};
	test->world->locks = lock;
}

void spk_test_file(struct spk_test *test, const char *path, const char *text)
{
	CHECK_TEST(test);
	CHECK_POINTERS(path, text);
	char *file = xasprintf("%s/config/%s", test->directory, path);

	if (world_matches("*/../*", file + strlen(test->directory)))
		test_give_up("'%s' is no file below the configuration of the test", path);
	test->own_remote_config |= strcmp(path, "remote/config.cfg") == 0;
	test_write(file, text, 0600);
	free(file);
}

void spk_test_setting(struct spk_test *test, const char *line)
{
	CHECK_TEST(test);
	CHECK_POINTERS(line);
	buf_printf(&test->settings, "%s\n", line);
}

void spk_test_driver(struct spk_test *test, const struct spk_driver *driver)
{
	CHECK_TEST(test);
	CHECK_POINTERS(driver);
	add_driver(test, driver);
}

/* ---- running ---- */

/* Those of the answers that are to one question, as a list. */
static void put_answers_to(struct buf *out, const struct spk_test *test, const char *question)
{
	const char *end = test->answers.text + test->answers.length;
	bool first = true;

	for (const char *at = test->answers.text; at < end;) {
		const char *answer = at + strlen(at) + 1;

		if (strcmp(at, question) == 0) {
			buf_puts(out, first ? "" : ", ");
			test_put_quoted(out, answer);
			first = false;
		}
		at = answer + strlen(answer) + 1;
	}
}

static bool is_first(const struct spk_test *test, const char *question)
{
	for (const char *at = test->answers.text; at < question;) {
		if (strcmp(at, question) == 0)
			return false;
		at += strlen(at) + 1;
		at += strlen(at) + 1;
	}
	return true;
}

static void write_answers(struct spk_test *test)
{
	char *path = xasprintf("%s/answers.cfg", test->directory);
	const char *begin = buf_text(&test->answers), *end = begin + test->answers.length;
	struct buf text = {0};
	bool first = true;

	buf_puts(&text, "answers = (");
	for (const char *at = begin; at < end;) {
		const char *answer = at + strlen(at) + 1;

		if (is_first(test, at)) {
			buf_puts(&text, first ? "\n{ cookbook = " : ",\n{ cookbook = ");
			test_put_quoted(&text, test->cookbook);
			buf_puts(&text, "; prompt = ");
			test_put_quoted(&text, at);
			buf_puts(&text, "; answer = [");
			put_answers_to(&text, test, at);
			buf_puts(&text, "]; }");
			first = false;
		}
		at = answer + strlen(answer) + 1;
	}
	buf_puts(&text, "\n);\n");
	test_write(path, buf_text(&text), 0600);
	buf_free(&text);
	free(path);
}

static void put_path(struct buf *out, const struct spk_test *test, const char *key,
		     const char *name)
{
	char *path = xasprintf("%s/%s", test->directory, name);

	buf_printf(out, "%s = ", key);
	test_put_quoted(out, path);
	buf_puts(out, ";\n");
	free(path);
}

static void write_settings(struct spk_test *test)
{
	char *path = xasprintf("%s/spicerack.cfg", test->directory);
	char *journal = xasprintf("journal-%u", test->runs);
	struct buf text = {0};

	buf_puts(&text, "cookbooks_base_dirs = [");
	test_put_quoted(&text, test->tree);
	buf_puts(&text, "];\n");
	put_path(&text, test, "logs_base_dir", "logs");
	buf_puts(&text, "instance_params = {\n");
	put_path(&text, test, "spicerack_config_dir", "config");
	buf_puts(&text, "};\nlocks = { store = \"" OUTSIDE_NAME "\";\n");
	put_path(&text, test, "directory", "locks");
	buf_puts(&text, "};\nkv = { store = \"sqlite\";\n");
	put_path(&text, test, "directory", "kv");
	buf_puts(&text, "};\njournal = {\n");
	put_path(&text, test, "directory", journal);
	buf_puts(&text, "};\ndurable = false;\nnotify = { drivers = [\"" OUTSIDE_NAME "\"]; };\n");
	buf_puts(&text, buf_text(&test->settings));
	test_write(path, buf_text(&text), 0600);
	buf_free(&text);
	free(journal);
	free(path);
}

static void write_remote_config(struct spk_test *test)
{
	bool records = test->world->record_file != NULL;
	struct buf text = {0};
	char *path;

	if (test->own_remote_config)
		return;
	path = xasprintf("%s/config/remote/config.cfg", test->directory);
	buf_printf(&text, "transport = \"%s\";\nbackends = (",
		   records ? OUTSIDE_RECORDER : OUTSIDE_NAME);
	for (const char *letter = buf_text(&test->backends); *letter; letter++)
		buf_printf(&text,
			   "%s{ letter = \"%c\"; driver = \"" OUTSIDE_NAME "\"; of = \"%c\"; }",
			   letter == test->backends.text ? "" : ", ", *letter, *letter);
	buf_puts(&text, ");\n");
	test_write(path, buf_text(&text), 0600);
	buf_free(&text);
	free(path);
}

int spk_test_run(struct spk_test *test, const char *arguments)
{
	CHECK_TEST(test);
	CHECK_POINTERS(arguments);
	if (test->runs == 0)
		add_drivers(test);
	test->runs++;
	test->world->happened = NULL;
	write_answers(test);
	write_settings(test);
	write_remote_config(test);
	test->code = conduct(test, arguments);
	story_read(test);
	return test->code;
}
