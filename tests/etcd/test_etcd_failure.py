# SPDX-License-Identifier: Apache-2.0
"""What breaks: members, leaders, the network, tokens, certificates."""

import contextlib
import os
import re
import signal
import subprocess
import time
import unittest
import uuid

import servers
from servers import Client, Cluster, LockTest, Namespaces, wait_until


class Three(LockTest):
    """A cluster of three."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3).start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def setUp(self):
        for member in self.cluster.members:
            if not member.process:
                member.start()
        for member in self.cluster.members:
            wait_until(member.healthy, 60, member.name)

    def client(self, hosts=None, extra="", **settings):
        client = Client(self, self.cluster.config(extra, hosts), **settings)
        self.assertEqual(client.opened.status, "OK", client.opened)
        return client

    def test_the_first_member_dies(self):
        for api in (3, 2):
            with self.subTest(api=api):
                self.setUp()
                key, client = self.key(), self.client(api=api, lease=6)
                taken = client.enter(key)
                self.assertEqual(taken.status, "OK", taken)
                self.cluster.members[0].stop()
                other = client.enter(key + "-2")
                self.assertEqual(other.status, "OK", other)
                time.sleep(2.1)
                self.assertEqual(client.do("renew").status, "OK")
                self.assertEqual(client.do("leave", key, taken.id).status, "OK")
                self.assertEqual(client.do("leave", key + "-2", other.id).status, "OK")

    def test_the_member_that_is_watched_dies(self):
        key, holder, waiter = self.key(), self.client(), self.client()
        taken, waits = holder.enter(key), waiter.enter(key)
        waiter.send("wait", key, waits.id, 1, 300)
        time.sleep(0.3)
        self.cluster.members[0].stop()
        self.assertEqual(holder.do("leave", key, taken.id).status, "OK")
        answer = waiter.answer()
        self.assertEqual(answer.status, "OK", answer)

    def test_a_member_that_stands_still(self):
        key, client = self.key(), self.client()
        taken = client.enter(key)
        self.cluster.members[0].send_signal(signal.SIGSTOP)
        self.addCleanup(self.cluster.members[0].send_signal, signal.SIGCONT)
        answer = client.do("leave", key, taken.id, within=30)
        self.assertEqual(answer.status, "OK", answer)

    def test_no_majority(self):
        key, client = self.key(), self.client(lease=10)
        taken = client.enter(key)
        self.assertEqual(taken.status, "OK", taken)
        for member in self.cluster.members[1:]:
            member.stop()
        # Writes fail, and say so; what is held is not thought to be renewed.
        answer = client.enter(key + "-2", within=3)
        self.assertIn(answer.status, ("TIMEOUT", "UNREACHABLE"), answer)
        self.assertIn("127.0.0.1", answer.reason)
        before = client.do("renew", within=1)
        self.assertIn(before.status, ("OK", "TIMEOUT", "UNREACHABLE"), before)
        if before.status == "OK":  # from memory
            self.assertGreater(before.next, -1)
            self.assertLess(before.until, 10)
        for member in self.cluster.members[1:]:
            member.start()
        for member in self.cluster.members:
            wait_until(member.healthy, 60, member.name)
        again = client.enter(key + "-3")
        self.assertEqual(again.status, "OK", again)

    def test_a_leader_that_was_replaced_renews_nothing(self):
        """A leader sleeps, another one is elected; awake, the first may still answer a renewal."""
        leader = wait_until(self.leader, 30)
        index = self.cluster.members.index(leader)
        only = [(leader.address, leader.port)]
        key, client = self.key(), self.client(only, lease=4)
        taken = client.enter(key)
        self.assertEqual(taken.status, "OK", taken)
        leader.send_signal(signal.SIGSTOP)
        others = [member for member in self.cluster.members if member is not leader]
        wait_until(lambda: self.leader(others) not in (None, leader), 30)
        time.sleep(1.5)
        leader.send_signal(signal.SIGCONT)
        end = time.monotonic() + 15
        status = None
        while time.monotonic() < end and status not in ("OK", "LOST"):
            status = client.do("renew", within=3).status
        # Whatever it was told, the store agrees with.
        kept = bool(self.cluster.ctl("get", "--keys-only", self.v3_key(key, taken.id),
                                     member=(index + 1) % 3).strip())
        self.assertEqual(status == "OK", kept)

    def leader(self, members=None):
        members = members or self.cluster.members
        for member in members:
            if not member.process:
                continue
            done = self.cluster.ctl("endpoint", "status", "-w", "fields", "--command-timeout=2s", check=False,
                                    member=self.cluster.members.index(member))
            ids = dict(re.findall(r'"(MemberID|Leader)" : (\d+)', done))
            if ids and ids.get("MemberID") == ids.get("Leader"):
                return member
        return None

    def test_members_of_two_clusters(self):
        other = Cluster().start()
        self.addCleanup(other.stop)
        first, stranger = self.cluster.members[0], other.members[0]
        for api in (3, 2):
            with self.subTest(api=api):
                self.setUp()
                key = self.key()
                client = self.client([(first.address, first.port), (stranger.address, stranger.port)], api=api)
                taken = client.enter(key)
                self.assertEqual(taken.status, "OK", taken)
                first.stop()
                answer = client.enter(key + "-2", within=3)
                self.assertEqual(answer.status, "REFUSED", answer)
                self.assertRegex(answer.reason, rf"http://127.0.0.1:{stranger.port}: is of the cluster \w+, not of \w+")
                self.assertEqual(other.ctl("get", "--prefix", "--keys-only", "/spicerack").strip(), "")
                self.assertEqual(other.request("GET", "/v2/keys/spicerack")[0], 404)


class Authentication(LockTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1).start()
        ctl = cls.cluster.ctl
        for user, password in (("root", "r00t"), ("cook", "pass:word"), ("guest", "guest")):
            ctl("user", "add", f"{user}:{password}")
        ctl("role", "add", "locks")
        ctl("role", "grant-permission", "--prefix=true", "locks", "readwrite", "/spicerack/v3/locks/")
        ctl("role", "add", "root")
        ctl("user", "grant-role", "root", "root")
        ctl("user", "grant-role", "cook", "locks")
        ctl("auth", "enable")
        # API 2 has users of its own.
        for user, password in (("root", "r00t"), ("cook", "pass:word")):
            cls.cluster.request("PUT", f"/v2/auth/users/{user}", f'{{"user":"{user}","password":"{password}"}}')
        cls.cluster.request("PUT", "/v2/auth/roles/locks", '{"role":"locks","permissions":{"kv":{"read":'
                            '["/spicerack/*"],"write":["/spicerack/*"]}}}')
        cls.cluster.request("PUT", "/v2/auth/users/cook", '{"user":"cook","grant":["locks"]}')
        cls.cluster.request("PUT", "/v2/auth/enable", "")
        ctl("--username", "root:r00t", "role", "revoke", "guest", "--path", "/*", "--rw", api="2", check=False)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def client(self, user="cook", password="pass:word", **settings):
        extra = f'username: {user}\npassword: "{password}"\n' if user else ""
        client = Client(self, self.cluster.config(extra), **settings)
        self.assertEqual(client.opened.status, "OK", client.opened)
        return client

    def restart(self):
        self.cluster.members[0].stop()
        self.cluster.members[0].start()

    def test_let_in(self):
        for api in (3, 2):
            with self.subTest(api=api):
                key, client = self.key(), self.client(api=api)
                taken = client.enter(key)
                self.assertEqual(taken.status, "OK", taken)
                self.assertEqual(client.enter(key).status, "WAITING" if api == 3 else "BUSY")
                self.assertEqual(client.do("leave", key, taken.id).status, "OK")

    def test_refused(self):
        for api in (3, 2):
            for user, password in (("cook", "wrong-secret"), ("nobody", "wrong-secret"), ("guest", "guest"), (None, "")):
                with self.subTest(api=api, user=user):
                    answer = self.client(user, password, api=api).enter(self.key())
                    self.assertEqual(answer.status, "REFUSED", answer)
                    self.assertIn("http://127.0.0.1:", answer.reason)
                    self.assertNotIn("wrong-secret", answer.reason)

    def test_the_token_is_lost_with_its_member(self):
        key, client = self.key(), self.client(lease=6)
        taken = client.enter(key)
        self.restart()
        again = client.enter(key)
        self.assertEqual(again.status, "WAITING", again)
        self.assertEqual(client.do("leave", key, taken.id).status, "OK")

    def test_the_token_is_lost_inside_a_watch(self):
        key, holder, waiter = self.key(), self.client(), self.client()
        taken, waits = holder.enter(key), waiter.enter(key)
        self.assertEqual(waits.status, "WAITING", waits)
        waiter.send("wait", key, waits.id, 1, 300, within=30)
        time.sleep(0.3)
        self.restart()
        self.assertEqual(holder.do("leave", key, taken.id).status, "OK")
        self.assertEqual(waiter.answer().status, "OK")

    def test_users_change_meanwhile(self):
        key, client = self.key(), self.client()
        taken = client.enter(key)
        self.cluster.ctl("user", "add", f"more{uuid.uuid4().hex}:x", user="root:r00t")
        self.assertEqual(client.do("leave", key, taken.id).status, "OK")

    @unittest.skipUnless(servers.LONG, "a token lives for five minutes")
    def test_the_token_ends(self):
        key, client, waiter = self.key(), self.client(), self.client()
        taken, waits = client.enter(key), waiter.enter(key)
        end = time.monotonic() + 330
        while time.monotonic() < end:
            time.sleep(5)
            self.assertEqual(client.do("renew").status, "OK")
            self.assertEqual(waiter.do("renew").status, "OK")
            self.assertEqual(waiter.do("wait", key, waits.id, 1, 300, within=0.2).status, "TIMEOUT")
        self.assertEqual(client.do("leave", key, taken.id).status, "OK")
        self.assertEqual(waiter.get(key, waits.id).status, "OK")

    def test_the_password_is_nowhere_to_be_seen(self):
        client = self.client(password="pass:word")
        client.enter(self.key())
        pid = client.process.pid
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                self.assertNotIn(b"pass:word", file.read())

    def test_authentication_is_off(self):
        with contextlib.ExitStack() as stack:
            other = Cluster().start()
            stack.callback(other.stop)
            client = Client(self, other.config("username: cook\npassword: x\n"))
            self.assertEqual(client.enter(self.key()).status, "OK")


class Certificates(LockTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, tls=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def configured(self, port, *lines):
        path = self.cluster.directory / f"tls-{uuid.uuid4().hex}.yaml"
        path.write_text("\n".join((f"host: 127.0.0.1\nport: {port}\nprotocol: https", *lines)) + "\n")
        path.chmod(0o600)
        client = Client(self, path)
        self.assertEqual(client.opened.status, "OK", client.opened)
        return client

    def test_both_sides_are_checked(self):
        made, port = self.cluster.certificates, self.cluster.members[0].port
        ours = f"cert: [{made.path('client', 'pem')}, {made.path('client', 'key')}]"
        for api in (3, 2):
            key, client = self.key(), Client(self, self.cluster.config(), api=api)
            taken = client.enter(key)
            self.assertEqual(taken.status, "OK", taken)
            self.assertEqual(client.do("leave", key, taken.id).status, "OK")
        strange = self.configured(port, ours).enter(self.key())
        self.assertEqual(strange.status, "REFUSED", strange)
        self.assertIn("certificate", strange.reason)
        nameless = self.configured(port, f"ca_cert: {made.ca}").enter(self.key(), within=3)
        self.assertIn(nameless.status, ("UNREACHABLE", "TIMEOUT"), nameless)
        missing = self.configured(port, "ca_cert: /nowhere/ca.pem", ours).enter(self.key())
        self.assertEqual(missing.status, "REFUSED", missing)
        self.assertIn("/nowhere/ca.pem", missing.reason)

    def test_certificates_that_are_not_good(self):
        made = self.cluster.certificates
        made.signed("elsewhere", "subjectAltName=DNS:elsewhere")
        made.signed("old", "subjectAltName=IP:127.0.0.1", days="-1")
        for name, reason in (("elsewhere", "no alternative certificate subject name matches"), ("old", "expired")):
            with self.subTest(name=name):
                port = servers.free_port()
                listens = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
                                            made.path(name, "pem"), "-key", made.path(name, "key"), "-quiet"],
                                           stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.addCleanup(listens.stdin.close)
                self.addCleanup(listens.wait)
                self.addCleanup(listens.kill)
                def answer(port=port):
                    got = self.configured(port, f"ca_cert: {made.ca}").enter(self.key())
                    return got.status == "REFUSED" and got
                refused = wait_until(answer)
                self.assertIn(f"https://127.0.0.1:{port}", refused.reason)
                self.assertIn(reason, refused.reason)


class Network(LockTest):
    """The client in a namespace, and the store in another."""

    def setUp(self):
        self.network = Namespaces(self.addCleanup)
        self.cluster = Cluster(1, addresses=[self.network.ADDRESS], prefixes=[self.network.there])
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def test_cut_while_held_and_while_waiting(self):
        key, config = self.key(), self.cluster.config()
        holder, waiter = (Client(self, config, prefix=self.network.here, lease=6) for _ in range(2))
        near = Client(self, config, prefix=self.network.there)
        taken, waits = holder.enter(key), waiter.enter(key)
        third = near.enter(key)
        self.assertEqual(waiter.do("wait", key, waits.id, 1, 300, within=0.3).status, "TIMEOUT")
        self.network.cut()
        time.sleep(2.1)
        answer = holder.do("renew", within=1)
        self.assertIn(answer.status, ("TIMEOUT", "UNREACHABLE"), answer)
        stopped = holder.do("renew", within=30, cancel=0.3)
        self.assertEqual(stopped.status, "CANCELLED", stopped)
        self.assertEqual(waiter.do("wait", key, waits.id, 1, 300, within=0.5).status, "TIMEOUT")
        # Both are out of the queue when their leases end, and the next one comes in.
        self.assertEqual(near.get(key, third.id).status, "OK")
        self.network.mend()
        lost = holder.do("renew")
        self.assertEqual(lost.status, "LOST", lost)
        back = waiter.do("wait", key, waits.id, 1, 300, within=20)
        self.assertEqual((back.status, back.place), ("WAITING", 1), back)
        near.do("leave", key, third.id)
        self.assertEqual(waiter.get(key, waits.id).status, "OK")


if __name__ == "__main__":
    unittest.main()
