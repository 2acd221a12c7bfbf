# SPDX-License-Identifier: LGPL-2.1-or-later
"""load_average, cpu_time and shared_memory: how the guest's CPUs and its shared memory were used."""

import re

from engine import Comparison

CPU = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
SHM_DEST, SHM_LOCKED = 0o1000, 0o2000


class Rounded(str):
    """A decimal fraction of which the truth knows two digits."""

    def __eq__(self, other):
        return re.fullmatch(r"\d+\.\d+", str(other)) is not None and abs(float(self) - float(other)) < 0.006

    __hash__ = str.__hash__


def _load_average(case):
    if case.database.is_unlisted("load_average"):
        return []  # the rule data-unlisted says where that may be
    numbers = case.truth.line("sys/loadavg").split()
    return [{"period": period, "average": Rounded(number)}
            for period, number in zip(("1m", "5m", "15m"), numbers)]


def _cpu_time(case):
    if case.database.is_unlisted("cpu_time"):
        return  # the rule data-unlisted says where that may be
    for line in case.truth.lines("sys/stat"):
        name, *ticks = line.split()
        if name.startswith(b"cpu") and name != b"cpu":
            yield {"core": int(name[3:]), **dict(zip(CPU, map(int, ticks)))}


def _segment(namespace, heading, line):
    told = dict(zip(heading, line.split()))
    mode = int(told[b"perms"], 8)
    return {
        "shmid": int(told[b"shmid"]), "key": int(told[b"key"]), "size": int(told[b"size"]),
        "owner_uid": int(told[b"uid"]), "creator_uid": int(told[b"cuid"]),
        "owner_gid": int(told[b"gid"]), "creator_gid": int(told[b"cgid"]),
        "pid": int(told[b"lpid"]), "creator_pid": int(told[b"cpid"]),
        "atime": int(told[b"atime"]), "dtime": int(told[b"dtime"]), "ctime": int(told[b"ctime"]),
        "permissions": f"{mode:04o}", "attached": int(told[b"nattch"]),
        "status": "dest" if mode & SHM_DEST else "", "locked": int(bool(mode & SHM_LOCKED)),
        # ipc/shm.c gives the file's inode the number of the segment.
        "inode": int(told[b"shmid"]), "ipc_namespace": namespace,
    }


def _shared_memory(case):
    for namespace in case.truth.entries("ipcns"):
        heading, *lines = case.truth.lines(f"ipcns/{namespace}/shm")
        yield from (_segment(namespace, heading.split(), line) for line in lines)


COMPARISONS = [
    Comparison("load_average", ("period",), _load_average, may_be_empty=True),
    Comparison("cpu_time", ("core",), _cpu_time, may_be_empty=True),
    Comparison("shared_memory", ("ipc_namespace", "shmid"), _shared_memory,
               untold={"segment_addr": "relations: in the kernel half"}),
]
