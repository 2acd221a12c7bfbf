# SPDX-License-Identifier: LGPL-2.1-or-later
"""block_devices: /sys/block with its partitions."""

from engine import Comparison

def _mounted(truth):
    """{device as in mountinfo: type} of file systems."""
    found = {}
    for namespace in truth.entries("mntns"):
        for line in truth.lines(f"mntns/{namespace}/mountinfo"):
            left, right = line.split(b" - ", 1)
            found[left.split()[2].decode()] = right.split()[0].decode()
    return found


def _device(truth, folder, disk, name):
    number = truth.line(f"{folder}/dev")
    major, minor = (int(part) for part in number.split(":"))
    return {
        "name": f"/dev/{name}", "parent": "" if name == disk else f"/dev/{disk}",
        "size": int(truth.line(f"{folder}/size")), "device": f"{major:02x}:{minor:02x}",
        "block_size": int(truth.line(f"sys/block/{disk}/queue/logical_block_size")),
        "type": _mounted(truth).get(number), "vendor": None, "model": None, "serial": None, "label": None,
    }


def _expected(case):
    truth = case.truth
    for disk in truth.entries("sys/block"):
        yield _device(truth, f"sys/block/{disk}", disk, disk)
        for part in truth.entries(f"sys/block/{disk}"):
            if part.startswith(disk):
                yield _device(truth, f"sys/block/{disk}/{part}", disk, part)


COMPARISONS = [Comparison("block_devices", ("name",), _expected, untold={
    "uuid": "the collector has no tool that reads it from the disk",
    "device_addr": "relations: in the kernel half", "disk_addr": "relations: in the kernel half"})]
