# SPDX-License-Identifier: Apache-2.0
"""The menu: what it shows, what it does with answers, and terminals of all sizes that come and go."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import termios
import time
import unittest

from harness import FIXTURES, PREFIX, CommandTest

MISBEHAVE = FIXTURES / "fixture" / "misbehave.so"
NO_TERMINAL = "cookbook: there is no terminal to choose at: name a cookbook to run it\n"
PROMPT = ">>> "
# The terminal edits the lines itself; the library does.
TERMS = ("dumb", "xterm-256color")

ROOT = """#--- All of them args=[] ---#
[NOTRUN] alpha: Misbehave
[0/2] group: A group
[0/1] untitled: -
q - Quit
h - Help
"""
GROUP = """#--- A group args=[] ---#
[NOTRUN] beta: Misbehave
[0/1] sub: -
b - Back
h - Help
"""


class MenuTest(CommandTest):
    """A tree of copies of fixture.misbehave, whose arguments say how a run ends."""

    def setUp(self):
        super().setUp()
        self.env["NO_COLOR"] = "1"
        self.base = self.scratch / "tree"
        self.config = self.write("spicerack.cfg", self.configuration([self.base]))
        self.group("", "All of them")
        self.group("group", "A group")
        for name in ("alpha", "group/beta", "group/sub/gamma", "untitled/delta"):
            self.put(name)

    def group(self, path, title):
        return self.write(f"tree/{path}/group.cfg", f'title = "{title}";\n')

    def put(self, name, source=MISBEHAVE):
        """Installs a cookbook as a package does: under its name at once."""
        path = self.base / f"{name}.so"
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        shutil.copyfile(source, fresh)
        fresh.rename(path)
        return path

    @property
    def history(self):
        return self.scratch / "home" / ".local" / "state" / "spicerack" / "menu-history"

    def menu(self, *words, options=(), term=None, **more):
        """A menu at its first prompt, on a terminal; with `term` one at which lines can be edited."""
        if term:
            self.env["TERM"] = term
        terminal = self.on_terminal("cookbook", "-c", self.config, *options, *words, **more)
        terminal.prompts = 0
        self.next_prompt(terminal)
        return terminal

    def next_prompt(self, terminal, seconds=30):
        """What was shown since the last prompt, up to the next one."""
        terminal.prompts += 1
        needle = PROMPT.encode()
        self.wait_for(lambda: terminal.shown.count(needle) >= terminal.prompts or not terminal.read(), "a prompt",
                      seconds)
        self.assertGreaterEqual(terminal.shown.count(needle), terminal.prompts, terminal.shown)
        return terminal.shown.split(needle)[terminal.prompts - 1].decode().replace("\r\n", "\n")

    def answer(self, terminal, line):
        """Types an answer; what is shown from then on up to the next prompt, without the echo."""
        terminal.type(line.encode() + b"\n")
        return self.next_prompt(terminal).partition("\n")[2]

    def check_left(self, terminal, code=0):
        result = terminal.finish()
        self.assertEqual(result.code, code, result)
        self.assertNothingLeft()
        if terminal.master >= 0:
            self.assertEqual(termios.tcgetattr(terminal.master), terminal.settings)
        return result

    def quit(self, terminal):
        terminal.type(b"q\n")
        return self.check_left(terminal)


class WithoutTerminal(MenuTest):
    def check_printed(self, shown, *words):
        result = self.cookbook(*words)
        self.assertEqual((result.code, result.out, result.err), (0, shown, NO_TERMINAL))

    def test_it_is_printed_once(self):
        self.check_printed(ROOT)

    def test_a_group(self):
        self.check_printed(GROUP.replace("b - Back", "q - Quit"), "group")

    def test_a_group_within(self):
        self.check_printed("#--- - args=[] ---#\n[NOTRUN] gamma: Misbehave\nq - Quit\nh - Help\n", "group.sub")

    def test_arguments_are_shown_as_python_shows_a_list(self):
        words = ["--value", "2", "a b", "it's", "", "\x1b[31m", "ü", '"\'']
        result = self.cookbook("group", *words)
        self.assertEqual(result.out.partition("\n")[0], f"#--- A group args={words!r} ---#")

    def test_nothing_is_cut(self):
        self.group("group", "x" * 1000)
        self.assertIn(f"[0/2] group: {'x' * 1000}\n", self.cookbook().out)

    def test_only_one_of_the_streams_is_a_terminal(self):
        terminal = self.on_terminal("cookbook", "-c", self.config, stdout=subprocess.PIPE)
        self.addCleanup(terminal.process.stdout.close)
        out, _ = terminal.process.communicate(timeout=60)
        self.assertEqual((terminal.process.returncode, out.decode()), (0, ROOT))

    def test_a_tree_that_cannot_be_read(self):
        self.base.chmod(0o777)
        result = self.cookbook()
        self.assertEqual((result.code, result.out), (1, ""))
        self.assertIn("not trusted, others may write to it", result.err)

    def test_no_traces(self):
        self.cookbook()
        self.assertNoTraces()
        self.assertFalse(self.history.exists())


class Answers(MenuTest):
    """What is typed and what comes of it, at a terminal that edits the lines itself."""

    def test_the_first_menu(self):
        terminal = self.menu()
        self.assertEqual(terminal.shown.decode().replace("\r\n", "\n"), ROOT + PROMPT)
        self.quit(terminal)

    def test_every_end_has_its_status(self):
        terminal = self.menu()
        for arguments, status in (("", "PASS"), ("--how return --value 3", "FAIL"), ("--how raise", "FAIL"),
                                  ("--how exit", "FAIL"), ("--how segv", "FAIL"), ("--at prepare --how raise", "FAIL"),
                                  ("", "PASS")):
            self.assertIn(f"\n[{status}] alpha: Misbehave\n", self.answer(terminal, f"alpha {arguments}"), arguments)
        self.quit(terminal)

    def test_what_ran_nothing_leaves_the_status(self):
        terminal = self.menu()
        shown = self.answer(terminal, "alpha --help")
        self.assertIn("usage: cookbook [GLOBAL_ARGS] alpha [-h]", shown)
        self.assertIn("[NOTRUN] alpha: Misbehave\n", shown)
        shown = self.answer(terminal, "alpha --nonsense")
        self.assertIn("error: unrecognized arguments: --nonsense\n", shown)
        self.assertIn("[NOTRUN] alpha: Misbehave\n", shown)
        self.answer(terminal, "alpha")
        self.assertIn("[PASS] alpha: Misbehave\n", self.answer(terminal, "alpha --nonsense"))
        self.quit(terminal)

    def test_counts_go_through_all_levels(self):
        terminal = self.menu()
        self.assertEqual(self.answer(terminal, "group"), GROUP)
        self.assertIn("[NOTRUN] gamma: Misbehave\n", self.answer(terminal, "sub"))
        self.assertIn("[FAIL] gamma: Misbehave\n", self.answer(terminal, "gamma --how raise"))
        self.assertIn("[DONE] sub: -\n", self.answer(terminal, "b"))
        self.assertEqual(self.answer(terminal, "b"), ROOT.replace("[0/2]", "[1/2]"))
        self.answer(terminal, "group")
        self.assertIn("[PASS] beta: Misbehave\n[DONE] sub: -\n", self.answer(terminal, "beta"))
        self.assertEqual(self.answer(terminal, "b"), ROOT.replace("[0/2]", "[DONE]"))
        self.quit(terminal)

    def test_wrong_answers(self):
        terminal = self.menu()
        for line in ("nonsense", "b", "gamma", "''", "../alpha", "alpha/", ".", "-l", "q now", "h h"):
            self.assertEqual(self.answer(terminal, line), "==> Invalid input <==\n" + ROOT, line)
        self.assertEqual(self.answer(terminal, "alpha 'open"), "==> Invalid input <== (a quote is not closed)\n" + ROOT)
        self.answer(terminal, "group")
        for line in ("q", "alpha", "group"):
            self.assertEqual(self.answer(terminal, line), "==> Invalid input <==\n" + GROUP, line)
        self.answer(terminal, "b")
        self.quit(terminal)
        self.assertFalse(self.logs.exists())

    def test_an_empty_line_shows_it_again(self):
        terminal = self.menu()
        for line in ("", "   "):
            self.assertEqual(self.answer(terminal, line), ROOT)
        self.quit(terminal)

    def test_a_filter(self):
        terminal = self.menu()
        shown = self.answer(terminal, "/GROUP")
        self.assertEqual(shown, "#--- All of them args=[] ---#\n[0/2] group: A group\n... 1 with 'GROUP', / shows all\n"
                                "q - Quit\nh - Help\n")
        self.assertIn("[NOTRUN] alpha: Misbehave\n... 1 with 'behav', / shows all\n", self.answer(terminal, "/behav"))
        self.assertIn("---#\n... 0 with '\\x1b[31m', / shows all\n", self.answer(terminal, "/\x16\x1b[31m"))
        self.assertIn("[NOTRUN] beta: Misbehave\n", self.answer(terminal, "group"))  # also what is not shown
        self.answer(terminal, "b")
        self.assertEqual(self.answer(terminal, "/"), ROOT)
        self.quit(terminal)

    def test_help(self):
        terminal = self.menu()
        shown = self.answer(terminal, "h")
        self.assertTrue(shown.startswith("NAME [ARGUMENT ...]  run the cookbook, or enter the group"), shown)
        self.assertTrue(shown.endswith("\n" + ROOT), shown)
        self.quit(terminal)

    def test_a_group_is_the_top_of_its_menu(self):
        terminal = self.menu("group")
        self.assertIn("\nq - Quit\n", terminal.shown.decode().replace("\r\n", "\n"))
        self.assertIn("b - Back", self.answer(terminal, "sub"))
        self.answer(terminal, "b")
        self.quit(terminal)

    def test_the_cookbooks_of_a_module(self):
        self.put("group/many", FIXTURES / "fixture" / "several.so")
        terminal = self.menu()
        self.assertIn("[0/7] group: A group\n", self.answer(terminal, ""))
        self.assertIn("[NOTRUN] many.Alpha: The first of several\n", self.answer(terminal, "group"))
        self.assertIn("[PASS] many.Alpha: The first of several\n[NOTRUN] many.Beta",
                      self.answer(terminal, "many.Alpha"))
        self.assertIn("[1/7] group: A group\n", self.answer(terminal, "b"))
        self.quit(terminal)

    def test_a_cookbook_before_a_group_of_its_name(self):
        self.put("group")
        terminal = self.menu()
        self.assertIn("[PASS] group: Misbehave\n[0/2] group: A group\n", self.answer(terminal, "group"))
        self.quit(terminal)

    def test_data_without_an_end_of_line(self):
        terminal = self.menu()
        shown = self.answer(terminal, "alpha --how print")
        self.assertIn("data on stdout\n", shown)
        self.assertIn("\n#--- All of them args=[] ---#\n", shown)
        self.quit(terminal)


class Arguments(MenuTest):
    def described(self, shown):
        """What misbehave says it was told, by its START line."""
        return shown.partition("START - Cookbook ")[2].partition("\n")[0]

    def test_those_of_the_line_win_over_those_of_the_command_line(self):
        terminal = self.menu("group", "--how", "nothing")
        self.assertIn("#--- A group args=['--how', 'nothing'] ---#", terminal.shown.decode())
        self.assertEqual(self.described(self.answer(terminal, "beta")), "group.beta by nothing")
        self.assertEqual(self.described(self.answer(terminal, "beta --how raise")), "group.beta by raise")
        self.assertEqual(self.described(self.answer(terminal, "beta")), "group.beta by nothing")
        self.quit(terminal)

    def test_those_of_a_group_win_over_those_of_the_command_line(self):
        terminal = self.menu("group", "--how", "nothing")
        self.assertIn("#--- - args=['--how', 'raise'] ---#\n", self.answer(terminal, "sub --how raise"))
        self.assertEqual(self.described(self.answer(terminal, "gamma")), "group.sub.gamma by raise")
        self.assertEqual(self.described(self.answer(terminal, "gamma --how exit")), "group.sub.gamma by exit")
        self.assertIn("args=['--how', 'nothing']", self.answer(terminal, "b"))
        self.assertIn("#--- - args=['--how', 'nothing'] ---#\n", self.answer(terminal, "sub"))
        self.answer(terminal, "b")
        self.quit(terminal)

    def test_words_are_split_as_by_a_shell(self):
        terminal = self.menu()
        shown = self.answer(terminal, r"""group 'a b' "c\"d" e\ f '' "it's" """)
        self.assertIn("""#--- A group args=['a b', 'c"d', 'e f', '', "it's"] ---#\n""", shown)
        self.answer(terminal, "b")
        self.quit(terminal)

    def test_options_of_the_host_hold_for_all_runs(self):
        terminal = self.menu(options=["-d"])
        self.assertIn("DRY-RUN: START - Cookbook alpha by nothing\n", self.answer(terminal, "alpha"))
        self.quit(terminal)


class Logs(MenuTest):
    def names(self):
        return sorted(str(path.relative_to(self.logs)) for path in self.logs.rglob("*.log"))

    def run_and_quit(self, terminal, *lines):
        for line in lines:
            self.answer(terminal, line)
        self.quit(terminal)

    def test_all_runs_of_a_group_are_in_its_files(self):
        self.run_and_quit(self.menu("group"), "beta", "sub", "gamma", "b")
        self.assertEqual(self.names(), ["group-extended.log", "group.log"])
        self.assertEqual([message for _, message in self.records("group") if message.startswith("START")],
                         ["START - Cookbook group.beta by nothing", "START - Cookbook group.sub.gamma by nothing"])

    def test_a_group_within(self):
        self.run_and_quit(self.menu("group.sub"), "gamma")
        self.assertEqual(self.names(), ["group/sub-extended.log", "group/sub.log"])

    def test_all_runs_from_the_top(self):
        self.run_and_quit(self.menu(), "alpha", "group", "beta", "b")
        self.assertEqual(self.names(), ["cookbooks-extended.log", "cookbooks.log"])


class Keys(MenuTest):
    """Ctrl+C, Ctrl+D and other signals, with lines that the terminal edits, and others."""

    @contextlib.contextmanager
    def edited(self, term):
        """One of the two kinds of terminals, with marks and a log of its own."""
        with self.subTest(term):
            self.env["TERM"] = term
            self.marks_file.unlink(missing_ok=True)
            shutil.rmtree(self.logs, ignore_errors=True)
            yield

    def test_at_the_prompt_they_go_back_and_quit(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu()
                for key in (b"\x03", b"\x04"):
                    self.answer(terminal, "group")
                    terminal.type(key)
                    self.assertIn("QUIT\n#--- All of them args=[] ---#\n", self.next_prompt(terminal))
                terminal.type(b"\x04" if term == "dumb" else b"\x03")
                self.assertTrue(self.check_left(terminal).out.endswith("QUIT\n"))

    def test_ctrl_c_with_half_a_line(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu()
                terminal.type(b"alp")
                terminal.wait_for("alp")
                terminal.type(b"\x03")
                self.assertTrue(self.check_left(terminal).out.endswith("QUIT\n"))
                self.assertFalse(self.logs.exists())

    def test_in_a_run_ctrl_c_interrupts_it_and_the_menu_is_back(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu()
                terminal.type(f"alpha --marks {self.marks_file} --how sleep --value 60\n".encode())
                self.wait_for_mark("run")
                terminal.type(b"\x03")
                shown = self.next_prompt(terminal)
                self.assertIn("END (ERROR) - Cookbook alpha (exit_code=97) by sleep\n", shown)
                self.assertIn("[ERROR] alpha: Misbehave\n", shown)
                self.quit(terminal)

    def test_sigterm_at_the_prompt_leaves_it(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu()
                self.answer(terminal, "group")
                terminal.process.send_signal(signal.SIGTERM)
                result = self.check_left(terminal)
                self.assertNotIn("QUIT", result.out)

    def test_sigterm_in_a_run_ends_both(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu()
                terminal.type(f"alpha --marks {self.marks_file} --how sleep --value 60\n".encode())
                self.wait_for_mark("run")
                terminal.process.send_signal(signal.SIGTERM)
                result = self.check_left(terminal, 97)
                self.assertTrue(result.out.endswith("END (ERROR) - Cookbook alpha (exit_code=97) by sleep\n"), result)

    def test_sigterm_in_a_rollback_ends_the_menu_after_it(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu()
                terminal.type(f"alpha --marks {self.marks_file} --how raise --at-rollback sleep --value 1\n".encode())
                self.wait_for_mark("rollback")
                terminal.process.send_signal(signal.SIGTERM)
                self.assertIn("SIGTERM: the cookbook is being rolled back, that goes on\n",
                              self.check_left(terminal, 99).out)
                self.assertIn("rollback ends", self.marks())

    def test_a_hang_up_at_the_prompt(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu("group")
                self.answer(terminal, "sub")
                terminal.hang_up()
                self.check_left(terminal)

    def test_a_hang_up_in_a_run(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu()
                terminal.type(f"alpha --marks {self.marks_file} --how sleep --value 60\n".encode())
                self.wait_for_mark("run")
                terminal.hang_up()
                self.check_left(terminal, 97)
                self.assertIn(("INFO", "END (ERROR) - Cookbook alpha (exit_code=97) by sleep"), self.records("cookbooks"))

    def test_what_is_typed_ahead_is_done_in_order(self):
        for term in TERMS:
            with self.edited(term):
                terminal = self.menu()
                terminal.type(b"group\nbeta\nb\nq\n")
                result = self.check_left(terminal)
                self.assertIn("[1/2] group: A group\n", result.out)

    def test_a_terminal_that_goes_away_is_not_asked_for_ever(self):
        """Also where SIGHUP is ignored, as under nohup with the streams kept."""
        for term in TERMS:
            with self.edited(term):
                terminal = self.on_terminal("sh", "-c", 'trap "" HUP; exec cookbook -c "$0"', self.config)
                terminal.wait_for(PROMPT)
                terminal.hang_up()
                self.assertEqual(terminal.finish().code, 0)


class Changes(MenuTest):
    """The tree changes while the menu is open."""

    def test_installed_and_removed(self):
        terminal = self.menu()
        self.answer(terminal, "alpha")
        self.put("aaa")
        self.put("new/one")
        self.assertIn("[NOTRUN] aaa: Misbehave\n[PASS] alpha: Misbehave\n[0/2] group: A group\n[0/1] new: -\n",
                      self.answer(terminal, ""))
        (self.base / "aaa.so").unlink()
        self.assertEqual(self.answer(terminal, "aaa").partition("\n")[0], "==> Invalid input <==")
        (self.base / "alpha.so").unlink()
        shutil.rmtree(self.base / "new")
        self.assertEqual(self.answer(terminal, ""), ROOT.replace("[NOTRUN] alpha: Misbehave\n", ""))
        self.put("alpha")
        self.assertIn("[PASS] alpha: Misbehave\n", self.answer(terminal, ""))
        self.quit(terminal)

    def test_an_upgraded_one_is_run(self):
        terminal = self.menu()
        self.answer(terminal, "alpha")
        self.put("alpha", FIXTURES / "fixture" / "constructor.so")
        self.assertIn("[PASS] alpha: Tell when it is opened\n", self.answer(terminal, ""))
        self.put("alpha")
        self.assertIn("END (FAIL) - Cookbook alpha (exit_code=7) by return\n",
                      self.answer(terminal, "alpha --how return --value 7"))
        self.quit(terminal)

    def test_a_group_that_goes_while_one_is_in_it(self):
        terminal = self.menu()
        self.answer(terminal, "group")
        shutil.rmtree(self.base / "group")
        self.assertEqual(self.answer(terminal, ""), "#--- - args=[] ---#\nb - Back\nh - Help\n")
        self.assertEqual(self.answer(terminal, "b"), ROOT.replace("[0/2] group: A group\n", ""))
        self.quit(terminal)

    def test_a_whole_tree_that_goes(self):
        terminal = self.menu()
        self.base.rename(self.scratch / "away")
        shown = self.answer(terminal, "")
        self.assertIn("cookbook: no directory of cookbooks can be read\n#--- - args=[] ---#\nq - Quit\n", shown)
        (self.scratch / "away").rename(self.base)
        self.assertEqual(self.answer(terminal, ""), ROOT)
        self.quit(terminal)

    def test_a_broken_file_is_one_line_once(self):
        path = self.write("tree/broken.so", "x")
        line = f"{path}: not a shared object\n"
        terminal = self.menu()
        self.assertEqual(terminal.shown.decode().replace("\r\n", "\n"), line + ROOT + PROMPT)
        self.assertEqual(self.answer(terminal, ""), ROOT)
        self.assertEqual(self.answer(terminal, "broken"), line + ROOT)
        self.assertIn("[PASS] alpha: Misbehave\n", self.answer(terminal, "alpha"))
        path.unlink()
        other = self.write("tree/other.so", "x")
        self.assertTrue(self.answer(terminal, "").startswith(f"{other}: not a shared object\n#---"))
        self.quit(terminal)


class History(MenuTest):
    def test_what_was_typed_is_kept_and_only_that(self):
        terminal = self.menu()
        self.answer(terminal, "alpha --value 1")
        self.answer(terminal, " alpha --value 2")
        self.answer(terminal, "")
        self.quit(terminal)
        self.assertEqual(self.history.read_text(), "alpha --value 1\nq\n")
        self.assertEqual(self.history.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.history.parent.stat().st_mode & 0o777, 0o700)

    def test_answers_to_a_cookbook_are_not_kept(self):
        self.put("nest", FIXTURES / "fixture" / "nest.so")
        terminal = self.menu()
        terminal.type(b"nest --form confirm --cookbook alpha -- --how raise\n")
        terminal.wait_for("What do you want to do?")
        terminal.type(b"skip\n")
        self.next_prompt(terminal)
        self.quit(terminal)
        self.assertEqual(self.history.read_text(), "nest --form confirm --cookbook alpha -- --how raise\nq\n")

    def test_it_is_bounded(self):
        self.history.parent.mkdir(parents=True, mode=0o700)
        self.history.write_text("".join(f"{number} {'x' * 200}\n" for number in range(3000)))
        self.quit(self.menu())
        lines = self.history.read_text().splitlines()
        self.assertEqual(len(lines), 501)
        self.assertEqual((lines[0].split()[0], lines[-2].split()[0], lines[-1]), ("2500", "2999", "q"))
        self.assertEqual(self.history.stat().st_mode & 0o777, 0o600)

    def refused(self, reason):
        terminal = self.menu()
        self.assertIn(f"cookbook: what you type here is not kept: {reason}", terminal.shown.decode())
        self.assertIn("[PASS] alpha", self.answer(terminal, "alpha"))
        self.quit(terminal)

    def test_a_link_is_not_followed(self):
        self.history.parent.mkdir(parents=True, mode=0o700)
        target = self.write("target", "precious\n")
        self.history.symlink_to(target)
        self.refused(f"{self.history}: cannot open")
        self.assertEqual(target.read_text(), "precious\n")

    def test_a_second_name_is_refused(self):
        self.history.parent.mkdir(parents=True, mode=0o700)
        target = self.write("target", "precious\n")
        self.history.hardlink_to(target)
        self.refused(f"{self.history}: not a file of yours alone")
        self.assertEqual(target.read_text(), "precious\n")

    def test_a_directory_of_everybody_is_refused(self):
        self.history.parent.mkdir(parents=True)
        self.history.parent.chmod(0o777)
        self.refused(f"{self.history.parent}: not trusted")

    def test_without_a_home(self):
        self.env["XDG_STATE_HOME"] = str(self.scratch / "state")
        self.quit(self.menu())
        self.assertEqual((self.scratch / "state" / "spicerack" / "menu-history").read_text(), "q\n")


class Editing(MenuTest):
    """With the line editor."""

    UP, LEFT, RIGHT, DELETE = b"\x1b[A", b"\x1b[D", b"\x1b[C", b"\x7f"

    def edit(self, *words, **more):
        return self.menu(*words, term="xterm-256color", size=(80, 24), **more)

    def run_keys(self, terminal, keys, cookbook="alpha"):
        """Types keys, and waits for the run of a cookbook; what it was told."""
        terminal.type(keys)
        shown = self.next_prompt(terminal)
        while "\nSTART" not in shown and "Invalid" not in shown:  # a line drawn anew has its prompt again
            shown += self.next_prompt(terminal)
        return shown.partition(f"START - Cookbook {cookbook} by ")[2].partition("\n")[0]

    def test_moving_and_deleting(self):
        terminal = self.edit()
        self.assertEqual(self.run_keys(terminal, b"lpha --how noXthing" + self.LEFT * 5 + self.DELETE + b"\x01a\n"),
                         "nothing")
        self.quit(terminal)

    def test_characters_of_several_bytes(self):
        terminal = self.edit()
        keys = "alpha --how é日本".encode() + self.LEFT + self.DELETE + "ü".encode() + b"\n"
        self.assertEqual(self.run_keys(terminal, keys), "éü本")
        self.quit(terminal)

    def test_the_same_in_any_locale(self):
        for name, value in (("LANG", "C"), ("LC_ALL", "POSIX"), ("LC_ALL", "xx_XX.nonsense")):
            with self.subTest(value):
                self.env[name] = value
                self.test_characters_of_several_bytes()

    def test_history_of_this_menu_and_the_ones_before(self):
        terminal = self.edit()
        self.run_keys(terminal, b"alpha --how first\n")
        self.assertEqual(self.run_keys(terminal, self.UP + self.DELETE * 5 + b"second\n"), "second")
        terminal.type(b"q\n")
        self.check_left(terminal)
        terminal = self.edit()
        self.assertEqual(self.run_keys(terminal, self.UP * 2 + b"\n"), "second")
        self.assertEqual(self.run_keys(terminal, b"\x12fir\n"), "first")
        terminal.type(b"q\n")
        self.check_left(terminal)

    def test_completion(self):
        self.put("alpine")
        self.put("timed", FIXTURES / "fixture" / "timed.so")
        terminal = self.edit()
        for keys, completed in ((b"alpi\t", "alpine"), (b"alph\t--ho\traise", "alpha --how raise"),
                                (b"alp\th\t", "alpha")):
            with self.subTest(completed):
                name, _, how = completed.partition(" --how ")
                self.assertEqual(self.run_keys(terminal, keys + b"\n", name), how or "nothing")
        terminal.type(b"q\n")
        self.check_left(terminal)

    def test_no_key_starts_another_program(self):
        """M-x of the library could bind a key to an editor, and that to a shell."""
        terminal = self.edit()
        terminal.type(b"\x1bxbind ^X vi-histedit\n")
        self.next_prompt(terminal)
        self.assertIn("Invalid input", terminal.shown.decode())
        self.assertNotIn(b"\n: ", terminal.shown)
        terminal.type(b"\x18\x18\x15q\n")
        self.check_left(terminal)

    def test_the_users_editrc_is_not_read(self):
        self.write("home/.editrc", 'bind -s z "nonsense"\n')
        terminal = self.edit()
        terminal.type(b"z\n")
        self.assertNotIn("nonsense", self.next_prompt(terminal))
        self.quit(terminal)

    def test_a_terminal_that_cannot_be_edited_at(self):
        for term in ("dumb", ""):
            self.env["TERM"] = term
            terminal = self.menu()
            self.assertNotIn("cannot be edited", terminal.shown.decode())
            self.quit(terminal)

    @unittest.skipUnless(os.geteuid() == 0, "only root can hide a directory")
    def test_without_the_driver(self):
        """The same commands, where the directory of the drivers is an empty one: no locks then either."""
        plugins = next(PREFIX.rglob("lineedit-libedit.so")).parent
        hide = f'mount -t tmpfs -o mode=755 none "{plugins}" && exec cookbook --no-locks -c "$0"'
        self.env["TERM"] = "xterm"
        terminal = self.on_terminal("unshare", "-m", "sh", "-c", hide, self.config)
        self.wait_for(lambda: not terminal.read() or PROMPT.encode() in terminal.shown, "a prompt")
        if b"unshare failed" in terminal.shown or b"mount:" in terminal.shown:
            self.skipTest("no namespaces here")
        terminal.prompts = 1
        shown = " ".join(terminal.shown.decode().split())
        self.assertIn(f"lines cannot be edited: the driver lineedit-libedit is not installed: '{plugins}", shown)
        self.assertIn("[PASS] alpha: Misbehave\n", self.answer(terminal, "alpha"))
        self.assertNotIn("cannot be edited", self.answer(terminal, ""))
        terminal.type(b"q\n")
        self.assertEqual(terminal.finish().code, 0)


class Colours(MenuTest):
    def shown(self, **variables):
        self.env.pop("NO_COLOR")
        self.env.update(variables)
        terminal = self.menu(term="xterm")
        terminal.type(b"alpha --how raise\n")
        terminal.wait_for("] alpha: Misbehave", 30)
        self.wait_for(lambda: terminal.read() and b"[FAIL] alpha: Misbehave" in terminal.shown, "the status")
        terminal.type(b"q\n")
        return terminal.finish().out

    def test_on_a_terminal(self):
        shown = self.shown()
        self.assertIn("\x1b[31m[FAIL] alpha: Misbehave\x1b[0m\n", shown)
        self.assertIn("\x1b[1m#--- All of them args=[] ---#\x1b[0m\n", shown)

    def test_unless_it_is_not_wanted(self):
        shown = self.shown(NO_COLOR="1")
        self.assertIn("\n[FAIL] alpha: Misbehave\n", shown)
        self.assertIn("\n#--- All of them args=[] ---#\n", shown)


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class Screen(MenuTest):
    """What an operator sees: the screen of tmux, in all sizes."""

    def setUp(self):
        super().setUp()
        self.socket = self.scratch / "tmux"
        self.env.pop("COLUMNS")
        self.env["PS1"] = "$ "

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], env=self.env, cwd=self.scratch,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def open(self, columns, rows, *words):
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "bash",
                  "--norc", "--noprofile")
        self.addCleanup(self.end_what_is_left)
        self.addCleanup(self.tmux, "kill-server")
        self.keys(" ".join(["cookbook", "-c", str(self.config), *words]), "Enter")
        return self.screen(lambda lines: lines and lines[-1] == ">>>")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self, ready, seconds=30):
        """The lines of the screen once they are as wanted, without blank ends and empty lines below."""
        end = time.monotonic() + seconds
        while True:
            lines = [line.rstrip() for line in self.tmux("capture-pane", "-p").rstrip("\n").split("\n")]
            if ready(lines):
                return lines
            if time.monotonic() > end:
                raise AssertionError("the screen is\n" + "\n".join(lines))
            time.sleep(0.05)

    def resize(self, columns, rows):
        """tmux takes its time to tell the programs in it."""
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
        pane = os.open(self.tmux("display-message", "-p", "#{pane_tty}").strip(), os.O_RDONLY | os.O_NOCTTY)
        try:
            self.wait_for(lambda: os.get_terminal_size(pane) == (columns, rows), "the new size")
        finally:
            os.close(pane)

    def menu_of(self, lines):
        """The last menu on the screen, without its prompt."""
        start = max(index for index, line in enumerate(lines) if line.startswith("#---"))
        return lines[start:-1]

    def test_titles_are_cut_at_the_width(self):
        self.group("group", "A title " + "that goes on " * 20)
        lines = self.menu_of(self.open(40, 24))
        self.assertEqual(lines[2], "[0/2] group: A title that goes on that …")
        self.assertEqual(len(lines[2]), 40)
        self.keys("group", "Enter")
        lines = self.menu_of(self.screen(lambda lines: "b - Back" in lines and lines[-1] == ">>>"))
        self.assertEqual(lines[0], "#--- A title that goes on … args=[] ---#")

    def test_columns_are_counted_not_characters(self):
        self.group("group", "日本語" * 20)
        self.group("untitled", "é" * 60)
        lines = self.menu_of(self.open(40, 24))
        self.assertEqual(lines[2], "[0/2] group: " + ("日本語" * 20)[:13] + "…")
        self.assertEqual(lines[3], "[0/1] untitled: " + "é" * 23 + "…")

    def test_a_title_that_just_fits(self):
        self.group("group", "x" * 27)
        self.group("untitled", "x" * 24)
        lines = self.menu_of(self.open(40, 24))
        self.assertEqual(lines[2:4], ["[0/2] group: " + "x" * 27, "[0/1] untitled: " + "x" * 24])

    def test_narrow(self):
        self.put("a-cookbook-with-a-long-name")
        lines = self.menu_of(self.open(20, 24))
        self.assertEqual(lines, ["#---  args=[] ---#", "[NOTRUN] a-cookbook-", "with-a-long-name", "[NOTRUN] alpha: Mis…",
                                 "[0/2] group: A group", "[0/1] untitled: -", "q - Quit", "h - Help"])

    def test_tiny(self):
        lines = self.open(8, 4)
        self.assertEqual(lines[-3:], ["q - Quit", "h - Help", ">>>"])
        self.keys("q", "Enter")
        self.screen(lambda lines: lines[-1] == "$")

    def test_many_are_shown_in_pages(self):
        for number in range(500):
            self.put(f"many/host-{number:03}")
        self.open(60, 12)
        self.keys("many", "Enter")
        self.assertEqual(
            self.menu_of(self.screen(lambda lines: "b - Back" in lines and lines[-1] == ">>>")),
            ["#--- - args=[] ---#", *[f"[NOTRUN] host-{number:03}: Misbehave" for number in range(5)],
             "... 1-5 of 500; Enter: more, /TEXT: with TEXT", "b - Back", "h - Help"])
        self.keys("Enter")
        lines = self.screen(lambda lines: "... 6-10 of 500; Enter: more, /TEXT: with TEXT" in lines)
        self.assertIn("[NOTRUN] host-009: Misbehave", lines)
        self.keys("/t-49", "Enter")
        lines = self.screen(lambda lines: "... 1-5 of 10 with 't-49', / shows all; Enter: more" in lines)
        self.assertIn("[NOTRUN] host-494: Misbehave", lines)
        self.keys("host-48", "Tab")  # also what is not shown
        lines = self.screen(lambda lines: any("host-489" in line for line in lines))
        self.keys("7", "Enter")
        lines = self.screen(lambda lines: "b - Back" in lines[-3:])
        self.assertIn("END (PASS) - Cookbook many.host-487 (exit_code=0) by nothing", lines)  # still in view
        self.keys("/", "Enter")
        self.screen(lambda lines: "... 1-5 of 500; Enter: more, /TEXT: with TEXT" in lines)

    def test_a_resize_with_a_line_half_typed(self):
        self.group("group", "A title " + "that goes on " * 20)
        self.open(60, 24)
        self.keys("alpha --how no")
        self.screen(lambda lines: lines[-1] == ">>> alpha --how no")
        for columns, rows in ((30, 10), (100, 30), (25, 6), (80, 24)):
            self.resize(columns, rows)
            self.screen(lambda lines: lines[-1] == ">>> alpha --how no")
        self.keys("thing", "Enter")
        lines = self.menu_of(self.screen(lambda lines: any("[PASS]" in line for line in lines) and lines[-1] == ">>>"))
        self.assertEqual(len(lines[2]), 80)

    def test_a_resize_in_a_run_holds_for_the_next_menu(self):
        self.group("group", "A title " + "that goes on " * 20)
        self.open(60, 24)
        self.keys(f"alpha --marks {self.marks_file} --how wait", "Enter")
        self.wait_for_mark("run")
        self.resize(50, 24)
        self.write("marks.go", "")
        lines = self.menu_of(self.screen(lambda lines: any("[PASS]" in line for line in lines) and lines[-1] == ">>>"))
        self.assertEqual(len(lines[2]), 50)

    def test_candidates_in_columns(self):
        for number in range(12):
            self.put(f"many/host-{number:02}")
        self.open(40, 24, "many")
        self.keys("ho", "Tab")
        self.screen(lambda lines: lines[-1] == ">>> host-")
        self.keys("Tab")
        lines = self.screen(lambda lines: lines[-1] == ">>> host-" and lines[-2] != "h - Help")
        self.assertEqual(lines[-5:], [">>> host-", "host-00  host-03  host-06  host-09",
                                      "host-01  host-04  host-07  host-10", "host-02  host-05  host-08  host-11",
                                      ">>> host-"])

    def test_candidates_below_a_line_of_several_rows(self):
        self.open(30, 24)
        self.keys("alpha --how something-that-is-quite-long --", "Tab")
        line = [">>> alpha --how something-that", "-is-quite-long --"]
        lines = self.screen(lambda lines: lines[-2:] == line and any("--scoped" in line for line in lines))
        start = lines.index(line[0])
        self.assertEqual(lines[start:start + 2], line)
        listed = " ".join(lines[start + 2:-2]).split()
        # All but the one that stands there already.
        known = set(re.findall(r"^  (?:-h, )?(--[\w-]+)", self.cookbook("alpha", "-h").out, re.M))
        self.assertEqual(sorted(listed), sorted(known - {"--how"}))
        self.assertLess(len(lines) - start - 4, len(listed))  # in columns

    def test_history_and_interruption(self):
        self.open(80, 24)
        self.keys(f"alpha --marks {self.marks_file} --how sleep --value 60", "Enter")
        self.wait_for_mark("run")
        self.keys("C-c")
        self.screen(lambda lines: "[ERROR] alpha: Misbehave" in lines and lines[-1] == ">>>")
        self.keys("Up")
        self.screen(lambda lines: lines[-1].endswith("--value 60"))
        self.keys("C-c")
        self.screen(lambda lines: "".join(lines[:-1]).endswith("60QUIT") and lines[-1] == "$")

    def test_ctrl_z_at_the_prompt_suspends_it(self):
        self.open(80, 24)
        self.keys("q", "Enter", "stty -a >before", "Enter", f"cookbook -c {self.config}", "Enter")
        self.screen(lambda lines: lines[-1] == ">>>" and "$ stty -a >before" in lines)
        self.keys("alp")
        self.screen(lambda lines: lines[-1] == ">>> alp")
        self.keys("C-z")
        self.screen(lambda lines: "Stopped" in " ".join(lines) and lines[-1].endswith("$"))
        self.keys("stty -a >stopped", "Enter", "fg", "Enter")
        self.screen(lambda lines: lines[-1] == ">>> alp")
        self.keys("ha", "Enter")
        self.screen(lambda lines: "[PASS] alpha: Misbehave" in lines and lines[-1] == ">>>")
        self.keys("q", "Enter", "stty -a >after; echo over", "Enter")
        self.screen(lambda lines: "over" in lines)
        before = (self.scratch / "before").read_text()
        self.assertEqual((self.scratch / "stopped").read_text(), before)
        self.assertEqual((self.scratch / "after").read_text(), before)


if __name__ == "__main__":
    unittest.main()
