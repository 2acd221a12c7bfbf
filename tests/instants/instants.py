# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every instant that is caught: where the kernel stands, which task it is about, and what must be said of it.

The order in a scenario is that of the kernel: copy_process(), begin_new_exec() and load_elf_binary(),
do_exit(). A register that names the task is the truth; where none does, it is what runs on that CPU,
or the task that an earlier instant was about."""

from dataclasses import dataclass, field
from typing import Callable

PF_IO_WORKER, PF_KTHREAD = 0x10, 0x200000
PLAINLY_ALIVE = {("live", None), ("live", "N5")}


@dataclass(frozen=True)
class Instant:
    """One stop and its expectation."""

    phase: str  # of the table: the phase of the life-cycle, or "-" for the plainly alive
    functions: tuple  # the kernel's function that is about to run, under its names
    who: str  # arg0, arg1, current; or "=NAME": any of them, if it is the task remembered under NAME
    life: str = ""  # expected class
    shown: tuple = ()  # expected phases, if they are not the phase of the table; None: none
    comm: str = ""  # only where the task has this name
    flags: int = 0  # only where the task has these
    keep: str = ""  # remember the task under this name
    about: str = ""  # the instant is about the task remembered under this name
    evidence: tuple = ()  # parts of what must be given as evidence
    missing: str = ""  # part of what must be said to be missing
    null: tuple = ()  # columns of processes that must be NULL
    others: dict = field(default_factory=dict)  # {name: {(class, phase), ...}} of tasks that are not plainly alive, too
    listed: bool = True  # else it is found outside the task list, or not at all
    unless: Callable = None  # not on a kernel of which this is true
    says: str = ""  # a remark for the table

    @property
    def phases(self):
        """What the column phase may hold."""
        return self.shown or (self.phase,)


def old_core(machine):
    """Until 5.15, threads wait for a core dump inside exit_mm(), as dying tasks."""
    return machine.has("mm_struct", "core_state")


def new_core(machine):
    return not old_core(machine)


def before_6(machine):
    """A helper of the kernel is a kernel thread until its exec (until 5.18), and the exit of a lone thread, or of
    all, marks no group (until 5.17)."""
    return machine.kernel.release.startswith("5.")


def since_6(machine):
    return not before_6(machine)


# Whoever forked without an exec is young for a second: N5 says so of what is plainly alive.
PLAIN = (None, "N5")


# A task that is on its way out meanwhile, on the other CPU.
DOOMED = PLAINLY_ALIVE | {
    ("live", "D0"), ("live", "D0c"), ("dying", "D1"), ("dying", "D2"), ("as-good-as-dead", "D3"),
    ("as-good-as-dead", "D4"), ("zombie", "Z1"), ("zombie", "Z2"), ("zombie", "X1"), ("zombie", "leader"),
}


def live(functions, who, phase="-", **more):
    """A task of which nothing is missing."""
    return Instant(phase, functions, who, "live", PLAIN if phase == "-" else (), **more)


NAMESPACES = ("exit_task_namespaces", "exit_nsproxy_namespaces")
CGROUP = ("cgroup_exit", "cgroup_task_exit")
PREEMPT = ("wakeup_preempt", "check_preempt_curr")
PARENTS = "parent's"
NOTHING_LEFT = ("path", "cmdline", "cwd", "root", "resident_size", "total_size", "mm_addr")


def death(comm, **more):
    """do_exit() of a task that keeps its zombie."""
    return (
        live(("do_exit",), "current", "D0", comm=comm, keep="it", evidence=("signal.flags=0x4",), unless=before_6, **more),
        live(("do_exit",), "current", comm=comm, keep="it", unless=since_6, **more),
        Instant("D1", ("taskstats_exit",), "=it", "dying", evidence=("flags=0x", "files=0xff"), **more),
        Instant("D2", ("exit_mmap",), "=it", "dying", evidence=("mm=0x0",), missing="memory", says="in mmput()", **more),
        Instant("D2", ("exit_sem",), "=it", "dying", evidence=("mm=0x0",), missing="memory",
                null=("path", "cmdline", "resident_size", "mm_addr"), **more),
        Instant("D3", ("exit_fs",), "=it", "as-good-as-dead", evidence=("files=0x0",), missing="files", **more),
        Instant("D4", NAMESPACES, "=it", "as-good-as-dead", evidence=("fs=0x0",), null=NOTHING_LEFT, **more),
        Instant("D4", ("____fput", "__fput"), "=it", "as-good-as-dead", evidence=("fs=0x0",), says="in exit_task_work()", **more),
        Instant("D4", CGROUP, "=it", "as-good-as-dead", missing="directories", **more),
    )


FORK = (
    Instant("N0", ("copy_creds",), "arg0", "fresh", comm="i-fork", keep="it", listed=False),
    Instant("N1", ("cgroup_can_fork",), "=it", "fresh", listed=False, missing="memory"),
    Instant("N2", ("cgroup_post_fork",), "=it", "fresh", evidence=("state=0x800",), missing=PARENTS,
            null=("cgroup_path",)),
    Instant("N3", ("wake_up_new_task",), "=it", "fresh", evidence=("state=0x800",), missing=PARENTS),
    Instant("N4", PREEMPT, "=it", "fresh", evidence=("on_rq=1",), missing=PARENTS),
    Instant("N5", ("__x64_sys_getpgid",), "=it", "live", PLAIN),
    *death("i-kid"),
    Instant("Z1", ("proc_exit_connector",), "=it", "zombie", evidence=("exit_state=0x20", "on_cpu=1"), null=NOTHING_LEFT),
    Instant("Z2", ("kernel_wait4",), "current", "zombie", comm="i-fork", about="it", evidence=("exit_state=0x20", "state=0x80"),
            missing="kernel stack", null=NOTHING_LEFT, says="the child of what runs"),
    Instant("X1", ("release_task",), "=it", "zombie", evidence=("exit_state=0x10",)),
    Instant("X2", ("proc_flush_pid",), "current", "zombie", comm="i-fork", about="it", listed=False,
            says="the child of what runs"),
    Instant("X3", ("delayed_put_task_struct",), "=it", "zombie", ("X2",), listed=False, others={"i-fork": DOOMED}),
)

EXEC = (
    live(("begin_new_exec",), "current", "E1", comm="i-kid", keep="it", evidence=("in_execve=1",)),
    Instant("E2", ("__set_task_comm",), "=it", "fresh", evidence=("arg_start=0x0",), missing="name",
            null=("cmdline", "argv")),
    Instant("E2", ("setup_new_exec",), "=it", "fresh", evidence=("arg_start=0x0",), null=("cmdline", "argv")),
    Instant("E3", ("vm_mmap_pgoff",), "=it", "fresh", evidence=("arg_end=0x0",), null=("cmdline", "argv")),
    Instant("E4", ("arch_setup_additional_pages",), "=it", "fresh", evidence=("arg_end=0x0", "start_code=0x0"),
            null=("cmdline", "argv")),
    live(("finalize_exec",), "=it", "E5", evidence=("in_execve=1",)),
    live(("__x64_sys_getpgid",), "=it"),
)

# A parent that does not wait may be gone as soon as its child is.
UNHEEDING = {"i-autoreap": DOOMED}
AUTOREAP = (
    Instant("D1", ("taskstats_exit",), "arg0", "dying", comm="i-kid", keep="it"),
    Instant("X1", ("release_task",), "=it", "zombie", evidence=("exit_state=0x10", "on_cpu=1"), others=UNHEEDING),
    Instant("X2", ("proc_exit_connector",), "=it", "zombie", listed=False, others=UNHEEDING),
)

KILLED = (
    live(("do_group_exit",), "current", "D0", comm="i-kid", keep="it", evidence=("signal.flags=0x4",)),
    Instant("D1", ("taskstats_exit",), "=it", "dying"),
    Instant("Z1", ("proc_exit_connector",), "=it", "zombie"),
)

LEADER = {"i-leader": {("zombie", "leader")}}
THREADS = (
    live(("do_exit",), "current", comm="i-leader", keep="leader"),
    Instant("D2", ("exit_sem",), "=leader", "dying", says="the leader, its thread lives"),
    Instant("D4", CGROUP, "=leader", "as-good-as-dead", says="the leader, its thread lives"),
    Instant("leader", ("proc_exit_connector",), "=leader", "zombie", missing="live thread"),
    live(("__x64_sys_getpgid",), "current", comm="i-alive", keep="thread", others=LEADER, says="the thread that lives"),
    Instant("D3", ("exit_fs",), "=thread", "as-good-as-dead", others=LEADER, says="the last thread"),
    Instant("X1", ("release_task",), "=thread", "zombie", says="the last thread",
            others={"i-leader": {("zombie", "Z2")}}),
)

MTEXEC = (
    live(("begin_new_exec",), "current", "E1", comm="i-exec", keep="it"),
    Instant("X1", ("release_task",), "arg0", "zombie", comm="i-leader", says="the old leader, in de_thread()",
            others={"i-exec": {("live", "E1"), ("live", "D0")}}),
    Instant("E2", ("setup_new_exec",), "=it", "fresh", says="a thread that became the leader"),
    live(("__x64_sys_getpgid",), "=it"),
)

DUMPER = {"i-crash": {("live", "D0")}}
CORE = (
    live(("elf_core_dump",), "current", "D0", comm="i-crash", keep="it", unless=old_core,
         others={"i-leader": {("live", "D0c")}, "i-idle": {("live", "D0c")}}),
    live(("elf_core_dump",), "current", "D0", comm="i-crash", keep="it", unless=new_core,
         others={"i-leader": {("dying", "D1")}, "i-idle": {("dying", "D1")}}),
    Instant("D1", ("taskstats_exit",), "=it", "dying",
            others={"i-leader": DOOMED, "i-idle": DOOMED}),
)

VFORKED = (
    Instant("N5", ("__x64_sys_getpgid",), "current", "live", PLAIN, comm="i-kid", keep="it"),
    Instant("D1", ("taskstats_exit",), "=it", "dying"),
    Instant("D2", ("exit_sem",), "=it", "dying", evidence=("mm=0x0",)),
    Instant("Z1", ("proc_exit_connector",), "=it", "zombie"),
)

TRACED = (
    Instant("Z1", ("proc_exit_connector",), "arg0", "zombie", comm="i-kid", keep="it"),
    Instant("X1", ("__ptrace_unlink",), "=it", "zombie", evidence=("exit_state=0x30",), says="EXIT_TRACE"),
    Instant("X1", ("release_task",), "=it", "zombie", evidence=("exit_state=0x10",)),
)

UMH = (
    live(("call_usermodehelper_exec_async",), "current", keep="it", unless=since_6, says="a kernel thread"),
    Instant("N5", ("call_usermodehelper_exec_async",), "current", "live", PLAIN, keep="it", unless=before_6,
            says="without memory"),
    live(("begin_new_exec",), "=it", "E1", says="without memory"),
    Instant("E2", ("setup_new_exec",), "=it", "fresh"),
    Instant("E4", ("arch_setup_additional_pages",), "=it", "fresh"),
    Instant("D1", ("taskstats_exit",), "=it", "dying"),
    Instant("X1", ("release_task",), "=it", "zombie", evidence=("exit_state=0x10",)),
)

IOURING = (
    Instant("N3", ("wake_up_new_task",), "arg0", "fresh", comm="i-iouring", flags=PF_IO_WORKER, keep="it"),
    Instant("D1", ("taskstats_exit",), "=it", "dying", others={"i-iouring": DOOMED}),
    Instant("X1", ("release_task",), "=it", "zombie", others={"i-iouring": DOOMED}),
)

# The threads that rescue a workqueue of ext4 and that fill its tables end at the same time.
RESCUER = {name: DOOMED for name in ("ext4lazyinit", "ext4-rsv-conver", "ext4-rsv-conversion", "kworker/R-ext4-", "kworker/R-ext4-rsv-conversion")}
KTHREAD = (
    Instant("N3", ("wake_up_new_task",), "arg0", "fresh", flags=PF_KTHREAD, keep="new", missing="run times"),
    live(("do_exit", "kthread_do_exit"), "current", comm="jbd2/vda-8", keep="it", others=RESCUER),
    Instant("D1", ("taskstats_exit",), "=it", "dying", evidence=("mm=0x0",), others=RESCUER),
    Instant("D3", ("exit_fs",), "=it", "as-good-as-dead", others=RESCUER),
    Instant("D4", CGROUP, "=it", "as-good-as-dead", others=RESCUER),
    Instant("X1", ("release_task",), "=it", "zombie", evidence=("exit_state=0x10",), others=RESCUER),
    Instant("X2", ("proc_exit_connector",), "=it", "zombie", listed=False, others=RESCUER),
)

SCENARIOS = {
    "fork": FORK,
    "exec": EXEC,
    "autoreap": AUTOREAP,
    "killed": KILLED,
    "threads": THREADS,
    "mtexec": MTEXEC,
    "core": CORE,
    "vforked": VFORKED,
    "traced": TRACED,
    "umh": UMH,
    "iouring": IOURING,
    "kthread": KTHREAD,
}

# What the quick test catches: one instant of each class.
QUICK = {"fork": ("N3", "N4", "D1", "D2", "D3", "D4", "Z1", "X1"), "exec": ("E1", "E2", "E4")}


def symbols():
    """Every symbol that the guest is asked for."""
    names = {"current_task", "pcpu_hot"}
    for instants in SCENARIOS.values():
        names.update(name for instant in instants for name in instant.functions)
    return names
