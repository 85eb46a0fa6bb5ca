# SPDX-License-Identifier: Apache-2.0
"""An author's machine: bundles built outside the tree with the installed SDK, and what must not build."""

import ctypes
import os
import shutil
import subprocess
import unittest

from harness import CC, PREFIX, SANITIZED, SOURCE, CommandTest, compile_cookbook, without_id

HEAD = """#include <spicerack/cookbook.h>
struct state { const char *name; int times; };
"""
TABLE = 'static const struct spk_arg args[] = { SPK_POSITIONAL(struct state, %s) };\n'
RUN = 'static int run(struct spk *spk, void *self) { %s return 0; }\n'
COOKBOOK = 'SPK_COOKBOOK(.title = "x", SPK_ARGS(struct state, args), .run = run);\n'


def compilers():
    return [path for path in map(shutil.which, ("gcc", "clang")) if path]


def exported(path):
    """The names that a shared object defines for others."""
    out = subprocess.check_output(["nm", "-D", "--defined-only", path], text=True)
    names = {line.split()[-1].split("@")[0] for line in out.splitlines()}
    return {name for name in names if not name.startswith("__odr_asan")}


class ByHand(CommandTest):
    """What pkg-config says; bundles are in test_new.py."""

    @unittest.skipIf(SANITIZED, "the installed library asks for a sanitizer that this bundle is built without")
    def test_by_hand(self):
        target = compile_cookbook(self, SOURCE / "docs/samples/greet.c", self.scratch / "tree/greet.so")
        config = self.write("bundle.cfg", self.configuration([target.parent]))
        result = self.cookbook("greet", "you", config=config)
        self.assertEqual((result.code, without_id(result.err).splitlines()[1]), (0, "hello you"))
        self.assertEqual(exported(target), {"spk_cookbook"})


class Samples(CommandTest):
    BASE = PREFIX / "lib/spicerack/cookbooks/examples"

    def samples(self):
        found = sorted(self.BASE.rglob("*.so"))
        self.assertGreaterEqual(len(found), 4)
        return found

    def test_they_export_nothing_but_their_descriptors(self):
        for path in self.samples():
            self.assertEqual(exported(path), {"spk_cookbook"}, path)

    def test_several_in_a_file_export_one_name_each(self):
        source = self.write("two.c", HEAD + RUN % "" + 'SPK_COOKBOOK_NAMED(One, .title = "1", .run = run);\n'
                            'SPK_COOKBOOK_NAMED(Two, .title = "2", .run = run);\n')
        path = compile_cookbook(self, source, self.scratch / "two.so")
        self.assertEqual(exported(path), {"spk_cookbook_One", "spk_cookbook_Two"})

    @unittest.skipIf(SANITIZED, "a sanitizer must be loaded before anything else")
    def test_all_of_their_symbols_are_found(self):
        ctypes.CDLL(str(PREFIX / "lib/libspicerack.so.1"), mode=os.RTLD_NOW | os.RTLD_GLOBAL)
        for path in self.samples():
            ctypes.CDLL(str(path), mode=os.RTLD_NOW | os.RTLD_LOCAL)

    def test_they_need_the_versioned_library(self):
        for path in self.samples():
            out = subprocess.check_output(["objdump", "-p", path], text=True)
            self.assertRegex(out, r"NEEDED +libspicerack\.so\.1\n")
            self.assertRegex(out, r"required from libspicerack\.so\.1:\n.* SPICERACK_1\.0\n")


class Mistakes(CommandTest):
    """What the compiler and the linker must find."""

    def compile(self, text, compiler=CC):
        source = self.write("mistake.c", text)
        env = dict(os.environ, PKG_CONFIG_PATH=str(next(PREFIX.rglob("spicerack.pc")).parent))
        words = [subprocess.check_output(["pkg-config", *query, "spicerack"], env=env, text=True).split()
                 for query in (["--variable=moduleflags"], ["--cflags", "--libs"])]
        return subprocess.run([compiler, *words[0], "-o", self.scratch / "mistake.so", source, *words[1]],
                              capture_output=True, text=True, check=False)

    def check_refused(self, text, message):
        for compiler in compilers():
            with self.subTest(compiler):
                done = self.compile(text, compiler)
                self.assertNotEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stderr, message)

    def test_none(self):
        for compiler in compilers():
            done = self.compile(HEAD + TABLE % "name" + RUN % 'spk_info(spk, "%s", "x");' + COOKBOOK, compiler)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_misspelt_field(self):
        self.check_refused(HEAD + TABLE % "nmae" + RUN % "" + COOKBOOK, "no member named .nmae")

    def test_a_field_of_a_type_that_is_none(self):
        self.check_refused(HEAD.replace("int times", "float times") + TABLE % "times" + RUN % "" + COOKBOOK,
                           "_Generic|not compatible with any generic")

    def test_a_misspelt_attribute(self):
        self.check_refused(HEAD + TABLE % 'name, .hepl = "x"' + RUN % "" + COOKBOOK, "hepl")

    def test_a_misspelt_field_in_a_rule(self):
        self.check_refused(HEAD + TABLE % "name" + RUN % "" +
                           "static const struct spk_rule rules[] = { SPK_REQUIRES(struct state, name, tims) };\n" +
                           COOKBOOK.replace(".run", "SPK_RULES(rules), .run"), "no member named .tims")

    def test_a_wrong_argument_of_a_format(self):
        self.check_refused(HEAD + TABLE % "name" + RUN % 'spk_info(spk, "%s", 5);' + COOKBOOK, "Wformat|format")
        self.check_refused(HEAD + TABLE % "name" + RUN % 'spk_fail(spk, "%d", "x");' + COOKBOOK, "Wformat|format")

    def test_a_dropped_result(self):
        self.check_refused(HEAD + TABLE % "name" + RUN % "spk_try(spk, 0, 0, 0);" + COOKBOOK, "unused")

    def test_a_callback_of_another_type(self):
        self.check_refused(HEAD + TABLE % "name" + "static void run(struct spk *spk) { }\n" + COOKBOOK, "incompatible")

    def test_an_undefined_function(self):
        self.check_refused(HEAD + TABLE % "name" + RUN % "not_there();" + COOKBOOK, "implicit|undeclared")
        self.check_refused(HEAD + "void not_there(void);\n" + TABLE % "name" + RUN % "not_there();" + COOKBOOK,
                           "undefined (reference|symbol)")


class Headers(CommandTest):
    def test_each_stands_alone(self):
        headers = sorted((PREFIX / "include/spicerack").glob("*.h"))
        self.assertGreater(len(headers), 10)
        for header in headers:
            for compiler in compilers():
                with self.subTest(f"{header.name} {compiler}"):
                    source = self.write("alone.c", f"#include <spicerack/{header.name}>\nint unused;\n")
                    done = subprocess.run([compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                                           f"-I{PREFIX}/include", source], capture_output=True, text=True, check=False)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
