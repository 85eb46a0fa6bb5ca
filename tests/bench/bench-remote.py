#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-remote.py BUILD_DIR [HOSTS...]: what commands on other hosts cost, beside its peers in the same run.

Needs a build with tests that was installed (cmake --install) into its prefix; of pdsh, clush (clustershell), pssh and
cumin those that are installed; cumin wants root. All hosts are ports of loopback, behind a real sshd or a light
server in one thread: what a real one costs is spread over the fleet in production, here it hides what a
client costs. Prints processor time of the client with all that it starts per host, wall time, memory at its peak
of all of its processes (pages that they share are counted once), and the ratio to ours; all have the same
configuration, keys and fan-out. The transport alone is driven by bench-remote-drive.
"""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
COUNTS = [int(word) for word in sys.argv[2:]] or [256, 1000]
CACHE = (BUILD / "CMakeCache.txt").read_text()
PREFIX = pathlib.Path(re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", CACHE, re.M)[1])
SOURCE = pathlib.Path(re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", CACHE, re.M)[1])
BENCH = BUILD / "tests" / "bench"
FAN_OUT = 32
RUNS = 3
ROUNDS = 4  # commands of ours on the same connections
MEGABYTE = 1 << 20

sys.path.insert(0, str(SOURCE / "tests" / "cli"))
from sshd import LightSshd, Sshd  # noqa: E402


class Bench(contextlib.ExitStack):
    """What the servers of the tests ask of a test."""

    def __enter__(self):
        self.scratch = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory(prefix="spicerack-bench-")))
        self.addCleanup = self.callback
        return super().__enter__()

    def wait_for(self, true, what, seconds=30):
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                sys.exit(f"waited {seconds} s for {what}")
            time.sleep(0.01)


class Cost:
    """What one command has cost, with its children."""

    def __init__(self, words, env, names, memory=False):
        self.peak, self.over = 0, threading.Event()
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
            begin = time.perf_counter()
            process = subprocess.Popen([str(word) for word in words], env=env, stdin=subprocess.PIPE, stdout=said,
                                       stderr=complaints)
            if memory:
                watcher = threading.Thread(target=self.watch, args=(process.pid,))
                watcher.start()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write("".join(f"{name}\n" for name in names).encode())
                process.stdin.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.wall, self.processor = time.perf_counter() - begin, usage.ru_utime + usage.ru_stime
            if memory:
                self.over.set()
                watcher.join()
            for file in (said, complaints):
                file.seek(0)
            self.said, self.complaints = said.read(), complaints.read()
        self.code = process.returncode

    def watch(self, pid):
        over = False
        while not over:
            self.peak = max(self.peak, sum(map(share, tree_of(pid))))
            over = self.over.wait(0.02)


def tree_of(pid):
    found = [pid]
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += tree_of(int(child))
    return found


def share(pid):
    """Its part of the memory, in KiB."""
    with contextlib.suppress(OSError):
        match = re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        return int(match[1]) if match else 0
    return 0


# How each tool is called: the hosts come as a folded set, or by their names on stdin.


def transport(driver):
    def words(hosts, folded, command, rounds):
        return [BENCH / "bench-remote-drive", driver, FAN_OUT, rounds, command, 60, f"config={hosts.config}"], {}

    return words


def whole(hosts, folded, command, rounds):
    """With all that comes with a run: its processes, the query, log and journal, and what is printed."""
    place = hosts.directory / "ours"
    (place / "remote").mkdir(parents=True, exist_ok=True)
    (place / "remote" / "config.cfg").write_text(f'fanout = {FAN_OUT};\nlibssh = {{ config = "{hosts.config}"; }};\n')
    config = place / "spicerack.cfg"
    config.write_text(f'logs_base_dir = "{place}/logs";\njournal = {{ directory = "{place}/runs"; }};\n'
                      f'instance_params = {{ spicerack_config_dir = "{place}"; }};\n')
    return [PREFIX / "bin" / "spicerack", "run", "-c", config, "--force", "--no-input", "--connect-timeout", "60s",
            "--mode", "sync", f"D{{{folded}}}", *[command] * rounds], {}


def pdsh(hosts, folded, command, rounds):
    return (["pdsh", "-R", "ssh", "-f", FAN_OUT, "-w", folded, command],
            {"PDSH_SSH_ARGS_APPEND": f"-F {hosts.config}"})


def clush(hosts, folded, command, rounds):
    return ["clush", "-b", "-q", "-f", FAN_OUT, "-o", f"-F {hosts.config}", "-w", folded, command], {}


def pssh(hosts, folded, command, rounds):
    return ["parallel-ssh", "-i", "-p", FAN_OUT, "-t", "0", "-h", "/dev/stdin", "-x", f"-F {hosts.config}",
            command], {}


def cumin(hosts, folded, command, rounds):
    config = hosts.directory / "cumin.yaml"
    config.write_text(f"default_backend: direct\ntransport: clustershell\nlog_file: {hosts.directory}/cumin.log\n"
                      f"clustershell:\n  fanout: {FAN_OUT}\n  ssh_options:\n    - '-F {hosts.config}'\n")
    return ["/usr/bin/cumin", "--force", "-c", config, f"D{{{folded}}}", command], {"SUDO_USER": "operator"}


OURS = "spicerack run"
PEERS = {"pdsh": pdsh, "clush": clush, "parallel-ssh": pssh, "cumin": cumin}


def tools():
    found = {OURS: whole}
    found |= {f"{path.stem[len('transport-'):]} alone": transport(path)
              for path in sorted(PREFIX.rglob("transport-*.so"))}
    for name, words in PEERS.items():
        if not shutil.which(name):
            print(f"{name} is not installed")
        elif name == "cumin" and os.geteuid() != 0:
            print("cumin wants root")
        else:
            found[name] = words
    return found


def measure(words, hosts, names, command, rounds=1, memory=False):
    # A range has ends of the same length, for nodeset as for us.
    lengths = [list(group) for _, group in itertools.groupby(names, len)]
    folded = ",".join(f"host[{group[0][4:-5]}-{group[-1][4:-5]}].test" for group in lengths)
    line, env = words(hosts, folded, command, rounds)
    cost = Cost(line, {**os.environ, "LC_ALL": "C.UTF-8", **env}, names, memory)
    if cost.code:
        sys.exit(f"{line} failed with {cost.code}: {cost.complaints.decode()[-500:]} {cost.said.decode()[-500:]}")
    return cost


def compare(title, hosts, count, command, runs=RUNS):
    """One line for each tool: medians of some runs, taken in turn, and memory of one more."""
    print(f"\n{title}, {count} hosts, {FAN_OUT} at a time")
    found, names = tools(), hosts.names[:count]
    costs = {name: [] for name in found}
    for _ in range(runs):
        for name, words in found.items():
            costs[name].append(measure(words, hosts, names, command))
    first = None
    for name, words in found.items():
        wall = statistics.median(cost.wall for cost in costs[name])
        processor = statistics.median(cost.processor for cost in costs[name])
        peak = measure(words, hosts, names, command, memory=True).peak
        first = first or (wall, processor, peak)
        print(f"{name:16s} processor {1000 * processor / count:8.2f} ms each ({processor / first[1]:5.1f})   "
              f"wall {wall:7.2f} s ({wall / first[0]:5.1f})   memory {peak / 1024:7.1f} MiB ({peak / first[2]:5.1f})")


def alone(title, hosts, count, command):
    """Ours, where peers would need minutes."""
    cost = measure(whole, hosts, hosts.names[:count], command, memory=True)
    print(f"{OURS}, {title}, {count} hosts: processor {1000 * cost.processor / count:.2f} ms each, wall {cost.wall:.2f} s, "
          f"memory {cost.peak / 1024:.1f} MiB")


def further(hosts, count):
    """Commands on connections that are open: the peers have none, and connect for each."""
    print(f"\nCommands one after the other on the same connections, {count} hosts, {FAN_OUT} at a time")
    for name, words in tools().items():
        if name in PEERS:
            continue
        if name == OURS:
            one, all_of_them = (measure(words, hosts, hosts.names[:count], "true", rounds) for rounds in (1, ROUNDS))
            print(f"{name:16s} processor of the first {1000 * one.processor / count:6.2f} ms each, of others "
                  f"{1000 * (all_of_them.processor - one.processor) / (ROUNDS - 1) / count:6.3f}   wall {one.wall:6.2f} s, "
                  f"{(all_of_them.wall - one.wall) / (ROUNDS - 1):6.2f}")
            continue
        rounds = [line.split() for line in measure(words, hosts, hosts.names[:count], "true", ROUNDS).said.splitlines()]
        spent = [int(line[4]) / 1000 / count for line in rounds]
        took = [int(line[3]) / 1e6 for line in rounds]
        print(f"{name:16s} processor of the first {spent[0]:6.2f} ms each, "
              f"of others {statistics.median(spent[1:]):6.3f}   wall {took[0]:6.2f} s, {statistics.median(took[1:]):6.2f}")


def main():
    most = max(COUNTS)
    with Bench() as bench:
        curve = {"KexAlgorithms": "curve25519-sha256"}  # also where both sides have costlier ones
        light = LightSshd(bench, BENCH / "bench-light-sshd", most)
        light.configure_all(**curve)
        for count in COUNTS:
            compare("true, light server", light, count, "true")
            further(light, count)
        loud = LightSshd(bench, BENCH / "bench-light-sshd", most, MEGABYTE)
        loud.configure_all(**curve)
        compare("1 MiB of output in lines, light server", loud, min(64, most), "true")
        alone("1 MiB of output in lines, light server", loud, most, "true")
        real = Sshd(bench, most, log_level="ERROR")
        real.configure_all(**curve)
        compare("true, real sshd", real, min(COUNTS), "true", 1)
        further(real, min(COUNTS))


if __name__ == "__main__":
    main()
