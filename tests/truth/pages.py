# SPDX-License-Identifier: LGPL-2.1-or-later
"""process_page_map: every present page of every /proc/PID/pagemap, as runs.

The truth and the database cut their runs at different places: the one where a page's kind changes,
the other where permissions do. Both are joined to the longest runs first, then compared."""

import bisect

from engine import Comparison


def _truth_runs(process):
    """(start_va, end_va, start_pa), in the order of addresses."""
    for line in (process.living_file("pagemap") or b"").splitlines():
        start, end, frame = line.split(b"\t")[:3]
        if not frame.startswith(b"swap"):
            yield int(start, 16), int(end, 16), int(frame, 16) * process.truth.page


def _database_runs(case):
    runs = {}
    for row in case.database.rows("process_page_map"):
        runs.setdefault(row["pid"], []).append(
            tuple(int(row[c], 16) for c in ("start_va", "end_va", "start_pa")))
    return runs


def join(runs):
    """Neighbours in both address spaces become one run."""
    joined = []
    for start, end, pa in sorted(runs):
        if joined and joined[-1][1] == start and joined[-1][2] + start - joined[-1][0] == pa:
            joined[-1][1] = max(end, joined[-1][1])
        else:
            joined.append([start, end, pa])
    return joined


def cut(runs, borders):
    """The same runs, cut at the sorted addresses where either side's runs begin or end."""
    for start, end, pa in runs:
        inner = borders[bisect.bisect_right(borders, start):bisect.bisect_left(borders, end)]
        for at, until in zip([start, *inner], [*inner, end]):
            yield at, until, pa + at - start


def _rows(pid, mine, other, **context):
    borders = sorted({border for runs in (mine, other) for run in runs for border in run[:2]})
    for start, end, pa in cut(mine, borders):
        yield context | {"pid": pid, "start_va": start, "end_va": end, "start_pa": pa}


def _expected(case):
    theirs = _database_runs(case)
    for process in case.truth.processes.values():
        mine = join(_truth_runs(process))
        yield from _rows(process.pid, mine, join(theirs.get(process.pid, ())), _process=process)


def _actual(case):
    for pid, runs in _database_runs(case).items():
        process = case.truth.processes.get(pid)
        other = join(_truth_runs(process)) if process else []
        yield from _rows(pid, join(runs), other)


COMPARISONS = [Comparison(
    "process_page_map", ("pid", "start_va"), _expected, lambda case: list(_actual(case)),
    untold={"page_size": "relations: as many huge pages as smaps counts",
            "permissions": "relations: no more than the mapping allows",
            "dirty": "relations: no more than smaps counts",
            "accessed": "relations: no more than smaps counts",
            "task_addr": "relations: the process's"})]
