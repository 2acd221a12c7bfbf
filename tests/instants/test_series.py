# SPDX-License-Identifier: LGPL-2.1-or-later
"""Series of snapshots: what is kept of each, what the tables say of them, and what stays of the document."""

import json
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import document  # noqa: E402
import series  # noqa: E402


def line(load="web", how="stopped", **more):
    """A snapshot of ten tasks, none of which is of any class."""
    classes = {key: 0 for _, key in series.CLASSES}
    return {"release": "6.1", "memory": "96M", "load": load, "how": how, "seconds": 0.5, "atomicity": "atomic-compatible",
            "tasks": 10} | classes | more


class Series(unittest.TestCase):
    """Tables and state."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = pathlib.Path(holder.name) / "file"

    def table(self, *lines):
        """{first cell: other cells} of the last table that has it."""
        state = series.State(None)
        state.lines = list(lines)
        rows = [row.strip("| ").split(" | ") for row in series.report(state, list(series.LOADS)) if row.startswith("| ")]
        return rows

    def test_shares(self):
        rows = self.table(line(zombie=2, intrinsic=2), line(), line(how="running", zombie=1, intrinsic=1))
        zombies = [row[1:] for row in rows if row[0] == "zombie"]
        self.assertEqual(zombies[0], ["50.00 (9.45–90.55)", "100.00 (20.65–100.00)"])
        self.assertEqual(zombies[1], ["10.00 (2.79–30.10)", "10.00 (1.79–40.42)"])

    def test_verdicts(self):
        rows = {row[0]: row[1:] for row in self.table(line(), line(how="running", atomicity="torn"))}
        self.assertEqual(rows["atomic-compatible"], ["1", "0"])
        self.assertEqual(rows["torn"], ["0", "1"])

    def test_state_goes_on(self):
        state = series.State(self.path)
        state.add(line())
        state.add(line(load="busy"))
        again = series.State(self.path)
        self.assertEqual(len(again.of("web", "stopped")), 1)
        self.assertEqual([json.loads(text) for text in self.path.read_text().splitlines()], again.lines)

    def test_the_rest_of_a_document_stays(self):
        begin, end = document.marks("script")
        self.path.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
        for content in (["new"], ["newer"]):
            document.replace_part(self.path, "script", content)
        self.assertEqual(self.path.read_text(), f"before\n{begin}\n\nnewer\n\n{end}\nafter\n")
        with self.assertRaises(ValueError):
            document.replace_part(self.path, "other script", ["new"])


if __name__ == "__main__":
    unittest.main()
