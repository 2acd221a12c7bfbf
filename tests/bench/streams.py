# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes large images for the benchmark of readers: a plain migration stream of QEMU, of pages that
are noise or mostly zeros, and the same memory in containers that need no pass."""
import os
import random
import struct

PAGE = 4096
MIB = 1 << 20
ZERO, MEM_SIZE, PLAIN, EOS, CONTINUE = 0x02, 0x04, 0x08, 0x10, 0x20
MACHINE = b"pc-i440fx-9.2"
BLOCK = b"pc.ram"


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def section(kind, number):
    return struct.pack(">BI", kind, number)


def stream_start(size):
    """Magic, configuration, and RAM's first section with its list of blocks."""
    out = b"QEVM" + struct.pack(">I", 3) + struct.pack(">BI", 7, len(MACHINE)) + MACHINE
    out += section(1, 2) + b"\x03ram" + struct.pack(">II", 0, 4)
    out += struct.pack(">Q", size | MEM_SIZE) + bytes([len(BLOCK)]) + BLOCK
    return out + struct.pack(">QQ", size, EOS) + section(0x7e, 2)


def record(page, kind, named):
    name = bytes([len(BLOCK)]) + BLOCK if named else b""
    return struct.pack(">Q", page * PAGE | kind | (0 if named else CONTINUE)) + name


def plain_stream(path, size, share, stretch=64):
    """A page is noise in so large a share of stretches of pages, else zeros."""
    choice, bytes_of = random.Random(2), noise(64 * MIB)
    with open(path, "wb", buffering=MIB) as f:
        f.write(stream_start(size) + section(2, 2))
        for page in range(size // PAGE):
            if page % stretch == 0:
                full = choice.random() < share
            if full:
                at = page * PAGE % (64 * MIB)
                f.write(record(page, PLAIN, page == 0) + bytes_of[at:at + PAGE])
            else:
                f.write(record(page, ZERO, page == 0) + b"\0")
        f.write(struct.pack(">Q", EOS) + section(0x7e, 2))
        f.write(section(3, 2) + struct.pack(">Q", EOS) + section(0x7e, 2) + b"\0")
    return os.path.getsize(path)
