#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ABI as it was, kept in files, against the ABI as it is: additions pass, anything else is a break.

    guard.py [--update] SOURCE LIBRARY COMPILER

What is kept lies beside this file: `symbols`, what libspicerack.so.1 exports, and `types.abi`, libabigail's
description of every type and function that the public headers declare. That one is not made from the library: to
a cookbook the handles are opaque, in the library they are not, and what is dropped from a description of the
library takes the parameters of that type with it. The compiler holds the library's functions to the headers.

--update takes additions over into the files, and into the symbols file of the Debian package; it refuses while there
is anything else. A file that is missing is made.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

KEPT = pathlib.Path(__file__).resolve().parent
SYMBOLS = KEPT / "symbols"
TYPES = KEPT / "types.abi"
DEBIAN_SYMBOLS = "debian/libspicerack1.symbols"

# The structures that may get members at their end: they tell their size, or a table of them does. All others are
# passed by value, lie in others, or are made by one side for the other without a size.
GROWING = {"spk_arg", "spk_backtrace_driver", "spk_call", "spk_command", "spk_cookbook", "spk_group", "spk_lock_driver",
           "spk_question", "spk_regex_driver", "spk_remote_command", "spk_remote_options", "spk_retry", "spk_rule",
           "spk_source_driver", "spk_subcommand", "spk_transport_command", "spk_transport_driver"}

DUMP_OPTIONS = ["--no-architecture", "--no-comp-dir-path", "--no-corpus-path", "--no-elf-needed", "--no-show-locs",
                "--no-parameter-names", "--type-id-style", "hash"]


def functions(source):
    """The functions of the SDK, by the library's map."""
    text = (source / "sdk/spicerack.map").read_text()
    return re.findall(r"^\t(spk_\w+);", text[:text.index("SPICERACK_PRIVATE")], re.M)


def surface(include, names, addresses=False):
    """A C or C++ source that refers to every type of the headers and to these functions, with their addresses or not."""
    lines = ["#include <spicerack/cookbook.h>", "#include <spicerack/extend.h>"]
    lines += [f"__typeof__({name}) *abi_{name}{f' = {name}' if addresses else ''};" for name in names]
    for header in sorted((include / "spicerack").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        for kind, name in re.findall(r"\b(struct|enum) (spk_\w+) \{", text):
            lines.append(f"{kind} {name} *abi_{kind}_{name};")
        for name in re.findall(r"^typedef [^{};]*?\b(spk_\w+)\(", text, re.M):
            lines.append(f"{name} *abi_type_{name};")
    return "\n".join(lines) + "\n"


def describe(include, names, compiler):
    """libabigail's description of the headers below `include`."""
    with tempfile.TemporaryDirectory(prefix="spicerack-abi-") as place:
        source, library = pathlib.Path(place, "surface.c"), pathlib.Path(place, "surface.so")
        source.write_text(surface(include, names))
        subprocess.run([compiler, "-std=gnu17", "-g", "-fPIC", "-shared", "-nostdlib", f"-I{include}", "-o", library,
                        source.name], cwd=place, check=True)
        return subprocess.check_output(["abidw", *DUMP_OPTIONS, library], text=True)


def structures(tree):
    return {node.get("name"): node for node in tree.iter("class-decl")
            if node.get("name").startswith("spk_") and not node.get("is-declaration-only")}


def members(structure):
    """The members of a structure: (element, name, offset in bytes)."""
    return [(member, member.find("var-decl").get("name"), int(member.get("layout-offset-in-bits")) // 8)
            for member in structure.findall("data-member")]


def enums(tree):
    """By name: the element and its enumerators, by name."""
    return {node.get("name"): (node, {value.get("name"): value for value in node.findall("enumerator")})
            for node in tree.iter("enum-decl")}


def without_additions(old, new):
    """The new description without what may come, and a line for each thing that came."""
    was, now = xml.etree.ElementTree.fromstring(old), xml.etree.ElementTree.fromstring(new)
    came = []
    for name, (_, values) in enums(was).items():
        node, found = enums(now).get(name, (None, {}))
        last = max(int(value.get("value")) for value in values.values())
        for key in [key for key in found if key not in values and int(found[key].get("value")) > last]:
            node.remove(found[key])
            came.append(f"enum {name}: {key} = {found[key].get('value')}")
    for name, before in structures(was).items():
        after = structures(now).get(name)
        if after is None or name not in GROWING:
            continue
        size = int(before.get("size-in-bits"))
        for member, field, offset in members(after):
            if offset * 8 >= size:
                after.remove(member)
                after.set("size-in-bits", str(size))
                came.append(f"struct {name}: {field} at {offset}")
    declared = [{node.get("name") for node in tree.iter("var-decl") if node.get("name").startswith("abi_")}
                for tree in (was, now)]
    came += sorted(name.removeprefix("abi_") for name in declared[1] - declared[0])
    return xml.etree.ElementTree.tostring(now, encoding="unicode"), came


def compare_types(old, new):
    """What broke, as libabigail says it ("" for nothing), and what came."""
    kept, came = without_additions(old, new)
    with tempfile.TemporaryDirectory(prefix="spicerack-abi-") as place:
        paths = [pathlib.Path(place, name) for name in ("was.abi", "is.abi")]
        for path, text in zip(paths, (old, kept)):
            path.write_text(text)
        # --harmless: what does not matter to libabigail, such as a sign, may matter to a cookbook.
        done = subprocess.run(["abidiff", "--harmless", "--no-added-syms", *paths], capture_output=True, text=True,
                              check=False)
    return (done.stdout + done.stderr if done.returncode else ""), came


def exported(library):
    """A line for each symbol that is exported to cookbooks: name, version, `T` for a function."""
    lines = []
    for line in subprocess.check_output(["nm", "-D", "--defined-only", library], text=True).splitlines():
        _, kind, name = line.split()
        name, _, version = name.replace("@@", "@").partition("@")
        if kind != "A" and version != "SPICERACK_PRIVATE":
            lines.append(f"{name} {version or '-'} {kind}")
    return sorted(lines)


def compare_symbols(old, new):
    """The same for symbols."""
    broken = [f"gone: {line}" for line in old if line not in new]
    came = [line for line in new if line not in old]
    for line in came:
        _, version, kind = line.split()
        if not re.fullmatch(r"SPICERACK_\d+\.\d+", version):
            broken.append(f"without a node of the map: {line}")
        if kind != "T":
            broken.append(f"not a function: {line}")
    return "".join(line + "\n" for line in broken), came


def private(source):
    """What the runner and the test kit call beside that, by the map: the packages of all of them are of one build."""
    text = (source / "sdk/spicerack.map").read_text()
    return re.findall(r"^\t(spk_\w+);", text[text.index("SPICERACK_PRIVATE"):], re.M)


def debian_symbols(symbols, others):
    """Debian's file for the same symbols: a release that adds some has a node of its own in the map, as its version."""
    needed = {f"{name}@{node}": node.rpartition("_")[2] for name, node, _ in map(str.split, symbols)}
    needed |= {f"{node}@{node}": node.rpartition("_")[2] for _, node, _ in map(str.split, symbols)}
    needed |= {f"{name}@SPICERACK_PRIVATE": "1.0" for name in ("SPICERACK_PRIVATE", *others)}
    return "".join(["libspicerack.so.1 libspicerack1 #MINVER#\n", "* Build-Depends-Package: libspicerack-dev\n",
                    *[f" {symbol} {version}\n" for symbol, version in sorted(needed.items())]])


def main():
    words = [word for word in sys.argv[1:] if word != "--update"]
    if len(words) != 3:
        sys.exit(__doc__)
    source, library, compiler = pathlib.Path(words[0]), words[1], words[2]
    types = describe(source / "sdk/include", functions(source), compiler)
    symbols = exported(library)
    found = []
    if TYPES.exists():
        found.append(compare_types(TYPES.read_text(), types))
    if SYMBOLS.exists():
        found.append(compare_symbols(SYMBOLS.read_text().splitlines(), symbols))
    for broken, came in found:
        print(*[f"new: {line}" for line in came], broken, sep="\n", end="")
    if any(broken for broken, _ in found):
        sys.exit("the ABI is broken: sdk/abi-history.md")
    if "--update" in sys.argv:
        TYPES.write_text(types)
        SYMBOLS.write_text("\n".join(symbols) + "\n")
        if KEPT.is_relative_to(source):  # not a copy
            (source / DEBIAN_SYMBOLS).write_text(debian_symbols(symbols, private(source)))


if __name__ == "__main__":
    main()
