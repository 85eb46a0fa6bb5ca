# SPDX-License-Identifier: Apache-2.0
"""
Every callback does everything that code can do wrong; what a run then comes to, by rule.

The usual run has all of it in `run` and `rollback`, where something is to be undone, and deals it out to the
other callbacks. `--long` has all of it everywhere, logs a million records where the usual run logs a few hundred, and
waits for every deadline. Single ones: `test_misbehaviour.py run/null terminal:run/terminal deadline:run/spin`.
"""

import concurrent.futures
import re
import signal
import struct
import subprocess
import sys
import termios
import unittest

from harness import SANITIZED, CommandTest, Result

NAME = "fixture.havoc"
LONG = "--long" in sys.argv

# The callbacks by the stage in which they are called, in their order.
STAGES = {
    "parse": "arguments", "default": "arguments", "check": "arguments", "prepare": "prepare", "describe": "describe",
    "lock": "lock", "run": "run", "scope": "run", "deferred": "run", "rollback": "rollback",
}
CALLBACKS = list(STAGES)
BEFORE = CALLBACKS[:CALLBACKS.index("run")]

FIRST = "Ctrl+C: interrupting the cookbook, press again to kill it"
IN_ROLLBACK = "the cookbook is being rolled back, press Ctrl+C again within 5 seconds to abandon that"


class Expected:
    """What a run comes to: its exit code, the callbacks in their order, and what is in lines that it shows."""

    def __init__(self, code, marks, *lines):
        self.code, self.marks, self.lines = code, marks, lines


def before(callback):
    """What was called until a callback of the time before START."""
    return BEFORE[:BEFORE.index(callback) + 1]


def stage_done(callback):
    """The same, and what else belongs to its stage."""
    return [each for each in BEFORE if each in before(callback) or STAGES[each] == STAGES[callback]]


WHOLE = [*BEFORE, "run", "scope", "run ends", "deferred"]
BACK = ["rollback"]
RAISED = "Exception raised while {} cookbook " + NAME + ": "
DOING = {"arguments": "parsing the arguments of", "prepare": "preparing", "describe": "describing",
         "lock": "computing the lock of", "run": "executing", "rollback": "rolling back"}
OWED = f"Cookbook {NAME} could not be rolled back: a rollback is owed"
OVERWRITTEN = "not undone: undo records that the cookbook has overwritten: "
NOT_ENDED = f"The rollback of cookbook {NAME} did not end: "


def returns(at, how):
    """Whatever it did to its process, what follows is as if it had not."""
    return Expected(7, [*WHOLE, *BACK]) if at == "rollback" else Expected(0, WHOLE)


def one_of_two(at, how):
    """The child that it forked and that comes back is ended; nothing is done twice."""
    expected = returns(at, how)
    expected.lines = ["spicerack: a process that the cookbook forked came back into the run and was ended: "]
    return expected


def not_undone(at):
    return f"not undone: the {'scoped' if at == 'scope' else 'deferred'} thing: "


def up_to(at):
    """What was called until a callback of the time after START ends the process, and what is called after that."""
    return {
        "run": ([*BEFORE, "run"], ["scope", "deferred", *BACK]),
        "scope": ([*BEFORE, "run", "scope"], ["deferred", *BACK]),
        "deferred": (WHOLE, BACK),
        "rollback": ([*WHOLE, "rollback"], []),
    }[at]


def raises(message, usage=False):
    """An error of the SDK; the kind that spk_fail() raises is a usage error where arguments are judged."""
    def expected(at, how):
        said = RAISED.format(DOING[STAGES[at]]) + message
        if at in ("parse", "check") and usage:
            return Expected(2, before(at), message)
        if at == "default":
            return Expected(96, before(at), "cannot compute the default of argument", message)
        if STAGES[at] == "arguments":
            return Expected(96, before(at), said)
        if at == "describe":
            return Expected(0, WHOLE, said)
        if at in BEFORE:
            return Expected(94, before(at), said)
        if at == "run":
            return Expected(99, [*BEFORE, "run", "scope", "deferred", *BACK], said)
        if at == "rollback":
            return Expected(93, [*WHOLE, "rollback"], said)
        return Expected(93, [mark for part in up_to(at) for mark in part], (not_undone(at), message.partition(" [")[0]))
    return expected


def dies(text):
    """The process ends: reported with its stage; the way back is a fresh one's."""
    def expected(at, how):
        said = (f"Cookbook {NAME} {text}", f" during {STAGES[at]}")
        if at in BEFORE:
            return Expected(92, before(at), said)
        if at == "run":
            return Expected(92, [mark for part in up_to(at) for mark in part], said)
        if at == "rollback":
            return Expected(93, up_to(at)[0], said, NOT_ENDED + "what it had not done yet is owed")
        return Expected(93, [mark for part in up_to(at) for mark in part], said,
                        not_undone(at) + "the process died while undoing it")
    return expected


def hangs(at, how):
    """Ended by the second Ctrl+C, or the deadline; in rollback given up by it."""
    if at in BEFORE:
        return Expected(97, before(at), FIRST, "Ctrl+C again: killing the cookbook")
    if at == "run":
        return Expected(97, [mark for part in up_to(at) for mark in part], FIRST, "Ctrl+C again: killing the cookbook")
    if at == "rollback":
        return Expected(93, up_to(at)[0], IN_ROLLBACK, "Ctrl+C again: the rollback is abandoned", NOT_ENDED)
    return Expected(93, [mark for part in up_to(at) for mark in part], FIRST, "Ctrl+C again: killing the cookbook",
                    not_undone(at) + "the process died while undoing it")


def waits(at, how):
    """In a call of the SDK, which the first Ctrl+C ends; undoing goes on, as if it hung."""
    if at in BEFORE:
        return Expected(97, before(at), FIRST, f"Interrupted before the start of cookbook {NAME}")
    if at == "run":
        return Expected(97, [mark for part in up_to(at) for mark in part], FIRST, "Interrupted")
    return hangs(at, how)


def interrupts(at, how):
    """As a Ctrl+C that nobody typed; undoing does not hear of it."""
    if at in BEFORE:
        return Expected(97, before(at), f"Interrupted before the start of cookbook {NAME}")
    if at == "run":
        return Expected(97, [mark for part in up_to(at) for mark in part], "Interrupted")
    return returns(at, how)


def mute(at, how):
    """The callback ends and nobody hears of it: a process without a result."""
    said = f"Cookbook {NAME} exited with code 1 without a result during {STAGES[at]}"
    if at in BEFORE:
        return Expected(92, stage_done(at), said)
    if at == "rollback":
        return Expected(93, [*WHOLE, *BACK], said, NOT_ENDED)
    return Expected(92, [*WHOLE, *BACK], said)


def deaf(at, how):
    """The callback ends, nobody hears of it, and it goes on waiting: the second Ctrl+C ends it."""
    if at in BEFORE:
        return Expected(97, stage_done(at), FIRST)
    if at == "rollback":
        return Expected(93, [*WHOLE, *BACK], IN_ROLLBACK, NOT_ENDED)
    return Expected(97, [*WHOLE, *BACK], FIRST)


def without_runner(at, how):
    """Nobody is left who could start a fresh process."""
    if at in BEFORE:
        return Expected(92, before(at), f"The runner of cookbook {NAME} died during its {DOING[STAGES[at]]}")
    if at == "rollback":
        return Expected(93, up_to(at)[0], NOT_ENDED + "it is owed")
    return Expected(93, up_to(at)[0], f"The runner of cookbook {NAME} died", OWED)


def without_supervisor(at, how):
    """Only the log can tell."""
    return Expected(-9, before(at) if at in BEFORE else up_to(at)[0])


def nonsense(at, how):
    if at == "run":
        return Expected(99, [*WHOLE, *BACK], f"Cookbook {NAME} returned -12345: ")
    if at == "lock":
        return Expected(94, before(at), "a lock with concurrency -7: it must be at least 1 or SPK_UNLIMITED")
    if at == "describe":
        return dies("was ended by signal 11 (SIGSEGV, Segmentation fault) at address 0x10")(at, how)
    return returns(at, how)


def scribbled_run(at, how):
    """What the fresh process finds is reported and not believed: nothing of it is called."""
    # A sanitizer sees it before the kernel does.
    said = f"Cookbook {NAME} " + ("exited with code 1 " if SANITIZED else "was ended by signal ")
    if at in BEFORE:
        return Expected(92, before(at), said)
    if at == "rollback":
        return Expected(93, up_to(at)[0], said, NOT_ENDED)
    return Expected(93, up_to(at)[0], said, OVERWRITTEN)


def scribbled_record(at, how):
    """The same for the action of one scope, when there is one."""
    if at == "run" and how == "scribble-record":
        return Expected(93, [*BEFORE, "run", "deferred", *BACK], "not undone: record 1 of the undo stack: the cookbook "
                        "has overwritten it")
    if at in ("run", "scope") and how == "scribble-record-and-die":
        marks = [*BEFORE, "run", "scope"] if at == "scope" else [*BEFORE, "run"]
        return Expected(93, [*marks, "deferred", *BACK], (ABORT, "during run"), OVERWRITTEN + "1")
    return returns(at, how)


def uses_up(at, how):
    """The error is told, but for the name of an argument; a run without a description has no memory for its scope."""
    message = "the run has no memory left for 16 bytes [memory]"
    if at == "default":
        return Expected(96, before(at), "the run has no memory left for ")
    if at == "describe":
        return Expected(99, [*BEFORE, *BACK], RAISED.format("describing") + message)
    return raises(message)(at, how)


SEGV = "was ended by signal 11 (SIGSEGV, Segmentation fault)"
ABORT = "was ended by signal 6 (SIGABRT, Aborted)"
EXIT_0 = "exited with code 0 without a result"

def of_a_thread(at, how):
    """The SDK is for one thread: what another one asks for is not done, and said."""
    expected = dies(ABORT)(at, how)
    expected.lines = [*expected.lines, "spicerack: a second thread of the cookbook called the SDK: "]
    return expected


WAYS = {
    "nothing": returns,
    "nonsense": nonsense,
    "raise": raises("it was to raise", usage=True),
    "raise-other": raises("it was to raise [fixture.havoc]"),
    "raise-bytes": raises("first"),
    "memory-of-run": uses_up,
    "interrupt-itself": interrupts,
    "exit-0": dies(EXIT_0),
    "exit-3": dies("exited with code 3 without a result"),
    "_exit": dies(EXIT_0),
    "atexit": dies(ABORT),
    "abort": dies(ABORT),
    "kill": dies("was ended by signal 9 (SIGKILL, Killed)"),
    "kill-group": dies("was ended by signal 9 (SIGKILL, Killed)"),
    "alarm": dies("was ended by signal 14 (SIGALRM, Alarm clock)"),
    "trap": dies("was ended by signal 5 (SIGTRAP, Trace/breakpoint trap)"),
    "divide": dies("was ended by signal 8 (SIGFPE, Floating point exception)"),
    "null": dies(SEGV + " at address 0"),
    "jump": dies(SEGV + " at address 0"),
    "bus": dies("was ended by signal 7 (SIGBUS, Bus error) at address 0x"),
    "overflow": dies(SEGV + " at address 0x"),
    "own-handler": dies(EXIT_0),
    "free-twice": dies(ABORT),
    "memory-of-system": dies(ABORT),
    "thread-faults": dies(SEGV),
    "thread-ends": dies(EXIT_0),
    "exec": dies(EXIT_0),
    "unmap-run": dies(SEGV),
    "unmap-stack": dies(SEGV),
    "unmap-code": dies(SEGV),
    "scribble-itself": returns,
    "scribble-run": scribbled_run,
    "scribble-record": scribbled_record,
    "scribble-record-and-die": scribbled_record,
    "stray": returns,
    "daemon": returns,
    "many-strays": returns,
    "fleeing": returns,
    "printer": returns,
    "printer-and-die": dies("was ended by signal 9 (SIGKILL, Killed)"),
    "fork-returns": one_of_two,
    "fork-raises": one_of_two,
    "fork-logs": one_of_two,
    "thread-stays": returns,
    "thread-logs": of_a_thread,
    "thread-raises": of_a_thread,
    "disorder": returns,
    "limits": returns,
    "block-signals": returns,
    "ignore-signals": returns,
    "default-signals": returns,
    "interrupt-calls": returns,
    "ignore-children": returns,
    "take-children": returns,
    "drop-rights": returns,
    "close-standard": returns,
    "fill-standard": returns,
    "close-all": mute,
    "talk-to-itself": deaf,
    "terminal": returns,
    "bytes": returns,
    "records": returns,
    "lines": returns,
    "kill-runner": without_runner,
    "kill-runner-and-stay": without_runner,
    "stop-runner": returns,
    "kill-supervisor": without_supervisor,
    "garbage": without_runner,
    "shut-channel": without_runner,
    "wait": hangs,
    "spin": hangs,
    "stop-itself": hangs,
    "block-and-wait": hangs,
    "thread-left": hangs,
    "exec-and-wait": hangs,
    "sleep": waits,
    "command": waits,
}
NO_END = (hangs, waits, deaf)

# A sanitizer has its own stacks, its own malloc(), and maps terabytes.
NOT_SANITIZED = ("overflow", "free-twice", "memory-of-system", "thread-ends", "thread-left", "unmap-stack", "unmap-code")


class Pair(CommandTest):
    """One callback in which one thing goes wrong, with a directory, an environment and log files of its own."""

    COUNT = 1_000_000 if LONG else 300

    def __init__(self, at, how):
        super().__init__("check")
        self.at, self.how = at, how

    def __str__(self):
        return f"{self.at} {self.how}"

    def setUp(self):
        super().setUp()
        self.scratch.chmod(0o755)
        self.marks_file.write_bytes(bytes(4096))
        self.marks_file.chmod(0o666)  # also for who drops its rights
        # A million of each in one callback is enough.
        count = self.COUNT if self.at == "run" else 300
        self.env.update(HAVOC_AT=self.at, HAVOC_HOW=self.how, HAVOC_MARKS=str(self.marks_file), HAVOC_COUNT=str(count))
        if self.at == "rollback":
            self.env["HAVOC_FAIL"] = "1"
        self.expected = WAYS[self.how](self.at, self.how)

    def marks(self):
        data = self.marks_file.read_bytes()
        count = struct.unpack_from("I", data)[0]
        return [data[32 * i:32 * (i + 1)].partition(b"\0")[0].decode() for i in range(1, min(count, 127) + 1)]

    def log(self, name, extended=False):
        """With what was moved aside because the files were full."""
        path = self.logs / "fixture" / ("havoc-extended.log" if extended else "havoc.log")
        older = sorted(path.parent.glob(f"{path.name}.*"), key=lambda each: -int(each.suffix[1:]))
        return [line for each in (*older, path) for line in each.read_text(errors="backslashreplace").splitlines()]

    def outcome(self):
        """Runs it to its end, with two Ctrl+C where it has none."""
        process = self.start(NAME)
        if WAYS[self.how] in NO_END:
            self.wait_for_mark(self.hung_at())
            process.send_signal(signal.SIGINT)
            self.wait_for(self.asked_again, "the answer to Ctrl+C")
            if not self.hears():
                process.send_signal(signal.SIGINT)
        return self.finish(process, timeout=1800 if LONG else 300)

    def hung_at(self):
        """The last mark before it has no end."""
        return stage_done(self.at)[-1] if WAYS[self.how] == deaf and self.at in BEFORE else self.at

    def hears(self):
        """Whether the first Ctrl+C is to be enough."""
        return WAYS[self.how] == waits and self.at in (*BEFORE, "run")

    def asked_again(self):
        shown = IN_ROLLBACK if self.at == "rollback" else FIRST
        path = self.logs / "fixture/havoc.log"
        return path.exists() and shown in path.read_text(errors="replace")

    def check(self):
        result = self.outcome()
        if WAYS[self.how] == without_supervisor:
            self.assertNothingLeft()
        self.assertEqual(self.processes(), [], "outlived the run")
        self.assertEqual((result.code, self.marks()), (self.expected.code, self.expected.marks), result)
        self.check_report(result)
        self.check_log()
        self.check_journal()
        self.check_files()

    def check_report(self, result):
        for parts in self.expected.lines:
            parts = [parts] if isinstance(parts, str) else parts
            self.assertTrue(any(all(part in line for part in parts) for line in result.err.splitlines()),
                            f"{parts} not in {result}")
        self.assertNotRegex(result.err, r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|\\udc")

    def check_log(self):
        """Each record is one, and each START has its END, or what was owed is said."""
        ran = not {"run", "rollback"}.isdisjoint(self.expected.marks)
        for extended in (False, True):
            messages = [message for _, message in self.records(NAME, extended)]
            heads = [message.partition(" - ")[0] for message in messages]
            if WAYS[self.how] == without_supervisor:
                died = f"The supervisor of cookbook {NAME} died "
                self.assertEqual(heads.count("START"), ran)
                self.assertIn(died + ("during" if ran else "after"), messages[-1])
                self.assertEqual(messages[-1].endswith("a rollback is owed"), ran, messages)
                continue
            ends = [message for message in messages if message.startswith("END (")]
            self.assertEqual((heads.count("START"), len(ends)), (ran, ran), messages)
            if ran:
                self.assertIn(f"(exit_code={self.expected.code})", ends[0])
                self.assertEqual([message for message in messages if message != "still here"][-1], ends[0])
        for name in ("havoc.log", "havoc-extended.log"):
            self.assertEqual((self.logs / "fixture" / name).stat().st_mode & 0o7777, 0o640)
        if self.how == "records" and self.at != "rollback":
            found = [message for message in messages if message.startswith("record ")]
            self.assertEqual(found, [f"record {number}" for number in range(int(self.env["HAVOC_COUNT"]))])

    def check_journal(self):
        """It is whole, and says how the run ended and what is owed."""
        ran = not {"run", "rollback"}.isdisjoint(self.expected.marks)
        journals = self.journals()
        self.assertEqual(len(journals), self.expected.code != 2)
        for events in journals:
            last = [event for event in events if event["event"] in ("end", "cut-off")]
            self.assertEqual(len(last), 1, last)
            if WAYS[self.how] == without_supervisor:
                self.assertEqual((last[0]["event"], last[0]["rollback"]), ("cut-off", "owed" if ran else "none"))
                continue
            self.assertEqual((last[0]["event"], last[0]["exit_code"], last[0]["started"]),
                             ("end", self.expected.code, ran))
            wanted = ("failed", "owed") if last[0]["exit_code"] == 93 else ("none", "done") if ran else ("none",)
            self.assertIn(last[0]["rollback"], wanted, last)

    def check_files(self):
        found = [str(path.relative_to(self.scratch)) for path in self.scratch.rglob("*")]
        # Killed, it leaves its run file, and perhaps a database that was just being made.
        database = r"locks\.db(\.new-[-0-9a-f]+)?(-wal|-shm|-journal)?"
        state = rf"locks(/swept|/runs(/[-0-9a-f]{{36}})?|/{database})?|runs(/\.pruned|/[-0-9a-z]+\.jsonl)?"
        ours = re.compile(rf"home(/\.local(/state(/spicerack(/({state}))?)?)?)?|marks|spicerack\.cfg|logs(/fixture(/havoc(-extended)?\.log(\.\d+)?)?)?")
        self.assertEqual([name for name in found if not ours.fullmatch(name)], [])


class PairOnTerminal(Pair):
    """The same where an operator sits, whose terminal is afterwards as it was."""

    def outcome(self):
        # Standard output is the cookbook's own; what it shows there is not ours.
        terminal = self.on_terminal("cookbook", "-c", self.config, NAME, stdout=subprocess.DEVNULL, variable="HAVOC_TTY")
        if WAYS[self.how] in NO_END:
            self.wait_for_mark(self.hung_at())
            terminal.type(b"\x03")
            terminal.wait_for(IN_ROLLBACK if self.at == "rollback" else FIRST)
            if not self.hears():
                terminal.type(b"\x03")
        result = terminal.finish()
        self.assertEqual(termios.tcgetattr(terminal.master), terminal.settings, "the terminal is not as it was")
        return Result(result.code, "", result.out)


class PairWithDeadline(Pair):
    """What does not end by itself, ended by --timeout instead of by an operator."""

    def setUp(self):
        super().setUp()
        lines = [line for line in self.expected.lines if "Ctrl+C" not in line]
        lines.append(f"The time that cookbook {NAME} may take is over: interrupting it")
        if not self.hears():
            lines.append("the cookbook did not react: killing it")
        self.expected.lines = lines

    def outcome(self):
        return self.cookbook("--timeout", "100ms", NAME)


class Matrix(CommandTest):
    """A test per callback, made below, in which all ways are tried."""

    def try_all(self, pairs, at_once=4):
        """Some at a time, for they wait much of the time."""
        def attempt(pair):
            try:
                pair.debug()
            finally:
                pair.doCleanups()

        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for pair, outcome in [(pair, pool.submit(attempt, pair)) for pair in pairs]:
                with self.subTest(str(pair)):
                    outcome.result()

    def test_the_table_has_all_ways_of_the_cookbook(self):
        self.env["HAVOC_HOW"] = "list"
        self.assertEqual(self.cookbook(NAME).err.splitlines(), list(WAYS))

    def test_on_a_terminal(self):
        for at in CALLBACKS if LONG else ["prepare", "run", "rollback"]:
            self.try_all([PairOnTerminal(at, how) for how in ON_TERMINAL])

    def test_deadlines(self):
        """Who does not react has ten seconds more, in which it only waits."""
        for at in ["run", "scope", "deferred"] if LONG else ["run"]:
            endless = [how for how in ways(at) if WAYS[how] in NO_END]
            self.try_all([PairWithDeadline(at, how) for how in endless], len(endless))


# Ways that have to do with terminals, and one of each end.
ON_TERMINAL = ["terminal", "bytes", "raise", "null", "kill", "printer-and-die", "stray", "ignore-signals", "close-standard",
               "kill-runner", "wait", "sleep"]
# The supervisor waits ten seconds for a runner that is stopped.
SLOW = ["stop-runner"]


DEALT = [callback for callback in CALLBACKS if callback not in ("run", "rollback")]


def ways(at):
    """Each way is dealt to two of the other callbacks, half of them apart."""
    for number, how in enumerate(WAYS):
        if SANITIZED and how in NOT_SANITIZED or not LONG and at != "run" and how in SLOW:
            continue
        if LONG or at not in DEALT or (number - DEALT.index(at)) % (len(DEALT) // 2) == 0:
            yield how


# Under a sanitizer, which is slow, one of each kind will do; the other builds have them all.
for _at in ["parse", "describe", "run", "scope", "rollback"] if SANITIZED and not LONG else CALLBACKS:
    setattr(Matrix, f"test_{_at}", lambda self, at=_at: self.try_all([Pair(at, how) for how in ways(at)]))


def chosen(words):
    """`run/null`, `terminal:run/null`, `deadline:run/spin`: single ones of the matrix."""
    kinds = {"": Pair, "terminal": PairOnTerminal, "deadline": PairWithDeadline}
    for word in words:
        kind, _, pair = word.rpartition(":")
        yield kinds[kind](*pair.split("/"))


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "--long"]
    if any("/" in word for word in arguments):
        result = unittest.TextTestRunner().run(unittest.TestSuite(chosen(arguments)))
        sys.exit(not result.wasSuccessful())
    unittest.main(argv=[sys.argv[0], *arguments])
