# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the truth of a guest: the layout is in README.md beside this folder."""

import re
from functools import cached_property
from pathlib import Path


def unescape(text):
    r"""The bytes behind \xNN escapes."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m.group(1), 16)]), text.encode())


def fields(line):
    """A line of name=value fields."""
    return dict(part.split("=", 1) for part in line.split("\t") if "=" in part)


class Process:
    """What /proc/PID said."""

    def __init__(self, folder):
        self.folder = folder
        self.pid = int(folder.name)

    def bytes(self, name):
        """A file of the process; empty if there was none."""
        path = self.folder / name
        return path.read_bytes() if path.is_file() else b""

    def lines(self, name):
        """The lines of such a file."""
        return self.bytes(name).decode(errors="surrogateescape").splitlines()

    @property
    def comm(self):
        """The name without its final newline."""
        return self.bytes("comm")[:-1]

    @cached_property
    def status(self):
        """The lines of status by name."""
        return dict(line.split(":\t", 1) for line in self.lines("status") if ":\t" in line)

    @cached_property
    def stat(self):
        """The fields of stat from the state on: stat[0] is field 3 of proc(5)."""
        return self.bytes("stat").rsplit(b")", 1)[-1].decode().split()

    @cached_property
    def links(self):
        """exe, cwd, root and ns/NAME."""
        return dict(line.split("\t", 1) for line in self.lines("links"))

    @cached_property
    def files(self):
        """Descriptors: number -> [target, device, inode, mode, size, access]."""
        rows = (line.split("\t") for line in self.lines("fd"))
        return {int(row[0]): row[1:] for row in rows}

    @cached_property
    def sockets(self):
        """Descriptors of sockets and pipes: number -> fields."""
        return {int(line.split("\t")[0]): fields(line) for line in self.lines("sockets")}

    @cached_property
    def maps(self):
        """Mappings as [range, permissions, offset, device, inode, name]."""
        return [(line.split(None, 5) + [""])[:6] for line in self.lines("maps")]

    @cached_property
    def pages(self):
        """Runs of pages as [start, end, frame or swap:TYPE:OFFSET, kind, flags of the first page]."""
        return [line.split("\t") for line in self.lines("pagemap")]

    def threads(self):
        """Thread ids; none if the process ended while it was looked at."""
        return sorted(int(path.name) for path in self.folder.glob("task/*"))


class Truth:
    """The truth of one guest."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def text(self, name):
        """A file of the truth."""
        return (self.folder / name).read_text(errors="surrogateescape")

    @cached_property
    def processes(self):
        """By PID."""
        found = [Process(path) for path in (self.folder / "proc").iterdir()]
        return {process.pid: process for process in sorted(found, key=lambda process: process.pid)}

    def actor(self, name):
        """The first process that was started from the actor's file."""
        return next(p for p in self.processes.values() if p.links.get("exe") == f"/opt/guest/{name}")

    def named(self, comm):
        """The first process of that name."""
        return next(p for p in self.processes.values() if p.comm == comm.encode("latin-1"))

    @property
    def home(self):
        """The first network namespace."""
        return re.search(r"\d+", self.processes[1].links["ns/net"]).group(0)

    def network(self, process):
        """The inode of a process's network namespace."""
        return re.search(r"\d+", process.links["ns/net"]).group(0)

    def sockets(self, kind, network=None):
        """Rows of a table of /proc/net, split at blanks, without the heading."""
        path = self.folder / "netns" / (network or self.home) / kind
        return [line.split() for line in path.read_text(errors="surrogateescape").splitlines()[1:]] if path.exists() else []

    def rows(self, kind, network=None):
        """Rows of a file of name=value fields."""
        return [fields(line) for line in self.text(f"netns/{network or self.home}/{kind}").splitlines()]
