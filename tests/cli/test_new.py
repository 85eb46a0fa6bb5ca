# SPDX-License-Identifier: Apache-2.0
"""`spicerack new`: what it writes builds, passes its test and runs, with what is installed and nothing else."""

import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

from harness import LONG, PREFIX, SANITIZED, CommandTest, without_id


class New(CommandTest):
    def new(self, *words, code=0):
        done = self.run_command("spicerack", "new", *words)
        self.assertEqual(done.code, code, done)
        return done

    def refused(self, reason, *words, code=1):
        before = sorted(self.scratch.rglob("*"))
        done = self.new(*words, code=code)
        self.assertRegex(done.err, reason)
        self.assertEqual(done.out, "")
        self.assertEqual(sorted(self.scratch.rglob("*")), before)

    def files(self, bundle):
        return sorted(str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file())

    def test_what_it_writes(self):
        bundle = self.scratch / "bundle"
        done = self.new("sre.hosts.restart", "--bundle", bundle, "--owner", "Service Operations")
        names = [".gitignore", ".gitlab-ci.yml", "CMakeLists.txt", "cookbooks/sre/group.cfg",
                 "cookbooks/sre/hosts/group.cfg", "cookbooks/sre/hosts/restart.c", "tests/test_sre.hosts.restart.c"]
        self.assertEqual(self.files(bundle), names)
        for name in names:
            self.assertIn(f"{bundle}/{name}\n", done.out)
            self.assertNotRegex((bundle / name).read_text(), "@[A-Z]+@")
        self.assertIn("project(bundle LANGUAGES C)", (bundle / "CMakeLists.txt").read_text())
        self.assertEqual((bundle / "cookbooks/sre/hosts/group.cfg").read_text(),
                         'title = "hosts";\nowner = "Service Operations";\n')

    def test_a_cookbook_is_added(self):
        bundle = self.scratch / "bundle"
        self.new("sre.hosts.restart", "--bundle", bundle)
        (bundle / "cookbooks/sre/group.cfg").write_text('title = "kept";\nowner = "Us";\n')
        self.new("sre.dump", "--bundle", bundle)
        self.assertEqual((bundle / "cookbooks/sre/group.cfg").read_text(), 'title = "kept";\nowner = "Us";\n')
        lines = (bundle / "CMakeLists.txt").read_text().splitlines()
        self.assertEqual([line for line in lines if line.startswith("spicerack_add_")], [
            "spicerack_add_groups(cookbooks)",
            "spicerack_add_cookbook(sre.hosts.restart cookbooks/sre/hosts/restart.c)",
            "spicerack_add_test(sre.hosts.restart tests/test_sre.hosts.restart.c)",
            "spicerack_add_cookbook(sre.dump cookbooks/sre/dump.c)",
            "spicerack_add_test(sre.dump tests/test_sre.dump.c)"])

    def test_what_it_says_to_do_is_words_of_a_shell(self):
        for name in ("it's a bundle", "/plain"):
            done = self.new("sre.dump", "--bundle", f"{self.scratch}/{name}")
            commands = [shlex.split(line) for line in done.out.splitlines() if line.startswith("    ")]
            bundle = os.path.normpath(f"{self.scratch}/{name}")
            self.assertEqual([os.path.normpath(commands[0][2]), os.path.normpath(commands[0][4])],
                             [bundle, f"{bundle}/build"])
            self.assertEqual([len(words) for words in commands], [5, 3, 4, 5])

    def test_names_that_are_none(self):
        for name in ("a..b", ".a", "a.", "../a", "a/b", "a b", "", "ä", "a.b\n", "x" * 300):
            with self.subTest(name):
                self.refused("is no name of a cookbook", name, "--bundle", self.scratch / "bundle")
        self.refused("required: NAME", code=2)
        self.refused("argument --owner", "a.b", "--owner", 'x"; y')

    def test_nothing_is_written_over(self):
        bundle = self.scratch / "bundle"
        self.new("sre.restart", "--bundle", bundle)
        self.refused("has the cookbook sre.restart already", "sre.restart", "--bundle", bundle)
        (bundle / "cookbooks/sre/dump.c").write_text("mine\n")
        self.refused("cookbooks/sre/dump.c exists already", "sre.dump", "--bundle", bundle)
        other = self.scratch / "other"
        other.mkdir()
        (other / "Makefile").write_text("all:\n")
        self.refused("is no bundle of cookbooks, and not empty", "sre.restart", "--bundle", other)
        (other / "CMakeLists.txt").write_text("project(other)\n")
        self.refused("is no bundle of cookbooks: it has no find_package", "sre.restart", "--bundle", other)
        self.refused("cannot read .*: Not a directory", "a.b", "--bundle", other / "Makefile")

    @unittest.skipIf(os.getuid() == 0, "root may write anywhere")
    def test_a_directory_that_cannot_be_made(self):
        self.refused("cannot make the directory", "a.b", "--bundle", "/proc/bundle")


@unittest.skipIf(SANITIZED, "the installed library asks for a sanitizer that this bundle is built without")
class Bundle(CommandTest):
    """One bundle, built once with each compiler; a test puts back what it changes."""

    CALLER = ('#include <spicerack/cookbook.h>\n'
              'static int run(struct spk *spk, void *self)\n{\n\treturn 0;\n}\n'
              'static const struct spk_call calls[] = {SPK_CALL("sre.hosts.restart", SPK_ANY, SPK_ANY)};\n'
              'SPK_COOKBOOK(.title = "x", .owner = "y", .run = run, SPK_CALLS(calls));\n')

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-new-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        cls.bundle = cls.place / "bundle"
        cls.call(PREFIX / "bin/spicerack", "new", "sre.hosts.restart", "--bundle", cls.bundle)
        cls.said = {}
        for compiler, generator in (("gcc", "Ninja"), ("clang", "Ninja Multi-Config")):
            if not shutil.which(compiler):
                continue
            cls.call("cmake", "-G", generator, "-DCMAKE_DEBUG_POSTFIX=d", "-S", cls.bundle, "-B", cls.bundle / compiler,
                     f"-DCMAKE_PREFIX_PATH={PREFIX}", f"-DCMAKE_C_COMPILER={compiler}",
                     f"-DCMAKE_INSTALL_PREFIX={cls.place}/installed")
            cls.said[compiler] = cls.call("cmake", "--build", cls.bundle / compiler)

    @staticmethod
    def call(*words, code=0):
        done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        if done.returncode != code:
            raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def build(self, code=0):
        return self.call("cmake", "--build", self.bundle / "gcc", code=code)

    def files(self):
        tree = self.bundle / "gcc/cookbooks"
        return sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file())

    def change(self, name, text):
        """Gives a file of the bundle another text, for this test."""
        path = self.bundle / name
        before = path.read_text() if path.exists() else None
        self.addCleanup(lambda: path.unlink() if before is None else path.write_text(before))
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def test_it_builds_tests_and_runs(self):
        self.build()  # what another test has put back
        for compiler, said in self.said.items():
            self.assertNotRegex(said, "[Ww]arning", compiler)
        # With gcc in the tutorial.
        self.call("ctest", "--test-dir", self.bundle / compiler, "-C", "Debug", "--output-on-failure")
        tree = self.bundle / "gcc/cookbooks"
        config = self.write("bundle.cfg", self.configuration([tree]))
        self.assertEqual(self.cookbook("-lv", config=config).out,
                         "cookbooks\n`-- sre: sre\n    `-- sre.hosts: hosts\n"
                         "        `-- sre.hosts.restart: Restart a unit host by host [My Team]\n")
        exported = subprocess.check_output(["nm", "-D", "--defined-only", tree / "sre/hosts/restart.so"], text=True)
        self.assertEqual([line.split()[-1] for line in exported.splitlines()], ["spk_cookbook"])
        self.call("cmake", "--install", self.bundle / "gcc")
        installed = self.place / "installed/lib/spicerack/cookbooks/bundle/sre"
        self.assertTrue((installed / "hosts/restart.so").exists() and (installed / "group.cfg").exists())

    def test_the_build_is_checked(self):
        name = "cookbooks/sre/hosts/restart.c"
        text = (self.bundle / name).read_text()
        self.change(name, text.replace('.help = "the unit', '.letter = \'h\', .help = "the unit'))
        self.assertRegex(self.build(code=1), r"restart\.(c|so).*error: ")

    def test_a_library_of_the_bundle_and_one_of_the_system(self):
        self.change("lib/common.h", "struct spk;\nconst char *common_text(struct spk *spk);\n")
        self.change("lib/common.c",
                    '#include "lib/common.h"\n#include <spicerack/cookbook.h>\n#include <math.h>\n'
                    'const char *common_text(struct spk *spk)\n{\n'
                    '\treturn spk_format(spk, "common %.0f", cbrt(27.0 + spk_dry_run(spk)));\n}\n')
        for name in ("top", "sre/hosts/restart"):
            self.change(f"cookbooks/{name}.c",
                        '#include <spicerack/cookbook.h>\n#include "lib/common.h"\n#include <zlib.h>\n'
                        'static int run(struct spk *spk, void *self)\n{\n'
                        '\tspk_info(spk, "%s, zlib %c", common_text(spk), zlibVersion()[0]);\n\treturn 0;\n}\n'
                        'SPK_COOKBOOK(.title = "x", .owner = "y", .run = run);\n')
        tree = self.bundle / "gcc/cookbooks"
        text = (self.bundle / "CMakeLists.txt").read_text()
        text = "\n".join(line for line in text.splitlines() if not line.startswith("spicerack_add_test"))
        text += "\nspicerack_add_cookbook(top cookbooks/top.c LIBRARIES common z)\n"
        text = text.replace("restart.c)", "restart.c LIBRARIES common z)")
        # Behind one that is linked to it, and in front of the other.
        text = text.replace("spicerack_add_cookbook(top", "spicerack_add_library(common lib/common.c LIBRARIES m)\n"
                            "spicerack_add_cookbook(top")
        self.change("CMakeLists.txt", text)
        self.build()
        self.call("cmake", "--install", self.bundle / "gcc")
        for base in (tree, self.place / "installed/lib/spicerack/cookbooks/bundle"):
            config = self.write("bundle.cfg", self.configuration([base]))
            for name in ("top", "sre.hosts.restart"):
                done = self.cookbook(name, config=config)
                self.assertEqual(done.code, 0, done)
                self.assertIn("common 3, zlib 1\n", without_id(done.err))
            self.assertEqual(self.cookbook("-l", config=config).err, "")
        found = subprocess.check_output(["objdump", "-p", tree / "sre/hosts/restart.so"], text=True)
        self.assertRegex(found, r"RUNPATH +\$ORIGIN/\.\./\.\.\n")

    def test_what_is_not_made_any_more_is_not_left(self):
        """A cookbook that was renamed would be run, tested and found by its callers under the old name."""
        lists = (self.bundle / "CMakeLists.txt").read_text()
        self.build()
        before = self.files()
        self.change("CMakeLists.txt", lists.replace("_cookbook(sre.hosts.restart", "_cookbook(sre.hosts.again") +
                    "spicerack_add_cookbook(sre.dump cookbooks/sre/dump.c)\n")
        self.change("cookbooks/sre/dump.c", self.CALLER)
        self.change("cookbooks/sre/group.cfg", (self.bundle / "cookbooks/sre/group.cfg").read_text())
        (self.bundle / "cookbooks/sre/group.cfg").unlink()
        self.assertIn("there is no cookbook 'sre.hosts.restart'", self.build(code=1))
        self.assertEqual(self.files(), ["sre/dump.so", "sre/hosts/again.so", "sre/hosts/group.cfg"])
        self.doCleanups()
        self.build()
        self.assertEqual(self.files(), before)

    def test_cookbooks_of_subdirectories_are_checked(self):
        lists = (self.bundle / "CMakeLists.txt").read_text()
        self.change("CMakeLists.txt", lists + "add_subdirectory(more)\n")
        self.change("more/dump.c", self.CALLER)
        # A test is told where the files lie that it plays.
        self.change("more/CMakeLists.txt", "spicerack_add_cookbook(more.dump dump.c)\nspicerack_add_test(more.dump t.c)\n")
        self.change("more/t.c", "#include <spicerack/testing.h>\n#include <unistd.h>\n"
                    'int main(void) { return access(SPICERACK_TEST_SOURCE "/dump.c", R_OK); }\n')
        self.build()
        self.call("ctest", "--test-dir", self.bundle / "gcc", "-R", "more.dump", "--output-on-failure",
                  "--no-tests=error")
        self.change("more/dump.c", self.CALLER.replace("hosts.restart", "hosts.start"))
        self.assertIn("there is no cookbook 'sre.hosts.start'", self.build(code=1))

    def test_what_is_added_wrongly_is_told(self):
        lists = (self.bundle / "CMakeLists.txt").read_text()
        self.change("cookbooks/sre/dump.cc", "")
        for line, words in (("spicerack_add_groups(books)", "there is no directory 'books'"),
                            ("spicerack_add_cookbook(sre.dump cookbooks/sre/dump.cc)", "dump.cc of sre.dump is not in C"),
                            ("spicerack_add_cookbook(sre/dump dump.c)", "'sre/dump' is no dotted name"),
                            ("spicerack_add_cookbook(sre.dump)", "sre.dump has no source files")):
            with self.subTest(line):
                self.change("CMakeLists.txt", lists + line + "\n")
                self.assertIn(words, " ".join(self.build(code=1).split()))

    def test_what_an_author_does_wrong_is_told(self):
        """The words of the kit, for the mistakes that its first test is for."""
        name = "cookbooks/sre/hosts/restart.c"
        good = (self.bundle / name).read_text()
        left = self.scratch / "tmp"
        left.mkdir()
        self.env["TMPDIR"] = str(left)
        mistakes = (
            ("systemctl start -- %s", "systemctl strat -- %s", "did not run on web1: systemctl start"),
            ("state->hosts = spk_remote_query(spk, state->query);", "", "exit code 94, expected 0"),
            ("SPK_HOSTS(1)", "SPK_HOSTS(2), .threshold = SPK_PERCENT(50)", "exit code 0, expected 99"),
            (".rollback = rollback", "", "it was not rolled back"))
        for old, new, words in mistakes if LONG else mistakes[:2]:
            with self.subTest(new):
                text = good.replace(old, new)
                self.assertNotEqual(text, good)
                self.change(name, text.replace("static void rollback", "__attribute__((unused)) static void rollback"))
                self.build()
                done = self.run_command(self.bundle / "gcc/test-sre.hosts.restart", timeout=120)
                self.assertEqual(done.code, 1, done)
                self.assertIn(words, done.err)
                self.assertEqual(list(left.iterdir()), [])
                self.assertRegex(done.err, r"^\S+test_sre\.hosts\.restart\.c:\d+: ")


if __name__ == "__main__":
    unittest.main()
