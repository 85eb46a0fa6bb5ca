# SPDX-License-Identifier: Apache-2.0
"""`spicerack check`: what a packager is told of good and of broken files and trees."""

import json
import os
import re
import shutil
import struct
import subprocess
import unittest

from harness import BUILD, FIXTURES, PREFIX, SANITIZED, SOURCE, CommandTest, compile_cookbook

HELLO = """#include <spicerack/cookbook.h>
%s
static int run(struct spk *spk, void *self)
{
	%s
	return 0;
}
SPK_COOKBOOK(.title = "Hello", .owner = "Team", %s .run = run);
"""


class CheckTest(CommandTest):
    def check(self, *words, **options):
        return self.run_command("spicerack", "check", "-c", self.config, *words, **options)

    def found(self, *words):
        """The findings by their names."""
        result = self.check("--json", *words)
        document = json.loads(result.out)
        self.assertEqual(document["version"], 1)
        self.assertEqual(result.code, 1 if document["errors"] else 0, result)
        return {finding["name"]: finding for finding in document["findings"]}

    def build(self, name, *flags, before="", body="", more=""):
        source = self.write(f"{name}.c", HELLO % (before, body, more))
        return compile_cookbook(self, source, self.scratch / "tree" / f"{name}.so", *flags)


@unittest.skipIf(SANITIZED, "sanitizers add constructors and symbols of their own to what they build")
class Files(CheckTest):
    def assertFinds(self, path, name, text, severity):
        found = self.found(path)
        self.assertIn(name, found)
        self.assertIn(text, found[name]["text"])
        self.assertEqual(found[name]["severity"], severity)
        self.assertTrue(found[name]["remedy"])
        return found[name]

    def test_a_good_bundle_is_silent(self):
        path = self.build("hello")
        for words in ([path], [path.parent], ["--strict", path]):
            result = self.check(*words)
            self.assertEqual((result.code, result.out, result.err), (0, "", ""), result)
        stripped = path.with_name("stripped.so")
        subprocess.run(["strip", "-o", stripped, path], check=True)
        self.assertEqual(set(self.found(stripped)), {"no-debug-info"})
        subprocess.run(["objcopy", "--only-keep-debug", path, self.scratch / "hello.debug"], check=True)
        subprocess.run(["objcopy", f"--add-gnu-debuglink={self.scratch}/hello.debug", stripped], check=True)
        self.assertEqual(self.found(stripped), {})

    def test_samples_are_silent(self):
        for tree in (PREFIX / "lib/spicerack/cookbooks/examples", BUILD / "docs/cookbooks"):
            if tree.exists():
                self.assertLessEqual(set(self.found(tree)), {"no-owner", "choices-not-configured"})

    def test_the_line_is_told(self):
        path = self.build("global", before="static int counter;", body="counter++;")
        result = self.check(path)
        self.assertEqual(result.code, 0)
        self.assertRegex(result.out, r"^\S+/global\.so: warning: writable-global: \S*global\.c:2: variable 'counter' of 4 "
                                     r"bytes \(.*\)\n$")
        self.assertEqual(result.err, "1 warning\n")
        self.assertEqual(self.check("--strict", path).code, 1)
        allowed = self.check("--strict", "--allow", "writable-global", path)
        self.assertEqual((allowed.code, allowed.out, allowed.err), (0, "", ""))

    def test_direct_call_with_its_line(self):
        path = self.build("remove", before="#include <unistd.h>", body='unlink("/nonexistent");')
        finding = self.assertFinds(path, "direct-change", "calls unlink()", "warning")
        self.assertEqual((finding["symbol"], finding["line"]), ("unlink", 5))

    def test_memory(self):
        path = self.build("stack", "-Wl,-z,execstack")
        self.assertFinds(path, "executable-stack", "asks for", "error")
        path = self.build("relro", "-Wl,-z,norelro", "-Wl,-z,lazy")
        self.assertFinds(path, "no-relro", "read-only", "warning")
        self.assertFinds(path, "lazy-binding", "when it is opened", "warning")
        path = self.build("bare", "-Wl,--build-id=none")
        self.assertFinds(path, "no-build-id", "no build-id", "note")

    def test_text_relocations(self):
        code = 'static const int there = 3; __asm__(".text\\n.quad spk_there_\\n"); ' \
               '__attribute__((used)) static const int *const spk_there = &there; __asm__(".set spk_there_, there");'
        path = self.build("textrel", "-Wl,-z,notext", "-Wno-unused", before=code)
        self.assertFinds(path, "text-relocations", "relocated", "error")

    def test_constructors(self):
        path = self.build("begin", before='#include <stdio.h>\n__attribute__((constructor)) static void begin(void) '
                                          '{ puts("x"); }\n__attribute__((destructor)) static void end(void) { puts("y"); }')
        self.assertFinds(path, "constructor", "begin() runs when it is opened", "warning")
        self.assertFinds(path, "destructor", "end() runs when it is closed", "warning")
        subprocess.run(["strip", path], check=True)
        self.assertFinds(path, "constructor", "1 without a name", "warning")
        self.assertFinds(path, "destructor", "1 without a name", "warning")

    def test_symbols(self):
        path = self.build("open", "-fvisibility=default", before="int shared_by_all(int x) { return x; }")
        self.assertFinds(path, "exported-symbol", "'shared_by_all'", "warning")
        path = self.build("undefined", "-Wl,-z,undefs", before="void nobody_has_it(void);", body="nobody_has_it();")
        self.assertFinds(path, "undefined-symbol", "'nobody_has_it'", "error")

    def test_missing_library_and_version(self):
        stub = self.write("libstub.c", "int stub(void); int stub(void) { return 1; }\n")
        version = self.write("stub.map", "STUB_2.0 { global: stub; };\n")
        words = ["gcc", "-shared", "-fPIC", f"-Wl,--version-script={version}", "-Wl,-soname,libstub.so.1", "-o",
                 self.scratch / "libstub.so", stub]
        subprocess.run(words, check=True)
        library = self.scratch / "tree" / "lib" / "libstub.so.1"
        flags = ["-Wl,--no-as-needed", f"-L{self.scratch}", "-lstub", r"-Wl,-rpath,$ORIGIN/lib"]
        path = self.build("stub", *flags, before="int stub(void);", body="stub();")
        self.assertFinds(path, "missing-library", "'libstub.so.1': not found", "error")
        library.parent.mkdir()
        shutil.copy(self.scratch / "libstub.so", library)
        self.assertEqual(self.found(path), {})
        version.write_text("STUB_1.0 { global: stub; };\n")
        subprocess.run(words, check=True)
        shutil.copy(self.scratch / "libstub.so", library)
        self.assertFinds(path, "missing-version", "needs STUB_2.0 of libstub.so.1, which has no more than STUB_1.0", "error")

    def test_runpath(self):
        path = self.build("run", "-Wl,-rpath,lib:/home/somebody/build:/nonexistent")
        self.assertFinds(path, "bad-runpath", "'lib': not an absolute path", "error")
        self.assertFinds(path, "build-runpath", "'/nonexistent'", "warning")

    def test_broken_files(self):
        good = self.build("good").read_bytes()
        for name, data, finding in (
            ("cut", good[:5000], "broken-file"), ("text", b"#!/bin/sh\n", "not-shared-object"), ("empty", b"", "not-shared-object"),
            ("arm", good[:18] + struct.pack("<H", 40) + good[20:], "foreign-machine"),
            ("small", good[:4] + b"\1" + good[5:], "foreign-machine"),
        ):
            path = self.scratch / f"{name}.so"
            path.write_bytes(data)
            self.assertFinds(path, finding, "", "error")

    def test_trust(self):
        path = self.build("open")
        path.chmod(0o666)
        found = self.found(path)
        self.assertIn("others may write to it", found["untrusted"]["text"])
        self.assertEqual(set(found), {"untrusted"})
        self.assertIn("unreadable-file", self.found(self.scratch / "none.so"))
        self.assertEqual(list(self.found(self.scratch / "none")), ["unreadable-file"])
        os.mkfifo(self.scratch / "fifo.so")
        self.assertIn("not a regular file", self.found(self.scratch / "fifo.so")["unreadable-file"]["text"])

    def test_nothing_is_executed(self):
        mark = self.scratch / "mark"
        code = f'#include <stdio.h>\n__attribute__((constructor)) static void begin(void) {{ fclose(fopen("{mark}", "w")); }}'
        path = self.build("begin", before=code)
        self.assertIn("constructor", self.found(path))
        self.assertFalse(mark.exists())


@unittest.skipIf(SANITIZED, "sanitizers add constructors and symbols of their own to what they build")
class Trees(CheckTest):
    def test_names_and_groups(self):
        path = self.build("hello")
        tree = path.parent
        (tree / "group").mkdir()
        shutil.copy(path, tree / "group" / "bad.name.so")
        (tree / "group" / "group.cfg").write_text("titel = \"x\";\n")
        found = self.found(tree)
        self.assertEqual(set(found), {"bad-name", "bad-group"})
        self.assertTrue(found["bad-group"]["file"].endswith("group/group.cfg"))
        self.assertIn("unknown key 'titel'", found["bad-group"]["text"])

    def test_duplicates(self):
        several = self.write("b.c", HELLO.replace("SPK_COOKBOOK(", "SPK_COOKBOOK_NAMED(c, ") % ("", "", "") +
                             'SPK_COOKBOOK_NAMED(d, .title = "D", .owner = "T", .run = run);\n')
        compile_cookbook(self, several, self.scratch / "tree" / "a.so")
        self.build("c")
        (self.scratch / "tree" / "a").mkdir()
        shutil.copy(self.scratch / "tree" / "c.so", self.scratch / "tree" / "a" / "c.so")
        found = self.found(self.scratch / "tree")
        self.assertEqual(set(found), {"duplicate-name"})
        self.assertIn("a.c is in", found["duplicate-name"]["text"])

    def test_owner_of_the_group(self):
        source = self.write("a.c", HELLO.replace('.owner = "Team", ', "") % ("", "", ""))
        path = compile_cookbook(self, source, self.scratch / "tree" / "group" / "a.so")
        self.assertEqual(set(self.found(path)), {"no-owner"})
        self.assertEqual(set(self.found(self.scratch / "tree")), {"no-owner"})
        (path.parent / "group.cfg").write_text('owner = "Team";\n')
        self.assertEqual(self.found(path), {})
        self.assertEqual(self.found(self.scratch / "tree"), {})

    def test_a_group_that_is_another_elsewhere_is_told_once(self):
        path = self.build("hello")
        other = self.scratch / "other"
        for tree, title in ((path.parent, "Ours"), (other, "Theirs")):
            (tree / "group").mkdir(parents=True)
            (tree / "group" / "group.cfg").write_text(f'title = "{title}";\n')
        shutil.copy(path, path.parent / "group" / "inner.so")
        self.config.write_text(self.configuration([other]))
        for words in ((), ("--tree", other), ("--tree", f"{other}/../other/", "--tree", other)):
            found = self.check(*words, path.parent).out.splitlines()
            self.assertEqual(len(found), 1, found)
            self.assertIn("error: bad-group: its title is not that of the same group in", found[0])

    def test_lists_of_the_configuration(self):
        path = self.build("site", before="struct s { const char *site; };\nstatic const struct spk_arg args[] = "
                          '{ SPK_OPTION(struct s, site, SPK_DEFAULT("a"), .choices_from = "sites.core") };',
                          more="SPK_ARGS(struct s, args),")
        self.assertEqual(set(self.found(path)), {"choices-not-configured"})
        self.config.write_text(self.configuration([FIXTURES], 'sites = { core = ["a", "b"]; };\n'))
        self.assertEqual(self.found(path), {})
        self.config.write_text(self.configuration([FIXTURES], 'sites = { core = ["b"]; };\n'))
        self.assertEqual(set(self.found(path)), {"argument-default"})

    def test_calls(self):
        calls = "static const struct spk_call calls[] = { SPK_CALL(%s) };"
        for words, finding in (('"target", "--os", SPK_ANY, SPK_ANY', None), ('"target", ("--os=" SPK_ANY), "h"', None),
                               ('"target", "--os", "bookworm"', "call-arguments"), ('"other"', "call-target")):
            with self.subTest(words):
                path = self.build("caller", before=calls % words, more="SPK_CALLS(calls),")
                self.build("target", before="struct s { const char *host, *os; };\nstatic const struct spk_arg args[] = {"
                           'SPK_POSITIONAL(struct s, host), SPK_OPTION(struct s, os, .required = true, '
                           '.choices = SPK_LIST("bookworm")) };', more="SPK_ARGS(struct s, args),")
                self.assertEqual(set(self.found(path.parent)), {finding} - {None})
                self.assertEqual(set(self.found("--tree", path.parent, path)), {finding} - {None})
        self.config.write_text(self.configuration([self.scratch / "tree"]))
        self.assertEqual(set(self.found(path)), {"call-target"})


class CommandLine(CheckTest):
    def test_usage(self):
        for words, message in (([], "required: PATH"), (["--nonsense", "x"], "unrecognized arguments"),
                               (["--allow", "nothing", "x"], "there is no finding 'nothing'")):
            result = self.check(*words)
            self.assertEqual(result.code, 2, result)
            self.assertIn(message, result.err)
            self.assertEqual(result.out, "")

    def test_every_finding_is_listed_and_in_the_page(self):
        listed = self.check("--list").out
        names = re.findall(r"^([a-z-]+) \((?:error|warning|note)\)$", listed, re.M)
        self.assertGreater(len(names), 50)
        self.assertEqual(len(names), len(set(names)))
        page = (SOURCE / "docs" / "packagers.md").read_text()
        for name in names:
            self.assertIn(f"\n{name} (", page)

    def test_no_such_path(self):
        found = self.found(self.scratch / "nowhere")
        self.assertIn("unreadable-file", found)

    def test_a_full_disk(self):
        result = self.run_command("sh", "-c", f"spicerack check -c {self.config} --list >/dev/full")
        self.assertEqual(result.code, 1)
        self.assertIn("cannot write", result.err)


if __name__ == "__main__":
    unittest.main()
