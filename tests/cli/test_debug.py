# SPDX-License-Identifier: Apache-2.0
"""What an author finds a mistake with: gdb, valgrind, core dumps, the report of a crash."""

import re
import shutil
import subprocess
import unittest

from harness import BUILD, FIXTURES, LONG, PREFIX, SANITIZED, SOURCE, CommandTest, allow_cores, only_core, require_cores

NAME = "fixture.misbehave"
COOKBOOK = FIXTURES / "fixture" / "misbehave.so"
RUNNER = PREFIX / "libexec" / "spicerack" / "runner"


def line_of(text):
    """The number of the line of the fixture that holds a text."""
    lines = (SOURCE / "tests" / "fixture" / "cookbooks" / "misbehave.c").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


class ToolTest(CommandTest):
    tool = ""

    def setUp(self):
        super().setUp()
        if not shutil.which(self.tool):
            self.skipTest(f"{self.tool} is not installed")


class Gdb(ToolTest):
    tool = "gdb"

    def gdb(self, *commands, args=()):
        options = [word for command in commands for word in ("-ex", command)]
        return self.run_command("gdb", "-nx", "-q", "-batch", *options, *args, timeout=300)

    def test_breakpoint_in_a_cookbook(self):
        result = self.gdb("set follow-fork-mode child", "set breakpoint pending on", "break greet.c:run", "run",
                          "backtrace 2", "print *(struct greet *)self", "continue",
                          args=["--args", PREFIX / "bin" / "cookbook", "-c",
                                self.write("samples.cfg", self.configuration([BUILD / "docs" / "cookbooks"])),
                                "--in-process", "samples.greet", "you"])
        if "ptrace: Operation not permitted" in result.err:
            self.skipTest("processes may not be traced here")
        self.assertRegex(result.out, r"hit Breakpoint 1, run \(spk=.*, self=.*\) at \S*greet\.c:\d+\n")
        self.assertRegex(result.out, r"#0  run \(spk=.*\) at \S*greet\.c:\d+\n#1 .* in stage_run ")
        self.assertRegex(result.out, r'\{name = 0x[0-9a-f]+ "you"\}')
        self.assertIn("hello you\n", result.out + result.err)
        self.assertIn("END (PASS) - Cookbook samples.greet (exit_code=0)\n", result.out + result.err)

    def check_core(self, code, above, *options):
        result = self.cookbook(*options, NAME, "--how", "segv", preexec_fn=allow_cores)
        self.assertEqual(result.code, code, result)
        shown = self.gdb("backtrace", args=[RUNNER, only_core(self)]).out
        self.assertIn("Program terminated with signal SIGSEGV", shown)
        self.assertRegex(shown, rf"{above}store_nowhere \(\) at \S*misbehave\.c:{line_of('*nowhere = 1;')}\n")
        self.assertRegex(shown, r"#\d+ .* in run \(spk=.*\) at \S*misbehave\.c:\d+\n")

    @unittest.skipIf(SANITIZED, "a sanitizer writes no core dump")
    def test_core_of_a_cookbook(self):
        require_cores(self)
        self.check_core(92, r"<signal handler called>\n#\d+ .* in ")

    @unittest.skipIf(SANITIZED, "a sanitizer writes no core dump")
    def test_core_of_a_cookbook_in_process(self):
        require_cores(self)
        self.check_core(93, "#0 .*", "--in-process")


@unittest.skipUnless(LONG, "a run in valgrind takes as long as a hundred without")
@unittest.skipIf(SANITIZED, "valgrind and a sanitizer exclude each other")
class Valgrind(ToolTest):
    tool = "valgrind"

    def reports(self, how):
        """What valgrind says of the supervisor and of the runner, which works itself."""
        result = self.run_command("valgrind", "--trace-children=yes", f"--log-file={self.scratch}/valgrind.%p", "--",
                                  PREFIX / "bin" / "cookbook", "-c", self.config, "--in-process", NAME, "--how", how,
                                  timeout=300)
        self.assertEqual(result.code, 0, result)
        texts = [path.read_text() for path in self.scratch.glob("valgrind.*")]
        self.assertEqual(len(texts), 2)
        return sorted(texts, key=lambda text: str(RUNNER) in text.partition("Command: ")[2].partition("\n")[0])

    @staticmethod
    def errors(text):
        return int(re.search(r"ERROR SUMMARY: (\d+) errors", text)[1])

    def test_a_good_run_has_no_error(self):
        self.assertEqual([self.errors(text) for text in self.reports("nothing")], [0, 0])

    def test_an_invalid_read_of_the_cookbook(self):
        supervisor, runner = self.reports("read-beyond")
        self.assertEqual((self.errors(supervisor), self.errors(runner)), (0, 1), runner)
        self.assertRegex(runner, r"Invalid read of size 1\n==\d+==    at 0x\w+: read_beyond\S* "
                                 rf"\(misbehave\.c:{line_of('bytes[beyond]')}\)\n")
        self.assertRegex(runner, r"Address 0x\w+ is 0 bytes after a block of size 8 alloc'd\n")


class CrashReport(CommandTest):
    def test_it_names_all(self):
        result = self.cookbook(NAME, "--how", "segv")
        shown = subprocess.check_output(["readelf", "-n", COOKBOOK], text=True)
        build_id = re.search(r"Build ID: (\w+)", shown)[1]
        report = (f"Cookbook {NAME} was ended by signal 11 (SIGSEGV, Segmentation fault) at address 0 during run\n"
                  f"    build-id {build_id}\n"
                  f"    #0 store_nowhere (misbehave.c:{line_of('*nowhere = 1;')}) in misbehave.so\n")
        self.assertIn(report, result.err)
        self.assertRegex(result.err, r"    #\d run \(misbehave\.c:\d+\) in misbehave\.so\n")


if __name__ == "__main__":
    unittest.main()
