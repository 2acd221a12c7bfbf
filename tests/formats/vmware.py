# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes VMware state files (.vmss, .vmsn) for the memory of a guest that another hypervisor ran.

The layout is the one of formats/vmware_tags.h. No product of VMware made these files.
"""
import struct
from dataclasses import dataclass, field

MAGICS = (0xbed2bed2, 0xbed2bed0, 0xbed0bed0, 0xbad1bad1, 0xbad2bad2, 0xbed3bed3)
PAGE = 4096
ALIGN = 65536  # of memory inside the file
GPREGS = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi") + tuple(
    f"r{i}" for i in range(8, 16))


@dataclass
class State:
    """What goes in; every field is a variant to test."""
    regions: list = field(default_factory=list)  # (frame, page in memory, pages)
    cpus: list = field(default_factory=list)     # {register: value}
    magic: int = 0xbed2bed2
    blocks: bool = True        # registers as blocks, else one by one
    count: object = None       # regionsCount: None as it is, False to leave it out, or a number
    padding: int = 0           # bytes before the data of blocks
    memory: bytes = b""        # inside the file
    compressed: bool = False   # flag that memory so
    order: tuple = ("Checkpoint", "cpu", "memory")

    @property
    def width(self):
        return "<I" if self.magic & 0xf == 0 else "<Q"


def head(size, name, index):
    return (struct.pack("BB", size | len(index) << 6, len(name)) + name.encode() +
            b"".join(struct.pack("<I", i) for i in index))


def scalar(name, index, value, form="<I"):
    data = struct.pack(form, value)
    return head(len(data), name, index) + data


def block(state, name, index, data, padding=None, compressed=False):
    padding = state.padding if padding is None else padding
    sizes = struct.pack(state.width, len(data)) * 2
    return (head(62 if compressed else 63, name, index) + sizes + struct.pack("<H", padding) +
            b"\xee" * padding + data)


def cpu_blocks(state, n, regs):
    control = [regs.get(f"cr{i}", 0) for i in range(9)]
    return (block(state, "gpregs", (n,), struct.pack("<16Q", *(regs.get(r, 0) for r in GPREGS))) +
            block(state, "CR64", (n,), struct.pack("<9Q", *control)) +
            block(state, "IDTR", (n,), struct.pack("<HQ", 0xfff, regs.get("idt", 0))))


def cpu_scalars(n, regs):
    out = b"".join(scalar(r, (n,), regs.get(r, 0), "<Q") for r in GPREGS)
    out += b"".join(scalar("CR64", (n, i), regs.get(f"cr{i}", 0), "<Q") for i in range(5))
    idt = regs.get("idt", 0)
    for i, value in enumerate((0xfff, idt & 0xffffffff, idt >> 32)):
        out += scalar("IDTR", (n, i), value)
    return out


def cpu_group(state):
    out = scalar("cpu:numVCPUs", (), len(state.cpus))
    for n, regs in enumerate(state.cpus):
        out += cpu_blocks(state, n, regs) if state.blocks else cpu_scalars(n, regs)
        out += scalar("rip", (n,), regs.get("rip", 0), "<Q")
        out += scalar("eflags", (n,), regs.get("rflags", 0), "<I")
        out += scalar("S", (n, 1), regs.get("cs", 0), "<H")
        out += scalar("S.base64", (n, 4), regs.get("fs_base", 0), "<Q")
        out += scalar("S.base64", (n, 5), regs.get("gs_base", 0), "<Q")
    return out


def memory_group(state, position):
    count = len(state.regions) if state.count is None else state.count
    out = b"" if count is False else scalar("regionsCount", (), count)
    for i, (frame, page, pages) in enumerate(state.regions):
        out += scalar("regionPPN", (i,), frame) + scalar("regionPageNum", (i,), page)
        out += scalar("regionSize", (i,), pages)
    out += scalar("align_mask", (0,), ALIGN - 1)
    if state.memory:
        lead = len(block(state, "Memory", (0, 0), b"", 0))
        padding = -(position + len(out) + lead) % ALIGN
        out += block(state, "Memory", (0, 0), state.memory, padding, state.compressed)
    return out


def state_file(state):
    at = 12 + 80 * len(state.order)
    table = struct.pack("<III", state.magic, 8, len(state.order))
    groups = b""
    for name in state.order:
        if name == "cpu":
            body = cpu_group(state)
        elif name == "memory":
            body = memory_group(state, at)
        else:
            body = block(state, "note", (), b"of no interest", 9)
        body += b"\0\0"
        table += struct.pack("<64sQQ", name.encode(), at, len(body))
        groups += body
        at += len(body)
    return table + groups
