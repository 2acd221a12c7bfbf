# SPDX-License-Identifier: LGPL-2.1-or-later
"""mounts: every line of the mountinfo of every mount namespace."""

from engine import Comparison
from text import database_text, unescape_proc

# What the kernel prints for a super block before the file system's own options (fs/proc_namespace.c).
GENERIC = ("ro", "rw", "sync", "dirsync", "mand", "lazytime")


def _number(device):
    """MM:mm of mountinfo is decimal."""
    return ":".join(f"{int(part):02x}" for part in device.split(":"))


def _row(namespace, line):
    left, right = line.split(b" - ", 1)
    mount_id, parent, device, root, point, options = left.split(b" ")[:6]
    kind, source, super_options = right.split(b" ", 2)
    source = database_text(unescape_proc(source))
    return {
        "device": source, "device_alias": source, "path": database_text(unescape_proc(point)),
        "type": database_text(unescape_proc(kind)), "flags": options.decode(),
        "mount_namespace": namespace, "mount_id": int(mount_id), "parent_id": int(parent),
        "root": database_text(unescape_proc(root)), "device_number": _number(device.decode()),
        "super_options": ",".join(o for o in super_options.decode().split(",") if o in GENERIC),
    }


def _expected(case):
    for namespace in case.truth.entries("mntns"):
        for line in case.truth.lines(f"mntns/{namespace}/mountinfo"):
            yield _row(namespace, line)


STATFS = "the collector does not ask statfs()"

COMPARISONS = [Comparison(
    "mounts", ("mount_namespace", "mount_id"), _expected,
    untold={column: STATFS for column in (
        "blocks_size", "blocks", "blocks_free", "blocks_available", "inodes", "inodes_free")}
    | {"mount_addr": "relations: unique"})]
