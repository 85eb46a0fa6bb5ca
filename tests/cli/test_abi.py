# SPDX-License-Identifier: Apache-2.0
"""The ABI guard: what the library exports and the headers lay out is what is kept in tests/abi, or more than that."""

import pathlib
import platform
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree

from harness import CC, PREFIX, SOURCE, CommandTest

sys.path.insert(0, str(SOURCE / "tests/abi"))
import guard  # pylint: disable=wrong-import-position

HEADERS = SOURCE / "sdk/include"
FUNCTIONS = guard.functions(SOURCE)
X86_64 = platform.machine() == "x86_64"


def compilers():
    """How C and C++ are compiled here; clang needs no package of its own for the headers' C++."""
    found = [[path] for path in map(shutil.which, ("gcc", "clang")) if path]
    return found, [[*words, "-x", "c++"] for words in found if "clang" in words[0]] + \
                  [[path] for path in [shutil.which("g++")] if path]


# What must be found: what it is, header, what it has there, what instead, whether layout.c finds it, what abidiff says.
BREAKS = (
    ("a member moved", "command.h", r"(\tspk_duration timeout;)(.*?\n)(.*?\n)", r"\3\1\2", True,
     "'spk_duration timeout' offset changed from 192 to 256"),
    ("a member inserted", "cookbook.h", r"(\tconst char \*title;)", r"\tuint64_t more;\n\1", True, "'uint64_t more'"),
    ("a member removed", "argument.h", r"\tconst char \*pattern;.*?\n", "", True, "'const char\\* pattern'"),
    ("a member of another type", "cookbook.h", r"uint32_t task_id; ", "bool task_id;", True, "'uint32_t task_id'"),
    ("a member of another sign", "cookbook.h", r"uint32_t task_id; ", "int32_t task_id;", False, "'uint32_t task_id'"),
    ("a longer array", "plugin.h", r"char function\[128\]", "char function[256]", True, "char function"),
    ("a value that grew", "value.h", r"(\tsize_t count;\n\} spk_ints)", r"\tint more;\n\1", True, "'int more'"),
    ("a result that grew", "command.h", r"(\tspk_duration took;)", r"\1\n\tint more;", True, "'int more'"),
    ("an enum renumbered", "argument.h", r"SPK_TYPE_CUSTOM = 14", "SPK_TYPE_CUSTOM = 15", True,
     "'spk_type::SPK_TYPE_CUSTOM' from value '14' to '15'"),
    ("a number inserted", "clock.h", r"(\tSPK_BACKOFF_LINEAR) = 2,\n(\tSPK_BACKOFF_POWER) = 3",
     r"\tSPK_BACKOFF_NEW = 2,\n\1 = 3,\n\2 = 4", True, "SPK_BACKOFF_LINEAR' from value '2' to '3'"),
    ("a parameter of another type", "collection.h", r"(spk_map_find\(const struct spk_map \*map, )const char \*key",
     r"\1spk_path key", False, "parameter 2 of type 'const char\\*' changed"),
    ("a parameter more", "text.h", r"(spk_is_empty\(const char \*text)", r"\1, int more", False,
     "parameter 2 of type 'int' was added"),
    ("a parameter that is written to", "session.h", r"(spk_verbose\()const ", r"\1", False, "from 'const spk' to"),
    ("another result", "session.h", r"bool (spk_verbose)", r"int \1", False, "from 'bool' to 'int'"),
    ("another callback", "error.h", r"typedef void spk_action", "typedef int spk_action", False, "from 'void' to 'int'"),
    ("another callback of a driver", "plugin.h", r"size_t start, bool whole", "size_t start, int whole", False,
     "parameter 5 of type 'bool' changed"),
)

# What may come, and how it is told.
ADDITIONS = (
    ("cookbook.h", r"(\tstruct spk_call_table calls;)", r"\1\n\tconst char *more;", "struct spk_cookbook: more at 192"),
    ("argument.h", r"(\tconst struct spk_arg_table \*block;.*?\n)", r"\1\tint more, most;\n", "struct spk_arg: more at 248"),
    ("command.h", r"(\tsize_t output_limit;)", r"\1\n\tint more;", "struct spk_command: more at 88"),
    ("plugin.h", r"(\t\t\t  char \*out, .*?;\n)", r"\1\tint (*more)(void);\n", "struct spk_regex_driver: more at 56"),
    ("argument.h", r"(SPK_TYPE_CUSTOM = 14,)", r"\1 SPK_TYPE_MORE = 15,", "enum spk_type: SPK_TYPE_MORE = 15"),
    ("value.h", r"(/\* A span of time)", r"struct spk_more { int x; };\n\1", "struct_spk_more"),
)


@unittest.skipUnless(X86_64, "what is kept is for x86-64")
@unittest.skipUnless(shutil.which("abidiff"), "abigail-tools is not installed")
class Types(CommandTest):
    KEPT = guard.TYPES.read_text()

    def changed(self, *changes):
        """A copy of the headers with changes, each (header, pattern, what instead)."""
        include = self.scratch / "include"
        shutil.rmtree(include, ignore_errors=True)
        shutil.copytree(HEADERS, include)
        for header, pattern, instead in changes:
            path = include / "spicerack" / header
            text, count = re.subn(pattern, instead, path.read_text(), count=1)
            self.assertEqual(count, 1, f"{header} has no {pattern}")
            path.write_text(text)
        return include

    def test_nothing_broke(self):
        broken, came = guard.compare_types(self.KEPT, guard.describe(HEADERS, FUNCTIONS, CC))
        self.assertEqual(broken, "", f"\n{broken}")
        if came:
            print("\nnew in the ABI, taken over by the target update-abi:", *came, sep="\n    ", file=sys.stderr)

    def test_what_breaks_is_found(self):
        """Several at once, no two of them in one header: what is said names each."""
        together = []
        for change in BREAKS:
            for group in together:
                if change[1] not in {other[1] for other in group}:
                    group.append(change)
                    break
            else:
                together.append([change])
        for group in together:
            include = self.changed(*[change[1:4] for change in group])
            broken, _ = guard.compare_types(self.KEPT, guard.describe(include, FUNCTIONS, CC))
            for what, *_, says in group:
                with self.subTest(what):
                    self.assertRegex(broken, says)

    def test_what_breaks_a_layout_is_found_without_libabigail(self):
        for what, *change, laid_out, _ in BREAKS:
            with self.subTest(what):
                done = subprocess.run([CC, "-fsyntax-only", f"-I{self.changed(change)}", SOURCE / "tests/abi/layout.c"],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode != 0, laid_out, done.stderr)

    def test_a_function_that_is_gone_is_found(self):
        broken, _ = guard.compare_types(self.KEPT, guard.describe(HEADERS, FUNCTIONS[1:], CC))
        self.assertRegex(broken, rf"\[D\].*abi_{FUNCTIONS[0]}\b")

    def test_what_is_added_passes_and_is_told(self):
        function = ("text.h", r"(SPK_API bool spk_is_empty)", r"SPK_API void spk_more(void);\n\1")
        include = self.changed(function, *[change[:3] for change in ADDITIONS])
        broken, came = guard.compare_types(self.KEPT, guard.describe(include, [*FUNCTIONS, "spk_more"], CC))
        self.assertEqual(broken, "", f"\n{broken}")
        self.assertEqual({"spk_more", *[says for *_, says in ADDITIONS]} - set(came), set())


class Layout(CommandTest):
    """The plain table, which needs no description of types by a compiler."""

    def table(self):
        return re.findall(r"^(STRUCT|MEMBER|NUMBER)\((.*)\)$", (SOURCE / "tests/abi/layout.def").read_text(), re.M)

    def test_holds_for_every_compiler(self):
        for words in sum(compilers(), []):
            with self.subTest(words):
                done = subprocess.run([*words, "-Wall", "-Wextra", "-Werror", f"-I{PREFIX}/include", "-fsyntax-only",
                                       SOURCE / "tests/abi/layout.c"], capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_has_all_that_is_kept(self):
        tree = xml.etree.ElementTree.fromstring(guard.TYPES.read_text())
        kept = {("NUMBER", f"{name}, {value.get('value')}") for _, values in guard.enums(tree).values()
                for name, value in values.items()}
        for name, structure in guard.structures(tree).items():
            kept.add(("STRUCT", f"{name}, {int(structure.get('size-in-bits')) // 8}"))
            kept |= {("MEMBER", f"{name}, {field}, {offset}") for _, field, offset in guard.members(structure)}
        table = {(kind, row.rpartition(", ")[0] if kind == "MEMBER" else row) for kind, row in self.table()}
        self.assertGreater(len(kept), 200)
        self.assertEqual(kept - table, set(), "not in tests/abi/layout.def")

    def test_what_grows_has_no_holes(self):
        """The bytes of a hole are anything: a later member in its place would be given by old cookbooks."""
        never_filled = {("spk_group", "title")}
        ends = {}
        for kind, row in self.table():
            name, *numbers = row.split(", ")
            if kind == "STRUCT":
                size = int(numbers[0])
                ends[name] = [0, size]
            elif kind == "MEMBER" and name in guard.GROWING:
                field, offset, size = numbers[0], int(numbers[1]), int(numbers[2])
                if (name, field) not in never_filled:
                    self.assertEqual(offset, ends[name][0], f"before {field} of struct {name}")
                ends[name][0] = offset + size
        for name in guard.GROWING:
            self.assertEqual(*ends[name], f"at the end of struct {name}")


class CPlusPlus(CommandTest):
    @unittest.skipUnless(compilers()[1], "no compiler for C++ is installed")
    def test_the_functions_are_those_of_c(self):
        source = self.write("surface.cc", guard.surface(HEADERS, FUNCTIONS, addresses=True))
        for words in compilers()[1]:
            with self.subTest(words):
                subprocess.run([*words, "-Wall", "-Wextra", "-Werror", f"-I{PREFIX}/include", "-c", "-o", "surface.o", source],
                               cwd=self.scratch, check=True)
                needed = subprocess.check_output(["nm", "--undefined-only", "surface.o"], cwd=self.scratch, text=True)
                self.assertEqual(sorted(line.split()[-1] for line in needed.splitlines()), sorted(FUNCTIONS))


class Symbols(CommandTest):
    KEPT = guard.SYMBOLS.read_text().splitlines()
    CODE = "void spk_a(void) {} void spk_b(void) {} "
    MAP = "SPICERACK_1.0 { global: spk_a; spk_b; local: *; };"

    def test_debian_has_the_same(self):
        others = guard.private(SOURCE)
        self.assertGreater(len(others), 2)
        self.assertEqual((SOURCE / guard.DEBIAN_SYMBOLS).read_text(), guard.debian_symbols(self.KEPT, others))

    def library(self, code=CODE, symbol_map=MAP):
        self.write("lib.c", code)
        words = ["-Wl,--version-script,lib.map"] if symbol_map else []
        self.write("lib.map", symbol_map)
        subprocess.run([CC, "-shared", "-fPIC", "-w", *words, "-o", "lib.so", "lib.c"], cwd=self.scratch, check=True)
        return guard.exported(self.scratch / "lib.so")

    def test_nothing_broke(self):
        broken, came = guard.compare_symbols(self.KEPT, guard.exported(next(PREFIX.rglob("libspicerack.so.1"))))
        self.assertEqual(broken, "", f"\n{broken}")
        if came:
            print("\nnew symbols, taken over by the target update-abi:", *came, sep="\n    ", file=sys.stderr)

    def test_what_breaks_is_found(self):
        kept = self.library()
        self.assertEqual(kept, ["spk_a SPICERACK_1.0 T", "spk_b SPICERACK_1.0 T"])
        self.assertEqual(guard.compare_symbols(kept, kept), ("", []))
        for what, code, symbol_map, says in (
                ("removed", "void spk_a(void) {}", self.MAP, "gone: spk_b SPICERACK_1.0 T\n"),
                ("no map", self.CODE, "", "without a node of the map: spk_a - T\n"),
                ("an odd node", self.CODE + "void spk_c(void) {}", self.MAP + "ODD { global: spk_c; };",
                 "without a node of the map: spk_c ODD T\n"),
                ("moved to another node", self.CODE, "SPICERACK_1.1 { global: spk_*; local: *; };",
                 "gone: spk_a SPICERACK_1.0 T\n"),
                ("data", self.CODE + "int spk_c = 1;", self.MAP + "SPICERACK_1.1 { global: spk_c; };",
                 "not a function: spk_c SPICERACK_1.1 D\n"),
                ("constant data", self.CODE + "const int spk_c = 1;", self.MAP + "SPICERACK_1.1 { global: spk_c; };",
                 "not a function: spk_c SPICERACK_1.1 R\n")):
            with self.subTest(what):
                broken, _ = guard.compare_symbols(kept, self.library(code, symbol_map))
                self.assertIn(says, broken)

    def test_what_is_added_passes_and_is_told(self):
        kept = self.library()
        now = self.library(self.CODE + "void spk_c(void) {}", self.MAP + "SPICERACK_1.1 { global: spk_c; };")
        self.assertEqual(guard.compare_symbols(kept, now), ("", ["spk_c SPICERACK_1.1 T"]))


@unittest.skipUnless(X86_64 and shutil.which("abidiff"), "what is kept is for x86-64, and compared by abigail-tools")
class Update(CommandTest):
    """The command behind the target update-abi, on a copy."""

    def setUp(self):
        super().setUp()
        self.copy = self.scratch / "abi"
        self.copy.mkdir()
        for name in ("guard.py", "symbols", "types.abi"):
            shutil.copyfile(SOURCE / "tests/abi" / name, self.copy / name)

    def update(self, *words):
        return self.run_command(sys.executable, "-B", self.copy / "guard.py", *words, SOURCE,
                                next(PREFIX.rglob("libspicerack.so.1")), CC)

    def drop(self, name, pattern):
        path = self.copy / name
        text, count = re.subn(pattern, "", path.read_text(), flags=re.M)
        self.assertGreater(count, 0)
        path.write_text(text)

    def test_takes_over_what_is_new(self):
        self.drop("symbols", "^spk_alloc .*\n")
        self.drop("types.abi", "^.*'abi_spk_alloc'.*\n")
        result = self.update()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.out, "new: spk_alloc\nnew: spk_alloc SPICERACK_1.0 T\n")
        self.assertNotIn("spk_alloc ", (self.copy / "symbols").read_text())
        self.assertEqual(self.update("--update").code, 0)
        self.assertEqual(self.update().out, "")

    def test_refuses_what_is_broken(self):
        kept = self.copy / "symbols"
        kept.write_text(kept.read_text() + "spk_gone SPICERACK_1.0 T\n")
        before = {path.name: path.read_bytes() for path in self.copy.iterdir() if path.is_file()}
        result = self.update("--update")
        self.assertEqual(result.code, 1, result)
        self.assertEqual((result.out, result.err), ("gone: spk_gone SPICERACK_1.0 T\n",
                                                    "the ABI is broken: sdk/abi-history.md\n"))
        self.assertEqual(before, {path.name: path.read_bytes() for path in self.copy.iterdir() if path.is_file()})


if __name__ == "__main__":
    unittest.main()
