# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stopped guest's memory as /proc/vmcore would show it: ELF, with the kernel's VMCOREINFO.

makedumpfile takes no dump of QEMU's as it is: its e_ehsize is 8, and without `-device vmcoreinfo` and
a driver in the guest it has no VMCOREINFO. What stands in here is the guest's own note, out of its
memory.
"""
import mmap
import re
import struct

PRESENT, LARGE = 1, 1 << 7
FRAME = 0x000ffffffffff000
# elf.h; prstatus of x86-64 is 336 bytes with the registers at 112.
REGISTERS = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx",
             "rdx", "rsi", "rdi", "orig_rax", "rip", "cs", "rflags", "rsp", "ss", "fs_base",
             "gs_base", "ds", "es", "fs", "gs")


def vmcoreinfo(memory):
    """The kernel's own note, where it lies in memory."""
    with open(memory, "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as data:
        found = re.search(rb"VMCOREINFO\0\0OSRELEASE=[^\n]+\nBUILD-ID=", data)
        if not found:
            raise ValueError("no VMCOREINFO in memory")
        start = found.start() + 12
        return data[start:data.find(b"\0", start)]


def number(text, name):
    """A number or symbol of VMCOREINFO."""
    key = name.encode() + b"="
    line = next(part for part in text.split(b"\n") if part.startswith(key))
    return int(line[len(key):], 10 if name.startswith("NUMBER") else 16)


def _first(memory, table, start, levels, base):
    """The lowest virtual address from an entry on that a table maps."""
    memory.seek(table)
    entries = struct.unpack("<512Q", memory.read(4096))
    index = next(i for i in range(start, 512) if entries[i] & PRESENT)
    address = base + (index << (12 + 9 * levels))
    if levels == 1 or entries[index] & LARGE:
        return address
    return _first(memory, entries[index] & FRAME, 0, levels - 1, address)


def direct_map(memory, text):
    """Where the kernel maps all memory: the lowest of its own mappings."""
    kernel_base = number(text, "SYMBOL(swapper_pg_dir)") - 0xffffffff80000000
    table = kernel_base + number(text, "NUMBER(phys_base)")
    five = number(text, "NUMBER(pgtable_l5_enabled)")
    top = 0xff00000000000000 if five else 0xffff800000000000
    levels = 4 if five else 3
    with open(memory, "rb") as f:
        return _first(f, table, 256, levels, top - (256 << (12 + 9 * levels))) & ~0x3fffffff


def _note(name, kind, desc):
    name += b"\0"
    return (struct.pack("<III", len(name), len(desc), kind) + name + bytes(-len(name) % 4) + desc
            + bytes(-len(desc) % 4))


def _prstatus(pid, cpu):
    desc = bytearray(336)
    struct.pack_into("<I", desc, 32, pid)
    struct.pack_into("<27Q", desc, 112, *(cpu.get(name, 0) for name in REGISTERS))
    return _note(b"CORE", 1, bytes(desc))


def write(memory, ranges, cpus, out):
    """ELF with the kernel's text first, which overlaps the RAM behind it, as the kernel writes it."""
    text = vmcoreinfo(memory)
    offset = direct_map(memory, text)
    notes = b"".join(_prstatus(i + 1, cpu) for i, cpu in enumerate(cpus))
    notes += _note(b"VMCOREINFO", 0, text)
    base = number(text, "NUMBER(phys_base)")
    start = number(text, "SYMBOL(_stext)") & ~0x1fffff
    pa = start - 0xffffffff80000000 + base
    loads = [(pa, start, 32 << 20)] + [(a, offset + a, b - a) for a, b in ranges]
    at = -(-(64 + 56 * (len(loads) + 1) + len(notes)) // 4096) * 4096
    headers = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 4, 62, 1, 0, 64, 0, 0,
                          64, 56, len(loads) + 1, 0, 0, 0)
    headers += struct.pack("<IIQQQQQQ", 4, 0, 64 + 56 * (len(loads) + 1), 0, 0, len(notes),
                           len(notes), 4)
    with open(memory, "rb") as f, open(out, "wb") as g:
        place, body = at, []
        for pa, va, size in loads:
            headers += struct.pack("<IIQQQQQQ", 1, 7, place, va, pa, size, size, 0)
            body.append((place, pa, size))
            place += size
        g.write(headers + notes)
        for place, pa, size in body:
            copy(f, pa, g, place, size)
        g.truncate(place + size)


def copy(source, at, target, to, size):
    """Bytes of one file to another, zeros as holes."""
    source.seek(at)
    while size:
        block = source.read(min(size, 1 << 20))
        if not block:
            raise ValueError("the memory is shorter than its ranges")
        if block.count(0) != len(block):
            target.seek(to)
            target.write(block)
        to += len(block)
        size -= len(block)
