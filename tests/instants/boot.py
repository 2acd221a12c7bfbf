# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest that obeys: boots under emulation, plays scenarios when told, and can be stopped at any instruction."""

import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "samples"))

from maker import initramfs, machine  # noqa: E402
from maker.definitions import Guest  # noqa: E402
from maker.kernel import get_kernel  # noqa: E402
from maker.locks import locked  # noqa: E402
from maker.make import cache_root  # noqa: E402

from btf import Btf  # noqa: E402
from gdbstub import Stub  # noqa: E402

SOURCES = pathlib.Path(__file__).resolve().parent / "guest"
COMMON = initramfs.GUEST_SOURCES
FLAGS = "-std=gnu11 -O2 -Wall -Wextra -Werror -pthread -static -s"
BUSYBOX_NAMES = ("sh", "mount", "insmod", "mkdir", "httpd")
# Modules beside those of the control port and the disk cost memory and time.
WANTED = ("virtio", "crc", "jbd2", "mbcache", "ext4")
BOOT_SECONDS = 300
ANSWER_SECONDS = 300

GUESTS = (
    Guest("5.10", "bullseye", "5.10, 4-level page tables", cpu="max,la57=off", memory="160M"),
    Guest("6.1", "bookworm", "6.1, 5-level page tables", memory="160M"),
    Guest("6.12", "trixie", "6.12, 4-level page tables", cpu="max,la57=off", memory="192M"),
    Guest("newest", "sid", "the newest kernel", memory="192M"),
)
BY_NAME = {guest.name: guest for guest in GUESTS}


def _program(folder):
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))] + [str(COMMON / "common.c")]
    target = folder / "driver"
    subprocess.run(["gcc", *FLAGS.split(), f"-I{COMMON}", "-o", str(target), *sources], check=True)
    return target.read_bytes()


def _make_disk(path):
    """What the guest mounts; its threads in the kernel come and go with it."""
    with open(path, "wb") as disk:
        disk.truncate(8 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", str(path)], check=True, stdout=subprocess.DEVNULL)


def _archive(kernel, program):
    archive = initramfs.Archive()
    for name in ("bin", "dev", "etc", "lib", "lib/modules", "opt", "opt/instants", "proc", "sys", "tmp"):
        archive.folder(name)
    archive.character_device("dev/console", 5, 1)
    archive.file("bin/busybox", initramfs.busybox().read_bytes(), 0o755)
    for name in BUSYBOX_NAMES:
        archive.link(f"bin/{name}", "busybox")
    archive.file("init", (SOURCES / "init").read_bytes(), 0o755)
    archive.file("opt/instants/driver", program, 0o755)
    archive.link("opt/instants/program", "driver")
    archive.file("etc/hostname", b"instants\n")
    wanted = [line for line in (kernel.folder / "list").read_text().splitlines() if line.startswith(WANTED)]
    for line in wanted:
        name = line.split()[0]
        archive.file(f"lib/modules/{name}", (kernel.folder / name).read_bytes())
    archive.file("lib/modules/list", "".join(line + "\n" for line in wanted).encode())
    return archive.bytes()


def _command(guest, kernel, thread):
    # on a busy machine the kernel sees no ticks while it tests its timer, and panics
    append = "console=ttyS0 loglevel=4 panic=-1 oops=panic no_timer_check"
    return [
        "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64",
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-machine", guest.machine, "-accel", f"tcg,thread={thread}", "-cpu", guest.cpu),
        *("-smp", "2", "-m", guest.memory),
        *("-kernel", str(kernel.image), "-initrd", "initramfs", "-append", f"{append} {guest.append}".strip()),
        *("-serial", "file:console.log", "-qmp", "unix:qmp.sock,server=on,wait=off"),
        *("-chardev", "socket,id=gdb,path=gdb.sock,server=on,wait=off", "-gdb", "chardev:gdb"),
        *("-device", "virtio-serial-pci", "-chardev", "file,id=file,path=file"),
        *("-device", "virtserialport,chardev=file,nr=1,name=file"),
        *("-chardev", "socket,id=control,path=control.sock,server=on,wait=off"),
        *("-device", "virtserialport,chardev=control,nr=2,name=control"),
        *("-drive", "file=disk.img,format=raw,if=none,id=disk", "-device", "virtio-blk-pci,drive=disk"),
    ]


class Machine:
    """A running guest; leaving its context ends it."""

    def __init__(self, guest, scratch, thread="single"):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=scratch, prefix="guest-"))
        self.guest, self.thread = guest, thread
        self.size = int(guest.memory.removesuffix("M")) << 20
        cache = cache_root()
        with locked(cache / "locks" / f"suite-{guest.suite}"):
            self.kernel = get_kernel(cache, guest)
        _make_disk(self.folder / "disk.img")
        (self.folder / "initramfs").write_bytes(_archive(self.kernel, _program(self.folder)))
        self.said = b""
        self.symbols = {}
        self.types = None
        self.stub = None
        self._start()

    def _start(self):
        with open(self.folder / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(_command(self.guest, self.kernel, self.thread), cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.monitor = machine.connect(self.folder / "qmp.sock", self.process)
            self.control = machine.connect(self.folder / "control.sock", self.process)
            self.answer(BOOT_SECONDS)
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """The machine and its files are gone afterwards."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- orders ---

    def order(self, line):
        """Tells the driver; it answers when it is done."""
        self.control.sendall(line.encode() + b"\n")

    def heard(self):
        """Whether the driver has answered; does not wait."""
        while select.select([self.control], [], [], 0)[0]:
            block = self.control.recv(65536)
            if not block:
                raise machine.GuestError(f"QEMU has closed the control port; the guest said {self.console()!r}")
            self.said += block
        lines = self.said.split(b"\n")[:-1]
        return bool(lines) and lines[-1] in (b"ready", b"done", b"failed", b"unknown")

    def console(self):
        """The last that the guest printed."""
        return (self.folder / "console.log").read_text(errors="replace")[-1500:]

    def answer(self, seconds=ANSWER_SECONDS):
        """Waits for the answer of the driver; the lines before it."""
        end = time.monotonic() + seconds
        while not self.heard():
            if self.process.poll() is not None or time.monotonic() > end:
                raise machine.GuestError(f"no answer from the guest; it said {self.said[-200:]!r} and {self.console()}")
            time.sleep(0.01)
        *lines, last = self.said.decode().splitlines()
        self.said = b""
        if last not in ("ready", "done"):
            raise machine.GuestError(f"the guest said {last}")
        return lines

    # --- what the kernel says of itself ---

    def learn(self, names):
        """Addresses of symbols (static functions may share a name) and the layout of structures, told by the guest."""
        self.order("symbols " + " ".join(sorted(names)) + " ")
        for line in self.answer():
            address, name = line.split()
            self.symbols.setdefault(name, []).append(int(address, 16))
        self.order("types")
        self.answer()
        self.types = Btf((self.folder / "file").read_bytes())

    def attach(self):
        """Connects the debugger, which stops the guest."""
        self.stub = Stub(self.folder / "gdb.sock")

    def member(self, address, path, size=8):
        """A number in a task_struct."""
        offset = self.types.offset("task_struct", path)
        return int.from_bytes(self.stub.read(address + offset, size), "little")

    def has(self, structure, path):
        """Whether this kernel's structure has such a member."""
        return self.types.offset(structure, path) is not None

    def comm(self, task):
        """The name in a task_struct."""
        raw = self.stub.read(task + self.types.offset("task_struct", "comm"), 16)
        return raw.split(b"\0")[0].decode(errors="replace")

    def current(self, registers):
        """The task_struct of what runs on the CPU that stopped, in kernel mode."""
        variable = self.symbols.get("current_task") or self.symbols["pcpu_hot"]
        return self.stub.read_u64((registers["gs_base"] + variable[0]) % (1 << 64))

    def save(self, path):
        """All of physical memory, as it is now."""
        self.monitor.call("pmemsave", val=0, size=self.size, filename=str(path))
