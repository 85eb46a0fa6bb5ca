# SPDX-License-Identifier: Apache-2.0
"""An author's machine: bundles built outside the tree with the installed SDK, and what must not build."""

import ctypes
import os
import re
import shutil
import subprocess
import unittest

from harness import PREFIX, SANITIZED, SOURCE, CommandTest, compile_cookbook, without_id

HEAD = """#include <spicerack/cookbook.h>
struct state { const char *name; int times; float share; };
"""
TABLE = 'static const struct spk_arg %s[] = { %s };\n'
RUN = 'static int %s(struct spk *spk, void *self) { %s return 0; }\n'
COOKBOOK = 'SPK_COOKBOOK_NAMED(%s, .title = "x", %s.run = %s);\n'


def table(name, row, rules=""):
    """The text of a cookbook with one row of arguments."""
    return TABLE % (f"args_{name}", row) + rules + RUN % (f"run_{name}", "") + \
        COOKBOOK % (name, f"SPK_ARGS(struct state, args_{name}), {'SPK_RULES(rules), ' if rules else ''}", f"run_{name}")


def body(name, text):
    """The text of a cookbook that does this."""
    return RUN % (f"run_{name}", text) + COOKBOOK % (name, "", f"run_{name}")


NAME = "SPK_POSITIONAL(struct state, name)"

# Cookbooks, and what compilers must say of them.
MISTAKES = {
    "misspelt_field": (table("misspelt_field", NAME.replace("name", "nmae")), "no member named .nmae"),
    "type_that_is_none": (table("type_that_is_none", NAME.replace("name", "share")),
                          "_Generic|not compatible with any generic"),
    "misspelt_attribute": (table("misspelt_attribute", NAME.replace("name", 'name, .hepl = "x"')), "hepl"),
    "misspelt_in_rule": (table("misspelt_in_rule", NAME, "static const struct spk_rule rules[] = { "
                               "SPK_REQUIRES(struct state, name, tims) };\n"), "no member named .tims"),
    "format_of_info": (body("format_of_info", 'spk_info(spk, "%s", 5);'), "Wformat|format"),
    "format_of_fail": (body("format_of_fail", 'spk_fail(spk, "%d", "x");'), "Wformat|format"),
    "callback_of_another_type": ("static void odd(struct spk *spk) { }\n" +
                                 COOKBOOK % ("callback_of_another_type", "", "odd"), "incompatible"),
    "undefined_function": (body("undefined_function", "not_there();"), "implicit|undeclared"),
}

# And what gcc says once there is nothing else to say.
LATE_MISTAKES = {"dropped_result": (body("dropped_result", "spk_try(spk, 0, 0, 0);"), "unused")}


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
        source = self.write("two.c", HEAD + body("One", "") + body("Two", ""))
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
    """What the compiler and the linker must find, with the flags of pkg-config; those of CMake are tests/mistakes'."""

    def compile(self, text, compiler, *flags):
        source = self.write("mistake.c", HEAD + text)
        env = dict(os.environ, PKG_CONFIG_PATH=str(next(PREFIX.rglob("spicerack.pc")).parent))
        words = [subprocess.check_output(["pkg-config", *query, "spicerack"], env=env, text=True).split()
                 for query in (["--variable=moduleflags"], ["--cflags", "--libs"])]
        return subprocess.run([compiler, *words[0], *flags, "-o", self.scratch / "mistake.so", source, *words[1]],
                              capture_output=True, text=True, check=False)

    def test_none(self):
        for compiler in compilers():
            done = self.compile(table("one", NAME) + body("two", 'spk_info(spk, "%s", "x");'), compiler)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_compiler_finds_each(self):
        """Several in one file, where each has a file's name of its own."""
        for mistakes in (MISTAKES, LATE_MISTAKES):
            text = "".join(f'#line 1 "{name}.c"\n{mistake}' for name, (mistake, _) in mistakes.items())
            for compiler in compilers():
                self.check_found(mistakes, compiler, self.compile(
                    text, compiler, "-c", "-ferror-limit=0" if "clang" in compiler else "-fmax-errors=0").stderr)

    def check_found(self, mistakes, compiler, said):
        errors = re.split(r"^(?=\S+: error: )", said, flags=re.M)[1:]
        for name, (_, message) in mistakes.items():
            with self.subTest(name, compiler=compiler):
                about = [error for error in errors if re.search(rf"^{name}\.c:\d+:\d+: (error|note): ", error, re.M)]
                self.assertRegex("".join(about), message)

    def test_the_linker_finds_an_undefined_function(self):
        for compiler in compilers():
            done = self.compile("void not_there(void);\n" + body("one", "not_there();"), compiler)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, "undefined (reference|symbol)")


class Headers(CommandTest):
    def compile(self, compiler, *sources):
        done = subprocess.run([compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c",
                               f"-I{PREFIX}/include", *sources], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_each_stands_alone(self):
        headers = sorted((PREFIX / "include/spicerack").glob("*.h"))
        self.assertGreater(len(headers), 10)
        self.compile("gcc", *headers)

    def test_no_compiler_warns_of_them(self):
        source = self.write("all.c", "".join(f"#include <spicerack/{path.name}>\n"
                                             for path in (PREFIX / "include/spicerack").glob("*.h")))
        for compiler in compilers():
            self.compile(compiler, source)


if __name__ == "__main__":
    unittest.main()
