# SPDX-License-Identifier: Apache-2.0
"""Mistakes that authors make, each a small cookbook with what must catch it. README.md is the table of results.

The head of each file says: the kind; the shape, after a real fix; what catches it; words of what is then
said (alternatives separated by `|`); the words of a run. With -DFIXED the same file is right: it builds
without a warning, `check` has nothing to say, and it runs. Compilers are run by the installed CMake package, as an
author's bundle is.

All of that for each file and compiler is for long tests. Others leave out of the second compiler what is not
for compilers to find, and what it has put right; and do not link and run what the first one has to find, put right.
"""

import json
import pathlib
import re
import shutil
import sys
import unittest

from harness import LONG, PREFIX, SANITIZED, CommandTest

HERE = pathlib.Path(__file__).parent
SOURCES = HERE / "cookbooks"
README = HERE / "README.md"
COMPILERS = ("gcc", "clang")
TREES = ("broken", "fixed")
TARGET = "nested-target"
HEAD = re.compile(r"^ \* (kind|shape|caught|words|run): (.*(?:\n \*   .*)*)", re.M)
CAUGHT = re.compile(r"(compiler|check|run|nobody)(?: \(([\w, -]+)\))?")

INTRODUCTION = """# Mistakes and what catches them

Each file of [cookbooks](cookbooks) holds one mistake with the shape of a real fix in eight years of
cookbooks (the identifiers of commits are theirs), and says what must catch it: the compilers, with the
flags of `spicerack_add_cookbook()`; `spicerack check`; or a clear error of the run. Built with
`-DFIXED` the same file is right, and nothing may complain. This page is written by
`test_mistakes.py --write` (target `update-mistakes`) and compared in every test run.

A name in the column of `check` is the finding; a number in that of the run is the exit code. What is caught
before is not built or not run.

"""

REST = """
## What stays with the author

The files caught by nobody are in the table because they are as common: two texts in the wrong order, a
text that was meant to be a format, a missing blank, a list read beyond its end (by address, so that no
bounds are known), and logic. Of the rest of the fixes (timing, races, the text of remote commands,
aliases of hosts, drift of other systems) only a test or a run on the spot can tell.

Glued literals are found by clang in a table of the cookbook's own, by `check` in every list of an
argument table, a default or a declared call, whichever compiler built it; in a list of
`SPK_STRINGS()` within a function by nobody. A number that is set on one path only is found by clang, a text by
neither: gcc takes the one value that there is for the only one, clang does not look at pointers to what is
constant. Bundles are best built with both compilers.
"""


class Mistake:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        found = {key: re.sub(r"\n \*\s+", " ", value) for key, value in HEAD.findall(path.read_text())}
        self.kind, self.shape = found["kind"], found["shape"]
        match = CAUGHT.fullmatch(found["caught"])
        self.catcher, self.which = match[1], [word for word in (match[2] or "").split(", ") if word]
        self.words = re.compile(found["words"]) if "words" in found else None
        self.run = found.get("run", "").split()


def mistakes():
    return [Mistake(path) for path in sorted(SOURCES.glob("*.c")) if path.stem != TARGET]


class Built:
    """What became of one file with one compiler, as it is or put right: the cookbook, or its object file."""

    def __init__(self, path, text):
        self.path, self.text, self.failed = path, text, not path.exists()
        self.linked = path.suffix == ".so"
        self.findings = []


def step(tree, mistake, compiler):
    """How far to go with one file: `cookbook`, `object`, or None for not at all."""
    if LONG:
        return "cookbook"
    if compiler == COMPILERS[0]:
        return "object" if tree == "fixed" and mistake.catcher == "compiler" else "cookbook"
    return "object" if tree == "broken" and mistake.catcher == "compiler" else None


# What ninja prints of one step, up to the next: the name of the target and what the compiler said.
STEP = re.compile(r"^(?:\[\d+/\d+\]|FAILED:) .*?cookbook-(broken|fixed)\.([\w-]+)\.dir.*\n((?:(?!\[\d+/|FAILED:).*\n)*)", re.M)


class Corpus(CommandTest):
    def configure(self, compiler, folder):
        """A bundle of all files, each as it is and put right; returns their object files by tree and name."""
        lines = ["cmake_minimum_required(VERSION 3.25)", "project(mistakes LANGUAGES C)",
                 "find_package(Spicerack 1.0 REQUIRED)"]
        for source in sorted(SOURCES.glob("*.c")):
            for tree in TREES:
                target = f"{tree}.{source.stem}"
                lines.append(f"spicerack_add_cookbook({target} {source} NO_INSTALL)")
                lines.append(f"target_compile_options(cookbook-{target} PRIVATE -g1)")
            lines.append(f"target_compile_definitions(cookbook-fixed.{source.stem} PRIVATE FIXED)")
        self.write(f"{compiler}/CMakeLists.txt", "\n".join(lines) + "\n")
        done = self.run_command("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build",
                                f"-DCMAKE_PREFIX_PATH={PREFIX}", f"-DCMAKE_C_COMPILER={shutil.which(compiler)}",
                                "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", timeout=300)
        self.assertEqual(done.code, 0, done)
        commands = (folder / "build/compile_commands.json").read_text()
        return {(tree, name): path for path, tree, name in
                re.findall(r" -o (\S*/cookbook-(\w+)\.([\w-]+)\.dir/\S+)", commands)}

    def build(self, compiler):
        """Builds what is to be built, as far as that goes."""
        folder = self.scratch / compiler
        objects, built, targets = self.configure(compiler, folder), {}, {}
        for tree in TREES:
            for mistake in mistakes():
                end, key = step(tree, mistake, compiler), (tree, mistake.name)
                if end:
                    targets[key] = objects[key] if end == "object" else f"cookbooks/{tree}/{mistake.name}.so"
            # What others run.
            if any(key[0] == tree and path.endswith(".so") for key, path in targets.items()):
                targets[tree, TARGET] = f"cookbooks/{tree}/{TARGET}.so"
        done = self.run_command("ninja", "-C", folder / "build", "-k", "0", "-j", "2", *targets.values(), timeout=1500)
        texts = {}
        for tree, name, text in STEP.findall(done.out):
            texts[tree, name] = texts.get((tree, name), "") + text
        for key, path in targets.items():
            built[key] = Built(folder / "build" / path, texts.get(key, ""))
        for tree in TREES:
            if (tree, TARGET) in built:
                self.check(folder / "build" / "cookbooks" / tree, tree, built)
        return built

    def check(self, folder, tree, built):
        """All files of a tree at once."""
        done = self.run_command("spicerack", "check", "-c", self.config, "--json", folder, timeout=300)
        for finding in json.loads(done.out)["findings"]:
            built[tree, pathlib.Path(finding["file"]).stem].findings.append(finding)

    def run_cookbook(self, path, words):
        config = self.write("run.cfg", self.configuration([path.parent]))
        return self.cookbook(path.stem, *words, config=config)

    def judge(self, mistake, built):
        """What caught the mistake: (compiled, finding, exit code); None where it did not come to that."""
        broken = built["broken", mistake.name]
        if broken.failed:
            if mistake.catcher == "compiler":
                self.assertRegex(broken.text, mistake.words)
            return ("error", None, None)
        if not broken.linked:
            return (None, None, None)
        names = sorted({finding["name"] for finding in broken.findings})
        if mistake.catcher == "check":
            self.assertRegex("\n".join(finding["text"] for finding in broken.findings), mistake.words)
        if names:
            return (None, ", ".join(names), None)
        if SANITIZED:
            return (None, None, mistake.which[0] if mistake.catcher == "run" else None)
        done = self.run_cookbook(broken.path, mistake.run)
        if done.code and mistake.catcher == "run":
            self.assertRegex(done.err, mistake.words)
        return (None, None, str(done.code) if done.code else None)

    def accept(self, mistake, built):
        """Nothing complains of the file put right."""
        fixed = built["fixed", mistake.name]
        self.assertFalse(fixed.failed, fixed.text)
        self.assertEqual(fixed.text, "")
        self.assertEqual(fixed.findings, [])
        if fixed.linked and not SANITIZED:
            done = self.run_cookbook(fixed.path, mistake.run)
            self.assertEqual(done.code, 0, done)

    def assertCaught(self, mistake, results):
        """Exactly as the head of the file says, no more and no less."""
        tried = [name for name in COMPILERS if step("broken", mistake, name)]
        if mistake.catcher == "compiler":
            self.assertEqual([name for name in COMPILERS if results[name][0]], mistake.which)
        for name in tried:
            compiled, finding, code = results[name]
            if mistake.catcher != "compiler":
                self.assertIsNone(compiled, name)
            self.assertEqual(finding, mistake.which[0] if mistake.catcher == "check" else None, name)
            if mistake.catcher == "run":
                self.assertEqual(code, mistake.which[0], name)
            elif mistake.catcher == "nobody":
                self.assertIsNone(code, name)

    def test_corpus(self):
        everything = {}
        for compiler in COMPILERS:
            built = self.build(compiler)
            for mistake in mistakes():
                with self.subTest(mistake.name, compiler=compiler):
                    everything[mistake.name, compiler] = self.judge(mistake, built) \
                        if ("broken", mistake.name) in built else (None, None, None)
                    if ("fixed", mistake.name) in built:
                        self.accept(mistake, built)
        for mistake in mistakes():
            results = {name: everything.get((mistake.name, name), ("error",) * 3) for name in COMPILERS}
            with self.subTest(mistake.name):
                self.assertCaught(mistake, results)
        text = page(everything)
        if WRITE:
            README.write_text(text)
        self.assertEqual(README.read_text(), text)

    def test_it_is_large_enough(self):
        self.assertGreaterEqual(len(mistakes()), 40)
        self.assertGreaterEqual(len({mistake.kind for mistake in mistakes()}), 12)


def page(everything):
    """The table, by kinds."""
    lines = [INTRODUCTION]
    kinds = {}
    for mistake in mistakes():
        kinds.setdefault(mistake.kind, []).append(mistake)
    lines.append("| kind | cookbooks | compiler | check | run | nobody |\n| --- | --- | --- | --- | --- | --- |\n")
    total = [0] * 5
    for kind, members in sorted(kinds.items()):
        counts = [len(members)] + [sum(one.catcher == catcher for one in members)
                                   for catcher in ("compiler", "check", "run", "nobody")]
        total = [a + b for a, b in zip(total, counts)]
        lines.append(f"| {kind} | " + " | ".join(map(str, counts)) + " |\n")
    lines.append("| all | " + " | ".join(map(str, total)) + " |\n")
    for kind, members in sorted(kinds.items()):
        lines.append(f"\n## {kind[0].upper() + kind[1:]}\n\n")
        lines.append("| cookbook | mistake | gcc | clang | check | run |\n| --- | --- | --- | --- | --- | --- |\n")
        for mistake in members:
            results = [everything.get((mistake.name, name), ("?",) * 3) for name in COMPILERS]
            cells = ["yes" if result[0] else "-" for result in results]
            cells += [next((result[column] for result in results if result[column]), "-") for column in (1, 2)]
            if mistake.catcher == "nobody":
                cells[3] = "nobody"
            shape = mistake.shape.replace("|", r"\|")
            lines.append(f"| [{mistake.name}](cookbooks/{mistake.name}.c) | {shape} | " + " | ".join(cells) + " |\n")
    lines.append(REST)
    return "".join(lines)


WRITE = "--write" in sys.argv
if WRITE:
    sys.argv.remove("--write")

if __name__ == "__main__":
    unittest.main()
