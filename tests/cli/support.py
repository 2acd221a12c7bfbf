# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs vmiscan for the tests: in a directory of its own, with a scratch place of its own."""
import os
import re
import sqlite3
import subprocess
import tempfile
import unittest

VMISCAN = os.environ.get("VMISCAN", "vmiscan")
SAMPLE = os.environ.get("VMISCAN_SAMPLE")

needs_sample = unittest.skipUnless(SAMPLE, "no sample image (VMISCAN_SAMPLE)")
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root, to become somebody else")

NOBODY = 65534
SANITIZER_STATUS = 99  # a sanitizer's own, 1, is one of ours


class CommandTest(unittest.TestCase):
    """Each test has a new directory, which is the current one of its runs."""

    def setUp(self):
        self.holder = tempfile.TemporaryDirectory(prefix="vmiscan-test-")
        self.addCleanup(self.holder.cleanup)
        os.chmod(self.holder.name, 0o755)
        self.dir = os.path.join(self.holder.name, "work")
        self.scratch = os.path.join(self.holder.name, "scratch")
        for path in (self.dir, self.scratch):
            os.mkdir(path)
            os.chmod(path, 0o777)

    def path(self, name):
        return os.path.join(self.dir, name)

    def file(self, name, content=b""):
        with open(self.path(name), "wb") as f:
            f.write(content)
        return self.path(name)

    def sparse(self, name, size):
        self.file(name)
        os.truncate(self.path(name), size)
        return self.path(name)

    def environment(self):
        plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
        sanitizers = {name: f"exitcode={SANITIZER_STATUS}:" + os.environ.get(name, "")
                      for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
        return plain | sanitizers | {"TMPDIR": self.scratch, "LC_ALL": "C",
                                     "XDG_CACHE_HOME": os.path.join(self.holder.name, "cache")}

    def start(self, *args, **how):
        how = {"cwd": self.dir, "env": self.environment(), "stdin": subprocess.DEVNULL,
               "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
        return subprocess.Popen([VMISCAN, *args], **how)

    def run_vmiscan(self, *args, **how):
        with self.start(*args, **how) as p:
            out, err = p.communicate(timeout=250)
        p.out = (out or b"").decode()
        p.err = (err or b"").decode()
        self.assertNotEqual(p.returncode, SANITIZER_STATUS, p.err)
        self.assertEqual(os.listdir(self.scratch), [], "left in TMPDIR")
        return p

    def succeeds(self, *args, **how):
        p = self.run_vmiscan(*args, **how)
        self.assertEqual((p.returncode, p.err), (0, ""))
        return p

    def fails(self, status, *args, says="", **how):
        """It ends with this status, and one sentence on stderr that has `says` in it."""
        p = self.run_vmiscan(*args, **how)
        self.assertEqual(p.returncode, status, p.err)
        self.assertRegex(p.err, r"\Avmiscan: [^\n]+\n\Z", "not one sentence")
        self.assertNotRegex(p.err, r"[\x00-\x09\x0b-\x1f\x7f]")
        self.assertIn(says, p.err)
        return p

    def assert_files(self, *names):
        """There is nothing else in the directory, hidden files included."""
        self.assertEqual(sorted(os.listdir(self.dir)), sorted(names))

    def query(self, name, sql):
        db = sqlite3.connect(f"file:{self.path(name)}?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def assert_valid_database(self, name):
        self.assertEqual(self.query(name, "PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.query(name, "PRAGMA application_id"), [(0x564D4953,)])
        self.assertEqual(self.query(name, "PRAGMA user_version"), [(1,)])
        self.assertEqual(self.query(name, "SELECT count(*) FROM run"), [(1,)])


def schema_columns(text):
    """{table: {column: comment}} of the SQL that `vmiscan schema` prints."""
    tables, columns = {}, None
    for line in text.splitlines():
        head = re.match(r"CREATE (?:TABLE|VIEW) (\w+) .*-- (.+)", line)
        if head:
            columns = tables.setdefault(head[1], {})
            continue
        column = re.match(r"\t(?:.* AS )?(\w+)(?: INTEGER| TEXT)?,? -- (.+)", line)
        if column:
            columns[column[1]] = column[2]
    return tables
