# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest's programs for another architecture than this machine's: a cross compiler makes them, and
busybox is that architecture's package."""

import hashlib
import shutil
import subprocess

from . import programs
from .initramfs import GUEST_SOURCES
from .suites import Suite, run

BUSYBOX_SUITE = "bookworm"


def _ask(arch, *options):
    done = subprocess.run([arch.compiler, *options], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def _library(arch, name):
    return programs.Path(_ask(arch, f"-print-file-name={name}")).resolve()


def key(arch):
    """Of everything that decides what the programs are."""
    total = hashlib.sha256((programs.key() + _ask(arch, "--version")).encode())
    for path in (_library(arch, "libc.so.6"), _library(arch, arch.loader), programs.Path(__file__)):
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return f"{arch.name}-{total.hexdigest()[:16]}"


def _compile(arch, target, flags):
    sources = sorted(path.name for path in GUEST_SOURCES.glob("*.c"))
    command = [arch.compiler, *programs.FLAGS.split(), "-D_FILE_OFFSET_BITS=64", *flags.split(), "-o", str(target.resolve()), *sources]
    subprocess.run(command, check=True, cwd=GUEST_SOURCES)


def make(arch, folder):
    """As programs.make()."""
    _compile(arch, folder / "guest", "-static")
    tree = folder / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "lib").mkdir()
    _compile(arch, tree / "bin" / "dynamic", programs.DYNAMIC_FLAGS)
    shutil.copy(_library(arch, "libc.so.6"), tree / "lib" / "libc.so.6")
    shutil.copy(_library(arch, arch.loader), tree / "lib" / "ld.so")
    (tree / "text").write_text("A file on a disk.\n" * 1000)
    programs._make_disk(tree, folder / "disk.img")  # pylint: disable=protected-access
    programs._make_swap(folder / "swap.img")  # pylint: disable=protected-access
    shutil.rmtree(tree)


def busybox(cache, arch):
    """The static busybox of the architecture, from its package."""
    target = cache / "programs" / f"busybox-{arch.name}"
    if target.exists():
        return target
    suite = Suite(cache, BUSYBOX_SUITE, arch.name)
    package = suite.fetch("busybox-static", suite.newest("busybox-static"), cache / "packages")
    unpacked = target.with_suffix(".unpacked")
    run(["dpkg-deb", "-x", str(package), str(unpacked)])
    shutil.copyfile(next(unpacked.rglob("bin/busybox")), target.with_suffix(".new"))
    target.with_suffix(".new").rename(target)
    shutil.rmtree(unpacked)
    return target
