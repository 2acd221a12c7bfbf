# SPDX-License-Identifier: LGPL-2.1-or-later
"""process_envs: every string of every /proc/PID/environ."""

from engine import Comparison
from processes import arguments
from text import database_text


def _expected(case):
    for process in case.truth.processes.values():
        for text in filter(None, arguments(process.living_file("environ"))):
            key, _, value = text.partition(b"=")
            yield {"_process": process, "pid": process.pid, "key": database_text(key),
                   "value": database_text(value)}


COMPARISONS = [Comparison(
    "process_envs", ("pid", "key"), _expected,
    untold={"task_addr": "relations: the process's"})]
