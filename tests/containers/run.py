#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One guest in every container: the same bytes and the same rows, whatever its memory came in.

Makes the guests that it needs (or takes them from the guests' cache), opens each file, compares it
with the guest's physical memory, and prints a line for each. Status 77: nothing could be made here.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

import libvirt  # noqa: E402
import oracles  # noqa: E402
import qemus  # noqa: E402
from check import Judge, container  # noqa: E402
from copies import COPIES, TOOL, Files  # noqa: E402
from guests import BY_NAME, SHAPES  # noqa: E402
from report import sentence, write_docs  # noqa: E402
from make import carried, containers  # noqa: E402
from maker.machine import GuestError  # noqa: E402
from maker.suites import SuiteError  # noqa: E402
from refusals import REFUSALS  # noqa: E402

# What the file of a row is judged by.
JUDGES = {"later": "memory-later.raw", "loaded": "{}.raw"}
KINDS = {"later": "same", "loaded": "same"}
COPIED_MOST = 64 << 30  # bytes of a raw file


class Table:
    """Collects lines and prints them."""

    def __init__(self):
        self.lines, self.failed = [], 0

    def add(self, facts, name, what, by, verdict=None, why=None):
        """One line; why is the reason for which there is no file."""
        line = {"guest": facts["shape"], "qemu": facts["qemu"], "file": name, "what": what,
                "by": by if verdict else "impossible", "why": why, **(verdict or {})}
        self.lines.append(line)
        self.failed += bool(verdict and verdict["wrong"])
        print(sentence(line), flush=True)


class Checker:
    """All files of one guest."""

    def __init__(self, folder, facts, scratch, table, oracles=False):
        self.files = Files(folder, facts, scratch)
        self.scratch, self.table, self.oracles, self.judges = scratch, table, oracles, {}

    def judge(self, name):
        if name not in self.judges:
            self.judges[name] = Judge(self.files.folder / name, self.files.ranges, self.scratch)
        return self.judges[name]

    def verdict(self, name, path, options, kind, judge="memory.raw"):
        """vmiscan's, and what the independent readers say."""
        verdict = self.judge(judge).verdict(path, options, kind)
        if self.oracles:
            verdict["oracles"] = oracles.ask(name, path, self.files.folder / judge,
                                             self.files.ranges, self.files.facts["release"])
            verdict["wrong"] += [f"{oracle}: {says}" for oracle, says in
                                 verdict["oracles"].items() if says == oracles.DIFFER]
        return verdict

    def made_by_qemu(self):
        """The files that QEMU wrote."""
        for row in self.files.facts["rows"]:
            verdict = None
            if not row["impossible"]:
                judge = JUDGES.get(row["judge"], "memory.raw").format(row["file"])
                verdict = self.verdict(row["file"], self.files.folder / row["file"],
                                       row["options"], KINDS.get(row["judge"], row["judge"]),
                                       judge)
            self.add(row["file"], row["what"], TOOL, verdict, row["impossible"])

    def add(self, name, what, by, verdict, why=None):
        self.table.add(self.files.facts, name, what, by, verdict, why)

    def copied(self, quick, shape):
        """The files made of these."""
        for copy in COPIES:
            if (copy.quick or not quick) and (copy.layout or shape.every) \
                    and not (copy.untold and shape.told):
                self.one_copy(copy)

    def one_copy(self, copy):
        lacking = [program for program in copy.needs if not shutil.which(program)]
        if lacking:
            self.add(copy.name, copy.what, copy.by, None, f"no {lacking[0]}")
            return
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            path = Path(folder) / copy.name
            try:
                options = copy.make(self.files, path)
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                self.add(copy.name, copy.what, copy.by, None, str(error))
                return
            self.add(copy.name, copy.what, copy.by,
                     self.verdict(copy.name, path, options, copy.judge))


def check(folder, facts, table, options, copies=True):
    """Judges all containers of one guest."""
    with tempfile.TemporaryDirectory(prefix="vmiscan-containers-") as scratch:
        checker = Checker(folder, facts, Path(scratch), table, options.oracles)
        raw = checker.verdict("memory.raw", folder / "memory.raw", (), "same")
        checker.add("memory.raw", "pmemsave", TOOL, raw)
        checker.made_by_qemu()
        # where high memory starts at 1 TiB the raw file is almost all hole: no compressor ends soon
        small = (folder / "memory.raw").stat().st_size < COPIED_MOST
        if copies and small and (folder / "elf").exists() and facts["shape"] in BY_NAME:
            checker.copied(options.quick, BY_NAME[facts["shape"]])


def check_refusals(table):
    """Each with its own sentence, and status 3."""
    facts = {"shape": "-", "qemu": "-"}
    for refusal in REFUSALS:
        with tempfile.TemporaryDirectory(prefix="vmiscan-refusals-") as folder:
            path = Path(folder) / "image"
            try:
                refusal.make(path)
            except (OSError, subprocess.SubprocessError) as error:
                table.add(facts, "refused", refusal.what, refusal.by, None, str(error))
                continue
            status, words = container.refuse(str(path), str(path) + ".db")
            words = words.strip().replace(f"{path}: ", "").removeprefix("vmiscan: ")
            wrong = [] if status == 3 and refusal.word in words else [f"status {status}: {words}"]
            table.add(facts, "refused", refusal.what, refusal.by, {"says": words, "wrong": wrong})


def run(options, table):
    """Guests one after the other; what can't be made is said, and the rest goes on."""
    for name in options.qemu.split(",") if options.qemu else ():
        try:
            qemu = qemus.installed() if name == "installed" else qemus.of_suite(name)
        except SuiteError as error:
            print(f"SKIP QEMU of {name}: {error}", flush=True)
            continue
        if qemu is None:
            print("SKIP no QEMU is installed (samples/packages guests)", flush=True)
            continue
        for shape in options.shapes:
            if shape.since <= qemu.number <= shape.until:
                run_guest(shape, qemu, options, table)


def run_guest(shape, qemu, options, table):
    try:
        folder, facts = containers(shape, qemu, options.quick)
    except (GuestError, SuiteError, OSError) as error:
        print(f"SKIP {shape.name} under QEMU {qemu.version}: {error}", flush=True)
        return
    check(folder, facts, table, options, not options.no_copies)
    if options.discard:
        shutil.rmtree(folder, ignore_errors=True)


def run_carried(suite, options, table):
    """The guest that the installed QEMU stopped, in another one."""
    try:
        old, facts = containers(BY_NAME["pc"], qemus.installed(), options.quick)
        qemu = qemus.of_suite(suite)
        kind = f"pc-i440fx-{'.'.join(facts['qemu'].split('.')[:2])}"
        folder, facts = carried(old, qemu, kind)
    except (GuestError, SuiteError, OSError, subprocess.SubprocessError) as error:
        print(f"SKIP the installed QEMU's guest in that of {suite}: {error}", flush=True)
        return
    check(folder, facts, table, options, copies=False)


def run_libvirt(suite, options, table):
    """Files of a libvirtd of one's own."""
    with tempfile.TemporaryDirectory(prefix="vmiscan-libvirt-") as folder:
        try:
            facts = libvirt.containers(Path(folder), suite)
        except (GuestError, SuiteError, OSError, subprocess.SubprocessError) as error:
            print(f"SKIP libvirt ({suite}): {error}", flush=True)
            return
        check(Path(folder), facts, table, options, copies=False)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vmiscan", required=True, help="the program to judge")
    parser.add_argument("--same-memory", help="the program that compares bytes (tests/same_memory)")
    parser.add_argument("--quick", action="store_true", help="the pc guest, the installed QEMU")
    parser.add_argument("--qemu", default="installed,trixie,sid", help="installed, or suites")
    parser.add_argument("--guests", default=",".join(s.name for s in SHAPES), help="names")
    parser.add_argument("--carry", default="", help="suites whose QEMU loads the installed one's")
    parser.add_argument("--made", nargs="*", default=[], metavar="FOLDER",
                        help="folders of the cache, as they are")
    parser.add_argument("--no-copies", action="store_true", help="only what QEMU wrote itself")
    parser.add_argument("--libvirt", default="", metavar="SUITES",
                        help="a domain of libvirt's, too: installed, or suites whose libvirt has it")
    parser.add_argument("--oracles", action="store_true",
                        help="ask crash and libkdumpfile, too, where they can be had")
    parser.add_argument("--docs", help="write the tables into this file (docs/FORMATS.md)")
    parser.add_argument("--json", help="write the lines to this file, too")
    parser.add_argument("--before", nargs="*", default=[], metavar="JSON",
                        help="lines of earlier runs, which the tables have first")
    parser.add_argument("--discard", action="store_true", help="keep no files in the cache")
    options = parser.parse_args()
    if options.quick:
        options.qemu, options.guests = "installed", "pc"
    options.shapes = [BY_NAME[name] for name in options.guests.split(",")]
    return options


def main():
    options = parse_arguments()
    beside = Path(options.vmiscan).resolve().parent / "tests" / "same_memory"
    os.environ["VMISCAN_SAME_MEMORY"] = options.same_memory or str(beside)
    container.VMISCAN = options.vmiscan
    table = Table()
    check_refusals(table)
    run(options, table)
    for suite in options.carry.split(",") if options.carry else ():
        run_carried(suite, options, table)
    for folder in map(Path, options.made):
        check(folder, json.loads((folder / "facts.json").read_text()), table, options,
              not options.no_copies)
    for suite in options.libvirt.split(",") if options.libvirt else ():
        run_libvirt(suite, options, table)
    if options.json:
        Path(options.json).write_text(json.dumps(table.lines, indent=1) + "\n")
    if options.docs:
        before = [json.loads(Path(name).read_text()) for name in options.before]
        write_docs(Path(options.docs), sum(before, []) + table.lines)
    made = [line for line in table.lines if line["by"] != "impossible"]
    print(f"{len(made)} files judged, {table.failed} wrong, "
          f"{len(table.lines) - len(made)} can't be made here")
    return 1 if table.failed else 0 if made else 77


if __name__ == "__main__":
    sys.exit(main())
