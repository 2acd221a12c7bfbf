#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the pages that libkdumpfile reads from a dump with a guest's physical memory.

usage: kdump_pages.py MEMORY START-END[,START-END...] DUMP     (Debian's python3-libkdumpfile)
"""
import json
import sys

import kdumpfile

PAGE = 4096


def pages(text):
    """Addresses of all pages of some ranges."""
    for part in text.split(","):
        start, end = (int(word, 16) for word in part.split("-"))
        yield from range(start, end, PAGE)


def main():
    memory, ranges, dump = sys.argv[1:]
    count = {"pages": 0, "different": 0, "absent": 0}
    with open(memory, "rb") as judge, open(dump, "rb") as file:
        context = kdumpfile.kdumpfile(file=dump)
        for pa in pages(ranges):
            judge.seek(pa)
            count["pages"] += 1
            try:
                got = context.read(kdumpfile.KDUMP_MACHPHYSADDR, pa, PAGE)
            except kdumpfile.exceptions.KDumpBaseException:
                count["absent"] += 1
                continue
            count["different"] += bytes(got) != judge.read(PAGE)
    print(json.dumps(count))


if __name__ == "__main__":
    main()
