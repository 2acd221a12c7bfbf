# SPDX-License-Identifier: LGPL-2.1-or-later
"""threads: every /proc/PID/task/TID."""

from engine import Comparison
from processes import lifecycle, with_times
from text import database_text

# include/uapi/linux/sched.h
POLICIES = {0: "normal", 1: "fifo", 2: "rr", 3: "batch", 5: "idle", 6: "deadline", 7: "ext"}


def _row(process, task):
    stat = task.stat
    dead_leader = process.is_dead_leader and task.tid == process.pid
    life, phase = lifecycle(task.is_dead, dead_leader)
    return {
        "_process": process, "_task": task, "pid": process.pid, "tid": task.tid,
        "name": database_text(task.comm), "state": stat.state, "lifecycle": life, "phase": phase,
        "cpu": stat[39], "flags": stat.flags, "priority": stat[18], "nice": stat[19],
        "policy": POLICIES.get(stat[41], str(stat[41])), "user_ticks": stat[14],
        "system_ticks": stat[15], "start_ticks": stat[22],
        "found_by": "tasks",
    }


def _expected(case):
    for process in case.truth.processes.values():
        for task in process.tasks:
            yield _row(process, task)


COMPARISONS = [Comparison(
    "threads", ("pid", "tid"), _expected,
    lambda case: list(with_times(case, case.database.rows("threads"))),
    untold={
        "start_ns": "compared in ticks of 10 ms after time.boot_ns, as /proc/PID/stat has it",
        "user_time": "compared in ticks of 10 ms", "system_time": "compared in ticks of 10 ms",
        "task_addr": "relations: unique, the process's own for the leader",
        "stack_addr": "relations: NULL exactly for the settled dead",
    })]
