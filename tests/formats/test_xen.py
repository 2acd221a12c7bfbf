# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sample in the tree: a core of a PV guest in which pages that no table needs are zeros.

xen_files.py has whole cores and saves.
"""
import os
import unittest

import xen

SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "samples")


class SampleTest(xen.XenGuest):
    def test_sample(self):
        name = os.path.join(SAMPLES, "xen-pv")
        self.check(name + ".dumpcore.zst", name + ".truth.txt.zst")


if __name__ == "__main__":
    unittest.main()
