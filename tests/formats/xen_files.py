#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real files of Xen: cores and saves of a PV and a PVH domain, against the domain's own /proc.

They are not part of the tree: a folder has them packed, each but the first as a patch on another.
That is VMISCAN_XEN_DATA, or shared/data/xen beside the tree. Status 77 where it is not there.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import xen  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("VMISCAN_XEN_DATA") or TOP.parent / "shared" / "data" / "xen")
# Each file, and the one that it is a patch on.
PATCHES = (("pv.dumpcore", None), ("pvh.dumpcore", "pv.dumpcore"), ("pv.xlsave", "pv.dumpcore"),
           ("pvh.xlsave", "pvh.dumpcore"))


def packed(name, base):
    return FOLDER / (f"{name}.patch.zst" if base else f"{name}.zst")


def lacking():
    """The first thing that is not there, or None."""
    if not shutil.which("zstd"):
        return "no program zstd"
    files = [packed(*patch) for patch in PATCHES]
    files += [FOLDER / f"{kind}.truth.txt.zst" for kind in ("pv", "pvh")]
    return next((f"no {path}" for path in files if not path.is_file()), None)


class FilesTest(xen.XenGuest):
    """Unpacks the files once."""

    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="vmiscan-xen-files-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        for name, base in PATCHES:
            on = [f"--patch-from={cls.folder / base}"] if base else []
            subprocess.run(["zstd", "-qd", "--long=31", "--memory=2048MB", *on,
                            packed(name, base), "-o", cls.folder / name], check=True)

    def check_real(self, kind, ending):
        self.check(str(self.folder / f"{kind}.{ending}"), str(FOLDER / f"{kind}.truth.txt.zst"))

    def test_pv_core(self):
        self.check_real("pv", "dumpcore")

    def test_pvh_core(self):
        self.check_real("pvh", "dumpcore")

    def test_pv_save(self):
        self.check_real("pv", "xlsave")

    def test_pvh_save(self):
        self.check_real("pvh", "xlsave")


if __name__ == "__main__":
    if reason := lacking():
        print(f"SKIP real files of Xen: {reason}")
        sys.exit(77)
    unittest.main(verbosity=2)
