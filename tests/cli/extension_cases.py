# SPDX-License-Identifier: LGPL-2.1-or-later
"""What test_extension.py runs in a Python that may load extensions: vmiscan.so in this process."""
import contextlib
import os
import sqlite3
import subprocess
import tempfile
import threading
import unittest

EXTENSION = os.environ["VMISCAN_EXTENSION"]
VMISCAN = os.environ["VMISCAN"]
made, opened = {}, []


def setUpModule():
    made["holder"] = tempfile.TemporaryDirectory(prefix="vmiscan-extension-")
    made["image"] = os.path.join(made["holder"].name, "image's")
    made["database"] = os.path.join(made["holder"].name, "database")
    with open(made["image"], "wb") as f:
        subprocess.run(["zstd", "-dcq", os.environ["VMISCAN_SAMPLE"]], stdout=f, check=True)
    subprocess.run([VMISCAN, made["image"], "-o", made["database"], "-q"], check=True)
    with contextlib.closing(sqlite3.connect(made["database"])) as db:
        made["processes"] = db.execute("SELECT count(*) FROM processes").fetchone()
        made["coverage"] = db.execute("SELECT count(*) FROM coverage").fetchone()
        made["uptime"] = db.execute("SELECT total_seconds FROM uptime").fetchone()


def tearDownModule():
    made["holder"].cleanup()


def connect(path=":memory:", **how):
    db = sqlite3.connect(path, **how)
    db.enable_load_extension(True)
    db.load_extension(EXTENSION)
    db.enable_load_extension(False)
    opened.append(db)
    return db


def open_files():
    """How often this process has the image open."""
    links = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            pass  # of the listing itself
    return links.count(made["image"])


class Rows(unittest.TestCase):
    """They are those of the database, whatever is asked."""

    def setUp(self):
        self.db = connect()
        self.addCleanup(self.db.close)
        self.db.execute("SELECT vmiscan_attach(?)", (made["image"],))
        self.file = sqlite3.connect(made["database"])
        self.addCleanup(self.file.close)

    def both(self, sql):
        return self.db.execute(sql).fetchall(), self.file.execute(sql).fetchall()

    def test_all_tables(self):
        kinds = dict(self.file.execute("SELECT name, type FROM sqlite_schema"))
        self.assertEqual(kinds, dict(self.db.execute("SELECT name, type FROM sqlite_temp_schema")))
        for name, kind in kinds.items():
            leave_out = {"run": "argv start_ns end_ns pages_touched", "coverage": "duration_ms"}
            columns = [r[1] for r in self.file.execute(f"PRAGMA table_info({name})")
                       if r[1] not in leave_out.get(name, "").split()]
            ours, theirs = self.both(f"SELECT {','.join(columns)} FROM {name}")
            if kind == "view":  # it has no order
                ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
            self.assertEqual(ours, theirs, name)

    def test_all_kinds_of_conditions(self):
        for sql in (
            "SELECT count(*) FROM processes JOIN process_open_files USING (pid)",
            "SELECT p.pid, m.start FROM process_memory_map m JOIN processes p ON p.pid = m.pid "
            "WHERE m.permissions LIKE '%w%' ORDER BY 1, 2",
            "SELECT a.pid, b.name FROM processes a LEFT JOIN processes b ON b.parent = a.pid "
            "AND b.state = a.state ORDER BY a.rowid, b.rowid",
            "SELECT pid FROM processes WHERE pid = 1 OR name = 'kthreadd' OR rowid = 7",
            "SELECT pid FROM processes WHERE name = 'INIT' COLLATE NOCASE",
            "SELECT pid FROM processes WHERE pid IN (1, '2', 3.0, NULL, 'x', x'31')",
            "SELECT pid FROM processes WHERE pid = '1'", "SELECT pid FROM processes WHERE pid = NULL",
            "SELECT pid FROM processes WHERE cwd IS NULL AND pid < 9",
            "SELECT version = 6, version FROM kernel_info WHERE version = 6",
            # a text and a number: the column's text is taken for a number
            "SELECT count(*) FROM process_open_files f JOIN processes p ON f.path = p.pid",
            "SELECT count(*) FROM process_namespaces n JOIN sockets s "
            "ON n.net_namespace = s.net_namespace",
            "SELECT count(*) FROM processes WHERE state = 0 OR state = 'S'",
            "SELECT rowid, name FROM processes WHERE rowid IN (3, 5, 5000)",
            "SELECT name FROM processes WHERE EXISTS (SELECT 1 FROM process_envs e WHERE e.pid = "
            "processes.pid AND e.key = 'PATH')",
            "SELECT lifecycle, count(*) FROM processes GROUP BY 1 ORDER BY 1",
            "SELECT p.name, l.port FROM listening_ports l JOIN processes p USING (pid) "
            "ORDER BY 1, 2 LIMIT 9",
        ):
            with self.subTest(sql=sql):
                ours, theirs = self.both(sql)
                self.assertEqual(ours, theirs)

    def test_namespaces_as_text_and_number(self):
        """process_namespaces has numbers in texts, with zeros before them or not."""
        self.db.execute("CREATE TEMP TABLE n (v INTEGER)")
        self.db.execute("INSERT INTO n SELECT net_namespace FROM process_namespaces LIMIT 1")
        count = self.db.execute("SELECT count(*) FROM process_namespaces JOIN n "
                                "ON net_namespace = v").fetchone()[0]
        self.assertGreater(count, 10)


class Life(unittest.TestCase):
    def tearDown(self):
        while opened:
            opened.pop().close()

    def create(self, db, name, *arguments, image=None):
        image = (image or made["image"]).replace("'", "''")
        rest = "".join(f", {a}" for a in arguments)
        db.execute(f"CREATE VIRTUAL TABLE {name} USING vmiscan('{image}'{rest})")

    def test_an_image_is_opened_once_and_closed(self):
        db = connect()
        self.create(db, "processes")
        self.create(db, "p2", "processes")
        self.create(db, "uptime")
        self.assertEqual(open_files(), 1)
        self.assertEqual(db.execute("SELECT count(*) FROM processes JOIN p2 USING (pid), uptime")
                         .fetchone(), made["processes"])
        self.assertEqual(open_files(), 1)
        for name in ("processes", "p2", "uptime"):
            self.assertEqual(open_files(), 1)
            db.execute(f"DROP TABLE {name}")
        self.assertEqual(open_files(), 0)
        self.create(db, "processes", "format=raw")
        self.create(db, "uptime", "uptime")
        self.assertEqual(open_files(), 2)
        db.close()
        self.assertEqual(open_files(), 0)

    def test_only_what_is_asked_for_is_extracted(self):
        db = connect()
        self.create(db, "uptime")
        before = self.bytes_read()
        db.execute("SELECT * FROM uptime").fetchall()
        one = self.bytes_read() - before
        db.execute("SELECT * FROM uptime, uptime AS again").fetchall()
        self.assertLess(self.bytes_read() - before, one + 10000)
        self.create(db, "atomicity")
        db.execute("SELECT * FROM atomicity").fetchall()
        self.assertGreater(self.bytes_read() - before, one + 1000000)
        db.close()

    @staticmethod
    def bytes_read():
        with open("/proc/self/io") as f:
            return int(f.readline().split()[1])

    def test_errors(self):
        db = connect()
        other = os.path.join(made["holder"].name, "other")
        with open(other, "wb") as f:
            f.truncate(4 << 20)
        for name, arguments, image, says in (
            ("processes", [], "nowhere", "nowhere: there is no such file"),
            ("processes", [], made["holder"].name, "is a directory"),
            ("nonsense", [], None, "there is no table nonsense"),
            ("x", ["nonsense"], None, "there is no table nonsense"),
            ("x", ["processes", "uptime"], None, "uptime: is no argument"),
            ("x", ["processes", "colour=red"], None, "colour=red: is no argument"),
            ("x", ["processes", "format=raw", "format=elf"], None, "comes twice"),
            ("x", ["processes", "max_memory=lots"], None, "lots: is no size"),
            ("x", ["processes", "format=nonsense"], None, "nonsense"),
        ):
            with self.assertRaises(sqlite3.OperationalError) as caught:
                self.create(db, name, *arguments, image=image)
            self.assertIn(says, str(caught.exception))
        self.create(db, "uptime", image=other)
        for _ in range(2):
            with self.assertRaisesRegex(sqlite3.OperationalError, "no Linux kernel"):
                db.execute("SELECT * FROM uptime").fetchall()
        self.assertEqual(db.execute("SELECT 1").fetchone(), (1,))
        db.close()
        self.assertEqual(open_files(), 0)

    def test_memory_that_ends_is_an_error(self):
        db = connect()
        self.create(db, "p", "processes", "max_memory='24M'")
        self.create(db, "uptime")
        cursor = db.execute("SELECT * FROM uptime")
        for _ in range(2):
            with self.assertRaisesRegex(sqlite3.OperationalError, "memory"):
                db.execute("SELECT * FROM p").fetchall()
            self.assertEqual(open_files(), 1)  # of the other table, whose options differ
        self.assertEqual(len(cursor.fetchall()), 1)
        db.execute("DROP TABLE p")
        self.create(db, "p", "processes")
        self.assertEqual(db.execute("SELECT count(*) FROM p").fetchone(), made["processes"])
        db.close()

    def test_memory_that_ends_leaves_nothing_open(self):
        """Wherever it ends, in an image that is packed and a file of symbols, too."""
        packed = os.environ["VMISCAN_SAMPLE"]
        before = sorted(os.listdir("/proc/self/fd"))
        for kib in (*range(64, 1024, 200), *range(1 << 10, 24 << 10, 1900)):
            db = connect()
            with contextlib.suppress(sqlite3.OperationalError):
                self.create(db, "p", "processes", f"max_memory='{kib}K'",
                            f"vmlinux='{os.environ['VMISCAN_TINY']}'", image=packed)
                db.execute("SELECT * FROM p").fetchall()
            db.close()
            self.assertEqual(sorted(os.listdir("/proc/self/fd")), before, kib)
        self.assertRaises(ChildProcessError, os.waitpid, -1, os.WNOHANG)

    def interrupted(self, db, sql):
        """A statement that somebody interrupts all the time, and the bytes that it read."""
        over = threading.Event()

        def interrupt():
            while not over.wait(0.0005):
                db.interrupt()

        thread = threading.Thread(target=interrupt)
        before = self.bytes_read()
        thread.start()
        try:
            with self.assertRaisesRegex(sqlite3.OperationalError, "interrupted"):
                db.execute(sql).fetchall()
        finally:
            over.set()
            thread.join()
        return self.bytes_read() - before

    def bytes_of(self, db, sql):
        before = self.bytes_read()
        return db.execute(sql).fetchone(), self.bytes_read() - before

    def test_an_interrupt_ends_an_extraction(self):
        db = connect(check_same_thread=False)
        db.execute("SELECT vmiscan_attach(?)", (made["image"],))
        searching = self.interrupted(db, "SELECT * FROM coverage")
        one = "SELECT total_seconds FROM uptime"
        got, to_find = self.bytes_of(db, one)
        self.assertEqual(got, made["uptime"])
        self.assertLess(searching, to_find / 2)
        extracting = self.interrupted(db, "SELECT * FROM coverage")
        cursor = db.execute(one)
        got, whole = self.bytes_of(db, "SELECT count(*) FROM coverage")
        self.assertEqual(got, made["coverage"])
        self.assertLess(extracting, whole)
        self.assertEqual(cursor.fetchone(), made["uptime"])
        self.assertEqual(db.execute("SELECT count(*) FROM processes").fetchone(), made["processes"])
        db.close()
        self.assertEqual(open_files(), 0)

    def test_an_interrupt_ends_the_unpacking(self):
        db = connect(check_same_thread=False)
        path = os.path.join(made["holder"].name, "packed.db")
        with contextlib.closing(connect(path)) as once:
            self.create(once, "uptime", image=os.environ["VMISCAN_SAMPLE"])
            once.commit()
        fds = len(os.listdir("/proc/self/fd"))
        db.close()
        db = connect(path, check_same_thread=False)
        db.execute("SELECT name FROM sqlite_schema").fetchall()
        self.assertLess(self.interrupted(db, "SELECT * FROM uptime"),
                        os.stat(os.environ["VMISCAN_SAMPLE"]).st_size / 2)
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), fds + 1)
        self.assertEqual(db.execute("SELECT total_seconds FROM uptime").fetchone(), made["uptime"])
        db.close()

    def test_memory_that_ends_under_a_statement(self):
        """Enough for one table, not for all of them: what is under way ends with an error, too."""
        low, enough = 16 << 10, 64 << 10  # KiB
        while enough - low > 64:
            middle = (low + enough) // 2
            low, enough = (low, middle) if self.reads_one(middle) else (middle, enough)
        self.assertTrue(self.reads_one(enough, and_all=True))

    def reads_one(self, kib, and_all=False):
        db = connect()
        try:
            self.create(db, "p", "threads", f"max_memory='{kib}K'")
            self.create(db, "m", "coverage", f"max_memory='{kib}K'")
            cursor = db.execute("SELECT tid FROM p")
            cursor.fetchone()
            if and_all:
                for broken in (db.execute, lambda _: cursor.fetchall(), db.execute):
                    self.assertRaisesRegex(sqlite3.OperationalError, "memory", broken,
                                           "SELECT * FROM m")
            return True
        except sqlite3.OperationalError as e:
            self.assertIn("memory", str(e))
            return False
        finally:
            db.close()

    def test_attach_is_all_or_nothing(self):
        db = connect()
        db.execute("CREATE TEMP TABLE mounts (a)")
        with self.assertRaisesRegex(sqlite3.OperationalError, "mounts.* exists"):
            db.execute("SELECT vmiscan_attach(?)", (made["image"],))
        self.assertEqual(db.execute("SELECT name FROM sqlite_temp_schema").fetchall(), [("mounts",)])
        for bad in ("format); DROP TABLE mounts; --=", "x, (1)", 5):
            with self.assertRaisesRegex(sqlite3.OperationalError, "takes 'image'"):
                db.execute("SELECT vmiscan_attach(?, ?)", (made["image"], bad))
        db.execute("DROP TABLE mounts")
        self.assertGreater(db.execute("SELECT vmiscan_attach(?, 'format=raw', 'max_memory=2G')",
                                      (made["image"],)).fetchone()[0], 28)
        self.assertEqual(db.execute("SELECT count(*) FROM processes").fetchone(), made["processes"])
        db.close()
        self.assertEqual(open_files(), 0)

    def test_in_a_database_file(self):
        path = os.path.join(made["holder"].name, "case.db")
        link = os.path.join(made["holder"].name, "link")
        os.symlink(made["image"], link)
        db = connect(path)
        self.create(db, "uptime", image=link)
        db.close()
        self.assertEqual(open_files(), 0)
        db = connect(path)
        self.assertEqual(db.execute("SELECT total_seconds FROM uptime").fetchone(), made["uptime"])
        db.close()
        os.unlink(link)
        db = connect(path)
        with self.assertRaisesRegex(sqlite3.OperationalError, "there is no such file"):
            db.execute("SELECT total_seconds FROM uptime").fetchone()
        db.execute("DROP TABLE uptime")
        db.close()

    def test_threads(self):
        results = []

        def work():
            for _ in range(3):
                db = connect(check_same_thread=False)
                db.execute("SELECT vmiscan_attach(?)", (made["image"],))
                results.append(db.execute("SELECT count(*) FROM processes JOIN threads USING (pid)")
                               .fetchone()[0])
                db.close()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(results), 9)
        self.assertEqual(len(set(results)), 1)

    def test_text_encodings(self):
        db = connect()
        db.execute("PRAGMA encoding = 'UTF-16'")
        self.create(db, "p", "processes")
        self.assertEqual(db.execute("SELECT name FROM p WHERE name = 'init'").fetchall(), [("init",)])
        db.close()


if __name__ == "__main__":
    unittest.main()
