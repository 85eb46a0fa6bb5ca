# SPDX-License-Identifier: Apache-2.0
"""One server, API 2, shared with an independent client that does as the Python host does."""

import datetime
import json
import signal
import time
import unittest
import urllib.parse
import uuid

from reference import Host, Unavailable
from servers import Client, Cluster, LockTest, Proxy, wait_until


def setUpModule():
    global cluster
    cluster = Cluster().start()


def tearDownModule():
    cluster.stop()


def stamp(seconds):
    return str(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds))


class Store(LockTest):
    def setUp(self):
        self.host = Host(cluster.members[0].url)

    def client(self, port=None, **settings):
        hosts = [("127.0.0.1", port)] if port else None
        client = Client(self, cluster.config("", hosts), api=2, **settings)
        self.assertEqual(client.opened.status, "OK", client.opened)
        return client

    def stored(self, key):
        answer = self.host.call("GET", key)
        return answer and json.loads(answer["node"]["value"])

    def put(self, key, value):
        text = value if isinstance(value, str) else json.dumps(value)
        return self.host.call("PUT", key, value=text)

    def mutex_is_free(self):
        answer = self.host.call("GET", "/spicerack/locks/etcd")
        return not (answer and answer["node"].get("nodes"))


class Both(Store):
    def test_what_is_written(self):
        key, client = self.key(), self.client()
        taken = client.enter(key, 3, 300)
        self.assertEqual(taken.status, "OK", taken)
        self.assertGreater(taken.fence, 0)
        [(lock_id, entry)] = self.stored(key).items()
        self.assertEqual(lock_id, taken.id)
        self.assertEqual(list(entry), ["concurrency", "created", "owner", "ttl"])
        self.assertEqual((entry["concurrency"], entry["ttl"]), (3, 60))  # renewed long before
        self.assertRegex(entry["owner"], r"^tester@host1 \[\d+\]$")
        node = self.host.call("GET", key)["node"]
        self.assertNotIn("ttl", node)
        self.assertNotIn("expiration", node)
        self.assertTrue(self.mutex_is_free())
        self.assertEqual(client.do("leave", key, taken.id).status, "OK")
        self.assertIsNone(self.stored(key))
        short = client.enter(key, 1, 7)
        self.assertEqual(self.stored(key)[short.id]["ttl"], 15)
        client.do("leave", key, short.id)
        short = client.enter(key, 1, 20)
        self.assertEqual(self.stored(key)[short.id]["ttl"], 20)

    def test_they_exclude_each_other(self):
        key, client = self.key(), self.client()
        ours = client.enter(key)
        with self.assertRaises(Unavailable) as refused:
            self.host.acquire(key)
        self.assertIn("tester@host1 [", str(refused.exception))
        client.do("leave", key, ours.id)
        theirs = self.host.acquire(key)
        answer = client.enter(key)
        self.assertEqual((answer.status, answer.place), ("BUSY", 1), answer)
        [shown] = answer.entries
        self.assertEqual((shown["owner"], shown["id"], shown["place"]), ("other@python [4860]", theirs, 0))
        self.assertEqual(shown["ttl_ns"], 30 * 10**9)
        self.assertEqual(client.do("list", key).entries, [shown])
        self.assertIn(theirs, self.host.get(key))
        self.assertTrue(self.host.release(key, theirs))
        self.assertEqual(client.enter(key).status, "OK")

    def test_they_count_together(self):
        key, client = self.key(), self.client()
        self.host.acquire(key, 3)
        client.enter(key, 3)
        third = client.enter(key, 0)
        self.assertEqual(third.status, "OK", third)
        self.assertEqual(client.enter(key, 0).status, "BUSY")
        with self.assertRaises(Unavailable):
            self.host.acquire(key, 0)
        self.assertEqual(len(self.host.get(key)), 3)
        self.assertEqual(client.do("leave", key, third.id).status, "OK")
        self.assertEqual(client.enter(key, 2).status, "BUSY")
        self.host.acquire(key, 4)

    def test_what_has_run_out_does_not_count(self):
        key, client = self.key(), self.client()
        old = {"concurrency": 1, "created": stamp(-100), "owner": "gone@python [1]", "ttl": 30}
        live = {"concurrency": 2, "created": stamp(-10), "owner": "here@python [2]", "ttl": 300}
        self.put(key, {"old": old, "live": live})
        self.assertEqual([entry["id"] for entry in client.do("list", key).entries], ["live"])
        taken = client.enter(key, 2)
        self.assertEqual(taken.status, "OK", taken)
        self.assertEqual(set(self.stored(key)), {"live", taken.id})
        self.assertEqual(self.stored(key)["live"], live)

    def test_renewal_keeps_it_and_the_others_entries(self):
        key, client = self.key(), self.client(lease=3)
        taken = client.enter(key, 2)
        theirs = self.host.acquire(key, 2, 600)
        first = self.stored(key)
        for _ in range(4):
            time.sleep(1.05)
            answer = client.do("renew")
            self.assertEqual(answer.status, "OK", answer)
            self.assertLess(answer.until, 3)
        now = self.stored(key)
        self.assertEqual(now[theirs], first[theirs])
        self.assertNotEqual(now[taken.id]["created"], first[taken.id]["created"])
        self.assertEqual({**now[taken.id], "created": ""}, {**first[taken.id], "created": ""})
        self.assertTrue(self.host.get(key)[taken.id]["live"])

    def test_a_writer_of_the_other_host_undoes_a_renewal_at_most(self):
        key, client = self.key(), self.client(lease=3)
        taken = client.enter(key, 5)
        before = self.stored(key)[taken.id]
        time.sleep(1.1)
        def renewed():
            self.assertEqual(client.do("renew").status, "OK")
            self.assertNotEqual(self.stored(key)[taken.id], before)
        theirs = self.host.acquire(key, 5, between=renewed)
        self.assertEqual(self.stored(key)[taken.id], before)  # undone
        time.sleep(1.1)
        answer = client.do("renew")
        self.assertEqual(answer.status, "OK", answer)
        self.assertEqual(set(self.stored(key)), {taken.id, theirs})
        # What is counted on is what was there before the renewal that could have been undone.
        self.assertLess(answer.until, 2)

    def test_nothing_of_others_is_overwritten(self):
        """Somebody writes between our reading and our writing, whatever the mutex says."""
        proxy = Proxy(self, cluster.members[0])
        for what in ("first", "enter", "renew", "leave"):
            with self.subTest(what=what):
                key, client = self.key(), self.client(proxy.port, lease=3)
                theirs = {"concurrency": 5, "created": stamp(0), "owner": "quick@python [7]", "ttl": 300}
                if what != "first":
                    self.put(key, {"there": theirs})
                if what in ("renew", "leave"):
                    taken = client.enter(key, 5)
                    self.assertEqual(taken.status, "OK", taken)
                proxy.before_put = lambda key=key, theirs=theirs: self.put(
                    key, {**(self.stored(key) or {}), "quick": theirs})
                if what in ("first", "enter"):
                    taken = client.enter(key, 5)
                    self.assertEqual(taken.status, "OK", taken)
                elif what == "renew":
                    time.sleep(1.1)
                    self.assertEqual(client.do("renew").status, "OK")
                else:
                    self.assertEqual(client.do("leave", key, taken.id).status, "OK")
                expected = {"quick"} | ({"there"} if what != "first" else set()) | ({taken.id} if what != "leave" else set())
                self.assertEqual(set(self.stored(key)), expected)

    def test_a_lost_entry_is_noticed(self):
        key, client = self.key(), self.client(lease=3)
        taken = client.enter(key)
        self.host.release(key, taken.id)
        lost = wait_until(lambda: (answer := client.do("renew")).status != "OK" and answer)
        self.assertEqual(lost.status, "LOST", lost)
        self.assertIn(f"{key}: the entry of this lock is gone", lost.reason)
        self.assertEqual(client.do("leave", key, taken.id).status, "LOST")

    def test_a_dead_holder_is_free_when_its_time_is_over(self):
        key, client = self.key(), self.client(lease=3)
        client.enter(key)
        client.process.send_signal(signal.SIGKILL)
        other = self.client()
        self.assertEqual(other.enter(key).status, "BUSY")
        wait_until(lambda: other.enter(key).status == "OK")

    def test_entering_again_finds_what_is_there(self):
        key, client = self.key(), self.client()
        taken = client.enter(key)
        self.assertEqual(client.enter(key, lock_id=taken.id).status, "OK")
        self.assertEqual(list(self.stored(key)), [taken.id])

    def test_a_freeze_holds_for_both(self):
        key, client, operator = self.key(), self.client(), self.client()
        running = client.enter(key, 0)
        frozen = str(uuid.uuid4())
        self.assertEqual(operator.do("freeze", key, frozen, 7200, "moving the racks").status, "OK")
        with self.assertRaises(Unavailable) as refused:
            self.host.acquire(key, 0)
        self.assertRegex(str(refused.exception), r"tester@host1 \[\d+\] frozen: moving the racks")
        answer = client.enter(key, 0)
        self.assertEqual(answer.status, "BUSY")
        [shown] = [entry for entry in answer.entries if entry["reason"]]
        self.assertEqual((shown["reason"], shown["id"]), ("moving the racks", frozen))
        self.assertRegex(shown["owner"], r"^tester@host1 \[\d+\]$")
        self.assertEqual(shown["ttl_ns"], 7200 * 10**9)
        self.assertEqual(client.do("leave", key, running.id).status, "OK")
        operator.do("close")
        self.assertEqual(self.client().do("remove", key, frozen).status, "OK")
        self.host.acquire(key, 0)

    def test_an_operator_removes_an_entry(self):
        key, client = self.key(), self.client()
        theirs = self.host.acquire(key)
        self.assertEqual(client.do("remove", key, "nobody").status, "MISSING")
        self.assertEqual(client.do("remove", key, theirs).status, "OK")
        self.assertIsNone(self.stored(key))

    def test_all_kinds_are_listed(self):
        client, names = self.client(), []
        for kind in ("cookbooks", "custom", "modules"):
            names.append(self.key(kind))
            self.host.acquire(names[-1])
        shown = [entry["key"] for entry in client.do("list").entries if entry["key"] in names]
        self.assertEqual(shown, names)

    def test_nothing_is_left_in_memory(self):
        key, client = self.key(), self.client(lease=3)
        client.enter(key)
        client.enter(key)
        client.do("freeze", key, "frozen", 60, "why")
        client.do("list")
        self.put(key + "-2", "x")
        client.enter(key + "-2")
        self.host.call("DELETE", key + "-2")
        time.sleep(1.1)
        client.do("renew")
        self.assertEqual(client.finish(), (0, ""))
        self.host.call("DELETE", key)

    def test_names_are_escaped(self):
        key, client = self.key() + ":a b?c#d%e", self.client()
        self.assertEqual(client.enter(key).status, "OK")
        quoted = urllib.parse.quote(key)
        self.assertEqual(len(self.stored(quoted)), 1)


class Mutex(Store):
    def test_a_writer_is_waited_for(self):
        key, client = self.key(), self.client()
        mutex = self.host.mutex()
        client.send("enter", key, str(uuid.uuid4()), 1, 30)
        time.sleep(0.5)
        self.assertIsNone(self.stored(key))
        self.host.call("DELETE", mutex)
        self.assertEqual(client.answer().status, "OK")
        self.assertTrue(self.mutex_is_free())

    def test_time_is_over_while_it_is_taken(self):
        key, client = self.key(), self.client()
        mutex = self.host.mutex()
        answer = client.enter(key, within=1.5)
        self.assertEqual(answer.status, "TIMEOUT", answer)
        self.assertIn("mutex", answer.reason)
        self.host.call("DELETE", mutex)
        self.assertTrue(self.mutex_is_free())
        self.assertEqual(client.enter(key, lock_id=str(uuid.uuid4())).status, "OK")

    def test_an_interrupted_writer_gives_it_back_at_the_next_call(self):
        key, client = self.key(), self.client()
        self.host.mutex()
        client.enter(key, cancel=0.3)
        client.do("close")
        [node] = self.host.call("GET", "/spicerack/locks/etcd")["node"]["nodes"]
        self.host.call("DELETE", node["key"])


class BadData(Store):
    def test_values_that_are_no_locks(self):
        good = {"concurrency": 1, "created": stamp(-10), "owner": "a@b [1]", "ttl": 300}
        client = self.client()
        for value, reason in (
                ("", "not a JSON object"), ("{", "not a JSON object"), ("[]", "not a JSON object"),
                ('{"a":{}} x', "not a JSON object"),
                ({"a": 1}, "four members"), ({"a": {**good, "more": 1}}, "four members"),
                ({"a": {**{name: good[name] for name in ("created", "owner", "ttl")}, "x": 1}}, "no host knows"),
                ({"a": {**good, "created": "2026-01-01 00:00:00"}}, "no time with an offset"),
                ({"a": {**good, "created": stamp(3600)}}, "in the future"),
                ({"a": {**good, "ttl": 10**12}}, "absurd ttl"), ({"a": {**good, "ttl": "300"}}, "absurd ttl"),
                ({"a": {**good, "ttl": 0}}, "absurd ttl"), ({"a": {**good, "ttl": 1.5}}, "absurd ttl"),
                ({"a": {**good, "concurrency": -1}}, "absurd concurrency"),
                ('{"a":%s,"a":%s}' % (json.dumps(good), json.dumps(good)), "twice")):
            with self.subTest(value=value):
                key = self.key()
                self.put(key, value)
                before = self.host.call("GET", key)["node"]
                answer = client.enter(key, 5)
                self.assertEqual(answer.status, "REFUSED", answer)
                self.assertIn(key, answer.reason)
                self.assertIn(reason, answer.reason)
                self.assertIn("nothing was changed", answer.reason)
                for words in (("leave", key, "a"), ("remove", key, "a"), ("freeze", key, "b", 60, "why"), ("list", key)):
                    self.assertEqual(client.do(*words).status, "REFUSED", words)
                self.assertEqual(self.host.call("GET", key)["node"], before)
                self.assertTrue(self.mutex_is_free())
                self.host.call("DELETE", key)

    def test_a_directory(self):
        key, client = self.key(), self.client()
        self.host.call("PUT", key + "/below", value="x")
        answer = client.enter(key)
        self.assertEqual(answer.status, "REFUSED", answer)
        self.assertIn(f"{key}: is a directory", answer.reason)
        self.assertEqual(client.do("list").status, "REFUSED")
        self.host.call("DELETE", key, "?recursive=true")

    def test_the_good_ones_are_listed_beside_a_bad_one(self):
        bad, key, client = self.key(), self.key(), self.client()
        self.put(bad, "x")
        self.host.acquire(key)
        answer = client.do("list")
        self.assertEqual(answer.status, "REFUSED", answer)
        self.assertIn(bad, answer.reason)
        self.assertIn(key, [entry["key"] for entry in answer.entries])
        self.host.call("DELETE", bad)

    def test_a_clock_that_differs_a_little(self):
        key, client = self.key(), self.client()
        self.put(key, {"a": {"concurrency": 1, "created": stamp(20), "owner": "a@b [1]", "ttl": 60}})
        self.assertEqual(client.enter(key).status, "BUSY")

    def test_api_2_is_off(self):
        proxy = Proxy(self, cluster.members[0])
        proxy.answer_with = b"HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n404 page not found\n"
        answer = self.client(proxy.port).enter(self.key())
        self.assertEqual(answer.status, "REFUSED", answer)
        self.assertIn("API 2 of etcd is not served there", answer.reason)

    def test_another_cluster(self):
        client = Client(self, cluster.config("expected_cluster_id: abc123\n"), api=2)
        answer = client.enter(self.key())
        self.assertEqual(answer.status, "REFUSED", answer)
        self.assertIn("not of abc123", answer.reason)
        self.assertTrue(self.mutex_is_free())


if __name__ == "__main__":
    unittest.main()
