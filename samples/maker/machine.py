# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a guest in QEMU, stops it at the right moment and saves its memory."""

import json
import re
import select
import socket
import subprocess
import threading
import time

from .arches import ARCHES

GIB4 = 1 << 32
RAM_FILE = "ram.img"

# I/O APIC, HPET, local APIC and firmware lie within the last MiBs below 4 GiB.
DEVICE_END = 32 << 20

# Set when the maker itself is told to end: no machine is to outlive it.
interrupted = threading.Event()


class GuestError(Exception):
    """The guest did not do what it should."""


class Monitor:
    """A QMP connection."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw", encoding="utf-8")
        json.loads(self.file.readline())
        self.call("qmp_capabilities")

    def call(self, command, **arguments):
        """The answer of a command; events in between are passed over."""
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise GuestError(f"QEMU ended during {command}")
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise GuestError(f"{command}: {answer['error']['desc']}")

    def human(self, line):
        """The text of a command of the human monitor."""
        return self.call("human-monitor-command", **{"command-line": line})


def qemu_version(arch):
    """First line of what QEMU says of itself."""
    return subprocess.run(
        [arch.qemu, "--version"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()[0]


def _memory(guest):
    """RAM is a file where something is to be in it from the start."""
    if not guest.remains:
        return ()
    ram = f"memory-backend-file,id=pc.ram,size={guest.memory},mem-path={RAM_FILE},share=on"
    return "-object", ram, "-machine", "memory-backend=pc.ram"


def command_line(guest, kernel, initramfs, thread):
    """QEMU's arguments; files that come and go are named relative to the folder that it runs in."""
    # Plain pointers in /proc/net tell where each socket is (since 5.12).
    arch = ARCHES[guest.arch]
    fixed = f"console={arch.console} loglevel=4 panic=-1 oops=panic no_hash_pointers"
    append = f'{fixed} guest.name={guest.name} guest.text="two words" {guest.append}'.strip()
    return [
        arch.qemu,
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *_memory(guest),
        *("-machine", guest.machine, "-accel", f"tcg,thread={thread}", "-cpu", guest.cpu),
        *("-smp", "2", "-m", guest.memory),
        *("-kernel", str(kernel.image), "-initrd", str(initramfs), "-append", append),
        *("-serial", "file:console.log"),
        *("-qmp", "unix:qmp.sock,server=on,wait=off"),
        *("-device", "virtio-serial-pci"),
        *("-chardev", "file,id=truth,path=truth.tar", "-device", "virtserialport,chardev=truth,nr=1,name=truth"),
        *("-chardev", "socket,id=control,path=control.sock,server=on,wait=off"),
        *("-device", "virtserialport,chardev=control,nr=2,name=control"),
        *("-drive", "file=disk.img,format=raw,if=none,id=disk", "-device", "virtio-blk-pci,drive=disk"),
        *("-drive", "file=swap.img,format=raw,if=none,id=swap", "-device", "virtio-blk-pci,drive=swap"),
        *("-netdev", "user,id=net0,restrict=on"),
        *("-device", "virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,romfile="),
        *("-netdev", "user,id=net1,restrict=on"),
        *("-device", f"{guest.second_card},netdev=net1,mac=52:54:00:12:34:57,romfile="),
    ]


def connect(path, process, seconds=20):
    """As soon as QEMU opens the socket."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise GuestError(f"QEMU ended with status {process.returncode}")
        try:
            return Monitor(path) if path.name == "qmp.sock" else connect_plain(path)
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.02)
    raise GuestError(f"QEMU does not open {path.name}")


def connect_plain(path):
    """A socket that has no protocol of its own."""
    control = socket.socket(socket.AF_UNIX)
    control.connect(str(path))
    return control


def await_done(control, process, seconds):
    """Returns as soon as the guest says DONE: whatever it does after that moves away from the truth."""
    end = time.monotonic() + seconds
    said = b""
    while time.monotonic() < end:
        ready, _, _ = select.select([control], [], [], 0.5)
        if ready:
            block = control.recv(4096)
            said += block
            if b"DONE\n" in said:
                return
        if b"FAILED" in said and b"\n" in said[said.index(b"FAILED") :]:
            raise GuestError(said[said.index(b"FAILED") :].split(b"\n")[0].decode(errors="replace"))
        if process.poll() is not None:
            raise GuestError(f"QEMU ended with status {process.returncode}; see console.log")
        if interrupted.is_set():
            raise GuestError("interrupted")
    raise GuestError(f"no truth within {seconds} s" + (f": {said!r}" if said else ""))


def ram_ranges(mtree, arch):
    """[guest-physical start, length, offset in RAM]: the part below 4 GiB and the one above."""
    view = mtree.split('AS "memory"', 1)[-1].split("FlatView", 1)[0]
    low = high = 0
    pattern = r"([0-9a-f]{16})-([0-9a-f]{16}) \(prio \d+, (\w+)\): " + re.escape(arch.ram)
    first = GIB4
    for start, end, kind in re.findall(pattern, view):
        if kind not in ("ram", "rom"):
            continue
        if int(start, 16) < GIB4:
            first = min(first, int(start, 16))
            low = max(low, int(end, 16) + 1)
        else:
            high = max(high, int(end, 16) + 1 - GIB4)
    if low == 0:
        raise GuestError("QEMU's memory tree has no RAM")
    return [[first, low - first, 0]] + ([[GIB4, high, low - first]] if high else [])


def save_physical(monitor, ranges, name):
    """Physical memory from RAM's start on, as `pmemsave 0 SIZE` does it; of the hole only its end, with the devices.

    QEMU reads what is not RAM eight bytes at a time, so that the rest of the hole would take longer than all RAM.
    """
    pieces = [(start, length) for start, length, _ in ranges]
    if len(ranges) > 1:
        pieces.insert(1, (GIB4 - DEVICE_END, DEVICE_END))
    for number, (start, length) in enumerate(pieces):
        monitor.call("pmemsave", val=start, size=length, filename=f"{name}.{number}" if number else name)
    return {f"{name}.{number}": piece for number, piece in enumerate(pieces) if number}


def save_stream(monitor, name):
    """Migrates to a file, as `virsh save` does; the machine is of no use after it."""
    monitor.call("migrate-set-parameters", **{"max-bandwidth": 1 << 34})
    monitor.call("migrate", uri=f"exec:cat >{name}")
    while (status := monitor.call("query-migrate").get("status")) != "completed":
        if status == "failed":
            raise GuestError(f"{name}: the migration failed")
        time.sleep(0.1)


def run_guest(command, folder, seconds, save):
    """Boots; when the guest is done, stops it and calls save(monitor)."""
    with open(folder / "qemu.log", "wb") as log:
        # However the maker ends, the machine ends with it.
        guarded = ["setpriv", "--pdeathsig", "KILL", *command]
        process = subprocess.Popen(guarded, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        monitor = connect(folder / "qmp.sock", process)
        control = connect(folder / "control.sock", process)
        await_done(control, process, seconds)
        monitor.call("stop")
        save(monitor)
        monitor.call("quit")
        process.wait(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
