# SPDX-License-Identifier: LGPL-2.1-or-later
"""Timelines, in the forms of the tools that read them."""
import csv
import datetime
import io
import json
import re
import shutil
import sqlite3
import subprocess
import unittest

from support import CommandTest, needs_sample, SAMPLE

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
HOSTILE = "=cmd|' /C calc'!A0\x1b[31m\n\"|,\u202e"
# event.category and the values of event.type that go with it (ECS 8, allowed values)
CATEGORIES = {"host": {"access", "change", "end", "info", "start"},
              "process": {"access", "change", "end", "info", "start"},
              "file": {"access", "change", "creation", "deletion", "info"}}
# Field names of ECS 8.11 (generated/ecs/ecs_flat.yml) and their types.
ECS = {
    "@timestamp": str, "message": str, "ecs.version": str, "event.kind": str, "event.category": list,
    "event.type": list, "event.action": str, "event.module": str, "event.dataset": str,
    "host.hostname": str, "host.name": str, "host.architecture": str, "host.os.type": str,
    "host.os.kernel": str, "process.pid": int, "process.name": str, "process.executable": str,
    "process.command_line": str, "process.working_directory": str, "process.start": str,
    "process.parent.pid": int, "process.user.id": str, "process.group.id": str,
    "process.real_user.id": str, "process.real_group.id": str, "file.path": str, "file.type": str,
    "file.inode": str, "file.device": str, "file.size": int, "file.mode": str, "file.uid": str,
    "file.gid": str, "file.mtime": str, "file.accessed": str, "file.ctime": str, "log.level": str,
    "log.syslog.facility.code": int, "log.syslog.severity.code": int,
}


def microseconds(text):
    """Of an ISO 8601 time with its offset."""
    return (datetime.datetime.fromisoformat(text) - EPOCH) // datetime.timedelta(microseconds=1)


def flat(value, prefix=""):
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from flat(inner, f"{prefix}{key}.")
        else:
            yield prefix + key, inner


@needs_sample
class Timeline(CommandTest):
    def setUp(self):
        super().setUp()
        self.succeeds(SAMPLE, "-q", "-o", "a.db")

    def timeline(self, *args, name="a.db"):
        return self.succeeds("timeline", name, *args).out

    def csv_rows(self, **how):
        return list(csv.DictReader(io.StringIO(self.timeline(**how), newline=""), strict=True))

    def json_rows(self, form, **how):
        return [json.loads(line) for line in self.timeline("--format", form, **how).splitlines()]

    def hostile(self):
        """b.db: a process and a file of that name."""
        shutil.copy(self.path("a.db"), self.path("b.db"))
        db = sqlite3.connect(self.path("b.db"))
        for sql in ("UPDATE processes SET name = :x, cmdline = :x, path = :x WHERE pid = 1",
                    "UPDATE process_open_files SET path = '/' || :x WHERE pid = 1 AND fd = 10",
                    "UPDATE dmesg SET message = :x WHERE rowid = 1"):
            db.execute(sql, {"x": HOSTILE})
        db.commit()
        db.close()

    def expected(self):
        """How many moments of each kind the database has, by its own words."""
        count = lambda sql: self.query("a.db", sql)[0][0]
        files = ("SELECT count(DISTINCT device || ' ' || inode || ' ' || path) FROM process_open_files "
                 "WHERE path LIKE '/%' AND {} IS NOT NULL")
        return {"Boot Time": 1, "Snapshot Time": 1,
                "Process Start Time": count("SELECT count(start_ns) FROM processes"),
                "Kernel Log": count("SELECT count(timestamp_ns) FROM dmesg"),
                "File Modified": count(files.format("mtime_ns")),
                "File Accessed": count(files.format("atime_ns")),
                "File Changed": count(files.format("ctime_ns"))}

    def test_timesketch(self):
        rows, objects = self.csv_rows(), self.json_rows("timesketch-jsonl")
        found = {kind: sum(r["timestamp_desc"] == kind for r in rows) for kind in self.expected()}
        self.assertEqual(found, self.expected())
        self.assertGreater(min(found.values()), 0)
        self.assertEqual(len(rows), sum(found.values()))
        times = [int(r["timestamp"]) for r in rows]
        self.assertEqual(times, sorted(times))
        for row, item in zip(rows, objects, strict=True):
            self.assertEqual(microseconds(row["datetime"]), int(row["timestamp"]))
            self.assertTrue(row["message"] or row["timestamp_desc"] == "Kernel Log")
            for key in ("datetime", "timestamp_desc", "data_type", "hostname", "task_addr", "pid"):
                self.assertEqual(row[key], str(item.get(key, "")))
            self.assertEqual(int(row["timestamp"]), item["timestamp"])

    def test_times_are_those_of_the_tables(self):
        starts = dict(self.query("a.db", "SELECT task_addr, start_ns / 1000 FROM processes"))
        for item in self.json_rows("timesketch-jsonl"):
            if item["timestamp_desc"] == "Process Start Time":
                self.assertEqual(item["timestamp"], starts[item["task_addr"]])
        boot, end = self.query("a.db", "SELECT boot_ns / 1000, unix_ns / 1000 FROM time")[0]
        kinds = {i["timestamp_desc"]: i["timestamp"] for i in self.json_rows("timesketch-jsonl")}
        self.assertEqual((kinds["Boot Time"], kinds["Snapshot Time"]), (boot, end))

    def test_an_image_has_the_timeline_of_its_database(self):
        for form in ("timesketch-csv", "body", "ecs"):
            self.assertEqual(self.timeline("--format", form, name=SAMPLE), self.timeline("--format", form))
        self.assert_files("a.db")

    def test_a_spreadsheet_runs_nothing(self):
        self.hostile()
        text = self.timeline(name="b.db")
        self.assertNotRegex(text.replace("\r\n", ""), r"[\x00-\x1f\x7f\u202e]")
        rows = self.csv_rows(name="b.db")
        self.assertTrue(any(r["process"].startswith("'=cmd|") for r in rows))
        for row in rows:
            for key, value in row.items():
                self.assertFalse(value.startswith(("=", "+", "@")) or
                                 (value.startswith("-") and not value[1:].isdigit()), (key, value))

    def test_json_is_ascii_and_keeps_the_text(self):
        self.hostile()
        for form in ("timesketch-jsonl", "ecs"):
            self.assertTrue(self.timeline("--format", form, name="b.db").isascii())
            names = str(self.json_rows(form, name="b.db"))
            self.assertIn(repr(HOSTILE)[1:-1].replace("\\'", "'"), names.replace("\\'", "'"))

    def test_ecs(self):
        items = self.json_rows("ecs")
        self.assertEqual(len(items), sum(self.expected().values()))
        self.assertEqual([i["@timestamp"] for i in items], sorted(i["@timestamp"] for i in items))
        for item in items:
            for key, value in flat(item):
                self.assertIsInstance(value, ECS[key], key)
            for key in ("@timestamp", "message", "ecs", "event", "host"):
                self.assertIn(key, item)
            for key, value in flat(item):
                if key in ("@timestamp", "process.start", "file.mtime", "file.accessed", "file.ctime"):
                    self.assertRegex(value, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
            category, = item["event"]["category"]
            self.assertLessEqual(set(item["event"]["type"]), CATEGORIES[category])
            self.assertIn(item["event"]["kind"], ("event", "state"))

    def test_body(self):
        self.hostile()
        for name in ("a.db", "b.db"):
            lines = self.timeline("--format", "body", name=name).splitlines()
            for line in lines:
                fields = line.split("|")
                self.assertEqual(len(fields), 11, line)
                self.assertRegex(fields[3], r"^([-rdlcbps]/[-rdlcbps][r-][w-][xsS-][r-][w-][xsS-]"
                                            r"[r-][w-][xtT-]|-{12})$")
                for number in fields[2:3] + fields[4:]:
                    self.assertRegex(number, r"^\d+$")
                self.assertNotRegex(line, r"[\x00-\x1f\x7f]")
        expected = self.expected()
        self.assertEqual(len(lines), max(expected[k] for k in expected if k.startswith("File"))
                         + sum(expected[k] for k in expected if not k.startswith("File")))

    @unittest.skipUnless(shutil.which("mactime"), "SKIP no mactime (package sleuthkit)")
    def test_mactime_reads_the_body(self):
        self.file("body", self.timeline("--format", "body").encode())
        done = subprocess.run(["mactime", "-b", "body", "-d", "-y"], cwd=self.dir, check=True,
                              capture_output=True, text=True, env=self.environment() | {"TZ": "UTC"})
        rows = list(csv.reader(io.StringIO(done.stdout)))
        self.assertEqual(rows[0][:3], ["Date", "Size", "Type"])
        # a row a second and file, whose letters tell which of its times it is; without a date: none
        letters = "".join(r[2] for r in rows[1:] if len(r) > 2 and not r[0].startswith("0000"))
        events = len({(i["timestamp_desc"], i["message"], i["timestamp"] // 10**6)
                      for i in self.json_rows("timesketch-jsonl") if i["timestamp_desc"][:4] != "File"})
        self.assertEqual(letters.count("b"), events)
        for letter, column in (("m", "mtime_ns"), ("a", "atime_ns"), ("c", "ctime_ns")):
            files = self.query("a.db", "SELECT count(DISTINCT device || ' ' || inode || ' ' || path) FROM "
                                       f"process_open_files WHERE path LIKE '/%' AND {column} > 0")[0][0]
            self.assertEqual(letters.count(letter), events + files)
        name, mtime = self.query("a.db", "SELECT path, mtime_ns / 1000000000 FROM process_open_files "
                                         "WHERE path LIKE '/tmp/%' ORDER BY pid, fd")[0]
        when = datetime.datetime.fromtimestamp(mtime, datetime.timezone.utc)
        self.assertTrue(any(r[0].startswith(when.strftime("%Y-%m-%dT%H:%M:%S")) and "m" in r[2]
                            and r[7] == name for r in rows[1:]))

    def test_forms(self):
        names = re.findall(r"(?m)^(\S+)", self.succeeds("timeline", "a.db", "--format", "help").out)
        self.assertEqual(names, ["timesketch-csv", "timesketch-jsonl", "body", "ecs"])
        self.fails(2, "timeline", "a.db", "--format", "raw", says="--format: there is no raw")
        self.fails(2, "timeline", says="no snapshot given")
        self.fails(3, "timeline", "nowhere", says="nowhere")

    def test_a_database_of_a_damaged_image(self):
        whole = self.timeline()
        db = sqlite3.connect(self.path("a.db"))
        db.execute("UPDATE run SET exit_status = 1, status = 'partial'")
        db.commit()
        db.close()
        p = self.run_vmiscan("timeline", "a.db")
        self.assertEqual((p.returncode, p.out, p.err), (1, whole, ""))
        self.file("a.db-wal", b"x")
        self.fails(3, "timeline", "a.db", says="changes to the database lie in a.db-wal")

    def test_times_that_are_not_there(self):
        shutil.copy(self.path("a.db"), self.path("b.db"))
        db = sqlite3.connect(self.path("b.db"))
        for sql in ("UPDATE time SET boot_ns = NULL, unix_ns = 9223372036854775807",
                    "UPDATE processes SET start_ns = NULL",
                    "UPDATE process_open_files SET mtime_ns = -1, atime_ns = NULL, "
                    "ctime_ns = -9223372036854775807 - 1"):
            db.execute(sql)
        db.commit()
        db.close()
        kinds = {r["timestamp_desc"] for r in self.csv_rows(name="b.db")}
        self.assertEqual(kinds, {"Snapshot Time", "File Modified", "File Changed"})
        modified = [r for r in self.csv_rows(name="b.db") if r["timestamp_desc"] == "File Modified"]
        self.assertEqual({r["datetime"] for r in modified}, {"1969-12-31T23:59:59.999999+00:00"})


if __name__ == "__main__":
    unittest.main()
