# SPDX-License-Identifier: LGPL-2.1-or-later
"""mounts: every line of the mountinfo of every mount namespace."""

from engine import Comparison, OneOf
from text import database_text, unescape_proc

# What the kernel prints for a super block before the file system's own options (fs/proc_namespace.c).
GENERIC = ("ro", "rw", "sync", "dirsync", "mand", "lazytime")


def _number(device):
    """MM:mm of mountinfo is decimal."""
    return ":".join(f"{int(part):02x}" for part in device.split(":"))


# Columns in the order of the collector's statfs lines, after the mount's id.
SIZES = ("blocks_size", "blocks", "blocks_free", "blocks_available", "inodes", "inodes_free")
# File systems that are all in memory; of others the kernel keeps no numbers that are worth reading.
IN_MEMORY = ("tmpfs", "devtmpfs", "rootfs")


def _sizes(truth, namespace):
    """{mount id: {column: value}} of statfs, where the collector asked."""
    found = {}
    for line in truth.lines(f"mntns/{namespace}/statfs"):
        mount_id, *values = (int(field) for field in line.split(b"\t"))
        found[mount_id] = dict(zip(SIZES, values))
    return found


def _size_columns(kind, sizes):
    if kind in IN_MEMORY:
        return sizes
    return {c: v if c == "blocks_size" else OneOf(None, v) for c, v in sizes.items()}


def _row(namespace, line, sizes):
    left, right = line.split(b" - ", 1)
    mount_id, parent, device, root, point, options = left.split(b" ")[:6]
    kind, source, super_options = right.split(b" ", 2)
    source = database_text(unescape_proc(source))
    kind = database_text(unescape_proc(kind))
    return {
        "device": source, "device_alias": source, "path": database_text(unescape_proc(point)),
        "type": kind, "flags": options.decode(),
        "mount_namespace": namespace, "mount_id": int(mount_id), "parent_id": int(parent),
        "root": database_text(unescape_proc(root)), "device_number": _number(device.decode()),
        "super_options": ",".join(o for o in super_options.decode().split(",") if o in GENERIC),
        **_size_columns(kind, sizes.get(int(mount_id), {})),
    }


def _expected(case):
    for namespace in case.truth.entries("mntns"):
        sizes = _sizes(case.truth, namespace)
        for line in case.truth.lines(f"mntns/{namespace}/mountinfo"):
            yield _row(namespace, line, sizes)


COMPARISONS = [Comparison(
    "mounts", ("mount_namespace", "mount_id"), _expected,
    untold={column: "compared where the collector asked statfs()" for column in SIZES}
    | {"mount_addr": "relations: unique"})]
