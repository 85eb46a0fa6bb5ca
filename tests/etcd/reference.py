# SPDX-License-Identifier: Apache-2.0
"""
The locks of the Python host, done once more from their description for these tests: etcd's API 2,
one JSON object per key, the writers' mutex by in-order keys. Known as a defect there and not done
here: entries that have run out count.
"""

import datetime
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Unavailable(Exception):
    pass


class Host:
    def __init__(self, url, owner="other@python [4860]"):
        self.url, self.owner = url, owner

    def call(self, method, path, query="", **form):
        body = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(f"{self.url}/v2/keys{path}{query}", method=method, data=body)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            answer = json.loads(error.read())
            if answer.get("errorCode") == 100:
                return None
            raise

    def mutex(self, tries=15, step=1.0):
        word = uuid.uuid4().hex
        for number in range(1, tries + 1):
            mine = self.call("POST", "/spicerack/locks/etcd", value=word, ttl=15)["node"]["key"]
            nodes = self.call("GET", "/spicerack/locks/etcd", "?recursive=true")["node"].get("nodes", [])
            if sorted(node["key"] for node in nodes)[0] == mine:
                return mine
            self.call("DELETE", mine)
            time.sleep(number * step)
        raise Unavailable("mutex")

    def read(self, key):
        answer = self.call("GET", key)
        if answer is None:
            return {}
        entries = json.loads(answer["node"]["value"])
        for entry in entries.values():
            if set(entry) != {"concurrency", "created", "owner", "ttl"}:
                raise TypeError(f"unexpected members: {sorted(entry)}")
            created = datetime.datetime.fromisoformat(entry["created"])
            if not isinstance(entry["owner"], str) or not isinstance(entry["ttl"], int) \
                    or not isinstance(entry["concurrency"], int):
                raise TypeError(f"unexpected types: {entry}")
            # Without an offset this is a TypeError.
            entry["expires"] = created + datetime.timedelta(seconds=entry["ttl"])
            entry["live"] = entry["expires"] > datetime.datetime.now(datetime.timezone.utc)
        return entries

    def write(self, key, entries):
        kept = {lock_id: {name: entry[name] for name in ("concurrency", "created", "owner", "ttl")}
                for lock_id, entry in entries.items()}
        if kept:
            self.call("PUT", key, value=json.dumps(kept))
        else:
            self.call("DELETE", key)

    def acquire(self, key, concurrency=1, ttl=30, between=None):
        """`between` is called after the read and before the write."""
        mutex = self.mutex()
        try:
            entries = {lock_id: entry for lock_id, entry in self.read(key).items() if entry["live"]}
            limits = [entry["concurrency"] for entry in entries.values() if entry["concurrency"]]
            limits += [concurrency] if concurrency else []
            if limits and len(entries) >= min(limits):
                holders = ", ".join(f"{entry['created']}: {entry['owner']}" for entry in entries.values())
                raise Unavailable(holders)
            if between:
                between()
            lock_id = str(uuid.uuid4())
            now = datetime.datetime.now(datetime.timezone.utc)
            entries[lock_id] = {"concurrency": concurrency, "created": str(now), "owner": self.owner, "ttl": ttl}
            self.write(key, entries)
            return lock_id
        finally:
            self.call("DELETE", mutex)

    def release(self, key, lock_id):
        mutex = self.mutex()
        try:
            entries = self.read(key)
            found = entries.pop(lock_id, None)
            self.write(key, entries)
            return found is not None
        finally:
            self.call("DELETE", mutex)

    def get(self, key):
        return self.read(key)


def main():
    """reference.py URL KEY TIMES WITNESS: contends for the lock, concurrency 1."""
    import socket
    import sys
    url, key, times, path = sys.argv[1:]
    host = Host(url, f"other@python [{os.getpid()}]")
    with socket.socket(socket.AF_UNIX) as witness:
        witness.connect(path)
        def tell(verb, lock_id):
            witness.sendall(f"{verb} {lock_id} 0\n".encode())
            witness.recv(1)
        for _ in range(int(times)):
            while True:
                try:
                    lock_id = host.acquire(key)
                    break
                except Unavailable:
                    time.sleep(0.3)
            tell("in", lock_id)
            time.sleep(0.02)
            tell("out", lock_id)
            host.release(key, lock_id)


if __name__ == "__main__":
    main()
