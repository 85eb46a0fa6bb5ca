# SPDX-License-Identifier: Apache-2.0
"""
Somebody who does not trust the store: contenders say when they come in and go out, over a socket. It
counts how many are in at a time, and accepts a write only with a fencing token that is not older
than what it has seen (of a lock that one at a time may have).
"""

import itertools
import os
import selectors
import socket
import struct
import threading
import time


NUMBERS = itertools.count()


class Witness:
    def __init__(self, test, directory, concurrency, fenced=True):
        self.path = os.path.join(directory, f"witness-{next(NUMBERS)}")
        self.concurrency, self.fenced = concurrency, fenced
        self.inside, self.highest, self.entered, self.most = {}, 0, [], 0
        self.rejected, self.lost, self.problems, self.overlaps = 0, 0, [], []
        self.holder, self.last_word = None, {}  # by process: who came in last, when it said that it is not any more
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(200)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.going = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        test.addCleanup(self.end)

    def end(self):
        self.going = False
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def run(self):
        while self.going:
            for key, _ in self.selector.select(0.1):
                if key.fileobj is self.listener:
                    self.selector.register(self.listener.accept()[0], selectors.EVENT_READ)
                else:
                    self.serve(key.fileobj)

    def serve(self, one):
        try:
            lines = one.recv(4096).decode().splitlines()
        except OSError:
            lines = []
        if not lines:
            self.selector.unregister(one)
            one.close()
        for line in lines:
            verb, lock_id, fence = line.split()
            self.speaker, _, _ = struct.unpack("3i", one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            accepted = getattr(self, "on_" + verb, self.on_other)(lock_id, int(fence))
            try:
                one.sendall(b"y" if accepted else b"n")
            except OSError:
                pass

    def write(self, fence):
        """What is behind the lock, and looks at the token."""
        if self.fenced and self.concurrency == 1 and fence < self.highest:
            self.rejected += 1
            return False
        self.highest = max(self.highest, fence)
        return True

    def on_in(self, lock_id, fence):
        accepted = self.write(fence)
        self.holder = self.speaker
        self.entered.append((lock_id, fence, time.monotonic()))
        self.inside[lock_id] = time.monotonic()
        self.most = max(self.most, len(self.inside))
        if len(self.inside) > self.concurrency:
            self.overlaps.append((lock_id, list(self.inside)))
        return accepted

    def on_out(self, lock_id, fence):
        self.inside.pop(lock_id, None)
        self.last_word[self.speaker] = time.monotonic()
        return self.write(fence)

    def on_lost(self, lock_id, fence):
        self.inside.pop(lock_id, None)
        self.last_word[self.speaker] = time.monotonic()
        self.lost += 1
        return True

    def on_other(self, lock_id, fence):
        self.problems.append(lock_id)
        return True
