# SPDX-License-Identifier: LGPL-2.1-or-later
"""process_open_files: every descriptor of every /proc/PID/fd."""

import re
import stat

from engine import Comparison
from text import database_text, split_deleted

O_CLOEXEC = 0o2000000
_KINDS = {
    stat.S_IFREG: "regular", stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFCHR: "char",
    stat.S_IFBLK: "block", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket",
}
_NAMESPACE = re.compile(rb"(cgroup|ipc|mnt|net|pid|user|uts|time)(_for_children)?:\[\d+\]$")


def kind(descriptor):
    """The column type."""
    link = descriptor.link
    if link.startswith(b"/memfd:"):
        return "memfd"
    if link.startswith(b"anon_inode:"):
        return "anon_inode"
    if link.startswith(b"pipe:["):
        return "pipe"
    if _NAMESPACE.match(link):
        return "namespace"
    return _KINDS.get(stat.S_IFMT(descriptor.mode), "other")


def deleted(descriptor):
    """The column deleted: the link count decides where the collector noted it, else the name."""
    if not descriptor.link.startswith(b"/"):
        return None
    if descriptor.links is not None and not split_deleted(descriptor.link)[1]:
        return 0
    return int(split_deleted(descriptor.link)[1] and descriptor.links in (None, 0))


def _row(process, descriptor):
    row = {
        "_process": process, "_descriptor": descriptor, "pid": process.pid, "fd": descriptor.fd,
        "path": database_text(descriptor.link), "type": kind(descriptor), "mode": descriptor.mode,
        "inode": descriptor.inode, "device": descriptor.device, "size": descriptor.size,
        "deleted": deleted(descriptor),
    }
    if descriptor.flags is not None:
        row |= {"flags": descriptor.flags, "cloexec": int(bool(descriptor.flags & O_CLOEXEC)),
                "position": descriptor.position}
    return row


def _expected(case):
    for process in case.truth.processes.values():
        for descriptor in process.descriptors:
            yield _row(process, descriptor)


COMPARISONS = [Comparison(
    "process_open_files", ("pid", "fd"), _expected,
    untold={"file_addr": "relations: in the kernel half", "task_addr": "relations: the process's"}
    | dict.fromkeys(("uid", "gid", "atime_ns", "mtime_ns", "ctime_ns"),
                    "relations: of files that the workload made"))]
