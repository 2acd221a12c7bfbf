# SPDX-License-Identifier: LGPL-2.1-or-later
"""The loadable extension in two hosts of SQLite: the sqlite3 shell, and Python's module."""
import os
import shutil
import subprocess
import sys
import unittest

from support import CommandTest, needs_sample, SAMPLE

EXTENSION = os.environ.get("VMISCAN_EXTENSION")
HERE = os.path.dirname(os.path.abspath(__file__))
CAN_LOAD = ("import sqlite3, sys; db = sqlite3.connect(':memory:'); "
            "db.enable_load_extension(True); sys.exit(sqlite3.sqlite_version_info < (3, 37))")


def python_that_loads():
    """An interpreter whose sqlite3 module may load extensions; many are built without."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run(
                [python, "-c", CAN_LOAD], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


@needs_sample
@unittest.skipUnless(EXTENSION, "no extension (VMISCAN_EXTENSION)")
class Hosts(CommandTest):
    def environment(self):
        """A sanitizer's runtime must be there before a host that has none."""
        runtime = os.environ.get("VMISCAN_RUNTIME")
        preload = {"LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"} if runtime else {}
        return super().environment() | preload

    def shell(self, *lines):
        return subprocess.run(["sqlite3", ":memory:"], input="\n".join(lines) + "\n", text=True,
                              cwd=self.dir, env=self.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=250).stdout

    @unittest.skipUnless(shutil.which("sqlite3"), "no sqlite3 shell")
    def test_sqlite3_shell(self):
        os.symlink(SAMPLE, self.path("image"))
        load = f".load {EXTENSION}"
        self.assertEqual(self.shell(load, "CREATE VIRTUAL TABLE p USING vmiscan('image', processes);",
                                    "SELECT name, lifecycle FROM p WHERE pid = 1 OR name = "
                                    "'zombie-exit' ORDER BY pid;"),
                         "init|live\nzombie-exit|zombie\n")
        self.assertEqual(self.shell(load, "CREATE VIRTUAL TABLE temp.uptime USING vmiscan(image);",
                                    "SELECT count(total_seconds) FROM uptime;"), "1\n")
        self.assertRegex(self.shell(load, "SELECT vmiscan_attach('image') > 29;",
                                    "SELECT count(*) FROM listening_ports;"), r"\A1\n\d\d\n\Z")
        self.assertIn("there is no such file", self.shell(load, "SELECT vmiscan_attach('nowhere');"))

    def test_python(self):
        python = python_that_loads()
        if not python:
            self.skipTest("no Python here has a sqlite3 module that loads extensions")
        p = subprocess.run([python, os.path.join(HERE, "extension_cases.py")], cwd=self.dir,
                           env=self.environment(), stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=280)
        self.assertEqual(p.returncode, 0, p.stdout)
        self.assertRegex(p.stdout, r"Ran \d+ tests")
        self.assertEqual(os.listdir(self.scratch), [], "left in TMPDIR")

    @unittest.skipUnless(shutil.which("nm"), "no nm")
    def test_one_symbol_is_seen(self):
        out = subprocess.run(["nm", "-D", "--defined-only", EXTENSION], stdout=subprocess.PIPE,
                             text=True, check=True).stdout
        names = [line.split()[-1] for line in out.splitlines()]
        self.assertEqual([n for n in names if "asan" not in n], ["sqlite3_vmiscan_init"])


if __name__ == "__main__":
    unittest.main()
