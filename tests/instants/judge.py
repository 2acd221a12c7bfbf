# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks vmiscan what it sees in a capture, and says in what that differs from what must be seen."""

import contextlib
import pathlib
import sqlite3
import subprocess
import tempfile
from dataclasses import dataclass, field

from instants import PLAINLY_ALIVE

OUTSIDE_THE_LIST = ("N0", "N1", "X2", "X3")

TABLES = "processes,threads,inconsistencies,problems,coverage"


@dataclass
class Verdict:
    """What was found, and each fault of it as a sentence."""

    found: str = ""
    faults: list = field(default_factory=list)
    mislabelled: list = field(default_factory=list)
    labels: list = field(default_factory=list)  # (class given, class that is true) of every thread

    @property
    def passed(self):
        """Whether nothing was wrong."""
        return not self.faults and not self.mislabelled


def analyse(vmiscan, image, database, tables=TABLES):
    """Runs vmiscan on a capture."""
    command = [vmiscan, str(image), "-o", str(database), "--force", "-q", "--no-progress", "--tables", tables]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False)
    return done.returncode, done.stdout.strip()


def _rows(database, table):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]


def _label(row):
    return f"{row['lifecycle']}/{row['phase'] or '-'}"


def _judge_target(verdict, instant, row, finding, process):
    if row is None:
        verdict.found = "absent"
        if instant.listed:
            verdict.faults.append("the task is in no table")
        return
    verdict.found = _label(row)
    if (row["found_by"] == "tasks") != instant.listed:
        verdict.faults.append(f"found by {row['found_by']}")
    if row["lifecycle"] != instant.life or row["phase"] not in instant.phases:
        verdict.faults.append(f"{_label(row)} instead of {instant.life}/{'|'.join(str(p) for p in instant.phases)}")
        return
    if instant.life != "live":
        if finding is None:
            verdict.faults.append("no row in inconsistencies")
            return
        if instant.missing not in (finding["missing"] or ""):
            verdict.faults.append(f"missing is {finding['missing']!r}, without {instant.missing!r}")
    evidence = (finding or process or {}).get("evidence", (process or {}).get("lifecycle_evidence"))
    for part in instant.evidence:
        if part not in (evidence or ""):
            verdict.faults.append(f"evidence is {evidence!r}, without {part!r}")
    for column in instant.null:
        if process and process[column] is not None:
            verdict.faults.append(f"{column} is {process[column]!r}, not NULL")


def _judge_others(verdict, instant, threads, target):
    for row in threads:
        if row["task_addr"] == target:
            verdict.labels.append((row["lifecycle"], instant.life))
            continue
        if row["found_by"] != "tasks" and row["phase"] in OUTSIDE_THE_LIST:
            continue  # what earlier instants left
        given = (row["lifecycle"], row["phase"])
        right = instant.others.get(row["name"], PLAINLY_ALIVE)
        verdict.labels.append((given[0], given[0] if given in right else sorted(right, key=str)[0][0]))
        if given not in right:
            verdict.mislabelled.append(f"{row['tid']} {row['name']}: {_label(row)}")


def judge(vmiscan, image, instant, task):
    """The verdict over one capture; task is the address of the task that it is about."""
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder:
        database = pathlib.Path(folder) / "capture.db"
        status, output = analyse(vmiscan, image, database)
        if status != 0:
            verdict.faults.append(f"vmiscan ended with status {status}: {output}")
            if status != 1:
                return verdict
        target = f"0x{task:016x}"
        threads, processes = _rows(database, "threads"), _rows(database, "processes")
        findings = {row["task_addr"]: row for row in _rows(database, "inconsistencies") if row["scope"] == "intrinsic"}
        problems = [row for row in _rows(database, "problems") if row["severity"] != "note"]
    by_address = {row["task_addr"]: row for row in threads}
    process = next((row for row in processes if row["task_addr"] == target), None)
    _judge_target(verdict, instant, by_address.get(target), findings.get(target), process)
    _judge_others(verdict, instant, threads, target)
    if target not in by_address and instant.listed:
        verdict.labels.append((None, instant.life))
    verdict.faults += [f"{row['severity']}: {row['table_name']}: {row['message']}" for row in problems]
    return verdict
