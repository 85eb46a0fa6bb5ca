# SPDX-License-Identifier: Apache-2.0
"""
The driver on libssh with servers whose answers are changed on their way, and with such as lie: each command ends, in
time, with a result, and the process lives. A seed that fails is tried again alone by FIRST_SEED and SEEDS in the
environment.
"""

import os
import time
import unittest

from harness import BUILD, LONG, PREFIX, CommandTest
from hostile import Mangler, can_lie, start_liars
from sshd import Hosts, Sshd, require_sshd

DRIVE = BUILD / "tests" / "bench" / "bench-remote-drive"
FIRST = int(os.environ.get("FIRST_SEED", "1"))
COUNT = int(os.environ.get("SEEDS", "1500" if LONG else "30"))
AT_ONCE = 30
CONNECT_SECONDS = 10


def driver():
    return next(PREFIX.rglob("transport-libssh.so"), None)


def setUpModule():
    require_sshd()
    if not driver():
        raise unittest.SkipTest("the driver on libssh is not here")


class Hostile(CommandTest):
    def cases(self):
        """The seeds, so many at a time."""
        for first in range(FIRST, FIRST + COUNT, AT_ONCE):
            yield range(first, min(first + AT_ONCE, FIRST + COUNT))

    def drive(self, hosts, seeds):
        """Runs a command on a host for each seed: how many exited with 0, and bytes of output."""
        names = "".join(f"{name}\n" for name in hosts.names[:len(seeds)])
        given = self.write("names", names)
        begin = time.monotonic()
        with open(given, "rb") as stdin:
            result = self.run_command(DRIVE, driver(), AT_ONCE, 1, "echo said", CONNECT_SECONDS,
                                      f"config={hosts.config}", stdin=stdin, timeout=120)
        self.assertEqual(result.code, 0, f"seeds {seeds}: {result}")
        good, bad, size = map(int, result.out.split()[:3])
        self.assertEqual(good + bad, len(seeds), result)
        self.assertLess(time.monotonic() - begin, 100)
        for line in result.err.splitlines():
            self.assertRegex(line, r"\Ahost\d+\.test\t(?:0\t\d+\t|[1-7]\t\d+\t[ -~]+)\Z", "a reason that drives a terminal")
        return good, size

    def test_bytes_changed_on_their_way(self):
        """What gets through is what the server said."""
        sshd = Sshd(self, AT_ONCE)
        survived = 0
        for seeds in self.cases():
            for name, seed in zip(sshd.names, seeds):
                sshd.elsewhere(name, Mangler(self, sshd.port, seed))
            good, size = self.drive(sshd, seeds)
            self.assertLessEqual(5 * good, size)
            self.assertLessEqual(size, 5 * len(seeds))
            survived += good
        # Some change nothing that counts, or only wait.
        self.assertTrue(COUNT < 30 or 0 < survived < COUNT, survived)

    def test_a_server_that_lies(self):
        if not can_lie():
            self.skipTest("python3-paramiko is not installed")
        hosts = Hosts(self, 1, ["ed25519"], AT_ONCE)
        survived = 0
        for seeds in self.cases():
            for name, liar in zip(hosts.names, start_liars(self, hosts.host_keys[0], seeds[0], len(seeds))):
                hosts.elsewhere(name, liar)
            survived += self.drive(hosts, seeds)[0]
        self.assertTrue(COUNT < 30 or 0 < survived < COUNT, survived)


if __name__ == "__main__":
    unittest.main()
