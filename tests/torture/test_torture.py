# SPDX-License-Identifier: LGPL-2.1-or-later
"""A few of the faults of tests/torture/run: memory, reads and writes that fail, one a run."""
import os
import subprocess
import tempfile
import unittest

import torture

VMISCAN = os.environ.get("VMISCAN", "vmiscan")
SAMPLE = os.environ.get("VMISCAN_SAMPLE")
FAULTS = os.environ.get("VMISCAN_FAULTS")


@unittest.skipUnless(SAMPLE, "no sample image (VMISCAN_SAMPLE)")
@unittest.skipUnless(FAULTS, "SKIP nothing is loaded before a sanitizer")
class Torture(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory(prefix="vmiscan-test-")
        self.addCleanup(self.holder.cleanup)

    def unpacked(self):
        image = os.path.join(self.holder.name, "guest.raw")
        subprocess.run(["zstd", "-dqf", SAMPLE, "-o", image], check=True)
        return image

    def bench(self, image, *args):
        bench = torture.Bench(VMISCAN, FAULTS, image, *args)
        self.addCleanup(bench.close)
        return bench

    def run_faults(self, bench, first, more):
        statuses = set()
        for fault in torture.plan(bench.counts(), 6, first, more):
            result = bench.fault(*fault)
            statuses.add(result.status)
            with self.subTest(fault=result.what):
                self.assertEqual(result.problems, [], f"status {result.status}: {result.err}")
        self.assertTrue(bench.evidence_is_untouched())
        return statuses

    def test_of_memory_as_it_is(self):
        statuses = self.run_faults(self.bench(self.unpacked()), 8, 12)
        self.assertLessEqual({0, 1, 3, 5, 70}, statuses, "faults that nothing came of")

    def test_of_a_compressed_image(self):
        self.run_faults(self.bench(SAMPLE), 1, 6)

    def test_of_first_bytes_that_are_there_the_next_time(self):
        """Nobody takes what he could not see for something else."""
        gzip = os.path.join(self.holder.name, "guest.gz")
        with open(gzip, "wb") as f:
            subprocess.run(["gzip", "-1c", self.unpacked()], stdout=f, check=True)
        for image in (SAMPLE, gzip):
            for fault in ("1:5", "1:5/3", "1:5/6", "1:5/9", "1:5/4096", "2:5", "3:5", "1:22", "3:22"):
                env = dict(os.environ, LD_PRELOAD=FAULTS, FAULT="pread:" + fault)
                p = subprocess.run([VMISCAN, "info", image, "--no-progress"], env=env, text=True,
                                   capture_output=True)
                with self.subTest(image=image, fault=fault):
                    self.assertIn(p.returncode, (0, 1, 3, 4))
                    self.assertLessEqual(p.stderr.count(image), 1, p.stderr)
                    if p.returncode == 3:
                        self.assertIn("can't be read", p.stderr)

    def test_of_files_of_symbols(self):
        tiny = os.environ["VMISCAN_TINY"]
        self.run_faults(self.bench(self.unpacked(), "--vmlinux", tiny, "--force-symbols"), 1, 4)

    def test_short_and_interrupted_calls_change_nothing(self):
        bench = self.bench(SAMPLE)
        bench.counts()
        digest = bench.digest()
        for seed in (1, 2, 3):
            result = bench.shortened(seed)
            self.assertEqual((result.status, result.problems), (0, []), result.err)
            self.assertEqual(bench.digest(), digest)


if __name__ == "__main__":
    unittest.main()
