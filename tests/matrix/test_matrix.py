# SPDX-License-Identifier: LGPL-2.1-or-later
"""The choice of kernels, what is skipped, and the page: no suite is asked, nothing is booted."""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "truth"), str(HERE.parents[1] / "samples"), str(HERE)]

import cases  # noqa: E402
import offers  # noqa: E402
import validation  # noqa: E402
from maker.suites import SuiteError  # noqa: E402
from offers import Offer  # noqa: E402


def load_run():
    """The script has no suffix."""
    loader = importlib.machinery.SourceFileLoader("matrix_run", str(HERE / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("matrix_run", loader))
    loader.exec_module(module)
    return module


run = load_run()


class Choice(unittest.TestCase):
    OFFERS = [
        Offer("bookworm", "6.1.0-9-amd64", "6.1.27-1"),
        Offer("bookworm", "6.1.0-10-amd64", "6.1.38-1"),
        Offer("bookworm", "6.1.0-56-amd64", "6.1.192-2"),
        Offer("bookworm", "6.1.0-56-rt-amd64", "6.1.192-2"),
        Offer("bookworm", "6.12.117+deb12-cloud-amd64", "6.12.117-1~deb12u1"),
        Offer("trixie", "6.12.118+deb13-amd64", "6.12.118-1"),
        Offer("bookworm", "6.1.0-56-686-pae", "6.1.192-2"),
    ]

    def names(self, points):
        return [[offer.release for offer in line] for line in offers.choose(self.OFFERS, points=points)]

    def test_flavours_and_series(self):
        self.assertEqual([o.flavour for o in self.OFFERS[3:]], ["rt-amd64", "cloud-amd64", "amd64", "686-pae"])
        self.assertEqual((self.OFFERS[4].series, self.OFFERS[0].series), ((6, 12), (6, 1)))

    def test_newest_first_the_others_in_its_stead(self):
        self.assertEqual(self.names("newest"), [
            ["6.1.0-56-amd64", "6.1.0-10-amd64", "6.1.0-9-amd64"], ["6.1.0-56-rt-amd64"],
            ["6.12.117+deb12-cloud-amd64"], ["6.12.118+deb13-amd64"]])

    def test_ends(self):
        self.assertEqual([line[0] for line in self.names("ends")], [
            "6.1.0-56-amd64", "6.1.0-9-amd64", "6.1.0-56-rt-amd64", "6.12.117+deb12-cloud-amd64",
            "6.12.118+deb13-amd64"])

    def test_all(self):
        self.assertEqual(len(self.names("all")), 6)

    def test_candidates_come_before_what_they_become(self):
        versions = ["7.3.4-1~bpo13+1", "7.3-1", "7.3~rc7-1~exp1", "7.3~rc10-1~exp1"]
        ordered = sorted((Offer("x", "x-amd64", v) for v in versions), key=Offer.order)
        self.assertEqual([o.version for o in ordered],
                         ["7.3~rc7-1~exp1", "7.3~rc10-1~exp1", "7.3-1", "7.3.4-1~bpo13+1"])


def case(name, where, make, instead=()):
    return cases.Case(name, "1", "amd64", "suite", where, make, instead=instead)


class Going(unittest.TestCase):
    """Which cases end up where."""

    def go(self, *some, no_boot=False):
        matrix = run.Matrix.__new__(run.Matrix)
        matrix.options = argparse.Namespace(no_boot=no_boot, prune=False, limit=1)
        matrix.known = argparse.Namespace(get=lambda *_: None, failure=lambda _: None, put_failure=lambda *_: None)
        matrix.judged, matrix.skipped, matrix.seen = [], [], set()
        with contextlib.redirect_stdout(io.StringIO()) as said:
            for one in some:
                matrix.go(one)
        return matrix, said.getvalue().splitlines()

    def failing(self):
        raise SuiteError("404")

    def test_a_kernel_that_the_mirror_lost_is_told_and_replaced(self):
        older = case("older", lambda: pathlib.Path("g"), lambda: (None, "skipped: no truth within 300 s"))
        matrix, said = self.go(case("newest", self.failing, None, (older,)), older)
        self.assertEqual(said, ["SKIP newest: 404", "SKIP older: no truth within 300 s"])
        self.assertEqual([s.name for s in matrix.skipped], ["newest", "older"])

    def test_nothing_is_booted_if_told_so(self):
        _, said = self.go(case("one", lambda: pathlib.Path("g"), self.failing), no_boot=True)
        self.assertEqual(said, ["SKIP one: not booted in this run"])


    def test_a_guest_of_an_older_maker_will_do_where_nothing_is_booted(self):
        with tempfile.TemporaryDirectory() as scratch:
            where = pathlib.Path(scratch) / "matrix-6.1-rt-new"
            for name in ("matrix-6.1-rt-old", "matrix-6.1-rt-more-old"):
                (where.parent / name).mkdir()
            found = [run.made(where, argparse.Namespace(no_boot=no_boot)) for no_boot in (True, False)]
        self.assertEqual(found, [where.parent / "matrix-6.1-rt-old", None])


class Page(unittest.TestCase):
    def test_every_result_and_every_skip_is_there(self):
        good = {"container": "raw", "rows": 7, "allowed": 1, "differences": [], "warnings": ["sockets: torn"],
                "ms": 9, "rules": {"clock": 2}}
        bad = {"container": "ELF", "differences": ["uptime: 1 and 2"]}
        judged = [(case("6.1-amd64", None, None),
                   {"release": "6.1", "config": "KASLR", "containers": [good, bad]})]
        page = validation.render(judged, [cases.Skip("buster", "no | mirror")], {"clock": "it runs"}, "vmiscan 1")
        for line in ("1 kernels in 2 images: 7 rows compared, 1 differences, 1 not compared.",
                     "| 6.1 | 1 | suite | amd64 | amd64 | KASLR | BTF | raw | 7 | 1 | 0 | 1 | 9 |",
                     "| buster | amd64 | no \\| mirror |", "- 6.1-amd64, ELF: uptime: 1 and 2",
                     "- sockets: torn (1: 6.1-amd64 raw)", "| clock | 2 | it runs |"):
            self.assertIn(line, page)


if __name__ == "__main__":
    unittest.main()
