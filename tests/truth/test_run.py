# SPDX-License-Identifier: LGPL-2.1-or-later
"""The counting of tests, and the comparison of two containers of one guest."""

import contextlib
import io
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import run  # noqa: E402


class FirstDifference(unittest.TestCase):
    def test_equal(self):
        self.assertIsNone(run.first_difference({"a": [{"x": 1}]}, {"a": [{"x": 1}]}))

    def test_value(self):
        self.assertEqual(run.first_difference({"a": [{"x": 1, "y": 2}]}, {"a": [{"x": 1, "y": 3}]}),
                         "a, row 0: y: 2 and 3")

    def test_rows(self):
        self.assertEqual(run.first_difference({"a": [{"x": 1}]}, {"a": []}), "a: 1 and 0 rows")

    def test_tables(self):
        self.assertEqual(run.first_difference({"a": [{"x": 1}]}, {}), "a: 1 and 0 rows")


class Counting(unittest.TestCase):
    """The last line and the exit status of a run."""

    def end(self, *outcomes):
        tally, said = run.Tally(), io.StringIO()
        with contextlib.redirect_stdout(said):
            for outcome in outcomes:
                if outcome == "skip":
                    tally.skip("it", "no QEMU")
                    continue
                with tally.test("it"):
                    if outcome == "fail":
                        raise run.Failure("not so")
            status = tally.exit_status()
        return status, said.getvalue().splitlines()[-1]

    def test_ends(self):
        self.assertEqual(self.end("pass", "skip"), (0, "1 passed, 0 failed, 1 skipped"))
        self.assertEqual(self.end("pass", "fail"), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertEqual(self.end("skip"), (run.ALL_SKIPPED, "0 passed, 0 failed, 1 skipped"))

    def test_nothing_done_is_a_failure(self):
        self.assertEqual(self.end(), (1, "0 passed, 0 failed, 0 skipped"))


if __name__ == "__main__":
    unittest.main()
