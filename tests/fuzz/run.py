#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one harness: the kept corpus first, then new inputs for a while.

Prints how many inputs were executed and what they reached. Any crash, leak, hang or excess of
memory fails, as does a run that reaches less than the harness is known to; the input is kept.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile

LIMITS = ["-timeout=20", "-rss_limit_mb=2048", "-malloc_limit_mb=256"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("harness", help="the program, fuzz_NAME")
    parser.add_argument("--corpus", required=True, help="directory of kept inputs, not written to")
    parser.add_argument("--dict", help="dictionary")
    parser.add_argument("--seconds", type=int, required=True, help="of new inputs")
    parser.add_argument("--findings", required=True, help="directory for inputs that fail")
    parser.add_argument("--edges", type=int, required=True, help="fewer are a failure")
    parser.add_argument(
        "--foreign-leaks",
        action="store_true",
        help="a library leaks by itself: look for leaks of ours at the end only, where its own "
        "can be told apart, and not after each input",
    )
    return parser.parse_args()


def run(arguments, name, found):
    """Runs the harness. Its exit code and all that it said."""
    command = [
        arguments.harness,
        found,
        arguments.corpus,
        f"-max_total_time={arguments.seconds}",
        f"-artifact_prefix={arguments.findings}/{name}-",
        "-print_final_stats=1",
        "-print_funcs=0",
        *LIMITS,
    ]
    if arguments.dict:
        command.append(f"-dict={arguments.dict}")
    if arguments.foreign_leaks:
        command.append("-detect_leaks=0")
    process = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, errors="replace", check=False
    )
    return process.returncode, process.stderr


def last_number(pattern, text):
    """The number of the last match, 0 without any."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def main():
    arguments = parse_arguments()
    name = os.path.basename(arguments.harness).removeprefix("fuzz_")
    if not os.listdir(arguments.corpus):
        sys.exit(f"{name}: the corpus {arguments.corpus} is empty")
    os.makedirs(arguments.findings, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="spicerack-fuzz-") as found:
        code, said = run(arguments, name, found)
    executions = last_number(r"stat::number_of_executed_units:\s*(\d+)", said)
    edges = last_number(r" cov: (\d+)", said)
    features = last_number(r" ft: (\d+)", said)
    print(f"{name}: {executions} executions, {edges} edges, {features} features")
    if code != 0:
        print("\n".join(said.splitlines()[-80:]))
        kept = re.findall(r"Test unit written to (\S+)", said)
        for path in kept:
            print(f"reproduce: {shlex.join([arguments.harness, path])}")
        print(f"then fix it, and keep the input as a file of {arguments.corpus}")
        sys.exit(1)
    if edges < arguments.edges:
        sys.exit(f"{name}: reached {edges} edges, {arguments.edges} are known to be reached")


if __name__ == "__main__":
    main()
