# SPDX-License-Identifier: LGPL-2.1-or-later
"""`vmiscan report`: what it takes, where it writes, and what it says."""
import os
import sqlite3
import unittest

from support import CommandTest, needs_sample, SAMPLE


class Report(CommandTest):
    def empty(self, name):
        """A database of ours without rows."""
        db = sqlite3.connect(self.path(name))
        db.executescript(self.succeeds("schema").out)
        db.close()
        return self.path(name)

    def test_mistakes(self):
        for args, says in ((["report"], "no database or image given"), (["report", "x", "y"], "y: one word too many"),
                           (["report", "x", "--json"], "--json: is not for `vmiscan report`")):
            with self.subTest(args=args):
                self.assertEqual(self.fails(2, *args, says=says).out, "")

    def test_the_name_of_the_page(self):
        self.empty("x.db")
        self.assertEqual(self.succeeds("report", "x.db").out, "")
        self.assert_files("x.db", "x.db.html")
        p = self.fails(5, "report", "x.db")
        self.assertEqual(p.err, "vmiscan: x.db.html: exists already; overwrite it with --force or name another with -o\n")
        self.succeeds("report", "x.db", "--force")
        os.mkdir(self.path("folder"))
        self.succeeds("report", self.path("x.db"), "-o", "folder/y.html")
        self.assert_files("folder", "x.db", "x.db.html")

    def test_without_rows_nothing_is_made_up(self):
        self.empty("x.db")
        self.succeeds("report", "x.db")
        with open(self.path("x.db.html"), encoding="utf-8") as f:
            text = f.read()
        self.assertIn("(unknown host)", text)
        self.assertIn("<h2>not checked</h2>", text)
        self.assertIn("<b>0</b> <span>processes</span>", text)

    def test_the_input_is_not_written_over(self):
        self.empty("x.db")
        os.link(self.path("x.db"), self.path("other"))
        self.fails(5, "report", "x.db", "-o", "other", "--force", says="is the image itself")
        self.assert_valid(self.path("x.db"))

    def assert_valid(self, path):
        with sqlite3.connect(path) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))

    def test_what_is_no_database_of_ours(self):
        sqlite3.connect(self.path("other.db")).executescript("CREATE TABLE processes (pid INTEGER)")
        p = self.fails(3, "report", "other.db")
        self.assertEqual(p.err, "vmiscan: other.db: is a database, but none of vmiscan's\n")
        self.fails(3, "report", "nowhere.db", says="nowhere.db")
        self.sparse("zeros", 1 << 20)
        self.fails(4, "report", "zeros", says="zeros: no Linux kernel")
        self.assert_files("other.db", "zeros")

    def test_a_full_disk_leaves_nothing(self):
        self.empty("x.db")
        p = self.fails(5, "report", "x.db", says="x.db.html: can't write to the disk",
                       preexec_fn=lambda: __import__("resource").setrlimit(
                           __import__("resource").RLIMIT_FSIZE, (4096, 4096)))
        self.assertEqual(p.out, "")
        self.assert_files("x.db")

    @needs_sample
    def test_of_an_image(self):
        self.succeeds("report", SAMPLE, "-o", "x.html")
        with open(self.path("x.html"), encoding="utf-8") as f:
            self.assertIn("<bdi>guest-sample</bdi>", f.read())
        self.assert_files("x.html")

    @needs_sample
    def test_a_damaged_image_makes_a_page_that_says_so(self):
        with open(SAMPLE, "rb") as f:
            self.file("cut.zst", f.read()[:-1_000_000])
        p = self.fails(1, "report", "cut.zst", says="see Coverage in cut.zst.html for what is missing")
        self.assertIn("ends too early", p.err)
        with open(self.path("cut.zst.html"), encoding="utf-8") as f:
            self.assertIn("<dt>Damage</dt>", f.read())

    def test_a_database_of_a_damaged_image(self):
        db = sqlite3.connect(self.empty("x.db"))
        db.execute("INSERT INTO run (status, exit_status) VALUES ('partial', 1)")
        db.commit()
        db.close()
        p = self.run_vmiscan("report", "x.db")
        self.assertEqual((p.returncode, p.err), (1, ""))
        self.file("x.db-journal", b"x")
        self.fails(3, "report", "x.db", "--force", says="changes to the database lie in x.db-journal")

    def test_help(self):
        text = self.succeeds("report", "--help").out
        self.assertTrue(text.startswith("Usage: vmiscan report DATABASE|IMAGE [-o OUT.html] [--force]\n"))
        self.assertIn("vmiscan report guest.vmem.db           writes guest.vmem.db.html", text)


if __name__ == "__main__":
    unittest.main()
