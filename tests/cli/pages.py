# SPDX-License-Identifier: Apache-2.0
"""The pages (README.md, docs): their blocks of cookbooks and commands, checked or brought up to date.

A block of C that holds SPK_COOKBOOK is a whole cookbook: it is identical to docs/samples/NAME.c, NAME
being in its first line, `/* samples.NAME: ... */`, or to cookbooks/GROUP/NAME.c but for its licence; one that begins
with `/* Tests of samples.NAME: ... */` is docs/samples/tests/test_NAME.c. In a block of `console`, what stands behind
`$ cookbook ...` or `$ spicerack ...` is what that command prints, a line `...` standing for any number
of lines. Commands about `samples.` find the cookbooks of docs/samples, others the installed ones.

A block behind `<!-- of FILE -->` is a part of that file, word for word, `FILE` being something that other
tests build. Other blocks of C are parts of a cookbook, and compile. The tutorial is test_tutorial.py's.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess

TUTORIAL = "tutorial.md"
BLOCK = re.compile(r"^```(c|console)\n(.*?)^```$", re.M | re.S)
OF_FILE = re.compile(r"^<!-- of (\S+) -->\n```\w+\n(.*?)^```$", re.M | re.S)
SAMPLE = re.compile(r"/\* ([\w-]+)\.([\w-]+): ")
TESTS = re.compile(r"/\* Tests of samples\.([\w-]+): ")
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.M)


def shown_by(text, shown):
    """Whether a page shows what a command printed."""
    pattern = "".join("(?:.*\n)*" if part == "..." else re.escape(part) + "\n" for part in shown.splitlines())
    return re.fullmatch(pattern, text) is not None


class Pages:
    def __init__(self, source, build, prefix, scratch):
        self.source, self.build, self.prefix, self.scratch = source, build, prefix, scratch
        for release in ("v1", "v2"):
            (scratch / "app" / "releases" / release).mkdir(parents=True, exist_ok=True)
        self.application = str(scratch / "app")
        shutil.copy(source / "docs" / "samples" / "answers.cfg", scratch / "app")

    def files(self):
        return [self.source / "README.md", *sorted((self.source / "docs").rglob("*.md"))]

    def parts(self, language):
        """(page, text) of all blocks in a language that are no whole cookbooks, but for the tutorial's."""
        for page in self.files():
            for found in re.finditer(rf"^```{language}\n(.*?)^```$", OF_FILE.sub("", page.read_text()), re.M | re.S):
                if page.name != TUTORIAL and "SPK_COOKBOOK" not in found[1]:
                    yield page, found[1]

    def output(self, line):
        """What a command prints, with the names that a page uses."""
        env = {
            "PATH": f"{self.prefix}/bin:{os.environ['PATH']}", "HOME": str(self.scratch), "USER": "alice",
            "LANG": "C.UTF-8", "TZ": "UTC", "COLUMNS": "80", "NO_COLOR": "1",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        if "samples" in line:
            env["SPICERACK_COOKBOOKS_BASE_DIRS"] = str(self.build / "docs" / "cookbooks")
        words = shlex.split(line.replace("/srv/app", self.application))
        done = subprocess.run(words, env=env, cwd=self.scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        text = done.stdout.decode(errors="backslashreplace")
        text = text.replace(self.application, "/srv/app")
        # Where the directory's name became part of a lock's suffix.
        text = text.replace(self.application.replace("/", "-"), "-srv-app")
        text = re.sub(r"\b\d{8}-\d{6}-[0-9a-z]{6}\b", "20261126-021157-k3f9qz", text)
        text = re.sub(r"duration=\d+\.\d+", "duration=0.001", text)
        return re.sub(rf"\b{re.escape(socket.gethostname())}\b", "myhost", text)

    def expected(self, language, body):
        """What a block should hold, or None when it is not for us to say."""
        if language == "c":
            sample = SAMPLE.match(body)
            tested = TESTS.match(body)
            if tested:
                return (self.source / "docs" / "samples" / "tests" / f"test_{tested[1]}.c").read_text()
            if "SPK_COOKBOOK" not in body:
                return None
            if not sample:
                return "/* the first line does not name a file of docs/samples or cookbooks */\n"
            directory = "docs/samples" if sample[1] == "samples" else f"cookbooks/{sample[1]}"
            path = self.source / directory / f"{sample[2]}.c"
            if not path.exists():
                return f"/* there is no {path} */\n"
            return path.read_text().removeprefix("/* SPDX-License-Identifier: Apache-2.0 */\n")
        return COMMAND.sub(self.renew, body)

    def renew(self, found):
        line, shown = found[1], found[2]
        if line.split()[0] not in ("cookbook", "spicerack"):
            return found[0]
        text = self.output(line)
        return found[0] if shown_by(text, shown) else f"$ {line}\n{text}"

    def problems(self, update=False):
        """Yields (page, is, should be) of each wrong block; with `update` it is put right, too."""
        for page in self.files():
            if page.name == TUTORIAL:
                continue
            text = page.read_text()

            def check(found):
                wanted = self.expected(found[1], found[2])
                if wanted is None or wanted == found[2]:
                    return found[0]
                wrong.append((page, found[2], wanted))
                return f"```{found[1]}\n{wanted}```"

            wrong = []
            new = BLOCK.sub(check, text)
            yield from wrong
            if update and new != text:
                page.write_text(new)
