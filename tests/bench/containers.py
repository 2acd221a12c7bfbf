# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes large containers that need no pass, or hops from header to header: headers and tables are
all there, the pages themselves are holes of the file, as opening never reads one."""
import pathlib
import struct
import sys

PAGE = 4096
MIB = 1 << 20
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "formats"))

import vmware as state  # noqa: E402  (the writer that the tests use)


def up(value, step):
    return -(-value // step) * step


def elf(path, size):
    """As dump-guest-memory writes it: a note segment, RAM below and above the hole."""
    low, at = min(size, 3 << 30), 0x1000
    loads = [(0, at, low)] + ([(4 << 30, at + low, size - low)] if size > low else [])
    head = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 4, 62, 1, 0, 64, 0, 0, 8,
                       56, len(loads), 64, 0, 0)
    for pa, off, n in loads:
        head += struct.pack("<IIQQQQQQ", 1, 0, off, 0, pa, n, n, 0)
    with open(path, "wb") as f:
        f.write(head)
        f.truncate(at + size)


def kdump(path, size):
    """Version 6, every page dumped and stored as it is."""
    pages = size // PAGE
    bits = up(-(-pages // 8), PAGE)
    at = up(2 * PAGE + 2 * bits + 24 * pages, PAGE)
    head = bytearray(2 * PAGE)
    head[0:8] = b"KDUMP   "
    struct.pack_into("<I", head, 8, 6)
    struct.pack_into("<5I", head, 424, 0, PAGE, 1, 2 * bits // PAGE, pages)
    struct.pack_into("<QQQ", head, PAGE + 80, 0, pages, pages)
    with open(path, "wb", buffering=MIB) as f:
        f.write(head)
        f.write((b"\xff" * (pages // 8)).ljust(bits, b"\0") * 2)
        for i in range(pages):
            f.write(struct.pack("<QIIQ", at + i * PAGE, PAGE, 0, 0))
        f.truncate(at + size)


def xen_core(path, size):
    """Of a PVH guest, without the frames that xl leaves out."""
    pages = size // PAGE
    names = b"\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_pages\0.xen_pfn\0"
    note = struct.pack("<III4sQQQQ", 4, 32, 0x2000001, b"Xen\0", 0xf00febee, 1, pages, PAGE)
    at_note, at_cpus, at_pages = 0x400, 0x800, 0x3000
    at_list = at_pages + size
    at_names = at_list + 8 * pages
    sections = [(b"", 0, 0, 0, 0, 0), (b".shstrtab", 3, at_names, len(names), 1, 0),
                (b".note.Xen", 7, at_note, len(note), 1, 0),
                (b".xen_prstatus", 1, at_cpus, 5168, 8, 5168),
                (b".xen_pages", 1, at_pages, size, PAGE, PAGE),
                (b".xen_pfn", 1, at_list, 8 * pages, 8, 8)]
    head = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 4, 62, 1, 0, 0, 64, 0, 64,
                       56, 0, 64, len(sections), 1)
    for name, kind, off, n, align, entry in sections:
        where = names.index(name + b"\0") if name else 0
        head += struct.pack("<IIQQQQIIQQ", where, kind, 0, 0, off, n, 0, 0, align, entry)
    with open(path, "wb", buffering=MIB) as f:
        f.write(head)
        f.seek(at_note)
        f.write(note)
        f.seek(at_list)
        for i in range(pages):
            frame = i if i < 0xa0 else i + 0x20
            f.write(struct.pack("<Q", frame if frame < 0xf0000 else frame + 0x10000))
        f.write(names)


def xen_save(path, size):
    """libxc's stream, version 3, in records of 1024 pages."""
    with open(path, "wb") as f:
        f.write(b"\xff" * 8 + b"XENF" + struct.pack(">IHHI", 3, 0, 0, 0))
        f.write(struct.pack("<IHHII", 2, 12, 0, 4, 17))
        for first in range(0, size // PAGE, 1024):
            n = min(1024, size // PAGE - first)
            f.write(struct.pack("<IIII", 1, 8 + 8 * n + PAGE * n, n, 0))
            f.write(struct.pack(f"<{n}Q", *range(first, first + n)))
            f.seek(n * PAGE, 1)
        f.write(bytes(8))


def vmware(path, size):
    """A .vmem; its .vmss beside it, found by its name."""
    low = min(size, 3 << 30) // PAGE
    regions = [(0, 0, low)] + ([(1 << 20, low, size // PAGE - low)] if size // PAGE > low else [])
    path.with_suffix(".vmss").write_bytes(state.state_file(state.State(regions, [{"cr3": 0x1000}])))
    with open(path, "wb") as f:
        f.truncate(size)


def mapped_ram(path, size):
    pages, at_bitmap, at_pages = size // PAGE, PAGE, 16 * MIB
    machine, name = b"pc-i440fx-9.2", b"pc.ram"
    out = b"QEVM" + struct.pack(">I", 3) + struct.pack(">BI", 7, len(machine)) + machine
    out += b"\x05\x1aconfiguration/capabilities" + struct.pack(">II", 1, 1) + b"\x0amapped-ram"
    out += struct.pack(">BI", 1, 2) + b"\x03ram" + struct.pack(">II", 0, 4)
    out += struct.pack(">Q", size | 4) + bytes([len(name)]) + name + struct.pack(">Q", size)
    out += struct.pack(">IQQQ", 1, PAGE, at_bitmap, at_pages)
    with open(path, "wb") as f:
        f.write(out)
        f.seek(at_bitmap)
        f.write(b"\xff" * (pages // 8))
        f.seek(at_pages + size)
        f.write(struct.pack(">QBI", 0x10, 0x7e, 2) + struct.pack(">BI", 3, 2))
        f.write(struct.pack(">QBI", 0x10, 0x7e, 2) + b"\0")


def lime(path, size):
    low = min(size, 3 << 30)
    with open(path, "wb") as f:
        for start, end in ((0, low), (4 << 30, (4 << 30) + size - low)):
            if end > start:
                f.write(struct.pack("<IIQQQ", 0x4c694d45, 1, start, end - 1, 0))
                f.seek(end - start - 1, 1)
                f.write(b"\0")


# Name for people, ending of the file, writer.
ALL = (
    ("QEMU dump-guest-memory, ELF", "elf", elf),
    ("QEMU mapped-ram", "mapped", mapped_ram),
    ("kdump-compressed", "kdump", kdump),
    ("Xen dump-core", "xencore", xen_core),
    ("VMware .vmem with .vmss", "vmem", vmware),
    ("LiME", "lime", lime),
    ("Xen save", "xlsave", xen_save),
)
