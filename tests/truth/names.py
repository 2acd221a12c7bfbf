# SPDX-License-Identifier: LGPL-2.1-or-later
"""file: of the names that the kernel remembers, those that processes have open, as /proc/PID/fd shows them."""

import os
import stat

from engine import Comparison
from files import deleted
from text import database_text, unescape_proc

KINDS = {stat.S_IFREG: "regular", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFCHR: "character",
         stat.S_IFBLK: "block", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}
# Whose names are made up when somebody asks.
MADE_UP = (b"/proc/", b"/sys/", b"/dev/pts/", b"/dev/mqueue/")


def _sees_all(truth, process):
    """Whether a process has the first one's root and mounts: then so have its paths."""
    first = truth.processes[1].links
    own = process.living_links
    return all(own.get(name) == first[name] for name in ("root", "ns/mnt"))


def _device(text):
    major, minor = (int(part, 16) for part in text.split(":"))
    return os.makedev(major, minor)


def _covering(truth):
    """(mount point, device as descriptors have it) of the first process's mounts, the topmost first."""
    found = []
    for line in (truth.processes[1].raw("mountinfo") or b"").splitlines():
        _, _, device, _, point = line.split(b" ")[:5]
        major, minor = (int(part) for part in device.split(b":"))
        found.append((unescape_proc(point).rstrip(b"/") + b"/", f"{major:02x}:{minor:02x}"))
    return found[::-1]


def _is_covered(mounts, descriptor):
    """What was opened before something was mounted over it is no longer behind its path."""
    longest = max((point for point, _ in mounts if (descriptor.link + b"/").startswith(point)), key=len)
    return descriptor.device != next(device for point, device in mounts if point == longest)


def _row(descriptor):
    path = database_text(descriptor.link)
    is_link = stat.S_ISLNK(descriptor.mode)
    return ({} if is_link else {"symlink_target_path": None}) | {
        "path": path, "directory": os.path.dirname(path), "filename": os.path.basename(path),
        "inode": descriptor.inode, "device": _device(descriptor.device), "size": descriptor.size,
        "mode": f"{stat.S_IMODE(descriptor.mode):04o}", "type": KINDS[stat.S_IFMT(descriptor.mode)],
        "symlink": int(is_link), "hard_links": descriptor.links, "btime": None, "pid_with_namespace": 0,
    }


def _expected(case):
    truth, seen = case.truth, {}
    mounts = _covering(truth)
    for process in truth.processes.values():
        for descriptor in process.descriptors if _sees_all(truth, process) else ():
            link = descriptor.link
            if (link.startswith(b"/") and not link.startswith(MADE_UP) and deleted(descriptor) == 0
                    and not _is_covered(mounts, descriptor)):
                seen.setdefault(link, {"_process": process, **_row(descriptor)})
    return list(seen.values())


def _actual(case):
    known = {row["path"] for row in _expected(case)}
    return [row for row in case.database.rows("file") if row["path"] in known]


COMPARISONS = [Comparison("file", ("path",), _expected, _actual, untold={
    "block_size": "the collector does not ask", "fs_type": "relations: that of a mount",
    "mount_namespace_id": "relations: the first process's",
    "dentry_addr": "relations: in the kernel half", "inode_addr": "relations: in the kernel half"}
    | dict.fromkeys(("uid", "gid", "atime", "mtime", "ctime"), "relations: as of the same file's descriptors"))]
