# SPDX-License-Identifier: Apache-2.0
"""
Commands on many hosts of which some fail, in every way: each behind an address of its own in another network
namespace, where packets to it can vanish. The driver on libssh alone, and a cookbook that uses the accessor.
"""

import contextlib
import ctypes
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import unittest

from harness import BUILD, FIXTURES, LONG, PREFIX, SOURCE, CommandTest
from listeners import Closed, Listener
from sshd import FAULTS, CutOff, Forged, Garbage, Reset, Slow, Sshd, noise, require_sshd

sys.path.insert(0, str(SOURCE / "tests" / "etcd"))
from servers import Namespaces  # noqa: E402

DRIVE = BUILD / "tests" / "bench" / "bench-remote-drive"
SEED = int(os.environ.get("SEED", "1"))
HOSTS = 1000 if LONG else 100
CONNECT_SECONDS = 15
EXITED, SIGNALLED, UNREACHABLE, HOST_KEY, DENIED, LOST, UNSUPPORTED, FAILED = range(8)


# As fixture.remote calls them.
ENDS = {"ok": EXITED, "failed": EXITED, "signalled": SIGNALLED, "unreachable": UNREACHABLE, "host-key": HOST_KEY,
        "denied": DENIED, "lost": LOST, "unsupported": UNSUPPORTED, "error": FAILED}


def setUpModule():
    require_sshd()


def driver(name="libssh"):
    found = next(PREFIX.rglob(f"transport-{name}.so"), None)
    if not found:
        raise unittest.SkipTest(f"the transport {name} is not here")
    return found


class Network(Namespaces):
    """What is `there` has an address for each host, and can be told to let packets to some of them vanish."""

    def __init__(self, add_cleanup, hosts):
        super().__init__(add_cleanup)
        self.name = self.there[-1]
        self.addresses = [f"10.97.{1 + number // 250}.{1 + number % 250}" for number in range(hosts)]
        link = next(word for word in self.ip_output("-o", "link").split() if word.startswith("spkv")).split("@")[0]
        self.batch("ip", ["ip", "-n", self.name, "-batch", "-"],
                   "".join(f"addr add {address}/32 dev {link}\n" for address in self.addresses))
        self.ip("-n", self.here[-1], "route", "add", "10.97.0.0/16", "via", self.ADDRESS)
        self.batch("nft", [*self.there, "nft", "-f", "-"], """table ip hosts {
            set gone { type ipv4_addr; }
            set rejected { type ipv4_addr; }
            chain in {
                type filter hook input priority 0;
                ip daddr @gone drop
                ip daddr @rejected reject with icmp type host-unreachable
            }
            chain out {
                type filter hook output priority 0;
                ip saddr @gone drop
            }
        }""")

    def ip_output(self, *words):
        return subprocess.check_output(["ip", "-n", self.name, *words], text=True)

    def batch(self, what, words, text):
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise unittest.SkipTest(f"{what} is not allowed here: {done.stderr.strip()}")

    def mark(self, name, address):
        """Into the set `gone` or `rejected`."""
        subprocess.run([*self.there, "nft", "add", "element", "ip", "hosts", name, f"{{ {address} }}"], check=True)

    def call(self, namespace, function):
        """Calls it in a thread there: the sockets that it makes, and the threads that it starts, stay there."""
        result = []

        def enter():
            with open(f"/run/netns/{namespace[-1]}", encoding="ascii") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0) == 0:
                    result.append(function())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return result[0]


class SshdThere(Sshd):
    """With an address for each host."""

    address = "0.0.0.0"  # of a network in which nobody else is

    def __init__(self, test, network, hosts):
        self.network, self.prefix = network, network.there
        super().__init__(test, hosts, log_level="ERROR")

    def start(self):
        for name, address in zip(self.names, self.network.addresses):
            self.blocks[name] = {"HostName": address}
        self.places = [self.place(name) for name in self.names]
        self.write_known_hosts()
        # A host that has gone is to be noticed soon.
        self.configure_all(ServerAliveInterval=2, ServerAliveCountMax=3)
        super().start()

    def answers(self):
        self.process.poll()

        def connect():
            with contextlib.suppress(OSError), socket.create_connection((self.network.ADDRESS, self.port), 5) as one:
                return one.recv(4) == b"SSH-"
            return False

        return self.process.returncode is None and self.network.call(self.network.here, connect)

    def there(self, kind, *arguments):
        """A listener there."""
        reachable = type(kind.__name__, (kind,), {"address": "0.0.0.0"})
        return self.network.call(self.network.there, lambda: reachable(self.test, *arguments))

    def address_of(self, name):
        return self.blocks[name]["HostName"]


# How a host fails, how long that may take is CONNECT_SECONDS, and what the driver calls it.
WAYS = {
    "wrong host key": (FAULTS["wrong host key"], (HOST_KEY,)),
    "unknown host key": (FAULTS["unknown host key"], (HOST_KEY,)),
    "revoked host key": (FAULTS["revoked host key"], (HOST_KEY,)),
    "forged host key": (lambda sshd, name: sshd.elsewhere(name, sshd.there(Forged, sshd.port)), (HOST_KEY,)),
    "denied key": (FAULTS["denied key"], (DENIED,)),
    "no address": (FAULTS["no address"], (UNREACHABLE,)),
    "refused": (lambda sshd, name: sshd.elsewhere(name, Closed()), (UNREACHABLE,)),
    "packets vanish": (lambda sshd, name: sshd.network.mark("gone", sshd.address_of(name)), (UNREACHABLE,)),
    "packets rejected": (lambda sshd, name: sshd.network.mark("rejected", sshd.address_of(name)), (UNREACHABLE,)),
    "silent": (lambda sshd, name: sshd.elsewhere(name, sshd.there(Listener)), (UNREACHABLE,)),
    "reset": (lambda sshd, name: sshd.elsewhere(name, sshd.there(Reset)), (UNREACHABLE, FAILED)),
    "garbage": (lambda sshd, name: sshd.elsewhere(name, sshd.there(Garbage)), (UNREACHABLE, FAILED)),
    "noise": (lambda sshd, name: sshd.elsewhere(name, sshd.there(Garbage, noise())), (UNREACHABLE, FAILED)),
    "cut off": (lambda sshd, name: sshd.elsewhere(name, sshd.there(CutOff, sshd.port)), (UNREACHABLE, FAILED)),
    "slow": (lambda sshd, name: sshd.elsewhere(name, sshd.there(Slow, sshd.port, 0.05)), (EXITED,)),
}


class Hosts(CommandTest):
    def make(self, hosts):
        self.network = Network(self.addCleanup, hosts)
        self.sshd = SshdThere(self, self.network, hosts)
        return self.sshd

    def sessions(self):
        """By the address of the host: the process of its connection that carries the bytes, and the shell."""
        found = {}
        for pid in self.sshd.children():
            with contextlib.suppress(OSError):
                environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
                connection = next((word for word in environment if word.startswith("SSH_CONNECTION=")), None)
                if connection:
                    parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
                    if pathlib.Path(f"/proc/{parent}/comm").read_text().strip() == "sshd":
                        found[connection.split()[2]] = (parent, pid)
        return found

    def wait_for_commands(self, names, process):
        """Until one runs on each of the hosts."""
        addresses = {self.sshd.address_of(name) for name in names}
        self.wait_for(lambda: process.poll() is not None or set(self.sessions()) == addresses, "a command of each", 60)
        self.assertIsNone(process.poll())


class Faults:
    """What each way to run commands tells: by start_on(), and by ends(), which gives the failures by host."""

    def test_some_fail_in_every_way(self):
        """They are told apart, and the others are as if they were not there."""
        sshd = self.make(HOSTS)
        names = random.Random(SEED).sample(sshd.names, max(len(WAYS), HOSTS // 20))
        broken = {name: list(WAYS)[number % len(WAYS)] for number, name in enumerate(names)}
        for name, way in broken.items():
            WAYS[way][0](sshd, name)
        good, failed = self.ends(self.start_on(sshd.names, "true"))
        for name, way in broken.items():
            kinds = WAYS[way][1]
            with self.subTest(way, host=name):
                self.assertIn(failed.get(name, (EXITED,))[0], kinds, failed.get(name))
                if kinds != (EXITED,):
                    self.assertRegex(failed[name][1], r"\A[ -~]+\Z")
        self.assertEqual({name for name in failed if name not in broken}, set())
        self.assertEqual(good + len(failed), HOSTS)

    def test_hosts_go_while_their_command_runs(self):
        """One whose packets vanish, one whose sshd dies, one whose sshd stops."""
        sshd = self.make(5)
        process = self.start_on(sshd.names, "exec sleep 15")
        self.wait_for_commands(sshd.names, process)
        vanished, died, stopped = (sshd.address_of(name) for name in sshd.names[:3])
        sessions = self.sessions()
        self.network.mark("gone", vanished)
        os.kill(sessions[died][0], signal.SIGKILL)
        os.kill(sessions[stopped][0], signal.SIGSTOP)
        good, failed = self.ends(process)
        self.assertEqual({name: failed[name][0] for name in sorted(failed)},
                         dict.fromkeys(sshd.names[:3], LOST), failed)
        self.assertEqual(good, 2)


@unittest.skipUnless(LONG, "a cookbook shows the same")
class Driver(Faults, Hosts):
    """By the calls of its table."""

    def start_on(self, names, command, at_once=32):
        library = driver()
        given = self.write("names", "".join(f"{name}\n" for name in names))
        with open(given, "rb") as stdin:
            process = subprocess.Popen(
                [*self.network.here, DRIVE, library, str(at_once), "1", command, str(CONNECT_SECONDS),
                 f"config={self.sshd.config}"],
                stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env)
        for stream in (process.stdout, process.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def ends(self, process):
        result = self.finish(process, 300)
        self.assertEqual(result.code, 0, result)
        failed = {}
        for line in result.err.splitlines():
            host, kind, _, reason = line.split("\t")
            failed[host] = (int(kind), reason)
        return int(result.out.split()[0]), failed

    def test_a_command_is_killed(self):
        sshd = self.make(2)
        process = self.start_on(sshd.names, "exec sleep 15")
        self.wait_for_commands(sshd.names, process)
        os.kill(self.sessions()[sshd.address_of(sshd.names[0])][1], signal.SIGTERM)
        good, failed = self.ends(process)
        self.assertEqual((good, {name: kind for name, (kind, _) in failed.items()}), (1, {sshd.names[0]: SIGNALLED}))


class Cookbook(Faults, Hosts):
    """By a cookbook, and the transport that is there when nobody chooses one."""

    transport = "libssh"

    def make(self, hosts):
        driver(self.transport)
        if not (FIXTURES / "fixture" / "remote.so").exists():
            self.skipTest("there is no cookbook that runs commands")
        super().make(hosts)
        self.write("etc/remote/config.cfg",
                   f'transport = "{self.transport}";\n{self.transport} = {{ config = "{self.sshd.config}"; }};\n')
        self.config.write_text(self.configuration(
            [FIXTURES], f'instance_params = {{ spicerack_config_dir = "{self.scratch}/etc"; }};\n'))
        return self.sshd

    def start_on(self, names, command, at_once=32):
        return self.start("fixture.remote", "--caught", "--quiet", "--any-code", "--threshold", "1",
                          "--batch", str(at_once), "--connect", f"{CONNECT_SECONDS}s", "--", "D{" + ",".join(names) + "}", command,
                          prefix=self.network.here)

    def ends(self, process):
        result = self.finish(process, 1200)
        self.assertEqual(result.code, 0, result)
        told = re.findall(r"RESULT (\S+) 0 (\S+) code=(-?\d+) \S+ out=\S+ err=\S+ ?(.*)", result.out)
        kinds = {host: (ENDS[end], reason) for host, end, code, reason in told if (end, code) != ("ok", "0")}
        return sum((end, code) == ("ok", "0") for _, end, code, _ in told), kinds

    def test_nothing_is_left_on_hosts_that_were_cut_off(self):
        """What runs there ends though nobody can tell it, and the run tells that it does not know."""
        sshd = self.make(3)
        process = self.start_on(sshd.names, "sleep 600 & sleep 600")
        self.wait_for_commands(sshd.names, process)
        addresses = [sshd.address_of(name) for name in sshd.names]
        self.wait_for(lambda: self.running_on(addresses).count("600") == 6, "all that sleep")
        for address in addresses:
            self.network.mark("gone", address)
        self.wait_for(lambda: not self.running_on(addresses), "the end of what runs there", 60)
        good, failed = self.ends(process)
        self.assertEqual((good, {name: kind for name, (kind, _) in failed.items()}), (0, dict.fromkeys(sshd.names, LOST)))

    def running_on(self, addresses):
        """How long those sleep that do so there, watchers among them."""
        found = []
        for pid in self.sshd.children():
            with contextlib.suppress(OSError):
                environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                if words[0] == "sleep" and any(f" {address} {self.sshd.port}\0" in environment for address in addresses):
                    found.append(words[1])
        return found


@unittest.skipUnless(LONG, "starts an ssh for each host")
class Openssh(Cookbook):
    transport = "openssh"


if __name__ == "__main__":
    unittest.main()
