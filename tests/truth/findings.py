# SPDX-License-Identifier: LGPL-2.1-or-later
"""What vmiscan says about its own run, about the container, and about tasks that are not alive."""

import pathlib
import re

from engine import Comparison, OneOf
from processes import lifecycle
from system import system_ram

# --- tasks that are not alive ---

def _inconsistencies(case):
    for process in case.truth.processes.values():
        for task in process.tasks:
            dead_leader = process.is_dead_leader and task.tid == process.pid
            life, phase = lifecycle(task.is_dead, dead_leader)
            if life != "live":
                yield {"_process": process, "pid": process.pid, "tid": task.tid,
                       "scope": "intrinsic", "class": life, "phase": phase}


# --- the run ---

def _coverage(case):
    for table in case.database.tables:
        row = {"table_name": table, "rows": case.database.count(table)}
        if table == "vcpus" and not _has_vcpus(case):
            yield row | {"status": "unavailable"}
        elif table == "kernel_modules" and not case.truth.has_modules:
            yield row | {"status": "unavailable", "reason": "the kernel's types have no module.list"}
        else:
            yield row | {"status": "complete", "reason": None}


def _serious_problems(case):
    return [row for row in case.database.rows("problems") if row["severity"] != "note"]


def _run(case):
    version = case.database.query("PRAGMA user_version")[0]["user_version"]
    yield {"schema_version": version, "status": "complete", "exit_status": 0, "unreadable_pages": 0, "symbols_forced": 0,
           "kernel_release": case.truth.uname["release"], "atomicity": "atomic-compatible"}


# Every rule that vmiscan evaluates; a guest that was stopped keeps all of the hard ones.
RULES = ("nr_threads", "process_counts", "task_links", "thread_links", "child_links", "pid_links", "pid_table",
         "parents", "thread_counts", "css_counts", "stacks", "mm_users", "map_counts", "total_vm", "mappings",
         "file_counts", "file_bits", "file_slots", "free_counts", "free_links", "start_times",
         "children", "css_members", "run_queues", "current_tasks", "pid_cursor", "page_tables", "page_counts", "file_refs", "slab_counts")


def _atomicity(case):
    for rule in RULES:
        yield {"invariant": rule, "violated": 0, "worst_example": None, "is_evaluated": True}


def _evaluated(case):
    """A rule that was never looked at says nothing; where a kernel lists no data, some can't be evaluated."""
    return [row | {"is_evaluated": bool(row["evaluated"] or row["unevaluable"])} for row in case.database.rows("atomicity")]


FIELDS = pathlib.Path(__file__).resolve().parent.parent.parent / "src" / "kernel" / "fields"


def _type_fields(_):
    """Each field that the source declares, under one of its paths or none."""
    for path in sorted(FIELDS.glob("*.def")):
        for match in re.finditer(r'^FIELD\((\w+), (\w+), *"([^"]+)"\)', path.read_text(), re.M):
            yield {"type": match[1], "field": match[2], "path": OneOf(None, *match[3].split("|")),
                   "other_offset": None, "other_source": None}


def _evidence(_):
    yield {"role": "image", "truncated": 0, "truncated_reason": None}


def _image_files(case):
    """Without the files that symbols came from, of which the guest knows nothing."""
    return [row for row in case.database.rows("evidence") if row["role"] != "symbols"]


# --- the container ---

def _ram(case):
    for start, end in system_ram(case.truth):
        yield {"start": start, "end": end, "covered": end - start}


def _covered_ram(case):
    """How much of each range of the guest's RAM the container has."""
    have = [(int(r["start_pa"], 16), int(r["end_pa"], 16)) for r in case.database.rows("memory_ranges")
            if r["state"] != "absent"]
    for start, end in system_ram(case.truth):
        parts = (min(end, theirs[1]) - max(start, theirs[0]) for theirs in have)
        yield {"start": start, "end": end, "covered": sum(p for p in parts if p > 0)}


# Column -> its name in QEMU's "info registers": of arm64, and of x86, whose first letter says the width.
ARM64_REGISTERS = {"rip": "PC", "rsp": "SP", "rflags": "PSTATE"}
REGISTERS = {"cr0": "CR0", "cr2": "CR2", "cr3": "CR3", "cr4": "CR4", "rip": "[RE]IP",
             "rsp": "[RE]SP", "rflags": "[RE]FL"}
SEGMENTS = {"gs_base": "GS", "fs_base": "FS"}


def _register_columns(text):
    """The columns of vcpus that one CPU's part of "info registers" tells."""
    row, arm = {}, " PC=" in text
    for column, name in (ARM64_REGISTERS if arm else REGISTERS).items():
        match = re.search(rf"\b{name}=([0-9a-f]+)", text)
        row[column] = f"0x{int(match.group(1), 16):016x}"
    if arm:
        return row | {column: None for column in (
            *SEGMENTS, "cr0", "cr2", "cr3", "cr4", "cs", "gdt_base", "idt_base")}
    for column, name in SEGMENTS.items():
        match = re.search(rf"^{name} *=[0-9a-f]+ ([0-9a-f]+)", text, re.M)
        row[column] = f"0x{int(match.group(1), 16):016x}"
    for column, name in (("gdt_base", "GDT"), ("idt_base", "IDT")):
        match = re.search(rf"^{name}= +([0-9a-f]+)", text, re.M)
        row[column] = f"0x{int(match.group(1), 16):016x}"
    row["cs"] = f"0x{int(re.search(r'^CS *=([0-9a-f]+)', text, re.M).group(1), 16):016x}"
    return row


def _has_vcpus(case):
    """ELF cores and streams carry the registers of the CPUs; raw memory does not."""
    return str(case.database.one("evidence").get("format")).startswith(("elf", "qemu"))


def _vcpus(case):
    """What the hypervisor said of its CPUs, for containers that carry them."""
    if not _has_vcpus(case):
        return
    for text in re.split(r"^CPU#", case.truth.host.get("registers.txt", ""), flags=re.M)[1:]:
        yield {"cpu": int(text.split()[0]), **_register_columns(text)}


COMPARISONS = [
    Comparison("inconsistencies", ("tid",), _inconsistencies, untold={
        "task_addr": "relations: the thread's", "evidence": "relations: names the deciding fields",
        "missing": "relations: says what is lost"}),
    Comparison("coverage", ("table_name",), _coverage, untold={
        "faults": "of the image, not of the guest", "duration_ms": "of the analyst's machine"}),
    Comparison("problems", ("message",), lambda case: (), _serious_problems, may_be_empty=True),
    Comparison("run", (), _run, untold={
        column: "of the analysis, not of the guest" for column in (
            "tool_version", "argv", "start_ns", "end_ns", "types_source", "symbols_source", "layout",
            "pages_touched", "atomicity_reason")}),
    Comparison("atomicity", ("invariant",), _atomicity, _evaluated, untold={
        column: "how much of the image there was to look at" for column in (
            "weight", "evaluated", "excused_by_lock", "unevaluable", "near", "near_violated", "far",
            "far_violated", "lock", "description")}),
    Comparison("type_fields", ("type", "field"), _type_fields, untold={
        column: "relations: all of a field or nothing" for column in (
            "offset", "size", "bit_offset", "bit_size", "source")}),
    Comparison("evidence", (), _evidence, _image_files, untold={
        column: "of the file, not of the guest" for column in (
            "path", "format", "format_reason", "compression", "size", "mtime_ns", "sha256")}),
    Comparison("memory_ranges", ("start",), _ram, lambda case: list(_covered_ram(case)), untold={
        "start_pa": "compared by the System RAM that the ranges cover",
        "end_pa": "compared by the System RAM that the ranges cover",
        "state": "compared by the System RAM that the ranges cover"}),
    Comparison("vcpus", ("cpu",), _vcpus, may_be_empty=True, untold={
        "kernel_gs_base": "QEMU does not print it", "lstar": "QEMU does not print it",
        "efer": "not in every container", "task_addr": "relations: a thread, or an idle task"}),
]
