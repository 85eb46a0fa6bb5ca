# SPDX-License-Identifier: Apache-2.0
"""Servers that a client of SSH must survive: one whose bytes are changed on their way, one that lies (liar.py)."""

import pathlib
import random
import struct
import subprocess
import time

from listeners import end_with_parent
from sshd import Between

DEBIAN_PYTHON = "/usr/bin/python3"  # which has Debian's modules, whatever Python runs the tests
LIAR = pathlib.Path(__file__).with_name("liar.py")
# Lengths at which mistakes are made.
LENGTHS = (0, 1, 4, 35000, 35001, 2**31 - 1, 2**31, 2**32 - 1)


def flip(chance, rest):
    return [bytes([rest[0] ^ 1 << chance.randrange(8)]) + rest[1:]]


def set_byte(chance, rest):
    return [bytes([chance.choice((0, 1, 0x1B, 0x7F, 0x80, 0xFF))]) + rest[1:]]


def set_length(chance, rest):
    return [struct.pack(">I", chance.choice(LENGTHS)) + rest[4:]]


def leave_out(chance, rest):
    return [rest[chance.randrange(1, 65):]]


def repeat(chance, rest):
    return [rest[:chance.randrange(1, 65)] + rest]


def insert(chance, rest):
    return [chance.randbytes(chance.choice((1, 4, 100, 2000))) + rest]


def end(chance, rest):
    return None


def wait(chance, rest):
    time.sleep(chance.uniform(0.1, 0.5))
    return [rest]


def in_bytes(chance, rest):
    return [rest[i:i + 1] for i in range(len(rest))]


# What may happen to the bytes from some place on; nobody is left waiting for good.
OPERATIONS = (flip, flip, set_byte, set_length, leave_out, repeat, insert, end, wait, in_bytes)


class Mangler(Between):
    """
    Between clients and a real sshd: does something to what the server says, the same to each connection, by a seed.
    Mostly before encryption starts, at about 1,500 bytes, for what comes later is authenticated.
    """

    def __init__(self, test, port, seed):
        self.seed = seed
        super().__init__(test, port)

    def from_server(self):
        chance = random.Random(self.seed)
        place, operation = int(10 ** chance.uniform(0, 3.5)), chance.choice(OPERATIONS)
        seen, pieces = 0, []
        while True:
            got = yield pieces
            at = place - seen
            seen += len(got)
            pieces = [got]
            if 0 <= at < len(got):
                changed = operation(chance, got[at:])
                if changed is None:
                    return
                pieces = [got[:at], *changed]


class Case:
    """A listener of the liar."""

    def __init__(self, port):
        self.port = port


def start_liars(test, key, first, count, *packet):
    """A server on `count` ports that lies on each by another seed, from `first` on; of `packet` see liar.py."""
    process = subprocess.Popen([DEBIAN_PYTHON, LIAR, key, *map(str, (first, count, *packet))], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               preexec_fn=end_with_parent)
    test.addCleanup(process.communicate)
    test.addCleanup(process.kill)
    return [Case(int(process.stdout.readline())) for _ in range(count)]


def can_lie():
    """Whether what the liar needs is installed."""
    return subprocess.run([DEBIAN_PYTHON, "-c", "import paramiko"], capture_output=True, check=False).returncode == 0
