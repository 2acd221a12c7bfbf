# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two snapshots of one guest: what appeared, went and changed between them."""
import json
import shutil
import sqlite3
import unittest

from support import CommandTest, needs_sample, SAMPLE

TABLES = ("processes", "process_open_files", "sockets", "kernel_modules", "process_memory_map")


@needs_sample
class Diff(CommandTest):
    def setUp(self):
        super().setUp()
        self.succeeds(SAMPLE, "-q", "-o", "a.db")
        self.rows = dict(self.query("a.db", "SELECT table_name, rows FROM coverage"))

    def after(self, *statements):
        """b.db is a.db after these."""
        shutil.copy(self.path("a.db"), self.path("b.db"))
        db = sqlite3.connect(self.path("b.db"))
        for sql in statements:
            db.execute(sql)
        db.commit()
        db.close()

    def lines(self, *changes):
        """What is printed, of {table: ([appeared, gone, changed], lines)}."""
        changes = dict(changes)
        text = ""
        for table in TABLES:
            (appeared, gone, changed), lines = changes.get(table, ((0, 0, 0), ""))
            same = self.rows[table] - gone - changed
            text += (f"{table}: {appeared} appeared, {gone} gone, {changed} changed, {same} the same\n"
                     + lines)
        return text

    def test_itself_and_its_image(self):
        for pair in (("a.db", "a.db"), ("a.db", SAMPLE), (SAMPLE, "a.db"), (SAMPLE, SAMPLE)):
            with self.subTest(pair=pair):
                self.assertEqual(self.succeeds("diff", *pair).out, self.lines())
        self.assert_files("a.db")

    def test_what_changed(self):
        self.after("UPDATE processes SET name = 'ba' || x'1b' || 'sh', uid = NULL WHERE pid = 1",
                   "DELETE FROM processes WHERE pid = 2",
                   "UPDATE process_open_files SET path = '/etc/shadow' WHERE pid = 1 AND fd = 10",
                   "INSERT INTO kernel_modules (name, size, module_addr) "
                   "VALUES ('evil', 4096, '0xffff888000000000')",
                   "DELETE FROM process_memory_map WHERE pid = 1 AND path = '[heap]'",
                   "UPDATE processes SET user_time = user_time + 5, state = 'R'",
                   "UPDATE sockets SET rx_queue = 77")
        start, end = self.query("a.db", "SELECT start, end FROM process_memory_map "
                                        "WHERE pid = 1 AND path = '[heap]'")[0]
        self.assertEqual(self.succeeds("diff", "a.db", "b.db").out, self.lines(
            ("processes", ((0, 1, 1), "  - 2 kthreadd '' ''\n"
                                      "  ~ 1 ba\\x1bsh /bin/busybox /bin/sh /init\n"
                                      "      name: init -> ba\\x1bsh\n"
                                      "      uid: 0 -> -\n")),
            ("process_open_files", ((0, 0, 1), "  ~ 1 10 regular /etc/shadow\n"
                                               "      path: /init -> /etc/shadow\n")),
            ("kernel_modules", ((1, 0, 0), "  + evil 4096 - -\n")),
            ("process_memory_map", ((0, 1, 0), f"  - 1 {start} {end} rw-p [heap]\n"))))

    def test_a_pid_that_is_another_process(self):
        self.after("UPDATE processes SET start_ns = start_ns + 1000000000 WHERE pid = 1")
        out = self.succeeds("diff", "a.db", "b.db").out
        self.assertIn("processes: 1 appeared, 1 gone, 0 changed", out)
        self.assertRegex(out, r"process_open_files: (\d+) appeared, \1 gone, 0 changed")
        self.after("UPDATE time SET boot_ns = boot_ns + 1000000000",  # the clock was set
                   "UPDATE processes SET start_ns = start_ns + 1000000000, start_time = start_time + 1")
        self.assertEqual(self.succeeds("diff", "a.db", "b.db").out, self.lines())

    def test_json(self):
        self.after("UPDATE kernel_modules SET taints = 'OE' WHERE rowid = 1",
                   "DELETE FROM sockets WHERE rowid = 1")
        found = json.loads(self.succeeds("diff", "a.db", "b.db", "--json").out)
        modules = found["tables"]["kernel_modules"]
        self.assertEqual({k: modules[k] for k in ("appeared", "gone", "changed", "same")},
                         {"appeared": 0, "gone": 0, "changed": 1, "same": self.rows["kernel_modules"] - 1})
        change, = modules["changes"]
        self.assertEqual(change["changed"], {"taints": {"before": "", "after": "OE"}})
        name, = self.query("a.db", "SELECT name FROM kernel_modules WHERE rowid = 1")[0]
        self.assertEqual((change["change"], change["row"]["name"]), ("changed", name))
        gone, = found["tables"]["sockets"]["changes"]
        address, = self.query("a.db", "SELECT socket_addr FROM sockets WHERE rowid = 1")[0]
        self.assertEqual((gone["change"], gone["row"]["socket_addr"]), ("gone", address))
        self.assertEqual((found["before"]["file"], found["after"]["file"]), ("a.db", "b.db"))
        self.assertEqual(found["before"]["hostname"], "guest-sample")
        self.assertEqual(found["warnings"], [])

    def warned(self, sentence, *statements, status=0, first="a.db", second="b.db"):
        self.after(*statements)
        p = self.run_vmiscan("diff", first, second)
        self.assertEqual((p.returncode, p.err), (status, f"vmiscan: {sentence}\n"))
        found = json.loads(self.run_vmiscan("diff", first, second, "--json").out)
        self.assertEqual(found["warnings"], [sentence])
        return found

    def test_not_of_one_guest(self):
        self.warned("the two are not of one guest: their kernels are of different builds",
                    "UPDATE kernel_info SET build_id = 'ab'")
        self.warned("the two are not of one boot: the kernel lies at another address",
                    "UPDATE kernel_info SET kernel_addr = '0xffffffff80000000'")
        self.warned("the two are not of one boot, or the clock was set: their times of boot differ",
                    "UPDATE time SET boot_ns = boot_ns - 6000000000")
        self.warned("the first is the later one: what is said to have appeared had gone",
                    "UPDATE time SET unix_ns = unix_ns + 1", first="b.db", second="a.db")
        self.warned("the two have different host names", "UPDATE system_info SET hostname = 'other'")

    def test_tables_that_are_not_whole(self):
        self.warned("b.db: the table sockets is partial (a list broke): what it lacks looks as if it "
                    "had gone or appeared",
                    "UPDATE coverage SET status = 'partial', reason = 'a list broke' "
                    "WHERE table_name = 'sockets'", status=1)
        found = self.warned("b.db: the table sockets is skipped (not asked for): not compared",
                            "UPDATE coverage SET status = 'skipped', reason = 'not asked for' "
                            "WHERE table_name = 'sockets'", status=1)
        self.assertNotIn("sockets", found["tables"])

    def test_one_that_does_not_say_when_processes_started(self):
        sentence = ("{}: it does not say when its processes started (tables time and processes): "
                    "task_struct and pid tell them apart")
        for sql in ("DELETE FROM time", "UPDATE time SET boot_ns = NULL", "DELETE FROM processes"):
            for pair in (("a.db", "b.db"), ("b.db", "a.db")):
                with self.subTest(sql=sql, pair=pair):
                    found = self.warned(sentence.format("b.db"), sql, status=1, first=pair[0], second=pair[1])
                    for table in TABLES:
                        if table != "processes" or sql != "DELETE FROM processes":
                            self.assertEqual(found["tables"][table]["same"], self.rows[table])
        self.after("DELETE FROM time", "UPDATE processes SET pid = 4000 WHERE pid = 2")
        self.assertIn("processes: 1 appeared, 1 gone, 0 changed",
                      self.run_vmiscan("diff", "a.db", "b.db").out)

    def test_a_database_of_a_damaged_image(self):
        for sql in ("UPDATE run SET exit_status = 1", "UPDATE run SET status = 'limit'"):
            self.after(sql)
            for pair in (("a.db", "b.db"), ("b.db", "a.db")):
                p = self.run_vmiscan("diff", *pair)
                self.assertEqual((p.returncode, p.out, p.err), (1, self.lines(), ""))

    def test_changes_in_a_journal(self):
        self.after()
        for ending in ("-wal", "-journal"):
            self.file("b.db" + ending, b"x")
            self.fails(3, "diff", "a.db", "b.db", says=f"changes to the database lie in b.db{ending}")
            self.file("b.db" + ending)
            self.succeeds("diff", "a.db", "b.db")

    def test_mistakes(self):
        self.fails(2, "diff", "a.db", says="one snapshot more is needed")
        self.fails(2, "diff", "a.db", "a.db", "a.db", says="one word too many")
        self.sparse("zeros", 1 << 20)
        self.fails(4, "diff", "a.db", "zeros", says="zeros: no Linux kernel")
        self.fails(3, "diff", "nowhere", "a.db", says="nowhere")
        self.after("PRAGMA user_version = 9")
        self.fails(3, "diff", "b.db", "a.db", says="b.db: its schema is of version 9")


if __name__ == "__main__":
    unittest.main()
