# SPDX-License-Identifier: LGPL-2.1-or-later
"""Series of snapshots: images, folders, lists; what can't be read does not end it."""
import json
import os
import unittest

from support import CommandTest, needs_sample, SAMPLE


@needs_sample
class Watch(CommandTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("series"))
        for name in ("snapshot-10", "snapshot-9"):
            os.symlink(SAMPLE, self.path(f"series/{name}"))

    def stats(self, *args, status=0, **how):
        p = self.run_vmiscan("watch", "--stats", "--json", *args, **how)
        self.assertEqual(p.returncode, status, p.err)
        return json.loads(p.out)

    def test_a_folder_in_the_order_of_numbers(self):
        out = self.succeeds("watch", "series").out.splitlines()
        self.assertEqual([line.split(":")[0] for line in out], ["series/snapshot-9", "series/snapshot-10"])
        self.assertIn("atomic-compatible, 116 tasks, 4 zombie", out[0])

    def test_counts_and_shares(self):
        told = self.stats("series", SAMPLE)
        self.assertEqual([s["zombie"] for s in told["snapshots"]], [4, 4, 4])
        zombie = next(c for c in told["classes"] if c["class"] == "zombie")
        self.assertEqual((zombie["snapshots"]["count"], zombie["snapshots"]["of"]), (3, 3))
        self.assertEqual((zombie["tasks"]["count"], zombie["tasks"]["of"]), (12, 348))
        self.assertLess(zombie["tasks"]["low"], 12 / 348)
        self.assertEqual(told["verdicts"]["atomic-compatible"]["count"], 3)

    def test_the_table(self):
        out = self.succeeds("watch", "--stats", "series").out
        self.assertIn("2 snapshots, 0 unreadable, 232 tasks", out)
        self.assertRegex(out, r"(?m)^intrinsic  zombie +2 of 2 +100\.00 % +34\.24 -100\.00 % +8 of 232 +3\.45 % ")
        self.assertRegex(out, r"(?m)^verdict    torn +0 of 2 ")

    def test_a_list(self):
        self.file("list", f"series\n\n{SAMPLE}\n".encode())
        with open(self.path("list"), encoding="utf-8") as names:
            told = self.stats("-", stdin=names)
        self.assertEqual(len(told["snapshots"]), 3)

    def test_what_is_no_image_is_said_and_counted(self):
        self.file("series/notes", b"no image\n")
        told = self.stats("series", status=1)
        self.assertEqual((len(told["snapshots"]), told["unreadable"]), (2, 1))
        self.assertIn("series/notes", self.run_vmiscan("watch", "series").err)

    def test_nothing_to_read(self):
        os.mkdir(self.path("empty"))
        self.fails(3, "watch", "--stats", "empty", says="none of 0 snapshots")
        p = self.run_vmiscan("watch", "missing")
        self.assertEqual(p.returncode, 3)
        self.assertEqual(p.err.splitlines()[0], "vmiscan: missing: there is no such file")
        self.assertIn("none of 1 snapshots", p.err)
        self.fails(2, "watch", says="no image given")
        self.fails(2, SAMPLE, "--stats", says="--stats")


if __name__ == "__main__":
    unittest.main()
