# SPDX-License-Identifier: LGPL-2.1-or-later
"""The truth of a guest: what its own /proc and /sys said just before the machine was stopped."""

import functools
import io
import pathlib
import re
import subprocess
import tarfile

from text import split_deleted, unescape_collector, unescape_proc

TICK_NS = 10_000_000  # USER_HZ is 100 on x86

# include/linux/sched.h
PF_EXITING = 0x4
PF_WQ_WORKER = 0x20
PF_KTHREAD = 0x200000


def _read_folder(path):
    """The truth's files under truth/, the hypervisor's beside it under host/."""
    found = {}
    for folder, prefix in ((path, "truth/"), (path.resolve().parent / "host", "host/")):
        for file in folder.rglob("*"):
            if file.is_file():
                found[prefix + file.relative_to(folder).as_posix()] = file.read_bytes()
    return found


def _read_tar(path):
    if path.suffix == ".zst":
        packed = subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout
        archive = tarfile.open(fileobj=io.BytesIO(packed))
    else:
        archive = tarfile.open(path)
    with archive:
        return {m.name.removeprefix("./"): archive.extractfile(m).read()
                for m in archive if m.isfile()}


def load(path):
    """The Truth in a folder, a .tar or a .tar.zst of a guest's folder."""
    path = pathlib.Path(path)
    files = _read_folder(path) if path.is_dir() else _read_tar(path)
    if "truth/sys/clocks" not in files:
        raise ValueError(f"{path}: no sys/clocks: not a truth, or the collector did not get to its end")
    return Truth({name.removeprefix("truth/"): content for name, content in files.items()
                  if name.startswith("truth/")},
                 {name.removeprefix("host/"): content.decode(errors="replace")
                  for name, content in files.items() if name.startswith("host/")})


def tabbed(line):
    """{name: bytes} of a line of name=value fields separated by tabs."""
    return dict(field.split(b"=", 1) for field in line.split(b"\t") if b"=" in field)


class Truth:
    """All collected files by name, and what is asked of them more than once.

    host: files of the hypervisor's side by name; what it said of its CPUs is not from the guest."""

    def __init__(self, files, host=None):
        self.files, self.host = files, host or {}
        self.folders = {}
        for name in files:
            parts = name.split("/")
            for depth in range(1, len(parts)):
                self.folders.setdefault("/".join(parts[:depth]), set()).add(parts[depth])

    def raw(self, name):
        """Content of a file, or None if the guest did not have it."""
        return self.files.get(name)

    def line(self, name):
        """Content of a file of one line as text, without its newline; None if there is none."""
        content = self.files.get(name)
        return None if content is None else content.decode(errors="surrogateescape").rstrip("\n")

    def lines(self, name):
        """Lines of a file; none if the guest did not have it."""
        return (self.files.get(name) or b"").splitlines()

    def entries(self, folder):
        """Names in a folder, numbers by value."""
        def order(name):
            return (0, int(name), "") if name.isdigit() else (1, 0, name)
        return sorted(self.folders.get(folder, ()), key=order)

    @property
    def has_modules(self):
        """Whether the kernel was built with modules: others have no such file."""
        return self.raw("sys/modules") is not None

    @functools.cached_property
    def processes(self):
        """{pid: Process}; what vanished while it was collected is not in it."""
        found = {}
        for name in self.entries("proc"):
            if self.raw(f"proc/{name}/stat"):
                found[int(name)] = Process(self, int(name))
        return found

    @functools.cached_property
    def tasks(self):
        """{tid: Task} of all processes."""
        return {t.tid: t for p in self.processes.values() for t in p.tasks}

    @functools.cached_property
    def collector(self):
        """Process id of the collector itself: the one process that could not sit still."""
        found = [pid for pid, p in self.processes.items() if p.comm == b"collect"]
        if len(found) != 1:
            raise ValueError(f"{len(found)} collectors in the truth, not one")
        return found[0]

    def clock(self, name, file="sys/clocks"):
        """Nanoseconds of a clock at the end of the collection (or its start)."""
        for line in self.lines(file):
            key, value = line.split(b"\t")
            if key.decode() == name:
                seconds, fraction = value.split(b".")
                return int(seconds) * 10**9 + int(fraction)
        raise ValueError(f"{file} has no clock {name}")

    @functools.cached_property
    def uname(self):
        return dict(line.decode().split("\t", 1) for line in self.lines("sys/uname"))

    @functools.cached_property
    def page(self):
        """Bytes of a page: more than 4 KiB on some kernels of arm64."""
        told = re.search(rb"^KernelPageSize: +(\d+) kB$", self.files.get("proc/1/smaps", b""), re.M)
        return int(told.group(1)) << 10 if told else 4096

    @property
    def version(self):
        """(6, 12) of the kernel's release."""
        return tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", self.uname["release"]).groups())

    @functools.cached_property
    def meminfo(self):
        """{name: bytes} of /proc/meminfo; the lines in kB only."""
        found = {}
        for line in self.lines("sys/meminfo"):
            match = re.match(rb"(\S+):\s+(\d+) kB", line)
            if match:
                found[match.group(1).decode()] = int(match.group(2)) * 1024
        return found

    @functools.cached_property
    def cpus(self):
        """A {name: text} for each paragraph of /proc/cpuinfo."""
        return [dict(re.findall(r"^(\S[^\t:]*?)\s*: ?(.*)$", paragraph, re.M))
                for paragraph in (self.line("sys/cpuinfo") or "").split("\n\n") if paragraph]

    @functools.cached_property
    def networks(self):
        """Inode numbers of the network namespaces."""
        return [int(name) for name in self.entries("netns")]

    @functools.cached_property
    def home_network(self):
        """Inode number of the network namespace of the first process, which the collector shares."""
        return int(self.processes[1].links["ns/net"].split(b"[")[1][:-1])

    def links(self, network):
        """The interfaces of a network namespace, as {name: bytes} each."""
        return [tabbed(line) for line in self.lines(f"netns/{network}/links")]

    def link_name(self, network, ifindex):
        """Name of an interface by its index; None if the namespace has none such."""
        for link in self.links(network):
            if int(link[b"ifindex"]) == ifindex:
                return unescape_collector(link[b"name"])
        return None


class Stat:
    """The fields of a /proc/PID/stat, by the numbers of proc(5)."""

    def __init__(self, raw):
        # The name may hold anything, ") S 1" too: its end is the last parenthesis.
        self._fields = raw[raw.rindex(b")") + 2:].split()
        self.state = self._fields[0].decode()

    def __getitem__(self, number):
        return int(self._fields[number - 3])

    @property
    def flags(self):
        return self[9]


class Task:
    """One thread."""

    def __init__(self, truth, pid, tid):
        self.truth, self.pid, self.tid = truth, pid, tid
        self.folder = f"proc/{pid}/task/{tid}"
        self.stat = Stat(truth.raw(f"{self.folder}/stat"))

    @property
    def comm(self):
        raw = self.truth.raw(f"{self.folder}/comm")
        return raw[:-1] if raw.endswith(b"\n") else raw

    @property
    def is_dead(self):
        return self.stat.state in "ZX"


class Process:
    """One thread group."""

    def __init__(self, truth, pid):
        self.truth, self.pid, self.folder = truth, pid, f"proc/{pid}"
        self.stat = Stat(self.raw("stat"))

    def raw(self, name):
        return self.truth.raw(f"{self.folder}/{name}")

    @property
    def comm(self):
        raw = self.raw("comm")
        return raw[:-1] if raw.endswith(b"\n") else raw

    @property
    def is_kthread(self):
        return bool(self.stat.flags & PF_KTHREAD)

    @property
    def is_kworker(self):
        return bool(self.stat.flags & PF_WQ_WORKER) and self.comm.startswith(b"kworker/")

    @functools.cached_property
    def tasks(self):
        return [Task(self.truth, self.pid, int(tid)) for tid in self.truth.entries(f"{self.folder}/task")
                if self.raw(f"task/{tid}/stat")]

    @property
    def is_dead_leader(self):
        """The leader has exited, other threads live: the process is alive."""
        return self.stat.state == "Z" and any(not t.is_dead for t in self.tasks)

    @property
    def is_dead(self):
        return self.stat.state in "ZX" and not self.is_dead_leader

    @functools.cached_property
    def living(self):
        """Folder of the task that has the process's memory and files: of a dead leader's thread."""
        if not self.is_dead_leader:
            return self.folder
        return next(t.folder for t in self.tasks if not t.is_dead)

    def living_file(self, name):
        return self.truth.raw(f"{self.living}/{name}")

    @property
    def knows_living(self):
        """Whether the collector looked at a dead leader's living thread."""
        return self.living_file("links") is not None

    @functools.cached_property
    def status(self):
        return parse_status(self.raw("status"))

    @functools.cached_property
    def living_status(self):
        return parse_status(self.living_file("status"))

    def _links(self, folder):
        found = {}
        for line in self.truth.lines(f"{folder}/links"):
            name, target = line.split(b"\t", 1)
            found[name.decode()] = unescape_collector(target)
        return found

    @functools.cached_property
    def links(self):
        return self._links(self.folder)

    @functools.cached_property
    def living_links(self):
        return self._links(self.living)

    @functools.cached_property
    def mappings(self):
        return [Mapping(line) for line in (self.living_file("maps") or b"").split(b"\n") if line]

    @functools.cached_property
    def descriptors(self):
        return [Descriptor(self, line) for line in (self.living_file("fd") or b"").split(b"\n") if line]

    @functools.cached_property
    def sockets(self):
        """{fd: {name: bytes}}: what the collector asked of duplicates of sockets and pipes."""
        lines = (self.living_file("sockets") or b"").split(b"\n")
        return {int(line.split(b"\t", 1)[0]): tabbed(line) for line in lines if line}


def parse_status(raw):
    """{name: text} of a /proc/PID/status."""
    pairs = (line.split(b":", 1) for line in (raw or b"").split(b"\n") if b":" in line)
    return {k.decode(errors="replace"): v.decode(errors="replace").strip() for k, v in pairs}


class Mapping:
    """A line of /proc/PID/maps."""

    def __init__(self, line):
        parts = line.split(None, 5)
        start, end = parts[0].split(b"-")
        self.start_text, self.end_text = start.decode(), end.decode()
        self.start, self.end = int(start, 16), int(end, 16)
        self.permissions = parts[1].decode()
        self.offset = int(parts[2], 16)
        self.device = parts[3].decode()
        self.inode = int(parts[4])
        # Only newlines are escaped in a path; blanks before it are padding.
        shown = parts[5].replace(b"\\012", b"\n") if len(parts) > 5 else b""
        self.is_file = self.device != "00:00" or self.inode != 0
        self.path, self.deleted = shown, self.is_file and split_deleted(shown)[1]


class Descriptor:
    """A line of the collector's list of descriptors, with its fdinfo."""

    def __init__(self, process, line):
        fields = line.split(b"\t")
        self.process, self.fd = process, int(fields[0])
        self.link = unescape_collector(fields[1])
        major, minor = fields[2].split(b":")
        self.device = f"{int(major, 16):02x}:{int(minor, 16):02x}"
        self.inode, self.mode, self.size = int(fields[3]), int(fields[4], 8), int(fields[5])
        self.links = int(fields[7]) if len(fields) > 7 and fields[7].isdigit() else None
        self.info = parse_status(process.living_file(f"fdinfo/{self.fd}"))

    @property
    def flags(self):
        return int(self.info["flags"], 8) if "flags" in self.info else None

    @property
    def position(self):
        return int(self.info["pos"]) if "pos" in self.info else None
