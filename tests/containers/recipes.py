# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every way in which QEMU itself writes a guest's memory to a file: one function a way."""
import subprocess
import time
from dataclasses import dataclass, field

import stopped
from maker.machine import GuestError
from wrappers import libvirt_header


@dataclass(frozen=True)
class Row:
    """A file to make, and what may be asked of it."""

    name: str
    what: str
    make: object
    options: tuple = ()
    # "same": rows and bytes of the stopped guest. "loaded": the guest ran on, so the judge is
    # what QEMU loads from the file. "later": as memory-later.raw has it. All others: check.py.
    judge: str = "same"
    since: tuple = (0, 0)
    until: tuple = (99, 0)
    # Made for every guest, not only for those of all containers.
    layout: bool = False
    # Also in the quick test.
    quick: bool = True

    def fits(self, shape, qemu, quick):
        """Is it to be made?"""
        return (self.since <= qemu.number <= self.until and (shape.every or self.layout)
                and (self.quick or not quick))


@dataclass
class Guest:
    """Where a row's function finds its guest."""

    folder: object
    qemu: object
    command: list
    ranges: list = field(default_factory=list)

    def load(self, stream="plain.stream"):
        """The machine at the moment of its stop, once more."""
        return stopped.loaded(self.command, stream, self.folder)


# As many as make sure that pages are sent again, as deltas of deltas.
DELTAS = 200

# --- while the guest that was booted stands still: (monitor, file name) ---


def dump(monitor, name, form=None, paging=False):
    """dump-guest-memory, which may say that this build of QEMU has not got the format."""
    more = {"format": form} if form else {}
    monitor.call("dump-guest-memory", paging=paging, protocol=f"file:{name}", **more)


def elf(monitor, name):
    dump(monitor, name)


def elf_paging(monitor, name):
    dump(monitor, name, paging=True)


def kdump(form):
    """A function for a format of kdump."""
    return lambda monitor, name: dump(monitor, name, form)


def plain(monitor, name):
    stopped.migrate(monitor, f"exec:cat > {name}")


# --- from the guest loaded once more, as often as there are rows: (guest, file name) ---


def _set(*names):
    return [{"capability": name, "state": True} for name in names]


def stream(*capabilities, uri="exec:cat > {}", parameters=None, seconds=120):
    """A migration with capabilities."""

    def make(guest, name):
        with guest.load() as (monitor, _):
            stopped.migrate(monitor, uri.format(name), capabilities, parameters, seconds)

    return make


def postcopy(guest, name):
    """The other side never asks for a page: the file is whole when nothing is added to it."""
    path = guest.folder / name
    with guest.load() as (monitor, _):
        monitor.call("migrate-set-capabilities", capabilities=_set("postcopy-ram"))
        monitor.call("migrate-set-parameters", **{"max-bandwidth": 1 << 34})
        monitor.call("migrate", uri=f"exec:cat > {name}")
        end, size = time.monotonic() + 60, 0
        while monitor.call("query-migrate").get("status") != "completed":
            time.sleep(2)
            before, size = size, path.stat().st_size if path.exists() else 0
            if size == before > 0 or time.monotonic() > end:
                break


def _passes(monitor):
    """Of a migration under way: (passes over memory, pages sent as deltas), or None at its end."""
    answer = monitor.call("query-migrate")
    if answer.get("status") not in ("setup", "active"):
        return None
    return (answer.get("ram", {}).get("dirty-sync-count", 0),
            answer.get("xbzrle-cache", {}).get("pages", 0))


def _await_passes(monitor, passes, deltas, seconds):
    """The guest is idle but for NMIs: each makes it write to its log, so that pages change a bit."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = _passes(monitor)
        if now is None or (now[0] >= passes and now[1] >= deltas):
            return
        monitor.call("inject-nmi")
        time.sleep(0.01)


def xbzrle(guest, name):
    """The guest runs, and after the first pass the pipe is so narrow that there are many more."""
    wide, narrow = {"max-bandwidth": 1 << 34}, {"max-bandwidth": 2 << 20, "downtime-limit": 1}
    with guest.load() as (monitor, _):
        monitor.call("cont")
        monitor.call("migrate-set-capabilities", capabilities=_set("xbzrle"))
        monitor.call("migrate-set-parameters",
                     **{**narrow, "max-bandwidth": 64 << 20, "xbzrle-cache-size": 64 << 20})
        monitor.call("migrate", uri=f"exec:cat > {name}")
        _await_passes(monitor, 2, 0, 60)
        monitor.call("migrate-set-parameters", **narrow)
        _await_passes(monitor, 2, DELTAS, 30)
        monitor.call("migrate-set-parameters", **wide, **{"downtime-limit": 500})
        answer = stopped.await_status(monitor, 120)
        return {"passes": answer["ram"]["dirty-sync-count"],
                "deltas": answer["xbzrle-cache"]["pages"]}


def interrupted(*capabilities, uri="exec:cat > {}"):
    """QEMU is killed while it writes."""

    def make(guest, name):
        with guest.load() as (monitor, process):
            monitor.call("migrate-set-capabilities", capabilities=_set(*capabilities))
            monitor.call("migrate-set-parameters", **{"max-bandwidth": 16 << 20})
            monitor.call("migrate", uri=uri.format(name))
            time.sleep(2)
            process.kill()
            process.wait()

    return make


def sparse(guest, name):
    """As libvirt 11 does it: its header, and behind that QEMU's own mapped-ram."""
    facts = {"ranges": guest.ranges, "machine": "pc"}
    head = libvirt_header(6, facts)
    stream("mapped-ram", uri=f"file:{{}},offset={len(head)}")(guest, name)
    with open(guest.folder / name, "r+b") as file:
        file.write(head)


MAPPED = "file:{}"

STOPPED = (
    Row("elf", "dump-guest-memory, ELF", elf, layout=True),
    Row("elf-paging", "dump-guest-memory -p, ELF", elf_paging, judge="unmapped"),
    Row("kdump-zlib", "dump-guest-memory, kdump-zlib, flattened", kdump("kdump-zlib"),
        layout=True),
    Row("kdump-lzo", "dump-guest-memory, kdump-lzo, flattened", kdump("kdump-lzo"), quick=False),
    Row("kdump-snappy", "dump-guest-memory, kdump-snappy, flattened", kdump("kdump-snappy"),
        quick=False),
    Row("kdump-raw-zlib", "dump-guest-memory, kdump-raw-zlib", kdump("kdump-raw-zlib"),
        since=(8, 2)),
    Row("plain.stream", "migrate, plain", plain, layout=True),
)

SNAPSHOTS = (
    Row("state.qcow2", "savevm in qcow2, by name", None, ("--snapshot", "instant"), layout=True),
    Row("state.qcow2", "savevm in qcow2, a second snapshot", None, ("--snapshot", "later"),
        judge="later"),
)

LOADED = (
    Row("compress.stream", "migrate, compress", stream("compress"), until=(9, 0)),
    Row("postcopy.stream", "migrate, postcopy-capable", postcopy),
    Row("background.stream", "migrate, background-snapshot", stream("background-snapshot")),
    Row("xbzrle.stream", "migrate of a running guest, XBZRLE", xbzrle, judge="loaded"),
    Row("interrupted.stream", "migrate, QEMU killed midway", interrupted(), judge="part"),
    Row("file.stream", "migrate to file:", stream(uri="file:{}"), since=(8, 2), quick=False),
    Row("offset.stream", "migrate to file: with an offset", stream(uri="file:{},offset=0x12345"),
        since=(8, 2)),
    Row("mapped", "migrate, mapped-ram", stream("mapped-ram", uri=MAPPED), since=(9, 0),
        layout=True),
    Row("mapped-multifd", "migrate, mapped-ram with multifd",
        stream("mapped-ram", "multifd", uri=MAPPED), since=(9, 0)),
    Row("mapped-offset", "migrate, mapped-ram with an offset",
        stream("mapped-ram", uri="file:{},offset=0x12345"), since=(9, 0)),
    Row("save.sparse", "virsh save, sparse: our header, QEMU's mapped-ram", sparse,
        since=(9, 0)),
    Row("mapped-interrupted", "migrate, mapped-ram, QEMU killed midway",
        interrupted("mapped-ram", uri=MAPPED), judge="part", since=(9, 0)),
)


def try_row(make, *arguments):
    """(what the function had to tell, None) or (None, why it can't be made here)."""
    try:
        return make(*arguments) or {}, None
    except (GuestError, OSError, KeyError, subprocess.SubprocessError) as error:
        return None, str(error)
