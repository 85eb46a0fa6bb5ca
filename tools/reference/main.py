#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the reference of the public headers: main.py --markdown DIR --manual DIR --date DATE HEADER...

DATE is shown in the man pages. What is written depends on the arguments alone. A function without a
contract, or one that does not say since when it is there, is an error.
"""

import argparse
import pathlib
import sys

from headers import HeaderError, Reference
from manual import Manual
from markdown import Markdown


def write(directory, pages):
    directory.mkdir(parents=True, exist_ok=True)
    names = set()
    for name, text in pages:
        (directory / name).write_text(text, encoding="utf-8")
        names.add(name)
    # What an earlier version of the headers had.
    for path in directory.iterdir():
        if path.name not in names:
            path.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--markdown", type=pathlib.Path, required=True)
    parser.add_argument("--manual", type=pathlib.Path, required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("headers", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    try:
        reference = Reference(args.headers)
    except HeaderError as error:
        sys.exit(str(error))
    write(args.markdown, Markdown(reference).pages())
    write(args.manual, Manual(reference, args.date).pages())


if __name__ == "__main__":
    main()
