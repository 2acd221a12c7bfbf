# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same of libvirt: a libvirtd of one's own in a folder, a guest, and what virsh saves and dumps.

One domain is suspended once. Each file is of that instant: the first save is restored, paused, as
often as there are formats. libvirt reads its formats from qemu.conf at its start, and falls back to
raw where it does not know one.
"""
import contextlib
import json
import shutil
import struct
import subprocess

from guests import Shape
from libvirtd import Daemon
from maker import machine, make as guests

SHAPE = Shape("libvirt", "a domain of libvirt's")
RANGE = [0, 128 << 20]
SAVES = ("raw", "gzip", "bzip2", "xz", "lzop", "zstd", "sparse")
DUMPS = ("raw", "gzip", "xz", "zstd")
EMULATOR = "/usr/bin/qemu-system-x86_64"

DOMAIN = """<domain type='qemu'>
  <name>guest</name>
  <memory unit='MiB'>128</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{folder}/vmlinuz</kernel>
    <initrd>{folder}/initramfs</initrd>
    <cmdline>console=ttyS0 loglevel=4 panic=-1 oops=panic guest.name=libvirt init_on_free=1</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='maximum'/>
  <devices>
    <emulator>{emulator}</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/>
      <source file='{folder}/disk.img'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/>
      <source file='{folder}/swap.img'/><target dev='vdb' bus='virtio'/></disk>
    <interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/></interface>
    <interface type='user'><mac address='52:54:00:12:34:57'/><model type='e1000'/></interface>
    <serial type='file'><source path='{folder}/console.log'/></serial>
    <channel type='file'><source path='{folder}/truth.tar'/>
      <target type='virtio' name='truth' port='1'/></channel>
    <channel type='unix'><source mode='bind' path='{folder}/control.sock'/>
      <target type='virtio' name='control' port='2'/></channel>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""


# Of a saved domain, by the last of the header's numbers (libvirt src/qemu/qemu_saveimage.h).
FORMATS = ("raw", "gzip", "bzip2", "xz", "lzop", "zstd", "sparse")
MAGICS = {"raw": b"QEVM", "gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0",
          "lzop": b"\x89LZO\0", "zstd": b"\x28\xb5\x2f\xfd"}


def format_of(path):
    """In which format libvirt wrote a file, which need not be the one that it was asked for."""
    with open(path, "rb") as file:
        head = file.read(64)
    if head.startswith(b"LibvirtQemudSave"):
        number = struct.unpack_from("=I", head, 28)[0]
        return FORMATS[number] if number < len(FORMATS) else f"number {number}"
    return next((name for name, magic in MAGICS.items() if head.startswith(magic)), "another")


class Domain:
    """Makes the files."""

    def __init__(self, daemon):
        self.daemon, self.folder, self.rows, self.version = daemon, daemon.folder, [], None

    def row(self, name, what, make):
        """A file, or the reason for which there is none."""
        why = None
        try:
            make(self.folder / name)
        except (machine.GuestError, subprocess.SubprocessError, OSError) as error:
            why = str(error)
        self.rows.append({"file": name, "what": what, "options": [], "judge": "same",
                          "told": {}, "impossible": why})

    def boot(self, seconds):
        """Until the guest says that it is done; then it stands still."""
        path = self.folder / "guest.xml"
        path.write_text(DOMAIN.format(folder=self.folder, emulator=EMULATOR))
        self.daemon.virsh("define", str(path))
        self.daemon.virsh("start", "guest")
        control = machine.connect_plain(self.folder / "control.sock")
        process = subprocess.Popen(["sleep", str(seconds)])
        try:
            machine.await_done(control, process, seconds)
        finally:
            process.kill()
            process.wait()
        self.daemon.virsh("suspend", "guest")

    def memory(self, path):
        """The judge, by the monitor of the domain's QEMU."""
        told = self.daemon.virsh("qemu-monitor-command", "--hmp", "guest",
                                 f'pmemsave 0 {RANGE[1]} "{path}"')
        if not path.exists():
            raise machine.GuestError(f"pmemsave: {told.strip()}")

    def dumps(self):
        """Of the suspended domain, as often as one likes."""
        for form in ("elf", "kdump-zlib", "kdump-lzo"):
            self.row(f"memory.{form}", f"virsh dump --memory-only --format {form}",
                     lambda p, f=form: self.daemon.virsh("dump", "--memory-only", "--format", f,
                                                         "guest", str(p)))

    def save(self, path):
        self.daemon.virsh("save", "guest", str(path))

    def restored(self, **formats):
        """A daemon with these formats, and the domain as it was when it was suspended."""
        self.daemon.start(**formats)
        with contextlib.suppress(machine.GuestError):  # where the row before failed
            self.daemon.virsh("destroy", "guest")
        self.daemon.virsh("restore", "--paused", str(self.folder / "save.raw"))

    def saves(self):
        """The first is of the booted domain."""
        self.row("save.raw", "virsh save, raw", self.save)
        for form in SAVES[1:]:
            self.row(f"save.{form}", f"virsh save, {form}", lambda p, f=form: self.packed(f, p))
        self.row("managed.save", "virsh managedsave", self.managed)
        for form in DUMPS:
            self.row(f"dump.{form}", f"virsh dump, {form}", lambda p, f=form: self.dump(f, p))

    def packed(self, form, path):
        self.restored(save=form)
        self.save(path)
        self.check(form, path)

    def check(self, form, path):
        """Is it what was asked for?"""
        got = format_of(path)
        if got != form:
            path.unlink()
            raise machine.GuestError(f"libvirt {self.version} has no format {form}: "
                                     f"it wrote {got}")

    def managed(self, path):
        self.restored()
        self.daemon.virsh("managedsave", "guest")
        (self.folder / "config_home/libvirt/qemu/save/guest.save").rename(path)

    def dump(self, form, path):
        """It leaves the domain in a state in which it can't be dumped again."""
        self.restored(dump=form)
        self.daemon.virsh("dump", "guest", str(path))
        self.daemon.virsh("destroy", "guest")
        self.check(form, path)


def containers(folder, suite):
    """Makes all files in an empty folder; gives the facts of it."""
    inputs = guests.gather(guests.cache_root(), SHAPE.guest())
    (folder / "initramfs").write_bytes(inputs.archive)
    shutil.copyfile(inputs.kernel.image, folder / "vmlinuz")
    for disk in guests.DISKS:
        shutil.copyfile(inputs.programs / disk, folder / disk)
    folder.chmod(0o755)
    daemon = Daemon(folder, suite)
    domain = Domain(daemon)
    try:
        daemon.start()
        domain.version = daemon.version()
        domain.boot(guests.ATTEMPTS[0][1])
        domain.memory(folder / "memory.raw")
        domain.dumps()
        domain.saves()
    finally:
        daemon.end()
    facts = {"shape": "libvirt", "machine": "pc", "qemu": f"libvirt {domain.version}",
             "release": inputs.kernel.release, "ranges": [RANGE], "rows": domain.rows}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")
    return facts
