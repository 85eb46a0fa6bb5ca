# SPDX-License-Identifier: Apache-2.0
"""The tree: lists, names, groups, several bases, and files that are broken or not to be trusted."""

import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import threading
import unittest

from harness import CC, FIXTURES, CommandTest, compile_cookbook, without_id

SOURCE = """
#include <spicerack/cookbook.h>
static int run(struct spk *spk, void *self) {{ spk_info(spk, "this is {title}"); return 0; }}
SPK_COOKBOOK(.title = "{title}", {more} .run = run);
"""

SAMPLES = """cookbooks
|-- deploy
|   `-- deploy.switch-release [Release Engineering]
|-- discovery
|   `-- discovery.service-route [Service Operations]
|-- dns
|   `-- dns.admin [Traffic]
|-- group1
|   `-- group1.important-cookbook [Service Operations]
|-- group2
|   `-- group2.subgroup1
|       `-- group2.subgroup1.some-task [Infrastructure Foundations]
|-- hosts
|   `-- hosts.rolling-restart [Service Operations]
`-- top-level-cookbook [unowned]
"""


def setUpModule():
    """Builds the two cookbooks that the trees are made of."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-test-"))
    unittest.addModuleCleanup(shutil.rmtree, place)
    for title, more in (("good", ""), ("owned", '.owner = "Owners",')):
        source = place / f"{title}.c"
        source.write_text(SOURCE.format(title=title, more=more))
        setattr(TreeTest, title, compile_cookbook(unittest.TestCase(), source, place / f"{title}.so"))


def loaded_end(content):
    """Where the last segment that is loaded ends in an ELF file of 64 bits."""
    table, = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    headers = [struct.unpack_from("<IIQQQQ", content, table + size * number) for number in range(count)]
    return max(offset + length for kind, _, offset, _, _, length in headers if kind == 1)


class TreeTest(CommandTest):
    """A tree in the scratch directory, of copies of one small cookbook."""


    def setUp(self):
        super().setUp()
        self.base = self.scratch / "tree"
        self.base.mkdir()
        self.config = self.write("spicerack.cfg", self.configuration([self.base]))

    def put(self, name, source=None, base=None):
        """Puts a copy of a built cookbook under a path of the tree."""
        path = (base or self.base) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source or self.good, path)
        path.chmod(0o644)
        return path

    def group(self, name, base=None, **keys):
        text = "".join(f'{key} = "{value}";\n' for key, value in keys.items())
        path = (base or self.base) / name / "group.cfg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        return path

    def check_list(self, lines, *words, problems=""):
        result = self.cookbook("-l", *words)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.out.splitlines(), ["cookbooks", *lines], result)
        self.assertEqual(result.err, problems)

    def check_broken(self, path, reason, pattern=False):
        """One line names the file and the reason; its neighbour works; it cannot be run."""
        self.put("good.so")
        listed = self.cookbook("-l")
        self.assertEqual(listed.code, 0, listed)
        self.assertEqual(listed.out, "cookbooks\n`-- good [unowned]\n")
        check = self.assertRegex if pattern else self.assertEqual
        check(listed.err, f"{path}: {reason}\n")
        run = self.cookbook("good")
        self.assertEqual((run.code, without_id(run.err).splitlines()[1]), (0, "this is good"))
        run = self.cookbook(path.name.removesuffix(".so"))
        self.assertEqual(run.code, 98, run)
        check("\n".join(run.err.splitlines()[:1]) + "\n", f"{path}: {reason}\n")
        self.assertEqual(run.err.splitlines()[1:],
                         [f"cookbook: Unable to find cookbook {path.stem} (see cookbook -l)"])


class Samples(CommandTest):
    """What is installed works as the documentation says, without any configuration."""

    def installed(self, *words):
        return self.run_command("cookbook", *words)

    def test_list(self):
        result = self.installed("-l")
        self.assertEqual((result.code, result.out, result.err), (0, SAMPLES, ""))

    def test_dotted_name_and_path(self):
        for name in ("group1.important-cookbook", "group1/important-cookbook.so"):
            result = self.installed(name, "--tries", "1", "a word")
            self.assertEqual(result.code, 0, result)
            self.assertEqual(without_id(result.err),
                             "START - Cookbook group1.important-cookbook\nthe sign is up\n"
                             "important: a word\nthe sign is down again\n"
                             "END (PASS) - Cookbook group1.important-cookbook (exit_code=0)\n")
        logs = self.scratch / "home/.local/state/spicerack/logs/group1"
        self.assertEqual(sorted(path.name for path in logs.iterdir()),
                         ["important-cookbook-extended.log", "important-cookbook.log"])

    def test_all_of_them_run(self):
        for name in ("top-level-cookbook", "group2.subgroup1.some-task"):
            result = self.installed(name)
            self.assertEqual(result.code, 0, result)

    def test_version(self):
        for command in ("cookbook", "spicerack"):
            result = self.run_command(command, "--version")
            self.assertEqual(result.code, 0)
            self.assertRegex(result.out, rf"^{command}.* \d+\.\d+\.\d+\n$")


class Lists(TreeTest):
    def tree(self):
        for name in ("class_api/a.so", "cookbook.so", "group2/cookbook2.so", "group2/zcookbook4.so", "0-digit.so",
                     "_hidden.so", "_hidden/x.so", ".dot.so", "README.txt"):
            self.put(name)
        self.put("group2/subgroup1/cookbook3.so", self.owned)
        self.put("class_api/multiple.so", FIXTURES / "fixture/several.so")
        (self.base / "empty" / "below").mkdir(parents=True)
        self.group("class_api", title="Class API", owner="team1")
        self.group("group2", owner="team2")
        self.group("group2/subgroup1", title="Below")

    def test_everything(self):
        self.tree()
        self.check_list(["|-- 0-digit [unowned]",
                         "|-- class_api",
                         "|   |-- class_api.a [team1]",
                         "|   |-- class_api.multiple.Alpha [Alphas]",
                         "|   |-- class_api.multiple.Beta [team1]",
                         "|   |-- class_api.multiple.Fails [team1]",
                         "|   |-- class_api.multiple.Locks [team1]",
                         "|   `-- class_api.multiple.Traps [team1]",
                         "|-- cookbook [unowned]",
                         "`-- group2",
                         "    |-- group2.cookbook2 [team2]",
                         "    |-- group2.subgroup1",
                         "    |   `-- group2.subgroup1.cookbook3 [Owners]",
                         "    `-- group2.zcookbook4 [team2]"])

    def test_titles(self):
        self.tree()
        for words in (["-lv"], ["-l", "-v"], ["--list", "--verbose"]):
            out = self.cookbook(*words).out.splitlines()
            for line in ("|-- 0-digit: good [unowned]", "|-- class_api: Class API",
                         "|   |-- class_api.multiple.Alpha: The first of several [Alphas]",
                         "|   |-- class_api.multiple.Fails: UNKNOWN (unable to detect title) [team1]",
                         "`-- group2: -", "    |-- group2.subgroup1: Below",
                         "    |   `-- group2.subgroup1.cookbook3: owned [Owners]"):
                self.assertIn(line, out)

    def test_prefix(self):
        self.tree()
        self.check_list(["`-- group2", "    |-- group2.cookbook2 [team2]", "    |-- group2.subgroup1",
                         "    |   `-- group2.subgroup1.cookbook3 [Owners]", "    `-- group2.zcookbook4 [team2]"], "group2")
        self.check_list(["`-- group2", "    `-- group2.subgroup1", "        `-- group2.subgroup1.cookbook3 [Owners]"],
                        "group2.sub")
        self.check_list(["`-- class_api", "    `-- class_api.multiple.Beta [team1]"], "class_api.multiple.B")
        result = self.cookbook("-l", "nothing")
        self.assertEqual((result.code, result.out), (0, "cookbooks\n"), result)
        self.assertEqual(result.err, "cookbook: there is no cookbook below 'nothing'\n")

    def test_a_group_owner_is_inherited_by_groups(self):
        self.group("a", owner="outer")
        self.group("a/b", title="no owner")
        self.put("a/b/c.so")
        self.check_list(["`-- a", "    `-- a.b", "        `-- a.b.c [outer]"])
        self.assertIn("Cookbook owner team: outer\n", self.cookbook("a.b.c", "-h").out)


class Names(TreeTest):
    def check_run(self, name, full):
        result = self.cookbook(name)
        self.assertEqual(result.code, 0, result)
        self.assertTrue(without_id(result.err).startswith(f"START - Cookbook {full}\n"), result)

    def test_forms(self):
        self.put("a/1-b.so")
        self.put("a/multiple.so", FIXTURES / "fixture/several.so")
        for name in ("a.1-b", "a/1-b.so"):
            self.check_run(name, "a.1-b")
        self.check_run("a.multiple.Alpha", "a.multiple.Alpha")

    def test_unknown(self):
        self.put("a/b.so")
        self.put("_c.so")
        self.put("multiple.so", FIXTURES / "fixture/several.so")
        for name in ("c", "a.c", "a.b.c", "a/b", "a/b.so/", "/a/b.so", "../tree/a/b.so", "_c", "_c.so", "a..b", ".a.b",
                     "multiple.Gamma", "multiple.alpha", "x" * 5000, "a b", "a.b\n", "\033[2J"):
            with self.subTest(name[:20]):
                result = self.cookbook(name)
                self.assertEqual(result.code, 98, result)
                shown = name.replace("\n", "\\x0a").replace("\033", "\\x1b")
                self.assertEqual(result.err, f"cookbook: Unable to find cookbook {shown} (see cookbook -l)\n")
        self.assertNoTraces()

    def test_a_module_of_several_names_them(self):
        path = self.put("group/multiple.so", FIXTURES / "fixture/several.so")
        for name in ("group.multiple", "group/multiple.so"):
            with self.subTest(name):
                result = self.cookbook(name)
                self.assertEqual(result.code, 98, result)
                self.assertEqual(result.err.splitlines(), [
                    f"{path}: holds several cookbooks, name one of them: group.multiple.Alpha group.multiple.Beta "
                    "group.multiple.Fails group.multiple.Locks group.multiple.Traps",
                    f"cookbook: Unable to find cookbook {name} (see cookbook -l)"])


class Bases(TreeTest):
    def setUp(self):
        super().setUp()
        self.second = self.scratch / "second"
        self.second.mkdir()
        self.config = self.write("spicerack.cfg", self.configuration([self.base, self.second]))

    def test_are_merged(self):
        self.put("a/one.so")
        self.put("a/two.so", base=self.second)
        self.group("a", self.second, owner="of the second")
        self.check_list(["`-- a", "    |-- a.one [of the second]", "    `-- a.two [of the second]"])
        for name in ("a.one", "a.two"):
            self.assertEqual(self.cookbook(name).code, 0)

    def test_the_first_of_two_wins_and_the_other_is_named(self):
        first = self.put("a.so", self.owned)
        second = self.put("a.so", base=self.second)
        self.check_list(["`-- a [Owners]"],
                        problems=f"{second}: passed over, a is in {first}, too, which comes first\n")
        self.assertIn("this is owned\n", self.cookbook("a").err)

    def test_groups_that_disagree(self):
        first = self.group("a", owner="one")
        second = self.group("a", self.second, owner="two")
        self.put("a/b.so", base=self.second)
        self.check_list(["`-- a", "    `-- a.b [one]"], problems=f"{second}: ignoring its owner, {first} gives another\n")

    def test_a_base_that_is_missing(self):
        """A wrong path in the configuration: one line that says where it stands, whatever was asked for."""
        self.put("a.so")
        shutil.rmtree(self.second)
        for words in (["-l"], ["a"], ["b"], []):
            with self.subTest(words):
                result = self.cookbook(*words)
                self.assertEqual((result.code, result.out), (1, ""), result)
                self.assertEqual(result.err, f"cookbook: {self.config}:1: cookbooks_base_dirs: {self.second}: "
                                             "No such file or directory\n")
        self.second.touch()
        self.assertIn(f"{self.second}: not a directory\n", self.cookbook("-l").err)

    def test_a_base_of_the_environment_that_is_missing(self):
        env = dict(self.env, SPICERACK_COOKBOOKS_BASE_DIRS="/nonexistent")
        result = self.cookbook("-l", env=env)
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.err, "cookbook: SPICERACK_COOKBOOKS_BASE_DIRS: cookbooks_base_dirs: /nonexistent: "
                                     "No such file or directory\n")


class Broken(TreeTest):
    def broken(self, bytes_):
        path = self.put("bad.so")
        path.write_bytes(bytes_)
        return path

    def test_empty(self):
        self.check_broken(self.broken(b""), "an empty file")

    def test_text(self):
        self.check_broken(self.broken(b"#!/bin/sh\necho executed\n"), "not a shared object")

    def test_foreign(self):
        content = bytearray(self.good.read_bytes())
        machine, = struct.unpack_from("<H", content, 18)
        struct.pack_into("<H", content, 18, 183 if machine != 183 else 62)
        self.check_broken(self.broken(bytes(content)), "foreign: built for another kind of machine")

    def test_no_cookbook(self):
        source = self.write("none.c", "int spk_other; int unrelated(void); int unrelated(void) { return 0; }")
        self.check_broken(compile_cookbook(self, source, self.base / "bad.so"), "no cookbook in it")

    def test_truncated_anywhere(self):
        content = self.good.read_bytes()
        sizes = sorted({*range(0, 1024, 61), *range(1024, len(content), 997), len(content) - 1})
        for size in sizes:
            self.put(f"t/s{size}.so").write_bytes(content[:size])
        self.put("good.so")
        result = self.cookbook("-l")
        self.assertEqual(result.code, 0, result)
        self.assertIn("|-- good [unowned]", result.out)
        # What lies behind the last segment (symbols for debuggers) is not needed.
        needed = {f"s{size}" for size in sizes if size < loaded_end(content)}
        told = {pathlib.Path(line.split(": ")[0]).stem for line in result.err.splitlines()}
        shown = {line.split("t.")[1].split(" ")[0] for line in result.out.splitlines() if "-- t." in line}
        self.assertEqual((told, shown), (needed, {f"s{size}" for size in sizes} - needed))
        for name in sorted(needed)[::5]:
            self.assertEqual(self.cookbook(f"t.{name}").code, 98)

    def test_mutated_anywhere(self):
        """A byte changed in the head or the descriptor's surroundings never harms the host."""
        content = self.good.read_bytes()
        places = [*range(0, 64), *range(64, 704, 16)]
        for place in places:
            mutated = bytearray(content)
            mutated[place] ^= 0xff
            self.put(f"m{place}.so").write_bytes(mutated)
        result = self.cookbook("-l")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(len(result.err.splitlines()) + len(result.out.splitlines()) - 1, len(places))

    def test_tables_that_contradict_themselves(self):
        source = self.write("twice.c", """
            #include <spicerack/cookbook.h>
            struct s { int a, b; };
            static const struct spk_arg args[] = {
                SPK_OPTION(struct s, a, .letter = 'x'), SPK_OPTION(struct s, b, .letter = 'x') };
            static int run(struct spk *spk, void *self) { return 0; }
            SPK_COOKBOOK(.title = "twice", SPK_ARGS(struct s, args), .run = run);""")
        path = compile_cookbook(self, source, self.base / "bad.so")
        self.check_broken_at_run(path, "bad argument table: argument 'b': -x is another's, too")

    def check_broken_at_run(self, path, reason):
        """What only a run looks into: the list shows the title and may say nothing."""
        run = self.cookbook(path.stem)
        self.assertEqual(run.code, 98, run)
        self.assertEqual(run.err.splitlines()[0], f"{path}: {reason}")
        self.assertNoTraces()

    def test_without_run(self):
        source = self.write("norun.c", '#include <spicerack/cookbook.h>\nSPK_COOKBOOK(.title = "x");')
        self.check_broken(compile_cookbook(self, source, self.base / "bad.so"),
                          "bad descriptor: it has no run function")


class Untrusted(TreeTest):
    def test_writable_by_others(self):
        path = self.put("bad.so")
        path.chmod(0o666)
        self.check_broken(path, "not trusted, others may write to it")

    def test_a_writable_directory(self):
        self.put("a/b.so")
        (self.base / "a").chmod(0o777)
        self.put("good.so")
        self.check_list(["`-- good [unowned]"], problems=f"{self.base}/a: not trusted, others may write to it\n")
        self.assertEqual(self.cookbook("a.b").code, 98)

    def test_a_writable_group_file(self):
        path = self.group("a", owner="somebody")
        path.chmod(0o666)
        self.put("a/b.so")
        self.check_list(["`-- a", "    `-- a.b [unowned]"], problems=f"{path}: not trusted, others may write to it\n")

    def test_a_writable_directory_above(self):
        self.put("a.so")
        self.scratch.chmod(0o777)
        result = self.cookbook("-l")
        self.assertEqual(result.code, 1, result)
        self.assertIn(f"{self.scratch}: not trusted, others may write to it\n", result.err)

    @unittest.skipIf(os.geteuid() != 0, "needs root to give a file away")
    def test_owned_by_somebody_else(self):
        path = self.put("bad.so")
        os.chown(path, 65534, 65534)
        self.check_broken(path, "not trusted, owned by uid 65534, neither root nor you")

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_seen_by_another_user(self):
        self.scratch.chmod(0o755)
        self.put("closed/a.so")
        (self.base / "closed").chmod(0o700)
        unreadable = self.put("unreadable.so")
        unreadable.chmod(0o600)
        self.put("good.so")
        result = self.cookbook("-l", user=65534, group=65534, extra_groups=[])
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.out, "cookbooks\n`-- good [unowned]\n")
        self.assertEqual(result.err, f"{self.base}/closed: Permission denied\n"
                                     f"{unreadable}: cannot open: Permission denied\n")


class OddFiles(TreeTest):
    def test_a_pipe(self):
        os.mkfifo(self.base / "bad.so", 0o644)
        self.check_broken(self.base / "bad.so", "not a regular file")

    def test_a_directory_with_the_suffix(self):
        (self.base / "bad.so").mkdir()
        self.put("good.so")
        result = self.cookbook("-l")
        self.assertEqual(result.out, "cookbooks\n`-- good [unowned]\n")
        self.assertEqual(len(result.err.splitlines()), 1, result)
        self.assertTrue(result.err.startswith(f"{self.base}/bad.so: "), result)
        self.assertEqual(self.cookbook("bad").code, 98)

    def test_links_in_a_circle(self):
        (self.base / "a").mkdir()
        (self.base / "a" / "up").symlink_to("..")
        (self.base / "self").symlink_to("self")
        (self.base / "bad.so").symlink_to("bad.so")
        self.put("good.so")
        result = self.cookbook("-l")
        self.assertEqual(result.out, "cookbooks\n`-- good [unowned]\n")
        self.assertEqual(sorted(result.err.splitlines()), [
            f"{self.base}/a/up: passed over, it leads back to a directory above it",
            f"{self.base}/bad.so: Too many levels of symbolic links"])

    def test_a_dangling_link(self):
        (self.base / "bad.so").symlink_to("nowhere.so")
        self.check_list([], problems=f"{self.base}/bad.so: No such file or directory\n")

    def test_a_link_to_a_good_file(self):
        (self.base / "link.so").symlink_to(self.put("good.so"))
        self.check_list(["|-- good [unowned]", "`-- link [unowned]"])
        self.assertIn("START - Cookbook link\n", self.cookbook("link").err)

    def test_names_that_are_none(self):
        for name in ("a.b.so", "ä.so", "x\n.so", "new\033[31m.so"):
            self.put(name)
        result = self.cookbook("-l")
        self.assertEqual(result.out, "cookbooks\n")
        self.assertEqual(len(result.err.splitlines()), 4, result)
        self.assertNotIn("\033", result.err)
        for line in result.err.splitlines():
            self.assertIn("passed over, the name of a cookbook or group is of letters, digits, '_' and '-'", line)


class TooNew(TreeTest):
    DESCRIPTOR = """
        #include <spicerack/cookbook.h>
        struct newer {{ struct spk_cookbook known; const char *novelty; }};
        static int run(struct spk *spk, void *self) {{ spk_info(spk, "it ran"); return 0; }}
        extern const struct newer spk_cookbook;
        __attribute__((visibility("default"), used)) const struct newer spk_cookbook = {{
            .known = {{ .size = sizeof(struct newer), .abi = {abi}, .title = "newer", .run = run }},
            .novelty = {novelty} }};"""

    def newer(self, abi="SPK_ABI", novelty="NULL"):
        source = self.write("newer.c", self.DESCRIPTOR.format(abi=abi, novelty=novelty))
        return compile_cookbook(self, source, self.base / "bad.so")

    def test_a_member_that_is_unknown_and_used(self):
        self.check_broken(self.newer(novelty='"used"'),
                          r"too new: its descriptor uses a member at offset \d+ that this host does not know",
                          pattern=True)

    def test_a_member_that_is_unknown_and_not_used(self):
        self.newer()
        self.check_list(["`-- bad [unowned]"])
        self.assertIn("it ran\n", self.cookbook("bad").err)

    def test_another_abi(self):
        self.check_broken(self.newer(abi=2), "needs ABI 2, this host has ABI 1")

    def test_a_symbol_version_that_the_library_lacks(self):
        """The list reads it well; the run is refused with the missing version named."""
        library = self.scratch / "newer" / "libspicerack.so.1"
        library.parent.mkdir()
        self.write("newer/lib.c", "void spk_novelty(void); void spk_novelty(void) {}")
        self.write("newer/lib.map", "SPICERACK_9.0 { global: spk_novelty; };")
        subprocess.run([CC, "-shared", "-fPIC", "-Wl,-soname,libspicerack.so.1", "-Wl,--version-script,newer/lib.map",
                        "-o", library, "newer/lib.c"], cwd=self.scratch, check=True)
        source = self.write("novelty.c", """
            #include <spicerack/cookbook.h>
            void spk_novelty(void);
            static int run(struct spk *spk, void *self) { spk_novelty(); return 0; }
            SPK_COOKBOOK(.title = "novelty", .run = run);""")
        path = compile_cookbook(self, source, self.base / "novelty.so", "-Wl,--no-as-needed",
                                str(library))
        self.check_list(["`-- novelty [unowned]"])
        result = self.cookbook("novelty")
        self.assertEqual(result.code, 98, result)
        self.assertRegex(without_id(result.err), rf"^cannot run cookbook novelty: cannot load .*version `SPICERACK_9\.0' not found "
                                     rf"\(required by {path}\)\n$")


class NothingIsExecuted(TreeTest):
    def setUp(self):
        super().setUp()
        self.put("opened.so", FIXTURES / "fixture/constructor.so")
        self.mark = self.scratch / "opened"
        self.env["FIXTURE_CONSTRUCTOR_MARK"] = str(self.mark)

    def test_by_a_list_help_or_usage_error(self):
        for words in (["-l"], ["-lv"], ["-l", "opened"], ["opened", "--help"], ["opened", "--unknown"]):
            self.cookbook(*words)
            self.assertFalse(self.mark.exists(), words)

    def test_but_by_a_run(self):
        self.assertEqual(self.cookbook("opened").code, 0)
        self.assertTrue(self.mark.exists())

    def test_not_by_a_neighbours_run(self):
        self.put("good.so")
        self.assertEqual(self.cookbook("good").code, 0)
        self.assertFalse(self.mark.exists())


class Replaced(TreeTest):
    def test_between_list_and_run(self):
        self.put("a.so")
        self.check_list(["`-- a [unowned]"])
        self.put("a.so", self.owned)
        self.assertIn("this is owned\n", self.cookbook("a").err)

    def test_all_the_time(self):
        """A run takes one of the two files whole, or says that it was replaced."""
        ends = threading.Event()

        def replace():
            while not ends.is_set():
                for source in (self.good, self.owned):
                    os.replace(self.put("new", source), self.base / "a.so")

        self.put("a.so")
        thread = threading.Thread(target=replace)
        thread.start()
        try:
            for _ in range(40):
                result = self.cookbook("a")
                if result.code == 0:
                    self.assertRegex(result.err, r"this is (good|owned)\n")
                else:
                    self.assertEqual(result.code, 98, result)
                    self.assertRegex(result.err, "replaced while it was being opened|is not the one that was read|"
                                                 "No such file")
        finally:
            ends.set()
            thread.join()


class GroupFiles(TreeTest):
    def check_group(self, text, problem):
        path = self.group("a")
        path.write_text(text)
        self.put("a/b.so")
        self.check_list(["`-- a", "    `-- a.b [unowned]"], problems=f"{path}{problem}\n")
        self.assertEqual(self.cookbook("a.b").code, 0)

    def test_wrong_ones(self):
        for text, problem in (('title = "x";\nonwer = "y";\n', ":2: unknown key 'onwer'; there are title and owner"),
                              ("title = 1;\n", ":1: title is not a string"),
                              ('title = "unclosed\n', ":2: syntax error"),
                              ('@include "/dev/zero"\n', ":1: @include is not allowed here"),
                              ('owner = "a\\nb";\n', ":1: owner is not one line of text")):
            with self.subTest(text):
                self.check_group(text, problem)


if __name__ == "__main__":
    unittest.main()
