# SPDX-License-Identifier: LGPL-2.1-or-later
"""process_memory_map: every line of every /proc/PID/maps."""

import re

from engine import Bits, Comparison
from text import database_text

# VmFlags of smaps (fs/proc/task_mmu.c) whose bits are the same from 5.10 on.
VM_FLAGS = {
    "rd": 0x1, "wr": 0x2, "ex": 0x4, "sh": 0x8, "mr": 0x10, "mw": 0x20, "me": 0x40, "ms": 0x80,
    "gd": 0x100, "pf": 0x400, "lo": 0x2000, "io": 0x4000, "sr": 0x8000, "rr": 0x10000, "dc": 0x20000,
    "de": 0x40000, "ac": 0x100000, "nr": 0x200000, "ht": 0x400000, "wf": 0x2000000,
    "dd": 0x4000000, "mm": 0x10000000, "hg": 0x20000000, "nh": 0x40000000,
}


def smaps_flags(process):
    """{start: set of the two-letter VmFlags}."""
    found, start = {}, None
    for line in (process.living_file("smaps") or b"").splitlines():
        head = re.match(rb"([0-9a-f]+)-[0-9a-f]+ ", line)
        if head:
            start = int(head.group(1), 16)
        elif line.startswith(b"VmFlags:"):
            found[start] = set(line.decode().split()[1:])
    return found


def _bits(letters):
    """Only mnemonics that this kernel prints can be told unset, so a set one alone is compared."""
    value = sum(VM_FLAGS[letter] for letter in letters if letter in VM_FLAGS)
    return Bits(value, 0x1ff | value)


def _row(process, mapping, flags):
    shown = database_text(mapping.path)
    bracketed = shown.startswith("[")
    row = {
        "_process": process, "_mapping": mapping, "pid": process.pid,
        "start": f"0x{mapping.start_text}", "end": f"0x{mapping.end_text}",
        "permissions": mapping.permissions, "offset": mapping.offset, "device": mapping.device,
        "inode": mapping.inode, "path": shown, "pseudo": int(bracketed),
        "deleted": int(mapping.deleted) if mapping.is_file else None,
        "name": shown if bracketed and not mapping.is_file else None,
    }
    if mapping.start in flags:
        row["vm_flags"] = _bits(flags[mapping.start])
    return row


def _expected(case):
    for process in case.truth.processes.values():
        flags = smaps_flags(process)
        for mapping in process.mappings:
            yield _row(process, mapping, flags)


COMPARISONS = [Comparison(
    "process_memory_map", ("pid", "start"), _expected,
    untold={"vma_addr": "relations: NULL for what has no vm_area_struct of the process alone",
            "file_addr": "relations: NULL exactly for anonymous memory",
            "task_addr": "relations: the process's"})]
