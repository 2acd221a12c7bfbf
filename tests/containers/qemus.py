# SPDX-License-Identifier: LGPL-2.1-or-later
"""The versions of QEMU that make the files: the machine's own, and those of newer suites."""
import re
import shutil
import subprocess
from dataclasses import dataclass, field

from unpacked import unpacked

PACKAGES = ("qemu-system-x86", "seabios")
# Newest last.
SUITES = ("trixie", "sid")


@dataclass
class Qemu:
    """How to start one, and what it calls itself."""

    name: str
    command: list
    img: list = field(default_factory=lambda: ["qemu-img"])

    def __post_init__(self):
        said = subprocess.run([*self.command, "--version"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.splitlines()[0]
        self.version = re.search(r"version (\S+)", said)[1]
        self.number = tuple(int(n) for n in self.version.split(".")[:2])

    def machines(self):
        """The types of machine that it knows."""
        said = subprocess.run([*self.command, "-machine", "help"], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        return {line.split()[0] for line in said.splitlines()[1:] if line}


def installed():
    """The machine's own QEMU, or None."""
    if not shutil.which("qemu-system-x86_64"):
        return None
    return Qemu("installed", ["qemu-system-x86_64"])


def of_suite(suite):
    """The QEMU of another suite; SuiteError where its packages can't be had."""
    root = unpacked(suite, *PACKAGES)
    data = [part for name in ("qemu", "seabios") for part in
            ("-L", str(root.folder / "usr/share" / name))]
    return Qemu(suite, [*root.command("qemu-system-x86_64"), *data])
