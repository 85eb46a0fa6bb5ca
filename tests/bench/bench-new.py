#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-new.py BUILD_DIR: what an author waits for, beside what the compiler and an empty program take.

Needs a build that was installed (cmake --install) into its prefix. Prints the time from `spicerack new` to a
passing test and its parts; of the cookbook of 20 lines in docs/samples/greet.c how long it takes to build and how
large it is, beside an empty shared object by the same compiler; and one run in a test, beside its processes alone.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
CACHE = (BUILD / "CMakeCache.txt").read_text()
SOURCE = pathlib.Path(re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", CACHE, re.M)[1])
PREFIX = pathlib.Path(re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", CACHE, re.M)[1])
SPICERACK = PREFIX / "bin" / "spicerack"
ROUNDS = 9

RUNS = """
#include <spicerack/testing.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	for (int i = 0; i < 51; i++) {
		struct spk_test *test = spk_test_new_in(argv[1], argv[2]);
		double begin = now(), end;

		SPK_EXPECT(spk_test_exits(test, "you", 0));
		end = now();
		spk_test_free(test);
		printf("run %.9f\\n", end - begin);
		begin = now();
		for (int j = 0; j < 3; j++) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(0);
			waitpid(pid, NULL, 0);
		}
		printf("forks %.9f\\n", now() - begin);
	}
	return 0;
}
"""


def timed(*words, **more):
    begin = time.perf_counter()
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, **more)
    return time.perf_counter() - begin


def bundle(scratch):
    place = scratch / "bundle"
    env = os.environ | {"CMAKE_PREFIX_PATH": str(PREFIX)}
    parts = {
        "spicerack new": timed(SPICERACK, "new", "sre.hosts.restart", "--bundle", place),
        "configure": timed("cmake", "-S", place, "-B", place / "build", env=env),
        "build, check": timed("cmake", "--build", place / "build", env=env),
        "ctest": timed("ctest", "--test-dir", place / "build"),
    }
    print(f"{'from nothing to a passing test':34s} {sum(parts.values()):8.2f} s")
    for name, took in parts.items():
        print(f"  {name:32s} {took:8.2f} s")
    again = timed("cmake", "--build", place / "build", env=env)
    print(f"  {'build with nothing to do':32s} {again:8.2f} s")


def pkg_config(*words):
    env = os.environ | {"PKG_CONFIG_PATH": str(next(PREFIX.rglob("spicerack.pc")).parent)}
    return subprocess.check_output(["pkg-config", *words, "spicerack"], env=env, text=True).split()


def stripped(path):
    copy = path.with_suffix(".stripped")
    subprocess.run(["strip", "-o", copy, path], check=True)
    return copy.stat().st_size


def cookbook(scratch, compiler):
    tree = scratch / f"tree-{compiler}"
    tree.mkdir()
    empty, ours = scratch / "empty.c", SOURCE / "docs" / "samples" / "greet.c"
    empty.write_text("")
    flags = pkg_config("--variable=moduleflags")
    words = {"cookbook": [compiler, *flags, "-o", tree / "greet.so", ours, *pkg_config("--cflags", "--libs")],
             "empty": [compiler, *flags, "-o", tree / "empty.so", empty]}
    took = {name: [] for name in words}
    for _ in range(ROUNDS):
        for name, line in words.items():
            took[name].append(timed(*line))
    built = {name: statistics.median(times) for name, times in took.items()}
    files = {"cookbook": tree / "greet.so", "empty": tree / "empty.so"}
    lines = len(ours.read_text().splitlines())
    print(f"{compiler + f', {lines} lines':34s} {built['cookbook'] * 1000:8.0f} ms  an empty one "
          f"{built['empty'] * 1000:6.0f} ms   ratio {built['cookbook'] / built['empty']:.2f}")
    sizes = {name: (path.stat().st_size, stripped(path)) for name, path in files.items()}
    for which, word in enumerate(("with debugging information", "stripped")):
        print(f"  {word:32s} {sizes['cookbook'][which]:8d} bytes an empty one {sizes['empty'][which]:6d} bytes  "
              f"ratio {sizes['cookbook'][which] / sizes['empty'][which]:.2f}")
    files["empty"].unlink()
    return tree


def runs(scratch, tree):
    source = scratch / "runs.c"
    source.write_text(RUNS)
    program = scratch / "runs"
    library = next(PREFIX.rglob("libspicerack-testing.so")).parent
    subprocess.run(["gcc", "-O2", *pkg_config("--cflags"), "-o", program, source, f"-L{library}",
                    "-lspicerack-testing", f"-Wl,-rpath,{library}"], check=True)
    out = subprocess.check_output([program, tree, "greet"], text=True)
    took = {name: statistics.median(float(word) for word in re.findall(rf"^{name} (.*)$", out, re.M))
            for name in ("run", "forks")}
    print(f"{'a run in a test':34s} {took['run'] * 1000:8.1f} ms  three forks  {took['forks'] * 1000:6.1f} ms   "
          f"ratio {took['run'] / took['forks']:.1f}")


def main():
    with tempfile.TemporaryDirectory(prefix="spicerack-bench-") as place:
        scratch = pathlib.Path(place)
        bundle(scratch)
        trees = [cookbook(scratch, compiler) for compiler in ("gcc", "clang")]
        runs(scratch, trees[0])


main()
