# SPDX-License-Identifier: LGPL-2.1-or-later
"""`vmiscan sql`: forms of results, what a query extracts, what is refused, the prompt."""
import csv
import hashlib
import html
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from support import CommandTest, needs_sample, schema_columns, SAMPLE, VMISCAN

VALUES = ("SELECT 1 AS n, 'é字' AS t, NULL AS nil, '' AS empty, x'00ff' AS b, 1.5 AS r"
          " UNION ALL SELECT -20, 'a,\"b\"', NULL, ' x', NULL, 2.0")

made = {}  # once for all tests: the image without compression, its database, an empty database


def setUpModule():
    if not SAMPLE:
        return
    made["holder"] = tempfile.TemporaryDirectory(prefix="vmiscan-sql-")
    folder = made["holder"].name
    made.update({name: os.path.join(folder, name) for name in ("image", "database", "empty")})
    with open(made["image"], "wb") as f:
        subprocess.run(["zstd", "-dcq", SAMPLE], stdout=f, check=True)
    subprocess.run([VMISCAN, made["image"], "-o", made["database"], "-q"], check=True)
    schema = subprocess.run([VMISCAN, "schema"], stdout=subprocess.PIPE, text=True, check=True)
    db = sqlite3.connect(made["empty"])
    db.executescript(schema.stdout)
    db.close()


def tearDownModule():
    if made:
        made["holder"].cleanup()


class QueryTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.image = made["image"]
        shutil.copy(made["database"], self.path("x.db"))


@needs_sample
class Forms(CommandTest):
    """Exact outputs; of an empty database, so that the values are the query's own."""

    def setUp(self):
        super().setUp()
        shutil.copy(made["empty"], self.path("x.db"))

    def form(self, mode, sql):
        return self.succeeds("sql", "x.db", "--mode", mode, sql).out

    def test_table(self):
        self.assertEqual(self.form("table", VALUES), """\
┌─────┬───────┬──────┬───────┬─────────┬─────┐
│   n │ t     │  nil │ empty │ b       │   r │
├─────┼───────┼──────┼───────┼─────────┼─────┤
│   1 │ é字   │ NULL │       │ X'00ff' │ 1.5 │
│ -20 │ a,"b" │ NULL │  x    │ NULL    │ 2.0 │
└─────┴───────┴──────┴───────┴─────────┴─────┘
""")

    def test_csv(self):
        self.assertEqual(self.form("csv", VALUES), "n,t,nil,empty,b,r\r\n"
                         "1,é字,,\"\",X'00ff',1.5\r\n-20,\"a,\"\"b\"\"\",,\" x\",,2.0\r\n")

    def test_json(self):
        out = self.form("json", VALUES)
        self.assertEqual(out, """\
[{"n":1,"t":"\\u00e9\\u5b57","nil":null,"empty":"","b":"X'00ff'","r":1.5},
{"n":-20,"t":"a,\\"b\\"","nil":null,"empty":" x","b":null,"r":2.0}]
""")
        lines = self.form("jsonl", VALUES)
        self.assertEqual([json.loads(line) for line in lines.splitlines()], json.loads(out))
        self.assertEqual(self.form("json", "SELECT 1 AS a, 2 AS a"), '[{"a":1,"a:1":2}]\n')
        self.assertEqual(self.form("json", "SELECT 9e999 AS i, -9e999 AS j"),
                         '[{"i":1e999,"j":-1e999}]\n')

    def test_markdown(self):
        self.assertEqual(self.form("markdown", VALUES), """\
| n | t | nil | empty | b | r |
|---|---|---|---|---|---|
| 1 | é字 | NULL |  | X'00ff' | 1.5 |
| -20 | a,"b" | NULL |  x | NULL | 2.0 |
""")

    def test_without_rows(self):
        for mode, out in (("table", "┌───┐\n│ a │\n├───┤\n└───┘\n"), ("csv", "a\n"),
                          ("json", "[]\n"), ("jsonl", ""), ("markdown", "| a |\n|---|\n")):
            with self.subTest(mode=mode):
                got = self.form(mode, "SELECT 1 AS a WHERE 0")
                self.assertEqual(got.replace("\r\n", "\n"), out)

    def test_hostile_text(self):
        hostile = ("char(27) || '[31m' || char(10) || char(8238) || '|<b>[x](http://e)</b>`'"
                   " || CAST(x'ff' AS TEXT)")
        sql = f"SELECT {hostile} AS t"
        clean = "\\x1b[31m\\x0a\\u{202e}|<b>[x](http://e)</b>`\\xff"
        self.assertIn(f"│ {clean} │", self.form("table", sql))
        self.assertIn("\\\\x1b\\[31m\\\\x0a\\\\u{202e}\\|\\<b\\>\\[x\\](http`:`//e)\\</b\\>\\`\\\\xff",
                      self.form("markdown", sql))
        for mode in ("json", "jsonl"):
            out = self.form(mode, sql)
            self.assertTrue(out.isascii())
            self.assertNotIn("\033", out)
            self.assertEqual(json.loads(out if mode == "jsonl" else out[1:-2])["t"],
                             "\x1b[31m\n\u202e|<b>[x](http://e)</b>`\\xff")

    def test_markdown_makes_nothing_of_a_text(self):
        """A renderer of GitHub's Markdown shows it as it is."""
        if not shutil.which("cmark-gfm"):
            self.skipTest("SKIP no cmark-gfm")
        for text in HOSTILE_MARKDOWN:
            with self.subTest(text=text):
                out = self.form("markdown", f"SELECT {quoted(text)} AS t")
                p = subprocess.run(["cmark-gfm", "-e", "table", "-e", "autolink", "-e", "strikethrough",
                                    "-e", "footnotes", "-e", "tagfilter", "--unsafe"],
                                   input=out, capture_output=True, text=True, check=True)
                cell = re.search(r"(?s)<td>(.*)</td>", p.stdout)[1]
                self.assertEqual(set(re.findall(r"<[^>]+>", cell)) - {"<code>", "</code>"}, set(), out)
                shown = html.unescape(re.sub(r"</?code>", "", cell))
                self.assertEqual(shown, text)

    def test_no_formula_reaches_a_spreadsheet(self):
        for text, field in (("=1+1", "'=1+1"), ("+a", "'+a"), ("-bash", "'-bash"), ("@x", "'@x"),
                            ("\tx", "'\tx"), ("\r=x", "'\r=x"), ("-1.5e3", "-1.5e3"),
                            ("+", "'+"), ("a=1", "a=1"), ("=\"a\",b", "'=\"a\",b")):
            with self.subTest(text=text):
                out = self.form("csv", f"SELECT '{text}' AS t")
                self.assertEqual(list(csv.reader(io.StringIO(out, newline="")))[1], [field])

    def test_many_rows_stream(self):
        rows = ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 30000)"
                " SELECT x FROM c")
        lines = self.form("table", rows).splitlines()
        self.assertEqual(len(lines), 30004)
        self.assertEqual(lines[3:5], ["│     1 │", "│     2 │"])
        self.assertEqual(lines[-2], "│ 30000 │")

    def test_a_reader_that_goes_away(self):
        forever = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
        with self.start("sql", "x.db", "--mode", "csv", forever) as p:
            p.stdout.read(10)
            p.stdout.close()
            err = p.stderr.read()
            self.assertEqual((p.wait(timeout=60), err), (0, b""))


@needs_sample
class Statements(QueryTest):
    def test_mistakes_have_a_place(self):
        for sql, says in (
            ("SELECT nmae FROM processes", "no such column: nmae (line 1, column 8); `vmiscan schema`"),
            ("SELECT\n 'ü', nmae FROM processes", "(line 2, column 7)"),
            ("SELECT 1;\nSELECT 2 FROM nowhere", "no such table: nowhere (line 2, column 1"),
            ("SELEC 1", 'near "SELEC": syntax error (line 1, column 1)'),
            ("SELECT json('{')", "malformed JSON (line 1, column 1)"),
        ):
            for what in (self.image, "x.db"):
                with self.subTest(sql=sql, what=what):
                    self.fails(2, "sql", what, sql, says=says)
        self.fails(2, "sql", "x.db", "--mode", "xml", says="table, csv, json, jsonl, markdown")
        self.fails(2, "sql", "x.db", "--vmlinux", "x.db", "SELECT 1", says="x.db: is a database")
        self.fails(2, "sql", says="no image given")

    def test_nothing_is_written(self):
        before = self.contents()
        for sql in ("ATTACH 'y.db' AS y", "VACUUM INTO 'z.db'", "VACUUM", "DELETE FROM processes",
                    "INSERT INTO uptime VALUES (1, 2, 3, 4, 5)", "UPDATE processes SET pid = 1",
                    "DROP TABLE processes", "CREATE TABLE t (a)", "BEGIN", "SAVEPOINT s",
                    "PRAGMA user_version = 5", "PRAGMA journal_mode = WAL",
                    "PRAGMA writable_schema = 1", "PRAGMA temp_store_directory = '.'", "ANALYZE",
                    "SELECT load_extension('x')", "DETACH main",
                    "CREATE VIRTUAL TABLE temp.v USING fts5(a)", "CREATE TRIGGER t AFTER INSERT ON "
                    "uptime BEGIN SELECT 1; END"):
            for what in (self.image, "x.db"):
                with self.subTest(sql=sql, what=what):
                    self.fails(2, "sql", what, sql, says="is refused")
        self.assertEqual(self.contents(), before)
        self.assert_files("x.db")

    def contents(self):
        digests = []
        for path in (self.image, self.path("x.db")):
            with open(path, "rb") as f:
                digests.append(hashlib.sha256(f.read()).hexdigest())
        return digests

    def test_temporary_tables_are_the_users(self):
        for what in (self.image, "x.db"):
            p = self.succeeds("sql", what, "--mode", "jsonl",
                              "CREATE TEMP TABLE t AS SELECT pid FROM processes WHERE pid < 3;"
                              "CREATE TEMP VIEW v AS SELECT sum(pid) AS s FROM t JOIN processes "
                              "USING (pid); INSERT INTO t VALUES (4); SELECT s FROM v")
            self.assertEqual(p.out, '{"s":7}\n')

    def test_image_or_database_is_told_by_content(self):
        os.rename(self.path("x.db"), self.path("x.vmem"))
        self.assertEqual(self.succeeds("sql", "x.vmem", "SELECT count(*) AS n FROM run").out,
                         "n\n1\n".replace("\n", "\r\n"))
        other = sqlite3.connect(self.path("other.db"))
        other.execute("CREATE TABLE processes (pid)")
        other.close()
        self.fails(3, "sql", "other.db", "SELECT 1", says="none that vmiscan made")
        self.fails(3, "sql", "nowhere", "SELECT 1", says="nowhere: there is no such file")
        self.sparse("zeros", 4 << 20)
        self.fails(4, "sql", "zeros", "SELECT pid FROM processes", says="no Linux kernel")
        with open(self.path("x.vmem"), "rb") as f:
            self.file("cut.db", f.read(50000))
        self.fails(3, "sql", "cut.db", "SELECT count(*) FROM sockets", says="cut.db: ")
        self.file("x.vmem-wal", b"x" * 100)
        self.fails(3, "sql", "x.vmem", "SELECT 1", says="x.vmem-wal")

    def test_a_database_of_a_damaged_image(self):
        db = sqlite3.connect(self.path("x.db"))
        db.execute("UPDATE run SET exit_status = 1, status = 'partial'")
        db.commit()
        db.close()
        p = self.fails(1, "sql", "x.db", "SELECT 1 AS n", says="problems and coverage tell what is missing")
        self.assertEqual(p.out, "n\r\n1\r\n")

    def test_stdin(self):
        text = (b"-- a comment\n.mode jsonl\nSELECT pid,\n name FROM processes\nWHERE pid = 1;\n"
                b"\n.tables upt%\nSELECT 2 AS two")
        p = self.feed(text, "sql", "x.db")
        self.assertEqual((p.returncode, p.err), (0, ""))
        self.assertEqual(p.out.splitlines()[0], '{"pid":1,"name":"init"}')
        self.assertRegex(p.out.splitlines()[1], r"\Auptime +One row: time since boot")
        self.assertEqual(p.out.splitlines()[2], '{"two":2}')
        p = self.feed(b".mode csv\nSELECT 1;\nSELECT x;\nSELECT 3;\n", "sql", "x.db")
        self.assertEqual((p.returncode, p.out), (2, "1\r\n1\r\n"))
        self.assertEqual(p.err, "vmiscan: no such column: x (line 3, column 8); `vmiscan schema` "
                                "lists tables and columns\n")
        p = self.feed(b".nonsense\n", "sql", "x.db")
        self.assertEqual((p.returncode, p.out), (2, ""))
        self.assertIn(".nonsense: there is no such command", p.err)

    def feed(self, text, *args):
        with open(self.file("stdin", text), "rb") as f:
            p = self.start(*args, stdin=f)
            out, err = p.communicate(timeout=250)
        p.out, p.err = out.decode(), err.decode()
        return p

    def test_schema_command(self):
        p = self.feed(b".schema\n", "sql", self.image)
        columns = schema_columns(p.out.replace(" ( --", " ( --"))
        self.assertEqual(list(columns), list(schema_columns(self.succeeds("schema").out)))
        one = self.feed(b".schema uptime\n", "sql", self.image).out
        self.assertEqual(sqlite3.connect(":memory:").execute(one).fetchall(), [])

    def test_memory_limit(self):
        self.fails(1, "sql", self.image, "--max-memory", "24M", "SELECT count(*) FROM processes",
                   says="--max-memory")
        self.fails(1, "sql", "x.db", "--max-memory", "8M", "WITH RECURSIVE c(x) AS (SELECT 1 UNION "
                   "ALL SELECT x + 1 FROM c LIMIT 900000) SELECT count(DISTINCT x || 'text') FROM c",
                   says="more memory than there is")


@needs_sample
class Extraction(QueryTest):
    """What a query makes of an image: the rows of the database, and no table more than it names."""

    def extracted(self, sql):
        p = self.run_vmiscan("sql", self.image, "-v", sql)
        self.assertEqual(p.returncode, 0, p.err)
        tables = re.findall(r"(?m)^vmiscan: (\w+): \d+ rows, ", p.err)
        pages = [int(n) for n in re.findall(r"(\d+) of \d+ pages of the image were read", p.err)]
        return tables, pages[-1] if pages else 0

    def test_only_what_is_named(self):
        for sql, tables in (
            ("SELECT 1", []),
            ("SELECT name FROM sqlite_schema", []),
            ("SELECT total_seconds FROM uptime", ["uptime"]),
            ("SELECT count(*) FROM processes", ["processes"]),
            ("SELECT count(*) FROM listening_ports", ["process_open_sockets"]),
            ("WITH processes AS (SELECT 1 AS pid) SELECT pid FROM processes", []),
            ("SELECT 'FROM sockets' AS processes -- FROM mounts", []),
            ("SELECT name FROM \"processes\" p WHERE EXISTS (SELECT 1 FROM main.[mounts])",
             ["processes", "mounts"]),
            ("CREATE TEMP VIEW v AS SELECT count(*) FROM threads; SELECT 1; SELECT * FROM v",
             ["threads"]),
            ("SELECT pid FROM processes; SELECT pid FROM processes JOIN process_envs USING (pid)",
             ["processes", "process_envs"]),
            ("SELECT count(*) FROM processes NATURAL JOIN threads", ["processes", "threads"]),
            ("EXPLAIN SELECT * FROM processes", []),
            ("EXPLAIN QUERY PLAN SELECT * FROM processes", []),
            ("CREATE TEMP TABLE t (a); CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN SELECT "
             "count(*) FROM mounts; END; INSERT INTO t VALUES (1)", ["mounts"]),
        ):
            with self.subTest(sql=sql):
                self.assertEqual(self.extracted(sql)[0], tables)

    def test_one_table_reads_fewer_pages(self):
        whole = self.query("x.db", "SELECT pages_touched FROM run")[0][0]
        _, one = self.extracted("SELECT * FROM uptime")
        self.assertGreater(one, 0)
        self.assertLess(one, whole)

    def test_all_tables_are_those_of_the_database(self):
        names = [n for (n,) in self.query("x.db", "SELECT name FROM sqlite_schema ORDER BY rowid")]
        for name in names:
            with self.subTest(table=name):
                self.assertEqual(self.rows(self.image, name), self.rows("x.db", name))

    def rows(self, what, table):
        out = self.succeeds("sql", what, "--mode", "jsonl", f"SELECT * FROM {table}").out
        rows = [json.loads(line) for line in out.splitlines()]
        for row in rows:
            for name in ("start_ns", "end_ns", "argv", "pages_touched"):
                if table == "run":
                    del row[name]
            row.pop("duration_ms" if table == "coverage" else "", None)
        return rows

    def test_damage_is_said(self):
        shutil.copy(self.image, self.path("cut.raw"))
        os.truncate(self.path("cut.raw"), os.path.getsize(self.image) - (8 << 20) - 100)
        p = self.run_vmiscan("sql", "cut.raw", "SELECT count(*) AS n FROM uptime")
        self.assertEqual((p.returncode, p.out), (1, "n\r\n1\r\n"))
        self.assertRegex(p.err, r"\Avmiscan: cut.raw: [^\n]+ problems and coverage [^\n]+\n\Z")


def filters_of(pid):
    """How many filters of system calls a process has; None where the kernel does not tell."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        found = re.search(r"(?m)^Seccomp_filters:\s*(\d+)", f.read())
    return found and found[1]


HOSTILE_MARKDOWN = (
    "http://evil.example/x?a=1", "see https://evil.example.", "ftp://evil.example", "HTTP://EVIL.EXAMPLE",
    "www.evil.example", "WWW.evil.example/a_b_c", "xwww.evil.example", "evil.example",
    "mail@evil.example", "mailto:mail@evil.example", "xmpp:a@b.example/c", "@everyone", "a@@b.example",
    "`@`", "@`@", "``x``", "`http://evil.example`", "\\@a.example", "a@", "@", "://", ":smile:",
    "<script>alert(1)</script>", "<http://evil.example>", "<!-- x -->", "&lt;b&gt; &amp; &#64;",
    "[x](http://evil.example)", "![x](http://evil.example)", "[x][y]", "[^1]", "[ ] x",
    "*a* **b** _c_ __d__ ~~e~~ ~f~", "a|b", "a\\|b", "\\", "a\\", "\\\\", "$x$ $`y`$", "# x", "- x", "> x",
    "/usr/lib/libc.so.6 -D a=b:c", "[::1]:22", "10.0.0.1:80", "2001:db8::a", "a:b@c.example:d",
)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Terminal:
    """A person at a terminal."""

    def __init__(self, test, *args, **environment):
        ours, theirs = pty.openpty()
        self.fd, self.seen = ours, ""
        env = test.environment() | {"TERM": "xterm", "HOME": test.dir} | environment
        self.process = test.start(*args, env=env, stdin=theirs, stdout=theirs, stderr=theirs,
                                  start_new_session=True, preexec_fn=lambda: self.control(theirs))
        os.close(theirs)

    @staticmethod
    def control(fd):
        import fcntl
        import termios
        fcntl.ioctl(fd, termios.TIOCSCTTY, 0)

    def wait_for(self, pattern, seconds=60):
        """All up to the pattern, which must come."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen, re.S)):
            if time.monotonic() > end or not self.more(end - time.monotonic()):
                raise AssertionError(f"{pattern!r} does not come after {self.seen!r}")
        got, self.seen = self.seen[:found.end()], self.seen[found.end():]
        return got

    def more(self, seconds):
        if not select.select([self.fd], [], [], max(0, seconds))[0]:
            return False
        try:
            part = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += part.decode(errors="replace").replace("\r\n", "\n")
        return bool(part)

    def type(self, text):
        os.write(self.fd, text.encode())

    def interrupt(self):
        """Ctrl-C; once more where it came between two reads of the keyboard, and was lost."""
        for _ in range(10):
            self.type("\x03")
            try:
                return self.wait_for(r"\^C\n.*vmiscan> ", seconds=5)
            except AssertionError:
                pass
        raise AssertionError(f"no new prompt after {self.seen!r}")

    def leave(self):
        """Ctrl-D; once more where it came between two reads of the keyboard, and was lost; with
        Ctrl-U before it, for on a line that has text it is no end."""
        for _ in range(20):
            self.type("\x15\x04")
            try:
                self.process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                pass
        return self.close()

    def close(self):
        status = self.process.wait(timeout=60)
        os.close(self.fd)
        return status


@needs_sample
class Prompt(QueryTest):
    def setUp(self):
        super().setUp()
        self.edits = "edits lines with libedit" in self.succeeds("--version").out
        self.state = os.path.join(self.holder.name, "state")
        os.mkdir(self.state)

    def begin(self, *args):
        t = Terminal(self, "sql", *args, XDG_STATE_HOME=self.state)
        self.addCleanup(lambda: t.process.poll() is None and t.process.kill())
        t.wait_for("vmiscan> ")
        return t

    def needs_libedit(self):
        if not self.edits:
            self.skipTest("built without libedit")

    def test_statements_and_commands(self):
        count = self.query("x.db", "SELECT count(*) FROM processes")[0][0]
        t = self.begin(self.image, "-v")
        t.type("SELECT name\n")
        t.wait_for(r"\.\.\.> ")
        t.type("FROM processes WHERE pid = 1;\n")
        self.assertIn(f"processes: {count} rows", t.wait_for("│ init │\n.*vmiscan> "))
        ours = int(filters_of("self") or 0)
        self.assertIn(filters_of(t.process.pid), (None, str(ours), str(ours + 2)))
        t.type("SELECT count(*) FROM processes;\n")
        self.assertNotIn("rows,", t.wait_for(f"│ *{count} │\n.*vmiscan> "))
        t.type("SELECT count(*) FROM processes JOIN uptime;\n")
        got = t.wait_for(f"│ *{count} │\n.*vmiscan> ")
        self.assertIn("uptime: 1 rows", got)
        self.assertNotIn("processes:", got)
        t.type("SELECT x;\n")
        t.wait_for("no such column: x.*vmiscan> ")
        t.type(".mode json\n")
        t.wait_for("vmiscan> ")
        t.type("SELECT 1 AS a;\n")
        t.wait_for('\\[{"a":1}]\n.*vmiscan> ')
        t.type(".quit\n")
        self.assertEqual(t.close(), 0)

    def test_completion_and_history(self):
        self.needs_libedit()
        t = self.begin(self.image)
        t.type("SELECT total_sec\t FROM upti\t;\n")
        t.wait_for(r"│ total_seconds │.*│ *\d+ │\n.*vmiscan> ")
        t.type("SELECT proc\tfoo")
        t.wait_for("SELECT proc.*ess")
        t.interrupt()
        t.type("SELECT uptime.hou\t FROM uptime;\n")
        t.wait_for(r"│ hours │.*│ *\d+ │\n.*vmiscan> ")
        t.type("SELECT process_open_\t\t")
        t.wait_for("process_open_files .*process_open_sockets")
        t.interrupt()
        t.type(".sch\t uptime\n")
        t.wait_for("CREATE TABLE uptime.*vmiscan> ")
        self.assertEqual(t.leave(), 0)
        t = self.begin(self.image)
        t.type("\x1b[A\x1b[A\n")
        t.wait_for(r"│ hours │.*│ *\d+ │\n.*vmiscan> ")
        self.assertEqual(t.leave(), 0)
        self.assertEqual(os.stat(os.path.join(self.state, "vmiscan/history")).st_mode & 0o777, 0o600)

    def test_no_history_without_a_place(self):
        t = Terminal(self, "sql", self.image)
        t.wait_for("vmiscan> ")
        t.type("SELECT 1;\n")
        t.wait_for("│ 1 │\n.*vmiscan> ")
        self.assertEqual(t.leave(), 0)
        self.assert_files("x.db")

    def test_interrupt(self):
        t = self.begin(self.image)
        t.type("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
               "SELECT max(x) FROM c;\n")
        t.wait_for("FROM c;.*\n")
        time.sleep(0.5)
        t.type("\x03")
        t.wait_for("vmiscan: interrupted\n.*vmiscan> ")
        t.type("SELECT 1,\n")
        t.wait_for(r"\.\.\.> ")
        t.interrupt()
        t.type("SELECT 5;\n")
        t.wait_for("│ 5 │\n.*vmiscan> ")
        self.assertEqual(t.leave(), 0)

    def test_hostile_names(self):
        """Of a database that somebody else made."""
        self.needs_libedit()
        db = sqlite3.connect(self.path("x.db"))
        db.execute("PRAGMA application_id = 0x564d4953")
        db.execute('CREATE TABLE "zz\033[31m" ("zz\u202e\n" TEXT)')
        db.execute('CREATE TABLE zzz (a)')
        db.close()
        t = self.begin("x.db")
        t.type(".tables\n")
        got = t.wait_for("zzz.*vmiscan> ")
        t.type("SELECT z\t\t")
        got += t.wait_for("zzz")
        self.assertIn("zz\\x1b[31m", got)
        self.assertNotIn("\x1b[31m", got)
        self.assertNotIn("\u202e", got)
        t.interrupt()
        t.type('SELECT * FROM "zz\\t";\x04')
        t.process.send_signal(signal.SIGKILL)
        t.close()


if __name__ == "__main__":
    unittest.main()
