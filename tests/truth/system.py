# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables of one row about the whole guest: names, kernel, CPUs, clock, memory."""

import re
import shlex
import struct

import namespaces
from engine import Comparison, OneOf

NT_GNU_BUILD_ID = 3
MIB2 = 2 << 20
KERNEL_BASE = 0xffffffff80000000

# _text before KASLR, where that is a constant: arm64 has it since 6.5 behind modules of 2 GiB.
# arm64: KIMAGE_VADDR in arch/arm64/include/asm/memory.h, of a kernel whose addresses have at least 48 bits, but
# 47 with pages of 16 KiB.
LINK_TEXT = {("x86_64", 4096): 0xffffffff81000000, ("aarch64", 4096): 0xffff800080000000,
             ("aarch64", 16384): 0xffffc00080000000, ("i686", 4096): 0xc1000000}


# --- names ---

def _dmi(truth, name):
    return truth.line(f"sys/dmi/{name}")


def _packages(truth):
    """CPUs by package."""
    found = {}
    for cpu in truth.cpus:
        found.setdefault(cpu.get("physical id", "0"), []).append(cpu)
    return found


def _hex(text):
    return text.lower() if text else None


def _system_info(case):
    truth, boot_cpu = case.truth, case.truth.cpus[0]
    host = truth.uname["nodename"]
    cores = {(c.get("physical id", "0"), c.get("core id", c["processor"])) for c in truth.cpus}
    arm = truth.uname["machine"] == "aarch64"
    yield {
        "hostname": host, "computer_name": host, "local_hostname": host, "nodename": host,
        "uuid": _hex(_dmi(truth, "product_uuid")), "cpu_type": truth.uname["machine"],
        "cpu_subtype": str(int(boot_cpu["CPU part"], 16)) if arm else boot_cpu["model"],
        "cpu_brand": None if arm else boot_cpu["model name"],
        "cpu_physical_cores": len(cores), "cpu_logical_cores": len(truth.cpus),
        "cpu_sockets": len(_packages(truth)), "cpu_microcode": boot_cpu.get("microcode"),
        "physical_memory": truth.meminfo["MemTotal"],
        "hardware_vendor": _dmi(truth, "sys_vendor"), "hardware_model": _dmi(truth, "product_name"),
        "hardware_version": _dmi(truth, "product_version"),
        "hardware_serial": _dmi(truth, "product_serial") or None,
        "board_vendor": _dmi(truth, "board_vendor"), "board_model": _dmi(truth, "board_name"),
        "board_version": _dmi(truth, "board_version"), "board_serial": _dmi(truth, "board_serial"),
        "domainname": truth.uname["domainname"], "release": truth.uname["release"],
        "machine": truth.uname["machine"],
    }


def os_release(truth):
    """{name: value} of the guest's /etc/os-release."""
    pairs = (line.split("=", 1) for line in (truth.line("sys/etc.os-release") or "").splitlines()
             if "=" in line)
    return {name: "".join(shlex.split(value)) if " " not in value else shlex.split(value)[0]
            for name, value in pairs}


def _os_version(case):
    release = os_release(case.truth)
    dotted = re.match(r"[\d.]*", release.get("VERSION_ID", "")).group(0)
    numbers = [int(n) for n in re.findall(r"\d+", dotted)] + [None] * 3
    yield {
        "name": release.get("NAME", case.truth.uname["sysname"]),
        "version": release.get("VERSION", case.truth.uname["version"]), "major": numbers[0], "minor": numbers[1],
        "patch": numbers[2], "build": release.get("BUILD_ID"), "platform": release.get("ID"),
        "platform_like": release.get("ID_LIKE"), "codename": release.get("VERSION_CODENAME"),
        "arch": case.truth.uname["machine"], "pid_with_namespace": 0,
        "mount_namespace_id": namespaces.inode(case.truth.processes[1].links["ns/mnt"]),
    }


def _platform_info(case):
    truth = case.truth
    if _dmi(truth, "bios_vendor") is None:
        return
    listed = "deduced" not in (case.database.one("run").get("symbols_source") or "")
    booted = "uefi" if b"efi: EFI v" in (truth.raw("sys/dmesg") or b"") else "bios"
    yield {
        "vendor": _dmi(truth, "bios_vendor"), "version": _dmi(truth, "bios_version"),
        "date": _dmi(truth, "bios_date"), "revision": _dmi(truth, "bios_release"), "extra": None,
        "firmware_type": booted if listed else OneOf(None, booted), "address": None, "size": None, "volume_size": None,
    }


# --- kernel ---

def build_id(notes):
    """Hex digits of the GNU build id in ELF notes; None if there is none."""
    at = 0
    while at + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from("<III", notes, at)
        name = at + 12
        body = name + (name_size + 3 & ~3)
        if kind == NT_GNU_BUILD_ID and notes[name:name + name_size] == b"GNU\0":
            return notes[body:body + size].hex()
        at = body + (size + 3 & ~3)
    return None


def _kernel_symbol(truth, name):
    for line in truth.lines("sys/kallsyms"):
        address, _, symbol = line.split()[:3]
        if symbol.decode() == name:
            return int(address, 16)
    return None


def _kernel_pa(truth):
    for line in truth.lines("sys/iomem"):
        match = re.match(rb"\s*([0-9a-f]+)-[0-9a-f]+ : Kernel code", line)
        if match:
            return int(match.group(1), 16)
    return None


def _addr(value):
    return f"0x{value & 0xffffffffffffffff:016x}"


def _placement(truth):
    """Where the kernel lies, as far as the truth has its symbols and its memory map."""
    text, pa, row = _kernel_symbol(truth, "_text"), _kernel_pa(truth), {}
    machine = truth.uname["machine"]
    if text:
        row |= {"kernel_addr": _addr(text), "kaslr_offset": _addr(text - LINK_TEXT[machine, truth.page])}
    if pa:  # arm64's code begins at _stext, up to 64 KiB behind _text
        row["kernel_pa"] = _addr(pa & -MIB2 if machine == "aarch64" else pa)
    if text and pa and machine == "x86_64":
        row["phys_base"] = _addr(pa - (text - KERNEL_BASE))
    return row


def _page_levels(truth):
    """By the CPU's flags; arm64's say nothing, but its direct map begins where addresses do."""
    if truth.uname["machine"] == "i686":
        return 3 if "pae" in truth.cpus[0]["flags"].split() else 2
    if truth.uname["machine"] == "x86_64":
        return 5 if "la57" in truth.cpus[0]["flags"].split() else 4
    text = truth.raw(f"netns/{truth.home_network}/unix") or b""
    sockets = re.findall(rb"^([0-9a-f]{16}): ", text, re.M)
    shift = truth.page.bit_length() - 1
    bits = 52 if any(int(at, 16) < 0xffff << 48 for at in sockets) else {12: 48, 14: 47}[shift]
    return -(-(bits - shift) // (shift - 3))


def _option(words, name):
    values = [word.partition("=")[2] for word in words if word.startswith(name + "=")]
    return values[0] if values else None


def _kernel_info(case):
    truth = case.truth
    words = truth.line("sys/cmdline").split(" ")
    kept = [w for w in words if not w.startswith(("BOOT_IMAGE=", "root="))]
    yield {
        "version": truth.uname["release"], "arguments": " ".join(kept),
        "path": _option(words, "BOOT_IMAGE"), "device": _option(words, "root"),
        "build_id": build_id(truth.raw("sys/sys.kernel.notes") or b""),
        "page_levels": _page_levels(truth),
        "banner": truth.line("sys/version"), **_placement(truth),
    }


# --- CPUs ---

def _cpu_row(truth, package, cpus):
    cpu = cpus[0]
    mhz, _, fraction = cpu["cpu MHz"].partition(".")
    return {
        "device_id": f"CPU{package}", "model": cpu["model name"], "manufacturer": cpu["vendor_id"],
        "processor_type": None, "cpu_status": None, "number_of_cores": cpu.get("cpu cores", "1"),
        "logical_processors": len(cpus), "current_clock_speed": int(mhz),
        "address_width": "64" if truth.uname["machine"] == "x86_64" else "32",
        "max_clock_speed": None, "socket_designation": None, "mhz": int(mhz),
        "hz": int(mhz) * 10**6 + int(fraction) * 10**3,
        "cache_size_kb": int(cpu["cache size"].split()[0]) if "cache size" in cpu else None,
        "family": int(cpu["cpu family"]), "model_id": int(cpu["model"]),
        "stepping": int(cpu["stepping"]) if cpu["stepping"].isdigit() else None,
        "microcode": cpu.get("microcode"),
    }


def _arm64_row(package, cpus):
    cpu = cpus[0]
    return {
        "device_id": f"CPU{package}", "model": None, "manufacturer": cpu["CPU implementer"],
        "processor_type": None, "cpu_status": None, "number_of_cores": str(len(cpus)),
        "logical_processors": len(cpus), "address_width": "64", "current_clock_speed": None,
        "max_clock_speed": None, "socket_designation": None, "mhz": None, "hz": None,
        "cache_size_kb": None, "family": int(cpu["CPU architecture"]),
        "model_id": int(cpu["CPU part"], 16), "stepping": int(cpu["CPU revision"]), "microcode": None,
    }


def _cpu_info(case):
    for package, cpus in _packages(case.truth).items():
        arm = case.truth.uname["machine"] == "aarch64"
        yield _arm64_row(package, cpus) if arm else _cpu_row(case.truth, package, cpus)


# --- clock ---

def _time(case):
    truth = case.truth
    yield {
        "timezone": "UTC", "local_timezone": None, "unix_ns": truth.clock("realtime"),
        "boot_ns": truth.clock("realtime") - truth.clock("boottime"),
    }


def _uptime(case):
    yield {"total_seconds": case.truth.clock("boottime") // 10**9}


# --- memory ---

MEMINFO = {
    "memory_total": "MemTotal", "memory_free": "MemFree", "memory_available": "MemAvailable",
    "buffers": "Buffers", "cached": "Cached", "swap_cached": "SwapCached", "active": "Active",
    "inactive": "Inactive", "swap_total": "SwapTotal", "swap_free": "SwapFree",
}


def _memory_info(case):
    yield {column: case.truth.meminfo[name] for column, name in MEMINFO.items()}


def system_ram(truth):
    """[(start, end)] of the System RAM of /proc/iomem, ends exclusive."""
    found = []
    for line in truth.lines("sys/iomem"):
        match = re.match(rb"([0-9a-f]+)-([0-9a-f]+) : System RAM", line)
        if match:
            found.append((int(match.group(1), 16), int(match.group(2), 16) + 1))
    return found


CALENDAR = "relations: the calendar form of unix_ns"

COMPARISONS = [
    Comparison("system_info", (), _system_info),
    Comparison("platform_info", (), _platform_info, may_be_empty=True),
    Comparison("os_version", (), _os_version),
    Comparison("kernel_info", (), _kernel_info, untold={
        column: "compared where the truth has kallsyms and iomem"
        for column in ("kernel_addr", "kaslr_offset", "kernel_pa", "phys_base")}),
    Comparison("cpu_info", ("device_id",), _cpu_info),
    Comparison("time", (), _time, untold={column: CALENDAR for column in (
        "weekday", "year", "month", "day", "hour", "minutes", "seconds", "unix_time", "timestamp",
        "datetime", "iso_8601")}),
    Comparison("uptime", (), _uptime, untold={
        column: "relations: total_seconds taken apart"
        for column in ("days", "hours", "minutes", "seconds")}),
    Comparison("memory_info", (), _memory_info),
]
