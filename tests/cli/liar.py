#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
liar.py HOST_KEY FIRST COUNT [PACKET]: a server of SSH that lets everybody in, answers each command with a line and 0, and
lies once in each connection: it changes one of its messages, leaves it out, says it again, or says something else
before it, in the right encryption. It listens on COUNT ports of loopback, which it prints; what it does on the first is
chosen by the seed FIRST, on the next by the one after it. With PACKET it tells no lies, but that it takes no more than
so many bytes in a message of a channel, and so many more on each next port.
"""

import random
import socket
import struct
import sys
import threading
import time

import paramiko

TEXT = b"\x1b]0;title\x07\x1b[2J\r\nforged\x00\xff\xc3" + b"%s%n" * 4
MESSAGES = 13  # so many does it have for a command, from the exchange of keys to the end of the channel
HUGE = 2**32 - 1


def message(kind, *fields):
    """Numbers as 32 bits, booleans as a byte, bytes as a string."""
    out = bytes([kind])
    for field in fields:
        if isinstance(field, bool):
            out += bytes([field])
        elif isinstance(field, int):
            out += struct.pack(">I", field)
        else:
            out += struct.pack(">I", len(field)) + field
    return out


# What may be said out of place, made for the number of a channel.
LIES = (
    lambda channel, chance: b"\x00",
    lambda channel, chance: b"\xff" + chance.randbytes(100),
    lambda channel, chance: message(1, 2, TEXT, b""),
    lambda channel, chance: message(1, 2) + b"\x7f\xff\xff\xff" + TEXT,
    lambda channel, chance: message(2, bytes(30000)),
    lambda channel, chance: message(3, HUGE),
    lambda channel, chance: message(4, True, TEXT, b""),
    lambda channel, chance: message(6, b"ssh-connection"),
    lambda channel, chance: message(7, HUGE, b"server-sig-algs", TEXT),
    lambda channel, chance: message(20) + chance.randbytes(16) + b"\x00\x00\x00\x00" * 10 + b"\x00" * 5,
    lambda channel, chance: message(20) + chance.randbytes(16) + message(0, *[b"," * 3000] * 10)[1:] + b"\x01" * 5,
    lambda channel, chance: b"\x15",
    lambda channel, chance: message(31, b"", b"", b""),
    lambda channel, chance: message(51, b"publickey,\x1b[31mpassword", True),
    lambda channel, chance: message(51, b"," * 20000, False),
    lambda channel, chance: b"\x34",
    lambda channel, chance: message(53, TEXT * 1000, b""),
    lambda channel, chance: message(60, b"ssh-ed25519", chance.randbytes(51)),
    lambda channel, chance: message(60, TEXT, TEXT, b"", HUGE, TEXT, True),
    lambda channel, chance: message(80, b"hostkeys-00@openssh.com", True, chance.randbytes(300)),
    lambda channel, chance: message(80, TEXT, True),
    lambda channel, chance: b"\x51",
    lambda channel, chance: b"\x52",
    lambda channel, chance: message(90, b"session", 0, HUGE, HUGE),
    lambda channel, chance: message(90, b"forwarded-tcpip", 0, 0, 0, TEXT, 22, TEXT, HUGE),
    lambda channel, chance: message(90, b"auth-agent@openssh.com", channel, 1, 1),
    lambda channel, chance: message(91, channel, channel, HUGE, 0),
    lambda channel, chance: message(91, channel, HUGE, 0, HUGE),
    lambda channel, chance: message(92, channel, 1, TEXT * 1000, b""),
    lambda channel, chance: message(93, channel, HUGE),
    lambda channel, chance: message(94, channel, chance.randbytes(33000)),
    lambda channel, chance: message(94, channel) + b"\x7f\xff\xff\xff" + TEXT,
    lambda channel, chance: message(95, channel, 1, TEXT),
    lambda channel, chance: message(95, channel, HUGE, TEXT),
    lambda channel, chance: message(96, channel),
    lambda channel, chance: message(97, channel),
    lambda channel, chance: message(98, channel, b"exit-status", False, HUGE),
    lambda channel, chance: message(98, channel, b"exit-status", True),
    lambda channel, chance: message(98, channel, b"exit-signal", False, TEXT, True, TEXT * 500, b""),
    lambda channel, chance: message(98, channel, TEXT, True),
    lambda channel, chance: message(99, channel),
    lambda channel, chance: message(100, channel),
)


def changed(said, chance):
    """The message with one thing that is wrong."""
    place = chance.randrange(len(said))
    kind = chance.randrange(6)
    if kind == 0:
        return said[:max(place, 1)]
    if kind == 1:
        return said + chance.randbytes(chance.choice((1, 100, 30000)))
    if kind == 2:
        return said[:place] + bytes([said[place] ^ 1 << chance.randrange(8)]) + said[place + 1:]
    if kind == 3:
        return said[:place] + struct.pack(">I", chance.choice((0, 1, len(said), 2**31, HUGE))) + said[place + 4:]
    if kind == 4:
        return bytes([chance.randrange(256)]) + said[1:]
    return said[:1] + chance.randbytes(len(said) - 1)


class Liar:
    """What becomes of the messages of one connection."""

    def __init__(self, transport, seed):
        self.chance, self.send = random.Random(seed), transport.packetizer.send_message
        self.left = self.chance.randrange(MESSAGES)
        transport.packetizer.send_message = self.say
        if self.chance.randrange(20) == 0:
            transport.local_version = self.chance.choice((
                "SSH-2.0-" + "x" * 300, "SSH-2.0-\x1b[2J", "SSH-1.5-old", "\x00SSH-2.0-x", "SSH-2.0-x\0y", "SSH-", "",
                "welcome\r\n" * 5000 + "SSH-2.0-x"))

    def say(self, data):
        said = data.asbytes() if isinstance(data, paramiko.Message) else bytes(data)
        self.left -= 1
        for each in [said] if self.left != -1 else self.lie(said):
            self.send(each)

    def lie(self, said):
        what = self.chance.randrange(8)
        if what < 3:
            return [changed(said, self.chance)]
        if what == 3:
            return self.chance.choice(([], [said, said]))
        # The channel of a client is mostly its first.
        channel = self.chance.choice((0, 0, 0, 1, 43, HUGE))
        times = self.chance.choice((1, 1, 1, 2, 500))
        return [self.chance.choice(LIES)(channel, self.chance)] * times + [said]


class Server(paramiko.ServerInterface):
    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, number):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_env_request(self, channel, name, value):
        return True

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=self.answer, args=(channel,), daemon=True).start()
        return True

    def answer(self, channel):
        time.sleep(0.02)  # what answers the request is on its way
        channel.sendall(b"said\n")
        channel.send_exit_status(0)
        channel.shutdown_write()
        channel.close()


def serve(listener, key, seed, packet):
    while True:
        one, _ = listener.accept()
        try:
            transport = paramiko.Transport(one)
            transport.add_server_key(key)
            if packet is None:
                Liar(transport, seed)
            else:
                transport.default_max_packet_size = packet
            transport.start_server(threading.Event(), Server())
        except (paramiko.SSHException, OSError, EOFError):
            one.close()


def main():
    key = paramiko.Ed25519Key(filename=sys.argv[1])
    threading.excepthook = lambda failure: None  # it trips over its own lies
    first, count = int(sys.argv[2]), int(sys.argv[3])
    for number in range(count):
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        packet = int(sys.argv[4]) + number if len(sys.argv) > 4 else None
        threading.Thread(target=serve, args=(listener, key, first + number, packet), daemon=True).start()
    threading.Event().wait()


main()
