# SPDX-License-Identifier: Apache-2.0
"""Locks in the store of one machine, sqlite: the rules of every store, and what only this one can have happen to it."""

import contextlib
import fcntl
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import time
import unittest

import lock_rules
from harness import SANITIZED
from lock_rules import KEY, NAME, LocksTest, Store


class LockOfARun(Store, lock_rules.LockOfARun):
    pass


class LocksOfACookbook(Store, lock_rules.LocksOfACookbook):
    pass


class Deaths(Store, lock_rules.Deaths):
    pass


class Commands(Store, lock_rules.Commands):
    pass


class Contention(Store, lock_rules.Contention):
    PROCESSES = 10 if SANITIZED else 50  # each of them takes ten times as long


class Files(Store, LocksTest):
    """The database and what is beside it, in other states than we leave them in."""

    @property
    def database(self):
        return self.scratch / "locks" / "locks.db"

    def refused(self, *reasons):
        """A run that must not go on, and changes nothing."""
        before = self.database.read_bytes() if self.database.is_file() else None
        result = self.run_fixture()
        self.assertEqual(result.code, 90, result)
        self.assertNotIn("START", result.err)
        self.assertEqual(self.marks_of("marks"), [])
        for reason in reasons:
            self.assertIn(reason, result.err)
        if before is not None:
            self.assertEqual(self.database.read_bytes(), before)
        listed = self.locks("list")
        self.assertEqual(listed.code, 1, listed)
        self.assertIn(reasons[0], listed.err)

    def test_modes(self):
        self.assertEqual(self.run_fixture().code, 0)
        self.assertEqual((self.scratch / "locks").stat().st_mode & 0o777, 0o700)
        self.assertEqual(self.database.stat().st_mode & 0o777, 0o600)
        self.assertEqual(os.listdir(self.scratch / "locks" / "runs"), [])

    def test_shared_with_a_group(self):
        (self.scratch / "locks").mkdir()
        (self.scratch / "locks").chmod(0o2770)
        holder = self.holder()
        self.assertEqual((self.scratch / "locks" / "runs").stat().st_mode & 0o7777, 0o2770)
        self.assertEqual(self.database.stat().st_mode & 0o777, 0o660)
        [run] = os.listdir(self.scratch / "locks" / "runs")
        self.assertEqual((self.scratch / "locks" / "runs" / run).stat().st_mode & 0o777, 0o660)
        self.go("holder")
        self.finish(holder)

    def test_writable_by_all_is_refused(self):
        (self.scratch / "locks").mkdir()
        (self.scratch / "locks").chmod(0o777)
        self.refused(f"'{self.scratch}/locks': not trusted, others may write to it")

    def test_no_database(self):
        self.run_fixture()
        for content, reason in (
                (b"", "it is no store of locks"),
                (b"this is no database, but long enough to be taken for one by its size, " * 100,
                 "it is damaged, or no store of locks")):
            with self.subTest(content[:10]):
                shutil.rmtree(self.scratch / "locks")
                (self.scratch / "marks").unlink(missing_ok=True)
                (self.scratch / "locks").mkdir(mode=0o700)
                self.database.write_bytes(content)
                self.refused(f"'{self.database}'", reason)

    def test_of_somebody_else(self):
        (self.scratch / "locks").mkdir(mode=0o700)
        other = sqlite3.connect(self.database)
        other.execute("CREATE TABLE entry(anything)")
        other.commit()
        other.close()
        self.refused(f"'{self.database}'", "it is no store of locks")

    def test_of_a_later_version(self):
        self.run_fixture()
        (self.scratch / "marks").unlink()
        self.change("PRAGMA user_version=2")
        self.refused(f"'{self.database}'", "it was made by a later version of spicerack")

    def change(self, *statements):
        other = sqlite3.connect(self.database)
        for statement in statements:
            other.execute(statement)
        other.commit()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.close()

    def test_damaged(self):
        self.run_fixture()
        (self.scratch / "marks").unlink()
        self.change("SELECT 1")
        content = bytearray(self.database.read_bytes())
        content[4096:] = b"\xa5" * (len(content) - 4096)
        self.database.write_bytes(content)
        self.refused(f"'{self.database}'", "it is damaged")

    def test_hostile_entries(self):
        """What another member of the group may have written there: refused by its key, or shown as it must be."""
        self.run_fixture()
        insert = ("INSERT INTO entry(key, number, id, run, owner, cookbook, reason, created, ttl, concurrency, fence) "
                  f"VALUES('{KEY}', ")
        for values, reason in (
                ("1, 'i', NULL, 'o', NULL, NULL, 0, 1, 1, 1)", "an entry of the key"),
                ("1, 'i', 'r', 'o', NULL, NULL, 0, -1, 1, 1)", "an entry of the key"),
                ("1, 'i', 'r', 'o', NULL, NULL, 0, 1, -1, 1)", "an entry of the key")):
            with self.subTest(values):
                (self.scratch / "marks").unlink(missing_ok=True)
                self.change("DELETE FROM entry", insert + values)
                self.refused(f"'{self.database}'", reason)
        self.change("DELETE FROM entry", insert + "1, 'i', NULL, 'a' || char(27) || '[2J', NULL, 'why' || char(10) || 'END', "
                    "9223372036854775807, 9223372036854775807, 0, 0)")
        self.configure(wait=1)
        result = self.run_fixture()
        self.assertEqual(result.code, 90, result)
        self.assertNotIn("\x1b", result.err)
        self.assertIn(r"why\x0aEND", result.err)
        self.assertNotIn("\x1b", self.locks("list").out + self.locks("list", "--json").out)
        # A run that is none, or never was, holds nothing.
        for run in ("../../../etc/passwd", "r", "00000000-0000-4000-8000-000000000000"):
            self.change("DELETE FROM entry", insert + f"1, 'i', '{run}', 'o', NULL, NULL, 0, 1000000000, 1, 1)")
            self.assertEqual(self.run_fixture().code, 0)

    def test_a_table_without_its_counter(self):
        self.run_fixture()
        (self.scratch / "marks").unlink()
        self.change("DELETE FROM counter")
        result = self.run_fixture()
        self.assertEqual(result.code, 90, result)
        self.assertIn("it is damaged", result.err)

    def test_a_link(self):
        (self.scratch / "locks").mkdir(mode=0o700)
        (self.scratch / "elsewhere").write_bytes(b"")
        self.database.symlink_to(self.scratch / "elsewhere")
        self.refused(f"'{self.database}': it is not a regular file")

    def test_removed_under_a_run(self):
        holder = self.take("holder", "--how", "sleep")
        self.wait_marked("holder", "run")
        self.database.unlink()
        result = self.finish(holder)
        self.assertEqual(result.code, 91, result)
        self.assertIn(f"'{self.database}' was removed or replaced", result.err)

    def test_a_path_with_links(self):
        (self.scratch / "real").mkdir()
        (self.scratch / "linked").symlink_to(self.scratch / "real")
        self.config.write_text(self.config.read_text().replace(f"{self.scratch}/locks", f"{self.scratch}/linked/locks"))
        self.assertEqual(self.run_fixture().code, 0)
        self.assertTrue((self.scratch / "real" / "locks" / "locks.db").exists())

    @unittest.skipUnless(os.getuid() == 0, "only root can mount")
    def test_disk_full(self):
        (self.scratch / "locks").mkdir(mode=0o700)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k,mode=0700", "none", self.scratch / "locks"],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("cannot mount here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.scratch / "locks"], check=False)
        self.assertEqual(self.run_fixture().code, 0)
        (self.scratch / "marks").unlink()
        with open(self.scratch / "locks" / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        result = self.run_fixture()
        self.assertEqual(result.code, 90, result)
        self.assertIn(f"'{self.database}'", result.err)
        self.assertEqual(self.marks_of("marks"), [])

    @unittest.skipUnless(os.getuid() == 0, "only root can run as another")
    def test_of_another_user(self):
        (self.scratch / "locks").mkdir(mode=0o700)
        self.scratch.chmod(0o755)
        self.logs.mkdir()
        self.logs.chmod(0o777)
        (self.scratch / "home").chmod(0o777)
        result = self.run_fixture(user="nobody")
        self.assertEqual(result.code, 90, result)
        self.assertIn(f"{self.scratch}/locks", result.err)
        self.assertIn("Permission denied", result.err)

    def die(self, suffix):
        """A run that is killed as a whole, and leaves its entry and its file under a key that nobody asks for again."""
        process = self.holder(suffix, "--suffix", suffix)
        while process.poll() is None or self.processes():
            for pid, _ in [(process.pid, ""), *self.processes()]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def left(self):
        """The keys in the table, and the names of the run files and of unfinished databases."""
        database = sqlite3.connect(self.database)
        keys = [key.rpartition(":")[2] for key, in database.execute("SELECT key FROM entry ORDER BY key")]
        database.close()
        files = sorted(path.name for path in (self.scratch / "locks").glob("locks.db.new-*"))
        return keys, len(os.listdir(self.scratch / "locks" / "runs")), files

    def test_what_the_dead_leave_is_swept(self):
        self.die("first")
        self.die("second")
        holder = self.holder("alive", "--suffix", "alive")
        new = f"locks.db.new-{'0' * 8}-0000-4000-8000-{'0' * 12}"
        for name in ("-1", "-1-wal", "-1-shm", "-2-journal", "-3", "-3-wal"):
            self.write(f"locks/{new}{name}", "", mode=0o600)
        # One is being made right now.
        with open(self.scratch / "locks" / f"{new}-3", "r+b") as made:
            fcntl.fcntl(made, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
            self.assertEqual(self.left()[:2], (["alive", "first", "second"], 3))
            self.assertEqual(self.run_fixture().code, 0)
            self.assertEqual(self.left(), (["alive"], 1, [f"{new}-3", f"{new}-3-wal"]))
        [entry] = self.entries(f"{NAME}:alive")
        self.assertEqual(entry["pid"], holder.pid)
        self.go("alive")
        self.assertEqual(self.finish(holder).code, 0)

    def test_swept_once_in_a_while(self):
        self.assertEqual(self.run_fixture().code, 0)
        self.die("first")
        self.assertEqual(self.run_fixture().code, 0)
        self.assertEqual(self.left(), (["first"], 1, []))
        for hours in (-2, 2):
            os.utime(self.scratch / "locks" / "swept", times=(time.time() - hours * 3600,) * 2)
            self.assertEqual(self.run_fixture().code, 0)
            self.assertEqual(self.left(), ([], 0, []), hours)
            self.die("first")

    def test_who_only_looks_makes_nothing(self):
        self.assertEqual(self.run_fixture(options=["--dry-run"]).code, 0)
        for words in (["list"], ["show", NAME], ["unhold", NAME], ["release", NAME, "abcd", "--reason", "x"]):
            self.locks(*words)
        self.assertFalse((self.scratch / "locks").exists())

    def test_no_driver(self):
        self.config.write_text(self.config.read_text().replace('"sqlite"', '"nothing"'))
        result = self.run_fixture()
        self.assertEqual(result.code, 90)
        self.assertIn("the driver lock-nothing is not installed", result.err)


if __name__ == "__main__":
    unittest.main()
