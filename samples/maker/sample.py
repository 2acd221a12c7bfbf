# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest that is kept in the tree: memory and truth, compressed."""

import subprocess
import tarfile
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent
NAME = "debian12-6.1"
# zstd's default decoder takes windows of up to 8 MiB.
ZSTD = ("zstd", "-q", "-f", "-19", "--long=23")


def _plain(entry):
    """The same truth gives the same archive."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def _pack_truth(folder, target):
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("guest.json", "host", "truth"):
            archive.add(folder / name, arcname=name, filter=_plain)


def write_sample(folder):
    """Writes the committed files out of a guest's folder and returns their paths."""
    memory, truth = SAMPLES / f"{NAME}.vmem.zst", SAMPLES / f"{NAME}.truth.tar.zst"
    subprocess.run([*ZSTD, str(folder / "memory.raw"), "-o", str(memory)], check=True)
    archive = truth.with_suffix("")
    _pack_truth(folder, archive)
    subprocess.run([*ZSTD, "--rm", str(archive), "-o", str(truth)], check=True)
    return [memory, truth]
