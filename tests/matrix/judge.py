# SPDX-License-Identifier: LGPL-2.1-or-later
"""Analyses each container of a guest and compares the database with the guest's truth."""

import json
import pathlib
import re
import sqlite3
import subprocess
import time

import compare
import run as truth_run
from database import Database

CONTAINERS = {"memory.raw": "raw", "memory.elf": "ELF", "memory.stream": "QEMU stream"}
# A busy machine makes a run slower, never faster.
TIMED_RUNS = 3


def analyse(vmiscan, image, database, options):
    """Milliseconds that it took, the least of some runs; Failure unless the exit status is 0."""
    times = []
    for _ in range(TIMED_RUNS):
        began = time.monotonic()
        truth_run.analyse(vmiscan, image, database, *options)
        times.append(time.monotonic() - began)
    return round(min(times) * 1000)


def _differences(outcome):
    """Every fault of a comparison as a sentence."""
    said = []
    for result in outcome.results:
        said += [f"{result.table}: {failure}" for failure in result.failures]
        said += [difference.text() for difference in result.bad()]
    for check in outcome.relations:
        said += [f"{check.sentence}: {failure}" for failure in check.failures]
        if not check.passed and not check.failures:
            said.append(f"{check.sentence}: not so")
    return said


def _warnings(database):
    opened = Database(database)
    try:
        return [f"{row['table_name']}: {row['message']}" for row in opened.rows("problems")]
    finally:
        opened.close()


def judge_image(vmiscan, image, truth, database, options):
    """What came of one container, as plain values."""
    result = {"container": CONTAINERS.get(image.name, image.name)}
    try:
        result["ms"] = analyse(vmiscan, image, database, options)
    except truth_run.Failure as failure:
        return {**result, "differences": [str(failure)]}
    try:
        outcome = compare.compare_paths(database, truth)
    except (OSError, sqlite3.Error, ValueError) as error:
        return {**result, "differences": [f"cannot be compared: {error!r}"]}
    return {
        **result,
        "rows": outcome.compared_rows,
        "equal": sum(r.equal for r in outcome.results),
        "allowed": sum(r.allowed for r in outcome.results),
        "rules": {rule.name: rule.used for rule in outcome.rules if rule.used},
        "warnings": _warnings(database),
        "differences": _differences(outcome),
    }


def _same(databases, images):
    rows = [truth_run.rows_of_guest(database) for database in databases]
    for image, other in zip(images[1:], rows[1:]):
        difference = truth_run.first_difference(rows[0], other)
        if difference:
            yield f"{images[0].name} and {image.name} differ: {difference}"


def judge_guest(vmiscan, folder, options, scratch):
    """Results of all containers of a guest."""
    images = [folder / name for name in CONTAINERS if (folder / name).exists()]
    databases = [scratch / f"{image.name}.db" for image in images]
    # Without the times of the run, so that the databases can be compared with each other.
    options = [*options, "--reproducible"]
    results = [judge_image(vmiscan, image, folder / "truth", database, options)
               for image, database in zip(images, databases)]
    if not results:
        return [{"container": "none", "differences": ["the guest has no image"]}]
    if all(database.exists() for database in databases):
        results[-1]["differences"] += _same(databases, images)
    return results


def config(folder, built=""):
    """How the machine and the kernel were set up, from what the guest and QEMU say; what the kernel
    was built without is not said twice."""
    facts = json.loads((folder / "guest.json").read_text())
    registers = (folder / "host" / "registers.txt").read_text() if (folder / "host").exists() else ""
    flags = (folder / "truth" / "sys" / "cpuinfo").read_bytes()
    said = ["nokaslr" if "nokaslr" in " ".join(facts["command"]) else "KASLR"]
    if "RANDOMIZE_BASE=n" in built:
        said.clear()
    cr4 = re.search(r"CR4=([0-9a-f]+)", registers)
    if cr4:
        said.append("5-level" if int(cr4.group(1), 16) >> 12 & 1 else "4-level")
    if facts["guest"].get("arch") == "arm64":
        said.append(facts["guest"]["cpu"])
    if re.search(rb"\bpti\b", flags):
        said.append("PTI")
    return ", ".join([*said, facts["guest"]["memory"]])


def release(folder):
    """What uname said in the guest."""
    return json.loads((folder / "guest.json").read_text())["release"]


def version(vmiscan):
    """What the program says of itself."""
    done = subprocess.run([vmiscan, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[0]


def sources():
    """The files that decide what a comparison says."""
    here = pathlib.Path(__file__).resolve()
    return [here, *sorted((here.parents[1] / "truth").glob("*.py"))]
