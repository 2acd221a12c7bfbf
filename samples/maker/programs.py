# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest's programs, and the two disks that it finds them and its swap on."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from .initramfs import GUEST_SOURCES

FLAGS = "-std=gnu11 -O2 -Wall -Wextra -Werror -pthread -ffunction-sections -fdata-sections -Wl,--gc-sections -s"
# The loader and the C library come along, on the disk.
DYNAMIC_FLAGS = "-pie -fPIE -Wl,--dynamic-linker=/data/lib/ld.so -Wl,-rpath,/data/lib"
DISK_ID = "00000000-0000-4000-8000-0000000000d1"
SWAP_ID = "00000000-0000-4000-8000-0000000000d2"


def _tool(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _library(name):
    return Path(_tool("gcc", f"-print-file-name={name}")).resolve()


def key():
    """Of everything that decides what the programs are."""
    total = hashlib.sha256((FLAGS + DYNAMIC_FLAGS + _tool("gcc", "--version")).encode())
    sources = sorted(GUEST_SOURCES.glob("*.[ch]"))
    for path in [*sources, _library("libc.so.6"), _library("ld-linux-x86-64.so.2"), Path(__file__)]:
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def _compile(target, flags):
    # By plain names: __FILE__ is in the program, and the program in the guest's memory.
    sources = sorted(path.name for path in GUEST_SOURCES.glob("*.c"))
    command = ["gcc", *FLAGS.split(), *flags.split(), "-o", str(target.resolve()), *sources]
    subprocess.run(command, check=True, cwd=GUEST_SOURCES)


def _make_disk(tree, target):
    # Nothing is left for the kernel to initialise later: its thread for that comes and goes.
    options = ["-E", "lazy_itable_init=0,lazy_journal_init=0", "-L", "data", "-U", DISK_ID]
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", *options, "-d", str(tree), str(target), "12M"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _make_swap(target):
    target.write_bytes(b"")
    with open(target, "r+b") as swap:
        swap.truncate(4 << 20)
    target.chmod(0o600)
    subprocess.run(["mkswap", "-q", "-L", "swap", "-U", SWAP_ID, str(target)], check=True)


def make(folder):
    """All programs of the guest are one executable: static, and once more with shared libraries."""
    _compile(folder / "guest", "-static")
    tree = folder / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "lib").mkdir()
    _compile(tree / "bin" / "dynamic", DYNAMIC_FLAGS)
    shutil.copy(_library("libc.so.6"), tree / "lib" / "libc.so.6")
    shutil.copy(_library("ld-linux-x86-64.so.2"), tree / "lib" / "ld.so")
    (tree / "text").write_text("A file on a disk.\n" * 1000)
    _make_disk(tree, folder / "disk.img")
    _make_swap(folder / "swap.img")
    shutil.rmtree(tree)
