#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares guests with their truth after their kernels' symbols were hidden in the image: those of
data, as in a kernel without KALLSYMS_ALL, or all, as in one without KALLSYMS.

What stays must be found by other means: every row of the truth, but for what only functions' names
tell (the rules of allowed.py)."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import run  # noqa: E402

MODES = {"data": "no symbols of data", "all": "no symbols"}


def raw_image(folder, scratch):
    """A copy of a guest's memory that may be changed."""
    copy = scratch / "memory.raw"
    packed = next(iter(folder.glob("*.vmem.zst")), None)
    if packed:
        subprocess.run(["zstd", "-q", "-d", "-f", packed, "-o", copy], check=True)
    else:
        subprocess.run(["cp", "--sparse=always", folder / "memory.raw", copy], check=True)
    return copy


def check(tally, options, name, folder, truth):
    for mode, says in MODES.items():
        with tempfile.TemporaryDirectory(prefix="vmiscan-hidden-") as scratch:
            scratch = pathlib.Path(scratch)
            image = raw_image(folder, scratch)
            subprocess.run([options.hide, mode, image], check=True, stdout=subprocess.DEVNULL)
            run.compare_image(tally, options, f"{name}, {says}", image, truth, scratch)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="guests (default: the committed sample)")
    parser.add_argument("--vmiscan", default=os.environ.get("VMISCAN", "vmiscan"), help="the program to test")
    parser.add_argument("--hide", required=True, help="the program hide_symbols of the build")
    parser.add_argument("-n", "--limit", type=int, default=10, help="differences shown of a table")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every report in full")
    return parser.parse_args()


def main():
    options = parse_arguments()
    tally = run.Tally()
    if not options.names:
        check(tally, options, "sample", run.SAMPLES, next(run.SAMPLES.glob("debian*.truth.tar.zst")))
    for name, folder, status in run.made_guests(options.names) if options.names else ():
        if folder is None:
            tally.skip(name, status)
        else:
            check(tally, options, name, folder, folder / "truth")
    tally.print_rules()
    return tally.exit_status()


if __name__ == "__main__":
    sys.exit(main())
