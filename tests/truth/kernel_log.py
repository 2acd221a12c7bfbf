# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmesg: every record of /dev/kmsg."""

import re

from engine import Comparison
from text import database_text, unescape_collector

HEAD = re.compile(rb"(\d+),(\d+),(\d+),[^;]*;(.*)")


class Truncated:
    """A number of which the truth knows thousands."""

    def __init__(self, thousands):
        self.thousands = thousands

    def __eq__(self, other):
        return isinstance(other, int) and other // 1000 == self.thousands

    def __repr__(self):
        return f"{self.thousands} thousand"


def _records(truth):
    """The lines of each record: its head and text, then KEY=VALUE behind a blank."""
    records = []
    for line in truth.lines("sys/kmsg"):
        if line.startswith(b" "):
            records[-1].append(line)
        else:
            records.append([line])
    return records


def _row(record):
    priority, seq, microseconds, text = HEAD.fullmatch(record[0]).groups()
    about = dict(line[1:].split(b"=", 1) for line in record[1:])
    return {
        "seq": int(seq), "facility": int(priority) >> 3, "priority": int(priority) & 7,
        "timestamp_ns": Truncated(int(microseconds)), "message": database_text(unescape_collector(text)),
        "subsystem": about[b"SUBSYSTEM"].decode() if b"SUBSYSTEM" in about else None,
        "device": about[b"DEVICE"].decode() if b"DEVICE" in about else None,
        "state": "finalized",
    }


def _expected(case):
    last = None
    for record in _records(case.truth):
        row = _row(record)
        # Collecting once more continues where the records ended.
        if last is None or row["seq"] > last:
            last = row["seq"]
            yield row


COMPARISONS = [Comparison("dmesg", ("seq",), _expected, untold={
    "time": "relations: boot and timestamp_ns", "caller": "shown by kernels with PRINTK_CALLER only",
    "info_addr": "relations: in the kernel half"})]
