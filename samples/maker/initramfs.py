# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest's whole userland: a cpio archive in the kernel's newc format."""

import shutil
import stat
from pathlib import Path

GUEST_SOURCES = Path(__file__).resolve().parent.parent / "guest"
BUSYBOX_NAMES = ("sh", "mount", "insmod", "mkdir", "ln", "rm", "cat", "sleep", "hostname", "sync", "swapon")
FOLDERS = ("bin", "data", "dev", "etc", "etc/guest", "home", "home/user", "lib", "lib/modules", "mnt", "opt")
MORE_FOLDERS = ("opt/guest", "proc", "root", "run", "sys", "tmp")
ETC = {
    "etc/hostname": "guest-{name}\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:A User:/home/user:/bin/sh\n"
    "daemon:*:1:1::/:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    "# no user\nlast:x:4294967294:4294967294:M\u00fcller,,,:/home/last:\n",
    "etc/group": "root:x:0:\nadm:x:4:user,daemon\nuser:x:1000:\nnogroup:x:65534:\n",
    "etc/os-release": 'NAME="Test guest"\nID=guest\nVERSION_ID="{release}"\nPRETTY_NAME="Test guest {name}"\n',
}


class Archive:
    """Writes newc entries, as Documentation/driver-api/early-userspace/buffer-format.rst has them."""

    def __init__(self):
        self.parts = []
        self.inode = 0

    def _add(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        path = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self.parts += [header + path + b"\0" * (-(len(header) + len(path)) % 4), data, b"\0" * (-len(data) % 4)]

    def folder(self, name):
        """An empty folder."""
        self._add(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        """A regular file."""
        self._add(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        """A symbolic link."""
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name, major, minor):
        """A device node; the kernel wants /dev/console before init can mount anything."""
        self._add(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def bytes(self):
        """The finished archive."""
        self._add("TRAILER!!!", 0)
        return b"".join(self.parts)


def busybox():
    """The static busybox of the machine that makes the guest."""
    found = shutil.which("busybox")
    if found is None:
        raise FileNotFoundError("no busybox (package busybox-static)")
    # A dynamic executable names its loader near its start.
    with open(found, "rb") as program:
        if b"/ld-linux" in program.read(4096):
            raise FileNotFoundError(f"{found} is not static (package busybox-static)")
    return Path(found)


def build(guest, kernel, program, shell):
    """The initramfs of one guest; the same guest gives the same bytes."""
    archive = Archive()
    for name in FOLDERS + MORE_FOLDERS:
        archive.folder(name)
    archive.character_device("dev/console", 5, 1)
    archive.file("bin/busybox", shell.read_bytes(), 0o755)
    for name in BUSYBOX_NAMES:
        archive.link(f"bin/{name}", "busybox")
    archive.file("init", (GUEST_SOURCES / "init").read_bytes(), 0o755)
    archive.file("opt/guest/guest", program.read_bytes(), 0o755)
    for name in ("workload", "collect", "network"):
        archive.link(f"opt/guest/{name}", "guest")
    for name, text in ETC.items():
        archive.file(name, text.format(name=guest.name, release=kernel.release).encode())
    options = [name for name in ("clean", "kallsyms", "spin") if getattr(guest, name)]
    archive.file("etc/guest/options", " ".join(options).encode())
    for path in sorted(kernel.folder.glob("*.ko")) + [kernel.folder / "list"]:
        archive.file(f"lib/modules/{path.name}", path.read_bytes())
    return archive.bytes()
