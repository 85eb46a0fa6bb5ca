# SPDX-License-Identifier: Apache-2.0
"""
Secrets: in no output, log, core dump, environment or argument list, in no form.

Each test says which line, taken out, makes it fail; each was tried.
"""

import base64
import json
import os
import pathlib
import re
import resource
import secrets
import shlex
import shutil
import signal
import unittest
import urllib.parse

from harness import SANITIZED, CommandTest, allow_cores, only_core, require_cores

STARS = "********"


def without_edges(text, offset):
    """The digits of base64 that are the secret's alone when `offset` bytes stand before it."""
    digits = base64.b64encode(b"\0" * offset + text + b"\0" * 3)
    return digits[(8 * offset + 5) // 6:8 * (offset + len(text)) // 6]


def forms_of(text):
    raw = text.encode()
    found = {
        raw, base64.b64encode(raw), base64.urlsafe_b64encode(raw),
        urllib.parse.quote(raw, safe="").encode(), urllib.parse.quote(raw).encode(),
        urllib.parse.quote_plus(raw).encode(),
        json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        shlex.quote(text)[1:-1].encode(), text.replace("'", "'\\''").encode(),
    }
    return found | {without_edges(raw, offset) for offset in range(3)}


class SecretTest(CommandTest):
    def setUp(self):
        super().setUp()
        # Of every kind of byte that an encoding changes, and never the same twice.
        self.secret = f's/{secrets.token_hex(8)}+ "\'=\\ö~{secrets.token_hex(8)}'
        self.file = self.write("token", self.secret + "\n", 0o600)

    def use(self, how, *options, **more):
        return self.cookbook("-v", *options, "fixture.secret", "--file", self.file, "--how", how, **more)

    def assertClean(self, where, data):
        raw = self.secret.encode()
        # No larger piece of it, either.
        pieces = {raw[at:at + 16] for at in range(len(raw) - 15)}
        for form in forms_of(self.secret) | pieces:
            at = data.find(form)
            if at >= 0:
                self.fail(f"in {where}: {data[max(at - 64, 0):at + len(form) + 64]}")

    def assertNowhere(self, result):
        """Not on the terminal, not in the standard output and in no file that the run left."""
        self.assertClean("stdout", result.out.encode())
        self.assertClean("stderr", result.err.encode())
        for path in self.scratch.rglob("*"):
            if path.is_file() and path != self.file and not path.name.startswith("core"):
                self.assertClean(path, path.read_bytes())
        return result

    def hidden(self, how, code=0):
        result = self.assertNowhere(self.use(how))
        self.assertEqual(result.code, code, result)
        # Nor as events.
        self.assertEqual(self.assertNowhere(self.use(how, "--json")).code, code)
        return result


class Records(SecretTest):
    """All fail without the call of redact() for the message in log_write()."""

    def test_message(self):
        self.assertIn(f"the token is {STARS}!\n", self.hidden("info").err)
        self.assertIn(("INFO", f"the token is {STARS}!"), self.records("fixture.secret"))

    def test_encoded_message(self):
        # make_base64() in secretforms.c
        self.assertIn(f"<{STARS}>\n", self.hidden("encoded").err)

    def test_place(self):
        # redact() of module and function in log_write()
        self.hidden("place")
        self.assertIn(f"{STARS}:1 in {STARS}] placed", "\n".join(self.log("fixture.secret", True)))

    def test_chain_of_errors(self):
        # redactor_apply() of the lines of the error in on_result(), and that of log_write()
        result = self.hidden("chain", 99)
        self.assertIn(f"login with '{STARS}' failed [fixture.login]\n"
                      f"caused by: the password '{STARS}' is wrong\n", result.err)

    def test_description(self):
        # redactor_apply() of the text in on_result(), and that of log_write()
        result = self.hidden("describe")
        self.assertIn(f"START - Cookbook fixture.secret with {STARS}\n", result.err)
        self.assertIn(f"(exit_code=0) with {STARS}\n", result.err)

    def test_successful_end_in_prepare(self):
        self.assertIn(f"done with {STARS}\n", self.hidden("done").err)

    def test_usage_error(self):
        # redactor_apply() of the text in on_result(): no record, this one
        self.assertIn(f"error: the password '{STARS}' is wrong\n", self.hidden("usage", 2).err)

    def test_stderr(self):
        self.assertIn(f"token={STARS}\n", self.hidden("stderr").err)

    def test_split_over_two_records(self):
        # the tail in redactor_apply() shows the first half, another state of scan() the second
        self.assertIn(f"before {STARS}\n{STARS} after\n", self.hidden("records-split").err)

    def test_split_over_two_lines_of_stderr(self):
        self.assertIn(f"before {STARS}\n{STARS} after\n", self.hidden("stderr-split").err)

    def test_split_by_the_length_of_a_record(self):
        result = self.hidden("record-long")
        self.assertIn(f"00{STARS}\n{STARS}00", result.err)

    def test_secret_that_was_wiped(self):
        # secretlist_remove() in spk_secret_wipe()
        result = self.hidden("wiped", 99)
        self.assertIn(f"a copy of it is {STARS}\n", result.err)
        self.assertIn("[secret.gone]", result.err)

    def test_dry_run(self):
        result = self.assertNowhere(self.use("info", "--dry-run"))
        self.assertIn(f"DRY-RUN: the token is {STARS}!\n", result.err)


class Data(SecretTest):
    """All fail without redactor_pass() in read_pipe()."""

    def test_stdout(self):
        self.assertEqual(self.hidden("stdout").out, f"token={STARS}\n")

    def test_split_over_two_writes(self):
        # the depth of the state kept back by redactor_pass()
        self.assertEqual(self.hidden("stdout-split").out, f"before {STARS} after\n")

    def test_beginning_that_is_none(self):
        middle = len(self.secret.encode()) // 2
        text = self.secret.encode()
        result = self.use("stdout-other")
        self.assertEqual(result.out.encode(), b"before " + text[:middle] + b"!" + text[middle:] + b" after\n")


class Commands(SecretTest):
    """All fail without refuse_secrets() in command.c."""

    def refused(self, how, message):
        result = self.hidden(how, 99)
        self.assertIn(message, result.err)
        self.assertIn("[misuse]", result.err)
        self.assertFalse((self.scratch / "token.ran").exists(), "the command was run")
        return result

    def test_word(self):
        self.refused("argv", "word 2 (counted from 0) of the command holds a secret")

    def test_encoded_word(self):
        # make_base64() in secretforms.c
        self.refused("argv-base64", "word 2 (counted from 0) of the command holds a secret")

    def test_environment(self):
        self.refused("environment", "environment entry 1 (counted from 0) of the command holds a secret")

    def test_argument_of_an_inner_run(self):
        # the loop in request() of nested.c
        self.refused("nested", "argument 1 (counted from 0) holds a secret")

    def test_lock(self):
        # secretlist_is_in() in stage_lock()
        self.assertIn("a lock with a secret in its suffix", self.hidden("lock", 94).err)

    def test_input(self):
        self.assertIn(f"{len(self.secret.encode())} bytes came back", self.hidden("input").err)


class Life(SecretTest):
    def test_wiped_at_the_end_of_its_scope(self):
        # spk_secret_wipe() in the undo action
        result = self.hidden("scoped", 99)
        self.assertIn(f"in its scope: {len(self.secret.encode())} bytes", result.err)
        self.assertIn("[secret.gone]", result.err)

    def test_gone_after_a_crash(self):
        # a serial of entries without the pid names whatever the fresh process reads first
        result = self.hidden("segv", 93)
        self.assertIn("the secret is gone: it was wiped, or the process that read it has died", result.err)

    def test_read_again_after_a_crash_with_a_scope(self):
        result = self.hidden("scope-segv", 92)
        self.assertIn(f"read again: {STARS}\n", result.err)
        self.assertNotIn("not undone", result.err)

    def test_empty_in_a_child_of_the_cookbook(self):
        # MADV_WIPEONFORK in secretmem_map()
        self.assertIn("in a child it is empty", self.hidden("child").err)

    def test_too_short(self):
        result = self.hidden("short", 99)
        self.assertIn("misuse of spk_secret_from(): a secret of less than 4 bytes", result.err)


class Files(SecretTest):
    def refused(self, message):
        result = self.use("nothing")
        self.assertEqual(result.code, 96, result)
        self.assertIn(message, result.err)
        self.assertIn("[secret.file]", result.err)

    def test_permissions(self):
        for mode in 0o640, 0o604, 0o620, 0o602:
            self.file.chmod(mode)
            self.refused(f"its mode {mode:04o} has permissions for group or others")

    def test_contents(self):
        self.file.write_bytes(b"abc\n")
        self.refused("shorter than 4 bytes")
        self.file.write_bytes(b"abc\0def\n")
        self.refused("it holds a NUL byte")
        self.file.write_bytes(b"x" * 65537)
        self.refused("longer than 65536 bytes")
        self.file.write_bytes(b"x" * 65536 + b"\n")
        self.assertEqual(self.use("nothing").code, 0)

    def test_no_regular_file(self):
        self.file.unlink()
        self.refused("cannot open")
        os.mkfifo(self.file, 0o600)
        self.refused("not a regular file")
        self.file.unlink()
        self.file.mkdir(0o700)
        self.refused("not a regular file")


class WaitingTest(SecretTest):
    """A run that has used its secret in every way and now waits for a command."""

    def start_waiting(self, how="use-wait"):
        process = self.start("-v", "fixture.secret", "--file", self.file, "--how", how,
                             preexec_fn=allow_cores)
        log = self.logs / "fixture/secret.log"
        self.wait_for(lambda: log.exists() and log.read_text().endswith(f"] waiting with {STARS}\n"),
                      "the cookbook to wait")
        self.wait_for(lambda: any(name == "sleep" for _, name in self.processes_below(process.pid)),
                      "its command")
        return process

    def processes_below(self, pid):
        found = [(pid, pathlib.Path(f"/proc/{pid}/comm").read_text().strip())]
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                found += self.processes_below(int(child))
            except OSError:
                pass
        return found


class Memory(WaitingTest):
    """Needs no core dump: what would be in one is asked of the kernel."""

    def mappings(self, pid):
        """(begin, end, description, flags) of each readable mapping."""
        found = []
        for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ", line)
            if head:
                current = (int(head[1], 16), int(head[2], 16), line, head[3])
            if line.startswith("VmFlags:") and "r" in current[3]:
                found.append((*current[:3], line.split()[1:]))
        return found

    def holders(self, pid):
        """The mappings with the secret in any form, in pieces that need no terabytes of us."""
        found = []
        piece, overlap = 1 << 24, 4096
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for begin, end, line, flags in self.mappings(pid):
                if end - begin > 1 << 32:
                    continue  # shadow of a sanitizer, the run's own is 1 GiB
                for at in range(begin, end, piece):
                    try:
                        memory.seek(at)
                        data = memory.read(min(piece + overlap, end - at))
                    except (OSError, ValueError, OverflowError):
                        break
                    if any(form in data for form in forms_of(self.secret)):
                        found.append((line, flags))
                        break
        return found

    def test_only_where_no_dump_looks(self):
        # MADV_DONTDUMP in secretmem_map(), arena_create() or shield_stdout(); explicit_bzero() in
        # buf.c, channel_receive() or collect(); channel_wipe() in on_log() or on_secret()
        for how in "use-wait", "read-wait":
            with self.subTest(how):
                self.look(self.start_waiting(how))

    def test_typed_at_a_question(self):
        # secretmem_map() or explicit_bzero() in prompt.c, secretmem_map() in asking.c, channel_wipe() in
        # ask_for_secret()
        terminal = self.on_terminal("cookbook", "-c", self.config, "fixture.ask", "--how", "secret", "--value", "2",
                                    "--marks", self.marks_file)
        terminal.wait_for("Token: ")
        terminal.type(self.secret.encode() + b"\n")
        self.wait_for_mark(f"length {len(self.secret.encode())}")
        self.look(terminal.process)

    def look(self, process):
        holders = {}
        for pid, name in self.processes_below(process.pid):
            if name == "sleep":
                continue  # not ours
            try:
                holders[name] = self.holders(pid)
            except PermissionError as reason:
                self.skipTest(f"the memory of {name} cannot be read here: {reason}")
        self.assertTrue(holders["spicerack-work"], "nothing was found: the test is blind")
        for name, found in holders.items():
            for line, flags in found:
                self.assertIn("dd", flags, f"{name} would dump {line}")
        process.kill()
        process.wait()
        shutil.rmtree(self.logs)

    def test_locked(self):
        # mlock() in secretmem_map(), which needs a limit that leaves room
        if resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] != resource.RLIM_INFINITY and os.geteuid() != 0:
            self.skipTest("RLIMIT_MEMLOCK may be too small")
        if SANITIZED:
            self.skipTest("a sanitizer makes mlock() do nothing")
        process = self.start_waiting()
        for pid, name in self.processes_below(process.pid):
            if name != "spicerack-work":
                continue
            private = [flags for line, flags in self.holders(pid) if " rw-p " in line and "wf" in flags]
            self.assertTrue(private)
            for flags in private:
                self.assertIn("lo", flags)

    def test_not_in_environments_and_command_lines(self):
        # refuse_secrets() in command.c: use_it() of the fixture goes on when it is refused
        process = self.start_waiting()
        for pid, name in self.processes_below(process.pid):
            for what in "environ", "cmdline":
                self.assertClean(f"{what} of {name}", pathlib.Path(f"/proc/{pid}/{what}").read_bytes())


class Cores(WaitingTest):
    """Real core dumps, where the kernel writes them to a file of ours."""

    def setUp(self):
        super().setUp()
        require_cores(self)
        if SANITIZED:
            self.skipTest("a sanitizer's shadow memory would be dumped, too")

    def read_core(self):
        data = only_core(self).read_bytes()
        self.assertEqual(data[:4], b"\x7fELF")
        return data

    def test_of_the_cookbook(self):
        # MADV_DONTDUMP in secretmem_map(), arena_create() or shield_stdout(); explicit_bzero() in
        # buf.c or collect(); forget_vectors() in crash.c. What mem_wipe_stack() wipes is
        # overwritten by chance here.
        result = self.assertNowhere(self.use("use-segv", preexec_fn=allow_cores))
        self.assertEqual(result.code, 92, result)
        data = self.read_core()
        # It is that process's core, with the memory of its stack and heap.
        self.assertIn(b"fixture.secret", data)
        self.assertClean("the core dump", data)

    def test_of_the_supervisor(self):
        # channel_wipe() in on_log(); explicit_bzero() in buf.c or channel_receive()
        process = self.start_waiting()
        process.send_signal(signal.SIGABRT)
        process.wait(20)
        data = self.read_core()
        self.assertIn(b"fixture.secret", data)
        self.assertClean("the core dump", data)


if __name__ == "__main__":
    unittest.main()
