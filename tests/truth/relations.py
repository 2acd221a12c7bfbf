# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must hold between the rows of any database of a guest at rest, whatever the truth is.

A relation is a function that yields, for each thing it looks at, None or what is wrong with it; one
that looked at nothing has failed."""

import dataclasses
import datetime
import json
import re
import sqlite3

APPLICATION_ID = 0x564d4953
ADDRESS = re.compile(r"0x[0-9a-f]{16}")
ADDRESS_COLUMN = re.compile(r".*_(addr|va|pa)$")
PROCESS_TABLES = ("process_envs", "process_namespaces", "process_open_files", "process_memory_map",
                  "process_page_map", "process_open_sockets")

RELATIONS = []


def relation(sentence, may_be_empty=False):
    def register(function):
        RELATIONS.append((sentence, function, may_be_empty))
        return function
    return register


@dataclasses.dataclass
class Outcome:
    sentence: str
    looked_at: int
    failures: list

    @property
    def passed(self):
        return not self.failures


def check_all(case):
    """An Outcome for each relation."""
    for sentence, function, may_be_empty in RELATIONS:
        answers = list(_answers(function, case))
        failures = [a for a in answers if a]
        if not answers and not may_be_empty:
            failures.append("looked at nothing")
        yield Outcome(sentence, len(answers), failures)


def _answers(function, case):
    """What a relation yields; a value that is not there where it must be is a failure, too."""
    try:
        yield from function(case)
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        yield f"cannot go on: {error!r}"


def _expect(condition, message):
    return None if condition else message


# --- the file ---

@relation("the file says what it is")
def _file(case):
    found = case.database.query("PRAGMA application_id")[0]["application_id"]
    yield _expect(found == APPLICATION_ID, f"application_id {found:#x}")
    yield _expect(case.database.query("PRAGMA integrity_check")[0]["integrity_check"] == "ok",
                  "integrity_check is not ok")


@relation("every text is UTF-8 without NUL")
def _texts(case):
    sql = sqlite3.connect(f"file:{case.database.path.resolve()}?mode=ro", uri=True)
    sql.text_factory = bytes
    for table in case.database.tables:
        for row in sql.execute(f'SELECT * FROM "{table}"'):
            for value in row:
                if isinstance(value, bytes):
                    yield _bad_text(table, value)
    sql.close()


def _bad_text(table, value):
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return f"{table}: {value!r}"
    return _expect(b"\0" not in value, f"{table}: NUL in {value!r}")


# Machine, bytes of a page, levels of page tables -> bits of an address within its half.
HALF = {("x86_64", 4096, 4): 47, ("x86_64", 4096, 5): 56, ("aarch64", 4096, 4): 48, ("aarch64", 4096, 5): 52,
        ("aarch64", 16384, 3): 47, ("aarch64", 16384, 4): 52}


@relation("every address is 0x and 16 lower-case digits; those of kernel objects lie in the kernel half")
def _addresses(case):
    machine = case.database.one("system_info").get("machine")
    levels = case.database.one("kernel_info").get("page_levels")
    bits = HALF.get((machine, case.truth.page, levels))
    kernel_half = (1 << 64) - (1 << bits) if bits else 3 << 30
    for table in case.database.tables:
        columns = [c for c in case.database.columns(table) if ADDRESS_COLUMN.match(c)]
        for row in case.database.rows(table) if columns else ():
            for column in (c for c in columns if row[c] is not None):
                yield _bad_address(table, column, row[column], kernel_half)


def _bad_address(table, column, value, kernel_half):
    if not ADDRESS.fullmatch(value):
        return f"{table}.{column} is {value!r}"
    return _expect(not column.endswith("_addr") or int(value, 16) >= kernel_half,
                   f"{table}.{column} {value} is no kernel address")


# --- keys ---

UNIQUE = (
    ("processes", "pid"), ("processes", "task_addr"), ("threads", "tid"), ("threads", "task_addr"),
    ("sockets", "socket_addr"), ("mounts", "mount_addr"), ("kernel_modules", "module_addr"),
    ("interface_details", "device_addr"), ("coverage", "table_name"), ("file", "path"))


@relation("what names a row is there, and once")
def _unique(case):
    for table, column in UNIQUE:
        values = [row[column] for row in case.database.rows(table)]
        yield _expect(None not in values, f"{table}.{column} is NULL somewhere")
        twice = sorted({v for v in values if values.count(v) > 1}) if None not in values else []
        yield _expect(not twice, f"{table}.{column} has {twice[:3]} more than once")


@relation("process tables name the task of their process")
def _task_addr(case):
    for table in PROCESS_TABLES:
        for row in case.database.rows(table):
            process = case.database.processes.get(row["pid"])
            yield _expect(process and process["task_addr"] == row["task_addr"],
                          f"{table}: pid {row['pid']} with task {row['task_addr']}")


@relation("each process is its leader's thread, and has as many threads as it says")
def _leaders(case):
    threads = {}
    for row in case.database.rows("threads"):
        threads.setdefault(row["pid"], {})[row["tid"]] = row["task_addr"]
    yield _expect(set(threads) == set(case.database.processes), "threads and processes differ in their pids")
    for pid, row in case.database.processes.items():
        mine = threads.get(pid, {})
        yield _expect(mine.get(pid) == row["task_addr"], f"pid {pid}: leader {mine.get(pid)}")
        yield _expect(len(mine) == row["threads"], f"pid {pid}: {len(mine)} threads, not {row['threads']}")


@relation("inconsistencies name a thread, its evidence and what is lost; none is extrinsic")
def _inconsistencies(case):
    threads = {(r["tid"], r["task_addr"]) for r in case.database.rows("threads")}
    for row in case.database.rows("inconsistencies"):
        name = f"tid {row['tid']}"
        yield _expect((row["tid"], row["task_addr"]) in threads, f"{name}: no such thread")
        yield _expect(row["scope"] == "intrinsic", f"{name}: {row['scope']} {row['class']}")
        yield _expect(re.search(r"exit_state=0x[0-9a-f]+", row["evidence"] or ""),
                      f"{name}: evidence {row['evidence']!r}")
        yield _expect(row["missing"], f"{name}: nothing is said to be missing")


# --- columns of one row ---

@relation("only live user processes have memory, only settled dead threads have no stack")
def _memory(case):
    living = {r["pid"] for r in case.database.rows("threads") if r["lifecycle"] == "live"}
    for row in case.database.rows("processes"):
        has = not row["is_kthread"] and row["pid"] in living
        yield _expect((row["mm_addr"] is not None) == has, f"pid {row['pid']}: mm {row['mm_addr']}")
    for row in case.database.rows("threads"):
        settled = row["phase"] in ("Z2", "leader")
        yield _expect(settled or row["stack_addr"], f"tid {row['tid']} has no stack")


@relation("each process says where it was found, and what is not alive why")
def _evidence(case):
    for row in case.database.rows("processes"):
        yield _expect("tasks" in (row["found_by"] or "").split(","), f"pid {row['pid']}: {row['found_by']!r}")
        if row["lifecycle"] != "live":
            yield _expect("exit_state=" in (row["lifecycle_evidence"] or ""),
                          f"pid {row['pid']}: evidence {row['lifecycle_evidence']!r}")


@relation("argv is JSON and says the same as cmdline")
def _argv(case):
    for row in case.database.rows("processes"):
        if row["argv"] is None:
            yield _expect(not row["cmdline"], f"pid {row['pid']}: cmdline without argv")
        else:
            yield _expect(" ".join(json.loads(row["argv"])).strip() == (row["cmdline"] or "").strip(),
                          f"pid {row['pid']}: argv {row['argv']!r} and cmdline {row['cmdline']!r}")


@relation("counters of interfaces have a source")
def _counters(case):
    for row in case.database.rows("interface_details"):
        yield _expect((row["ipackets"] is not None) == (row["stats_source"] is not None),
                      f"{row['interface']}: source {row['stats_source']!r}")


@relation("the clock's columns say the same")
def _clock(case):
    row = case.database.one("time")
    moment = datetime.datetime.fromtimestamp(row["unix_time"], datetime.timezone.utc)
    iso = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = {
        "weekday": moment.strftime("%A"), "year": moment.year, "month": moment.month,
        "day": moment.day, "hour": moment.hour, "minutes": moment.minute, "seconds": moment.second,
        "timestamp": moment.strftime("%a %b %e %H:%M:%S %Y UTC"), "datetime": iso, "iso_8601": iso,
        "unix_time": row["unix_ns"] // 10**9}
    for column, value in wanted.items():
        yield _expect(row[column] == value, f"time.{column} is {row[column]!r}, not {value!r}")
    up = case.database.one("uptime")
    total = ((up["days"] * 24 + up["hours"]) * 60 + up["minutes"]) * 60 + up["seconds"]
    yield _expect(total == up["total_seconds"], f"uptime parts make {total}")
    since_boot = (row["unix_ns"] - row["boot_ns"]) // 10**9
    yield _expect(abs(since_boot - up["total_seconds"]) <= 1, f"the clock says {since_boot} s since boot")


@relation("records of the log are in order, and their two times agree")
def _log(case):
    boot, last = case.database.one("time")["boot_ns"], -1
    for row in case.database.rows("dmesg"):
        yield _expect(row["seq"] > last, f"record {row['seq']} behind {last}")
        yield _expect(row["time"] == (boot + row["timestamp_ns"]) // 10**9, f"record {row['seq']}: {row['time']}")
        last = row["seq"]


@relation("arguments of modules are the values of their parameters")
def _arguments(case):
    if case.truth.version >= (7, 3):
        # The kernel no longer keeps them.
        yield _expect(all(row["arguments"] is None for row in case.database.rows("kernel_modules")),
                      "arguments that the kernel does not keep")
    if not case.truth.has_modules:
        yield _expect(case.database.count("kernel_modules") == 0, "modules of a kernel that has none")
    for row in case.database.rows("kernel_modules"):
        for word in (row["arguments"] or "").split():
            name, _, value = word.partition("=")
            told = case.truth.line(f"modules/{row['name']}/parameters/{name}")
            yield _expect(told is None or told == (value or "Y"),
                          f"{row['name']}: {word!r}, but the parameter is {told!r}")


# --- memory ---

@relation("mappings are in order and do not overlap; anonymous ones have no file")
def _mappings(case):
    last = {}
    for row in case.database.rows("process_memory_map"):
        start, end = int(row["start"], 16), int(row["end"], 16)
        name = f"pid {row['pid']} {row['start']}"
        yield _expect(last.get(row["pid"], 0) <= start < end, f"{name}: out of order")
        yield _expect((row["file_addr"] is None) == (row["deleted"] is None), f"{name}: file and deleted differ")
        yield _expect(row["vma_addr"] or row["path"] == "[vsyscall]", f"{name}: no vm_area_struct")
        last[row["pid"]] = end


@relation("pages lie in mappings, in whole pages, and allow no more than these")
def _pages(case):
    mappings = {}
    for row in case.database.rows("process_memory_map"):
        mappings.setdefault(row["pid"], []).append(
            (int(row["start"], 16), int(row["end"], 16), row["permissions"]))
    for row in case.database.rows("process_page_map"):
        yield _bad_size(case, row) or _bad_run(row, mappings.get(row["pid"], ()), _rights(case))


def _rights(case):
    """What a page may not allow if its mapping does not. vm_get_page_prot() of 32-bit x86 passes
    protections of 64 bits through an unsigned long, which costs them NX (arch/x86/mm/pgprot.c)."""
    return "w" if case.database.one("system_info")["cpu_type"] == "i686" else "wx"


def _bad_size(case, row):
    """A page is as large as what one entry of the lowest three levels maps; an entry has eight bytes."""
    page, size = case.truth.page, row["page_size"]
    bounds = (int(row[column], 16) for column in ("start_va", "end_va", "start_pa"))
    if size in (page * (page // 8) ** level for level in range(3)) and not any(at % size for at in bounds):
        return None
    return f"pid {row['pid']} {row['start_va']}-{row['end_va']}: not whole pages of {size}"


def _bad_run(row, mappings, rights):
    start, end = int(row["start_va"], 16), int(row["end_va"], 16)
    name = f"pid {row['pid']} {row['start_va']}-{row['end_va']}"
    inside = [p for low, high, p in mappings if low < end and start < high]
    if sum(min(end, h) - max(start, l) for l, h, _ in mappings if l < end and start < h) != end - start:
        return f"{name}: not all of it is mapped"
    for letter in rights:
        if letter in row["permissions"] and not any(letter in p for p in inside):
            return f"{name}: {row['permissions']} in a mapping of {inside}"
    return None


@relation("ranges of physical memory ascend without gap or overlap")
def _ranges(case):
    end = None
    for row in case.database.rows("memory_ranges"):
        start = int(row["start_pa"], 16)
        yield _expect(end is None or start == end, f"{row['start_pa']} does not follow {end}")
        yield _expect(row["state"] in ("present", "zero", "absent"), f"state {row['state']!r}")
        end = int(row["end_pa"], 16)
        yield _expect(start < end, f"{row['start_pa']} is empty")


# --- files and sockets ---

@relation("descriptors are in order, and those of sockets have their socket")
def _descriptors(case):
    sockets = {(r["pid"], r["fd"]): r for r in case.database.rows("process_open_sockets")}
    listed = {r["socket_addr"] for r in case.database.rows("sockets")}
    last, seen = {}, set()
    for row in case.database.rows("process_open_files"):
        key = row["pid"], row["fd"]
        yield _expect(last.get(row["pid"], -1) < row["fd"], f"{key}: out of order")
        last[row["pid"]] = row["fd"]
        if row["type"] == "socket" and row["path"].startswith("socket:["):
            seen.add(key)
            yield _expect(key in sockets and sockets[key]["inode"] == row["inode"], f"{key}: no such socket")
    yield _expect(seen == set(sockets), f"no descriptors: {sorted(set(sockets) - seen)[:5]}")
    for key, row in sockets.items():
        yield _expect(row["socket"] == row["inode"], f"{key}: socket {row['socket']}, inode {row['inode']}")
        yield _expect(row["socket_addr"] in listed, f"{key}: {row['socket_addr']} is not in sockets")


@relation("files that the workload made are root's, and their times lie between boot and snapshot")
def _inode_times(case):
    clock = case.database.one("time")
    for row in case.database.rows("process_open_files"):
        if row["type"] in ("regular", "memfd") and row["path"].startswith(("/tmp/", "/memfd:")):
            yield _expect((row["uid"], row["gid"]) == (0, 0), f"{row['path']}: {row['uid']}, {row['gid']}")
            for column in ("atime_ns", "mtime_ns", "ctime_ns"):
                yield _expect(clock["boot_ns"] < row[column] <= clock["unix_ns"] + 10**9,
                              f"{row['path']}: {column} {row[column]}")


@relation("a path names one file, which is the same by its name and by its descriptors")
def _names(case):
    rows = {row["path"]: row for row in case.database.rows("file")}
    yield _expect(len(rows) == len(case.database.rows("file")), "a path is there twice")
    kinds = {row["type"] for row in case.database.rows("mounts")} | {"nsfs"}
    home = {row["pid"]: row["mnt_namespace"] for row in case.database.rows("process_namespaces")}[1]
    for path, row in rows.items():
        folder = (row["directory"].rstrip("/") + "/" + row["filename"]) == path or path == "/"
        yield _expect(folder and (path == "/" or row["directory"] in rows), f"{path}: in {row['directory']}")
        yield _expect(row["fs_type"] in kinds and row["mount_namespace_id"] == home, f"{path}: {row['fs_type']}")
    for opened in case.database.rows("process_open_files"):
        row = rows.get(opened["path"])
        if row and (row["inode"], row["type"]) == (opened["inode"], opened["type"]):
            same = [opened[c] == row[c] for c in ("uid", "gid", "size")]
            same += [opened[f"{c}_ns"] // 10**9 == row[c] for c in ("atime", "mtime", "ctime")]
            yield _expect(all(same), f"{row['path']}: other than process {opened['pid']} has it open")


@relation("listening_ports shows the sockets that can be reached")
def _listening(case):
    shown = case.database.query("SELECT count(*) AS n FROM listening_ports")[0]["n"]
    wanted = sum(1 for r in case.database.rows("process_open_sockets")
                 if (r["family"] in (2, 10) and r["remote_port"] == 0) or (r["family"] == 1 and r["path"]))
    yield _expect(shown == wanted > 0, f"{shown} rows, not {wanted}")


def _pipe_ends(truth):
    """(pid, fd, mode, inode) of the pipes that the collector saw."""
    modes = {0: "r", 1: "w", 2: "rw"}
    for pid, process in truth.processes.items():
        for one in process.descriptors:
            if one.mode & 0o170000 == 0o010000 and one.flags is not None:
                yield pid, one.fd, modes[one.flags & 3], one.inode


@relation("process_open_pipes pairs the ends of pipes", may_be_empty=True)
def _pipes(case):
    told = [end for end in _pipe_ends(case.truth) if end[0] != case.truth.collector]
    wanted = {own[:2] + own[2:] + (other[:3] if other else (None,) * 3) for own in told for other in (
        [one for one in told if one[3] == own[3] and one[:2] != own[:2]
         and (one[2] != own[2] or own[2] == "rw")] or [None])}
    found = {(r["pid"], r["fd"], r["mode"], r["inode"], r["partner_pid"], r["partner_fd"], r["partner_mode"])
             for r in case.database.query("SELECT * FROM process_open_pipes")}
    for pair in wanted | found:
        yield _expect(pair in wanted and pair in found or pair[0] == case.truth.collector,
                      f"{'missing' if pair in wanted else 'invented'}: {pair}")


@relation("settings say how their values are kept, and whose they are")
def _controls(case):
    networks = {str(network) for network in case.truth.networks} | {None}
    for row in case.database.rows("system_controls"):
        name = row["name"]
        yield _expect((row["type"] is None) == (row["current_value"] is None), f"{name}: {row['type']!r}")
        yield _expect(row["mode"] & ~0o777 == 0, f"{name}: mode {row['mode']:o}")
        yield _expect(row["net_namespace"] in networks, f"{name}: {row['net_namespace']}")
        yield _expect(row["net_namespace"] is None or row["subsystem"] == "net", f"{name} is of a network")


@relation("addresses, neighbours and routes have their interface")
def _interfaces(case):
    devices = {r["device_addr"]: r for r in case.database.rows("interface_details")}
    rows = [row for table in ("interface_addresses", "arp_cache", "routes") for row in case.database.rows(table)]
    for row in (row for row in rows if row["interface"] is not None):
        device = devices.get(row["device_addr"])
        yield _expect(device and (device["interface"], device["net_namespace"])
                      == (row["interface"], row["net_namespace"]), f"{row.values()}: {row['device_addr']}")


def _is_user_mode(vcpu):
    """By the privilege of the code segment; arm64's is in pstate."""
    if vcpu["cs"] is None:
        return int(vcpu["rflags"], 16) & 0xf == 0
    return int(vcpu["cs"], 16) & 3 == 3


def _was_started(vcpu):
    """Firmware leaves the other CPUs without paging, and a kernel without SMP leaves them alone."""
    return vcpu["cr0"] is None or int(vcpu["cr0"], 16) >> 31 == 1


@relation("what ran on a virtual CPU is a thread, in state R if in user mode, or that CPU's idle task; nothing on "
          "one that was never started", may_be_empty=True)
def _vcpus(case):
    states = {r["task_addr"]: r["state"] for r in case.database.rows("threads")}
    rows = case.database.rows("vcpus")
    for row in rows:
        task, is_user = row["task_addr"], _is_user_mode(row)
        if not _was_started(row):
            yield _expect(task is None, f"cpu {row['cpu']}, never started: {task}")
            continue
        is_idle = task not in states and [r["task_addr"] for r in rows].count(task) == 1
        # In the kernel it may be on its way to sleep, its state set already.
        yield _expect(task and (is_idle or states.get(task) == "R" or (task in states and not is_user)),
                      f"cpu {row['cpu']}: {task}")


@relation("a field of the kernel is placed by types, or is not there at all")
def _fields(case):
    for row in case.database.rows("type_fields"):
        name = f"{row['type']}.{row['field']}"
        told = [row[c] is not None for c in ("path", "offset", "size", "source")]
        yield _expect(all(told) or not any(told), f"{name}: half known")
        bits = row["bit_offset"], row["bit_size"]
        yield _expect(bits == (None, None) or (row["size"] * 8 >= sum(bits) and bits[1] > 0), f"{name}: bits {bits}")
