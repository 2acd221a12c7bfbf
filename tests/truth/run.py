#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Analyses every container of every test guest and compares each database with the guest's truth.

Guests come from samples/make-guests, which makes them in QEMU or takes them from its cache; one that
cannot be made is a SKIP with its reason. The committed sample needs no QEMU and is never skipped."""

import argparse
import contextlib
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import allowed  # noqa: E402
import compare  # noqa: E402
import report  # noqa: E402
from database import Database  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = TOP / "samples"
ALL_SKIPPED = 77

# What describes the container and the run, and so differs between containers of one guest.
OF_THE_CONTAINER = {"evidence", "run", "vcpus", "memory_ranges"}


class Failure(Exception):
    """A test that did not pass: the reason, and what prints more about it."""

    def __init__(self, reason, show=None):
        super().__init__(reason)
        self.show = show


class Tally:
    """Counts tests and rules, and prints a line a test."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.uses = {}

    def skip(self, name, reason):
        self.skipped += 1
        print(f"SKIP {name}: {reason}", flush=True)

    @contextlib.contextmanager
    def test(self, name):
        """A test whose body may raise Failure; says() adds to its line."""
        said = []
        try:
            yield said.append
        except Failure as failure:
            self.failed += 1
            print(f"FAIL {name}: {failure}", flush=True)
            if failure.show:
                failure.show()
        else:
            self.passed += 1
            print(f"ok   {name}" + (": " if said else "") + "; ".join(said), flush=True)

    def count_rules(self, rules):
        for rule in rules:
            self.uses[rule.name] = self.uses.get(rule.name, 0) + rule.used

    def print_rules(self):
        """How often each rule was used, all guests together."""
        rules = allowed.rules(None)
        for rule in rules:
            rule.used = self.uses.get(rule.name, 0)
        report.print_rules(rules)

    def exit_status(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        if self.failed or self.passed + self.skipped == 0:
            return 1
        return 0 if self.passed else ALL_SKIPPED


def analyse(vmiscan, image, database, *options):
    """Runs vmiscan; a guest at rest must give exit status 0."""
    command = [vmiscan, image, "-o", database, "--force", "-q", "--no-progress", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        raise Failure(f"vmiscan ended with status {done.returncode}\n{done.stdout}")


def compare_image(tally, options, name, image, truth, scratch):
    with tally.test(name) as says:
        database = scratch / "image.db"
        analyse(options.vmiscan, image, database)
        outcome = compare.compare_paths(database, truth)
        tally.count_rules(outcome.rules)
        show = functools.partial(report.print_report, outcome, options.limit)
        if not outcome.passed:
            raise Failure("the database is not as the guest's truth", show)
        if options.verbose:
            show()
        says(f"{sum(r.equal for r in outcome.results)} rows equal, "
             f"{sum(r.allowed for r in outcome.results)} with allowed differences")


# --- the same guest through every container ---

def rows_of_guest(path):
    """{table: rows} of what must not depend on the container."""
    database = Database(path)
    try:
        found = {t: database.rows(t) for t in database.tables if t not in OF_THE_CONTAINER}
    finally:
        database.close()
    found["coverage"] = [r for r in found["coverage"] if r["table_name"] not in OF_THE_CONTAINER]
    return found


def first_difference(one, other):
    """The first table and row in which two databases differ; None if they agree."""
    for table in sorted(set(one) | set(other)):
        left, right = one.get(table, []), other.get(table, [])
        for number, (a, b) in enumerate(zip(left, right)):
            if a != b:
                columns = [f"{c}: {a[c]!r} and {b.get(c)!r}" for c in a if a[c] != b.get(c)]
                return f"{table}, row {number}: {'; '.join(columns)}"
        if len(left) != len(right):
            return f"{table}: {len(left)} and {len(right)} rows"
    return None


def same_rows(tally, options, name, images, scratch):
    """Every container of a guest gives the rows of the first."""
    with tally.test(f"{name}: the same rows from {', '.join(i.name for i in images)}"):
        databases = []
        for number, image in enumerate(images):
            databases.append(scratch / f"{number}.db")
            analyse(options.vmiscan, image, databases[-1], "--reproducible")
        first = rows_of_guest(databases[0])
        for image, database in zip(images[1:], databases[1:]):
            difference = first_difference(first, rows_of_guest(database))
            if difference:
                raise Failure(f"{images[0].name} and {image.name} differ: {difference}")


# --- guests ---

def containers(folder):
    return sorted(p for p in folder.glob("memory*") if p.suffix in (".raw", ".elf", ".vmem", ".stream", ".zst"))


def compressed(image, scratch):
    """The image as a .zst, as an analyst may get it."""
    target = scratch / (image.name + ".zst")
    subprocess.run(["zstd", "-q", "-1", "-f", image, "-o", target], check=True)
    return target


def check_guest(tally, options, name, folder, with_zstd):
    truth = next(p for p in (folder / "truth", folder / "truth.tar.zst", folder / "truth.tar") if p.exists())
    with tempfile.TemporaryDirectory(prefix="vmiscan-truth-") as scratch:
        scratch = pathlib.Path(scratch)
        images = containers(folder)
        if with_zstd:
            images.append(compressed(images[0], scratch))
        for image in images:
            compare_image(tally, options, f"{name} {image.name}", image, truth, scratch)
        if len(images) > 1:
            same_rows(tally, options, name, images, scratch)


def made_guests(names):
    """(name, folder or None, status) of every guest, made now or taken from the cache."""
    done = subprocess.run([SAMPLES / "make-guests", *names], stdout=subprocess.PIPE, text=True, check=False)
    lines = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2]
    if not lines:
        yield "guests", None, f"samples/make-guests ended with status {done.returncode}"
    for name, folder, status in lines:
        yield name, None if folder == "-" else pathlib.Path(folder), status


def check_guests(tally, options):
    with_zstd = True
    for name, folder, status in made_guests(options.names):
        if folder is None:
            tally.skip(name, status)
            continue
        check_guest(tally, options, name, folder, with_zstd)
        with_zstd = False  # one guest through the decompressor is enough


def check_sample(tally, options):
    """The committed guest: without it the project has no main job to show."""
    truths = sorted(SAMPLES.glob("*.truth.tar.zst"))
    images = sorted(SAMPLES.glob("*.vmem.zst"))
    with tally.test("samples/ holds an image and its truth"):
        if len(images) != 1 or len(truths) != 1:
            raise Failure(f"{len(images)} images and {len(truths)} truths")
    for image, truth in zip(images, truths):
        with tempfile.TemporaryDirectory(prefix="vmiscan-truth-") as scratch:
            compare_image(tally, options, f"sample {image.name}", image, truth, pathlib.Path(scratch))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="guests to compare (default: make-guests' own)")
    parser.add_argument("--vmiscan", default=os.environ.get("VMISCAN", "vmiscan"), help="the program to test")
    parser.add_argument("--sample", action="store_true", help="the committed sample (alone, unless --guests)")
    parser.add_argument("--guests", action="store_true", help="the guests (alone, unless --sample)")
    parser.add_argument("-n", "--limit", type=int, default=10, help="differences shown of a table")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every report in full")
    return parser.parse_args()


def main():
    options = parse_arguments()
    everything = not (options.sample or options.guests)
    tally = Tally()
    if options.sample or (everything and not options.names):
        check_sample(tally, options)
    if options.guests or everything:
        check_guests(tally, options)
    tally.print_rules()
    return tally.exit_status()


if __name__ == "__main__":
    sys.exit(main())
