# SPDX-License-Identifier: Apache-2.0
"""
Members found in DNS, with a real server of names. The client finds that by its /etc/resolv.conf, which is another one
in a mount namespace of its own; the server listens on port 53 of a loopback address that nobody else uses.
"""

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

import servers
from servers import Client, Cluster, LockTest, wait_until

DOMAIN = "locks.example.test"
SERVICE = f"_etcd._tcp.{DOMAIN}"
WITH_RESOLV_CONF = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"']


def setUpModule():
    global cluster, address, resolv_conf
    if os.geteuid() != 0:
        raise unittest.SkipTest("a mount namespace and port 53 are root's")
    if not shutil.which("dnsmasq"):
        raise unittest.SkipTest("dnsmasq is not installed")
    number = os.getpid()
    address = f"127.53.{number // 250 % 250}.{number % 250 + 1}"
    with tempfile.NamedTemporaryFile("w", prefix="spicerack-test-", delete=False) as file:
        file.write(f"nameserver {address}\n")
    resolv_conf = file.name
    unittest.addModuleCleanup(os.unlink, resolv_conf)
    done = subprocess.run([*WITH_RESOLV_CONF, resolv_conf, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise unittest.SkipTest(f"no mount namespaces here: {done.stderr.strip()}")
    cluster = Cluster(3).start()
    unittest.addModuleCleanup(cluster.stop)


def name(text):
    return b"".join(bytes([len(part)]) + part for part in text.encode().split(b".") if part) + b"\0"


def record(target, port, priority=0):
    """A record of type SRV of the name that was asked for."""
    target = name(target)
    return struct.pack(">HHHIHHHH", 0xC00C, 33, 1, 60, len(target) + 6, priority, 0, port) + target


class Server:
    """A server of names that answers with what it is given: a function of the question."""

    def __init__(self, test, answer):
        self.socket, self.answer, self.going = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), answer, True
        self.socket.bind((address, 53))
        self.socket.settimeout(0.05)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        test.addCleanup(self.end)

    def end(self):
        self.going = False
        self.thread.join()
        self.socket.close()

    def serve(self):
        while self.going:
            with contextlib.suppress(TimeoutError):
                question, asker = self.socket.recvfrom(4096)
                for answer in self.answer(question):
                    self.socket.sendto(answer, asker)


def answer_with(*records, flags=0x8180):
    """The answer of a server that means it, whatever it is."""
    def answer(question):
        end = question.index(b"\0", 12) + 5
        return [question[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question[12:end] + b"".join(records)]
    return answer


class Discovery(LockTest):
    def dnsmasq(self, *records):
        """A server with these records: (target, port, priority)."""
        words = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=",
                 "--user=root", "--bind-interfaces", f"--listen-address={address}", "--local=/test/",
                 "--address=/example.test/127.0.0.1"]
        words += ["--srv-host=" + ",".join(str(part) for part in (SERVICE, *one)) for one in records]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, preexec_fn=servers.end_with_parent)
        stop = self.stopping(process)
        self.addCleanup(stop)

        def listens():
            if process.poll() is not None:
                raise AssertionError(f"dnsmasq has ended: {process.stderr.read()}")
            with socket.socket() as one:
                return one.connect_ex((address, 53)) == 0
        wait_until(listens, what="dnsmasq")
        return stop

    def stopping(self, process):
        def stop():
            process.kill()
            process.wait()
            process.stderr.close()
        return stop

    def client(self, extra="", **settings):
        path = cluster.directory / f"discover-{next(servers.NUMBERS)}.yaml"
        path.write_text(f"srv_domain: {DOMAIN}\n{extra}")
        path.chmod(0o600)
        return Client(self, path, prefix=[*WITH_RESOLV_CONF, resolv_conf], **settings)

    def refused(self, reason, status="REFUSED", **options):
        got = self.client().enter(self.key(), **options)
        self.assertEqual(got.status, status, got)
        self.assertIn(reason, got.reason)

    def members(self):
        return [(f"m{i}.{DOMAIN}", member.port) for i, member in enumerate(cluster.members)]

    def test_found(self):
        self.dnsmasq(*self.members())
        for api in (3, 2):
            with self.subTest(api=api):
                key, client = self.key(), self.client(api=api)
                taken = client.enter(key)
                self.assertEqual(taken.status, "OK", taken)
                self.assertEqual(client.do("leave", key, taken.id).status, "OK")
                code, said = client.finish()
                self.assertEqual((code, said), (0, ""))

    def test_the_first_by_priority_is_asked(self):
        near, far = socket.create_server(("127.0.0.1", 0)), self.members()[0]
        self.addCleanup(near.close)
        near.setblocking(False)
        other = (f"z.{DOMAIN}", near.getsockname()[1])
        stop = self.dnsmasq((*other, 20), (*far, 10))
        self.assertEqual(self.client().enter(self.key()).status, "OK")
        self.assertRaises(BlockingIOError, near.accept)
        stop()
        self.dnsmasq((*far, 20), (*other, 10))
        self.assertEqual(self.client().enter(self.key(), within=20).status, "OK")
        near.accept()[0].close()

    def test_a_domain_beside_it(self):
        self.dnsmasq(("m0.example.test", cluster.members[0].port))
        self.assertEqual(self.client().enter(self.key()).status, "OK")

    def test_answers_that_are_not_followed(self):
        port = cluster.members[0].port
        for records, reason in (
                ([], f"etcd: there are no SRV records of '{SERVICE}'"),
                ([()], f"etcd: the target '.' of '{SERVICE}' means that there is no etcd"),
                ([(f"m0.{DOMAIN}", 0)], f"the target 'm0.{DOMAIN}' of '{SERVICE}' has port 0"),
                ([(f"m0.{DOMAIN}", port), ("localhost.test", port)], "'localhost.test' of"),
                ([(f"m0.x{DOMAIN}.org", port)], "lies outside of its domain"),
                # More than one packet holds: it is asked by TCP.
                ([(f"m{i}.{DOMAIN}", port) for i in range(65)], f".{DOMAIN}' of '{SERVICE}' is one too many")):
            with self.subTest(records=records):
                stop = self.dnsmasq(*records)
                try:
                    self.refused(reason)
                finally:
                    stop()

    def test_answers_that_no_honest_server_gives(self):
        port = cluster.members[0].port
        good = record(f"m0.{DOMAIN}", port)
        for answer, status, reason in (
                (answer_with(good, record(f"m0@evil/.{DOMAIN}", port)), "REFUSED", "is no name of a host"),
                (answer_with(good, record(f"m0\x1b[2J.{DOMAIN}", port)), "REFUSED", "is no name of a host"),
                (answer_with(flags=0x8182), "UNREACHABLE", f"cannot look up '{SERVICE}': "),
                (answer_with(good[:-3]), "UNREACHABLE", f"cannot look up '{SERVICE}': "),
                (answer_with(good, flags=0x8380), "UNREACHABLE", f"cannot look up '{SERVICE}': "),  # more by TCP
                (lambda question: [b"\xff" * 50], "UNREACHABLE", "cannot look up"),
                (lambda question: [question], "REFUSED", "there are no SRV records"),
                (lambda question: [bytes([question[0] ^ 1]) + answer_with(good)(question)[0][1:]], "UNREACHABLE",
                 "no server of names answers (/etc/resolv.conf)")):
            with self.subTest(reason=reason):
                server = Server(self, answer)
                try:
                    self.refused(reason, status, within=30)
                finally:
                    server.end()

    def test_no_answer(self):
        Server(self, lambda question: [])
        client = self.client()
        self.assertEqual(client.enter(self.key(), within=0.3).status, "TIMEOUT")
        self.assertEqual(client.enter(self.key(), within=30, cancel=0.3).status, "CANCELLED")
        got = client.enter(self.key(), within=30)
        self.assertEqual(got.status, "UNREACHABLE", got)
        self.assertIn(f"etcd: cannot look up '{SERVICE}': ", got.reason)

    def test_hosts_that_are_listed_as_well(self):
        """Where DNS says nothing: nobody listens there."""
        member = cluster.members[0]
        client = self.client(f"host: {member.address}\nport: {member.port}\n")
        self.assertEqual(client.enter(self.key()).status, "OK")

    def test_members_that_were_replaced(self):
        key, (first, second, _) = self.key(), self.members()
        stop = self.dnsmasq(first)
        client = self.client()
        self.assertEqual(client.enter(key).status, "OK")
        stop()
        self.dnsmasq(second)
        cluster.members[0].stop()
        self.addCleanup(cluster.members[0].start)
        self.assertEqual(client.enter(key).status, "UNREACHABLE")
        self.assertEqual(client.enter(key, within=30).status, "WAITING")

    def test_several_members_and_no_reconnection(self):
        self.dnsmasq(*self.members())
        got = self.client("allow_reconnect: false\n").enter(self.key())
        self.assertEqual(got.status, "REFUSED", got)
        self.assertIn(f"'{DOMAIN}' has several members, and 'allow_reconnect' is false", got.reason)


if __name__ == "__main__":
    unittest.main()
