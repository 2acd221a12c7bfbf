# SPDX-License-Identifier: LGPL-2.1-or-later
"""Databases of single images become one of many, and databases that are not believed."""
import os
import shutil
import sqlite3
import struct
import unittest

from support import CommandTest, needs_sample, SAMPLE


PAGE = 512


def point(data, page, child):
    """Every child of an interior page of a table's b-tree is this one."""
    at = (page - 1) * PAGE
    assert data[at] == 5, "no interior page"
    cells = struct.unpack_from(">H", data, at + 3)[0]
    for pointer in struct.unpack_from(f">{cells}H", data, at + 12):
        struct.pack_into(">I", data, at + pointer, child)
    struct.pack_into(">I", data, at + 8, child)


def heap_up(data, root, levels):
    """A tree of so many levels, each of them one page that its parent has for all its children."""
    below = struct.unpack_from(">I", data, (root - 1) * PAGE + 8)[0]
    interior = bytes(data[(root - 1) * PAGE:root * PAGE])
    for _ in range(levels):
        data += interior
        point(data, len(data) // PAGE, below)
        below = len(data) // PAGE
    point(data, root, below)
    struct.pack_into(">I", data, 28, len(data) // PAGE)


@needs_sample
class Merge(CommandTest):
    def setUp(self):
        super().setUp()
        for number, name in enumerate(("one", "two")):
            shutil.copy(SAMPLE, self.path(name))
            os.utime(self.path(name), (number, number))
            self.succeeds(name, "-q")

    def test_every_row_is_there_twice(self):
        p = self.succeeds("merge", "-o", "all.db", "one.db", "two.db")
        rows = sum(n for (n,) in self.query("one.db", "SELECT rows FROM coverage"))
        self.assertEqual(p.out, f"all.db: 2 images, {2 * rows} rows\n")
        for kind, name in self.query("one.db", "SELECT type, name FROM sqlite_schema"):
            with self.subTest(name=name):
                self.assert_same_rows(name)
        self.assertEqual(self.query("all.db", "PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.query("all.db", "PRAGMA user_version"), [(1,)])
        self.assert_files("all.db", "one", "one.db", "two", "two.db")

    def assert_same_rows(self, name):
        for image, database in ((1, "one.db"), (2, "two.db")):
            columns = [c for (c,) in self.query(database, f"SELECT name FROM pragma_table_info('{name}')")]
            merged = [c for (c,) in self.query("all.db", f"SELECT name FROM pragma_table_info('{name}')")]
            self.assertEqual(merged, ["image"] + columns)
            listed = ", ".join(f'"{c}"' for c in columns)
            self.assertEqual(self.query("all.db", f"SELECT {listed} FROM {name} WHERE image = {image}"),
                             self.query(database, f"SELECT {listed} FROM {name}"))

    def test_changes_in_a_journal(self):
        self.file("two.db-wal", b"x")
        self.fails(3, "merge", "-o", "all.db", "one.db", "two.db",
                   says="two.db: changes to the database lie in two.db-wal")

    def test_the_table_images(self):
        self.succeeds("merge", "-o", "all.db", "two.db", "one.db", "-q")
        size = os.path.getsize(SAMPLE)
        self.assertEqual(
            self.query("all.db", "SELECT image, name, path, size, mtime_ns, sha256, format, status, "
                                 "hostname, database FROM images"),
            [(1, "two", "two", size, 10**9, None, "raw", "complete", "guest-sample", "two.db"),
             (2, "one", "one", size, 0, None, "raw", "complete", "guest-sample", "one.db")])
        self.assertEqual(
            self.query("all.db", "SELECT i.tool_version = r.tool_version AND i.kernel_release = "
                                 "r.kernel_release AND i.build_id = k.build_id AND i.boot_ns = "
                                 "t.boot_ns AND i.unix_ns = t.unix_ns FROM images i JOIN run r USING "
                                 "(image) JOIN kernel_info k USING (image) JOIN time t USING (image)"),
            [(1,), (1,)])

    def test_the_same_image_twice(self):
        shutil.copy(self.path("one.db"), self.path("copy.db"))
        os.link(self.path("one.db"), self.path("link.db"))
        p = self.run_vmiscan("merge", "-o", "all.db", "one.db", "copy.db", "link.db", "two.db", "--json")
        self.assertEqual(p.returncode, 0)
        self.assertEqual(p.err, "vmiscan: copy.db: is of the same image as one.db, and left out\n"
                                "vmiscan: link.db: is of the same image as one.db, and left out\n")
        self.assertIn('"images": 2,\n  "left_out": 2,', p.out)

    def test_a_hash_tells_images_apart(self):
        for number, name in enumerate(("three", "four")):
            self.sparse(name, (64 << 20) + (number << 12))
            shutil.copy(self.path("one.db"), self.path(f"{name}.db"))
            self.change(f"{name}.db", f"UPDATE evidence SET sha256 = '{number:064x}'")
        p = self.succeeds("merge", "-o", "all.db", "three.db", "four.db")
        self.assertIn("2 images", p.out)

    def test_where_the_output_may_go(self):
        self.fails(2, "merge", "one.db", says="no output given")
        self.fails(2, "merge", "-o", "all.db", says="no database given")
        self.fails(5, "merge", "-o", "one.db", "one.db", "--force", says="is the image itself")
        self.fails(5, "merge", "-o", "two.db", "one.db", says="exists already")
        self.succeeds("merge", "-o", "two.db", "one.db", "--force")

    def change(self, name, *statements):
        db = sqlite3.connect(self.path(name))
        for sql in statements:
            db.execute(sql)
        db.commit()
        db.close()

    def refused(self, says, *statements, status=3, name="two.db"):
        """The second one, changed like this, is refused by its name, and nothing is left of it."""
        shutil.copy(self.path("one.db"), self.path("bad.db"))
        self.change("bad.db", *statements)
        p = self.fails(status, "merge", "-o", "all.db", name, "bad.db", says="bad.db: ")
        self.assertIn(says, p.err)
        self.assert_files("bad.db", "one", "one.db", "two", "two.db")

    def test_other_versions(self):
        self.refused("its schema is of version 7, this vmiscan's of version 1", "PRAGMA user_version = 7")
        self.refused("has no table mounts", "DROP TABLE mounts")
        self.refused("has no column mounts.flags", "ALTER TABLE mounts DROP COLUMN flags")

    def test_no_databases_of_ours(self):
        self.refused("none of vmiscan's", "PRAGMA application_id = 1")
        self.fails(3, "merge", "-o", "all.db", "one", says="one: is no database")
        self.fails(3, "merge", "-o", "all.db", "nowhere.db", says="nowhere.db: can't be opened")
        self.fails(3, "merge", "-o", "all.db", ".", says=".: is no database")
        os.mkfifo(self.path("fifo"))
        self.fails(3, "merge", "-o", "all.db", "fifo", says="fifo: is no database")
        self.succeeds("merge", "-o", "all.db", "one.db", "-q")
        self.fails(3, "merge", "-o", "more.db", "all.db", says="is a database of many images")

    def test_a_schema_that_acts(self):
        columns = [c for (c,) in self.query("one.db", "SELECT name FROM pragma_table_info('uptime')")]
        listed = ", ".join(f"'x' AS {c}" for c in columns)
        self.refused("its uptime is no table", "DROP TABLE uptime", f"CREATE VIEW uptime AS SELECT {listed}")
        self.refused("its uptime is no table", "DROP TABLE uptime",
                     f"CREATE VIRTUAL TABLE uptime USING fts5({', '.join(columns)})")
        others = ", ".join(f"{c} INTEGER" for c in columns[1:])
        self.refused("has no column uptime." + columns[0], "DROP TABLE uptime",
                     f"CREATE TABLE uptime ({others}, {columns[0]} AS (abs(1)))")
        self.refused("a value of uptime.days is none that it can have", "DROP TABLE uptime",
                     f"CREATE TABLE uptime ({', '.join(columns)})",
                     "INSERT INTO uptime VALUES ('1', 2, 3, 4, 5)")
        self.refused("a value of processes.task_addr is none", "UPDATE processes SET task_addr = '0xG'")

    def test_what_is_not_ours_stays_behind(self):
        self.change("two.db", "CREATE TABLE secret (x)", "INSERT INTO secret VALUES (1)",
                    "CREATE TRIGGER t AFTER INSERT ON uptime BEGIN DELETE FROM processes; END",
                    "CREATE INDEX i ON processes (pid)")
        self.succeeds("merge", "-o", "all.db", "one.db", "two.db", "-q")
        names = {n for (n,) in self.query("all.db", "SELECT name FROM sqlite_schema")}
        self.assertFalse(names & {"secret", "t", "i"})

    def test_damaged(self):
        with open(self.path("one.db"), "rb") as f:
            whole = f.read()
        for size in (99, 4096, len(whole) // 2, len(whole) - 8192):
            with self.subTest(size=size):
                self.file("bad.db", whole[:size])
                self.fails(3, "merge", "-o", "all.db", "two.db", "bad.db", says="bad.db: ")
                self.assert_files("bad.db", "one", "one.db", "two", "two.db")

    def test_rows_without_end(self):
        db = sqlite3.connect(self.path("two.db"), isolation_level=None)
        db.execute(f"PRAGMA page_size = {PAGE}")
        db.execute("VACUUM")
        db.execute("INSERT INTO kernel_modules (name) SELECT 'x' FROM threads, uptime, threads LIMIT 1000")
        root, = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'kernel_modules'").fetchone()
        db.close()
        with open(self.path("two.db"), "rb") as f:
            data = bytearray(f.read())
        heap_up(data, root, 8)
        self.file("two.db", data)
        self.fails(3, "merge", "-o", "all.db", "two.db", says="its rows are more than its bytes")


if __name__ == "__main__":
    unittest.main()
