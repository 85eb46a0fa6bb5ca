# SPDX-License-Identifier: Apache-2.0
"""The reference that is made of the headers: complete, linked, the same every time, and shown by man."""

import os
import re
import shutil
import subprocess
import sys
import unittest

from harness import PREFIX, SOURCE, CommandTest

HEADERS = sorted(SOURCE.glob("sdk/*/spicerack/*.h"))
MADE = PREFIX / "share" / "doc" / "spicerack" / "reference"
MANUAL = PREFIX / "share" / "man" / "man3"


def words(text):
    """What was written, without what a page does to it: links, emphasis, lines."""
    text = re.sub(r"\]\([^()\s]*\)|<a id=\"[^\"]*\"></a>|^```\w*$", " ", text, flags=re.M)
    return re.findall(r"[A-Za-z]{2,}|\d+", text)


class ReferenceTest(CommandTest):
    def make(self, name, headers, **env):
        directory = self.scratch / name
        done = subprocess.run(
            [sys.executable, "-B", SOURCE / "tools" / "reference" / "main.py", "--markdown", directory / "markdown",
             "--manual", directory / "man3", "--date", "November 22, 2026", *headers],
            env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True, check=False)
        return directory, done

    def exported(self):
        text = (SOURCE / "sdk" / "spicerack.map").read_text()
        names = re.findall(r"^\t(spk_\w+);", text[:text.index("SPICERACK_PRIVATE")], re.M)
        self.assertGreater(len(names), 300)
        return [name for name in names if not name.endswith("_")]

    def anchors(self):
        return {name for path in MADE.glob("*.md") for name in re.findall(r'<a id="([^"]+)">', path.read_text())}

    def test_every_function_is_in_it(self):
        known, contents = self.anchors(), (MADE / "README.md").read_text()
        for name in self.exported():
            self.assertIn(name, known)
            self.assertIn(f"#{name})", contents)
            page = (MANUAL / f"{name}.3").read_text()
            self.assertRegex(page, r"\A\.so man3/spicerack-\w+\.3\n\Z")
            self.assertRegex((PREFIX / "share" / "man" / page.split()[1]).read_text(), rf"(?m)^\.Nm {name}\b")

    def test_macros_and_types_are_in_it(self):
        known = self.anchors()
        for header in HEADERS:
            text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
            names = re.findall(r"^#define (\w+)", text, re.M) + re.findall(r"^\} (spk_\w+);", text, re.M)
            names += [f"{tag}-{name}" for tag, name in re.findall(r"^(struct|enum) (\w+) \{", text, re.M)]
            for name in names:
                if not name.endswith(("_", "_H")):
                    self.assertIn(name, known, header.name)

    def test_nothing_of_a_contract_is_lost(self):
        for header in HEADERS:
            page = words((MADE / f"{header.stem}.md").read_text())
            for comment in re.findall(r"^/\*.*?\*/", header.read_text(), re.M | re.S):
                if "SPDX" in comment or "alone. */" in comment or re.match(r"/\* -+ ", comment):
                    continue
                text = re.sub(r"\bSince 1\.\d+\.|\bSource:", "", re.sub(r"^ \* ?", "", comment, flags=re.M))
                for sentence in re.split(r"[.:;]\s", text):
                    wanted = words(sentence)
                    self.assertTrue(
                        any(page[at:at + len(wanted)] == wanted for at in range(len(page)))
                        if wanted else True, f"{header.name}: {sentence}")

    def test_links_lead_somewhere(self):
        pages = {path.name: path.read_text() for path in MADE.glob("*.md")}
        for name, text in pages.items():
            anchors = re.findall(r'<a id="([^"]+)">', text)
            self.assertEqual(len(anchors), len(set(anchors)), name)
            links = re.findall(r"\]\(([^()#]*)(?:#([^()]*))?\)", text)
            self.assertTrue(links, name)
            for page, anchor in links:
                self.assertIn(page or name, pages, name)
                self.assertTrue(not anchor or f'<a id="{anchor}"></a>' in pages[page or name], f"{name}: {anchor}")

    def test_it_says_since_when_and_what_is_raised(self):
        text = (MADE / "remote.md").read_text()
        entry = text[text.index('<a id="spk_remote_subset">'):text.index('<a id="spk_remote_with_sudo">')]
        self.assertIn("struct spk_remote *spk_remote_subset(const struct spk_remote *remote,", entry)
        self.assertIn("Raises `remote.subset` unless all of them are among its own.", entry)
        self.assertIn("Since 1.0. Errors: [`remote.subset`](errors.md#kind-remote-subset).", entry)
        self.assertIn("[`spk_remote_subset()`](remote.md#spk_remote_subset)", (MADE / "errors.md").read_text())
        self.assertIn("Python: `Discovery.pool()`.", (MADE / "discovery.md").read_text())

    def test_it_is_the_same_every_time(self):
        one, done = self.make("one", HEADERS, PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C")
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        two, done = self.make("two", reversed(HEADERS), PYTHONHASHSEED="2", LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH="1")
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        compared = 0
        for path in sorted(one.rglob("*")):
            if path.is_file():
                other = two / path.relative_to(one)
                self.assertEqual(path.read_bytes(), other.read_bytes(), path.name)
                compared += 1
        self.assertGreater(compared, 400)
        for path in MADE.glob("*.md"):
            self.assertEqual(path.read_bytes(), (one / "markdown" / path.name).read_bytes(), path.name)

    def test_what_was_there_before_goes(self):
        directory, _ = self.make("again", HEADERS)
        (directory / "markdown" / "gone.md").write_text("")
        self.make("again", HEADERS)
        self.assertFalse((directory / "markdown" / "gone.md").exists())

    def broken(self, text):
        header = self.scratch / "broken.h"
        header.write_text(f"/* SPDX */\n/* For a test. */\n#ifndef BROKEN_H\n#define BROKEN_H\n\n{text}\n#endif\n")
        _, done = self.make("broken", [header])
        self.assertEqual(done.returncode, 1)
        return done.stderr

    def test_a_function_without_a_contract_is_an_error(self):
        self.assertRegex(self.broken("SPK_API void spk_x(void);\n"), r"broken.h:6: spk_x\(\) has no contract\n\Z")

    def test_one_that_does_not_say_since_when_is_an_error(self):
        self.assertIn("spk_x() does not say since when", self.broken("/* Does it. */\nSPK_API void spk_x(void);\n"))

    def test_what_cannot_be_read_is_an_error(self):
        self.assertIn("broken.h:7: this declaration has no end", self.broken("/* A. */\nstruct x {\n"))
        self.assertIn("is nothing that the reference knows", self.broken("/* A. */\nextern int spk_data;\n"))

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_the_man_pages_are_well_formed(self):
        pages = sorted(MANUAL.glob("spicerack-*.3"))
        self.assertEqual(len(pages), len(HEADERS))
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_a_man_page_shows_the_contract(self):
        shown = subprocess.check_output(["mandoc", "-T", "ascii", "-O", "width=200", MANUAL / "spicerack-text.3"],
                                        text=True)
        shown = re.sub(".\b", "", shown)
        self.assertIn('const char *spk_format(struct spk *spk, const char *format, ...);', shown)
        self.assertIn("the text of every %s is quoted as one word", shown)
        self.assertIn('spk_shell_format(spk, "rm -f -- %s", path)', shown)


if __name__ == "__main__":
    unittest.main()
