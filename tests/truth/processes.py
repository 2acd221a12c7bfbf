# SPDX-License-Identifier: LGPL-2.1-or-later
"""processes: every /proc/PID."""

import json
import re

from engine import Comparison, OneOf
from text import database_text, split_deleted
from truth import TICK_NS

CLOCK_SLACK_NS = 50_000_000  # between the collector's two clock readings, under emulation


def lifecycle(task_is_dead, is_dead_leader):
    """(lifecycle, phase) of a task of a guest at rest."""
    if is_dead_leader:
        return "zombie", "leader"
    if task_is_dead:
        return "zombie", "Z2"
    return "live", OneOf(None, "N5", "E1")


def arguments(raw):
    """The strings of a /proc/PID/cmdline or environ."""
    if not raw:
        return []
    parts = raw.split(b"\0")
    return parts[:-1] if parts[-1] == b"" else parts


def tty_name(truth, number):
    """Name of a terminal below /dev by its number in stat; None for no terminal."""
    if number == 0:
        return None
    major, minor = number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00
    for line in truth.lines("sys/tty/drivers"):
        _, path, its_major, minors, *_ = line.decode().split()
        first, last = (minors.split("-") + [minors])[:2]
        if int(its_major) == major and int(first) <= minor <= int(last):
            base = 1 if path == "/dev/tty" else 0
            return re.sub("^/dev/", "", path) + _tty_number(path, minor - int(first) + base)
    raise ValueError(f"no driver has the terminal {major}:{minor}")


def _tty_number(path, number):
    if path in ("/dev/tty", "/dev/console", "/dev/ptmx") and number == 0:
        return ""
    return f"/{number}" if path == "/dev/pts" else str(number)


def _start_seconds(truth, ticks):
    boot = truth.clock("realtime") - truth.clock("boottime")
    earliest = boot + ticks * TICK_NS - CLOCK_SLACK_NS
    latest = boot + (ticks + 1) * TICK_NS + CLOCK_SLACK_NS
    return OneOf(*range(earliest // 10**9, latest // 10**9 + 1))


def _stat_columns(process):
    stat = process.stat
    return {
        "state": stat.state, "parent": stat[4], "pgroup": stat[5], "session": stat[6],
        "tty": tty_name(process.truth, stat[7]), "flags": stat.flags, "user_ticks": stat[14],
        "system_ticks": stat[15], "nice": stat[19], "threads": stat[20], "start_ticks": stat[22],
        "start_time": _start_seconds(process.truth, stat[22]), "exit_signal": stat[38],
        "exit_code": stat[52] if stat.state in "ZX" else None, "is_kthread": int(process.is_kthread),
    }


def _status_columns(process):
    status = process.status
    uids, gids = ([int(n) for n in status[name].split()] for name in ("Uid", "Gid"))
    return {
        "uid": uids[0], "euid": uids[1], "suid": uids[2], "fsuid": uids[3],
        "gid": gids[0], "egid": gids[1], "sgid": gids[2], "fsgid": gids[3],
        "tgid_ns": int(status["NStgid"].split()[-1]), "cap_effective": status["CapEff"],
    }


def _size(process, name):
    text = process.living_status.get(name)
    return int(text.split()[0]) * 1024 if text else None


def _cmdline_columns(process):
    if process.is_dead:  # its memory is gone, and what /proc shows then is not what there was
        return {"cmdline": None, "argv_list": None}
    raw = process.living_file("cmdline")
    texts = [database_text(a) for a in arguments(raw)]
    line = " ".join(texts)
    return {"cmdline": line, "argv_list": texts or None}


def _file_columns(process):
    """What a dead leader has from a living thread."""
    links = {k: database_text(v) for k, v in process.living_links.items() if k != "exe"}
    exe, deleted = split_deleted(process.living_links.get("exe", b""))
    has_exe = "exe" in process.living_links
    return {
        "path": None if process.is_dead else database_text(exe), "cwd": links.get("cwd"), "root": links.get("root"),
        "exe_deleted": int(deleted) if has_exe else None,
        "on_disk": int(not deleted) if has_exe else -1,
    }


def _accounting_columns(process):
    io = {k.decode(): int(v) for k, v in
          (line.split(b": ") for line in (process.raw("io") or b"").splitlines())}
    if not io:
        return {}
    return {"disk_bytes_read": io["read_bytes"],
            "disk_bytes_written": io["write_bytes"] - io["cancelled_write_bytes"]}


def _cgroup_columns(process):
    for line in (process.raw("cgroup") or b"").splitlines():
        if line.startswith(b"0::"):
            return {"cgroup_path": database_text(line[3:])}
    return {}


def _login_columns(process):
    raw = process.raw("loginuid")
    return {"login_uid": int(raw) if raw else None}


def _row(process):
    life, phase = lifecycle(process.is_dead, process.is_dead_leader)
    row = {
        "_process": process, "pid": process.pid, "name": database_text(process.comm),
        "wired_size": 0, "lifecycle": life, "phase": phase,
        "resident_size": _size(process, "VmRSS"), "total_size": _size(process, "VmSize"),
        **_stat_columns(process), **_status_columns(process), **_accounting_columns(process),
        **_cgroup_columns(process), **_login_columns(process),
    }
    if process.knows_living:
        row |= _file_columns(process) | _cmdline_columns(process)
    return row


def with_times(case, rows):
    """Rows with their times in the units of /proc/PID/stat."""
    boot = case.database.one("time").get("boot_ns")
    for row in rows:
        start = row.get("start_ns")
        known = boot is not None and start is not None
        yield row | {
            "start_ticks": (start - boot) // TICK_NS if known else None,
            "user_ticks": None if row["user_time"] is None else row["user_time"] // 10,
            "system_ticks": None if row["system_time"] is None else row["system_time"] // 10,
        }


def _actual(case):
    for row in with_times(case, case.database.rows("processes")):
        yield row | {"argv_list": json.loads(row["argv"]) if row["argv"] is not None else None}


COMPARISONS = [Comparison(
    "processes", ("pid",), lambda case: map(_row, case.truth.processes.values()),
    lambda case: list(_actual(case)),
    untold={
        "start_ns": "compared in ticks of 10 ms after time.boot_ns, as /proc/PID/stat has it",
        "user_time": "compared in ticks of 10 ms", "system_time": "compared in ticks of 10 ms",
        "argv": "compared as the list that it encodes",
        "lifecycle_evidence": "relations: names the fields that decided",
        "task_addr": "relations: unique, in the kernel half",
        "mm_addr": "relations: NULL exactly for kernel threads and the dead",
        "found_by": "relations: the task list at least",
    })]
