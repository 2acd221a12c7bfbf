# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page's bytes: what a browser may do with it, what it holds, and that nothing of an image acts in it."""
import os
import re
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import made  # noqa: E402
from page import Data, PageTest, Parts, SAMPLE, VMISCAN, read, sha256  # noqa: E402

ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
LIMIT = 2 << 20


class Shape(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = cls.made(made.server, "server", n=60)
        cls.text = read(cls.page)
        cls.parts = Parts(cls.text)

    def test_the_policy_allows_the_pages_own_script_and_style_alone(self):
        self.assertEqual(self.parts.policy,
                         "default-src 'none'; script-src " + sha256(self.parts.text["script"]) + "; style-src " +
                         sha256(self.parts.text["style"]) + "; base-uri 'none'; form-action 'none'; "
                         "require-trusted-types-for 'script'; trusted-types 'none'")
        before = self.text[:self.text.index("<meta http-equiv")]
        self.assertNotIn("<style", before)
        self.assertNotIn("<script", before)

    def test_nothing_is_referred_to(self):
        self.assertNotRegex(self.text, r"https?:")
        self.assertNotRegex(self.text, r"\burl\(|@import|\bimport\(|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|EventSource")
        for tag, attrs in self.parts.elements:
            self.assertNotIn(tag, ("link", "img", "iframe", "object", "embed", "base", "form", "svg", "audio", "video"))
            self.assertNotIn("src", attrs)
            self.assertTrue(attrs.get("href", "#").startswith("#"))
            self.assertFalse([a for a in attrs if a.startswith("on") or a == "style"], attrs)

    def test_the_script_makes_no_code_and_no_html_of_text(self):
        self.assertNotRegex(self.parts.text["script"],
                            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|"
                            r"createContextualFragment|srcdoc|setTimeout\(['\"]")

    def test_one_of_each(self):
        scripts = [a for t, a in self.parts.elements if t == "script"]
        self.assertEqual(scripts, [{"type": "application/json", "id": "data"}, {"type": "module"}])
        self.assertEqual([t for t, _ in self.parts.elements].count("style"), 1)
        self.assertNotIn("comment", [t for t, _ in self.parts.elements])

    def test_without_scripts_the_facts_and_the_processes_are_there(self):
        head, listing = self.text.split("<noscript>")
        listing = listing.split("</noscript>")[0]
        for fact in ("<bdi>web-07</bdi>", "6.1.0-56-amd64 x86_64", "<h2>locally torn</h2>", "/evidence/web-07.vmem",
                     "Debian GNU/Linux 12 (bookworm)", "<b>60</b> <span>processes</span>", "8 GiB"):
            self.assertIn(fact, head)
        self.assertEqual(listing.count("<tr><td>"), 60)
        self.assertIn("<td>postgres: worker process 41", listing)

    def test_the_same_database_gives_the_same_page(self):
        again = self.path("again.html")
        subprocess.run([VMISCAN, "report", self.path("server.db"), "-o", again], check=True)
        self.assertEqual(read(again), self.text)


class Content(PageTest):
    """What is in the database is in the page."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = cls.made(made.server, "server", n=500)
        cls.data = Data(Parts(read(cls.page)).text["data"])
        cls.db = sqlite3.connect(cls.path("server.db"))
        cls.db.row_factory = sqlite3.Row
        cls.addClassCleanup(cls.db.close)

    def query(self, sql, *values):
        return [dict(r) for r in self.db.execute(sql, values)]

    def test_size(self):
        self.assertLess(os.path.getsize(self.page), LIMIT)
        print(f"500 processes, {self.query('SELECT count(*) AS n FROM process_memory_map')[0]['n']} mappings: "
              f"{os.path.getsize(self.page) / 1024:.0f} KiB", file=sys.stderr)

    def test_tables(self):
        for name in self.data.raw["tables"]:
            with self.subTest(table=name):
                rows = self.query(f"SELECT * FROM {name} ORDER BY rowid")
                self.assertEqual(self.data.table(name), [{k: self.safe(v) for k, v in r.items()} for r in rows])

    @staticmethod
    def safe(v):
        """Numbers that JavaScript can't keep are texts."""
        return str(v) if isinstance(v, int) and abs(v) >= 1 << 53 else v

    def test_tables_of_processes(self):
        for place, p in enumerate(self.query("SELECT pid, task_addr FROM processes ORDER BY rowid")):
            if place % 23:
                continue
            for name in ("process_envs", "process_open_files", "process_open_sockets"):
                rows = self.query(f"SELECT * FROM {name} WHERE task_addr = ? ORDER BY rowid", p["task_addr"])
                for r in rows:
                    del r["pid"], r["task_addr"]
                self.assertEqual(self.data.of(name, place), rows)

    def test_mappings_keep_their_addresses_and_pages(self):
        for place, p in enumerate(self.query("SELECT task_addr FROM processes ORDER BY rowid")):
            if place % 23:
                continue
            at, got = 0, []
            resident = self.data.raw["of"]["process_memory_map"]["resident"][place]
            for m, pages in zip(self.data.of("process_memory_map", place), resident):
                at += m["gap"] * 4096
                got.append((f"{at:#x}", f"{at + m['pages'] * 4096:#x}", m["path"], m["permissions"], pages))
                at += m["pages"] * 4096
            rows = self.query("SELECT start, end, path, permissions FROM process_memory_map WHERE task_addr = ? "
                              "ORDER BY rowid", p["task_addr"])
            self.assertEqual(got, [(r["start"], r["end"], r["path"], r["permissions"],
                                    ((int(r["end"], 16) - int(r["start"], 16)) // 4096 + 1) // 2) for r in rows])

    def test_nothing_was_strange(self):
        self.assertEqual(self.data.raw["strange"], 0)


class Hostile(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.text = read(cls.made(made.hostile, "hostile"))
        cls.parts = Parts(cls.text)
        cls.data = Data(cls.parts.text["data"])

    def test_nothing_that_acts_is_in_the_page(self):
        self.assertIsNone(ACTIVE.search(self.text))
        self.assertEqual(self.text.count("</script"), 2)
        self.assertEqual(self.text.count("<script"), 2)
        self.assertNotIn("<!--", self.text)
        self.assertNotIn("<img", self.text)

    def test_its_elements_are_those_of_an_innocent_page(self):
        kinds = {t for t, _ in Parts(read(self.made(made.server, "server", n=20))).elements}
        self.assertEqual({t for t, _ in self.parts.elements}, kinds)
        for _, attrs in self.parts.elements:
            self.assertFalse([a for a in attrs if a.startswith("on")], attrs)

    def test_the_data_have_every_byte(self):
        names = [p["name"] for p in self.data.table("processes")]
        for name, text in made.HOSTILE.items():
            with self.subTest(name=name):
                self.assertIn(text, names)
        for text in made.BROKEN.values():
            self.assertIn(text, names)

    def test_title_and_first_screen_show_what_would_act(self):
        self.assertTrue(self.parts.text["title"].startswith("</script><script>document.title='owned'</script>\\x1b[31mred"))
        self.assertIn("\\u{202e}gpj.exe", self.parts.text["title"])
        self.assertIn("&lt;img src=x onerror=&quot;", self.text)

    def test_rows_that_make_no_sense_are_left_out_and_counted(self):
        path = self.path("wrong.db")
        made.server(path, self.schema, n=20)
        db = sqlite3.connect(path)
        db.executescript("""
            INSERT INTO process_envs (pid, key, value, task_addr) VALUES (7, 'k', 'v', '0x0000000000000001');
            INSERT INTO threads (pid, tid) VALUES (4711, 4711);
            UPDATE process_memory_map SET start = '0x1001' WHERE rowid = 1;
            UPDATE process_memory_map SET end = 'DROP' WHERE rowid = 2;
            UPDATE process_memory_map SET start = '0x0000000000001000', end = '0x2000' WHERE rowid = 9;
            UPDATE process_page_map SET end_va = start_va WHERE rowid = 12;""")
        db.commit()
        db.close()
        subprocess.run([VMISCAN, "report", path, "-o", self.path("wrong.html")], check=True)
        self.assertEqual(Data(Parts(read(self.path("wrong.html"))).text["data"]).raw["strange"], 6)


class Lies(PageTest):
    """Databases that are not what they say: never read beyond tables and columns that are known."""

    def report(self, name):
        return subprocess.run([VMISCAN, "report", self.path(name + ".db"), "-o", self.path(name + ".html")],
                              capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)

    def test_nothing_of_its_schema_is_run(self):
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS pid FROM n"
        for name, sql in (("view", f"DROP TABLE mounts; CREATE VIEW mounts AS {endless};"),
                          ("virtual", "DROP TABLE mounts; CREATE VIRTUAL TABLE mounts USING fts5(path);"),
                          ("computed", "DROP TABLE problems; CREATE TABLE problems (severity TEXT, table_name TEXT, "
                                       "task_addr TEXT, addr TEXT, message TEXT AS (hex(zeroblob(400000000))) VIRTUAL);"),
                          ("lacking", "DROP TABLE vcpus;"), ("other", "PRAGMA application_id = 1;"),
                          ("newer", "PRAGMA user_version = 99;")):
            with self.subTest(name=name):
                made.server(self.path(name + ".db"), self.schema, n=10)
                db = sqlite3.connect(self.path(name + ".db"))
                db.executescript(sql)
                db.commit()
                db.close()
                p = self.report(name)
                self.assertEqual(p.returncode, 3)
                self.assertRegex(p.stderr, rf"\Avmiscan: .*{name}\.db: [^\n]+\n\Z")
                self.assertFalse(os.path.exists(self.path(name + ".html")))

    def test_columns_that_nobody_knows_are_not_read(self):
        made.server(self.path("more.db"), self.schema, n=10)
        db = sqlite3.connect(self.path("more.db"))
        db.executescript("ALTER TABLE problems ADD COLUMN evil TEXT; UPDATE problems SET evil = 'never shown';"
                         "CREATE TABLE evil (evil TEXT); INSERT INTO evil VALUES ('never shown');")
        db.commit()
        db.close()
        self.assertEqual(self.report("more").returncode, 0)
        self.assertNotIn("never shown", read(self.path("more.html")))

    def test_a_damaged_file_is_an_error_or_a_page(self):
        made.server(self.path("whole.db"), self.schema, n=30)
        with open(self.path("whole.db"), "rb") as f:
            whole = f.read()
        dice = made.random.Random(3)
        for i in range(60):
            broken = bytearray(whole)
            for _ in range(dice.randrange(1, 40)):
                broken[dice.randrange(100, len(broken))] = dice.randrange(256)
            with open(self.path("broken.db"), "wb") as f:
                f.write(broken[:dice.randrange(4096, len(broken))] if i % 5 == 0 else broken)
            p = self.report("broken")
            self.assertIn(p.returncode, (0, 1, 3), p.stderr)  # 1: a byte of its table run
            if p.returncode == 3:
                self.assertRegex(p.stderr, r"\Avmiscan: .*broken\.db: [^\n]+\n\Z")
            else:
                Data(Parts(read(self.path("broken.html"))).text["data"])
                os.remove(self.path("broken.html"))

    def test_nothing_is_written_beside_the_database(self):
        folder = self.path("folder")
        os.mkdir(folder)
        made.server(os.path.join(folder, "x.db"), self.schema, n=5)
        db = sqlite3.connect(os.path.join(folder, "x.db"))
        db.execute("PRAGMA journal_mode = WAL")
        db.close()
        with open(os.path.join(folder, "x.db"), "rb") as f:
            before = f.read()
        self.assertEqual(os.listdir(folder), ["x.db"])
        p = subprocess.run([VMISCAN, "report", os.path.join(folder, "x.db"), "-o", self.path("wal.html")])
        self.assertEqual(p.returncode, 0)
        self.assertEqual(os.listdir(folder), ["x.db"])
        with open(os.path.join(folder, "x.db"), "rb") as f:
            self.assertEqual(f.read(), before)


@unittest.skipUnless(SAMPLE, "no sample image (VMISCAN_SAMPLE)")
class Guest(PageTest):
    """The page of a database and that of the image itself are the same, but for what tells of the run."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        db, cls.of_db, cls.of_image = (cls.path("sample" + end) for end in (".db", ".html", ".image.html"))
        subprocess.run([VMISCAN, SAMPLE, "-q", "-o", db], check=True)
        subprocess.run([VMISCAN, "report", db, "-o", cls.of_db], check=True)
        subprocess.run([VMISCAN, "report", SAMPLE, "-o", cls.of_image], check=True)
        cls.pages = [read(cls.of_db), read(cls.of_image)]
        cls.datas = [Data(Parts(p).text["data"]) for p in cls.pages]
        with sqlite3.connect(db) as d:
            (cls.n,) = d.execute("SELECT count(*) FROM processes").fetchone()

    def test_first_screen(self):
        for text in self.pages:
            self.assertIn("<h2>atomic-compatible</h2>", text)
            self.assertIn("<bdi>guest-sample</bdi>", text)
        head = [p[p.index("<main"):p.index("<noscript>")] for p in self.pages]
        self.assertEqual(*head)

    def test_tables(self):
        for name in self.datas[0].raw["tables"]:
            if name not in ("run", "coverage"):
                self.assertEqual(*(d.table(name) for d in self.datas), name)

    def test_tables_of_processes(self):
        for name in self.datas[0].raw["of"]:
            for place in range(0, self.n, 7):
                self.assertEqual(*(d.of(name, place) for d in self.datas), name)

    def test_pages_of_mappings(self):
        maps = [d.raw["of"]["process_memory_map"] for d in self.datas]
        self.assertEqual(maps[0]["resident"], maps[1]["resident"])
        self.assertEqual([len(r) for r in maps[0]["resident"]], [len(i) for i in maps[0]["ids"]])
        self.assertGreater(sum(map(sum, maps[0]["resident"])), 1000)
        self.assertEqual([d.raw["strange"] for d in self.datas], [0, 0])


if __name__ == "__main__":
    unittest.main()
