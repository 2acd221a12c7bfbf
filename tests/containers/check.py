# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges one file: the rows and the bytes that vmiscan finds in it, and what `info` says."""
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "formats"))
import container  # noqa: E402


# Of these, pages are missing; what is there must be right.
LACKING = ("part", "excluded", "unmapped")


def same_memory():
    """The program beside the build's own that compares bytes."""
    return os.environ.get("VMISCAN_SAME_MEMORY", "same_memory")


def compare_bytes(image, options, judge, ranges):
    """Counts of pages: all, different ones, absent ones."""
    text = ",".join(f"{start:x}-{end:x}" for start, end in ranges)
    done = subprocess.run([same_memory(), judge, text, image, *options], capture_output=True,
                          text=True, timeout=600, check=False)
    if done.returncode != 0:
        return {"error": done.stderr.strip() or f"status {done.returncode}"}
    return json.loads(done.stdout)


def info(image, options):
    """What `vmiscan info` says, as JSON."""
    done = subprocess.run([container.VMISCAN, "info", "--json", image, *options], text=True,
                          capture_output=True, timeout=300, check=False)
    return json.loads(done.stdout) if done.stdout else {"error": done.stderr.strip()}


class Judge:
    """What the stopped guest's memory says: rows from its raw file, once for all containers."""

    def __init__(self, memory, ranges, scratch):
        self.memory, self.ranges = str(memory), ranges
        self.scratch = Path(scratch)
        self.database = self.scratch / f"{Path(memory).name}.judge.db"
        container.analyse(self.memory, str(self.database), "--force")

    def rows(self, image, options, damaged):
        """(number of rows, words on each table that is not the judge's)."""
        out = self.scratch / "out.db"
        leave_out = frozenset({"problems"} if damaged else ())
        container.analyse(str(image), str(out), "--force", *options, status=1 if damaged else 0)
        got, want = container.tables(out, leave_out), container.tables(self.database, leave_out)
        return (sum(len(rows) for rows in got.values()),
                [f"{t}: {rows}" for t, rows in container.differences(want, got).items()])

    def verdict(self, image, options, kind):
        """What a line of the table has: counts, and `wrong`, which is empty where all is right.

        Kinds: "same"; "damaged", where the rows are the same, but a problem is told; "part", where
        bytes are missing, and it is told; "excluded", where they were left out on purpose, so that
        rows are missing, too; "unmapped", where no row needs what was left out.
        """
        image, told = str(image), info(image, options)
        pages = compare_bytes(image, options, self.memory, self.ranges)
        result = {"pages": pages, "info": told, "rows": None}
        wrong = [pages["error"]] if "error" in pages else []
        if pages.get("different") or (pages.get("absent") and kind not in LACKING):
            wrong.append(f"{pages['different']} pages differ, {pages['absent']} are absent")
        if (kind in ("part", "damaged")) != bool(told.get("truncated")):
            wrong.append(f"info has truncated: {told.get('truncated')} ({told.get('error')})")
        if kind not in ("part", "excluded"):
            try:
                result["rows"], differences = self.rows(image, options, kind == "damaged")
                wrong += differences
            except AssertionError as error:
                wrong.append(str(error))
        return {**result, "wrong": wrong}
