# SPDX-License-Identifier: LGPL-2.1-or-later
"""Relations of process_page_map's size and bits, which pagemap does not tell, with smaps."""

import re

from relations import relation

KPF_ZERO_PAGE = 1 << 24  # include/uapi/linux/kernel-page-flags.h
HUGE_FIELDS = ("AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb")
# Mappings whose pages smaps does not count: of devices, of the kernel, of hugetlbfs.
UNCOUNTED = {"pf", "mm", "io", "ht"}


class Counted:
    """A mapping of smaps: its range, sizes in bytes and flags."""

    def __init__(self, start, end):
        self.start, self.end, self.sizes, self.flags = start, end, {}, set()


def smaps(process):
    """The mappings of a process as smaps counts them."""
    found = []
    for line in (process.living_file("smaps") or b"").decode(errors="replace").splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
        size = re.match(r"(\w+): +(\d+) kB$", line)
        if head:
            found.append(Counted(int(head.group(1), 16), int(head.group(2), 16)))
        elif size:
            found[-1].sizes[size.group(1)] = int(size.group(2)) * 1024
        elif line.startswith("VmFlags:"):
            found[-1].flags = set(line.split()[1:])
    return found


def zero_pages(process):
    """Addresses where the page of zeros is mapped, which smaps does not count."""
    found = set()
    for line in (process.living_file("pagemap") or b"").splitlines():
        fields = line.split(b"\t")
        if len(fields) > 4 and int(fields[4] or b"0", 16) & KPF_ZERO_PAGE:
            found.add(int(fields[0], 16))
    return found


def _resting(case):
    """(process, its runs in the database) of all that sat still."""
    runs = {}
    for row in case.database.rows("process_page_map"):
        runs.setdefault(row["pid"], []).append(
            (int(row["start_va"], 16), int(row["end_va"], 16), row))
    for process in case.truth.processes.values():
        if process.pid != case.truth.collector and process.knows_living:
            yield process, runs.get(process.pid, [])


def _bytes_in(mapping, runs, wanted):
    """Bytes of the runs in a mapping that satisfy wanted(start, row)."""
    return sum(min(end, mapping.end) - max(start, mapping.start) for start, end, row in runs
               if start < mapping.end and mapping.start < end and wanted(start, row))


@relation("huge pages are as many as smaps counts")
def _huge(case):
    for process, runs in _resting(case):
        for mapping in smaps(process):
            told = sum(mapping.sizes.get(name, 0) for name in HUGE_FIELDS)
            found = _bytes_in(mapping, runs, lambda _, row: row["page_size"] > case.truth.page)
            yield None if told == found else (
                f"pid {process.pid} {mapping.start:#x}: smaps {told}, database {found}")


@relation("dirty and accessed pages are no more than smaps counts")
def _bits(case):
    for process, runs in _resting(case):
        zeros = zero_pages(process)
        for mapping in smaps(process):
            if not mapping.flags & UNCOUNTED:
                yield _more(process, mapping, runs, zeros, "dirty", ("Shared_Dirty", "Private_Dirty"))
                yield _more(process, mapping, runs, zeros, "accessed", ("Referenced",))


def _more(process, mapping, runs, zeros, column, names):
    told = sum(mapping.sizes.get(name, 0) for name in names)
    found = _bytes_in(mapping, runs, lambda start, row: row[column] and start not in zeros)
    return None if found <= told else (
        f"pid {process.pid} {mapping.start:#x}: {column}: smaps {told}, database {found}")
