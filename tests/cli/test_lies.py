# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest whose lists lie: what the command line says of it, and what the database keeps."""
import array
import os
import subprocess
import unittest

from support import CommandTest, SAMPLE, needs_sample

LARGEST_TASK = 1 << 15
NOWHERE = 0xFFFFC90000000000


def find_link(memory, before, after):
    """Where the link of a task lies in memory, (its next, its prev) of a list_head: the two are as
    far apart as the tasks `after` and `before`, and lie inside them."""
    words = array.array("Q", memory)
    distance = (after - before) % (1 << 64)
    for i in range(len(words) - 1):
        if (words[i] - words[i + 1]) % (1 << 64) == distance and \
                0 < words[i] - after < LARGEST_TASK:
            yield i * 8, words[i] - after


@needs_sample
class Lies(CommandTest):
    def setUp(self):
        super().setUp()
        subprocess.run(["zstd", "-q", "-d", SAMPLE, "-o", self.path("raw")], check=True)
        self.succeeds("raw", "-o", "true.db", "-q")
        self.tasks = [int(addr, 16) for (addr,) in
                      self.query("true.db", "SELECT task_addr FROM processes ORDER BY rowid")]

    def lie(self, which, value):
        """Has the task at this place of the list be followed by something else."""
        with open(self.path("raw"), "r+b") as f:
            links = list(find_link(f.read(), self.tasks[which - 1], self.tasks[which + 1]))
            for at, offset in links:
                f.seek(at)
                f.write((value(offset) % (1 << 64)).to_bytes(8, "little"))
        self.assertTrue(links, "the list was not found")

    def analysed_in_part(self, says):
        p = self.run_vmiscan("raw", "-o", "x.db")
        self.assertEqual(p.returncode, 1, p.err)
        self.assert_valid_database("x.db")
        self.assert_files("raw", "true.db", "x.db")
        problems = self.query("x.db", "SELECT message FROM problems WHERE severity = 'error' "
                                      "AND table_name = 'processes'")
        self.assertTrue(any(says in message for (message,) in problems), problems)
        self.assertEqual(self.query("x.db", "SELECT status FROM coverage "
                                            "WHERE table_name = 'processes'"), [("partial",)])

    def found(self):
        """How many processes were found in the list of tasks, and how many in all."""
        return self.query("x.db", "SELECT sum(found_by = 'tasks'), count(*), "
                                  "count(DISTINCT task_addr) FROM processes")[0]

    def test_a_circle_of_tasks_is_walked_once(self):
        self.lie(20, lambda offset: self.tasks[10] + offset)
        self.analysed_in_part("circle")
        self.assertEqual(self.found(), (21, len(self.tasks), len(self.tasks)))

    def test_tasks_before_a_broken_link_are_kept(self):
        self.lie(20, lambda offset: NOWHERE)
        self.analysed_in_part("not there")
        self.assertEqual(self.found(), (21, len(self.tasks), len(self.tasks)))
        same = self.query("true.db", "SELECT count(*) FROM kernel_modules")
        self.assertEqual(self.query("x.db", "SELECT count(*) FROM kernel_modules"), same)

    def test_little_memory_ends_in_a_database(self):
        p = self.run_vmiscan("raw", "-o", "x.db", "--max-memory", "40M")
        self.assertIn(p.returncode, (0, 1), p.err)
        self.assert_valid_database("x.db")
        os.unlink(self.path("x.db"))
        self.assert_files("raw", "true.db")


if __name__ == "__main__":
    unittest.main()
