# SPDX-License-Identifier: LGPL-2.1-or-later
"""The comparison must see every column of every row: each is falsified once, and must be caught."""

import pathlib
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import compare  # noqa: E402
import fabricate  # noqa: E402
import madeup  # noqa: E402
import pages  # noqa: E402
import processes  # noqa: E402
from database import Database  # noqa: E402
from engine import MISSING  # noqa: E402
from text import database_text, unescape_collector  # noqa: E402

# Derived columns of the comparison -> the column of the database that they come from.
SOURCE = {"user_ticks": "user_time", "system_ticks": "system_time", "start_ticks": "start_ns",
          "argv_list": "argv", "covered": "end_pa", "start": "start_pa", "end": "end_pa"}


class Fabricated(unittest.TestCase):
    """A fresh perfect database for each test."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        cls.truth = madeup.truth()
        fabricate.fabricate(cls.path / "perfect.db", cls.truth, compare.COMPARISONS, cls.case)
        cls.perfect = (cls.path / "perfect.db").read_bytes()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def case(cls, path):
        return compare.Case(cls.truth, Database(path))

    def changed(self, statements):
        """The perfect database after the statements were applied to it, as a case."""
        path = self.path / "changed.db"
        path.write_bytes(self.perfect)
        sql = sqlite3.connect(path)
        sql.execute("PRAGMA journal_mode = OFF")
        sql.execute("PRAGMA synchronous = OFF")
        for statement in statements:
            sql.execute(statement)
        sql.commit()
        sql.close()
        case = self.case(path)
        self.addCleanup(case.database.close)
        return case

    def outcome(self, *statements):
        return compare.compare(self.changed(statements))

    def result(self, table, *statements):
        """What the comparison of one table says."""
        case = self.changed(statements)
        comparison = next(c for c in compare.COMPARISONS if c.table == table)
        return compare.engine.compare(comparison, case, compare.allowed.rules(case))

    def assert_caught(self, *statements):
        self.assertFalse(self.outcome(*statements).passed, f"not seen: {statements}")


class Honesty(Fabricated):
    def test_perfect_database_passes(self):
        outcome = self.outcome()
        self.assertEqual([d.text() for r in outcome.results for d in r.bad()], [])
        self.assertEqual([f for r in outcome.results for f in r.failures], [])
        self.assertEqual([f for c in outcome.relations for f in c.failures], [])
        self.assertEqual(sum(r.used for r in outcome.rules), 0)

    def test_every_compared_column_is_seen(self):
        for result in self.outcome().results:
            for column in result.compared:
                source = SOURCE.get(column, column)
                if source not in fabricate.declared()[result.table]:
                    continue
                with self.subTest(table=result.table, column=column):
                    statement = self.falsify(result.table, source)
                    self.assertFalse(self.result(result.table, statement).passed, statement)

    def falsify(self, table, column):
        """A statement that changes the column of every row, in a way that no rule allows."""
        kind = fabricate.declared()[table][column]
        if kind != "INT":
            return f"UPDATE {table} SET \"{column}\" = 'not this'"
        return f'UPDATE {table} SET "{column}" = coalesce("{column}", 0) - 1000000000000'

    def test_every_row_is_missed(self):
        for result in self.outcome().results:
            if result.database_rows and result.table != "problems":
                with self.subTest(table=result.table):
                    statement = (f"DELETE FROM {result.table} WHERE rowid = "
                                 f"(SELECT min(rowid) FROM {result.table})")
                    self.assertFalse(self.result(result.table, statement).passed, statement)

    def test_every_row_too_many_is_seen(self):
        for table in fabricate.declared():
            with self.subTest(table=table):
                self.assert_caught(
                    f"INSERT INTO {table} SELECT * FROM {table} WHERE rowid = 1",
                    f"INSERT INTO {table} (rowid) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM {table})")

    def test_empty_tables_do_not_pass(self):
        self.assert_caught(*(f"DELETE FROM {table}" for table in fabricate.declared()))

    def test_unknown_table_is_seen(self):
        self.assert_caught("CREATE TABLE unheard_of (a INTEGER) STRICT")

    def test_unknown_column_is_seen(self):
        self.assert_caught("ALTER TABLE processes ADD COLUMN unheard_of INTEGER")


class Lifecycle(Fabricated):
    def test_false_labels_are_seen(self):
        self.assert_caught("UPDATE processes SET lifecycle = 'dying' WHERE pid = 1")
        self.assert_caught("UPDATE threads SET lifecycle = 'zombie' WHERE tid = 22")
        self.assert_caught("UPDATE processes SET phase = 'Z2' WHERE pid = 21")
        self.assert_caught("UPDATE inconsistencies SET scope = 'extrinsic' WHERE tid = 20")

    def test_a_guest_that_was_stopped_is_not_torn(self):
        self.assert_caught("UPDATE run SET atomicity = 'torn'")
        self.assert_caught("UPDATE atomicity SET violated = 1 WHERE invariant = 'parents'")
        self.assert_caught("UPDATE atomicity SET evaluated = 0, unevaluable = 0 WHERE invariant = 'map_counts'")

    def test_live_may_be_young(self):
        outcome = self.outcome("UPDATE processes SET phase = 'N5' WHERE pid = 1",
                               "UPDATE threads SET phase = 'N5' WHERE tid = 1")
        self.assertTrue(outcome.passed)

    def test_dead_leader_shows_its_living_thread(self):
        self.assert_caught("DELETE FROM process_memory_map WHERE pid = 21")
        self.assert_caught("UPDATE processes SET path = '' WHERE pid = 21")


class Rules(Fabricated):
    def rule(self, outcome, name):
        return next(r for r in outcome.rules if r.name == name)

    def test_a_kworker_may_go(self):
        outcome = self.outcome(
            "DELETE FROM processes WHERE pid = 7", "DELETE FROM threads WHERE pid = 7",
            "DELETE FROM process_namespaces WHERE pid = 7",
            "UPDATE coverage SET rows = rows - 1 WHERE table_name IN ('processes', 'threads', 'process_namespaces')")
        self.assertTrue(outcome.passed)
        self.assertEqual(self.rule(outcome, "kworker-comes-or-goes").used, 3)

    def test_another_kernel_thread_may_not(self):
        self.assert_caught("DELETE FROM processes WHERE pid = 2", "DELETE FROM threads WHERE pid = 2",
                           "DELETE FROM process_namespaces WHERE pid = 2")

    def test_what_symbols_leave_out_is_said(self):
        deduced = "UPDATE run SET symbols_source = 'kallsyms in the image; it lists no data, which was deduced'"
        lost = ("DELETE FROM load_average", "UPDATE coverage SET rows = 0 WHERE table_name = 'load_average'",
                "UPDATE coverage SET status = 'unavailable', reason = 'no table of symbols lists avenrun, and "
                "nothing leads to it' WHERE table_name = 'load_average'")
        self.assertTrue(self.outcome(deduced, *lost).passed)
        self.assert_caught(*lost)
        self.assert_caught(deduced, *lost[:2])
        self.assert_caught(deduced, lost[0], lost[1], lost[2].replace("lists avenrun", "has it"))
        self.assert_caught(deduced, "UPDATE atomicity SET evaluated = 0, unevaluable = 0 "
                                    "WHERE invariant = 'current_tasks'")

    def test_time_does_not_run_back(self):
        self.assert_caught("UPDATE threads SET user_time = 0 WHERE tid = 2")
        self.assert_caught("UPDATE uptime SET total_seconds = total_seconds - 60, minutes = minutes - 1")

    def test_user_processes_do_not_move(self):
        self.assert_caught("UPDATE processes SET user_time = user_time + 10 WHERE pid = 1")
        self.assert_caught("UPDATE threads SET cpu = 0 WHERE tid = 1")


class Relations(Fabricated):
    def test_bits_of_pages(self):
        self.assert_caught("UPDATE process_page_map SET dirty = 1")
        self.assert_caught("UPDATE process_page_map SET accessed = 1")
        self.assert_caught("UPDATE process_page_map SET permissions = 'rwx'")

    def test_size_of_pages(self):
        self.assert_caught("UPDATE process_page_map SET page_size = 2097152")

    def test_arguments_of_modules(self):
        self.assert_caught("UPDATE kernel_modules SET arguments = 'depth' WHERE name = 'bridge'")

    def test_keys(self):
        for table in ("process_envs", "process_namespaces", "process_open_files", "process_memory_map",
                      "process_page_map", "process_open_sockets", "inconsistencies", "threads"):
            self.assert_caught(f"UPDATE {table} SET task_addr = '0xffff888000000008'")
        self.assert_caught("UPDATE process_open_sockets SET socket_addr = '0xffff888000000008'")
        self.assert_caught("UPDATE interface_addresses SET device_addr = '0xffff888000000008'")

    def test_addresses(self):
        self.assert_caught("UPDATE mounts SET mount_addr = '0x0000000000001000' WHERE rowid = 1")
        self.assert_caught("UPDATE mounts SET mount_addr = '0xFFFF888000000008' WHERE rowid = 1")

    def test_clock(self):
        self.assert_caught("UPDATE time SET weekday = 'Someday'")
        self.assert_caught("UPDATE uptime SET minutes = minutes + 1")

    def test_order(self):
        self.assert_caught("UPDATE process_memory_map SET rowid = -rowid")
        self.assert_caught("UPDATE process_open_files SET rowid = -rowid")

    def test_text_that_is_none(self):
        self.assert_caught("UPDATE processes SET lifecycle_evidence = CAST(x'6578ff00' AS TEXT)")


class Texts(unittest.TestCase):
    def test_database_text(self):
        for raw, text in ((b"plain", "plain"), (b"gr\xc3\xbc\xc3\x9f", "grüß"), (b"\xff\xfe", "\\xff\\xfe"),
                          (b"a\0b", "a\\x00b"), (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
                          (b"\xc0\xaf", "\\xc0\\xaf"), (b"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"),
                          (b"\xe2\x82", "\\xe2\\x82"), (b"\n\x1b", "\n\x1b")):
            self.assertEqual(database_text(raw), text)

    def test_unescape_collector(self):
        self.assertEqual(unescape_collector(b"a\\x5cx41\\xff"), b"a\\x41\xff")

    def test_arguments(self):
        self.assertEqual(processes.arguments(b"a\0\0b\0"), [b"a", b"", b"b"])
        self.assertEqual(processes.arguments(b"no end"), [b"no end"])
        self.assertEqual(processes.arguments(b""), [])

    def test_runs_join_only_where_both_sides_touch(self):
        runs = [(0x1000, 0x2000, 0x9000), (0x2000, 0x3000, 0xa000), (0x3000, 0x4000, 0xc000)]
        self.assertEqual(pages.join(runs), [[0x1000, 0x3000, 0x9000], [0x3000, 0x4000, 0xc000]])


    def test_runs_are_cut_where_the_other_side_begins(self):
        self.assertEqual(list(pages.cut([(0x1000, 0x4000, 0x9000)], [0x1000, 0x3000, 0x4000])),
                         [(0x1000, 0x3000, 0x9000), (0x3000, 0x4000, 0xb000)])


class MadeUp(unittest.TestCase):
    def test_missing_row_names_itself(self):
        difference = compare.engine.Difference("processes", MISSING, (9,), {"pid": 9, "_x": 1}, {})
        self.assertEqual(difference.text(), "processes(9) missing: pid=9")


if __name__ == "__main__":
    unittest.main()
