#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Saves a guest in a storm of forks, execs, files and mappings many times: stopped, and slowly while it runs.

What is saved while the guest stands still must be called atomic-compatible, without a violation that no lock
excuses; what is saved piece by piece while it runs must be called torn."""

import argparse
import collections
import contextlib
import pathlib
import sqlite3
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import boot  # noqa: E402
import document  # noqa: E402
import judge  # noqa: E402
from maker.machine import GuestError  # noqa: E402
from maker.suites import SuiteError  # noqa: E402

ALL_SKIPPED = 77
SCRIPT = "tests/instants/torn.py"
MIB = 1 << 20
PIECE = 2 * MIB
BREATH_SECONDS = 0.7  # between two captures of a stopped guest
WARM_UP_SECONDS = 5
NEEDED = {"stopped": ("atomic-compatible", 1.0), "running": ("torn", 0.95)}

Snapshot = collections.namedtuple("Snapshot", "kernel release how verdict reason rules seconds said")


def save_stopped(machine, path, _pause):
    """Memory of one instant."""
    machine.monitor.call("stop")
    machine.save(path)
    machine.monitor.call("cont")


def save_running(machine, path, pause):
    """Memory of many instants: a piece at a time, in the order of addresses."""
    piece = path.with_suffix(".piece")
    with open(path, "wb") as whole:
        for start in range(0, machine.size, PIECE):
            machine.monitor.call("pmemsave", val=start, size=PIECE, filename=str(piece))
            whole.write(piece.read_bytes())
            time.sleep(pause)


def look(options, machine, how, path):
    """What vmiscan says of a capture."""
    database = path.with_suffix(".db")
    began = time.monotonic()
    status, said = judge.analyse(options.vmiscan, path, database, "processes,threads,inconsistencies,atomicity,run")
    seconds = time.monotonic() - began
    if status not in (0, 1):
        return Snapshot(machine.guest.name, machine.kernel.release, how, f"status {status}", said, {}, seconds, said)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        verdict, reason = connection.execute("SELECT atomicity, atomicity_reason FROM run").fetchone()
        rules = {name: rest for name, *rest in
                 connection.execute("SELECT invariant, evaluated, violated, excused_by_lock, worst_example, weight FROM atomicity")}
    return Snapshot(machine.guest.name, machine.kernel.release, how, verdict, reason, rules, seconds, said)


def snapshots(guest, options, scratch):
    """All captures of one guest."""
    with boot.Machine(guest, scratch, thread=options.thread) as machine:
        machine.order("play storm")
        time.sleep(WARM_UP_SECONDS)
        for how, save in (("stopped", save_stopped), ("running", save_running)):
            for _ in range(options.count):
                path = machine.folder / "memory.raw"
                save(machine, path, options.pause)
                yield look(options, machine, how, path)
                time.sleep(BREATH_SECONDS if how == "stopped" else 0)


def line(snapshot):
    """One capture for the terminal."""
    wrong = [f"{name}: {worst}" for name, (_, violated, _, worst, _) in snapshot.rules.items() if violated]
    text = f"{snapshot.kernel} {snapshot.how}: {snapshot.verdict}: {snapshot.reason}"
    expected = NEEDED[snapshot.how][0]
    return "\n     ".join([text] + (wrong if snapshot.verdict != expected else []))


def tally(found):
    """[(kernel, release, how, captures, right, enough)]"""
    rows = []
    for key in dict.fromkeys((s.kernel, s.release, s.how) for s in found):
        group = [s for s in found if (s.kernel, s.release, s.how) == key]
        wanted, share = NEEDED[key[2]]
        right = sum(s.verdict == wanted for s in group)
        rows.append((*key, len(group), right, right >= share * len(group)))
    return rows


def _rule_rows(found):
    for name in found[0].rules if found else ():
        cells = [name, found[0].rules[name][-1]]
        for how in NEEDED:
            of = [s.rules.get(name, (0, 0, 0)) for s in found if s.how == how]
            cells += [sum(r[0] for r in of), sum(r[1] for r in of), sum(r[2] for r in of)]
        yield "| " + " | ".join(str(cell) for cell in cells) + " |"


def tables(found):
    """Markdown: verdicts, then rules."""
    lines = [f"Made by `{SCRIPT}`.", "", "| kernel | saved | captures | must be | are | |", "|---|---|---|---|---|---|"]
    for kernel, release, how, captures, right, enough in tally(found):
        lines.append(f"| {kernel} ({release}) | {how} | {captures} | {NEEDED[how][0]} | {right} | {'ok' if enough else 'FAIL'} |")
    lines += ["", "Rules over all captures: evaluated, violated with a free lock, excused by a held one.", "",
              "| rule | weight | stopped: evaluated | violated | excused | running: evaluated | violated | excused |",
              "|---|---|---|---|---|---|---|---|", *_rule_rows(found)]
    return lines


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vmiscan", required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--guests", nargs="*", default=list(boot.BY_NAME), choices=list(boot.BY_NAME))
    parser.add_argument("--count", type=int, default=20, help="captures of each kind (default 20)")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two pieces (default 0.05)")
    parser.add_argument("--thread", default="multi", choices=("multi", "single"), help="how QEMU emulates two CPUs")
    parser.add_argument("--table", metavar="FILE", help="write the result there, as a document")
    return parser.parse_args()


def main():
    options = parse_arguments()
    found = []
    with tempfile.TemporaryDirectory(prefix="torn-") as scratch:
        for name in options.guests:
            try:
                for snapshot in snapshots(boot.BY_NAME[name], options, scratch):
                    found.append(snapshot)
                    print(line(snapshot), flush=True)
            except (GuestError, SuiteError, FileNotFoundError) as error:
                if any(s.kernel == name for s in found):
                    raise
                print(f"SKIP {name}: {error}", flush=True)
    if options.table:
        document.replace_part(pathlib.Path(options.table), SCRIPT, tables(found))
    for kernel, _, how, captures, right, enough in tally(found):
        print(f"{'ok  ' if enough else 'FAIL'} {kernel} {how}: {right} of {captures} are {NEEDED[how][0]}")
    if not found:
        return ALL_SKIPPED
    return 0 if all(row[-1] for row in tally(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
