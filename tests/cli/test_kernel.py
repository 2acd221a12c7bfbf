# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernels that are not quite there: without types, without symbols, twice in one memory, cut off."""
import os
import random
import sqlite3
import subprocess
import unittest

from support import CommandTest, SAMPLE, needs_sample

BTF_MAGIC = b"\x9f\xeb\x01\x00\x18\x00\x00\x00"
OF_THE_RUN = {"evidence", "run", "memory_ranges"}


def unpacked(target):
    """The sample's memory as a raw file."""
    subprocess.run(["zstd", "-q", "-d", "-f", SAMPLE, "-o", target], check=True)
    return target


def state(database):
    """Every row but those about the file and the run."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        names = [n for (n,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {n: db.execute(f"SELECT * FROM {n}").fetchall() for n in names if n not in OF_THE_RUN}
    finally:
        db.close()


@needs_sample
class Kernel(CommandTest):
    def setUp(self):
        super().setUp()
        self.raw = unpacked(self.path("raw"))

    def patch(self, offset, content):
        with open(self.raw, "r+b") as f:
            f.seek(offset)
            f.write(content)

    def find_all(self, text):
        with open(self.raw, "rb") as f:
            memory = f.read()
        at = memory.find(text)
        while at >= 0:
            yield at
            at = memory.find(text, at + 1)

    def test_without_types_is_said(self):
        for at in list(self.find_all(BTF_MAGIC)):
            self.patch(at, b"\0" * 4)
        self.fails(4, "raw", "-o", "x.db", says="no BTF type information")
        self.assert_files("raw")

    def test_without_symbols_it_goes_on(self):
        """A kernel without kallsyms: its data is found by what must be there, its functions
        and its locks are not."""
        self.succeeds("raw", "-o", "one.db", "-q", "--reproducible")
        digits = b"\0".join(b"%d" % d for d in range(10)) + b"\0"
        for at in list(self.find_all(digits)):
            self.patch(at, b"\xff" * len(digits))
        self.succeeds("raw", "-o", "two.db", "-q", "--reproducible")
        one, two = state(self.path("one.db")), state(self.path("two.db"))
        db = sqlite3.connect(self.path("two.db"))
        self.assertIn("deduced", db.execute("SELECT symbols_source FROM run").fetchone()[0])
        lacking = dict(db.execute("SELECT table_name, reason FROM coverage WHERE status <> 'complete' "
                                  "AND reason LIKE 'no table of symbols lists %'"))
        db.close()
        self.assertEqual(set(lacking), {"load_average", "system_controls"})
        self.assertEqual([row[:5] for row in one["platform_info"]], [row[:5] for row in two["platform_info"]])
        for name, rows in one.items():
            # a symbol tells how the firmware booted
            if name not in {"interface_details", "platform_info", "problems", "coverage", "atomicity", *lacking}:
                self.assertEqual(rows, two[name], name)

    def test_a_second_copy_is_not_taken_for_it(self):
        """The same memory again further up, as an earlier boot may leave it: one kernel is live."""
        self.succeeds("raw", "-o", "one.db", "-q", "--reproducible")
        with open(self.raw, "ab") as out, open(unpacked(self.path("copy")), "rb") as copy:
            while part := copy.read(1 << 24):
                out.write(part)
        self.succeeds("raw", "-o", "two.db", "-q", "--reproducible")
        one, two = state(self.path("one.db")), state(self.path("two.db"))
        for name, rows in one.items():
            self.assertEqual(rows, two[name], name)

    def test_cut_anywhere_it_ends_in_order(self):
        seeded = random.Random(7)
        size = os.path.getsize(self.raw)
        for cut in sorted((seeded.randrange(1 << 20, size) for _ in range(25)), reverse=True):
            os.truncate(self.raw, cut)
            p = self.run_vmiscan("raw", "-o", "x.db", "-q", "--force")
            self.assertIn(p.returncode, (0, 1, 3, 4), p.err)
            if p.returncode > 1:
                break


if __name__ == "__main__":
    unittest.main()
