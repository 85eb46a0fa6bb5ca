# SPDX-License-Identifier: Apache-2.0
"""Questions to the operator: at a real terminal, in all the ways in which one can end, and without one."""

import fcntl
import os
import secrets
import signal
import struct
import termios
import unittest

from harness import FIXTURES, CommandTest, without_id

NAME = "fixture.ask"
STARS = "********"
CYAN = "\033[36m==>\033[39m "
READY = "Is host (0%) READY, now?"


class AskTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.env.update(TERM="xterm", NO_COLOR="1")

    def words(self, *words, options=()):
        return ["cookbook", "-c", self.config, *options, NAME, "--marks", self.marks_file, *words]

    def ask(self, *words, cue="> ", options=(), **more):
        """Starts the cookbook on a terminal and waits for its first question."""
        terminal = self.on_terminal(*self.words(*words, options=options), **more)
        self.settings = terminal.settings
        self.wait_for_cue(terminal, 1, cue)
        return terminal

    def wait_for_cue(self, terminal, number, cue="> "):
        wanted = f"\n{cue}".encode()
        self.wait_for(lambda: terminal.read(0.05) and terminal.shown.count(wanted) >= number,
                      f"question {number} in {terminal.shown!r}")

    def end(self, terminal, code, marks):
        """The run has ended, left those marks, and the terminal as it was."""
        result = terminal.finish()
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.marks(), marks, result)
        if terminal.master >= 0:
            self.assertEqual(termios.tcgetattr(terminal.master), self.settings)
        self.assertNothingLeft()
        return result

    def messages(self, name=NAME):
        return [message for _, message in self.records(name)]

    def answered(self, name, message, answer, by="the operator"):
        return f'Question {name}: "{message}" was answered "{answer}" by {by}'


class Confirmation(AskTest):
    def test_go(self):
        terminal = self.ask()
        terminal.type(b"go\n")
        result = self.end(terminal, 0, ["go", "run ends"])
        self.assertIn(f'\n{CYAN}{READY}\nType "go" to proceed or "abort" to stop here\n> ', result.out)
        self.assertIn(self.answered("is-ready-now", READY, "go"), self.messages())

    def test_abort(self):
        terminal = self.ask()
        terminal.type(b"abort\n")
        result = self.end(terminal, 99, ["rollback"])
        self.assertIn("Confirmation manually aborted [aborted]\n", result.out)
        self.assertIn(self.answered("is-ready-now", READY, "abort"), self.messages())

    def test_abort_is_a_kind_of_its_own(self):
        terminal = self.ask("--catch")
        terminal.type(b"abort\n")
        self.end(terminal, 0, ["caught aborted: Confirmation manually aborted", "run ends"])

    def test_in_dry_run_too(self):
        terminal = self.ask(options=["-d"])
        terminal.type(b"go\n")
        self.end(terminal, 0, ["go", "run ends"])

    def test_in_prepare(self):
        terminal = self.ask("--in-prepare")
        terminal.type(b"abort\n")
        self.end(terminal, 94, [])

    def test_in_rollback(self):
        terminal = self.ask("--in-rollback")
        terminal.type(b"go\n")
        self.end(terminal, 1, ["rollback", "go"])

    def test_wrong_answers(self):
        terminal = self.ask()
        for number, answer in ((2, b"Go\n"), (3, b"go \n")):
            terminal.type(answer)
            self.wait_for_cue(terminal, number)
        terminal.type(b"go\n")
        result = self.end(terminal, 0, ["go", "run ends"])
        self.assertEqual(result.out.count('Invalid response, type "go" or "abort". After 3 wrong answers the task is '
                                          'aborted.\n'), 2)

    def test_three_wrong_answers_are_not_logged(self):
        """Somebody typed his password into the wrong question."""
        terminal = self.ask()
        for number in (2, 3, 4):
            terminal.type(b"hunter2\n")
            if number < 4:
                self.wait_for_cue(terminal, number)
        result = self.end(terminal, 99, ["rollback"])
        self.assertIn(f"cannot ask '{READY}' [is-ready-now]: Too many invalid answers [prompt.unanswered]\n", result.out)
        self.assertNotIn("hunter2", "\n".join(self.log(NAME, True)))

    def test_ctrl_d_is_a_wrong_answer(self):
        terminal = self.ask()
        terminal.type(b"\x04")
        self.wait_for_cue(terminal, 2)
        terminal.type(b"go\n")
        self.end(terminal, 0, ["go", "run ends"])

    def test_what_was_typed_before_is_no_answer(self):
        """Fails with TCSANOW instead of TCSAFLUSH in prompt.c."""
        terminal = self.on_terminal(*self.words("--text", "Go on?", "--how", "beside"), typed=b"go\n")
        self.settings = terminal.settings
        self.wait_for_cue(terminal, 1)
        self.assertEqual(self.marks(), [])
        # The same between two tries: the second line of what was pasted is not the next answer.
        terminal.type(b"nonsense\ngo\n")
        self.wait_for_cue(terminal, 2)
        terminal.read(0.5)
        self.assertEqual(self.marks(), [])
        terminal.type(b"go\n")
        self.end(terminal, 0, ["go", "run ends"])

    def test_a_hostile_message(self):
        terminal = self.ask("--text", "one\033[2Jtwo\nthree\x9b\u202e")
        terminal.type(b"go\n")
        result = self.end(terminal, 0, ["go", "run ends"])
        self.assertIn(f"{CYAN}one\\x1b[2Jtwo\nthree\\xc2\\x9b\\xe2\\x80\\xae\n", result.out)

    def test_typing_is_seen(self):
        terminal = self.ask()
        self.assertTrue(termios.tcgetattr(terminal.master)[3] & termios.ECHO)
        terminal.type(b"go\n")
        self.assertIn("> go\n", self.end(terminal, 0, ["go", "run ends"]).out)

    def test_a_terminal_left_without_echo_by_somebody_else(self):
        terminal = self.on_terminal("sh", "-c", 'stty -echo -icanon; exec "$@"', "sh", *self.words())
        self.wait_for_cue(terminal, 1)
        self.assertTrue(termios.tcgetattr(terminal.master)[3] & termios.ECHO)
        terminal.type(b"go\n")
        self.assertEqual(terminal.finish().code, 0)
        self.assertFalse(termios.tcgetattr(terminal.master)[3] & termios.ECHO)


class Interruption(AskTest):
    """All that can end a question but an answer."""

    def test_ctrl_c_is_abort(self):
        terminal = self.ask()
        terminal.type(b"\x03")
        result = self.end(terminal, 99, ["rollback"])
        self.assertIn("Confirmation manually aborted [aborted]\n", result.out)
        self.assertNotIn("interrupting", result.out)
        self.assertIn(f'Question is-ready-now: "{READY}" was answered by Ctrl+C, which is an abort', self.messages())

    def test_ctrl_c_twice_in_rollback_abandons_it(self):
        terminal = self.ask("--in-rollback", "--catch")
        terminal.type(b"\x03")
        self.wait_for_mark("caught aborted: Confirmation manually aborted")
        self.assertEqual(terminal.finish().code, 1)
        self.marks_file.unlink()
        terminal = self.ask("--in-rollback", "--how", "on-failure", "--value", "99")
        for number in (2, 3):
            terminal.type(b"\x03")
            if number < 3:
                terminal.wait_for("press Ctrl+C again within 5 seconds to abandon that")
        self.assertEqual(terminal.finish().code, 93)

    def test_ctrl_z_is_no_answer(self):
        terminal = self.ask()
        terminal.type(b"\x1a")
        terminal.wait_for("Ctrl+Z is ignored: a cookbook cannot be suspended")
        self.wait_for_cue(terminal, 2)
        terminal.type(b"go\n")
        self.end(terminal, 0, ["go", "run ends"])

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            for how, cue in (("confirm", "> "), ("secret", "Token: ")):
                with self.subTest((number, how)):
                    self.marks_file.unlink(missing_ok=True)
                    terminal = self.ask("--how", how, cue=cue)
                    terminal.process.send_signal(number)
                    result = self.end(terminal, 97, ["rollback"])
                    self.assertIn(f"{number.name}: interrupting the cookbook\n", result.out)

    def test_sigterm_in_rollback_leaves_the_question(self):
        terminal = self.ask("--in-rollback")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.wait_for("SIGTERM: the cookbook is being rolled back, that goes on")
        self.wait_for_cue(terminal, 2)
        terminal.type(b"go\n")
        self.end(terminal, 1, ["rollback", "go"])

    def test_hang_up(self):
        for how, cue in (("confirm", "> "), ("secret", "Token: ")):
            with self.subTest(how):
                self.marks_file.unlink(missing_ok=True)
                terminal = self.ask("--how", how, cue=cue)
                terminal.hang_up()
                self.end(terminal, 97, ["rollback"])

    def test_hang_up_in_rollback(self):
        terminal = self.ask("--in-rollback")
        terminal.hang_up()
        self.end(terminal, 93, ["rollback"])
        self.assertIn("the terminal has gone", "\n".join(self.messages()))

    def test_hang_up_with_sighup_ignored(self):
        """As under nohup: the question ends, the run does not know why."""
        terminal = self.on_terminal("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *self.words("--catch"))
        self.wait_for_cue(terminal, 1)
        terminal.hang_up()
        self.assertEqual(terminal.finish().code, 0)
        self.assertEqual(self.marks(), [f"caught prompt.unanswered: cannot ask '{READY}' [is-ready-now]: the terminal "
                                        "has gone", "run ends"])

    def test_deadline(self):
        """Fails without the deadline of link_wait() in ask()."""
        for how, cue in (("confirm", "> "), ("secret", "Token: "), ("input", "> ")):
            with self.subTest(how):
                self.marks_file.unlink(missing_ok=True)
                terminal = self.ask("--how", how, cue=cue, options=["--timeout", "1"])
                result = self.end(terminal, 97, ["rollback"])
                self.assertIn(f"The time that cookbook {NAME} may take is over: interrupting it\n", result.out)

    def test_deadline_within_a_nested_run(self):
        terminal = self.ask("--how", "inner", "--text", "confirm", options=["--timeout", "1"])
        self.end(terminal, 97, ["rollback", "rollback"])

    def test_killed(self):
        for process, code, marks in (("spicerack-work", 92, ["rollback"]), ("spicerack-run", 93, [])):
            for how, cue in (("confirm", "> "), ("secret", "Token: ")):
                with self.subTest((process, how)):
                    self.marks_file.unlink(missing_ok=True)
                    terminal = self.ask("--how", how, cue=cue)
                    os.kill(self.process_named(process), signal.SIGKILL)
                    self.end(terminal, code, marks)

    def test_killed_supervisor(self):
        terminal = self.ask()
        terminal.process.kill()
        terminal.process.wait()
        self.assertNothingLeft(5)
        self.assertEqual(self.marks(), [])

    def test_others_go_on(self):
        terminal = self.ask("--how", "beside")
        terminal.wait_for("from beside")
        terminal.wait_for("data beside")
        self.wait_for_cue(terminal, 3)
        terminal.type(b"go\n")
        result = self.end(terminal, 0, ["go", "run ends"])
        self.assertIn("> \nfrom beside\n", result.out)
        self.assertIn("from beside", self.messages())

    def test_a_long_wait_is_no_lost_message(self):
        """The worker asks after 5 seconds whether the supervisor has forgotten it."""
        terminal = self.ask()
        self.assertFalse(terminal.process.poll())
        for _ in range(6):
            terminal.read(1)
        terminal.type(b"go\n")
        self.end(terminal, 0, ["go", "run ends"])

    def test_in_the_background(self):
        """From there a terminal cannot be read: an error, and no run that stands still."""
        result = self.run_in_shell('set -m; "$@" & wait $!; echo "code $?"')
        self.assertIn("the terminal cannot be asked at from the background", result.out)
        self.assertIn("code 99\n", result.out)

    def run_in_shell(self, script):
        terminal = self.on_terminal("bash", "-c", script, "bash", *self.words())
        return terminal.finish()


class Input(AskTest):
    def test_choices(self):
        for answer in ("codfw", "ülm"):
            with self.subTest(answer):
                self.marks_file.unlink(missing_ok=True)
                terminal = self.ask("--how", "choose")
                terminal.type(f"{answer}\n".encode())
                result = self.end(terminal, 0, [f"chose {answer}", "run ends"])
                self.assertIn(f'{CYAN}Which one?\nType "codfw", "eqiad" or "ülm"\n> ', result.out)
                self.assertIn(self.answered("which-one", "Which one?", answer), self.messages())

    def test_validator(self):
        terminal = self.ask("--how", "input")
        terminal.type(b"7\n")
        self.wait_for_cue(terminal, 2)
        terminal.type(b"x\n")
        self.wait_for_cue(terminal, 3)
        terminal.type(b"8\n")
        result = self.end(terminal, 0, ["input 8 8", "run ends"])
        self.assertEqual(result.out.count(f"{CYAN}An even number?\n"), 1)
        self.assertIn("Invalid response: 7 is odd. After 3 wrong answers the task is aborted.\n", result.out)
        self.assertIn(self.answered("even", "An even number?", "8"), self.messages())
        self.assertNotIn("odd", "\n".join(self.log(NAME, True)))

    def test_three_refused(self):
        terminal = self.ask("--how", "input")
        for number in (2, 3, 4):
            terminal.type(b"7\n")
            if number < 4:
                self.wait_for_cue(terminal, number)
        result = self.end(terminal, 99, ["rollback"])
        self.assertEqual(result.out.count("Invalid response: 7 is odd."), 3)
        self.assertIn("[even]: Too many invalid answers [prompt.unanswered]\n", result.out)

    def test_validator_that_crashes(self):
        terminal = self.ask("--how", "input")
        terminal.type(b"13\n")
        self.end(terminal, 92, ["rollback"])

    def test_odd_answers(self):
        terminal = self.ask("--how", "text")
        for number, answer in ((2, b"\n"), (3, b"a\x1b[Ab\n")):
            terminal.type(answer)
            self.wait_for_cue(terminal, number)
        terminal.type("  ö 日本 \n".encode())
        self.end(terminal, 0, ["text <  ö 日本 >", "run ends"])

    def test_bytes_that_are_no_text(self):
        terminal = self.ask("--how", "text")
        for number, answer in ((2, b"\xff\xfe\n"), (3, b"a\0b\n")):
            terminal.type(answer)
            self.wait_for_cue(terminal, number)
        terminal.type(b"good\n")
        self.end(terminal, 0, ["text <good>", "run ends"])

    def test_a_very_long_line(self):
        terminal = self.ask("--how", "text")
        terminal.type(b"x" * 4000 + b"\n")
        self.end(terminal, 0, ["text <" + "x" * 4000 + ">", "run ends"])

    def test_both_is_misuse(self):
        result = self.run_command(*self.words("--how", "bad-question"))
        self.assertEqual(result.code, 99)
        self.assertIn("misuse of spk_ask_input(): give either choices or a validator [misuse]\n", result.err)


class OnFailure(AskTest):
    def test_success_asks_nothing(self):
        result = self.run_command(*self.words("--how", "on-failure"))
        self.assertEqual((result.code, self.marks()), (0, ["try", "confirmed 1", "run ends"]))

    def test_retry_until_it_works(self):
        terminal = self.ask("--how", "on-failure", "--value", "2")
        terminal.type(b"retry\n")
        self.wait_for_cue(terminal, 2)
        terminal.type(b"retry\n")
        result = self.end(terminal, 0, ["try", "try", "try", "confirmed 1", "run ends"])
        self.assertIn(f'{CYAN}Failed to do the thing. What do you want to do?\n'
                      'Type "retry", "skip" or "abort"\n> ', result.out)
        self.assertIn(("ERROR", "Failed to do the thing: failure 1"), self.records(NAME))

    def test_skip(self):
        terminal = self.ask("--how", "on-failure", "--value", "1")
        terminal.type(b"skip\n")
        self.end(terminal, 0, ["try", "confirmed 0", "run ends"])

    def test_abort(self):
        terminal = self.ask("--how", "on-failure", "--value", "1")
        terminal.type(b"abort\n")
        result = self.end(terminal, 99, ["try", "rollback"])
        self.assertIn("Task manually aborted [aborted]\ncaused by: failure 1 [fixture.sometimes]\n", result.out)

    def test_value_is_used_or_not(self):
        terminal = self.ask("--how", "on-failure-then", "--value", "1")
        terminal.type(b"retry\n")
        self.end(terminal, 0, ["try", "try", "used made", "confirmed 1", "run ends"])
        self.marks_file.unlink()
        terminal = self.ask("--how", "on-failure-then", "--value", "1")
        terminal.type(b"skip\n")
        self.end(terminal, 0, ["try", "confirmed 0", "run ends"])

    def test_an_abort_within_is_not_asked_about(self):
        result = self.run_command(*self.words("--how", "on-abort"))
        self.assertEqual((result.code, self.marks()), (99, ["try", "rollback"]))
        self.assertIn("enough [aborted]\n", result.err)

    def test_without_a_terminal_the_error_goes_on(self):
        result = self.run_command(*self.words("--how", "on-failure", "--value", "1"), start_new_session=True)
        self.assertEqual((result.code, self.marks()), (99, ["try", "rollback"]))
        self.assertIn("cannot ask what to do about it [failed-do-the-thing]: there is no terminal to ask at: ", result.err)
        self.assertIn("failure 1 [fixture.sometimes]\n", result.err)


class Secret(AskTest):
    def setUp(self):
        super().setUp()
        self.secret = f"s/{secrets.token_hex(8)}+ö~"

    def assertClean(self, result):
        """Neither shown, nor echoed, nor in any file that the run left."""
        self.assertNotIn(self.secret, result.out)
        self.assertNotIn(self.secret, result.err)
        for path in self.scratch.rglob("*"):
            if path.is_file() and not path.name.startswith("core"):
                self.assertNotIn(self.secret.encode(), path.read_bytes(), path)

    def type_secret(self, terminal, text=None):
        self.assertFalse(termios.tcgetattr(terminal.master)[3] & termios.ECHO)
        terminal.type(f"{text or self.secret}\n".encode())

    def test_is_redacted_from_the_first_word_on(self):
        """Fails without redactor_add() in asking.c."""
        terminal = self.ask("--how", "secret", cue="Token: ")
        self.type_secret(terminal)
        result = self.end(terminal, 0, [f"length {len(self.secret.encode())}", "run ends"])
        self.assertClean(result)
        self.assertIn(f"it is {STARS}\n", result.out)
        self.assertIn(f"printed {STARS}\n", result.out)
        self.assertIn(f"on stderr {STARS}\n", result.out)
        self.assertIn("Question token: a secret was given by the operator", self.messages())

    def test_too_short(self):
        terminal = self.ask("--how", "secret", cue="Token: ")
        self.type_secret(terminal, "öäüß1")
        self.wait_for_cue(terminal, 2, "Token: ")
        self.type_secret(terminal, "\x1b[A123456")
        self.wait_for_cue(terminal, 3, "Token: ")
        self.type_secret(terminal, "öäüß12")
        result = self.end(terminal, 0, ["length 10", "run ends"])
        self.assertIn("Invalid response: it must have at least 6 characters.", result.out)
        self.assertIn("Invalid response: it has control characters in it, of an arrow key perhaps.", result.out)
        self.assertNotIn("öäüß1", result.out)

    def test_three_times_too_short(self):
        terminal = self.ask("--how", "secret", cue="Token: ")
        for number in (2, 3, 4):
            self.type_secret(terminal, "short")
            if number < 4:
                self.wait_for_cue(terminal, number, "Token: ")
        result = self.end(terminal, 99, ["rollback"])
        self.assertIn("cannot ask 'Token' [token]: Too many invalid answers [prompt.unanswered]\n", result.out)
        self.assertNotIn("short", result.out.replace("shorter", ""))

    def test_twice(self):
        terminal = self.ask("--how", "secret", "--times", "2", cue="Token: ")
        self.type_secret(terminal)
        self.wait_for_cue(terminal, 1, "Again, Token: ")
        self.type_secret(terminal, "something else")
        self.wait_for_cue(terminal, 2, "Token: ")
        self.type_secret(terminal)
        self.wait_for_cue(terminal, 2, "Again, Token: ")
        self.type_secret(terminal)
        result = self.end(terminal, 0, [f"length {len(self.secret.encode())}", "run ends"])
        self.assertIn("Invalid response: the two are not the same.", result.out)
        self.assertClean(result)

    def test_ctrl_c(self):
        terminal = self.ask("--how", "secret", cue="Token: ")
        terminal.type(self.secret.encode() + b"\x03")
        self.assertClean(self.end(terminal, 99, ["rollback"]))

    def test_ctrl_z_keeps_it_hidden(self):
        terminal = self.ask("--how", "secret", cue="Token: ")
        terminal.type(b"\x1a")
        self.wait_for_cue(terminal, 2, "Token: ")
        self.type_secret(terminal)
        self.assertClean(self.end(terminal, 0, [f"length {len(self.secret.encode())}", "run ends"]))

    def test_without_a_terminal(self):
        for options in ([], ["--yes"]):
            with self.subTest(options):
                result = self.run_command(*self.words("--how", "secret", options=options), start_new_session=True)
                self.assertEqual(result.code, 99)
                self.assertIn("cannot ask 'Token' [token]: there is no terminal to ask at: secrets are typed at a "
                              "terminal only [prompt.terminal]\n", result.err)


class ManagementPassword(AskTest):
    def setUp(self):
        super().setUp()
        self.directory = self.scratch / "etc"
        self.config = self.write("spicerack.cfg", self.configuration(
            [FIXTURES], f'instance_params = {{ spicerack_config_dir = "{self.directory}"; }};\n'))
        self.secret = "correct horse"

    def test_is_asked_for_once(self):
        """By this cookbook twice, and by one within."""
        terminal = self.ask("--how", "password", "--times", "2", cue="Management Password: ")
        terminal.type(f"{self.secret}\n".encode())
        result = self.end(terminal, 0, ["length 13"] * 3 + ["run ends"] * 2)
        self.assertEqual(result.out.count("Management Password: "), 1)
        self.assertNotIn(self.secret, result.out)
        self.assertIn("Question management-password: a secret was given by the operator, earlier", self.messages())

    def test_is_asked_for_once_also_after_a_crash(self):
        terminal = self.ask("--how", "password-once", "--value", "1", cue="Management Password: ")
        terminal.type(f"{self.secret}\n".encode())
        self.end(terminal, 92, ["length 13", "rollback"])

    def test_from_the_file(self):
        self.write("etc/management/password", f"{self.secret}\n", 0o600)
        result = self.run_command(*self.words("--how", "password-once"), start_new_session=True)
        self.assertEqual((result.code, self.marks()), (0, ["length 13", "run ends"]), result)
        self.assertIn(f"it is {STARS}\n", result.err)

    def test_a_file_that_others_may_read_is_an_error(self):
        path = self.write("etc/management/password", f"{self.secret}\n", 0o640)
        result = self.run_command(*self.words("--how", "password-once"), start_new_session=True)
        self.assertEqual(result.code, 99)
        self.assertIn(f"cannot read a secret from '{path}': its mode 0640 has permissions for group or others "
                      "[secret.file]\n", result.err)


class DurableShell(AskTest):
    def run_with(self, **variables):
        self.env = {**self.env, **variables}
        self.marks_file.unlink(missing_ok=True)
        terminal = self.on_terminal(*self.words("--how", "durable"))
        return terminal.finish()

    def test_terminals(self):
        for variables, code in (({}, 99), ({"TMUX": "/tmp/x"}, 0), ({"TMUX": "", "STY": "1.x"}, 0),
                                ({"STY": "", "TERM": "screen-256color"}, 0), ({"TERM": "tmux"}, 0),
                                ({"TERM": "xterm"}, 99)):
            with self.subTest(variables):
                result = self.run_with(**variables)
                self.assertEqual(result.code, code, result)
        self.assertIn("this shell ends with its connection, and the run with it: start it with --detach, or in tmux "
                      "or screen [prompt.shell]\n", result.out)

    def test_without_a_terminal(self):
        self.assertEqual(self.run_command(*self.words("--how", "durable")).code, 0)


class Unattended(AskTest):
    """No terminal: what was said before, or an error."""

    def unattended(self, *words, options=(), answers=None, mode=0o600):
        self.marks_file.unlink(missing_ok=True)
        options = list(options)
        if answers is not None:
            options += ["--answers", self.write("answers.cfg", answers, mode)]
        return self.run_command(*self.words(*words, options=options), start_new_session=True)

    def entry(self, prompt, answer, cookbook=NAME):
        return f'answers = ( {{ cookbook = "{cookbook}"; prompt = "{prompt}"; answer = {answer}; }} );\n'

    def check(self, result, code, marks):
        self.assertEqual((result.code, self.marks()), (code, marks), result)
        self.assertNothingLeft()

    def test_nothing_said(self):
        result = self.unattended()
        self.check(result, 99, ["rollback"])
        self.assertIn(f"cannot ask '{READY}' [is-ready-now]: there is no terminal to ask at: answer it by --yes, or by "
                      f'{{ cookbook = "{NAME}"; prompt = "is-ready-now"; answer = "..."; }} in the file of --answers '
                      "[prompt.terminal]\n", result.err)

    def test_yes(self):
        self.check(self.unattended(options=["--yes"]), 0, ["go", "run ends"])
        self.assertIn(self.answered("is-ready-now", READY, "go", "--yes"), self.messages())

    def test_yes_says_nothing_of_other_questions(self):
        for how in ("choose", "input", "text"):
            result = self.unattended("--how", how, options=["--yes"])
            self.check(result, 99, ["rollback"])
            self.assertIn("[prompt.terminal]\n", result.err)

    def test_yes_aborts_on_failure(self):
        result = self.unattended("--how", "on-failure", "--value", "1", options=["--yes"])
        self.check(result, 99, ["try", "rollback"])
        self.assertIn("Task manually aborted [aborted]\n", result.err)
        self.assertIn('was answered "abort" by --yes', "\n".join(self.messages()))

    def test_yes_at_a_terminal(self):
        terminal = self.on_terminal(*self.words(options=["--yes"]))
        result = terminal.finish()
        self.assertEqual(result.code, 0)
        self.assertNotIn("==>", result.out)

    def test_answers(self):
        for how, prompt, answer, marks in (
                ("confirm", "is-ready-now", '"go"', ["go"]),
                ("choose", "which-one", '"ülm"', ["chose ülm"]),
                ("input", "even", '"4"', ["input 4 4"]),
                ("text", "what", '"it is"', ["text <it is>"])):
            with self.subTest(how):
                self.check(self.unattended("--how", how, answers=self.entry(prompt, answer)), 0, [*marks, "run ends"])
                by = f"{self.scratch}/answers.cfg:1"
                self.assertTrue(self.messages()[-2].endswith(f"by {by}"), self.messages())

    def test_answers_win_over_yes(self):
        self.check(self.unattended(options=["--yes"], answers=self.entry("is-ready-now", '"abort"')), 99, ["rollback"])

    def test_answers_at_a_terminal(self):
        """What is not answered is asked."""
        path = self.write("answers.cfg", self.entry("something-else", '"go"'))
        terminal = self.ask(options=["--answers", path])
        terminal.type(b"go\n")
        self.end(terminal, 0, ["go", "run ends"])

    def test_a_list_is_used_up(self):
        answers = self.entry("is-ready-now", '["go", "go"]')
        self.check(self.unattended("--times", "2", answers=answers), 0, ["go", "go", "run ends"])
        result = self.unattended("--times", "3", answers=answers)
        self.check(result, 99, ["go", "go", "rollback"])
        self.assertIn("to 'is-ready-now' are used up [prompt.unanswered]\n", result.err)

    def test_retry_is_not_for_ever(self):
        result = self.unattended("--how", "on-failure", "--value", "9",
                                 answers=self.entry("failed-do-the-thing", '"retry"'))
        self.check(result, 99, ["try", "try", "rollback"])
        self.check(self.unattended("--how", "on-failure", "--value", "2",
                                   answers=self.entry("failed-do-the-thing", '["retry", "retry"]')),
                   0, ["try", "try", "try", "confirmed 1", "run ends"])

    def test_answers_that_do_not_fit(self):
        for how, prompt, answer, why in (
                ("confirm", "is-ready-now", '"yes"', 'must be "go" or "abort"'),
                ("choose", "which-one", '"esams"', 'must be "codfw", "eqiad" or "ülm"'),
                ("input", "even", '"5"', "is not valid: 5 is odd"),
                ("text", "what", '"a\\x1b[2Jb"', "has control characters in it"),
                ("secret", "token", '"swordfish"', "a secret cannot be answered from a file: run it at a terminal, and "
                                                   "take the secret out of the file")):
            with self.subTest(how):
                result = self.unattended("--how", how, answers=self.entry(prompt, answer))
                self.check(result, 99, ["rollback"])
                self.assertIn(f"{why} [prompt.unanswered]\n", result.err)
                self.assertNotIn("swordfish", result.err)

    def test_bad_files(self):
        for answers, why in (
                ("answers = ( { cookbook = ", ":1: syntax error"),
                ("", ": there is no list 'answers' in it"),
                ("answers = 3;", ":1: 'answers' must be a list of groups"),
                ("answers = ();\nanswer = 1;", ":2: unknown key 'answer'"),
                ('answers = ( "go" );', ":1: an answer is a group of 'cookbook', 'prompt' and 'answer'"),
                ('answers = ( { prompt = "a"; answer = "b"; } );', ":1: an answer without 'cookbook'"),
                ('answers = ( { cookbook = 3; prompt = "a"; answer = "b"; } );', ":1: 'cookbook' must be a string"),
                ('answers = ( { cookbook = "c"; prompt = "a"; answer = true; } );',
                 ":1: 'answer' must be a string or a list of strings"),
                ('answers = ( { cookbook = "c"; prompt = "a"; answer = []; } );',
                 ":1: 'answer' must be a string or a list of strings"),
                ('answers = ( { cookbook = "c"; prompt = "a"; answer = "b"; when = "c"; } );',
                 ":1: unknown key 'when' of an answer"),
                ('answers = ( { cookbook = "c"; prompt = "a"; answer = "b"; },\n'
                 '{ cookbook = "c"; prompt = "a"; answer = "c"; } );',
                 ":2: a second answer to the same prompt: give a list of answers")):
            with self.subTest(answers):
                result = self.unattended(answers=answers)
                self.assertEqual(result.code, 1, result)
                self.assertTrue(result.err.startswith(f"cookbook: {self.scratch}/answers.cfg{why}"), result)
                self.assertNoTraces()

    def test_untrusted_files(self):
        result = self.unattended(answers=self.entry("is-ready-now", '"go"'), mode=0o666)
        self.assertEqual(result.code, 1)
        self.assertIn("not trusted, others may write to it", result.err)
        for path, why in (("/nonexistent", "No such file"), (self.scratch, "not a regular file")):
            result = self.unattended(options=["--answers", path])
            self.assertEqual(result.code, 1, result)
            self.assertIn(why, result.err)
        self.assertNoTraces()

    def test_nested_runs_have_the_same(self):
        self.check(self.unattended("--how", "inner", "--text", "confirm", options=["--yes"]), 0,
                   ["go", "run ends", "run ends"])
        # The answer is for the cookbook that asks, not for the one that began it.
        answers = self.entry("is-ready-now", '"go"', "fixture.other")
        self.check(self.unattended("--how", "inner", "--text", "confirm", answers=answers), 99,
                   ["rollback", "rollback"])

    def test_nested_confirmation(self):
        for answers, options, code, marks in (
                (None, ["--yes"], 99, ["rollback"]),
                (self.entry("failed-fixture.misbehave", '"skip"'), [], 0, ["confirmed 0", "run ends"])):
            with self.subTest(options):
                self.check(self.unattended("--how", "inner-confirm", answers=answers, options=options), code, marks)


class Output(AskTest):
    TABLE = """\
host  Größe  state
----  -----  ------
db1      12  ready
日本  1,024  a\\x0ab
       -1.5
"""

    def test_print_and_table(self):
        result = self.run_command(*self.words("--how", "print"))
        self.assertEqual(result.out, f"printf line 1\n\n{self.TABLE}")

    def test_order_among_the_records(self):
        result = self.run_command("sh", "-c", '"$@" 2>&1', "sh", *self.words("--how", "print"))
        self.assertIn("printf line 1\nrecord\n\nhost", result.out)

    def test_nobody_reads(self):
        result = self.run_command("bash", "-c", '"$@" | true; echo ${PIPESTATUS[0]}', "bash",
                                  *self.words("--how", "print"))
        self.assertEqual(result.out, "0\n", result)

    def test_a_slow_reader_can_be_interrupted(self):
        process = self.start(NAME, "--marks", self.marks_file, "--how", "flood")
        process.stdout.read(10)
        process.send_signal(signal.SIGTERM)
        result = self.finish(process)
        self.assertEqual(result.code, 97, result.err)
        self.assertNotIn("did not react", result.err)


class Screen:
    """What an ANSI terminal shows of the few sequences that we use."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [[]], 0, 0

    def feed(self, text):
        at = 0
        while at < len(text):
            char = text[at]
            at += 1
            if char == "\033":
                end = at + 1
                while not text[end].isalpha():
                    end += 1
                self.control(text[end], text[at + 1:end])
                at = end + 1
            elif char == "\r":
                self.column = 0
            elif char == "\n":
                self.move(self.row + 1)
            else:
                self.put(char)

    def move(self, row):
        self.row = row
        while len(self.lines) <= row:
            self.lines.append([])

    def control(self, letter, number):
        if letter == "J":
            del self.lines[self.row][self.column:]
            del self.lines[self.row + 1:]
        elif letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter != "m":
            raise AssertionError(f"unknown sequence {letter!r}")

    def put(self, char):
        if self.column == self.columns:
            self.column = 0
            self.move(self.row + 1)
        line = self.lines[self.row]
        line.extend(" " * (self.column - len(line)))
        line[self.column:self.column + 1] = [char]
        self.column += 1

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines).rstrip("\n") + "\n"


class Progress(AskTest):
    RECORDS = "".join(f"done {i}\ndata {i}\n" for i in range(1, 5))

    def resize(self, terminal, columns, rows=24):
        fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def show(self, *words, columns=80, **more):
        terminal = self.on_terminal(*self.words("--how", "progress", *words), **more)
        self.resize(terminal, columns)
        return terminal

    def screen(self, raw, columns=80):
        screen = Screen(columns)
        screen.feed(raw.decode())
        return screen.text()

    def test_nothing_of_it_is_left(self):
        terminal = self.show()
        self.assertEqual(terminal.finish().code, 0)
        raw = terminal.shown
        self.assertEqual(without_id(self.screen(raw)), f"START - Cookbook {NAME}\n{self.RECORDS}"
                                           f"END (PASS) - Cookbook {NAME} (exit_code=0)\n")
        # One that the next did not overtake.
        self.assertRegex(raw.decode(),
                         r"step \\x1b\[31mone \[(#{10}\.{30}\]  25% 1|#{20}\.{20}\]  50% 2|#{30}\.{10}\]  75% 3)/4 0:0\d")
        self.assertIn("the end", raw.decode())

    def test_never_in_logs_or_pipes(self):
        result = self.run_command(*self.words("--how", "progress"))
        self.assertEqual(without_id(result.err), f"START - Cookbook {NAME}\n" + "".join(f"done {i}\n" for i in range(1, 5)) +
                         f"END (PASS) - Cookbook {NAME} (exit_code=0)\n")
        self.assertNotIn("step", "\n".join(self.log(NAME, True)))

    def test_data_to_a_pipe_records_to_a_terminal(self):
        path = self.scratch / "out"
        with path.open("wb") as out:
            terminal = self.show(stdout=out)
            self.assertEqual(terminal.finish().code, 0)
        self.assertEqual(path.read_text(), "".join(f"data {i}\n" for i in range(1, 5)))
        self.assertIn("4/4", terminal.shown.decode())

    def test_counter_and_spinner(self):
        for value, shown in (("2", r"one [1-3]/4 0:0"), ("3", "one ")):
            terminal = self.show("--value", value)
            self.assertEqual(terminal.finish().code, 0)
            self.assertRegex(terminal.shown.decode(), shown)
            self.assertNotIn("[#", terminal.shown.decode())

    def test_dumb_terminal(self):
        self.env["TERM"] = "dumb"
        terminal = self.show()
        terminal.finish()
        self.assertNotIn(b"step", terminal.shown)
        self.assertNotIn(b"\033", terminal.shown)

    def test_narrow(self):
        terminal = self.show(columns=30)
        self.assertEqual(terminal.finish().code, 0)
        for part in terminal.shown.decode().replace("\r", "\n").split("\n"):
            if "step" in part:
                self.assertLess(len(part.replace("\033[J", "")), 30, part)

    def test_resized(self):
        """It became narrower while the line was there: that is broken into two, both of which go."""
        terminal = self.show("--times", "10")
        terminal.wait_for("1/4")
        self.resize(terminal, 40)
        self.assertEqual(terminal.finish().code, 0)
        self.assertIn("\033[1A\r\033[J", terminal.shown.decode())

    def test_death(self):
        terminal = self.show("--catch")
        self.assertEqual(terminal.finish().code, 92)
        self.assertNotIn("the end", self.screen(terminal.shown))

    def test_killed_and_interrupted(self):
        for what in (lambda terminal: os.kill(self.process_named("spicerack-work"), signal.SIGKILL),
                     lambda terminal: os.kill(self.process_named("spicerack-run"), signal.SIGKILL),
                     lambda terminal: terminal.type(b"\x03")):
            terminal = self.show("--times", "30")
            terminal.wait_for("0/4")
            what(terminal)
            terminal.finish()
            self.assertNotIn("0/4", self.screen(terminal.shown))
            self.assertNothingLeft()



if __name__ == "__main__":
    unittest.main()
