# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the database that a perfect vmiscan would write for a truth: to test the comparison itself."""

import datetime
import json
import pathlib
import re
import sqlite3

from engine import Bits, OneOf
from kernel_log import Truncated

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "schema"
SQL_TYPES = {"INT": "INTEGER", "ADDR": "TEXT", "TEXT": "TEXT"}
BASE = 0xffff888000000000


def declared():
    """{table: {column: kind}} of schema/tables.def."""
    tables = {}
    for name in re.findall(r'#include "schema/(tables/\w+\.def)"', (SCHEMA / "tables.def").read_text()):
        text = (SCHEMA / name).read_text()
        table = re.search(r"^TABLE\((\w+),", text, re.M).group(1)
        tables[table] = {column: kind for kind, column in re.findall(
            r"^COL\(\w+, (\w+), (\w+),", text, re.M)}
    return tables


def plain(value):
    """A value that satisfies what the truth demands."""
    if isinstance(value, OneOf):
        return value.values[0]
    if isinstance(value, Bits):
        return f"0x{value.value:016x}"
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Truncated):
        return value.thousands * 1000
    return value


def address(number):
    """A made-up address of a kernel object."""
    return f"0x{BASE + number * 0x100:016x}"


def create(path, tables):
    sql = sqlite3.connect(path)
    sql.execute("PRAGMA synchronous = OFF")
    sql.execute("PRAGMA application_id = 0x564d4953")
    sql.execute("PRAGMA user_version = 1")
    for table, columns in tables.items():
        body = ", ".join(f'"{c}" {SQL_TYPES[k]}' for c, k in columns.items())
        sql.execute(f'CREATE TABLE "{table}" ({body}) STRICT')
    sql.execute("CREATE VIEW listening_ports AS SELECT pid FROM process_open_sockets WHERE "
                "(family IN (2, 10) AND remote_port = 0) OR (family = 1 AND path <> '')")
    sql.execute("CREATE VIEW process_open_pipes AS SELECT NULL AS pid WHERE 0")
    return sql


def insert(sql, table, columns, rows):
    names = ", ".join(f'"{c}"' for c in columns)
    marks = ", ".join("?" * len(columns))
    sql.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})',
                    [[plain(row.get(c)) for c in columns] for row in rows])


class Filler:
    """Turns demanded rows into whole rows: what the truth leaves out is made up, but fits."""

    def __init__(self, truth):
        self.truth = truth
        self.boot = truth.clock("realtime") - truth.clock("boottime")
        self.sockets = {}

    def fill(self, table, number, row):
        row = dict(row)
        method = getattr(self, f"_{table}", None)
        if method:
            method(row, number)
        elif "pid" in row:
            row["task_addr"] = address(row["pid"])
        return row

    def _times(self, row):
        row["start_ns"] = self.boot + row["start_ticks"] * 10**7
        row["user_time"], row["system_time"] = row["user_ticks"] * 10, row["system_ticks"] * 10

    def _processes(self, row, _):
        self._times(row)
        row["start_time"] = row["start_ns"] // 10**9
        row.setdefault("cmdline", "")
        row["argv"] = json.dumps(row["argv_list"]) if row.get("argv_list") else None
        alive = row["lifecycle"] == "live" or row["phase"] == "leader"
        row["mm_addr"] = address(row["pid"]) if alive and not row["is_kthread"] else None
        row["lifecycle_evidence"] = "exit_state=0x20"
        row |= {"task_addr": address(row["pid"]), "found_by": "tasks,pid"}

    def _threads(self, row, _):
        self._times(row)
        row["task_addr"] = row["stack_addr"] = address(row["tid"])
        row["found_by"] = "tasks"

    def _inconsistencies(self, row, _):
        row |= {"task_addr": address(row["tid"]), "evidence": "exit_state=0x20", "missing": "memory"}

    def _atomicity(self, row, _):
        row |= {"evaluated": 1, "unevaluable": 0}

    def _process_memory_map(self, row, number):
        row["task_addr"] = address(row["pid"])
        row["vma_addr"] = None if row["path"] == "[vsyscall]" else address(number)
        row["file_addr"] = None if row["deleted"] is None else address(number)

    def _process_open_files(self, row, _):
        row["task_addr"] = address(row["pid"])
        row |= {"uid": 0, "gid": 0} | {f"{c}time_ns": self.boot + 10**9 for c in "amc"}

    def _process_page_map(self, row, _):
        row |= {c: f"0x{row[c]:016x}" for c in ("start_va", "end_va", "start_pa")}
        row |= {"page_size": 4096, "permissions": "r--", "dirty": 0, "accessed": 0,
                "task_addr": address(row["pid"])}

    def _sockets(self, row, number):
        row.setdefault("socket_addr", address(number))
        if row["inode"]:
            self.sockets[row["inode"]] = row["socket_addr"]

    def _process_open_sockets(self, row, _):
        row.setdefault("inode", row["socket"])
        row["task_addr"] = address(row["pid"])
        row.setdefault("socket_addr", self.sockets.get(row["socket"]))

    def _mounts(self, row, number):
        row["mount_addr"] = address(number)

    def _kernel_modules(self, row, number):
        row |= {"module_addr": address(number), "arguments": self._arguments(row["name"])}

    def _arguments(self, module):
        folder = f"modules/{module}/parameters"
        return " ".join(f"{p}={self.truth.line(f'{folder}/{p}')}" for p in self.truth.entries(folder))

    def _interface_details(self, row, number):
        row |= {"device_addr": address(number), "stats_source": "made up"}
        self.sockets[row["net_namespace"], row["interface"]] = row["device_addr"]

    def _interface_addresses(self, row, _):
        row["device_addr"] = self.sockets[row["net_namespace"], row["interface"]]

    def _arp_cache(self, row, number):
        row |= {"device_addr": self.sockets[row["net_namespace"], row["interface"]],
                "neighbour_addr": address(number)}

    def _routes(self, row, number):
        row |= {"device_addr": self.sockets[row["net_namespace"], row["interface"]],
                "route_addr": address(number)}

    def _iptables(self, row, number):
        row |= {"rule_addr": address(number), "table_addr": address(0)}

    def _file(self, row, number):
        row |= {"uid": 0, "gid": 0, "fs_type": "fuse.x", "block_size": 4096, "mount_namespace_id": "4026531840",
                "dentry_addr": address(number), "inode_addr": address(number)}
        row |= {f"{c}time": self.boot // 10**9 + 1 for c in "amc"}

    def _shared_memory(self, row, number):
        row["segment_addr"] = address(number)

    def _system_controls(self, row, number):
        row |= {"mode": 0o644, "type": "string", "data_addr": address(number), "table_addr": address(number)}
        if row["name"].startswith("net."):
            row["net_namespace"] = str(self.truth.home_network)

    def _evidence(self, row, _):
        row["format"] = "elf-core"  # a container with virtual CPUs

    def _vcpus(self, row, number):
        row["task_addr"] = address(0x10000 + number)  # its idle task

    def _memory_ranges(self, row, _):
        row |= {"start_pa": f"0x{row['start']:016x}", "end_pa": f"0x{row['end']:016x}", "state": "present"}

    def _time(self, row, _):
        row["unix_time"] = row["unix_ns"] // 10**9
        moment = datetime.datetime.fromtimestamp(row["unix_time"], datetime.timezone.utc)
        row |= {"weekday": moment.strftime("%A"), "year": moment.year, "month": moment.month,
                "day": moment.day, "hour": moment.hour, "minutes": moment.minute,
                "seconds": moment.second, "timestamp": moment.strftime("%a %b %e %H:%M:%S %Y UTC")}
        row["datetime"] = row["iso_8601"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _dmesg(self, row, _):
        row["time"] = (self.boot + plain(row["timestamp_ns"])) // 10**9

    def _uptime(self, row, _):
        minutes, row["seconds"] = divmod(row["total_seconds"], 60)
        hours, row["minutes"] = divmod(minutes, 60)
        row["days"], row["hours"] = divmod(hours, 24)


def joined_ranges(rows):
    """Absent memory between the guest's ranges."""
    end = None
    for row in rows:
        if end not in (None, row["start_pa"]):
            yield {"start_pa": end, "end_pa": row["start_pa"], "state": "absent"}
        yield row
        end = row["end_pa"]


def with_folders(rows):
    """And the folders of the files, which need not be open."""
    rows = list(rows)
    yield from rows
    for path in {str(above) for row in rows for above in pathlib.PurePosixPath(row["path"]).parents}:
        own = pathlib.PurePosixPath(path)
        yield rows[0] | {"path": path, "directory": str(own.parent), "filename": own.name, "type": "directory"}


def ordered(comparisons):
    """sockets before those that refer to them."""
    return sorted(comparisons, key=lambda c: c.table == "process_open_sockets")


def fabricate(path, truth, comparisons, case_of):
    """Writes the database. case_of(path): the case to ask the comparisons with."""
    tables = declared()
    filler = Filler(truth)
    sql = create(path, tables)
    for comparison in ordered(c for c in comparisons if c.table != "coverage"):
        rows = [filler.fill(comparison.table, n, row) for n, row in enumerate(comparison.expected(case_of(path)))]
        if comparison.table == "memory_ranges":
            rows = joined_ranges(rows)
        if comparison.table == "file":
            rows = with_folders(rows)
        insert(sql, comparison.table, tables[comparison.table], rows)
        sql.commit()
    for table in tables:
        count = sql.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
        insert(sql, "coverage", tables["coverage"], [{
            "table_name": table, "status": "complete", "rows": count, "faults": 0}])
    sql.execute("UPDATE coverage SET rows = (SELECT count(*) FROM coverage) WHERE table_name = 'coverage'")
    sql.commit()
    sql.close()
