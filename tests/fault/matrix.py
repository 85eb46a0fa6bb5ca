# SPDX-License-Identifier: Apache-2.0
"""Each system call, allocation and message of a run fails once, and the run must end well all the same.

The matrix is made from traces of real runs (see inject.c), so that a new call is in it by itself.
What every run is measured by is in judge(). The table of what came out is docs/faults.md:

    matrix.py           each place of the code that calls once; fails when that table lists other calls
    matrix.py --write   each place at each stage of each scenario, and writes the table
    matrix.py --long    each occurrence of each call with each of its errors
    matrix.py --only TEXT --verbose     those whose name holds TEXT, each with its outcome
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PREFIX = pathlib.Path(os.environ["SPICERACK_TEST_PREFIX"])
BUILD = pathlib.Path(os.environ["SPICERACK_TEST_BUILD"])
SOURCE = pathlib.Path(os.environ["SPICERACK_TEST_SOURCE"])
INJECT = BUILD / "tests/fault/inject"
ALLOC = BUILD / "tests/fault/alloc.so"
FIXTURES = BUILD / "tests/fixture/cookbooks"
TABLE = SOURCE / "docs/faults.md"

NAME = "fixture.misbehave"
START_OF_PROCESS = "start of the process"  # in the loader, or a call of the C library to itself
JOBS = 2
SLEEPING_JOBS = 24  # of runs that wait for a message that does not come
TIMEOUT = 20
TRACE_TIMEOUT = 300  # the place of each call is looked for
SHOWN = 200  # failures, in full
LOST_TIMEOUT = 45  # the longest wait for an answer of another process is 30 s
NOT_PERMITTED = SKIPPED = 77

# The scenario's words and the exit code without any fault.
SCENARIOS = {
    "success": ([], 0),
    "raise": (["--how", "raise"], 99),
    "crash": (["--how", "segv"], 92),
}

DOCUMENTED_CODES = {0, 1, 2, *range(90, 100)}

# How much of the traces is made to fail.
PLACES, STAGES, ALL = range(3)

# What is made to fail, and how: the first of each in every run of the tests, all in the long one.
FAULTS = {
    "openat open": "ENOENT EMFILE EACCES",
    "access faccessat faccessat2 readlink": "EACCES ENOENT",
    "newfstatat fstat stat lstat lseek getdents64 fcntl ioctl getcwd uname sysinfo": "EIO",
    "read": "EIO EINTR",
    "pread64": "EIO short",
    "recvfrom recvmsg": "ECONNRESET EINTR",
    "write": "ENOSPC EIO EINTR short",
    "sendmsg": "drop cut EPIPE ENOBUFS",
    "poll ppoll": "EINTR ENOMEM",
    "mmap brk munmap mprotect madvise mlock": "ENOMEM",
    "malloc calloc realloc": "ENOMEM",
    "clone clone3 fork vfork": "EAGAIN ENOMEM",
    "execve": "ENOENT ENOMEM",
    "socket socketpair pipe2 eventfd2 signalfd4 timerfd_create dup dup2 dup3": "EMFILE",
    "connect": "ENOENT",
    "close": "EIO EINTR",
    "wait4 waitid": "ECHILD EINTR",
    "clock_nanosleep": "EINTR",
    "mkdirat": "EACCES ENOSPC EROFS",
    "fchmod fchmodat flock": "EPERM",
    "kill tgkill": "ESRCH",
}
OTHER_FAULT = ["EINVAL"]
ERRORS = {call: faults.split() for calls, faults in FAULTS.items() for call in calls.split()}
# Messages are lost, cut and refused in every run, and a short write is no error at all.
ALWAYS = {"sendmsg": ["drop", "cut", "EPIPE"], "write": ["ENOSPC", "short"]}
ALLOCATIONS = {"malloc", "calloc", "realloc"}
# The kernel knows no failure of these, or nobody could do anything after one.
CANNOT_FAIL = set(
    "getpid getppid gettid getuid geteuid getgid getegid umask exit exit_group rt_sigreturn set_tid_address "
    "set_robust_list rseq arch_prctl futex restart_syscall".split()
)
# Made or not by the C library (how users are looked up here, how memory is had), or in time only.
OF_THE_MACHINE = set(
    "socket connect lseek recvmsg sendto brk munmap malloc calloc realloc fstat newfstatat clone clone3 futex "
    "prlimit64 getrandom sysinfo restart_syscall waitid wait4 clock_nanosleep".split()
)
# What of the system goes on with what it could not allocate, and crashes: the C library when it looks up a user,
# libconfig when it reads a text. They are called before anything has begun.
CRASH_WITHOUT_MEMORY = re.compile(r"(getpw(uid|nam)|.* libconfig.*)( |$)")

# What went wrong at one call and not at the first of its kind: each of these calls, in every run.
KEPT = {("success", "keeper", "fcntl", "database_do")}

# `nth` of all those of that role and name; `nth_here` of those from the same function.
Call = collections.namedtuple("Call", "scenario stage role name nth nth_here where file")
Case = collections.namedtuple("Case", "call fault")
Run = collections.namedtuple("Run", "code ended stderr marks log extended journals report left")


def case_name(case):
    call = case.call
    return f"{call.scenario}/{call.stage}/{call.role}:{call.name}:{call.nth}={case.fault}@{call.where}"


# ---- runs ----


def run(scenario, scratch, more, preload=False, timeout=TIMEOUT):
    """One run of the cookbook under inject, in a directory of its own."""
    (scratch / "home").mkdir(parents=True)
    (scratch / "tmp").mkdir()
    config = scratch / "spicerack.cfg"
    config.write_text(f'cookbooks_base_dirs = ["{FIXTURES}"];\nlogs_base_dir = "{scratch}/logs";\n'
                      f'locks = {{ directory = "{scratch}/locks"; }};\njournal = {{ directory = "{scratch}/runs"; }};\n')
    words, _ = SCENARIOS[scenario]
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(scratch / "home"), "TMPDIR": str(scratch / "tmp"),
        "LANG": "C.UTF-8", "TZ": "UTC", "USER": "tester",
    }
    if preload:
        environment["LD_PRELOAD"] = str(ALLOC)
    done = subprocess.run(
        [INJECT, "--timeout", str(timeout), "--report", scratch / "report", *more, PREFIX / "bin/cookbook",
         "-c", config, NAME, "--marks", scratch / "marks", "--scoped", "--deferred", "--logged", *words],
        env=environment, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        check=False, timeout=timeout + 60,
    )
    if done.returncode == NOT_PERMITTED:
        print("skipped: processes may not be traced here")
        sys.exit(SKIPPED)
    report = [line.split("\t") for line in read(scratch / "report")]
    end = next((line[1:] for line in report if line[0] == "end"), ["lost"])
    code = int(end[1]) if end[0] == "exit" else -int(end[1]) if end[0] == "signal" else None
    return Run(
        code, end[0], done.stderr.decode(errors="replace"), read(scratch / "marks"),
        read(scratch / "logs/fixture/misbehave.log"), read(scratch / "logs/fixture/misbehave-extended.log"),
        [read(path) for path in sorted(scratch.glob("runs/*.jsonl"))], report, strange_files(scratch, end[0] == "signal"),
    )


def read(path):
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def strange_files(scratch, died):
    """Files that no run should leave behind; the next user of its lock clears up after a supervisor that died."""
    expected = {"home", "tmp", "spicerack.cfg", "marks", "report", "trace", "logs", "logs/fixture",
                "logs/fixture/misbehave.log", "logs/fixture/misbehave-extended.log", "locks", "locks/runs",
                "locks/locks.db", "locks/locks.db-shm", "locks/locks.db-wal", "locks/swept", "runs", "runs/.pruned"}
    found = {str(path.relative_to(scratch)) for path in scratch.rglob("*") if not path.match("runs/*.jsonl")}
    if died:
        found = {path for path in found if not path.startswith(("locks/runs/", "locks/locks.db.new-"))}
    return sorted(found - expected)


# ---- the trace ----


def stages():
    """Their numbers and names, as in the code."""
    text = (SOURCE / "core/runtime/protocol.h").read_text()
    return {int(number): name.lower() for name, number in re.findall(r"STAGE_([A-Z]+) = (\d+)", text)}


def place(site):
    """The function and file of a call site."""
    function, _, file = site.partition(" ")
    return (START_OF_PROCESS, "") if function in ("-", "_start") else (function, file)


def trace(scenario, root, preload):
    scratch = root / f"trace-{scenario}-{preload}"
    result = run(scenario, scratch, ["--trace", scratch / "trace"], preload, TRACE_TIMEOUT)
    expected = SCENARIOS[scenario][1]
    if result.code != expected:
        sys.exit(f"{scenario}: exit code {result.code} without any fault, not {expected}\n{result.stderr}")
    rows = sorted((line.split("\t") for line in read(scratch / "trace")), key=lambda row: int(row[0]))
    names, stage, calls, counts = stages(), "start", [], collections.Counter()
    for _, role, name, nth, site, _, message in rows:
        if role == "supervisor" and name == "sendmsg" and message:
            kind, length, number = (int(word) for word in message.split())
            if kind == 1 and length <= 24:
                stage = names.get(number, str(number))
        if (name in ALLOCATIONS) == preload:
            where, file = place(site)
            counts[role, name, where] += 1
            calls.append(Call(scenario, stage, role, name, int(nth), counts[role, name, where], where, file))
    return calls, result


def faults_of(call, extent):
    errors = ERRORS.get(call.name, OTHER_FAULT)
    chosen = errors if extent == ALL else ALWAYS.get(call.name, errors[:1])
    # A cookbook that does not look at how much it wrote is not what is tested.
    return [fault for fault in chosen if fault != "short" or call.file != "misbehave.c"]


def kind_of(call, extent):
    """Calls of one kind fail alike: one of them is enough. A message is of a kind by what it is about."""
    place = (call.role, call.name, call.where)
    if extent == ALL:
        return (call.scenario, call.role, call.name, call.nth)
    if (call.scenario, *place) in KEPT:
        return (call.scenario, *place, call.nth)
    if extent == STAGES:
        return (call.scenario, call.stage, *place, call.nth if call.name == "sendmsg" else 0)
    return (*place, call.stage if call.name == "sendmsg" else "")


def matrix(calls, extent):
    """The cases, of as much of the traces as `extent` says."""
    cases, seen, killed = [], set(), set()
    for call in calls:
        kind = kind_of(call, extent)
        if call.name in CANNOT_FAIL or kind in seen:
            continue
        seen.add(kind)
        cases += [Case(call, fault) for fault in faults_of(call, extent)]
        # Who dies at a place is as dead as who does at the next one: one of each stage and call will do.
        death = (call.scenario, call.stage, call.role, call.name) if extent == PLACES else kind
        if call.name not in ALLOCATIONS and call.role not in ("spawn", "keeper") and death not in killed:
            killed.add(death)
            cases.append(Case(call, "kill"))
    return cases


# ---- the judgement ----


def judge(case, result, plain):
    """What is wrong with how a run ended; `plain` is the run without the fault."""
    call, wrong = case.call, []
    log = "\n".join(result.log + result.extended)
    told = log + "\n" + result.stderr
    log_failed = call.role == "supervisor" and call.file in ("logfile.c", "log.c")
    died = result.ended == "signal"
    in_supervisor = call.role in ("supervisor", "keeper")
    killed = case.fault == "kill"
    no_memory = call.name in ALLOCATIONS | {"brk", "mmap"}
    crashed_in = next((line[1] for line in result.report if line[0] == "crash"), "")
    in_library = no_memory and (call.where == START_OF_PROCESS or CRASH_WITHOUT_MEMORY.match(crashed_in))
    began = "run" in result.marks

    # It ends, with a code that is documented, and nothing is left.
    if result.ended == "timeout":
        wrong.append("did not end: " + ", ".join(" in ".join(line[1:]) for line in result.report if line[0] == "hang"))
    elif died and not (in_supervisor and (
            killed or in_library and not began or no_memory and result.code == -signal.SIGABRT)):
        wrong.append(f"the supervisor died by signal {-result.code} in {crashed_in}")
    elif result.ended == "exit" and result.code not in DOCUMENTED_CODES and not (
            call.role == "supervisor" and call.where == START_OF_PROCESS):
        wrong.append(f"exit code {result.code} is not documented")
    left = [line for line in result.report if line[0] == "left"]
    if left:
        wrong.append("left processes behind: " + ", ".join(" in ".join(line[1:]) for line in left))
    # A file that cannot be removed stays, and its next finder clears it up.
    strange = [path for path in result.left if call.name != "unlink" or not path.startswith("locks/")]
    if strange:
        wrong.append(f"left files behind: {', '.join(strange)}")

    # 0 means that all was done.
    whole = ["run", "scope", "run ends", "deferred"]
    if result.code == 0 and (plain.code != 0 or [mark for mark in result.marks if mark in whole] != whole or
                             "rollback" in result.marks):
        wrong.append(f"exit code 0, but the marks are {result.marks}")
    for mark in ("rollback", "rollback without memory of the run", "scope", "deferred", "run"):
        if result.marks.count(mark) > 1:
            wrong.append(f"{mark} was called {result.marks.count(mark)} times")

    # What has begun and did not succeed is undone, or somebody is told that it is not.
    owed = "owed" in told
    succeeded = plain.code == 0 and ("END (PASS)" in log or "died after run, which succeeded" in log)
    if began and result.code != 0 and not succeeded:
        undone = {"scope", "deferred", "rollback ends"} <= set(result.marks)
        if not undone and not owed and "not undone" not in told:
            wrong.append("not rolled back, and not said to be owed")
        if not undone and result.code is not None and result.code >= 0 and result.code != 93:
            wrong.append(f"not rolled back, but exit code {result.code}")

    if died and "owed" in log and ("END (PASS)" in log or "rollback ends" in result.marks and "END (" in log):
        wrong.append("a rollback is said to be owed that is not")

    # START and END.
    for name, lines in ((".log", result.log), ("-extended.log", result.extended)):
        text = "\n".join(lines)
        if began and "START - " not in text and not log_failed:
            wrong.append(f"{name}: no START")
        if "START - " in text and "END (" not in text and not log_failed:
            if not died:
                wrong.append(f"{name}: START without END")
            elif "The supervisor of cookbook" not in text:
                wrong.append(f"{name}: START without END, and no word about the supervisor's death")
        if "END (" in text and result.code is not None and f"exit_code={result.code})" not in text and not died:
            wrong.append(f"{name}: END does not tell exit code {result.code}")

    # No acknowledged record is lost.
    for mark in result.marks:
        if mark in ("run ends", "rollback ends"):
            continue
        mark = mark.removesuffix(" without memory of the run")  # which was ordered and did not begin
        lost = [name for name, lines in ((".log", result.log), ("-extended.log", result.extended))
                if not any(line.endswith(f"] at {mark}") for line in lines)]
        if lost and not (log_failed and re.search(f"^at {mark}$", result.stderr, re.M)):
            wrong.append(f"the record of {mark} is not in {' and '.join(lost)}")
    if log_failed and not died and result.code == 0 and "END (PASS)" not in told:
        wrong.append("END is nowhere")

    # Nobody is left without a word.
    if result.code and not told.strip() and not killed and call.where != START_OF_PROCESS and not in_library:
        wrong.append("failed without a word")
    return wrong


def judge_journal(case, result):
    """What is wrong with what the journal tells of it."""
    call = case.call
    if call.role == "supervisor" and call.file == "journal.c":
        return []  # what could not be written; that it was told is judged by the words
    began = "run" in result.marks
    if len(result.journals) != 1:
        return [f"{len(result.journals)} journals"] if began or len(result.journals) > 1 else []
    try:
        events = [json.loads(line) for line in result.journals[0]]
    except ValueError as error:
        return [f"the journal cannot be read: {error}: {result.journals[0]}"]
    last = {event["event"]: event for event in events}
    end = last.get("end") or last.get("cut-off")
    succeeded = end and "which succeeded" in str(end.get("message"))
    wrong = []
    if began and "start" not in last:
        wrong.append("no start in the journal")
    if result.ended == "exit" and events and (not end or end["event"] == "cut-off" or end["exit_code"] != result.code):
        wrong.append(f"the journal ends with {end}")
    if began and end and end["event"] == "cut-off" and end["rollback"] not in ("owed", None) and not succeeded:
        wrong.append(f"the journal owes nothing: {end}")
    if end and "rollback ends" in result.marks and end["rollback"] == "none":
        wrong.append(f"the journal knows of no rollback: {end}")
    return wrong


def outcome(result, plain):
    """In a few words, for the table."""
    told = "\n".join(result.log + [result.stderr])
    same = (result.code, result.marks) == (plain.code, plain.marks)
    began = "run" in result.marks
    words = []
    if result.ended == "timeout":
        return "does not end"
    if same and len(result.log) == len(plain.log) and len(result.extended) == len(plain.extended):
        return "no effect" if result.stderr == plain.stderr else "same result, other words"
    if result.ended == "signal":
        words.append(f"supervisor dies ({signal.Signals(-result.code).name})")
    else:
        words.append(f"exit {result.code}")
    if not began:
        words.append("run not begun")
    elif "rollback ends" in result.marks:
        words.append("rolled back")
    elif result.code != 0 and ("owed" in told or "not undone" in told):
        words.append("rollback owed")
    if "cannot log to a file" in result.stderr:
        words.append("a record is only on the terminal")
    return ", ".join(words)


# ---- the table ----

HEAD = """# Faults

What a run comes to when one call of one of its processes fails. Made by `tests/fault/matrix.py --write`
from traces of three runs of a cookbook: one that succeeds, one that raises and is rolled back, and
one that crashes and is rolled back in a fresh process. Here each place of the code that calls has failed
at each stage of each of them, and each message was lost and cut; every test run has each place fail once,
and fails itself when a trace holds calls that are not in this list.

* `supervisor`: the `cookbook` command; `keeper`: its thread that calls the store of locks; `spawn`: its child until that has become the runner;
  `runner`, `worker` and `fresh` (the process that undoes after a crash): see *Processes* in the design.
* A fault is the error that the call returned; `drop` and `cut`: a message was lost or half of it
  arrived; `short`: half was written; `kill`: the process was killed instead.
* "supervisor dies (SIGSEGV)": the C library's look-up of users and libconfig go on with what they
  could not allocate. It is accepted where the crash is in them, before anything has begun: no lock
  is taken, nothing is owed, and the command can be run again.
* "no effect": same exit code, same callbacks, same records as without the fault.

"""


def table(results, plain, calls):
    lines = [HEAD, "## Calls\n\n"]
    for role, names in call_names(calls).items():
        lines.append(f"* {role}: {', '.join(sorted(names))}\n")
    lines.append(f"\nNot made to fail: {', '.join(sorted(CANNOT_FAIL))}.\n")
    roles = collections.defaultdict(lambda: collections.defaultdict(set))
    order = ["start", *stages().values()]
    for case, result in results:
        key = (order.index(case.call.stage), outcome(result, plain[(case.call.scenario, case.call.name in ALLOCATIONS)]),
               case.fault)
        roles[case.call.role][key].add(case.call.name)
    for role, rows in roles.items():
        lines.append(f"\n## {role}\n\n| stage | fault | outcome | calls |\n| --- | --- | --- | --- |\n")
        merged = collections.defaultdict(lambda: collections.defaultdict(set))
        for (stage, what, fault), names in rows.items():
            for name in names:
                merged[(stage, what)][fault].add(name)
        for (stage, what), faults in sorted(merged.items(), key=lambda item: item[0]):
            by_calls = collections.defaultdict(list)
            for fault, names in sorted(faults.items()):
                by_calls[", ".join(sorted(names))].append(fault)
            for names, same in by_calls.items():
                lines.append(f"| {order[stage]} | {', '.join(same)} | {what} | {names} |\n")
    return "".join(lines)


def call_names(calls):
    names = collections.defaultdict(set)
    for call in calls:
        names[call.role].add(call.name)
    return names


def check_table(calls):
    """What the table does not know, or knows and nobody calls."""
    text = TABLE.read_text() if TABLE.exists() else ""
    wrong = []
    for role, names in call_names(calls).items():
        match = re.search(rf"^\* {role}: (.*)$", text, re.M)
        listed = set(match[1].split(", ")) if match else set()
        new, gone = names - listed - OF_THE_MACHINE, listed - names - OF_THE_MACHINE
        if new:
            wrong.append(f"{role} makes calls that docs/faults.md does not list: {', '.join(sorted(new))}")
        if gone:
            wrong.append(f"{role} no longer makes calls that docs/faults.md lists: {', '.join(sorted(gone))}")
    if wrong:
        wrong.append("look at their outcome, then run matrix.py --write")
    return wrong


# ---- all together ----


def fault_words(case, by_place):
    """A look at the place of each call takes longer than the run; mostly there are as many each time."""
    call = case.call
    if not by_place or call.where == START_OF_PROCESS:
        return f"{call.role}:{call.name}:{call.nth}={case.fault}"
    return f"{call.role}:{call.name}:{call.nth_here}={case.fault}@{call.where}"


def was_meant(case, result, by_place):
    """Whether the call that failed was that of the trace; of allocations, any."""
    call = case.call
    anywhere = by_place or call.name in ALLOCATIONS or call.where == START_OF_PROCESS
    return any(line[0] == "hit" and (anywhere or place(line[4])[0] == call.where) for line in result.report)


def run_case(root, case):
    call = case.call
    scratch = pathlib.Path(tempfile.mkdtemp(dir=root))
    lost = case.fault in ("drop", "cut")
    try:
        for attempt, by_place in (("first", False), ("second", True), ("third", True)):  # a wait may be shorter this time
            words = fault_words(case, by_place)
            result = run(call.scenario, scratch / attempt, ["--fail", words],
                         call.name in ALLOCATIONS, LOST_TIMEOUT if lost else TIMEOUT)
            if was_meant(case, result, by_place):
                return result
        return None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def show(case, result, wrong):
    print(f"\nFAILED {case_name(case)}")
    for line in wrong:
        print(f"  - {line}")
    print(f"  exit {result.code}, marks: {' '.join(result.marks)}")
    for title, lines in (("stderr", result.stderr.splitlines()), ("log", result.log)):
        for line in lines:
            print(f"  {title}: {line}")


def run_all(root, cases):
    sleeping = [case for case in cases if case.fault in ("drop", "cut")]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as few, \
            concurrent.futures.ThreadPoolExecutor(SLEEPING_JOBS) as many:
        slow = {id(case): many.submit(run_case, root, case) for case in sleeping}
        fast = {id(case): few.submit(run_case, root, case) for case in cases if id(case) not in slow}
        both = {**slow, **fast}
        return [(case, both[id(case)].result()) for case in cases]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spicerack-fault-") as name:
        root = pathlib.Path(name)
        calls, plain = [], {}
        for scenario in SCENARIOS:
            for preload in (False, True):
                traced, result = trace(scenario, root, preload)
                calls += traced
                plain[(scenario, preload)] = result
        extent = ALL if options.long else STAGES if options.write else PLACES
        cases = [case for case in matrix(calls, extent) if options.only in case_name(case)]
        results = run_all(root, cases)
    failed = 0
    for case, result in results:
        if not result:
            continue
        reference = plain[(case.call.scenario, case.call.name in ALLOCATIONS)]
        wrong = judge(case, result, reference) + judge_journal(case, result)
        failed += bool(wrong)
        if wrong and failed <= SHOWN:
            show(case, result, wrong)
        elif options.verbose:
            print(f"{case_name(case)}: {outcome(result, reference)}")
    hit = [(case, result) for case, result in results if result]
    text = table(hit, plain, calls)
    problems = [f"{failed} of {len(hit)} runs did not end well"] if failed else []
    if not options.only:
        print(text)
        met = {(case.call.role, case.call.name, case.call.where) for case, _ in hit}
        missed = {(case.call.role, case.call.name, case.call.where) for case, _ in results} - met
        problems += [f"never hit: {' '.join(each)}" for each in sorted(missed)]
        if options.write and not problems:
            TABLE.write_text(text)
        problems += check_table(calls)
    print(f"{len(calls)} calls traced, {len(cases)} cases, {len(cases) - len(hit)} not met, {failed} failed")
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
