# SPDX-License-Identifier: LGPL-2.1-or-later
"""What differs between the architectures of guests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Arch:
    """An architecture, by Debian's name for it."""

    name: str
    qemu: str
    console: str
    # QEMU's name for the machine's RAM.
    ram: str
    compiler: str
    # Of the dynamic executable.
    loader: str


ARCHES = {
    arch.name: arch
    for arch in (
        Arch("amd64", "qemu-system-x86_64", "ttyS0", "pc.ram", "gcc", "ld-linux-x86-64.so.2"),
        Arch("i386", "qemu-system-x86_64", "ttyS0", "pc.ram", "i686-linux-gnu-gcc", "ld-linux.so.2"),
        Arch("arm64", "qemu-system-aarch64", "ttyAMA0", "mach-virt.ram", "aarch64-linux-gnu-gcc", "ld-linux-aarch64.so.1"),
    )
}
