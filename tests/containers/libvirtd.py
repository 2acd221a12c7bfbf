# SPDX-License-Identifier: LGPL-2.1-or-later
"""A libvirtd of one's own in a folder: the machine's, or that of another suite.

It runs in session mode; as root it would share the system's folders, so it is nobody. A suite's
programs, QEMU and compressors among them, are put over /usr for the process that starts them, and
for no other: its folders are one unpacked root, its libraries its own.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import time

from maker import machine
from maker.suites import SuiteError
from unpacked import unpacked

PROGRAMS = ("libvirtd", "virsh", "qemu-system-x86_64")
PATH = os.environ["PATH"] + ":/usr/sbin"
PACKAGES = ("libvirt-daemon", "libvirt-daemon-driver-qemu", "libvirt-clients", "qemu-system-x86",
            "seabios", "bzip2", "gzip", "lzop", "xz-utils", "zstd", "dash", "coreutils",
            "util-linux")
NOBODY = 65534


def _user():
    """The options of setpriv."""
    if os.geteuid() != 0:
        return []
    return [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def _installed():
    """The words before a command of the machine's own."""
    for program in PROGRAMS:
        if not shutil.which(program, path=PATH):
            raise SuiteError(f"no {program} (packages libvirt-daemon, libvirt-clients, "
                             "libvirt-daemon-driver-qemu)")
    return ["setpriv", *_user()]


def _of_suite(suite):
    """The same with a suite's /usr."""
    usr = unpacked(suite, *PACKAGES).folder / "usr"
    over = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /usr && exec "$@"', str(usr)]
    done = subprocess.run([*over, "true"], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SuiteError(f"another /usr can't be mounted: {done.stderr.strip()}")
    return [*over, "setpriv", *_user()]


class Daemon:
    """The daemon of a suite ("installed": the machine's), and virsh to talk to it."""

    def __init__(self, folder, suite):
        self.before = _installed() if suite == "installed" else _of_suite(suite)
        self.folder, self.process = folder, None
        # Else virsh starts a daemon, whose formats are those of that moment.
        self.environment = {"PATH": PATH, "HOME": str(folder), "LIBVIRT_AUTOSTART": "0",
                            **{f"XDG_{name}": str(folder / name.lower()) for name in
                               ("RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME", "DATA_HOME")}}
        for name in ("runtime_dir", "config_home/libvirt"):
            (folder / name).mkdir(parents=True)
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(folder)], check=True)

    def start(self, save="raw", dump="raw"):
        """With these formats; domains that run go on running."""
        self.stop()
        (self.folder / "config_home/libvirt/qemu.conf").write_text(
            f'save_image_format = "{save}"\ndump_image_format = "{dump}"\nstdio_handler = "file"\n')
        with open(self.folder / "libvirtd.log", "ab") as log:
            self.process = subprocess.Popen([*self.before, "--pdeathsig", "TERM", "libvirtd"],
                                            env=self.environment, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
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
        done = subprocess.run([*self.before, "virsh", "-c", "qemu:///session", "-q", *words],
                              text=True, env=self.environment, stdin=subprocess.DEVNULL,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=1200, cwd=self.folder)
        if done.returncode != 0:
            raise machine.GuestError(f"virsh {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def version(self):
        """Of the library, in numbers."""
        return self.virsh("version", "--daemon").split("library: libvirt ")[1].split()[0]

    def end(self):
        """No domain and no daemon outlives the maker."""
        with contextlib.suppress(machine.GuestError, subprocess.SubprocessError):
            self.virsh("destroy", "guest")
        self.stop()
