# SPDX-License-Identifier: Apache-2.0
"""What the pages and the man pages show is what there is. `--update` brings the pages up to date."""

import re
import shutil
import subprocess
import sys
import unittest

from harness import BUILD, CC, PREFIX, SOURCE, CommandTest
from pages import OF_FILE, Pages


def man(name):
    return (SOURCE / "docs" / "man" / name).read_text()


class PagesTest(CommandTest):
    def test_blocks(self):
        pages = Pages(SOURCE, BUILD, PREFIX, self.scratch)
        self.assertIn(SOURCE / "docs" / "authors.md", pages.files())
        for page, shown, wanted in pages.problems(update=UPDATE):
            with self.subTest(page=page.name):
                self.assertEqual(shown, wanted)

    def test_each_sample_is_shown(self):
        text = "".join(page.read_text() for page in Pages(SOURCE, BUILD, PREFIX, self.scratch).files())
        for sample in (SOURCE / "docs" / "samples").glob("*.c"):
            self.assertIn(f"/* samples.{sample.stem}: ", text)

    def compile(self, text):
        done = subprocess.run([CC, "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-Wno-unused-parameter",
                               *(f"-I{path.parent}" for path in (SOURCE / "sdk").glob("*/spicerack")),
                               "-DSPICERACK_TEST_TREE=\"\"", "-fsyntax-only", "-x", "c", "-"],
                              input=text, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_parts_compile(self):
        """Files and declarations as they are, statements in a function, which has what they may name."""
        together = ["#include <spicerack/cookbook.h>\n"]
        for number, (page, part) in enumerate(Pages(SOURCE, BUILD, PREFIX, self.scratch).parts("c")):
            where = f'#line 1 "{page.relative_to(SOURCE)}, block"\n'
            if "#include" in part:
                self.compile(where + part)
            elif part.startswith(("static ", "struct ", "#")):
                together.append(where + part)
            else:
                together.append(f"static void part_{number}(struct spk *spk, void *self)\n{{\n{where}{part}}}\n")
        self.assertGreater(len(together), 3)
        self.compile("".join(together))

    def test_parts_of_files(self):
        shown = [(page, *found.groups()) for page in Pages(SOURCE, BUILD, PREFIX, self.scratch).files()
                 for found in OF_FILE.finditer(page.read_text())]
        self.assertTrue(shown)
        for page, file, part in shown:
            self.assertIn(part, (SOURCE / file).read_text(), f"{page.name} shows another {file}")

    def test_parts_in_python_are_python(self):
        parts = list(Pages(SOURCE, BUILD, PREFIX, self.scratch).parts("python"))
        self.assertTrue(parts)
        for page, part in parts:
            compile(part, page.name, "exec")

    def test_links(self):
        for page in Pages(SOURCE, BUILD, PREFIX, self.scratch).files() + [SOURCE / "CONTRIBUTING.md"]:
            for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
                self.assertTrue((page.parent / target).exists(), f"{page.name} links to {target}")
                if anchor:
                    other = (page.parent / target if target else page).read_text()
                    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", other, flags=re.M | re.S), re.M)
                    known = [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]
                    self.assertIn(anchor, known, f"{page.name} links to {target}")

    def test_the_book_names_every_page(self):
        book = SOURCE / "docs" / "README.md"
        named = {(book.parent / target).resolve() for target in re.findall(r"\]\(([^)#:]+)", book.read_text())}
        for page in Pages(SOURCE, BUILD, PREFIX, self.scratch).files():
            if page.parent.name != "decisions" and page not in (book, SOURCE / "README.md"):
                self.assertIn(page.resolve(), named)


class ManPages(CommandTest):
    def options(self, *words):
        result = self.run_command(*words)
        self.assertEqual(result.code, 0, result)
        options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", result.out.partition("options:")[2]))
        self.assertIn("--help", options)
        return options

    def assertDocumented(self, options, name):
        text = man(name)
        for option in options:
            flag = option[1:].replace("-", r"(?:\\-|-)")
            self.assertRegex(text, rf"(?m)^\.It .*Fl {flag}\b", f"{option} is not in {name}")

    def test_options_of_cookbook(self):
        self.assertDocumented(self.options("cookbook", "-h"), "cookbook.1")

    def test_options_of_spicerack(self):
        for words in (["spicerack", "-h"], ["spicerack", "check", "-h"], ["spicerack", "config", "show", "-h"],
                      ["spicerack", "hosts", "-h"], ["spicerack", "new", "-h"], ["spicerack", "remote", "reap", "-h"]):
            self.assertDocumented(self.options(*words), "spicerack.1")
        self.assertDocumented(self.options("spicerack", "run", "-h"), "spicerack-run.1")

    def test_keys(self):
        """Each row of the settings' table, by its help."""
        text = man("spicerack.cfg.5")
        keys = self.run_command("spicerack", "config", "show", "-h").out.partition("keys:\n")[2]
        names = re.findall(r"^  (\S+)$", keys, re.M)
        self.assertIn("logs_base_dir", names)
        for name in names:
            self.assertRegex(text, rf"(?m)^\.It Ic {re.escape(name)}$", name)
        for variable in re.findall(r"\((SPICERACK_\w+)\)", keys):
            self.assertIn(variable, text)

    def test_exit_codes(self):
        header = (SOURCE / "core" / "host" / "run" / "outcome.h").read_text()
        codes = re.findall(r"^\tEXIT_\w+ = (\d+),", header, re.M)
        self.assertGreater(len(codes), 10)
        for code in codes:
            self.assertRegex(man("cookbook.1"), rf"(?m)^\.It {code}$", f"exit code {code}")
            self.assertRegex((SOURCE / "docs" / "operators.md").read_text(), rf"(?m)^\| {code} \|", code)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_lint(self):
        for page in sorted((SOURCE / "docs" / "man").iterdir()):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""), page.name)


UPDATE = "--update" in sys.argv
if UPDATE:
    sys.argv.remove("--update")

if __name__ == "__main__":
    unittest.main()
