# SPDX-License-Identifier: LGPL-2.1-or-later
"""The judge of captures finds what is wrong: a label, a phase, evidence, a column, another task, a broken list."""

import os
import pathlib
import sqlite3
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import judge  # noqa: E402
import run  # noqa: E402
from instants import Instant  # noqa: E402

TASK, OTHER = 0xFFFF888001230000, 0xFFFF888001240000
INSTANT = Instant("D2", ("exit_sem",), "arg0", "dying", evidence=("mm=0x0",), missing="memory", null=("cmdline",))
COLUMNS = {
    "threads": "tid, name, lifecycle, phase, task_addr, found_by",
    "processes": "task_addr, cmdline, lifecycle_evidence",
    "inconsistencies": "task_addr, scope, evidence, missing",
    "problems": "severity, table_name, message",
}


def rows():
    """What vmiscan must say of the instant."""
    task, other = f"0x{TASK:016x}", f"0x{OTHER:016x}"
    return {
        "threads": [[7, "it", "dying", "D2", task, "tasks"], [8, "other", "live", None, other, "tasks"]],
        "processes": [[task, None, "flags=0x4 mm=0x0"], [other, "other", None]],
        "inconsistencies": [[task, "intrinsic", "flags=0x4 mm=0x0", "memory, mappings"]],
        "problems": [["note", "processes", "a swapped page"]],
    }


class Judge(unittest.TestCase):
    """One database after another, each with one thing changed."""

    def judged(self, change=lambda rows: None, instant=INSTANT, status=0):
        """The verdict over rows() after change(rows)."""
        tables = rows()
        change(tables)

        def analyse(_vmiscan, _image, path):
            connection = sqlite3.connect(path)
            for table, columns in COLUMNS.items():
                connection.execute(f"CREATE TABLE {table} ({columns})")
                marks = ", ".join("?" * len(columns.split(",")))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", tables[table])
            connection.commit()
            connection.close()
            return status, "said"

        with mock.patch.object(judge, "analyse", analyse):
            return judge.judge("vmiscan", "image", instant, TASK)

    def assert_fault(self, text, change, **more):
        """That change is found, and said with this text."""
        verdict = self.judged(change, **more)
        self.assertFalse(verdict.passed)
        self.assertIn(text, " ".join(verdict.faults + verdict.mislabelled))

    def test_what_is_right_passes(self):
        verdict = self.judged()
        self.assertTrue(verdict.passed, verdict)
        self.assertEqual(verdict.labels, [("dying", "dying"), ("live", "live")])

    def test_another_class(self):
        self.assert_fault("zombie/D2 instead of", lambda r: r["threads"][0].__setitem__(2, "zombie"))

    def test_another_phase(self):
        self.assert_fault("dying/D1 instead of", lambda r: r["threads"][0].__setitem__(3, "D1"))

    def test_a_task_that_is_not_there(self):
        self.assert_fault("in no table", lambda r: r["threads"].pop(0))

    def test_a_task_outside_the_list(self):
        instant = Instant("D2", ("f",), "arg0", "dying", listed=False)
        self.assert_fault("found by tasks", lambda r: None, instant=instant)
        self.assertTrue(self.judged(lambda r: r["threads"][0].__setitem__(5, "task_scan"), instant=instant).passed)
        self.assertTrue(self.judged(lambda r: r["threads"].pop(0), instant=instant).passed)

    def test_a_listed_task_that_was_only_scanned(self):
        self.assert_fault("found by task_scan", lambda r: r["threads"][0].__setitem__(5, "task_scan"))

    def test_no_finding(self):
        self.assert_fault("no row in inconsistencies", lambda r: r["inconsistencies"].clear())

    def test_other_evidence(self):
        self.assert_fault("without 'mm=0x0'", lambda r: r["inconsistencies"][0].__setitem__(2, "flags=0x4"))

    def test_nothing_missing(self):
        self.assert_fault("without 'memory'", lambda r: r["inconsistencies"][0].__setitem__(3, None))

    def test_a_stale_column(self):
        self.assert_fault("not NULL", lambda r: r["processes"][0].__setitem__(1, "stale"))

    def test_another_task_mislabelled(self):
        self.assert_fault("8 other: fresh/N4", lambda r: r["threads"][1].__setitem__(slice(2, 4), ["fresh", "N4"]))

    def test_a_list_that_looks_broken(self):
        self.assert_fault("error: threads: cycle", lambda r: r["problems"].append(["error", "threads", "cycle"]))

    def test_an_analysis_that_failed(self):
        self.assert_fault("status 1", lambda r: None, status=1)


class Settle(unittest.TestCase):
    """What a run of captures ends with: a wrong label fails; an instant that slipped by only in the whole run."""

    def settle(self, *found, broken=(), quick=True):
        captures = [run.Capture("6.1", "", "", INSTANT, "", judge.Verdict(name, faults)) for name, faults in found]
        with mock.patch("builtins.print"):
            return run.settle(captures, broken, quick)

    def test_status(self):
        good, late, wrong = ("dying/D2", []), (run.NEVER_CAME, ["late"]), ("live/", ["wrong"])
        self.assertEqual(self.settle(good), 0)
        self.assertEqual(self.settle(good, late), run.ALL_SKIPPED)
        self.assertEqual(self.settle(good, late, quick=False), 1)
        self.assertEqual(self.settle(good, late, wrong), 1)
        self.assertEqual(self.settle(good, broken=["QEMU ended"]), run.ALL_SKIPPED)
        self.assertEqual(self.settle(broken=["no kernel"], quick=False), run.ALL_SKIPPED)


class State(unittest.TestCase):
    """Captures that are kept."""

    def test_what_is_kept_comes_back(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "state"
            instant, other = run.plan.SCENARIOS["exec"][:2]
            good = judge.Verdict("live/E1", [], [], [("live", "live")])
            whole = [run.Capture("6.1", "6.1.0", "exec", instant, "f", good), run.Capture("6.1", "6.1.0", "exec", other, None, None)]
            state = run.State(path)
            state.add(whole)
            state.add([run.Capture("6.1", "6.1.0", "fork", INSTANT, "f", judge.Verdict(run.NEVER_CAME, ["late"]))])
            again = run.State(path)
            self.assertEqual(again.captures, whole)
            self.assertTrue(again.has("6.1", "exec"))
            self.assertFalse(again.has("6.1", "fork"), "it is tried again")


if __name__ == "__main__":
    unittest.main()
