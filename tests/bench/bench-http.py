#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-http.py BUILD_DIR [REQUESTS]: requests a second of an API client, beside curl's own tool on the same nginx.

Needs a build with tests, installed. One connection each, a small answer in JSON. A client of an API reads it, has
the exchange in its log files before the next one begins, and prints it; the tool throws it away. What starting costs
is taken off: the time of REQUESTS less that of one.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
REQUESTS = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from nginx import Nginx  # noqa: E402 pylint: disable=wrong-import-position

ROUNDS = 5


def took(words, env):
    begin = time.perf_counter()
    subprocess.run([str(word) for word in words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=True)
    return time.perf_counter() - begin


def rate(command, env):
    """The best of several rounds: others on the machine only add."""
    spans = [took(command(REQUESTS), env) - took(command(1), env) for _ in range(ROUNDS)]
    return (REQUESTS - 1) / min(spans)


def main():
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="bench-http-"))
    server = Nginx(scratch)
    config = scratch / "spicerack.cfg"
    config.write_text(f'cookbooks_base_dirs = ["{BUILD}/tests/fixture/cookbooks"];\nlogs_base_dir = "{scratch}/logs";\n')
    env = {"PATH": os.environ["PATH"], "HOME": str(scratch), "LANG": "C.UTF-8"}
    cookbook = [BUILD / "prefix" / "bin" / "cookbook", "-c", config, "--no-locks", "fixture.http"]
    url = server.url("/json")
    try:
        ours = rate(lambda count: [*cookbook, "GET", "/json", "--api", server.url(""), "--path", "a[0]", "--times", count],
                    env)
        peer = rate(lambda count: ["curl", "-s", "-H", "Accept: application/json", f"{url}?[1-{count}]"], env)
    finally:
        server.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"an API client: {ours:8.0f} requests a second, with a record of each in two files and the journal")
    print(f"curl's tool:   {peer:8.0f} requests a second, with none")
    print(f"ratio:         {ours / peer:8.2f}")


if __name__ == "__main__":
    main()
