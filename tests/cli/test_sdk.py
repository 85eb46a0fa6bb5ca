# SPDX-License-Identifier: Apache-2.0
"""What the headers promise to a cookbook, in real runs: commands, waiting, files, scopes, errors, memory."""

import os
import re
import time
import unittest

from harness import LOGIN_UID, USER, CommandTest, without_id

NAME = "fixture.sdk"


class SdkTest(CommandTest):
    def case(self, *words, code=0, options=()):
        result = self.cookbook(*options, NAME, *words)
        self.assertEqual(result.code, code, result)
        return result

    def check(self, out, *words, **more):
        result = self.case(*words, **more)
        self.assertEqual(result.out, out)
        return result

    def shown(self, result):
        """The lines of the cookbook among those on stderr."""
        text = re.sub(r"DRY-RUN: What this dry run has found out:\n(  .*\n)*", "", without_id(result.err))
        return [line for line in text.splitlines()
                if not re.match(r"(DRY-RUN: )?(START|END|lock of this run|would take the lock|__COOKBOOK)", line)]


class Reports(SdkTest):
    def test_reason(self):
        owner = f"{USER}@{os.uname().nodename}"
        self.check(f"a $b `c` \\d - {owner} - T1\n\"a \\$b \\`c\\` \\\\d - {owner} - T1\"\n"
                   f"a $b `c` \\d|{owner}|T1\nnone - {owner}|no task\nno error\n", "reason", "--text", "a $b `c` \\d")
        self.check('reason.invalid: the reason holds a double quote: a "b"\n', "reason", "--text", 'a "b"')
        self.check("reason.invalid: the reason holds a control character or is not UTF-8\n", "reason", "--text", "a\nb")
        self.check("reason.invalid: the reason is empty\n", "reason")

    def test_actions(self):
        result = self.check("misuse: misuse of spk_admin_reason_given(): the cookbook does not ask for a reason (.reason)\n"
                            "PASS - db1 (**PASS**)\n- db2 (**PASS**)\n1 0 0 1\n"
                            "- db1 (**WARN**)\n  - did 1\n  - but slowly\n- db2 (**FAIL**)\n  - cannot\n", "actions")
        self.assertEqual(self.shown(result), ["did 1", "but slowly", "cannot"])

    def test_sites(self):
        self.check("config.missing: there is no list 'sites.core' in the configuration\n", "sites", "--text", "core")
        self.config.write_text(self.config.read_text() + 'sites: { core = [ "dc1", "dc2" ]; all = [ "dc3" ]; };\n')
        self.check("dc1 dc2\nno error\n", "sites", "--text", "core")


class Commands(SdkTest):
    def test_result(self):
        self.check("ran=1 code=0 signal=0 out=2:o\n err=2:e\n\n", "command", "--text", "echo o; echo e >&2")

    def test_data_with_nul(self):
        self.check("ran=1 code=0 signal=0 out=3:a err=0:\n", "command-read", "--text", r"printf 'a\0b'")

    def test_words_and_code_are_logged(self):
        result = self.case("command", "--text", "exit 0", options=["-v"])
        self.assertRegex(result.err, r"\ncommand 'sh -c 'exit 0'' exited with code 0 after [\d.]+s\n")

    def test_dry_run(self):
        result = self.check("ran=0 code=0 signal=0 out=0: err=0:\n", "command", "--text", "echo o", options=["-d"])
        self.assertEqual(self.shown(result), ["DRY-RUN: would run command 'sh -c 'echo o''"])
        self.check("ran=1 code=0 signal=0 out=2:o\n err=0:\n", "command-read", "--text", "echo o", options=["-d"])

    def test_accepted_codes(self):
        self.check("ran=1 code=3 signal=0 out=0: err=0:\n", "command-accepted", "--text", "exit 3")
        result = self.case("command-accepted", "--text", "exit 0", code=99)
        self.assertIn("command 'sh -c 'exit 0'' failed with exit code 0 [command.failed]\n", result.err)

    def test_failure_says_the_last_words_and_carries_the_result(self):
        self.check("command.failed: command 'sh -c 'echo a; echo 1 >&2; echo last >&2; exit 9'' failed with exit code "
                   "9: last\nis command=1 spicerack=1 command.timeout=0\n"
                   "ran=1 code=9 signal=0 out=2:a\n err=7:1\nlast\n\nother payload=0\n",
                   "command-failed", "--text", "echo a; echo 1 >&2; echo last >&2; exit 9")

    def test_ended_by_a_signal(self):
        self.assertIn("was ended by signal 9 (SIGKILL)\nis command=1 spicerack=1 command.timeout=0\n"
                      "ran=1 code=-1 signal=9 ", self.case("command-failed", "--text", "kill -9 $$").out)

    def test_timeout_ends_what_does_not_want_to_end(self):
        self.marks_file.write_text("")
        result = self.case("command-timeout", "--path", self.marks_file)
        self.assertRegex(result.out, r"^command\.timeout: command 'sh -c .*' did not end within 0\.1s\n$")
        self.assertNothingLeft()

    def test_missing_program(self):
        self.assertTrue(self.case("command-missing").out.startswith("command.missing: cannot run 'no-such-program': "))

    def test_too_much_output(self):
        self.check("command.output: command 'sh -c yes' wrote more than 1000 bytes\n", "command-output")
        self.assertNothingLeft()

    def test_input(self):
        text = "x" * 100000
        self.check(f"ran=1 code=0 signal=0 out=100000:{text} err=0:\nran=1 code=0 signal=0 out=0: err=0:\n"
                   "ran=1 code=0 signal=0 out=0: err=0:\n", "command-input", "--text", text)

    def test_directory(self):
        self.check(f"ran=1 code=0 signal=0 out=2:/\n err=0:\nran=1 code=0 signal=0 out={len(str(self.scratch)) + 1}:"
                   f"{self.scratch}\n err=0:\n", "command-place", "--path", self.scratch)

    def test_environment_is_clean(self):
        self.env.update(SECRET_TOKEN="s3cret", LD_FIXTURE="x", FIXTURE_SECRET="s3cret")
        out = self.case("command-environment").out
        self.assertNotIn("s3cret", out)
        names = {line.split("=")[0] for line in out.split()}
        self.assertEqual(names, {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TERM", "EXTRA"})
        self.assertIn("LANG=en_US\n", out)

    def test_the_operators_path_does_not_choose_the_program(self):
        self.write("bin/env", "#!/bin/sh\necho PATH=not-this-one\n", 0o755)
        self.env["PATH"] = f"{self.scratch}/bin:{self.env['PATH']}"
        self.assertNotIn("not-this-one", self.case("command-environment").out)

    def test_the_path_it_gets_chooses_the_program(self):
        self.write("denied/program", "#!/bin/sh\necho denied\n", 0o644)
        self.write("bin/program", "#!/bin/sh\necho found in $PATH\n", 0o755)
        path = f"{self.scratch}/none:{self.scratch}/denied:{self.scratch}/bin"
        text = f"found in {path}\n"
        self.check(f"ran=1 code=0 signal=0 out={len(text)}:{text} err=0:\n", "command-search", "--text", f"PATH={path}")
        result = self.case("command-search", "--text", f"PATH={self.scratch}/none:{self.scratch}/denied")
        self.assertEqual(result.out, "command.failed: cannot run 'program': Permission denied\n")
        result = self.case("command-search", "--text", f"PATH={self.scratch}/none")
        self.assertTrue(result.out.startswith("command.missing: cannot run 'program': "), result)

    def test_no_shell_reads_what_is_no_program(self):
        self.write("bin/program", "echo a shell was here\n", 0o755)
        result = self.case("command-search", "--text", f"PATH={self.scratch}/bin")
        self.assertEqual(result.out, "command.failed: cannot run 'program': Exec format error\n")

    def test_its_group_ends_with_it(self):
        self.marks_file.write_text("")
        self.check("ran=1 code=0 signal=0 out=5:left\n err=0:\n", "command-group", "--path", self.marks_file)
        self.assertNothingLeft()

    def test_misuse(self):
        self.check("misuse: misuse of spk_command_run(): the argument vector is empty\n", "command-misuse")

    def test_descriptors_of_the_caller_do_not_reach_it(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        result = self.cookbook(NAME, "environment", pass_fds=[reading, writing])
        # What it sees: its own three, and the directory that it lists.
        self.assertEqual(result.out, "fds:\nran=1 code=0 signal=0 out=2:4\n err=0:\n", result)


class Waiting(SdkTest):
    def test_sleep_in_dry_run(self):
        result = self.check("slept\n", "wait", options=["-d"])
        self.assertEqual(self.shown(result), ["DRY-RUN: would sleep for 1h"])

    def test_retry_until_it_works(self):
        result = self.check("try\ntry\ntry\ndone\n", "retry", "--failures", "2")
        lines = ["[1/3, retrying in 0.01s] Cannot do it: not yet", "[2/3, retrying in 0.02s] Cannot do it: not yet"]
        self.assertEqual(self.shown(result), lines)
        self.assertEqual([record for record in self.records(NAME) if record[0] == "WARNING"],
                         [("WARNING", line) for line in lines])

    def test_retry_that_gives_up_raises_the_last_error(self):
        result = self.check("try\ntry\ntry\n", "retry", "--failures", "3", code=99)
        self.assertEqual(result.err.count("retrying in"), 2)
        self.assertIn(f"Exception raised while executing cookbook {NAME}: not yet\n", result.err)

    def test_retry_in_dry_run(self):
        result = self.check("try\n", "retry", "--failures", "1", options=["-d"], code=99)
        self.assertIn("DRY-RUN: one try instead of 3 in dry-run", self.shown(result))

    def test_retry_by_each_rule(self):
        result = self.check("cookbook: not ever\n" * 4, "retry-rules")
        for rule, tries, delays in (("constant", 4, ("0.01", "0.01", "0.01")), ("linear", 4, ("0.01", "0.02", "0.03")),
                                    ("power", 4, ("0.01", "0.02", "0.04")), ("exponential", 3, ("1.10", "1.21"))):
            self.assertEqual([line for line in result.err.splitlines() if f"] {rule}: " in line],
                             [f"[{number}/{tries}, retrying in {delay}s] {rule}: not ever"
                              for number, delay in enumerate(delays, 1)])

    def test_retry_of_other_kinds(self):
        self.check("try\ncookbook: not yet\n", "retry-kinds", "--failures", "1")


class Files(SdkTest):
    def test_links(self):
        link = self.scratch / "link"
        self.check("second\n", "links", "--path", link)
        self.assertEqual(os.readlink(link), "second")
        self.check("second\n", "links", "--path", link, "--text", "remove")
        self.assertFalse(link.is_symlink())
        self.assertEqual([path for path in self.scratch.iterdir() if path.name.startswith(".spicerack")], [])

    def test_links_in_dry_run(self):
        link = self.scratch / "link"
        link.symlink_to("old")
        result = self.check("old\n", "links", "--path", link, "--text", "remove", options=["-d"])
        self.assertEqual(self.shown(result), [f"DRY-RUN: would make '{link}' a link to 'first', which is one to 'old'",
                                              f"DRY-RUN: would make '{link}' a link to 'second', which is one to 'old'",
                                              f"DRY-RUN: would remove the link '{link}', which is one to 'old'"])
        self.assertEqual(os.readlink(link), "old")

    def test_a_file_is_not_replaced(self):
        path = self.write("file", "kept")
        self.check(f"file: cannot replace '{path}': it is there and is no symbolic link\n", "link-over-file", "--path",
                   path)
        self.assertEqual(path.read_text(), "kept")

    def test_read(self):
        path = self.write("file", "words")
        self.check("words\nno error\n", "file-read", "--path", path)
        self.check("file: cannot open '/nonexistent': No such file or directory\n", "file-read")
        self.check("file: cannot read '/dev/null': not a regular file\n", "file-read", "--path", "/dev/null")


class Configuration(SdkTest):
    def setUp(self):
        super().setUp()
        place = self.scratch / "config"
        self.module = self.write("config/dns/config.cfg", 'masters = { eqiad = "ns0"; };\nenabled = true;\n'
                                                          'sites = ("codfw", "eqiad");\n')
        self.config = self.write("spicerack.cfg", self.config.read_text() +
                                 f'instance_params = {{ spicerack_config_dir = "{place}"; http_proxy = "proxy:80"; }};\n')

    def test_of_a_module(self):
        self.check(f"ns0 53 1 codfw+eqiad\n"
                   f"config.missing: {self.module}: there is no setting 'masters.nowhere'\n", "module-config",
                   check=str.startswith)

    def check(self, out, *words, check=str.__eq__, **more):
        result = self.case(*words, **more)
        self.assertTrue(check(result.out, out), result)
        return result

    def test_of_another_type(self):
        self.assertRegex(self.case("module-config").out, rf"\nconfig\.type: {re.escape(str(self.module))}.*masters\.eqiad")

    def test_not_trusted(self):
        self.module.chmod(0o666)
        self.assertIn(" [config.file]\n", self.case("module-config", code=99).err)

    def test_missing(self):
        self.module.unlink()
        result = self.case("module-config", code=99)
        self.assertIn(f"{self.module}", result.err)
        self.assertIn(" [config.file]\n", result.err)

    def test_what_the_session_knows(self):
        self.assertIn(f"config_dir={self.scratch}/config proxy=proxy:80\n", self.case("session").out)


class Session(SdkTest):
    def test_who_and_what(self):
        process = self.start(NAME, "session")
        out = self.finish(process).out
        self.assertIn(f"dry=0 verbose=0 user={USER} name={NAME}\n", out)
        self.assertIn(f"\nowner is={USER}@{os.uname().nodename} [{process.pid}]\n", out)
        self.assertIn(" proxy=NULL\n", out, "an empty setting is none")

    def test_flags(self):
        self.assertIn("dry=1 verbose=0 ", self.case("session", options=["-d"]).out)
        self.assertIn("dry=0 verbose=1 ", self.case("session", options=["-v"]).out)

    def test_behind_sudo(self):
        """Only root is believed, and only where the kernel knows of no login."""
        expected = "operator" if os.geteuid() == 0 and LOGIN_UID == 2**32 - 1 else USER
        self.env["SUDO_USER"] = "operator"
        self.assertIn(f" user={expected} ", self.case("session").out)
        self.assertRegex(self.log(NAME)[0], rf"^\S+ \S+ {expected} \d+ \[INFO\] ")


class Scopes(SdkTest):
    def test_every_way_out_leaves_them(self):
        self.check("left loop\nleft loop\nleft return\nleft goto\nleft inner\nleft outer\ncookbook: within\n"
                   "left closed\nin a and b\nleft b\nleft a\nend of run\nleft deferred\n", "scopes")


class Errors(SdkTest):
    def test_kinds_causes_payload(self):
        result = self.check("fixture.outer: the outer one\nfixture.inner: the inner one\n"
                            "cause of cause=0 payload=1 wrong payload=0\n"
                            "fixture=1 fix=0 fixture.outer.more=0 spicerack=1\n", "errors", code=99)
        # Raised again, it shows where it was raised first.
        self.assertIn(f"Exception raised while executing cookbook {NAME}: the outer one [fixture.outer]\n"
                      "caused by: the inner one [fixture.inner]\n", result.err)
        self.assertRegex(result.err, r"    #\d+ raise_inner \(sdk\.c:\d+\) in sdk\.so\n")

    def test_kinds_of_the_helpers(self):
        kinds = [line.split(":")[0] for line in self.case("kinds").out.splitlines()]
        self.assertEqual(kinds, ["text", "regex", "regex", "map"])

    def test_regex(self):
        self.check("db1001 db 1001\na<1>b<22>\na|b|c\n", "regex")


class Memory(SdkTest):
    def test_survives_a_crash(self):
        before = set(self.scratch.iterdir())
        self.check("100 notes, the last one is 'note 99', key is value\n", "crash-with-notes", code=92)
        self.assertEqual(set(self.scratch.iterdir()) - before, {self.logs}, "no core file or the like")


if __name__ == "__main__":
    unittest.main()
