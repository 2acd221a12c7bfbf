# SPDX-License-Identifier: LGPL-2.1-or-later
"""system_controls: every file below /proc/sys that could be read, as the collector's namespaces show it."""

from engine import Comparison
from text import database_text, unescape_collector

READABLE = 0o444


def _expected(case):
    for line in case.truth.lines("sys/sysctl"):
        path, value = line.split(b"\t", 1)
        name = database_text(path.replace(b"/", b"."))
        yield {
            "name": name, "oid": None, "subsystem": name.split(".")[0], "config_value": None,
            "current_value": database_text(unescape_collector(value).removesuffix(b"\n")),
        }


def _actual(case):
    """What a process of the first network namespace could read."""
    home = str(case.truth.home_network)
    return [row for row in case.database.rows("system_controls")
            if row["net_namespace"] in (None, home) and row["mode"] & READABLE]


COMPARISONS = [Comparison("system_controls", ("name",), _expected, _actual, untold={
    "type": "relations: there exactly where values are", "mode": "relations: permissions",
    "net_namespace": "relations: of networks only",
    "data_addr": "relations: in the kernel half", "table_addr": "relations: in the kernel half"})]
