# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same of libvirt: a libvirtd of one's own in a folder, a guest, and what virsh saves and dumps.

One domain is suspended once. Each file is of that instant: the first save is restored, paused, as
often as there are formats. libvirt reads its formats from qemu.conf at its start.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

from guests import Shape
from maker import machine, make as guests

PROGRAMS = ("libvirtd", "virsh", "qemu-system-x86_64")
NOBODY = 65534
SHAPE = Shape("libvirt", "a domain of libvirt's")
RANGE = [0, 128 << 20]
SAVES = ("raw", "gzip", "bzip2", "xz", "lzop", "zstd")
DUMPS = ("raw", "gzip", "xz")

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


class Daemon:
    """libvirtd in session mode; as root it would share the system's folders, so it is nobody."""

    def __init__(self, folder):
        self.folder, self.process = folder, None
        self.environment = {"PATH": os.environ["PATH"] + ":/usr/sbin", "HOME": str(folder),
                            **{f"XDG_{name}": str(folder / name.lower()) for name in
                               ("RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME", "DATA_HOME")}}
        for name in ("runtime_dir", "config_home/libvirt"):
            (folder / name).mkdir(parents=True)
        self.user = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        self.own()

    def own(self):
        """What the maker put there is the daemon's."""
        if self.user:
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(self.folder)], check=True)

    def start(self, save="raw", dump="raw"):
        """With these formats; domains that run go on running."""
        self.stop()
        (self.folder / "config_home/libvirt/qemu.conf").write_text(
            f'save_image_format = "{save}"\ndump_image_format = "{dump}"\nstdio_handler = "file"\n')
        with open(self.folder / "libvirtd.log", "ab") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "libvirtd"],
                                            env=self.environment, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, **self.user)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(machine.GuestError):
                return self.virsh("list")
            time.sleep(0.2)
        raise machine.GuestError(f"libvirtd does not answer: {self.log()}")

    def log(self):
        """The last that it said."""
        return (self.folder / "libvirtd.log").read_text(errors="replace").strip()[-300:]

    def stop(self):
        """Ends this libvirtd and no other."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
            self.process = None

    def virsh(self, *words):
        """What a command printed; GuestError with its reason where it failed."""
        done = subprocess.run(["virsh", "-c", "qemu:///session", "-q", *words], text=True,
                              env=self.environment, stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300,
                              cwd=self.folder, **self.user)
        if done.returncode != 0:
            raise machine.GuestError(f"virsh {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def end(self):
        """No domain and no daemon outlives the maker."""
        with contextlib.suppress(machine.GuestError, subprocess.SubprocessError):
            self.virsh("destroy", "guest")
        self.stop()


class Domain:
    """Makes the files."""

    def __init__(self, daemon):
        self.daemon, self.folder, self.rows = daemon, daemon.folder, []

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
        path.write_text(DOMAIN.format(folder=self.folder,
                                      emulator=shutil.which("qemu-system-x86_64")))
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

    def managed(self, path):
        self.restored()
        self.daemon.virsh("managedsave", "guest")
        (self.folder / "config_home/libvirt/qemu/save/guest.save").rename(path)

    def dump(self, form, path):
        """It leaves the domain in a state in which it can't be dumped again."""
        self.restored(dump=form)
        self.daemon.virsh("dump", "guest", str(path))
        self.daemon.virsh("destroy", "guest")


def lacking():
    """A program that is not there, or None."""
    path = os.environ["PATH"] + ":/usr/sbin"
    return next((p for p in PROGRAMS if not shutil.which(p, path=path)), None)


def containers(folder):
    """Makes all files in an empty folder; gives the facts of it."""
    inputs = guests.gather(guests.cache_root(), SHAPE.guest())
    (folder / "initramfs").write_bytes(inputs.archive)
    shutil.copyfile(inputs.kernel.image, folder / "vmlinuz")
    for disk in guests.DISKS:
        shutil.copyfile(inputs.programs / disk, folder / disk)
    folder.chmod(0o755)
    daemon = Daemon(folder)
    domain = Domain(daemon)
    try:
        daemon.start()
        domain.boot(guests.ATTEMPTS[0][1])
        domain.memory(folder / "memory.raw")
        domain.dumps()
        domain.saves()
        version = re.search(r"library: libvirt (\S+)", daemon.virsh("version"))[1]
    finally:
        daemon.end()
    facts = {"shape": "libvirt", "machine": "pc", "qemu": f"libvirt {version}",
             "release": inputs.kernel.release, "ranges": [RANGE], "rows": domain.rows}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")
    return facts
