# SPDX-License-Identifier: Apache-2.0
"""The sshd that remote execution is tested with, tried with the system's ssh: what it lets in, and how it fails."""

import os
import signal
import subprocess
import time
import unittest

from harness import CommandTest
from sshd import FAULTS, KEY_KINDS, Slow, Sshd, require_sshd


def setUpModule():
    require_sshd()


class Server(CommandTest):
    def setUp(self):
        super().setUp()
        self.sshd = Sshd(self)

    def says(self, name, *words, **options):
        """What a command on the host says; it must succeed."""
        done = self.sshd.ssh(name, *words, **options)
        self.assertEqual(done.returncode, 0, f"{done.stderr}\n{self.sshd.log()}")
        return done.stdout.decode()

    def refused(self, name, *words, options=()):
        """Why ssh itself failed."""
        done = subprocess.run([*self.sshd.words(name)[:-1], *options, name, "true"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        self.assertEqual(done.returncode, 255, done)
        return done.stderr


class Clients(Server):
    def test_every_name_is_a_host(self):
        self.assertEqual((self.sshd.names[0], self.sshd.names[-1], len(self.sshd.names)),
                         ("host001.test", "host200.test", 200))
        for name in ("host001.test", "host200.test"):
            self.assertEqual(self.says(name, "cat", stdin=b"given"), "given")
        self.assertEqual(self.sshd.ssh("host002.test", "exit 7").returncode, 7)

    def test_keys(self):
        for kind, key in self.sshd.keys.items():
            self.sshd.configure(f"host00{len(self.sshd.blocks) + 1}.test", IdentityFile=key)
        for name, kind in zip(self.sshd.blocks, KEY_KINDS):
            self.says(name, "true")
            self.assertIn("Accepted publickey for", self.sshd.log())
            self.assertIn(f"ssh2: {kind.upper()} SHA256", self.sshd.log())

    def test_known_hosts_without_names(self):
        self.sshd.hashed = True
        self.sshd.write_known_hosts()
        text = self.sshd.known_hosts.read_text()
        self.assertNotIn("host001", text)
        self.assertEqual(text.count("|1|"), 3 * 201)
        self.says("host001.test", "true")

    def test_agent(self):
        """Who has no agent cannot use the key any more."""
        agent = self.sshd.start_agent(self.sshd.keys["ed25519"])
        self.assertIn("Permission denied", self.refused("host001.test"))
        self.says("host001.test", "true", SSH_AUTH_SOCK=str(agent))
        self.sshd.configure_all(IdentityAgent=agent)
        self.says("host001.test", "true")

    def test_certificates(self):
        for name, key in {
            "host001.test": self.sshd.certified("good"),
            "host002.test": self.sshd.certified("somebody", principals=["somebody-else"]),
            "host003.test": self.sshd.certified("expired", valid="-2h:-1h"),
        }.items():
            self.sshd.configure(name, IdentityFile=key, CertificateFile=f"{key}-cert.pub")
        self.says("host001.test", "true")
        for name in ("host002.test", "host003.test"):
            self.assertIn("Permission denied", self.refused(name))
        self.assertIn("Certificate invalid: name is not a listed principal", self.sshd.log())
        self.assertIn("Certificate invalid: expired", self.sshd.log())


class Failures(Server):
    SAYS = {
        "wrong host key": "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "unknown host key": "Host key verification failed",
        "revoked host key": "REVOKED HOST KEY DETECTED",
        "forged host key": "incorrect signature",
        "denied key": "Permission denied (publickey)",
        "no address": "Could not resolve hostname",
        "refused": "Connection refused",
        "no answer": "Connection timed out",
        "silent": "timed out",
        "reset": "Connection reset by",  # peer, or its address: as far as ssh had come
        "garbage": "banner",
        "noise": "banner",
        "cut off": "Connection closed",
    }

    def test_each_says_what_it_is(self):
        self.assertEqual({*self.SAYS, "slow"}, set(FAULTS))
        for name, how in zip(self.sshd.names, self.SAYS):
            with self.subTest(how):
                self.sshd.fail(name, how)
                self.assertIn(self.SAYS[how], self.refused(name, options=["-o", "ConnectTimeout=1"]))
        self.says("host200.test", "true")

    def test_slow_is_not_broken(self):
        self.sshd.elsewhere("host001.test", Slow(self, self.sshd.port, 0.1))
        begin = time.monotonic()
        self.assertEqual(self.says("host001.test", "echo", "late"), "late\n")
        self.assertGreater(time.monotonic() - begin, 0.5)


class End(Server):
    def test_nothing_outlives_it(self):
        """Not even what has left its session and its parents."""
        client = subprocess.Popen(self.sshd.words("host001.test", "setsid sh -c 'sleep 600 & sleep 600' & sleep 600"),
                                  stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        sleeping = lambda: [pid for pid in self.sshd.children() if name_of(pid) == "sleep"]
        self.wait_for(lambda: len(sleeping()) == 3, "three that sleep")
        client.send_signal(signal.SIGKILL)
        self.wait_for(lambda: "disconnect" in self.sshd.log() or "closed" in self.sshd.log(), "sshd to notice")
        started = self.sshd.children()
        self.assertGreaterEqual(len(started), 3)
        self.sshd.stop()
        self.wait_for(lambda: not any(map(alive, started)), "their end")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


if __name__ == "__main__":
    unittest.main()
