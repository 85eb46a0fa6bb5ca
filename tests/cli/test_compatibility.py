# SPDX-License-Identifier: Apache-2.0
"""Cookbooks that were built with other versions of the SDK: those kept from 1.0 work, newer ones work or are refused."""

import platform
import shutil
import subprocess
import unittest

from harness import CC, INTRODUCTION, SOURCE, CommandTest, compile_cookbook, without_id

KEPT = SOURCE / "tests" / "abi" / "1.0"
X86_64 = platform.machine() == "x86_64"


class TreeTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.base = self.scratch / "tree"
        self.base.mkdir()
        self.config = self.write("spicerack.cfg", self.configuration([self.base]))


@unittest.skipUnless(X86_64, "the files that are kept are for x86-64")
class FirstVersion(TreeTest):
    """The files in tests/abi/1.0 as they were built once."""

    def setUp(self):
        super().setUp()
        for path in KEPT.glob("*.so"):
            shutil.copyfile(path, self.base / path.name)
            (self.base / path.name).chmod(0o644)

    def messages(self, *words, code=0, name=None):
        """What a run logged between START and END."""
        result = self.cookbook(*words)
        self.assertEqual(result.code, code, result)
        return [message for _, message in self.records(name or words[0])
                if not INTRODUCTION.fullmatch(message + "\n") and not message.startswith(("START ", "END ", "__COOKBOOK_STATS__"))]

    def test_all_are_listed(self):
        result = self.cookbook("-lv")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertEqual(result.out.splitlines(), [
            "cookbooks",
            "|-- arguments: Three arguments [First version]",
            "|-- calls: Calls of all kinds [unowned]",
            "|-- every: Every function [unowned]",
            "|-- several.Quiet: No START [Quiet ones]",
            "|-- several.Steps: All callbacks [unowned]",
            "`-- subcommands: Put banners up and down [unowned]"])

    def test_help(self):
        for name, shown in (("arguments", ("service to act on", "{codfw,eqiad}", "one of codfw, eqiad",
                                           "-g GRACE, --grace GRACE", "wait this long (default: 2m)")),
                            ("subcommands", ("{set,clear}", "put a banner up", "take it down")),
                            ("several.Steps", ("More about it.", "--task-id", "--reason"))):
            result = self.cookbook(name, "--help")
            self.assertEqual(result.code, 0, result)
            for text in shown:
                self.assertIn(text, result.out)
        result = self.cookbook("subcommands", "set", "-h")
        self.assertEqual(result.code, 0, result)
        self.assertIn("[--loud | --times {1,2,3}]", " ".join(result.out.split()))

    def test_arguments(self):
        self.assertEqual(self.messages("arguments", "my-service", "codfw"), ["my-service in codfw, 2m, by default"])
        self.assertEqual(self.messages("arguments", "x", "eqiad", "-g", "1h")[-1], "x in eqiad, 1h, given")

    def test_arguments_that_are_refused(self):
        for words in (["arguments", "x", "nowhere"], ["arguments", "X", "codfw"], ["arguments", "x"],
                      ["arguments", "x", "codfw", "-g", "61m"], ["subcommands"], ["subcommands", "clear"],
                      ["subcommands", "set", "a", "--text", "b", "--unlike", "b"], ["subcommands", "set", "a", "--text", "b", "--times", "4"],
                      ["subcommands", "set", "a", "--text", "b", "--loud", "--times", "2"],
                      ["several.Steps", "x"], ["several.Steps", "-r", "why", "refused"]):
            with self.subTest(words):
                self.assertEqual(self.cookbook(*words).code, 2)

    def test_subcommands(self):
        self.assertEqual(self.messages("subcommands", "set", "a", "--text", "b", "--loud"), ["a says: B"])
        self.assertEqual(self.messages("subcommands", "set", "a", "--text", "b", "--times", "2")[-2:], ["a says: b"] * 2)
        self.assertEqual(self.messages("subcommands", "clear", "a")[-1], "a says nothing")

    def test_all_callbacks(self):
        result = self.cookbook("several.Steps", "-r", "why", "-t", "T1", "word")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(without_id(result.err).splitlines(), [
            "START - Cookbook several.Steps with <word>", "run has <word>, task T1, because of why",
            "END (PASS) - Cookbook several.Steps (exit_code=0) with <word>"])
        self.assertEqual(self.cookbook("several.Steps", "-r", "why", "done").code, 0)

    def test_all_ways_to_fail(self):
        for word, code in (("fail", 7), ("crash", 92)):
            result = self.cookbook("several.Steps", "-r", "why", word)
            self.assertEqual(result.code, code, result)
            self.assertIn(f"rollback has <{word}>\n", result.err)

    def test_several_in_a_file(self):
        result = self.cookbook("several.Quiet")
        self.assertEqual(result.code, 0, result)
        self.assertIn("this is several.Quiet\nDONE (PASS) - Cookbook several.Quiet (exit_code=0)\n", result.err)

    CALLS = ["the secret is ********",
             "command: ran 1, code 4, 8 bytes: input /",
             "caught command.failed with code 3",
             "texts: db 17 a+b rm -- 'a b'",
             "times: 1h30m 1970-01-02T00:00:00Z",
             "[1/5, retrying in 0.00s] not yet: try 1",
             "[2/5, retrying in 0.00s] not yet: try 2",
             "run has <fail>, task , because of calls",
             "rollback has <fail>",
             "nested: 7",
             "the flag is down"]

    def calls(self, *words, code=0):
        work = self.scratch / "work"
        work.mkdir()
        token = self.write("token", "s3cr3t-t0k3n\n", mode=0o600)
        found = self.messages("calls", *words, work, token, code=code)
        self.assertEqual(list(work.iterdir()), [])
        self.assertNotIn("s3cr3t", "".join(self.log("calls", extended=True)))
        return [message for message in found if message in self.CALLS or "rollback" in message]

    def test_calls_of_all_kinds(self):
        self.assertEqual(self.calls(), self.CALLS)

    def test_rollback_after_them(self):
        self.assertEqual(self.calls("--bad", code=99), [*self.CALLS, "rollback after 3 tries"])

    def test_dry_run(self):
        result = self.cookbook("--dry-run", "several.Steps", "-r", "why", "word")
        self.assertEqual(result.code, 0, result)

    def test_every_function_is_there(self):
        """Bound when the file is opened, each with the version of its symbol."""
        self.assertEqual(self.messages("every"), ["all functions are there"])
        needed = subprocess.check_output(["nm", "-D", "--undefined-only", KEPT / "every.so"], text=True)
        self.assertGreater(needed.count("@SPICERACK_1.0\n"), 120)


class OtherHeaders(TreeTest):
    """Cookbooks as the headers of other versions would lay them out. For each fault alone: unit/test_peek, test_tree."""

    SOURCE = """
        #include <spicerack/cookbook.h>
        #include <string.h>
        struct state {{ const char *word; }};
        {before}
        static int run(struct spk *spk, void *self) {{ {run} return 0; }}
        {after}"""
    PLAIN = 'SPK_COOKBOOK(.title = "other", .run = run);'

    def build(self, before="", run="", after=PLAIN, *flags):
        source = self.write("other.c", self.SOURCE.format(before=before, run=run, after=after))
        return compile_cookbook(self, source, self.base / "other.so", *flags)

    def check_runs(self, *words, says):
        self.assertEqual(self.cookbook("-l").err, "")
        self.assertEqual(self.cookbook("other", "-h").code, 0)
        result = self.cookbook("other", *words)
        self.assertEqual(result.code, 0, result)
        self.assertIn(says + "\n", result.err)

    def test_a_shorter_descriptor(self):
        """Of a header before `timeout`: what lies behind the end it tells is not read."""
        self.build(run='spk_info(spk, "it ran");', after="""
            struct older { struct spk_cookbook known; };
            extern const struct older spk_cookbook;
            __attribute__((visibility("default"), used)) const struct older spk_cookbook = { .known = {
                .size = offsetof(struct spk_cookbook, timeout), .abi = SPK_ABI, .title = "older", .run = run,
                .timeout = { -1 } } };""")
        self.check_runs(says="it ran")

    ROWS = """
        struct row { struct spk_arg known; const char *novelty; };
        static const struct row rows[] = {
            { .known = SPK_POSITIONAL(struct state, word) },
            { .known = { .name = "flag", .offset = sizeof(struct state), .form = SPK_FORM_OPTION,
                         .type = SPK_TYPE_FLAG }, .novelty = %s } };"""
    TABLE = """SPK_COOKBOOK(.title = "other", .run = run, .state_size = sizeof(struct state) + 1,
        .arguments = { .rows = &rows[0].known, .count = 2, .row_size = sizeof(rows[0]) });"""

    def test_longer_rows_of_arguments(self):
        self.build(self.ROWS % "NULL", 'spk_info(spk, "word %s, %d", *(char **)self, ((char *)self)[8]);', self.TABLE)
        self.check_runs("--flag", "w", says="word w, 1")

    def test_longer_rows_that_mean_something(self):
        path = self.build(self.ROWS % '"used"', "", self.TABLE)
        for words in (["-l"], ["other", "w"], ["other", "-h"]):
            result = self.cookbook(*words)
            self.assertEqual(result.code, 0 if words == ["-l"] else 98, result)
            self.assertRegex(result.err.splitlines()[0], f"^{path}: too new: its argument table uses a member at offset "
                                                         r"\d+ that this host does not know$")
        self.assertNoTraces()

    COMMAND = """
        struct newer { struct spk_command known; const char *novelty; };
        static struct spk_result const *call(struct spk *spk, const char *novelty)
        {
            static const char *const words[] = { "true" };
            static struct newer how = { .known = { .size = sizeof(how), .argv = { words, 1 } } };
            how.novelty = novelty;
            return spk_command_read(spk, &how.known);
        }"""
    RETRY = """
        struct newer { struct spk_retry known; const char *novelty; };
        static void once(struct spk *spk, void *arg) { spk_info(spk, "called"); }
        static void call(struct spk *spk, const char *novelty)
        {
            static struct newer how = { .known = { .size = sizeof(how), .tries = 1 } };
            how.novelty = novelty;
            spk_retry(spk, &how.known, once, NULL);
        }"""

    def test_longer_structures_of_calls(self):
        for name, before in (("spk_command_run", self.COMMAND), ("spk_retry", self.RETRY)):
            with self.subTest(name):
                self.build(before, 'call(spk, NULL); spk_info(spk, "it ran");')
                self.check_runs(says="it ran")
                self.build(before, 'call(spk, "used");')
                result = self.cookbook("other")
                self.assertEqual(result.code, 99, result)
                self.assertRegex(result.err, rf"misuse of {name}\(\): .* uses a member at offset \d+ that this library does "
                                             "not know: it is older than the headers of the cookbook")

    def test_a_function_of_the_next_version(self):
        """The list reads the file; its run is refused with the node named that the library lacks."""
        library = self.scratch / "next" / "libspicerack.so.1"
        self.write("next/lib.c", "void spk_format(void); void spk_novelty(void);\n"
                                 "void spk_format(void) {} void spk_novelty(void) {}")
        self.write("next/lib.map", "SPICERACK_1.0 { global: spk_format; }; SPICERACK_1.1 { global: spk_novelty; };")
        subprocess.run([CC, "-shared", "-fPIC", "-Wl,-soname,libspicerack.so.1", "-Wl,--version-script,next/lib.map", "-o",
                        library, "next/lib.c"], cwd=self.scratch, check=True)
        path = self.build("void spk_novelty(void);", 'spk_novelty();', self.PLAIN, "-Wl,--no-as-needed", str(library))
        self.assertEqual(self.cookbook("-l").out, "cookbooks\n`-- other [unowned]\n")
        result = self.cookbook("other")
        self.assertEqual(result.code, 98, result)
        self.assertRegex(without_id(result.err),
                         rf"^cannot run cookbook other: cannot load .*version `SPICERACK_1\.1' not found "
                         rf"\(required by {path}\)\n$")


if __name__ == "__main__":
    unittest.main()
