# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sample's memory in containers that are cut, or have bytes of their metadata changed, through
the whole program: it ends with an exit status that says so, in time and within its memory, and what
database there is is a whole one. tests/damage does the same to readers alone, many thousand times."""
import os
import random
import sqlite3
import subprocess
import tempfile
import unittest

import container
import dumps

SAMPLE = os.environ.get("VMISCAN_SAMPLE")
XEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "samples",
                   "xen-pv.dumpcore.zst")
PAGE, MIB = 4096, 1 << 20
CUTS, CHANGES = 3, 5
SANITIZER_STATUS = 99
STATUSES = {0, 1, 3, 4}
SANITIZED = b"__asan_init" in open(container.VMISCAN, "rb").read() if SAMPLE else False
# Of CPU: the sample takes half a second. The bars are those of a build for users.
SECONDS = 60 if SANITIZED else 5
MEMORY = 512 << 20


def environment():
    return os.environ | {name: f"exitcode={SANITIZER_STATUS}"
                         for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}


@unittest.skipUnless(SAMPLE, "no sample image (VMISCAN_SAMPLE)")
class DamageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="vmiscan-damage-")
        cls.addClassCleanup(cls.holder.cleanup)
        cls.memory = cls.path("memory.raw")
        subprocess.run(["zstd", "-qd", "--sparse", SAMPLE, "-o", cls.memory], check=True)
        cls.size = os.path.getsize(cls.memory)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.holder.name, name)

    def run_it(self, image):
        """Exit status and stderr; CPU time and memory are judged here."""
        out = self.path("out.db")
        command = [container.VMISCAN, image, "-o", out, "--force", "-q"]
        p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             env=environment())
        err = p.stderr.read().decode(errors="replace")
        p.stderr.close()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        self.assertLess(usage.ru_utime + usage.ru_stime, SECONDS)
        if not SANITIZED:
            self.assertLess(usage.ru_maxrss << 10, MEMORY)
        return p.returncode, err

    def judge(self, image):
        out = self.path("out.db")
        status, err = self.run_it(image)
        self.assertIn(status, STATUSES, err)
        self.assertEqual(os.path.exists(out), status < 3, err)
        if status >= 3:
            self.assertRegex(err, r"\Avmiscan: [^\n]+\n\Z")
            return
        db = sqlite3.connect(f"file:{out}?mode=ro", uri=True)
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        db.close()
        os.unlink(out)

    def damage(self, image, metadata):
        """metadata: (from, to) in the file, in which changes go."""
        places = random.Random(image[-8:])
        with open(image, "r+b") as f:
            for _ in range(CHANGES):
                at = places.randrange(*places.choice(metadata))
                f.seek(at)
                was = f.read(1)
                f.seek(at)
                f.write(bytes([was[0] ^ places.randrange(1, 256)]))
                f.flush()
                with self.subTest(change=at):
                    self.judge(image)
                f.seek(at)
                f.write(was)
                f.flush()
        size = os.path.getsize(image)
        for n in range(CUTS, 0, -1):
            cut = size * n // (CUTS + 1) + n - CUTS // 2
            os.truncate(image, cut)
            with self.subTest(cut=cut):
                self.judge(image)
        os.unlink(image)

    def test_elf(self):
        image = self.path("memory.elf")
        dumps.virtualbox(self.memory, image, [(0, 0xa0000), (MIB, self.size)],
                         [{"cs": 0x10, "cr3": 0x1000}] * 2)
        self.damage(image, [(0, 64), (64, 0x1000)])

    def test_kdump(self):
        image = self.path("memory.kdump")
        dumps.kdump(self.memory, image)
        bitmaps = 3 * PAGE
        descriptors = bitmaps + 2 * PAGE
        self.damage(image, [(0, 470), (PAGE, PAGE + 104), (bitmaps, descriptors),
                            (descriptors, descriptors + 24 * (self.size // PAGE))])

    def test_flattened(self):
        plain, image = self.path("memory.kdump"), self.path("memory.flat")
        dumps.kdump(self.memory, plain)
        dumps.flattened(plain, image)
        os.unlink(plain)
        self.damage(image, [(0, 32), (4096, 4112), (9112, 9128)])

    def test_lime(self):
        image = self.path("memory.lime")
        dumps.lime(self.memory, image, [(0x1000, 0x9f000), (MIB, self.size)])
        self.damage(image, [(0, 32), (32 + 0x9e000, 64 + 0x9e000)])

    def test_raw(self):
        image = self.path("memory.vmem")
        subprocess.run(["cp", "--sparse=always", self.memory, image], check=True)
        self.damage(image, [(0, self.size)])

    def test_xen(self):
        image = self.path("memory.xen")
        subprocess.run(["zstd", "-qd", "--sparse", XEN, "-o", image], check=True)
        size = os.path.getsize(image)
        self.damage(image, [(0, 0x2000), (size - 0x10000, size)])

    def test_zstd(self):
        image = self.path("memory.zst")
        subprocess.run(["cp", SAMPLE, image], check=True)
        size = os.path.getsize(image)
        self.damage(image, [(0, size), (size - 2000, size)])


if __name__ == "__main__":
    unittest.main()
