# SPDX-License-Identifier: Apache-2.0
"""Rules of the house that a machine can hold: CONTRIBUTING.md says why."""

import re
import shutil
import subprocess
import unittest

from harness import PREFIX, SOURCE

CODE = sorted(path for folder in ("core", "plugins", "sdk", "cookbooks") for path in (SOURCE / folder).rglob("*.[ch]"))
BANNED = "atoi atol atof sprintf vsprintf strcpy strcat strtok system popen gets alloca setjmp sigsetjmp longjmp".split()
# The only place that jumps.
JUMPS = SOURCE / "core" / "runtime" / "guard.c"


def without_comments_and_strings(text):
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def declared():
    """The functions of the SDK, by its headers."""
    names = set()
    for path in (SOURCE / "sdk" / "include").rglob("*.h"):
        text = without_comments_and_strings(path.read_text())
        for match in re.finditer(r"\bSPK_API\b([^;]*);", text):
            name = re.search(r"\b(spk_\w+)\s*\(", match[1])
            names.add(name[1])
    return names


class Sources(unittest.TestCase):
    def test_there_is_code_to_check(self):
        self.assertGreater(len(CODE), 100)

    def test_every_source_is_built(self):
        listed = (SOURCE / "core" / "CMakeLists.txt").read_text()
        for path in (SOURCE / "core").rglob("*.c"):
            name = str(path.relative_to(SOURCE / "core"))
            if not name.endswith("_main.c"):
                self.assertIn(name, listed)

    def test_nothing_banned_is_called(self):
        pattern = re.compile(rf"\b_?({'|'.join(BANNED)})\s*\(")
        for path in CODE:
            text = without_comments_and_strings(path.read_text())
            for match in pattern.finditer(text):
                if path == JUMPS and "jmp" in match[1]:
                    continue
                line = text.count("\n", 0, match.start()) + 1
                self.fail(f"{path.relative_to(SOURCE)}:{line} calls {match[1]}()")

    def test_memory_of_the_core_comes_from_mem_h(self):
        pattern = re.compile(r"(?<![\w>.])(malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf)\s*\(")
        for path in (SOURCE / "core").rglob("*.c"):
            if path.name != "mem.c":
                match = pattern.search(without_comments_and_strings(path.read_text()))
                self.assertIsNone(match, f"{path.relative_to(SOURCE)} calls {match and match[1]}()")

    def test_magics_are_unique(self):
        seen = {}
        for path in CODE:
            for name, value in re.findall(r"#define (\w+_MAGIC) (0x\w+)", path.read_text()):
                self.assertNotIn(value, seen, f"{name} in {path.relative_to(SOURCE)}")
                seen[value] = name
        self.assertGreater(len(seen), 2)

    def test_every_source_names_its_licence(self):
        for path in CODE:
            if "template" in path.parts:  # what an author makes of it is his own
                continue
            self.assertIn("SPDX-License-Identifier: Apache-2.0", path.read_text().split("\n")[0], path)

    def test_every_public_function_has_a_contract(self):
        """What it promises, right above it, and since when; of a driver's table the table says it."""
        for path in sorted((SOURCE / "sdk" / "include" / "spicerack").glob("*.h")):
            for comment, name in re.findall(r"(\*/\n)?SPK_API[^;]*?\b(spk_\w+)\(", path.read_text()):
                self.assertTrue(comment, f"{path.name}: nothing says what {name}() promises")
            for name in re.findall(r"/\*((?:(?!\*/).)*)\*/\nSPK_API[^;]*?\b(spk_\w+)\(", path.read_text(), re.S):
                if name[1].endswith("_"):  # not for authors
                    continue
                self.assertIn("Since 1.", " ".join(name[0].split()).replace("* ", ""), f"{path.name}: {name[1]}()")

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_code_is_formatted(self):
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *CODE], cwd=SOURCE, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr[:2000])


# For runner and test kit.
PRIVATE = {"spk_private_runner_main", "spk_private_testing_begin", "spk_private_testing_is_undoing"}


class Exports(unittest.TestCase):
    def test_the_map_lists_what_the_headers_declare(self):
        text = (SOURCE / "sdk" / "spicerack.map").read_text()
        public = text[:text.index("SPICERACK_PRIVATE")]
        self.assertEqual(set(re.findall(r"^\t(spk_\w+);", public, re.M)), declared())

    def exported(self, name):
        library = next(PREFIX.rglob(name))
        lines = subprocess.check_output(["nm", "-D", "--defined-only", library], text=True).splitlines()
        symbols = [line.split() for line in lines]
        return {name.split("@")[0]: kind for _, kind, name in symbols if kind != "A"}

    def test_the_library_exports_that_and_no_data(self):
        exported = self.exported("libspicerack.so.1")
        self.assertEqual(set(exported), declared() | PRIVATE)
        self.assertEqual(set(exported.values()), {"T"})

    def test_the_kit_exports_what_its_header_declares_and_nothing_of_the_host(self):
        header = (SOURCE / "sdk" / "testing" / "spicerack" / "testing.h").read_text()
        self.assertEqual(set(self.exported("libspicerack-testing.so.1")),
                         set(re.findall(r"^SPK_API[^;]*?\b(spk_test_\w+)\(", header, re.M)))


if __name__ == "__main__":
    unittest.main()
