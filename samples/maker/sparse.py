# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files with holes where memory is zero."""

import os
import subprocess

BLOCK = 1 << 20


def dig_holes(path):
    """Gives the disk space of zero blocks back; where that cannot be done, the file stays as it is."""
    subprocess.run(["fallocate", "--dig-holes", str(path)], stderr=subprocess.DEVNULL, check=False)


def _data_runs(descriptor, start, end):
    """The parts of the file that are no holes."""
    while start < end:
        try:
            data = os.lseek(descriptor, start, os.SEEK_DATA)
        except OSError:
            return
        if data >= end:
            return
        hole = min(os.lseek(descriptor, data, os.SEEK_HOLE), end)
        yield data, hole
        start = hole


def copy_range(source, offset, length, target, target_offset):
    """Copies part of a file and keeps its holes; the target grows to hold it all."""
    with open(source, "rb") as reader, open(target, "r+b" if os.path.exists(target) else "w+b") as writer:
        writer.truncate(max(os.fstat(writer.fileno()).st_size, target_offset + length))
        for start, end in _data_runs(reader.fileno(), offset, offset + length):
            reader.seek(start)
            writer.seek(target_offset + start - offset)
            for left in range(end - start, 0, -BLOCK):
                writer.write(reader.read(min(BLOCK, left)))
