#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How often tasks of a snapshot are being born or dying, or are torn: series of snapshots under three loads.

Each load is saved many times with the guest stopped, and many times piece by piece while it runs. What
`vmiscan watch` counts in each snapshot is kept as a line of JSON in the file of --state, and the snapshot
is deleted; a run that was ended goes on from there. The table is made of all lines."""

import argparse
import dataclasses
import json
import math
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import boot  # noqa: E402
import document  # noqa: E402
from maker.machine import GuestError  # noqa: E402
from maker.suites import SuiteError  # noqa: E402
from torn import WARM_UP_SECONDS, save_running, save_stopped  # noqa: E402

ALL_SKIPPED = 77
LOADS = {"busy": "CPU-bound", "storm": "fork and exec storm", "web": "web server"}
HOWS = {"stopped": save_stopped, "running": save_running}
SCRIPT = "tests/instants/series.py"
TRIALS = 5
MOST_BREATH_SECONDS = 0.5  # between two snapshots; at random, so that no rhythm of the load is hit
Z = 1.959963984540054  # of the normal distribution, 95 % between -Z and Z
# (column of the table, key in what vmiscan counts)
CLASSES = (
    ("zombie", "zombie"), ("dying", "dying"), ("as-good-as-dead", "as-good-as-dead"), ("fresh", "fresh"),
    ("any intrinsic", "intrinsic"), ("task-died", "task-died"), ("attribute-changed", "attribute-changed"),
    ("any extrinsic", "extrinsic"), ("cross-view", "cross-view"),
)


def wilson(count, of):
    """The interval of 95 % for the share behind count of `of`."""
    if of == 0:
        return 0.0, 1.0
    share, zz = count / of, Z * Z / of
    middle = (share + zz / 2) / (1 + zz)
    half = Z * math.sqrt((share * (1 - share) + zz / 4) / of) / (1 + zz)
    return (0.0 if count == 0 else middle - half), (1.0 if count == of else middle + half)


def count(vmiscan, image):
    """What vmiscan counts in a snapshot."""
    command = [vmiscan, "watch", "--json", "--no-progress", str(image)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        raise GuestError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
    (snapshot,) = json.loads(done.stdout)["snapshots"]
    return snapshot


def take(options, machine, load, how):
    """One snapshot, as a line of the state."""
    path = machine.folder / "memory.raw"
    time.sleep(random.uniform(0, MOST_BREATH_SECONDS))
    began = time.monotonic()
    HOWS[how](machine, path, options.pause)
    seconds = time.monotonic() - began
    snapshot = count(options.vmiscan, path)
    path.unlink()
    return {"release": machine.kernel.release, "memory": machine.guest.memory, "load": load, "how": how,
            "seconds": round(seconds, 3), **snapshot}


class State:
    """Lines of JSON, one a snapshot, on disk as soon as they are known."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        if path and path.exists():
            self.lines = [json.loads(line) for line in path.read_text().splitlines()]

    def add(self, line):
        """Keeps it."""
        self.lines.append(line)
        if self.path:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def of(self, load, how):
        """The snapshots of a series."""
        return [line for line in self.lines if (line["load"], line["how"]) == (load, how)]


def fill_load(options, guest, state, load, scratch):
    """Takes what is lacking of a load, in turn, so that what changes with time changes for all."""
    with boot.Machine(guest, scratch, thread="multi") as machine:
        machine.order(f"play {load}")
        time.sleep(WARM_UP_SECONDS)
        while lacking := [how for how in HOWS if len(state.of(load, how)) < options.count]:
            for how in lacking:
                line = take(options, machine, load, how)
                state.add(line)
                print(f"{load} {how} {len(state.of(load, how))}: {line['atomicity']}, {line['tasks']} tasks, "
                      f"{line['intrinsic']} intrinsic, {line['extrinsic']} extrinsic", flush=True)


def fill(options, state, scratch):
    """Takes what is lacking of all loads. A guest that ends, on a machine that is too busy, is booted again."""
    guest = dataclasses.replace(boot.BY_NAME[options.guest], memory=options.memory)
    for load in options.loads:
        for trial in range(1, TRIALS + 1):
            try:
                if any(len(state.of(load, how)) < options.count for how in HOWS):
                    fill_load(options, guest, state, load, scratch)
                break
            except GuestError as error:
                if trial == TRIALS:
                    raise
                print(f"{load}: {error}; once more", flush=True)


# --- the table ---


def _share(part, whole):
    if not whole:
        return "-"
    low, high = wilson(part, whole)
    return f"{100 * part / whole:.2f} ({100 * low:.2f}–{100 * high:.2f})"


def _rows(series, shares):
    """A row for each class: its name, then what shares(lines, key) says of each series."""
    for name, key in CLASSES:
        yield "| " + " | ".join([name, *(shares(lines, key) for lines in series)]) + " |"


def snapshots_with(lines, key):
    """The share of snapshots that have a task of the class."""
    return _share(sum(line[key] > 0 for line in lines), len(lines))


def tasks_of(lines, key):
    """The share of tasks that are of the class."""
    return _share(sum(line[key] for line in lines), sum(line["tasks"] for line in lines))


def _verdicts(lines, verdict):
    return str(sum(line["atomicity"] == verdict for line in lines))


def report(state, loads):
    """Markdown: the series, then the share of snapshots and of tasks of each class."""
    keys = [(load, how) for load in loads for how in HOWS if state.of(load, how)]
    series = [state.of(*key) for key in keys]
    releases = sorted({f"{line['release']}, {line['memory']}iB of memory, 2 CPUs" for lines in series for line in lines})
    head = "| | " + " | ".join(f"{LOADS[load]}, {how}" for load, how in keys) + " |"
    rule = "|---" * (1 + len(keys)) + "|"
    lines = [f"Made by `{SCRIPT}` with `vmiscan watch`. Guest: {'; '.join(releases)}.", "", head, rule]
    for name, value in (("snapshots", lambda s: str(len(s))), ("tasks", lambda s: str(sum(line["tasks"] for line in s))),
                        ("seconds of a save, median", lambda s: f"{statistics.median(line['seconds'] for line in s):.2f}")):
        lines.append("| " + " | ".join([name, *(value(s) for s in series)]) + " |")
    for verdict in ("atomic-compatible", "locally torn", "torn", "undecidable"):
        lines.append("| " + " | ".join([verdict, *(_verdicts(s, verdict) for s in series)]) + " |")
    lines += ["", "Snapshots that have at least one task of the class, in percent, with the 95 % interval of Wilson:", "",
              head, rule, *_rows(series, snapshots_with)]
    lines += ["", "Tasks of the class, in percent of all tasks of all snapshots; the interval takes tasks for independent:", "",
              head, rule, *_rows(series, tasks_of)]
    return lines


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vmiscan", required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--guest", default="6.1", choices=list(boot.BY_NAME))
    parser.add_argument("--memory", default="96M", help="of the guest (default 96M)")
    parser.add_argument("--loads", nargs="*", default=list(LOADS), choices=list(LOADS))
    parser.add_argument("--count", type=int, default=100, help="snapshots of each kind (default 100)")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between two pieces (default 0.02)")
    parser.add_argument("--state", metavar="FILE", type=pathlib.Path, help="keep each snapshot's counts there, and go on from it")
    parser.add_argument("--table", metavar="FILE", type=pathlib.Path, help="write the tables there, between their marks")
    return parser.parse_args()


def main():
    options = parse_arguments()
    state = State(options.state)
    with tempfile.TemporaryDirectory(prefix="series-") as scratch:
        try:
            fill(options, state, scratch)
        except (SuiteError, FileNotFoundError) as error:
            print(f"SKIP {options.guest}: {error}", flush=True)
            return ALL_SKIPPED
    lines = report(state, options.loads)
    print("\n".join(lines))
    if options.table:
        document.replace_part(options.table, SCRIPT, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
