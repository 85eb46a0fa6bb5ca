# SPDX-License-Identifier: Apache-2.0
"""One server, API 3: the queue, the lease, the watch, bad data."""

import json
import re
import signal
import time
import unittest
import uuid

from servers import Client, Cluster, LockTest, Proxy, encoded, wait_until


def setUpModule():
    global cluster
    cluster = Cluster().start()


def tearDownModule():
    cluster.stop()


class Store(LockTest):
    def client(self, port=None, extra="", **settings):
        hosts = [("127.0.0.1", port)] if port else None
        client = Client(self, cluster.config(extra, hosts), **settings)
        self.assertEqual(client.opened.status, "OK", client.opened)
        return client

    def put(self, key, value, lease=None):
        more = f',"lease":"{lease}"' if lease else ""
        code, answer = cluster.request("POST", "/v3/kv/put",
                                       f'{{"key":"{encoded(key)}","value":"{encoded(value)}"{more}}}')
        self.assertEqual(code, 200, answer)

    def value(self, key):
        return cluster.ctl("get", "--print-value-only", key)


class Lock(Store):
    def test_one_takes_it_and_gives_it_back(self):
        key, client = self.key(), self.client()
        taken = client.enter(key, 1, 300)
        self.assertEqual((taken.status, taken.place), ("OK", 0), taken)
        self.assertGreater(taken.fence, 0)
        value = json.loads(self.value(self.v3_key(key, taken.id)))
        self.assertEqual(sorted(value), ["concurrency", "cookbook", "created", "owner", "ttl"])
        self.assertEqual((value["concurrency"], value["ttl"]), (1, 300))
        self.assertRegex(value["created"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?\+00:00$")
        [shown] = client.do("list", key).entries
        self.assertEqual((shown["id"], shown["place"], shown["fence"]), (taken.id, 0, taken.fence))
        self.assertEqual(shown["cookbook"], "test.cookbook")
        self.assertEqual(shown["ttl_ns"], 300 * 10**9)
        self.assertEqual(client.do("leave", key, taken.id).status, "OK")
        self.assertEqual(client.do("list", key).entries, [])
        self.assertEqual(client.do("leave", key, taken.id).status, "MISSING")

    def test_two_round_trips_to_take_and_one_to_give_back(self):
        proxy = Proxy(self, cluster.members[0])
        key, client = self.key(), self.client(proxy.port)
        taken = client.enter(key)
        self.assertEqual(taken.status, "OK", taken)
        client.do("renew")
        self.assertEqual(proxy.requests, ["/v3/lease/grant", "/v3/kv/txn"])
        lease = json.loads(cluster.ctl("get", "-w", "json", self.v3_key(key, taken.id)))["kvs"][0]["lease"]
        proxy.requests.clear()
        second = client.enter(key + "-2")
        self.assertEqual(proxy.requests, ["/v3/kv/txn"])
        proxy.requests.clear()
        client.do("leave", key + "-2", second.id)
        self.assertEqual(len(proxy.requests), 1)
        client.do("leave", key, taken.id)
        self.assertEqual(len(proxy.requests), 2)
        proxy.requests.clear()
        self.assertEqual(client.do("close").status, "OK")
        self.assertEqual(proxy.requests, [])
        self.assertNotIn(f"{lease:x}", cluster.ctl("lease", "list"))

    def test_first_come_first_served(self):
        key, clients = self.key(), [self.client() for _ in range(4)]
        ids = []
        for place, client in enumerate(clients):
            answer = client.enter(key)
            ids.append(answer.id)
            self.assertEqual((answer.status, answer.place), ("WAITING" if place else "OK", place), answer)
            self.assertEqual([one["id"] for one in answer.entries], ids[:-1])
            self.assertEqual([one["place"] for one in answer.entries], list(range(place)))
        self.assertEqual([one["place"] for one in clients[0].do("list", key).entries], [0, 1, 2, 3])
        # The second gives up; the third moves up, and is told.
        clients[1].do("leave", key, ids[1])
        moved = clients[2].do("wait", key, ids[2], 1, 300)
        self.assertEqual((moved.status, moved.place), ("WAITING", 1), moved)
        clients[2].send("wait", key, ids[2], 1, 300)
        clients[0].do("leave", key, ids[0])
        taken = clients[2].answer()
        self.assertEqual(taken.status, "OK", taken)
        self.assertEqual(clients[3].do("wait", key, ids[3], 1, 300).place, 1)
        clients[3].send("wait", key, ids[3], 1, 300)
        clients[2].do("close")
        last = clients[3].answer()
        self.assertEqual(last.status, "OK", last)
        self.assertGreater(last.fence, taken.fence)

    def test_the_smallest_limit_counts(self):
        key, client = self.key(), self.client()
        def enter(concurrency, expected):
            answer = client.enter(key, concurrency)
            self.assertEqual(answer.status, expected, answer)
            return answer.id
        first = enter(0, "OK")
        enter(0, "OK")
        enter(3, "OK")
        last = enter(0, "WAITING")  # a holder allows three
        client.do("leave", key, first)
        self.assertEqual(client.do("wait", key, last, 0, 300).status, "OK")
        one = enter(1, "WAITING")
        enter(0, "WAITING")  # no overtaking
        places = [entry["place"] for entry in client.do("list", key).entries]
        self.assertEqual(places, [0, 0, 0, 1, 2])
        client.do("leave", key, one)

    def test_entering_again_finds_what_is_there(self):
        key, client = self.key(), self.client()
        first = client.enter(key)
        again = client.enter(key, lock_id=first.id)
        self.assertEqual((again.status, again.fence), ("OK", first.fence), again)
        self.assertEqual(len(client.do("list", key).entries), 1)
        other = self.client().enter(key, lock_id=first.id)
        self.assertEqual(other.status, "REFUSED", other)
        self.assertIn(f"there is an entry {first.id} already", other.reason)
        self.assertEqual(len(client.do("list", key).entries), 1)

    def test_an_operator_removes_an_entry(self):
        key, holder, waiter, operator = self.key(), self.client(), self.client(lease=3), self.client()
        taken, waits = holder.enter(key), waiter.enter(key)
        self.assertEqual(operator.do("remove", key, str(uuid.uuid4())).status, "MISSING")
        waiter.send("wait", key, waits.id, 1, 300)
        self.assertEqual(operator.do("remove", key, waits.id).status, "OK")
        gone = waiter.answer()
        self.assertEqual(gone.status, "LOST", gone)
        self.assertIn("somebody has removed it", gone.reason)
        # The holder learns of it when it renews.
        short = self.client(lease=3)
        key = key + "-2"
        taken = short.enter(key)
        operator.do("remove", key, taken.id)
        lost = wait_until(lambda: (answer := short.do("renew")).status != "OK" and answer)
        self.assertEqual(lost.status, "LOST", lost)
        self.assertIn(f"{key}: somebody has removed it", lost.reason)
        self.assertEqual(short.do("renew").status, "LOST")
        self.assertEqual(short.do("leave", key, taken.id).status, "LOST")
        self.assertEqual(short.do("renew").until, -1)

    def test_all_kinds_are_listed(self):
        client, names = self.client(), []
        for kind in ("cookbooks", "custom", "modules"):
            key = self.key(kind)
            names.append(key)
            client.enter(key, 5)
            client.enter(key, 5)
        shown = [entry["key"] for entry in client.do("list").entries if entry["key"] in names]
        self.assertEqual(shown, [name for name in names for _ in range(2)])

    def test_many_locks_on_one_lease(self):
        client, key = self.client(lease=3), self.key()
        for i in range(130):  # more than fit into one transaction
            self.assertEqual(client.enter(f"{key}-{i}").status, "OK")
        time.sleep(1.2)
        renewed = client.do("renew")
        self.assertEqual(renewed.status, "OK", renewed)
        self.assertGreater(renewed.until, 1.5)
        gone = client.enter(f"{key}-last")
        cluster.ctl("del", self.v3_key(f"{key}-last", gone.id))
        cluster.ctl("del", "--prefix", self.v3_key(f"{key}-3"))
        lost = wait_until(lambda: (answer := client.do("renew")).status != "OK" and answer)
        self.assertEqual(lost.status, "LOST", lost)

    def test_nothing_is_left_in_memory(self):
        key, holder, client = self.key(), self.client(), self.client(lease=3)
        holder.enter(key)
        waits = client.enter(key)
        client.enter(key + "-2")
        client.do("freeze", key, "frozen", 60, "why")
        for words in (("wait", key, waits.id, 1, 300), ("list",), ("remove", key, "frozen"), ("leave", key, "nobody")):
            client.do(*words, within=1)
        time.sleep(1.2)
        client.do("renew")
        self.assertEqual(client.finish(), (0, ""))

    def test_names_are_checked(self):
        client = self.client()
        for key in ("/spicerack/locks/cookbooks/", "/spicerack/locks/x", "/other/a/b", "/spicerack/locks/custom/a/b",
                    "/spicerack/locks/custom/.."):
            self.assertEqual(client.enter(key).status, "REFUSED", key)
        self.assertEqual(client.enter(self.key(), lock_id="a/b").status, "REFUSED")


class Freeze(Store):
    def test_nobody_comes_in(self):
        key, holder, waiter, late, operator = self.key(), *(self.client() for _ in range(4))
        taken = holder.enter(key, 2)
        second = waiter.enter(key, 1)
        self.assertEqual(second.status, "WAITING")
        frozen = str(uuid.uuid4())
        self.assertEqual(operator.do("freeze", key, frozen, 60, "moving the racks").status, "OK")
        told = waiter.do("wait", key, second.id, 1, 300)
        self.assertEqual(told.status, "WAITING", told)
        self.assertIn("moving the racks", [entry["reason"] for entry in told.entries])
        third = late.enter(key, 2)
        self.assertEqual(third.status, "WAITING", third)
        self.assertEqual([(entry["id"], entry["place"]) for entry in third.entries],
                         [(taken.id, 0), (second.id, 1), (frozen, 0)])
        # Whoever is in stays in, and the next one does not follow.
        self.assertEqual(holder.do("renew").status, "OK")
        holder.do("leave", key, taken.id)
        self.assertEqual(waiter.do("wait", key, second.id, 1, 300, within=2).status, "WAITING")
        self.assertEqual(waiter.do("wait", key, second.id, 1, 300, within=1).status, "TIMEOUT")
        waiter.send("wait", key, second.id, 1, 300)
        self.assertEqual(operator.do("remove", key, frozen).status, "OK")
        self.assertEqual(waiter.answer().status, "OK")
        self.assertEqual(operator.do("remove", key, frozen).status, "MISSING")

    def test_it_ends_by_itself(self):
        key, operator, client = self.key(), self.client(), self.client()
        self.assertEqual(operator.do("freeze", key, str(uuid.uuid4()), 2, "a short while").status, "OK")
        operator.do("close")
        answer = client.enter(key)
        self.assertEqual(answer.status, "WAITING")
        self.assertEqual(client.get(key, answer.id).status, "OK")


class Lease(Store):
    def test_a_dead_holder_is_gone_with_its_lease(self):
        key, holder, waiter = self.key(), self.client(lease=3), self.client()
        holder.enter(key)
        waits = waiter.enter(key)
        holder.process.send_signal(signal.SIGKILL)
        self.assertEqual(waiter.get(key, waits.id).status, "OK")

    def test_a_lease_that_ended_is_lost(self):
        key, holder, waiter = self.key(), self.client(lease=3), self.client()
        taken, waits = holder.enter(key), waiter.enter(key)
        holder.process.send_signal(signal.SIGSTOP)
        self.assertEqual(waiter.get(key, waits.id).status, "OK")
        holder.process.send_signal(signal.SIGCONT)
        lost = holder.do("renew")
        self.assertEqual(lost.status, "LOST", lost)
        self.assertIn("the lease of this lock has ended", lost.reason)
        self.assertEqual(holder.do("leave", key, taken.id).status, "LOST")
        again = holder.enter(key)
        self.assertEqual(again.status, "WAITING", again)

    def test_until_is_reckoned_from_before_the_request(self):
        key, client = self.key(), self.client(lease=12)
        client.enter(key)
        answer = client.do("renew")
        self.assertLessEqual(answer.until, 11)
        self.assertLessEqual(answer.next, 4)

    def test_whoever_waits_and_slept_stands_at_the_end(self):
        key, holder, sleeper, third = self.key(), self.client(), self.client(lease=3), self.client()
        taken, slept, waits = holder.enter(key), sleeper.enter(key), third.enter(key)
        sleeper.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: len(holder.do("list", key).entries) == 2)
        sleeper.process.send_signal(signal.SIGCONT)
        back = sleeper.do("wait", key, slept.id, 1, 300)
        self.assertEqual((back.status, back.place), ("WAITING", 2), back)
        holder.do("leave", key, taken.id)
        self.assertEqual(third.get(key, waits.id).status, "OK")
        third.do("close")
        self.assertEqual(sleeper.get(key, slept.id).status, "OK")

    def test_a_lease_that_ended_is_not_in_by_an_old_view(self):
        """The watch is late: it tells that it is in, but not yet that the lease has ended meanwhile."""
        key, holder, proxy = self.key(), self.client(), Proxy(self, cluster.members[0])
        late = self.client(proxy.port, lease=3)
        taken, waits = holder.enter(key), late.enter(key)
        proxy.kept = []
        late.send("wait", key, waits.id, 1, 300, within=15)
        wait_until(lambda: "/v3/watch" in proxy.requests)
        holder.do("leave", key, taken.id)
        # That one left, and nothing yet of what comes after it.
        sink, told = wait_until(lambda: proxy.kept)[0]
        wait_until(lambda: not holder.do("list", key).entries)
        third = holder.enter(key)
        self.assertEqual(third.status, "OK")
        proxy.kept = None
        sink.sendall(told)
        back = late.answer()
        self.assertEqual(back.status, "WAITING", back)
        self.assertEqual([entry["id"] for entry in back.entries], [third.id])

    def test_a_renewal_of_an_older_term_is_none(self):
        """What a leader that was replaced and does not know it would answer."""
        key, proxy = self.key(), Proxy(self, cluster.members[0])
        client = self.client(proxy.port, lease=3)
        client.enter(key)
        def older(answer):
            return re.sub(rb'(^|\n){"result".*', lambda found: re.sub(rb'"raft_term":"\d+"', b'"raft_term":"1"', found[0]),
                          answer) if b'"TTL"' in answer else answer
        proxy.change = older
        before = client.do("renew")
        self.assertEqual(before.status, "OK", before)  # from memory
        time.sleep(1.1)
        answer = client.do("renew", within=1)
        self.assertIn(answer.status, ("UNREACHABLE", "TIMEOUT"), answer)
        self.assertIn("leader", answer.reason)
        self.assertIn("/v3/lease/keepalive", proxy.requests)
        proxy.change = None
        self.assertEqual(client.do("renew").status, "OK")


    def test_a_leader_that_does_not_know_the_lease_yet(self):
        """As one does that was elected while it still reads its log: it says the same as of a lease that has ended."""
        key, proxy = self.key(), Proxy(self, cluster.members[0])
        client = self.client(proxy.port, lease=3)
        taken = client.enter(key)
        self.assertEqual(taken.status, "OK", taken)
        def forgetful(answer):
            """With as many bytes as before."""
            return re.sub(rb'"TTL":"\d+"', lambda found: b'"TTX":"' + found[0][7:], answer)
        proxy.change = forgetful
        time.sleep(1.1)
        answer = client.do("renew", within=1)
        self.assertIn(answer.status, ("UNREACHABLE", "TIMEOUT"), answer)
        self.assertIn("leader", answer.reason)
        proxy.change = None
        self.assertEqual(client.do("renew").status, "OK")
        self.assertEqual(client.do("leave", key, taken.id).status, "OK")


class Watch(Store):
    def test_waiters_ask_for_nothing(self):
        """What 20 waiters cost at a release: no request of any of them."""
        key, holder, proxy = self.key(), self.client(), Proxy(self, cluster.members[0])
        taken = holder.enter(key)
        waiters = [self.client(proxy.port) for _ in range(20)]
        ids = [waiter.enter(key).id for waiter in waiters]
        for waiter, lock_id in zip(waiters, ids):
            waiter.send("wait", key, lock_id, 1, 300, within=8)
        wait_until(lambda: proxy.requests.count("/v3/watch") == 20)
        proxy.requests.clear()
        holder.do("leave", key, taken.id)
        answers = [waiter.answer() for waiter in waiters]
        self.assertEqual([answer.status for answer in answers], ["OK"] + ["WAITING"] * 19)
        self.assertEqual(proxy.requests, [])

    def test_compaction_means_read_again(self):
        key, holder, waiter = self.key(), self.client(), self.client()
        taken, waits = holder.enter(key), waiter.enter(key)
        revision = json.loads(cluster.ctl("get", "x", "-w", "json"))["header"]["revision"]
        for _ in range(3):
            revision += 1
            self.put("/elsewhere", "x")
        cluster.ctl("compact", str(revision))
        # Less than the time after which it would read without being told to.
        waiter.send("wait", key, waits.id, 1, 300, within=8)
        time.sleep(0.3)
        holder.do("leave", key, taken.id)
        self.assertEqual(waiter.answer().status, "OK")

    def test_a_watch_that_is_cut_is_opened_again(self):
        key, holder, proxy = self.key(), self.client(), Proxy(self, cluster.members[0])
        waiter = self.client(proxy.port)
        taken, waits = holder.enter(key), waiter.enter(key)
        waiter.send("wait", key, waits.id, 1, 300)
        for times in (1, 2):
            wait_until(lambda times=times: proxy.requests.count("/v3/watch") == times)
            time.sleep(0.1)
            if times == 1:
                proxy.cut()
        holder.do("leave", key, taken.id)
        self.assertEqual(waiter.answer().status, "OK")

    def test_a_release_while_the_watch_is_cut_is_seen(self):
        key, holder, proxy = self.key(), self.client(), Proxy(self, cluster.members[0])
        waiter = self.client(proxy.port)
        taken, waits = holder.enter(key), waiter.enter(key)
        self.assertEqual(waiter.do("wait", key, waits.id, 1, 300, within=0.5).status, "TIMEOUT")
        proxy.cut()
        holder.do("leave", key, taken.id)
        self.assertEqual(waiter.do("wait", key, waits.id, 1, 300).status, "OK")


class Interrupt(Store):
    def test_cancelled_at_once(self):
        key, holder, waiter = self.key(), self.client(), self.client()
        holder.enter(key)
        waits = waiter.enter(key)
        answer = waiter.do("wait", key, waits.id, 1, 300, within=60, cancel=0.2)
        self.assertEqual(answer.status, "CANCELLED", answer)
        self.assertLess(answer.ms, 5000)
        self.assertEqual(waiter.do("leave", key, waits.id).status, "OK")
        self.assertEqual(len(holder.do("list", key).entries), 1)

    def test_a_silent_server(self):
        import socket
        with socket.create_server(("127.0.0.1", 0)) as silent:
            client = self.client(silent.getsockname()[1])
            answer = client.enter(self.key(), within=60, cancel=0.2)
            self.assertEqual(answer.status, "CANCELLED", answer)
            answer = client.enter(self.key(), within=0.5)
            self.assertEqual(answer.status, "TIMEOUT", answer)
            self.assertIn(f"http://127.0.0.1:{silent.getsockname()[1]}: no answer in time", answer.reason)

    def test_nobody_listens(self):
        import servers
        port = servers.free_port()
        answer = self.client(port).do("list", within=60)
        self.assertEqual(answer.status, "UNREACHABLE", answer)
        self.assertIn(f"127.0.0.1:{port}", answer.reason)
        self.assertLess(answer.ms, 30000)


class BadData(Store):
    def test_values_that_are_no_locks(self):
        client = self.client()
        for value in ("", "{", "[]", "null", '{"owner":"a"}', '{"owner":1,"created":"2026-01-01 00:00:00+00:00",'
                      '"ttl":1,"concurrency":1}', '{"owner":"a","created":"yesterday","ttl":1,"concurrency":1}',
                      '{"owner":"a","created":"2026-01-01 00:00:00","ttl":1,"concurrency":1}',
                      '{"owner":"a","created":"2026-01-01 00:00:00+00:00","ttl":1e300,"concurrency":1}',
                      '{"owner":"a","created":"2026-01-01 00:00:00+00:00","ttl":-1,"concurrency":1}',
                      '{"owner":"a","created":"2026-01-01 00:00:00+00:00","ttl":5,"concurrency":-1}'):
            with self.subTest(value=value):
                key = self.key()
                self.put(self.v3_key(key, "bad"), value)
                answer = client.enter(key)
                self.assertEqual(answer.status, "REFUSED", answer)
                self.assertIn(f"{key}: cannot read the entry bad: ", answer.reason)
                self.assertEqual(cluster.ctl("get", "--prefix", "--keys-only", self.v3_key(key)).split(),
                                 [self.v3_key(key, "bad")])
                listed = client.do("list", key)
                self.assertEqual((listed.status, listed.entries), ("REFUSED", []))
                self.assertEqual(self.value(self.v3_key(key, "bad")).rstrip("\n"), value)
                self.assertEqual(client.do("remove", key, "bad").status, "OK")
                self.assertEqual(client.enter(key).status, "OK")

    def test_the_good_ones_are_listed_beside_a_bad_one(self):
        key, client = self.key(), self.client()
        client.enter(key)
        self.put(self.v3_key(key, "bad"), "x")
        answer = client.do("list", key)
        self.assertEqual((answer.status, len(answer.entries)), ("REFUSED", 1))
        cluster.ctl("del", self.v3_key(key, "bad"))

    def test_answers_that_make_no_sense(self):
        key, asked = self.key(), []
        def answer(body, head="200 OK", length=None):
            length = len(body) if length is None else length
            return (f"HTTP/1.1 {head}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
                    f"{body}").encode()
        for sent, status, reason in (
                (answer("{}"), "UNREACHABLE", "no sense"),
                (answer('{"ID":"1","TTL":"3'), "UNREACHABLE", "no JSON"),
                (answer('{"ID":"1","TTL":"30"}', length=100), "UNREACHABLE", ""),
                (answer('{"ID":"x","TTL":"30"}'), "UNREACHABLE", "no sense"),
                (answer('{"ID":"1","TTL":"-30"}'), "UNREACHABLE", "no sense"),
                (answer("[" * 5000), "UNREACHABLE", "no JSON"),
                (answer("x", "500 Oops"), "UNREACHABLE", "500"),
                (answer("x", "404 Not Found"), "REFUSED", "is not served there"),
                (answer('{"error":"a\\u0007b\\nc","message":"a\\u001b[31mb","code":2}', "500 Oops"), "REFUSED", "a?[31mb"),
                (answer('{"error":"etcdserver: permission denied","code":7}', "403 Forbidden"), "REFUSED",
                 "permission denied"),
                (answer('{"error":"etcdserver: no leader","code":14}', "503 Unavailable"), "UNREACHABLE", "no leader"),
                (b"garbage\r\n\r\n", "UNREACHABLE", ""),
                (b"", "UNREACHABLE", "")):
            proxy = Proxy(self, cluster.members[0])
            proxy.answer_with = sent
            client = self.client(proxy.port)
            client.send("enter", key, "id", 1, 300, within=1)
            asked.append((sent, status, reason, client))
        for sent, status, reason, client in asked:
            with self.subTest(sent=sent[:200]):
                got = client.answer()
                self.assertIn(got.status, (status, "TIMEOUT" if status == "UNREACHABLE" else status), got)
                self.assertIn(reason, got.reason)
                self.assertTrue(got.reason.isascii() and got.reason.isprintable(), got.reason)
                self.assertNotIn("\n", got.reason)

    def test_an_answer_without_end(self):
        proxy = Proxy(self, cluster.members[0])
        proxy.answer_with = b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n" + b" " * 40000000
        answer = self.client(proxy.port).enter(self.key())
        self.assertEqual(answer.status, "REFUSED", answer)
        self.assertIn("longer than", answer.reason)

    def test_another_cluster(self):
        answer = self.client(extra="expected_cluster_id: abc123\n").enter(self.key())
        self.assertEqual(answer.status, "REFUSED", answer)
        self.assertRegex(answer.reason, r"http://127.0.0.1:\d+: is of the cluster [1-9a-f][0-9a-f]{0,15}, not of abc123")


if __name__ == "__main__":
    unittest.main()
