# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same guest in several containers: what vmiscan says of it must not depend on which."""
import os
import sqlite3
import struct
import subprocess

VMISCAN = os.environ.get("VMISCAN", "vmiscan")
# What tells of the container itself, and so may differ.
OF_THE_CONTAINER = {"evidence", "run", "memory_ranges", "vcpus"}
# Columns that tell of how long or how the work went.
LEFT_OUT = {"coverage": {"duration_ms"}}


def analyse(image, out, *options, status=0):
    """The database of an image; the exit status must be the given one."""
    p = subprocess.run([VMISCAN, image, "-o", out, "--reproducible", "--quiet", *options],
                       capture_output=True, text=True, timeout=250, check=False)
    assert p.returncode == status, f"{image}: status {p.returncode}: {p.stderr}"
    return out


def refuse(image, out, *options):
    """What vmiscan says where it opens nothing."""
    p = subprocess.run([VMISCAN, image, "-o", out, "--quiet", *options],
                       capture_output=True, text=True, timeout=250, check=False)
    return p.returncode, p.stderr


def tables(path, leave_out=frozenset()):
    """{table: rows}, of all that the container must not change."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    leave_out = OF_THE_CONTAINER | leave_out
    names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    out = {}
    for name in sorted(set(names) - leave_out):
        columns = [c[1] for c in db.execute(f"PRAGMA table_info({name})")
                   if c[1] not in LEFT_OUT.get(name, ())]
        where = ""
        if name == "coverage":
            where = " WHERE table_name NOT IN ({})".format(
                ", ".join(f"'{n}'" for n in sorted(leave_out)))
        out[name] = db.execute(f"SELECT {', '.join(columns)} FROM {name}{where}").fetchall()
    db.close()
    return out


def differences(a, b):
    """{table: rows of one only}; empty where the tables are the same."""
    return {name: sorted(set(a[name]) ^ set(b[name]), key=repr)[:4]
            for name in a if a[name] != b[name]}


def vcpus(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    rows = [dict(r) for r in db.execute("SELECT * FROM vcpus ORDER BY cpu")]
    db.close()
    return rows


# --- a stopped guest by QEMU's dump-guest-memory ---

QEMU_REGISTERS = {"rax": 8, "rbx": 16, "rcx": 24, "rdx": 32, "rsi": 40, "rdi": 48, "rsp": 56,
                  "rbp": 64, "r8": 72, "r9": 80, "r10": 88, "r11": 96, "r12": 104, "r13": 112,
                  "r14": 120, "r15": 128, "rip": 136, "rflags": 144, "fs_base": 240,
                  "gs_base": 264, "gdt": 360, "idt": 384, "cr0": 392, "cr2": 408, "cr3": 416,
                  "cr4": 424}


def qemu_notes(notes):
    cpus = []
    at = 0
    while at + 12 <= len(notes):
        name_n, desc_n, kind = struct.unpack_from("<III", notes, at)
        desc = at + 12 + (name_n + 3) // 4 * 4
        if notes[at + 12:at + 17] == b"QEMU\0" and kind == 0:
            regs = {r: struct.unpack_from("<Q", notes, desc + o)[0]
                    for r, o in QEMU_REGISTERS.items()}
            regs["cs"] = struct.unpack_from("<I", notes, desc + 152)[0]
            cpus.append(regs)
        at = desc + (desc_n + 3) // 4 * 4
    return cpus


def qemu_dump(path):
    """[(physical address, file offset, size)] and [{register: value}] of an ELF dump."""
    with open(path, "rb") as f:
        header = f.read(64)
        phoff, = struct.unpack_from("<Q", header, 32)
        phnum, = struct.unpack_from("<H", header, 56)
        f.seek(phoff)
        runs, cpus = [], []
        for kind, _, off, _, pa, size, _, _ in struct.iter_unpack("<IIQQQQQQ", f.read(56 * phnum)):
            if kind == 1 and size:
                runs.append((pa, off, size))
            elif kind == 4:
                f.seek(off)
                cpus += qemu_notes(f.read(size))
    return sorted(runs), cpus
