# SPDX-License-Identifier: Apache-2.0
"""Under systemd, the real one: a service manager of the test's own, in namespaces, with our units and no others.

Nothing of the machine is within its reach: its /run is empty, its cgroups are below one of ours, it reads units
from the scratch directory only, and that is all that it and its services can write to.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import unittest

from harness import FIXTURES, PREFIX, CommandTest

NAME = "fixture.misbehave"
UNIT = f"cookbook@{NAME}.service"
TIMER = f"cookbook@{NAME}.timer"
WHOLE = ["check", "prepare", "describe", "lock", "run"]
ROLLED_BACK = ["rollback", "rollback ends"]
OWED = f"The supervisor of cookbook {NAME} died during run: the cookbook was stopped, it was not rolled back: " \
       "a rollback is owed"

MANAGER = "/lib/systemd/systemd"
UNITS = PREFIX / "lib" / "systemd" / "system"

# Those that a unit depends on by default do nothing here.
TARGETS = ["test", "sysinit", "basic", "shutdown", "timers", "time-set", "time-sync"]

# What becomes the first process of the namespaces. $1: the scratch directory.
BECOME_MANAGER = """
set -eu
mount --bind "$1" "$1"
findmnt --raw --noheadings --output TARGET >"$1/mounts"
while read -r target; do
	case $target in
	"$1" | /proc | /proc/*) ;;
	*) mount -o remount,bind,ro "$target" ;;
	esac
done <"$1/mounts"
mount --bind -o ro /proc/sys /proc/sys
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/systemd/journald.conf.d
printf '[Journal]\\nStorage=volatile\\n' >/run/systemd/journald.conf.d/volatile.conf
exec env -i PATH="$PATH" container=test SYSTEMD_UNIT_PATH="$1/units" SYSTEMD_GENERATOR_PATH="$1/none" \
	/lib/systemd/systemd --unit=test.target --show-status=no --log-target=null
"""

# In a mount namespace of its own. $1: the scratch directory, $2: the name of a cgroup.
MAKE_CGROUP = 'mount -t cgroup2 cgroup2 "$1/cgroup" && mkdir "$1/cgroup/$2"'
REMOVE_CGROUP = 'mount -t cgroup2 cgroup2 "$1/cgroup" && find "$1/cgroup/$2" -depth -type d -exec rmdir {} +'
START = ('mount -t cgroup2 cgroup2 "$1/cgroup" && echo 0 >"$1/cgroup/$2/cgroup.procs" && umount "$1/cgroup" && '
         'exec unshare --pid --mount --cgroup --net --uts --ipc --fork --kill-child --mount-proc sh -c "$3" sh "$1"')

JOURNAL = "[Unit]\nDefaultDependencies=no\n[Service]\nType=notify\nExecStart=/lib/systemd/systemd-journald\n"


class SystemdTest(CommandTest):
    """Each test has a service manager of its own, running as self.manager (its number in our namespace)."""

    def setUp(self):
        super().setUp()
        for tool in (MANAGER, "unshare", "nsenter", "findmnt", "systemctl", "journalctl"):
            if not shutil.which(tool):
                self.skipTest(f"{tool} is not installed")
        if os.getuid() != 0:
            self.skipTest("only root can run a service manager")
        self.group = f"spicerack-{self.scratch.name}"
        (self.scratch / "cgroup").mkdir()
        for target in TARGETS:
            self.write(f"units/{target}.target", "[Unit]\nDefaultDependencies=no\n")
        # Named by another one, the unit stays in memory when it has ended, with its exit code.
        self.write("units/test.target.d/remember.conf", f"[Unit]\nAfter={UNIT}\n")
        self.write("units/journal.service", JOURNAL)
        for unit in UNITS.iterdir():
            shutil.copy(unit, self.scratch / "units")
        self.start_manager()

    def in_namespace(self, script, *words):
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", self.scratch, self.group,
                *words]

    def start_manager(self):
        made = self.run_command(*self.in_namespace(MAKE_CGROUP))
        if made.code != 0:
            self.skipTest(f"no namespaces or no cgroups of one's own here: {made.err.strip()}")
        self.addCleanup(self.remove_cgroup)
        with open(self.scratch / "manager.err", "wb") as err:
            process = subprocess.Popen([str(word) for word in self.in_namespace(START, BECOME_MANAGER)],
                                       env=self.env, stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")

        def running():
            if process.poll() is not None:
                said = (self.scratch / "manager.err").read_text(errors="replace").strip()
                self.skipTest(f"systemd cannot run in namespaces here: {said}")
            self.manager = children.read_text().strip()
            return self.manager and self.systemctl("is-active", "test.target").out == "active\n"

        self.wait_for(running, "systemd", 60)
        self.systemctl("start", "journal.service", check=True)

    def remove_cgroup(self):
        # The kernel may take a moment to empty it.
        self.wait_for(lambda: self.run_command(*self.in_namespace(REMOVE_CGROUP)).code == 0, "the end of the cgroup")

    def inside(self, *words):
        """Runs a command beside the service manager."""
        return self.run_command("nsenter", "--target", self.manager, "--mount", "--pid", *words)

    def systemctl(self, *words, check=False):
        result = self.inside("systemctl", *words)
        if check:
            self.assertEqual(result.code, 0, result)
        return result

    def drop_in(self, unit, text):
        self.write(f"units/{unit}.d/{len(list(self.scratch.rglob('*.conf')))}.conf", text)

    def configure(self, *arguments, more="", misbehave=True):
        """What an operator puts beside the installed unit, as `systemctl edit` would."""
        environment = dict(self.env, SPICERACK_COOKBOOKS_BASE_DIRS=FIXTURES, SPICERACK_LOGS_BASE_DIR=self.logs)
        if misbehave:
            arguments = ["--marks", self.marks_file, *arguments]
        environment["ARGUMENTS"] = " ".join(str(word) for word in arguments)
        lines = "".join(f'Environment="{name}={value}"\n' for name, value in environment.items())
        self.drop_in(UNIT, f"[Service]\n{lines}{more}")
        self.systemctl("daemon-reload", check=True)

    def start_unit(self, *arguments, mark="run", **more):
        self.configure(*arguments, **more)
        self.systemctl("start", UNIT, check=True)
        self.wait_for_mark(mark)

    def show(self, *properties):
        shown = self.systemctl("show", "--property", ",".join(properties), UNIT, check=True).out
        found = dict(line.split("=", 1) for line in shown.splitlines())
        return [found[name] for name in properties]

    def wait_until_ended(self):
        self.wait_for(lambda: self.show("ActiveState")[0] in ("inactive", "failed"), "the end of the unit", 60)

    def services(self):
        """Processes of the test that the unit has brought, not the manager and what asks it."""
        return [name for _, name in self.processes() if name in ("cookbook", "spicerack-run", "spicerack-work", "tail")]

    def assertEnded(self, active, result, status, marks):
        self.assertEqual(self.show("ActiveState", "Result", "ExecMainStatus"), [active, result, status])
        self.assertEqual(self.marks(), marks)
        self.assertEqual(self.services(), [])

    def last_record(self):
        return self.records(NAME)[-1][1]


class Unit(SystemdTest):
    """The unit that is installed."""

    BUSY = (["--how", "sleep", "--value", "600"], ["--how", "command"], ["--how", "stray-and-sleep", "--value", "600"])

    @contextlib.contextmanager
    def busy(self, *words, more=""):
        """One case: the unit at work in what the words say."""
        with self.subTest(words):
            self.marks_file.unlink(missing_ok=True)
            shutil.rmtree(self.logs, ignore_errors=True)
            self.start_unit(*words, more=more, mark="stray left" if "stray" in words[1] else "run")
            yield
            self.systemctl("reset-failed", UNIT)

    def check_stop(self, **options):
        for words in self.BUSY:
            with self.busy(*words, "--scoped", **options):
                self.systemctl("stop", UNIT, check=True)
                stray = ["stray left"] if "stray" in words[1] else []
                self.assertEnded("inactive", "success", "97", [*WHOLE, *stray, "scope", *ROLLED_BACK])
                self.assertIn("END (ERROR)", self.last_record())
                self.assertIn(("WARNING", "SIGTERM: interrupting the cookbook"), self.records(NAME))

    def test_stop_rolls_back(self):
        self.check_stop()

    def test_stop_of_the_whole_group_rolls_back(self):
        """The default of systemd: runner and worker are told, too, and do not mind."""
        self.check_stop(more="KillMode=control-group\n")

    def test_stop_of_mixed_mode_rolls_back(self):
        self.check_stop(more="KillMode=mixed\n")

    def test_stop_during_a_rollback_waits_for_it(self):
        self.start_unit("--how", "raise", "--at-rollback", "wait", mark="rollback")
        self.systemctl("stop", "--no-block", UNIT, check=True)
        self.wait_for_log("SIGTERM: the cookbook is being rolled back, that goes on")
        self.write("marks.go", "")
        self.wait_until_ended()
        self.assertEnded("failed", "exit-code", "99", [*WHOLE, *ROLLED_BACK])

    def test_a_good_run(self):
        self.start_unit(mark="run ends")
        self.wait_until_ended()
        self.assertEnded("inactive", "success", "0", [*WHOLE, "run ends"])

    def test_a_crash_is_a_failure_of_the_unit(self):
        self.start_unit("--how", "segv", mark="rollback ends")
        self.wait_until_ended()
        self.assertEnded("failed", "exit-code", "92", [*WHOLE, *ROLLED_BACK])

    def kill_supervisor(self):
        self.systemctl("kill", "--kill-who=main", "--signal=SIGKILL", UNIT, check=True)
        self.wait_until_ended()
        self.assertEqual(self.show("ActiveState", "Result"), ["failed", "signal"])
        self.wait_for(lambda: not self.services(), f"the end of {self.services()}")

    def test_death_of_the_supervisor(self):
        """With KillMode=mixed the runner is killed, too, before it can say what is owed: hence `process`."""
        for words in self.BUSY:
            with self.busy(*words):
                self.kill_supervisor()
                self.assertEqual(self.last_record(), OWED)

    def test_death_of_the_supervisor_in_mixed_mode(self):
        """What is owed may not be said; still nothing is left."""
        for words in self.BUSY:
            with self.busy(*words, more="KillMode=mixed\n"):
                self.kill_supervisor()

    def test_a_rollback_that_takes_longer_than_the_unit_allows(self):
        """It ends with the supervisor; who sets a short TimeoutStopSec asks for that."""
        self.start_unit("--how", "sleep", "--value", "600", "--at-rollback", "deaf", more="TimeoutStopSec=2s\n")
        self.systemctl("stop", UNIT)
        self.assertEqual(self.show("ActiveState", "Result", "ExecMainStatus"),
                         ["failed", "timeout", str(int(signal.SIGKILL))])
        self.wait_for(lambda: not self.services(), f"the end of {self.services()}")
        self.assertEqual(self.marks(), [*WHOLE, "rollback"])
        self.assertEqual(self.last_record(), OWED.replace("during run", "during rollback"))

    def test_timer(self):
        self.configure()
        self.drop_in(TIMER, "[Timer]\nOnCalendar=\nRandomizedDelaySec=0\nOnActiveSec=0\nAccuracySec=1ms\n")
        self.systemctl("daemon-reload", check=True)
        self.systemctl("start", TIMER, check=True)
        self.wait_for_mark("run ends")

    def test_both_units_are_good(self):
        self.configure()
        result = self.run_command("systemd-analyze", "verify", "--man=no", UNIT, TIMER,
                                  env=dict(self.env, SYSTEMD_UNIT_PATH=self.scratch / "units"))
        self.assertEqual((result.code, result.err), (0, ""), result)


class Isolation(SystemdTest):
    """What the head of this file promises to whoever runs it."""

    def test_nothing_of_the_machine_can_be_written(self):
        for directory in ("/", "/tmp", "/etc", "/var/tmp", "/var/log", "/var/lib", "/dev", "/dev/shm", "/proc/sys"):
            path = pathlib.Path(directory) / self.group
            result = self.inside("touch", path)
            self.assertNotEqual(result.code, 0, directory)
            self.assertFalse(path.exists())
        self.assertEqual(self.inside("touch", "/run/inside").code, 0)
        self.assertFalse(pathlib.Path("/run/inside").exists())


class Output(SystemdTest):
    """Where the lines of a unit go."""

    def journal(self):
        return self.inside("journalctl", "--unit", UNIT, "--output", "cat", "--quiet", "--no-pager").out

    def test_the_journal(self):
        self.start_unit("--how", "print", mark="run ends")
        self.wait_until_ended()
        self.inside("journalctl", "--sync")
        lines = self.journal().splitlines()
        for line in (f"START - Cookbook {NAME} by print", "data on stdout", "words on stderr",
                     f"END (PASS) - Cookbook {NAME} (exit_code=0) by print"):
            self.assertIn(line, lines)
        self.assertNotIn("\x1b", "".join(lines))

    def test_fields_of_the_journal(self):
        self.start_unit("--how", "raise", mark="rollback ends")
        self.wait_until_ended()
        self.inside("journalctl", "--sync")
        events = self.journals()[0]
        found = self.inside("journalctl", f"SPICERACK_RUN={events[0]['run']}", "--output", "json", "--quiet").out
        entries = [json.loads(line) for line in found.splitlines()]
        # All but the records, which come by standard error.
        self.assertEqual([entry["SPICERACK_EVENT"] for entry in entries],
                         [event["event"] for event in events if event["event"] != "log"])
        end = entries[-1]
        self.assertEqual((end["SPICERACK_COOKBOOK"], end["SPICERACK_EXIT_CODE"], end["SPICERACK_ROLLBACK"],
                          end["SPICERACK_RESULT"]), (NAME, "99", "done", "FAIL"))
        self.assertEqual(end["MESSAGE"], f"run {events[0]['run']} of cookbook {NAME}: end, FAIL")

    def test_a_journal_that_is_gone_does_not_hurt(self):
        self.start_unit("--how", "wait")
        self.systemctl("kill", "--signal=SIGKILL", "journal.service", check=True)
        self.write("marks.go", "")
        self.wait_until_ended()
        self.assertEnded("inactive", "success", "0", [*WHOLE, "run ends"])
        self.assertIn("END (PASS)", self.last_record())

    def test_a_file(self):
        out = self.scratch / "out"
        self.start_unit("--how", "print", mark="run ends",
                        more=f"StandardOutput=file:{out}\nStandardError=file:{out}.err\n")
        self.wait_until_ended()
        self.assertEqual(out.read_text(), "data on stdout\n")
        self.assertIn("END (PASS)", pathlib.Path(f"{out}.err").read_text())


if __name__ == "__main__":
    unittest.main()
