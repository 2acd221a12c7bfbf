# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Xen guest's database against what its own /proc said.

A truth is "@@@ PATH" lines, each followed by what that file had.
"""
import os
import re
import sqlite3
import subprocess
import tempfile
import unittest

import container


def sections(path):
    if path.endswith(".zst"):
        raw = subprocess.run(["zstd", "-qdc", path], check=True, stdout=subprocess.PIPE).stdout
    else:
        with open(path, "rb") as f:
            raw = f.read()
    text = raw.decode(errors="replace").replace("\r", "")
    out = {}
    for part in text.split("@@@ ")[1:]:
        name, _, body = part.partition("\n")
        out[name.strip()] = body.strip()
    return out


def lasting(processes):
    """Without workers, which take another name with each work, and what came after the truth."""
    return {p for p in processes if not p[1].startswith("kworker/") and p[1] != "sleep"}


class XenGuest(unittest.TestCase):
    """What tests of Xen's files have in common."""

    def setUp(self):
        self.holder = tempfile.TemporaryDirectory(prefix="vmiscan-xen-")
        self.addCleanup(self.holder.cleanup)

    def database(self, image):
        out = os.path.join(self.holder.name, "out.db")
        container.analyse(image, out)
        db = sqlite3.connect(out)
        self.addCleanup(db.close)
        return db

    def processes(self, db, truth):
        want = set()
        for path, body in truth.items():
            m = re.fullmatch(r"/proc/\d+/stat", path) and re.match(
                r"(\d+) \((.*)\) (\S) (\d+)", body, re.S)
            if m:
                want.add((int(m[1]), m[2], int(m[4])))
        got = set(db.execute("SELECT pid, name, parent FROM processes WHERE pid > 0"))
        self.assertGreater(len(want), 50)
        self.assertEqual(lasting(want), lasting(got))

    def names(self, db, truth):
        modules = {line.split()[0] for line in truth["/proc/modules"].splitlines()}
        self.assertEqual(modules, {n for (n,) in db.execute("SELECT name FROM kernel_modules")})
        mounts = {line.split()[1] for line in truth["/proc/mounts"].splitlines()}
        self.assertEqual(mounts, {p for (p,) in db.execute("SELECT path FROM mounts")})
        devices = {line.split(":")[0].strip() for line in truth["/proc/net/dev"].splitlines()
                   if ":" in line}
        self.assertEqual(devices, {n for (n,) in db.execute(
            "SELECT DISTINCT interface FROM interface_details")})

    def maps(self, db, truth):
        n = 0
        for path, body in truth.items():
            m = re.fullmatch(r"/proc/(\d+)/maps", path)
            if not m or not body:
                continue
            want = {tuple(line.split()[0].split("-")) + (line.split()[1],)
                    for line in body.splitlines()}
            got = {tuple(a.removeprefix("0x") for a in row[:2]) + (row[2],) for row in db.execute(
                "SELECT start, end, permissions FROM process_memory_map WHERE pid = ?",
                (int(m[1]),))}
            self.assertLessEqual(want, got, path)
            n += 1
        self.assertGreater(n, 5)

    def check(self, image, truth):
        db = self.database(image)
        truth = sections(truth)
        self.processes(db, truth)
        self.names(db, truth)
        self.maps(db, truth)
        self.assertEqual(db.execute("SELECT count(*), count(cr3), count(task_addr) FROM vcpus"
                                    ).fetchone(), (2, 2, 2))
        self.assertEqual(db.execute("SELECT count(*) FROM problems").fetchone(), (0,))
