/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/setting/settings.h"

#include "../../core/host/command/config_command.h"
#include "scratch.h"

static const struct setting_key test_keys[] = {
	{.path = "port", .type = SETTING_INT, .initial = "8080", .min = 1, .max = 65535},
	{.path = "big", .type = SETTING_INT, .initial = "0", .min = LLONG_MIN, .max = LLONG_MAX},
	{.path = "announce", .type = SETTING_BOOL, .initial = "false"},
	{.path = "name", .type = SETTING_STRING},
	{.path = "dir", .type = SETTING_PATH},
	{.path = "dirs", .type = SETTING_PATHS},
	{.path = "words", .type = SETTING_STRINGS},
	{.path = "irc.password", .type = SETTING_STRING, .initial = "hunter2", .secret = true},
	{.path = "irc.host", .type = SETTING_STRING, .initial = "localhost"},
	{.path = "sites", .type = SETTING_LISTS},
};

static char home[128], etc[128], cookbooks[128];
static char *environment[8];
static struct settings_source source;
static struct settings *settings;
static struct err err;

static void set_up(void)
{
	static char home_entry[160];

	scratch_make();
	scratch_directory("home");
	scratch_directory("etc");
	scratch_directory("etc/conf.d");
	snprintf(home, sizeof(home), "%s", scratch_path("home"));
	snprintf(etc, sizeof(etc), "%s", scratch_path("etc"));
	snprintf(cookbooks, sizeof(cookbooks), "%s", scratch_path("cookbooks"));
	snprintf(home_entry, sizeof(home_entry), "HOME=%s", home);
	memset(environment, 0, sizeof(environment));
	environment[0] = home_entry;
	source = (struct settings_source){
		.sysconf_dir = etc,
		.cookbooks_dir = cookbooks,
		.log_dir = "/nonexistent",
		.environment = environment,
	};
	settings = NULL;
}

static void tear_down(void)
{
	settings_free(settings);
	scratch_remove();
}

static void use_test_keys(void)
{
	source.keys = test_keys;
	source.key_count = sizeof(test_keys) / sizeof(test_keys[0]);
}

static void read_well(void)
{
	settings_free(settings);
	settings = NULL;
	err.text[0] = '\0';
	if (settings_read(&source, &settings, &err) < 0)
		ck_abort_msg("%s", err.text);
}

/* Reading must fail with this line, in which `%` stands for the directory of the configuration. */
static void read_badly(const char *expected)
{
	char line[1024];
	const char *mark = strchr(expected, '%');

	if (mark)
		snprintf(line, sizeof(line), "%.*s%s%s", (int)(mark - expected), expected, etc,
			 mark + 1);
	else
		snprintf(line, sizeof(line), "%s", expected);
	ck_assert_int_eq(settings_read(&source, &settings, &err), -1);
	ck_assert_str_eq(err.text, line);
	ck_assert_ptr_null(settings);
}

static const struct setting *setting(const char *path)
{
	size_t count;
	const struct setting *all = settings_all(settings, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i].path, path) == 0)
			return &all[i];
	ck_abort_msg("no setting %s", path);
	return NULL;
}

START_TEST(defaults_without_any_file)
{
	char expected[512];
	spk_strings dirs;

	read_well();
	ck_assert_uint_eq(settings_strings(settings, "cookbooks_base_dirs").count, 0);
	scratch_directory("cookbooks");
	scratch_directory("cookbooks/b");
	scratch_directory("cookbooks/a");
	scratch_directory("cookbooks/.hidden");
	scratch_file("cookbooks/file", "");
	scratch_directory("home/.local");
	scratch_directory("home/.local/share");
	scratch_directory("home/.local/share/spicerack");
	scratch_directory("home/.local/share/spicerack/cookbooks");
	read_well();
	dirs = settings_strings(settings, "cookbooks_base_dirs");
	ck_assert_uint_eq(dirs.count, 3);
	ck_assert_str_eq(dirs.items[0], scratch_path("cookbooks/a"));
	ck_assert_str_eq(dirs.items[1], scratch_path("cookbooks/b"));
	ck_assert_str_eq(dirs.items[2], scratch_path("home/.local/share/spicerack/cookbooks"));
	snprintf(expected, sizeof(expected), "%s/.local/state/spicerack/logs", home);
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), expected);
	ck_assert_str_eq(settings_text(settings, "instance_params.spicerack_config_dir"), etc);
	ck_assert_str_eq(settings_text(settings, "instance_params.http_proxy"), "");
	ck_assert_str_eq(setting("logs_base_dir")->origin, "default");
}
END_TEST

START_TEST(xdg_variables_only_when_absolute)
{
	char expected[512];
	char with_newline[] = "XDG_STATE_HOME=/a\nb";
	char relative[] = "XDG_STATE_HOME=state";
	char absolute[] = "XDG_STATE_HOME=/state";
	char no_home[] = "HOME=relative";

	snprintf(expected, sizeof(expected), "%s/.local/state/spicerack/logs", home);
	environment[1] = with_newline;
	read_well();
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), expected);
	environment[1] = relative;
	read_well();
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), expected);
	environment[1] = absolute;
	read_well();
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), "/state/spicerack/logs");
	environment[0] = no_home;
	environment[1] = NULL;
	read_well();
	/* The home of the passwd entry. */
	if (settings_text(settings, "logs_base_dir"))
		ck_assert_int_eq(settings_text(settings, "logs_base_dir")[0], '/');
}
END_TEST

START_TEST(later_files_override_key_by_key)
{
	char expected[512];
	spk_strings list;

	scratch_directory("home/.config");
	scratch_directory("home/.config/spicerack");
	scratch_directory("home/.config/spicerack/conf.d");
	scratch_file("etc/spicerack.cfg", "logs_base_dir = \"/one\";\n"
					  "cookbooks_base_dirs = (\"/a\", \"/b\");\n"
					  "instance_params = { http_proxy = \"p:1\"; };\n"
					  "sites = { core = [\"x\"]; edge = [\"y\"]; };\n");
	scratch_file("etc/conf.d/20.cfg", "sites = { core = [\n\"twenty\"]; };");
	scratch_file("etc/conf.d/10.cfg", "sites = { core = [\"ten\"]; };");
	scratch_file("etc/conf.d/.hidden.cfg", "nonsense");
	scratch_file("etc/conf.d/README", "nonsense");
	scratch_file("home/.config/spicerack/spicerack.cfg", "logs_base_dir = \"~/own\";");
	scratch_file("home/.config/spicerack/conf.d/a.cfg",
		     "instance_params : { spicerack_config_dir = \"~\"; };");
	read_well();
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), "/one");
	source.user_files = true;
	read_well();
	snprintf(expected, sizeof(expected), "%s/own", home);
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), expected);
	ck_assert_str_eq(settings_text(settings, "instance_params.spicerack_config_dir"), home);
	ck_assert_str_eq(settings_text(settings, "instance_params.http_proxy"), "p:1");
	ck_assert_int_eq(settings_list(settings, "sites.core", &list, &err), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_str_eq(list.items[0], "twenty");
	ck_assert_int_eq(settings_list(settings, "sites.edge", &list, &err), 0);
	ck_assert_int_eq(settings_list(settings, "cookbooks_base_dirs", &list, &err), 0);
	ck_assert_uint_eq(list.count, 2);
	snprintf(expected, sizeof(expected), "%s/conf.d/20.cfg:1", etc);
	ck_assert_str_eq(setting("sites.core")->origin, expected);
	snprintf(expected, sizeof(expected), "%s/spicerack.cfg:3", etc);
	ck_assert_str_eq(setting("instance_params.http_proxy")->origin, expected);
}
END_TEST

START_TEST(no_such_list)
{
	spk_strings list;

	read_well();
	ck_assert_int_eq(settings_list(settings, "sites.core", &list, &err), -1);
	ck_assert_str_eq(err.text, "no list 'sites.core' in the configuration");
	ck_assert_int_eq(settings_list(settings, "sites", &list, &err), -1);
	ck_assert_str_eq(err.text, "no list 'sites' in the configuration");
	ck_assert_int_eq(settings_list(settings, "logs_base_dir", &list, &err), -1);
	ck_assert_str_eq(err.text, "no list 'logs_base_dir' in the configuration");
}
END_TEST

START_TEST(option_replaces_all_files)
{
	scratch_file("etc/spicerack.cfg", "nonsense");
	scratch_file("other.cfg", "logs_base_dir = \"/other\";");
	source.file = scratch_path("other.cfg");
	source.user_files = true;
	read_well();
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), "/other");
}
END_TEST

START_TEST(environment_wins)
{
	char logs[] = "SPICERACK_LOGS_BASE_DIR=/from/env";
	char dirs[] = "SPICERACK_COOKBOOKS_BASE_DIRS=~/x:/y";
	char proxy[] = "SPICERACK_INSTANCE_PARAMS_HTTP_PROXY=";
	char expected[512];
	spk_strings list;

	scratch_file("etc/spicerack.cfg", "logs_base_dir = \"/file\";\n"
					  "instance_params = { http_proxy = \"p:1\"; };\n");
	environment[1] = logs;
	environment[2] = dirs;
	environment[3] = proxy;
	read_well();
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), "/from/env");
	ck_assert_str_eq(setting("logs_base_dir")->origin, "SPICERACK_LOGS_BASE_DIR");
	ck_assert_str_eq(settings_text(settings, "instance_params.http_proxy"), "");
	list = settings_strings(settings, "cookbooks_base_dirs");
	snprintf(expected, sizeof(expected), "%s/x", home);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.items[0], expected);
	ck_assert_str_eq(list.items[1], "/y");
}
END_TEST

START_TEST(numbers_and_flags)
{
	char port[] = "SPICERACK_PORT=443";

	use_test_keys();
	read_well();
	ck_assert_int_eq(settings_int(settings, "port"), 8080);
	ck_assert(!settings_bool(settings, "announce"));
	ck_assert_ptr_null(settings_text(settings, "name"));
	scratch_file("etc/spicerack.cfg", "port = 0x10; announce = TRUE; big = -9999999999L;"
					  "words = [\"a:b\", \"c\"];");
	read_well();
	ck_assert_int_eq(settings_int(settings, "port"), 16);
	ck_assert_int_eq(settings_int(settings, "big"), -9999999999);
	ck_assert(settings_bool(settings, "announce"));
	ck_assert_uint_eq(settings_strings(settings, "words").count, 2);
	environment[1] = port;
	read_well();
	ck_assert_int_eq(settings_int(settings, "port"), 443);
}
END_TEST

static const struct bad {
	const char *text, *line;
} bad_texts[] = {
	{"logs_base_dir = ", "%/spicerack.cfg:1: syntax error"},
	{"\nlogs.base = \"/x\";", "%/spicerack.cfg:2: syntax error"},
	{"name = \"a\"; name = \"b\";", "%/spicerack.cfg:1: duplicate setting name"},
	{"lgos = \"/x\";", "%/spicerack.cfg:1: unknown key 'lgos'"},
	{"sitess = {\n};", "%/spicerack.cfg:1: unknown key 'sitess'"},
	{"irc = {\n  hots = \"x\";\n};", "%/spicerack.cfg:2: unknown key 'irc.hots'"},
	{"irc = \"x\";", "%/spicerack.cfg:1: 'irc' must be a group, not a string"},
	{"sites = [\"x\"];", "%/spicerack.cfg:1: 'sites' must be a group, not a list"},
	{"sites = { a = \"x\"; };",
	 "%/spicerack.cfg:1: 'sites.a' must be a list of strings, not a string"},
	{"sites = { a = { b = 1; }; };",
	 "%/spicerack.cfg:1: 'sites.a' must be a list of strings, not a group"},
	{"sites = { a = []; };", "%/spicerack.cfg:1: 'sites.a' must not be empty"},
	{"sites = { a = (\n\"x\",\n1); };",
	 "%/spicerack.cfg:1: 'sites.a' must be a list of strings, but holds an integer"},
	{"name = 1;", "%/spicerack.cfg:1: 'name' must be a string, not an integer"},
	{"name = [\"a\"];", "%/spicerack.cfg:1: 'name' must be a string, not a list"},
	{"name = \"a\nb\";", "%/spicerack.cfg:1: 'name' holds a control character or is not UTF-8"},
	{"name = \"a\\x1b[2J\";",
	 "%/spicerack.cfg:1: 'name' holds a control character or is not UTF-8"},
	{"name = \"a\xff\";",
	 "%/spicerack.cfg:1: 'name' holds a control character or is not UTF-8"},
	{"dir = \"x/y\";", "%/spicerack.cfg:1: 'dir' must be an absolute path, not 'x/y'"},
	{"dir = \"\";", "%/spicerack.cfg:1: 'dir' must be an absolute path, not ''"},
	{"dir = \"~root/x\";", "%/spicerack.cfg:1: 'dir' must be an absolute path, not '~root/x'"},
	{"dirs = [\n\"/a\",\n\"b\"\n];",
	 "%/spicerack.cfg:1: 'dirs' must be an absolute path, not 'b'"},
	{"dirs = ();", "%/spicerack.cfg:1: 'dirs' must not be empty"},
	{"dirs = \"/a\";",
	 "%/spicerack.cfg:1: 'dirs' must be a list of absolute paths, not a string"},
	{"port = 0;", "%/spicerack.cfg:1: 'port' must be between 1 and 65535, not 0"},
	{"port = \"1\";", "%/spicerack.cfg:1: 'port' must be an integer, not a string"},
	{"port = 1.5;",
	 "%/spicerack.cfg:1: 'port' must be an integer, not a floating-point number"},
	{"port = 4294967297;", "%/spicerack.cfg:1: the number 4294967297 is out of range (of 32 "
			       "bits: one more letter L allows 64)"},
	{"\nbig = -2147483649;", "%/spicerack.cfg:2: the number -2147483649 is out of range (of 32 "
				 "bits: one more letter L allows 64)"},
	{"big = 9223372036854775808L;",
	 "%/spicerack.cfg:1: the number 9223372036854775808 is out of range"},
	{"announce = 1;", "%/spicerack.cfg:1: 'announce' must be true or false, not an integer"},
	{"@include \"/etc/hostname\"\n", "%/spicerack.cfg:1: '@include' is not allowed"},
	{"#x\n\t@include \"/etc\"\n", "%/spicerack.cfg:2: '@include' is not allowed"},
	{"name = \"a\\\"b\"; /* \" */ @include", "%/spicerack.cfg:1: '@include' is not allowed"},
	{"\n/* port = 1;\n", "%/spicerack.cfg:2: this comment does not end"},
	{"\nname = \"x;\n\n", "%/spicerack.cfg:2: this string does not end"},
};

START_TEST(bad_file)
{
	use_test_keys();
	scratch_file("etc/spicerack.cfg", bad_texts[_i].text);
	read_badly(bad_texts[_i].line);
}
END_TEST

START_TEST(include_in_text_is_fine)
{
	use_test_keys();
	scratch_file("etc/spicerack.cfg",
		     "# @include \"x\"\n// @include\n/*\n@include \"y\"\n*/ name = \"\\\"\n"
		     "@include\" // @include\n;\n");
	source.keys = test_keys;
	read_badly("%/spicerack.cfg:5: 'name' holds a control character or is not UTF-8");
	scratch_file("etc/spicerack.cfg", "/*\n@include \"y\"\n*/ name = \" @include \\\"x\\\"\";"
					  "# @include \"x\"");
	read_well();
	ck_assert_str_eq(settings_text(settings, "name"), " @include \"x\"");
}
END_TEST

static const struct bad bad_variables[] = {
	{"SPICERACK_NAEM=x", "SPICERACK_NAEM: no such setting of spicerack in the environment"},
	{"SPICERACK_\x1b=x", "SPICERACK_\\x1b: no such setting of spicerack in the environment"},
	{"SPICERACK_SITES=x", "SPICERACK_SITES: no such setting of spicerack in the environment"},
	{"SPICERACK_DIR=x", "SPICERACK_DIR: 'dir' must be an absolute path, not 'x'"},
	{"SPICERACK_DIR=", "SPICERACK_DIR: 'dir' must be an absolute path, not ''"},
	{"SPICERACK_DIRS=", "SPICERACK_DIRS: 'dirs' must not be empty"},
	{"SPICERACK_DIRS=/a::/b", "SPICERACK_DIRS: 'dirs' must be an absolute path, not ''"},
	{"SPICERACK_NAME=a\nb", "SPICERACK_NAME: 'name' holds a control character or is not UTF-8"},
	{"SPICERACK_PORT=8o", "SPICERACK_PORT: 'port' must be an integer, not '8o'"},
	{"SPICERACK_PORT= 8", "SPICERACK_PORT: 'port' must be an integer, not ' 8'"},
	{"SPICERACK_PORT=", "SPICERACK_PORT: 'port' must be an integer, not ''"},
	{"SPICERACK_PORT=65536", "SPICERACK_PORT: 'port' must be between 1 and 65535, not 65536"},
	{"SPICERACK_PORT=99999999999999999999",
	 "SPICERACK_PORT: 'port' must be an integer, not '99999999999999999999'"},
	{"SPICERACK_ANNOUNCE=yes",
	 "SPICERACK_ANNOUNCE: 'announce' must be true or false, not 'yes'"},
};

START_TEST(bad_variable)
{
	char entry[128];

	use_test_keys();
	snprintf(entry, sizeof(entry), "%s", bad_variables[_i].text);
	environment[1] = entry;
	read_badly(bad_variables[_i].line);
}
END_TEST

START_TEST(bad_kind_of_file)
{
	char text[1024];

	ck_assert_int_eq(mkfifo(scratch_path("etc/spicerack.cfg"), 0644), 0);
	read_badly("%/spicerack.cfg: not a regular file");
	unlink(scratch_path("etc/spicerack.cfg"));
	scratch_directory("etc/spicerack.cfg");
	read_badly("%/spicerack.cfg: not a regular file");
	rmdir(scratch_path("etc/spicerack.cfg"));

	scratch_file("etc/spicerack.cfg", "");
	chmod(scratch_path("etc/spicerack.cfg"), 0666);
	read_badly("%/spicerack.cfg: not trusted, others may write to it");
	chmod(scratch_path("etc/spicerack.cfg"), 0644);
	chmod(etc, 0777);
	read_badly("%: not trusted, others may write to it");
	chmod(etc, 0755);
	read_well();
	settings_free(settings);
	settings = NULL;

	ck_assert_int_eq(truncate(scratch_path("etc/spicerack.cfg"), 1), 0);
	read_badly("%/spicerack.cfg: holds a NUL byte, so it is not a text file");
	unlink(scratch_path("etc/spicerack.cfg"));
	rmdir(scratch_path("etc/conf.d"));
	scratch_file("etc/conf.d", "");
	read_badly("%/conf.d: cannot read: Not a directory");

	source.file = scratch_path("missing.cfg");
	snprintf(text, sizeof(text), "%s: cannot open: No such file or directory", source.file);
	read_badly(text);
}
END_TEST

START_TEST(longer_than_a_mebibyte)
{
	FILE *file = fopen(scratch_path("etc/spicerack.cfg"), "w");

	fchmod(fileno(file), 0644);
	for (int i = 0; i < 1024 * 1024; i++)
		fputc('\n', file);
	fclose(file);
	read_well();
	settings_free(settings);
	settings = NULL;
	file = fopen(scratch_path("etc/spicerack.cfg"), "a");
	fputc('\n', file);
	fclose(file);
	read_badly("%/spicerack.cfg: longer than 1048576 bytes");
}
END_TEST

START_TEST(unreadable_file)
{
	if (geteuid() == 0)
		return;
	scratch_file("etc/spicerack.cfg", "");
	chmod(scratch_path("etc/spicerack.cfg"), 0);
	read_badly("%/spicerack.cfg: cannot open: Permission denied");
}
END_TEST

START_TEST(nested_too_deeply)
{
	char text[256] = "name = ";

	memset(text + 7, '(', 64);
	use_test_keys();
	scratch_file("etc/spicerack.cfg", text);
	read_badly("%/spicerack.cfg:1: nested too deeply");
}
END_TEST

START_TEST(rendering_reads_back)
{
	struct buf first = {0}, second = {0};

	use_test_keys();
	scratch_file("etc/spicerack.cfg",
		     "port = 1; big = 99999999999L; announce = true;\n"
		     "name = \"quote \\\" backslash \\\\ umlaut \xc3\xa4 # no comment\";\n"
		     "dirs = [\"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\n"
		     "\"/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"];\n"
		     "sites = { core = [\"eqiad\", \"codfw\"]; edge = [\"esams\"]; };\n"
		     "irc = { host = \"h\"; };\n");
	read_well();
	config_render(settings, false, &first);
	scratch_file("back.cfg", first.text);
	source.file = scratch_path("back.cfg");
	read_well();
	config_render(settings, false, &second);
	ck_assert_str_eq(first.text, second.text);
	ck_assert_str_eq(second.text,
			 "port = 1;\n"
			 "big = 99999999999L;\n"
			 "announce = true;\n"
			 "name = \"quote \\\" backslash \\\\ umlaut \xc3\xa4 # no comment\";\n"
			 "# dir is not set\n"
			 "dirs = [\n"
			 "  \"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\n"
			 "  \"/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"\n"
			 "];\n"
			 "# words is not set\n"
			 "irc = {\n"
			 "  password = \"********\";\n"
			 "  host = \"h\";\n"
			 "};\n"
			 "sites = {\n"
			 "  core = [\"eqiad\", \"codfw\"];\n"
			 "  edge = [\"esams\"];\n"
			 "};\n");
	buf_free(&first);
	buf_free(&second);
}
END_TEST

/* Takes the blanks before each origin away, but for two; they must have stood in one column. */
static void squeeze(struct buf *out)
{
	struct buf squeezed = {0};
	long column = 0;

	for (const char *line = out->text; *line; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n');
		const char *origin = end;

		while (origin > line && (origin[0] != '#' || origin[-1] != ' '))
			origin--;
		if (origin > line) {
			ck_assert(column == 0 || column == origin - line);
			column = origin - line;
			for (end = origin; end[-1] == ' ';)
				end--;
		}
		buf_add(&squeezed, line, (size_t)(end - line));
		if (origin > line)
			buf_printf(&squeezed, "  %.*s", (int)(strchr(line, '\n') - origin), origin);
		buf_putc(&squeezed, '\n');
	}
	buf_free(out);
	*out = squeezed;
}

START_TEST(rendering_with_origin)
{
	struct buf out = {0};
	char expected[4096];

	scratch_file("etc/spicerack.cfg", "\nlogs_base_dir = \"/x\";\n"
					  "sites = { core = [\"a\"]; };\n"
					  "locks = { directory = \"/l\"; etcdrc = \"/rc\"; };\n"
					  "journal = { directory = \"/j\"; };\n"
					  "kv = { directory = \"/k\"; etcdrc = \"/rc\"; };\n");
	source.cookbooks_dir = "/nonexistent";
	read_well();
	config_render(settings, true, &out);
	squeeze(&out);
	snprintf(expected, sizeof(expected),
		 "# cookbooks_base_dirs is not set  # default\n"
		 "logs_base_dir = \"/x\";  # %s/spicerack.cfg:2\n"
		 "instance_params = {\n"
		 "  spicerack_config_dir = \"%s\";  # default\n"
		 "  http_proxy = \"\";  # default\n"
		 "  # etcd_config is not set  # default\n"
		 "  # conftool_config is not set  # default\n"
		 "  # conftool_schema is not set  # default\n"
		 "};\n"
		 "kv = {\n"
		 "  store = \"\";  # default\n"
		 "  directory = \"/k\";  # %s/spicerack.cfg:6\n"
		 "  etcd_api = \"3\";  # default\n"
		 "  etcdrc = \"/rc\";  # %s/spicerack.cfg:6\n"
		 "};\n"
		 "locks = {\n"
		 "  enabled = true;  # default\n"
		 "  store = \"sqlite\";  # default\n"
		 "  directory = \"/l\";  # %s/spicerack.cfg:4\n"
		 "  wait = 1755;  # default\n"
		 "  etcd_api = \"3\";  # default\n"
		 "  etcdrc = \"/rc\";  # %s/spicerack.cfg:4\n"
		 "};\n"
		 "journal = {\n"
		 "  directory = \"/j\";  # %s/spicerack.cfg:5\n"
		 "  keep_days = 400;  # default\n"
		 "  keep_megabytes = 1024;  # default\n"
		 "};\n"
		 "metrics = {\n"
		 "  # file is not set  # default\n"
		 "};\n"
		 "durable = false;  # default\n"
		 "tcpircbot_host = \"\";  # default\n"
		 "tcpircbot_port = 0;  # default\n"
		 "user_input_notifications_enabled = false;  # default\n"
		 "irc = {\n"
		 "  server = \"\";  # default\n"
		 "  port = 6697;  # default\n"
		 "  tls = true;  # default\n"
		 "  # ca_file is not set  # default\n"
		 "  channel = \"\";  # default\n"
		 "  nick = \"spicerack\";  # default\n"
		 "  # credentials is not set  # default\n"
		 "};\n"
		 "webhook = {\n"
		 "  url = \"\";  # default\n"
		 "  # ca_file is not set  # default\n"
		 "  # credentials is not set  # default\n"
		 "};\n"
		 "notify = {\n"
		 "  # drivers is not set  # default\n"
		 "  events = [\"begin\", \"start\", \"awaiting\", \"end\"];  # default\n"
		 "  log_level = \"none\";  # default\n"
		 "  awaiting_input = 180;  # default\n"
		 "  drain = 5;  # default\n"
		 "};\n"
		 "sites = {\n"
		 "  core = [\"a\"];  # %s/spicerack.cfg:3\n"
		 "};\n",
		 etc, etc, etc, etc, etc, etc, etc, etc);
	ck_assert_str_eq(out.text, expected);
	scratch_file("back.cfg", out.text);
	source.file = scratch_path("back.cfg");
	buf_clear(&out);
	read_well();
	config_render(settings, false, &out);
	ck_assert_ptr_nonnull(strstr(out.text, "logs_base_dir = \"/x\";\n"));
	buf_free(&out);
}
END_TEST

START_TEST(logs_of_the_machine)
{
	source.log_dir = scratch_path("log");
	read_well();
	ck_assert_str_ne(settings_text(settings, "logs_base_dir"), source.log_dir);
	ck_assert_int_eq(mkdir(source.log_dir, 0700), 0);
	read_well();
	ck_assert_str_eq(settings_text(settings, "logs_base_dir"), source.log_dir);
}
END_TEST

START_TEST(locks_of_the_machine)
{
	char expected[4096];

	source.state_dir = scratch_path("state");
	snprintf(expected, sizeof(expected), "%s/locks", source.state_dir);
	read_well();
	ck_assert_str_ne(settings_text(settings, "locks.directory"), expected);
	ck_assert_int_eq(mkdir(source.state_dir, 0700), 0);
	read_well();
	ck_assert_str_eq(settings_text(settings, "locks.directory"), expected);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tcase = tcase_create("settings");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, defaults_without_any_file);
	tcase_add_test(tcase, xdg_variables_only_when_absolute);
	tcase_add_test(tcase, later_files_override_key_by_key);
	tcase_add_test(tcase, no_such_list);
	tcase_add_test(tcase, option_replaces_all_files);
	tcase_add_test(tcase, environment_wins);
	tcase_add_test(tcase, numbers_and_flags);
	tcase_add_loop_test(tcase, bad_file, 0, COUNT(bad_texts));
	tcase_add_test(tcase, include_in_text_is_fine);
	tcase_add_loop_test(tcase, bad_variable, 0, COUNT(bad_variables));
	tcase_add_test(tcase, bad_kind_of_file);
	tcase_add_test(tcase, longer_than_a_mebibyte);
	tcase_add_test(tcase, unreadable_file);
	tcase_add_test(tcase, nested_too_deeply);
	tcase_add_test(tcase, rendering_reads_back);
	tcase_add_test(tcase, rendering_with_origin);
	tcase_add_test(tcase, logs_of_the_machine);
	tcase_add_test(tcase, locks_of_the_machine);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
