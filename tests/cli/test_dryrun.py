# SPDX-License-Identifier: Apache-2.0
"""What the operator is told at the end of a dry run: what was read, what would have been written, what is not known."""

import json
import unittest

from harness import CommandTest

NAME = "fixture.dryrun"
HEAD = "DRY-RUN: What this dry run has found out:\n"


class DryRun(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("file", "text")
        self.write("secret", "correct-horse-battery", mode=0o600)
        (self.scratch / "link").symlink_to("old")

    def summary(self, *words, code=0, options=("-d",)):
        """The lines of the one summary; what else there is stays in `result`."""
        self.result = self.cookbook(*options, NAME, self.scratch, *words)
        self.assertEqual(self.result.code, code, self.result)
        self.assertEqual(self.result.err.count(HEAD), 1, self.result)
        lines = self.result.err.partition(HEAD)[2].splitlines()
        count = next(i for i, line in enumerate(lines) if not line.startswith("  "))
        self.after = lines[count:]
        return [line[2:].replace(str(self.scratch), "DIR") for line in lines[:count]]

    def test_what_is_told(self):
        self.assertEqual(self.summary("--same", "3", "--reads", "1", "--link", "--write"), [
            "read the link 'DIR/nothing0'",
            "read the file 'DIR/file' (3 times)",
            r"would run command 'touch 'a\x0ab''",
            "would make 'DIR/link' a link to 'new', which is one to 'old'",
            r"cannot know what command 'touch 'a\x0ab'' would have said",
        ])
        self.assertEqual((self.scratch / "link").readlink().name, "old")

    def test_it_stands_before_the_end(self):
        self.summary("--same", "1")
        self.assertIn("DRY-RUN: END (PASS) - Cookbook fixture.dryrun (exit_code=0)", self.after)

    def test_it_is_in_the_log_and_in_the_journal(self):
        self.summary("--same", "1")
        self.assertIn(f"  read the file '{self.scratch}/file'\n", (self.logs / "fixture" / "dryrun.log").read_text())
        result = self.cookbook("-d", "--json", NAME, self.scratch, "--same", "1")
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertTrue(any(HEAD[9:-1] in str(event.get("message")) for event in events), events)
        self.assertEqual(events[-1]["event"], "end")

    def test_too_much_is_counted(self):
        lines = self.summary("--reads", "203", "--same", "1")
        self.assertEqual((len(lines), lines[-1]), (201, "read 4 more"))

    def test_secrets_are_not_told(self):
        lines = self.summary("--secret")
        self.assertNotIn("correct-horse-battery", "\n".join(lines) + self.result.err)
        self.assertIn("read the link 'DIR/", "\n".join(lines))

    def test_inner_runs_are_part_of_it(self):
        self.assertEqual(self.summary("--same", "1", "--inner"), [
            "read the file 'DIR/file' (2 times)",
            r"would run command 'touch 'a\x0ab''",
            r"cannot know what command 'touch 'a\x0ab'' would have said",
        ])

    def test_a_run_that_fails_or_ends_early_tells_it_too(self):
        self.assertEqual(self.summary("--same", "1", "--fails", code=99), ["read the file 'DIR/file'"])
        self.assertEqual(self.summary("--ends-early"), ["read command 'true early'"])

    def test_nothing_to_tell(self):
        for options, words in ((["-d"], []), ([], ["--same", "1", "--link"])):
            result = self.cookbook(*options, NAME, self.scratch, *words)
            self.assertEqual(result.code, 0, result)
            self.assertNotIn("found out", result.err)
        self.assertEqual((self.scratch / "link").readlink().name, "new")


if __name__ == "__main__":
    unittest.main()
