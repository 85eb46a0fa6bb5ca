# SPDX-License-Identifier: Apache-2.0
"""The tutorial, done as it says. `--update` brings what it shows of commands up to date.

A paragraph that ends in "`FILE`:" has the file's text in the block below. The commands of all blocks
of `console` run one after the other, in one shell so to say, in a home of their own, and print what
is shown; a line `...` stands for any number of lines, and alone for success. A block behind
`<!-- needs PROGRAM -->` is left out where that is not installed.

What the packages would bring lies in the prefix here, and Debian knows of no package that the library is from.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import unittest

from harness import PREFIX, SOURCE, CommandTest
from pages import COMMAND, shown_by

PAGE = SOURCE / "docs" / "tutorial.md"
PART = re.compile(r"(?:^(?P<before>[^\n]*)\n\n?)?^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.M | re.S)
FILE = re.compile(r"`([^`\s]+)`:$")
NEEDS = re.compile(r"<!-- needs (\S+) -->$")


class Shell:
    """One command after the other; directory, variables and the last exit code stay."""

    def __init__(self, home):
        self.home, self.state, self.code = home, home.parent / "state", 0
        self.state.write_text("")
        self.env = {"PATH": f"{PREFIX}/bin:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "USER": "alice",
                    "LANG": "C.UTF-8", "TZ": "UTC", "COLUMNS": "80", "NO_COLOR": "1", "LC_ALL": "C.UTF-8",
                    "CMAKE_PREFIX_PATH": str(PREFIX), "CMAKE_BUILD_PARALLEL_LEVEL": "2", "CMAKE_GENERATOR": "Ninja",
                    "PERL5LIB": f"{PREFIX}/share/perl5", "LD_LIBRARY_PATH": f"{PREFIX}/lib",
                    "DEB_BUILD_OPTIONS": "noautodbgsym"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def run(self, line):
        script = (f". {self.state}\n(exit {self.code})\n{line}\ncode=$?\n"
                  f"{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} >{self.state}\nexit $code")
        done = subprocess.run(["bash", "-c", script], env=self.env, cwd=self.home, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
        self.code = done.returncode
        text = done.stdout.decode(errors="backslashreplace").replace(str(self.home), "/home/alice")
        text = text.replace(str(self.home).replace("/", "-"), "-home-alice")
        text = re.sub(r"\b\d{8}-\d{6}-[0-9a-z]{6}\b", "20261126-021157-k3f9qz", text)
        text = re.sub(r"duration=\d+\.\d+", "duration=0.001", text)
        return re.sub(rf"\b{re.escape(socket.gethostname())}\b", "myhost", text)


class TutorialTest(CommandTest):
    def has_new(self):
        return self.run_command("spicerack", "new", "-h").code == 0

    def test_it_works(self):
        if not self.has_new():
            self.skipTest("spicerack new is not there")
        home = self.scratch / "home"
        shell, wrong, ran = Shell(home), [], 0
        self.write("home/.config/dpkg/buildpackage.conf", "no-check-builddeps\nno-pre-clean\n")

        def renew(found):
            nonlocal ran
            text = shell.run(found[1])
            ran += 1
            if shown_by(text, found[2]) and (shell.code == 0 or found[2] != "...\n"):
                return found[0]
            wrong.append((found[0], f"$ {found[1]}\n{text}"))
            return wrong[-1][1]

        def part(found):
            file, needs = FILE.search(found["before"] or ""), NEEDS.search(found["before"] or "")
            if needs and not shutil.which(needs[1]):
                return found[0]
            if needs:
                self.write("home/site-cookbooks/debian/shlibs.local", "libspicerack 1 libspicerack1 (>= 1.0)\n")
            if file:
                name = file[1]
                path = home / name[2:] if name.startswith("~/") else home / "site-cookbooks" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(found["body"])
            if found["language"] != "console":
                return found[0]
            body = COMMAND.sub(renew, found["body"])
            return found[0].replace(found["body"], body)

        text = PAGE.read_text()
        new = PART.sub(part, text)
        self.assertGreater(ran, 20)
        if UPDATE:
            PAGE.write_text(new)
        for shown, wanted in wrong:
            with self.subTest():
                self.assertEqual(shown, wanted)


UPDATE = "--update" in sys.argv
if UPDATE:
    sys.argv.remove("--update")

if __name__ == "__main__":
    unittest.main()
