# SPDX-License-Identifier: LGPL-2.1-or-later
"""The one list of differences that are allowed between a truth and a database.

The truth takes a few seconds to collect, and the machine is stopped a moment later: what moves in
that time by itself, and what the collector moved by looking, may differ, and nothing else. Each rule
says why, holds as narrowly as it can, and counts how often it was needed.
"""

import re

import kernel_log
import net
import usage
from engine import INVENTED, MISSING, WRONG

MIB = 1 << 20
PAGE = 4096

TASK_TABLES = ("processes", "threads", "process_namespaces")

_RULES = []


class Rule:
    """One reason for which a difference is no fault."""

    def __init__(self, case, name, reason, tables, kinds, columns, holds):
        self.case, self.name, self.reason, self.used = case, name, reason, 0
        self._tables, self._kinds, self._columns, self._holds = tables, kinds, columns, holds

    def allows(self, difference):
        if (difference.table not in self._tables or difference.kind not in self._kinds
                or (difference.kind == WRONG and difference.column not in self._columns)
                or not self._holds(self.case, difference)):
            return False
        self.used += 1
        return True


def rule(name, reason, tables, kinds=(WRONG,), columns=()):
    """Makes a rule of a predicate (case, difference)."""
    def register(holds):
        _RULES.append((name, reason, tables, kinds, columns, holds))
        return holds
    return register


def rules(case):
    """A fresh set of rules for one comparison."""
    return [Rule(case, *parts) for parts in _RULES]


# --- who is concerned ---

def _pid(difference):
    return difference.expected.get("pid", difference.row.get("pid"))


def _is_collector(case, difference):
    return _pid(difference) == case.truth.collector


def _is_kthread(case, difference):
    process = case.truth.processes.get(_pid(difference))
    return process is not None and process.is_kthread


def _grew(difference, most=None):
    truth, found = difference.truth, difference.found
    if not isinstance(truth, int) or not isinstance(found, int):
        return False
    return truth <= found and (most is None or found - truth <= most)


def _near(difference, most):
    truth, found = difference.truth, difference.found
    return isinstance(truth, int) and isinstance(found, int) and abs(found - truth) <= most


# --- the collector ---

@rule("collector-sleeps", "the collector ran while it read its own state, and sleeps when it is done",
      ("processes", "threads"), columns=("state",))
def _(case, d):
    return _is_collector(case, d) and (d.truth, d.found) == ("R", "S")


@rule("collector-works-on", "the collector used CPU time after it had read its own account of it",
      ("processes", "threads"), columns=("user_ticks", "system_ticks"))
def _(case, d):
    return _is_collector(case, d) and _grew(d, 3000)


@rule("collector-migrates", "the collector ran on another CPU after it had read its own state",
      ("threads",), columns=("cpu",))
def _(case, d):
    return _is_collector(case, d) and d.found in range(len(case.truth.cpus))


@rule("collector-grows", "the collector's heap grew after it had read its own size",
      ("processes",), columns=("resident_size", "total_size"))
def _(case, d):
    return _is_collector(case, d) and _near(d, 16 * MIB)


@rule("collector-heap", "the collector's heap grew after it had read its own mappings",
      ("process_memory_map",), kinds=(WRONG, MISSING, INVENTED), columns=("end",))
def _(case, d):
    return _is_collector(case, d) and (d.row or d.expected)["path"] in ("[heap]", "")


@rule("collector-pages", "the collector touched and freed memory after it had read its own page map",
      ("process_page_map",), kinds=(WRONG, MISSING, INVENTED), columns=("end_va", "start_pa"))
def _(case, d):
    return _is_collector(case, d)


@rule("collector-descriptors", "what the collector had open of /proc and /sys while it listed itself",
      ("process_open_files",), kinds=(MISSING,))
def _(case, d):
    return _is_collector(case, d) and d.expected["path"].startswith(("/proc", "/sys"))


# --- what moves by itself ---

@rule("kworker-comes-or-goes", "workqueues make and end kernel threads as they need them",
      TASK_TABLES, kinds=(MISSING, INVENTED))
def _(case, d):
    if d.kind == MISSING:
        return d.expected.get("_process") is not None and d.expected["_process"].is_kworker
    row = case.database.processes.get(d.row["pid"], {})
    return row.get("is_kthread") == 1 and (row.get("name") or "").startswith("kworker/")


@rule("ext4lazyinit-ends", "ext4 ends the thread that prepares a fresh mount when it has done so",
      TASK_TABLES, kinds=(MISSING,))
def _(_case, d):
    process = d.expected["_process"]
    return process.is_kthread and process.comm == b"ext4lazyinit"


@rule("kworker-works", "the work that a kernel worker does, or did last, is part of its name",
      ("processes", "threads"), columns=("name",))
def _(case, d):
    process = case.truth.processes[_pid(d)]
    return process.is_kworker and re.split("[-+]", d.truth)[0] == re.split("[-+]", d.found)[0]


@rule("kthread-runs", "kernel threads run on: state, place and counters are those of a later moment",
      ("processes", "threads"), columns=("state", "cpu", "user_ticks", "system_ticks",
                                         "disk_bytes_read", "disk_bytes_written"))
def _(case, d):
    if not _is_kthread(case, d):
        return False
    if d.column == "state":
        return d.truth in "RSDI" and d.found in "RSDI"
    if d.column == "cpu":
        return d.found in range(len(case.truth.cpus))
    return _grew(d, 1000 if d.column.endswith("ticks") else 64 * PAGE)


@rule("spinner-runs", "the one process that never rests uses CPU time until the machine is stopped",
      ("processes", "threads"), columns=("user_ticks", "system_ticks"))
def _(case, d):
    process = case.truth.processes[_pid(d)]
    return process.comm == b"spinner" and process.stat.state == "R" and _grew(d, 1000)


@rule("poller-runs", "the thread of an io_uring that polls uses CPU time until the machine is stopped",
      ("processes", "threads"), columns=("user_ticks", "system_ticks"))
def _(case, d):
    pollers = [thread for thread in case.truth.processes[_pid(d)].tasks
               if thread.comm.startswith(b"iou-sqp-") and thread.stat.state == "R"]
    return bool(pollers) and _grew(d, 1000)


@rule("counters-run", "packets came and went after the counters were read",
      ("interface_details",), columns=("ipackets", "opackets", "ibytes", "obytes", "idrops"))
def _(case, d):
    return _grew(d, 64 * 1024 if d.column.endswith("bytes") else 100)


@rule("rules-count", "packets came and went after the counters of the firewall were read",
      ("iptables",), columns=("packets", "bytes"))
def _(_case, d):
    return _grew(d, 64 * 1024 if d.column == "bytes" else 100)


@rule("clock-runs", "the clock ran from the end of the collection to the stop",
      ("time", "uptime"), columns=("unix_ns", "total_seconds"))
def _(case, d):
    return _grew(d, 30 if d.column == "total_seconds" else 30 * 10**9)


@rule("clock-ticks", "the kernel's clock is as old as its last tick, which idle CPUs leave out",
      ("time", "uptime"), columns=("unix_ns", "total_seconds"))
def _(case, d):
    return _near(d, 1 if d.column == "total_seconds" else 10**9)


@rule("clock-reading", "boot time is the difference of two clocks that were not read at one instant",
      ("time",), columns=("boot_ns",))
def _(case, d):
    return _near(d, 50_000_000)


@rule("memory-moves", "the guest's account of its memory moved on, and is spread over CPUs meanwhile",
      ("memory_info",), columns=("memory_free", "memory_available", "buffers", "cached", "active",
                                 "inactive", "swap_cached", "swap_free"))
def _(case, d):
    return _near(d, 8 * MIB)


@rule("load-moves", "the kernel averages the load every five seconds",
      ("load_average",), columns=("average",))
def _(_case, d):
    numbers = [re.fullmatch(r"\d+\.\d+", str(text)) for text in (d.truth, d.found)]
    return all(numbers) and abs(float(d.truth) - float(d.found)) < 1


@rule("data-unlisted", "only a symbol of data leads to the load, and to what settings are not of a namespace; "
      "5.10's types list no per-CPU data", ("coverage",), columns=("status", "reason"))
def _(case, d):
    return _no_data_symbols(case) and case.database.is_unlisted(d.row["table_name"])


@rule("per-cpu-unlisted", "without symbols of data, and types of per-CPU data, nothing tells what a CPU runs",
      ("atomicity",), columns=("is_evaluated",))
def _(case, d):
    # The account of each CPU's time is another such variable, and its coverage says so.
    return (_no_data_symbols(case) and case.database.is_unlisted("cpu_time")
            and d.row["invariant"] == "current_tasks")


@rule("cpus-work", "CPUs worked and idled on until the machine was stopped; to idle is counted when it ends",
      ("cpu_time",), columns=usage.CPU)
def _(_case, d):
    return _grew(d, 3000) or (d.column in ("idle", "iowait") and _near(d, 500))


@rule("handler-computes", "a handler that does more than print what is in memory: its value is not told",
      ("system_controls",), columns=("current_value",))
def _(_case, d):
    return d.found is None and d.row["type"] is None


@rule("control-moves", "the scheduler adjusts what it tells here",
      ("system_controls",), columns=("current_value",))
def _(_case, d):
    return d.row["name"].endswith(".max_newidle_lb_cost") and d.found is not None


@rule("entropy-gathers", "the kernel collects randomness all the time",
      ("system_controls",), columns=("current_value",))
def _(_case, d):
    return (d.row["name"] == "kernel.random.entropy_avail" and d.found is not None
            and 0 <= int(d.found) - int(d.truth) <= 64)


@rule("control-unlisted", "only a symbol of data leads to what is not of a namespace",
      ("system_controls",), kinds=(MISSING,))
def _(case, _d):
    return _no_data_symbols(case) and case.database.is_unlisted("system_controls")


@rule("control-unreadable", "reading this control gave an error",
      ("system_controls",), kinds=(INVENTED,))
def _(_case, d):
    return d.row["name"].endswith(".stable_secret")


@rule("device-unopened", "before 5.11 a block device that nobody has opened has no inode",
      ("block_devices",), kinds=(MISSING,))
def _(case, _d):
    return case.truth.version < (5, 11)


@rule("neighbours-age", "what is known of a neighbour that was learnt grows old, and is asked for again",
      ("arp_cache",), columns=("state",))
def _(_case, d):
    ages = ("reachable", "stale", "delay", "probe")
    return d.truth in ages and d.found in ages


@rule("log-goes-on", "the kernel and the collector wrote records after the log was read",
      ("dmesg",), kinds=(INVENTED,))
def _(case, d):
    return d.row["seq"] > max(row["seq"] for row in kernel_log.COMPARISONS[0].expected(case))


# --- what /proc and the database define differently ---

@rule("mount-below-root", "mountinfo leaves out what lies under the root of the process that it shows",
      ("mounts",), kinds=(INVENTED,))
def _(case, d):
    namespace = d.row["mount_namespace"]
    parents = {row["mount_id"]: row["parent_id"] for row in case.database.rows("mounts")
               if row["mount_namespace"] == namespace}
    below = {int(line.split()[1]) for line in case.truth.lines(f"mntns/{namespace}/mountinfo")}
    while not {parents.get(mount) for mount in below} <= below | {None}:
        below |= {parents.get(mount) for mount in below}
    return d.row["mount_id"] in below


@rule("pidfd-mode", "stat hides the type bits of a pidfd's inode, which are those of a regular file",
      ("process_open_files",), columns=("mode",))
def _(_case, d):
    return d.expected["path"] == "anon_inode:[pidfd]" and d.found == d.truth | 0o100000


def _no_module_types(case):
    """Before 5.11, or in a kernel without BTF, whose types come from its debug information."""
    types = case.database.rows("run")[0]["types_source"] or ""
    return case.truth.version < (5, 11) or types.startswith("DWARF")


@rule("addresses-unshown", "6.1 without kallsyms shows the addresses of modules to nobody: kallsyms_show_value()",
      ("kernel_modules",), columns=("address",))
def _(case, d):
    return _no_kallsyms(case) and int(d.truth, 16) == 0


@rule("no-module-types", "modules that carry no types: counters that lie in drivers stay unknown",
      ("interface_details",), columns=net.COUNTERS)
def _(case, d):
    is_in_driver = d.row["kind"] == "veth" or d.row["driver"] == "virtio_net"
    return _no_module_types(case) and is_in_driver and d.found is None and d.row["stats_source"] is None


def _no_kallsyms(case):
    return (case.database.rows("run")[0]["symbols_source"] or "").startswith("deduced")


def _no_data_symbols(case):
    return "deduced" in (case.database.one("run").get("symbols_source") or "")


@rule("no-function-names", "without kallsyms it is not known which function counts a device's packets",
      ("interface_details",), columns=net.COUNTERS)
def _(case, d):
    return _no_kallsyms(case) and d.found is None and d.row["stats_source"] is None


@rule("no-swap-cache", "before 5.12 the size of the swap cache is known by a symbol of data only",
      ("memory_info",), columns=("cached", "swap_cached"))
def _(case, d):
    return _no_data_symbols(case) and case.truth.version < (5, 12) and d.found is None


@rule("no-arm64-topology", "on arm64 a symbol of data only tells which CPUs share a core or a package",
      ("system_info", "cpu_info"), columns=("cpu_physical_cores", "cpu_sockets", "number_of_cores"))
def _(case, d):
    return _no_data_symbols(case) and case.truth.uname["machine"] == "aarch64" and d.found is None


@rule("listen-backlog", "for LISTEN /proc prints 0, the column has the longest backlog, as ss shows it",
      ("sockets", "process_open_sockets"), columns=("tx_queue",))
def _(case, d):
    state = d.expected.get("_socket", d.expected).get("state")
    return state == "LISTEN" and d.truth == 0 and _grew(d, 65535)


@rule("netlink-listens", "the kernel announced something to a netlink socket after its queue was read",
      ("sockets", "process_open_sockets"), columns=("rx_queue",))
def _(_case, d):
    return d.row["family"] == 16 and _grew(d, 16 * 1024)
