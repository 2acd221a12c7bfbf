# SPDX-License-Identifier: LGPL-2.1-or-later
"""process_namespaces: the links of every /proc/PID/ns; a dead leader's are those of a living thread."""

import re

from engine import Comparison

KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts", "time")


def inode(link):
    """The number in kind:[number], as text; None for no link."""
    match = re.search(rb"\[(\d+)\]$", link or b"")
    return match.group(1).decode() if match else None


def _expected(case):
    for process in case.truth.processes.values():
        yield {"_process": process, "pid": process.pid} | {
            f"{kind}_namespace": inode(process.living_links.get(f"ns/{kind}")) for kind in KINDS}


COMPARISONS = [Comparison(
    "process_namespaces", ("pid",), _expected,
    untold={"task_addr": "relations: the process's"})]
