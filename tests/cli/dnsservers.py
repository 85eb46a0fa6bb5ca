# SPDX-License-Identifier: Apache-2.0
"""Real servers of the DNS on loopback, gdnsd and bind9, and one that says what it is told to."""

import ctypes
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

ZONE = """$TTL {ttl}
@ SOA ns1 hostmaster 1 7200 1800 259200 900
@ NS ns1
ns1 A 127.0.0.1
"""


def end_with_parent():
    """A server does not outlive a test that is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def free_port():
    """One that is free for both protocols."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            try:
                other.bind(one.getsockname())
            except OSError:
                continue
            return one.getsockname()[1]


def encode_name(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split(".") if part) + b"\0"


def question_of(packet):
    """The bytes of the question, which every answer repeats."""
    end = 12
    while packet[end]:
        end += 1 + packet[end]
    return packet[12:end + 5]


def query(name, type_, number=1):
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + encode_name(name) + struct.pack(">HH", type_, 1)


class Server:
    """A process that answers at `port` of 127.0.0.1."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None

    def start(self, words, probe):
        """Starts it and waits until it answers for the name."""
        self.output = open(self.directory / "output", "wb")
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.output, preexec_fn=end_with_parent)
        end = time.monotonic() + 60
        while not self.answers(probe):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise AssertionError((self.directory / "output").read_text(errors="replace"))

    def answers(self, name):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.settimeout(0.1)
            one.connect(("127.0.0.1", self.port))
            try:
                one.send(query(name, 1))
                return one.recv(512)[3] & 15 == 0
            except OSError:
                time.sleep(0.02)
                return False

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.output.close()
        self.process = None


class Gdnsd(Server):
    """
    Authoritative for a zone with records that are another address for another client: each of
    `resources` maps datacenters to addresses, and clients in the network of one are near to it.
    """

    NETWORKS = {"dc1": ["192.0.2.0/24", "2001:db8:1::/48"], "dc2": ["198.51.100.0/24", "2001:db8:2::/48"]}

    def __init__(self, directory, resources, zone="discovery.test", ttl=300, more=""):
        super().__init__(directory)
        self.resources, self.zone, self.ttl, self.more = resources, zone, ttl, more
        for name in ("zones", "run", "state"):
            (self.directory / name).mkdir()
        nets = "\n".join(f"{net} => [ {dc}, {'dc2' if dc == 'dc1' else 'dc1'} ]"
                         for dc, list_ in self.NETWORKS.items() for net in list_)
        listed = "\n".join(f"{name} => {{ map => near, dcmap => {{ " +
                           ", ".join(f"{dc} => {address}" for dc, address in addresses.items()) + " } }"
                           for name, addresses in resources.items())
        (self.directory / "config").write_text(
            f"options => {{ listen => 127.0.0.1, dns_port => {self.port}, run_dir => {self.directory}/run, "
            f"state_dir => {self.directory}/state, udp_threads => 1, tcp_threads => 1, min_ttl => 1 }}\n"
            f"plugins => {{ geoip => {{ maps => {{ near => {{ datacenters => [ dc1, dc2 ], nets => {{ {nets} }} }} }}, "
            f"resources => {{ {listed} }} }} }}\n")
        self.write_zone()
        self.start(["/usr/sbin/gdnsd", "-c", self.directory, "start"], f"ns1.{zone}")

    def write_zone(self):
        records = "".join(f"{name} {self.ttl} DYNA geoip!{name}\n" for name in self.resources)
        (self.directory / "zones" / self.zone).write_text(ZONE.format(ttl=self.ttl) + records + self.more)

    def control(self, *words):
        subprocess.run(["/usr/bin/gdnsdctl", "-c", str(self.directory), *words], check=True, capture_output=True)

    def set_ttl(self, ttl):
        self.ttl = ttl
        self.write_zone()
        self.control("reload-zones")

    def depool(self, *datacenters):
        """Answers as if these were down, and no others; it looks at the file within seconds."""
        (self.directory / "state" / "admin_state").write_text(
            "".join(f"geoip/near/{datacenter} => DOWN\n" for datacenter in datacenters))


class Bind(Server):
    """Authoritative for zones, each a name and its text, and for nothing else; a text of None does not load."""

    def __init__(self, directory, zones):
        super().__init__(directory)
        config = (f'options {{ directory "{self.directory}"; listen-on port {self.port} {{ 127.0.0.1; }}; '
                  "listen-on-v6 { none; }; recursion no; allow-transfer { none; }; dnssec-validation no; "
                  f'pid-file "{self.directory}/pid"; session-keyfile "{self.directory}/key"; '
                  "empty-zones-enable no; minimal-responses yes; };\ncontrols { };\n")
        for number, (zone, text) in enumerate(zones.items()):
            (self.directory / f"zone{number}").write_text("broken" if text is None else ZONE.format(ttl=300) + text)
            config += f'zone "{zone}" {{ type primary; file "{self.directory}/zone{number}"; }};\n'
        (self.directory / "named.conf").write_text(config)
        self.start(["/usr/sbin/named", "-g", "-n", "1", "-c", self.directory / "named.conf"], f"ns1.{next(iter(zones))}")


def missing():
    """What is not installed of the two; "" for nothing."""
    return ", ".join(name for name in ("gdnsd", "named") if not shutil.which(name, path="/usr/sbin"))


class Scripted:
    """Answers each packet over UDP with what `answer` makes of it, and over TCP with what `over_tcp` does; a list is several packets."""

    def __init__(self, answer, over_tcp=None):
        self.answer, self.over_tcp = answer, over_tcp
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.seen = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(("127.0.0.1", self.port))
        self.tcp.listen()
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def serve_udp(self):
        while True:
            try:
                packet, client = self.udp.recvfrom(4096)
            except OSError:
                return
            self.seen.append(packet)
            answers = self.answer(packet)
            for one in answers if isinstance(answers, list) else [answers]:
                if one is not None:
                    self.udp.sendto(one, client)

    def serve_tcp(self):
        while True:
            try:
                connection = self.tcp.accept()[0]
            except OSError:
                return
            with connection:
                packet = connection.recv(4096)[2:]
                answer = self.over_tcp(packet) if self.over_tcp else None
                if answer:
                    connection.sendall(answer)

    def stop(self):
        self.udp.close()
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()


def reply(packet, records=b"", count=0, flags=0x8400, more=b"", more_count=0, number=None):
    """An answer to a packet: `records` in wire form."""
    return (struct.pack(">HHHHHH", number or struct.unpack(">H", packet[:2])[0], flags, 1, count, 0, more_count) +
            question_of(packet) + records + more)


def record(name, type_, data, ttl=60):
    return encode_name(name) + struct.pack(">HHIH", type_, 1, ttl, len(data)) + data
