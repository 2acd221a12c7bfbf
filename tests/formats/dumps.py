# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writers of dumps: makedumpfile's, LiME's, AVML's, VirtualBox's, each from a file of plain memory
that starts at address 0."""
import struct
import zlib

PAGE = 4096
ZERO_PAGE = bytes(PAGE)
UNIT = 1 << 16
BLOCK = 16 << 20


def pages(memory):
    with open(memory, "rb") as f:
        while page := f.read(PAGE):
            yield page


# --- kdump-compressed ---

def bitmap(bits):
    out = bytearray((len(bits) + 8 * PAGE - 1) // (8 * PAGE) * PAGE)
    for pfn, bit in enumerate(bits):
        if bit:
            out[pfn // 8] |= 1 << pfn % 8
    return bytes(out)


def kdump(memory, out, level=0, start=0, end=None, keep=lambda pfn, page: True):
    """Pages in zlib; those of zeros share one place, as QEMU writes them. start and end make it a
    part of a split dump."""
    content = list(pages(memory))
    split = end is not None
    stop = end if split else len(content)
    dumped = [keep(pfn, page) for pfn, page in enumerate(content)]
    maps = bitmap([True] * len(content)) + bitmap(dumped)
    head = bytearray(3 * PAGE)
    head[0:8] = b"KDUMP   "
    struct.pack_into("<I", head, 8, 6)
    struct.pack_into("<5I", head, 424, 1, PAGE, 2, len(maps) // PAGE, len(content))
    struct.pack_into("<II", head, PAGE + 8, level, split)
    struct.pack_into("<QQQ", head, PAGE + 80, start, stop, len(content))
    wanted = [page for pfn, page in enumerate(content) if dumped[pfn] and start <= pfn < stop]
    at = len(head) + len(maps) + 24 * len(wanted)
    packed_zero = zlib.compress(ZERO_PAGE, 1)
    descs, data, zero_at = [], [packed_zero], at
    at += len(packed_zero)
    for page in wanted:
        if page == ZERO_PAGE:
            descs.append(struct.pack("<QIIQ", zero_at, len(packed_zero), 1, 0))
            continue
        packed = zlib.compress(page, 1)
        plain = len(packed) >= PAGE
        data.append(page if plain else packed)
        descs.append(struct.pack("<QIIQ", at, len(data[-1]), 0 if plain else 1, 0))
        at += len(data[-1])
    with open(out, "wb") as f:
        f.writelines([bytes(head), maps, *descs, *data])


def flattened(dump, out, size=30000):
    """In pieces from the back, over wrong ones, and the header once more."""
    with open(dump, "rb") as f:
        content = f.read()
    with open(out, "wb") as f:
        f.write(struct.pack(">16sQQ", b"makedumpfile", 1, 1).ljust(4096, b"\0"))
        f.write(struct.pack(">QQ", 0, 5000) + b"\xee" * 5000)
        for off in range((len(content) - 1) // size * size, -1, -size):
            piece = content[off:off + size]
            f.write(struct.pack(">QQ", off, len(piece)) + piece)
        f.write(struct.pack(">QQ", 0, 500) + content[:500])
        f.write(b"\xff" * 16)


# --- LiME, AVML ---

def lime(memory, out, ranges):
    with open(memory, "rb") as f, open(out, "wb") as g:
        for start, end in ranges:
            f.seek(start)
            g.write(struct.pack("<IIQQQ", 0x4c694d45, 1, start, end - 1, 0))
            g.write(f.read(end - start))


def crc_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        table.append(i)
    return table


TABLE = crc_table()


def masked_crc(data):
    c = 0xffffffff
    for byte in data:
        c = c >> 8 ^ TABLE[(c ^ byte) & 0xff]
    c ^= 0xffffffff
    return ((c >> 15 | c << 17) + 0xa282ead8) & 0xffffffff


def snappy_run(byte, n):
    """snappy's form of n times a byte: the byte, then copies of what is one before."""
    size = bytearray()
    left = n
    while left >= 0x80:
        size.append(left & 0x7f | 0x80)
        left >>= 7
    size.append(left)
    copies, rest = divmod(n - 1, 64)
    tail = bytes([(rest - 1) << 2 | 2, 1, 0]) if rest else b""
    return bytes(size) + bytes([0, byte]) + bytes([63 << 2 | 2, 1, 0]) * copies + tail


def snappy_frame(data, zeros={}):  # pylint: disable=dangerous-default-value
    """Runs of zeros are packed, all else is stored as it is."""
    if data.count(0) < len(data):
        return struct.pack("<II", 1 | len(data) + 4 << 8, masked_crc(data)) + data
    if len(data) not in zeros:
        packed = snappy_run(0, len(data))
        zeros[len(data)] = struct.pack("<II", len(packed) + 4 << 8, masked_crc(data)) + packed
    return zeros[len(data)]


def avml(memory, out, ranges):
    """Version 2: blocks of 16 MiB, without those that are all zero."""
    with open(memory, "rb") as f, open(out, "wb") as g:
        for first, end in ranges:
            for start in range(first, end, BLOCK):
                f.seek(start)
                block = f.read(min(end - start, BLOCK))
                if block.count(0) == len(block):
                    continue
                frames = b"\xff\6\0\0sNaPpY" + b"".join(
                    snappy_frame(block[i:i + UNIT]) for i in range(0, len(block), UNIT))
                g.write(struct.pack("<IIQQQ", 0x4c4d5641, 2, start, start + len(block) - 1, 0))
                g.write(frames + struct.pack("<Q", len(frames)))


# --- VirtualBox ---

def vbox_note(name, kind, desc):
    desc += bytes(-len(desc) % 8)
    return struct.pack("<III", len(name), len(desc), kind) + name.ljust(8, b"\0") + desc


VBOX_REGISTERS = {"rip": 112, "rsp": 120, "rflags": 136, "fs_base": 216, "gs_base": 240,
                  "cr0": 288, "cr2": 296, "cr3": 304, "cr4": 312, "gdt": 384, "idt": 400,
                  "efer": 488, "lstar": 512}


def vbox_cpu(registers):
    desc = bytearray(0x3a0)
    for name, off in VBOX_REGISTERS.items():
        struct.pack_into("<Q", desc, off, registers.get(name, 0))
    struct.pack_into("<H", desc, 160, registers["cs"])
    return vbox_note(b"VBCPU", 0xb01, bytes(desc))


def virtualbox(memory, out, ranges, cpus):
    """e_ident[EI_VERSION] is 0, addresses are physical only, MMIO ranges have no bytes."""
    notes = vbox_note(b"VBCORE", 0xb00,
                      struct.pack("<6I", 0xc01ac0de, 0x10006, 24, 7 << 24, 1, len(cpus)))
    notes += b"".join(vbox_cpu(c) for c in cpus)
    n = len(ranges) + 2
    at = 64 + 56 * n
    headers = struct.pack("<4s3B9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 0, 4, 62, 1, 0, 64, 0, 0, 64,
                          56, n, 64, 0, 0)
    headers += struct.pack("<IIQQQQQQ", 4, 4, at, 0, 0, len(notes), len(notes), 0)
    at += len(notes)
    for start, end in ranges:
        size = end - start
        headers += struct.pack("<IIQQQQQQ", 1, 4, at, 0, start, size, size, 0)
        at += size
    headers += struct.pack("<IIQQQQQQ", 1, 4, at, 0, 0xfee00000, 0, PAGE, 0)
    with open(memory, "rb") as f, open(out, "wb") as g:
        g.write(headers + notes)
        for start, end in ranges:
            f.seek(start)
            g.write(f.read(end - start))
