# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sample's memory as dumps of makedumpfile, LiME, AVML and VirtualBox, and compressed: each
must say what the plain memory says."""
import bz2
import gzip
import json
import lzma
import os
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
import zlib

import container
import dumps

SAMPLE = os.environ.get("VMISCAN_SAMPLE")


def libraries():
    p = subprocess.run([container.VMISCAN, "--version"], capture_output=True, text=True, check=True)
    return p.stdout.partition("unpacks with ")[2].partition("\n")[0].split(", ")


@unittest.skipUnless(SAMPLE, "no sample image (VMISCAN_SAMPLE)")
class DumpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="vmiscan-dumps-")
        cls.addClassCleanup(cls.holder.cleanup)
        cls.memory = cls.path("memory.raw")
        subprocess.run(["zstd", "-qd", "--sparse", SAMPLE, "-o", cls.memory], check=True)
        cls.size = os.path.getsize(cls.memory)
        # As the firmware of a PC tells: a hole before the first MiB, reserved pages at the end.
        cls.ranges = [(0x1000, 0x9fc00), (0x100000, cls.size - 0x20000)]
        container.analyse(cls.memory, cls.path("raw.db"))
        cls.have = libraries()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.holder.name, name)

    def fresh(self, name):
        self.addCleanup(lambda: os.path.exists(self.path(name)) and os.unlink(self.path(name)))
        return self.path(name)

    def needs(self, library):
        if library not in self.have:
            self.skipTest(f"built without {library}")

    def same(self, image, *options, status=0, leave_out=frozenset()):
        out = self.fresh("out.db")
        container.analyse(image, out, *options, "--force", status=status)
        want = container.tables(self.path("raw.db"), leave_out)
        self.assertEqual(container.differences(want, container.tables(out, leave_out)), {})
        return out

    # makedumpfile

    def test_kdump(self):
        self.needs("zlib")
        plain = self.fresh("kdump")
        dumps.kdump(self.memory, plain)
        self.same(plain)
        flat = self.fresh("flat")
        dumps.flattened(plain, flat)
        self.same(flat)
        packed = self.fresh("flat.gz")
        with open(flat, "rb") as f, gzip.open(packed, "wb", 1) as g:
            shutil.copyfileobj(f, g)
        self.same(packed)

    def test_kdump_without_pages_of_zeros(self):
        self.needs("zlib")
        image = self.fresh("kdump")
        dumps.kdump(self.memory, image, level=1, keep=lambda pfn, page: page != dumps.ZERO_PAGE)
        self.same(image)

    def test_split_kdump(self):
        self.needs("zlib")
        n = self.size // dumps.PAGE
        cuts = [0, n // 3 + 5, n // 2, n]
        parts = [self.fresh(f"part{i}") for i in range(3)]
        for i, part in enumerate(parts):
            dumps.kdump(self.memory, part, start=cuts[i], end=cuts[i + 1])
        out = self.same(parts[1], "--part", parts[2], "--part", parts[0])
        db = sqlite3.connect(out)
        self.assertEqual(db.execute("SELECT role, size FROM evidence").fetchall(),
                         [("image", os.path.getsize(parts[1])), ("part", os.path.getsize(parts[2])),
                          ("part", os.path.getsize(parts[0]))])
        db.close()
        status, words = container.refuse(parts[0], self.fresh("no.db"), "--part", parts[0])
        self.assertEqual(status, 2)
        self.assertIn("given twice", words)
        status, words = container.refuse(self.memory, self.fresh("no.db"), "--part", parts[0])
        self.assertEqual(status, 2)
        self.assertIn("--part is for", words)
        status, words = container.refuse(parts[0], parts[1], "--part", parts[1], "--force")
        self.assertEqual(status, 5)
        self.assertGreater(os.path.getsize(parts[1]), 1 << 20)

    def split(self, folder, *names):
        """Parts of the dump, in files of these names, the first pages in the last of them."""
        os.makedirs(folder)
        n = self.size // dumps.PAGE
        cuts = [n * i // len(names) for i in range(len(names) + 1)]
        for i, name in enumerate(reversed(names)):
            dumps.kdump(self.memory, os.path.join(folder, name), start=cuts[i], end=cuts[i + 1])

    def test_a_batch_joins_the_parts_of_a_dump(self):
        """By what is in them, not by their names, and of one folder each."""
        self.needs("zlib")
        top = self.path("in")
        self.addCleanup(shutil.rmtree, top, ignore_errors=True)
        self.split(os.path.join(top, "monday"), "dump.1", "dump.2", "dump.3")
        self.split(os.path.join(top, "tuesday"), "x", "a")
        self.split(os.path.join(top, "lost"), "dump.1", "dump.2")
        os.unlink(os.path.join(top, "lost", "dump.2"))
        p = subprocess.run([container.VMISCAN, "batch", top, "-o", self.path("out"), "--reproducible"],
                           capture_output=True, text=True, check=False)
        self.addCleanup(shutil.rmtree, self.path("out"), ignore_errors=True)
        lines = {os.path.relpath(line["image"], top): line
                 for line in map(json.loads, p.stdout.splitlines()) if "image" in line}
        self.assertEqual(set(lines), {"monday/dump.3", "tuesday/a", "lost/dump.1"}, p.stderr)
        self.assertIn(lines["lost/dump.1"]["status"], ("partial", "no kernel", "unreadable"))
        want = container.tables(self.path("raw.db"))
        for image, parts in (("monday/dump.3", ["dump.1", "dump.2"]), ("tuesday/a", ["x"])):
            self.assertEqual(lines[image]["status"], "analysed")
            database = lines[image]["database"]
            self.assertEqual(container.differences(want, container.tables(database)), {})
            db = sqlite3.connect(database)
            sizes = [os.path.getsize(os.path.join(top, os.path.dirname(image), part)) for part in parts]
            self.assertEqual(sorted(s for (s,) in db.execute("SELECT size FROM evidence WHERE role = 'part'")),
                             sorted(sizes))
            db.close()

    # LiME and AVML

    def test_lime(self):
        image = self.fresh("lime")
        dumps.lime(self.memory, image, self.ranges)
        self.same(image)
        self.needs("zlib")
        packed = self.fresh("lime.zlib")
        z = zlib.compressobj(1, zlib.DEFLATED, 11)
        with open(image, "rb") as f, open(packed, "wb") as g:
            while part := f.read(1 << 20):
                g.write(z.compress(part))
            g.write(z.flush())
        self.same(packed)

    def test_avml(self):
        self.needs("libsnappy")
        image = self.fresh("avml")
        dumps.avml(self.memory, image, self.ranges)
        self.same(image)

    # VirtualBox

    def test_virtualbox(self):
        cpus = [{"rip": 0xffffffff81000000 + i, "cr3": 0x1000 * (i + 1), "cs": 0x10,
                 "lstar": 0xffffffff81c00080, "gs_base": 0xffff888000000000} for i in range(2)]
        image = self.fresh("virtualbox")
        dumps.virtualbox(self.memory, image, self.ranges, cpus)
        rows = container.vcpus(self.same(image))
        self.assertEqual([r["cr3"] for r in rows], [f"0x{c['cr3']:016x}" for c in cpus])
        self.assertEqual([r["rip"] for r in rows], [f"0x{c['rip']:016x}" for c in cpus])

    # Compression of the whole file

    def compressed(self, library, name, opener, **options):
        self.needs(library)
        image = self.fresh(name)
        with open(self.memory, "rb") as f, opener(image, "wb", **options) as g:
            shutil.copyfileobj(f, g, 1 << 20)
        self.same(image)
        os.truncate(image, os.path.getsize(image) - 1000)
        p = subprocess.run([container.VMISCAN, "info", image], capture_output=True, text=True,
                           timeout=250, check=False)
        self.assertIn(p.returncode, (1, 4), p.stderr)
        self.assertIn("bytes of unpacked memory", p.stdout + p.stderr)

    def test_gzip(self):
        self.compressed("zlib", "memory.gz", gzip.open, compresslevel=1)

    def test_xz(self):
        self.compressed("liblzma", "memory.xz", lzma.open, preset=0)

    def test_lzma(self):
        self.compressed("liblzma", "memory.lzma", lzma.open, preset=0, format=lzma.FORMAT_ALONE)

    def test_bzip2(self):
        self.compressed("libbz2", "memory.bz2", bz2.open, compresslevel=1)


if __name__ == "__main__":
    unittest.main()
