# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers that are made from a stopped guest's files: by tools, or by the tests' own writers.

Each function gets the guest's files and a path to write to, and returns the options that vmiscan
needs for it, if any.
"""
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "formats"))
import container  # noqa: E402
import dumps  # noqa: E402
import vmcore  # noqa: E402
import vmware  # noqa: E402
import wrappers  # noqa: E402

PAGE = 4096
MIB = 1 << 20
TOOL, WRITER = "real file", "synthesised"


class Files:
    """A stopped guest's files, and what several writers need of them."""

    def __init__(self, folder, facts, scratch):
        self.folder, self.facts, self.scratch = Path(folder), facts, Path(scratch)
        self.memory, self.stream = self.folder / "memory.raw", self.folder / "plain.stream"
        self.ranges = [tuple(r) for r in facts["ranges"]]

    @cached_property
    def cpus(self):
        """Registers of each CPU, out of QEMU's own dump."""
        return container.qemu_dump(self.folder / "elf")[1]

    @cached_property
    def vmcore(self):
        """The memory as an ELF vmcore, which makedumpfile takes."""
        path = self.scratch / "vmcore"
        vmcore.write(self.memory, self.ranges, self.cpus, path)
        return path

    @cached_property
    def joined(self):
        """The parts of RAM one after the other, without the hole."""
        if len(self.ranges) == 1:
            return self.memory
        path = self.scratch / "joined"
        with open(self.memory, "rb") as f, open(path, "wb") as g:
            at = 0
            for start, end in self.ranges:
                vmcore.copy(f, start, g, at, end - start)
                at += end - start
            g.truncate(at)
        return path

    def regions(self):
        """The ranges as VMware's state file has them: (frame, page in memory, pages)."""
        out, page = [], 0
        for start, end in self.ranges:
            out.append((start // PAGE, page, (end - start) // PAGE))
            page += (end - start) // PAGE
        return out


@dataclass(frozen=True)
class Copy:
    """A file made from another, as recipes.Row has those of QEMU's own."""

    name: str
    what: str
    by: str
    make: object
    judge: str = "same"
    # The programs that it needs.
    needs: tuple = ()
    # Also of guests with more than 3 GiB, where it takes a while.
    layout: bool = False
    quick: bool = True
    # The hole is not in it.
    untold: bool = False


def makedumpfile(*options):
    """A dump by makedumpfile, out of the vmcore."""

    def make(files, path):
        words = ["makedumpfile", "--message-level", "0", *options, str(files.vmcore)]
        if "-F" in options:
            with open(path, "wb") as out:
                subprocess.run(words, check=True, stdout=out, stderr=subprocess.DEVNULL)
        else:
            subprocess.run([*words, str(path)], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        return ()

    return make


def split(files, path):
    """Three files; the first is the image."""
    parts = [path, path.with_name("split.1"), path.with_name("split.2")]
    subprocess.run(["makedumpfile", "--message-level", "0", "-c", "-d", "0", "--split",
                    str(files.vmcore), *map(str, parts)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return ("--part", str(parts[2]), "--part", str(parts[1]))


def packed(*words, of="stream"):
    """A file through a compressor."""

    def make(files, path):
        with open(getattr(files, of), "rb") as f, open(path, "wb") as g:
            subprocess.run(words, check=True, stdin=f, stdout=g)
        return ()

    return make


def libvirt(form, *words, magic=b"LibvirtQemudSave"):
    """libvirt's header before the stream."""

    def make(files, path):
        with open(path, "wb") as out:
            out.write(wrappers.libvirt_header(form, files.facts, magic))
            out.flush()
            with open(files.stream, "rb") as f:
                subprocess.run(words or ["cat"], check=True, stdin=f, stdout=out)
        return ()

    return make


def lime(files, path):
    dumps.lime(files.memory, path, files.ranges)
    return ()


def avml(files, path):
    dumps.avml(files.memory, path, files.ranges)
    return ()


def virtualbox(files, path):
    dumps.virtualbox(files.memory, path, files.ranges, files.cpus)
    return ()


def bare(files, path):
    """Memory alone, without its hole: a .vmem, a memory file of Firecracker or Cloud Hypervisor.

    The first MiB is whole, also where a microvm shows its firmware.
    """
    end = files.ranges[0][1]
    with open(files.joined, "rb") as memory, open(path, "wb") as out:
        if end < MIB:
            out.write(memory.read(end))
            out.seek(files.ranges[1][0])
        shutil.copyfileobj(memory, out, MIB)
    return ()


def vmem(ending, beside=True, **variant):
    """A .vmem with its state file, found by name or named."""

    def make(files, path):
        path.symlink_to(files.joined)
        state = path.with_suffix(ending) if beside else path.with_name("elsewhere" + ending)
        state.write_bytes(vmware.state_file(vmware.State(files.regions(), files.cpus, **variant)))
        return () if beside else ("--vmss", str(state))

    return make


def vmsn(**variant):
    """Memory inside the state file."""

    def make(files, path):
        memory = files.joined.read_bytes()
        state = vmware.State(files.regions(), files.cpus, memory=memory, **variant)
        path.write_bytes(vmware.state_file(state))
        return ()

    return make


def vmss2core(files, path):
    """Its physical core: program headers by region, no notes."""
    n = len(files.ranges)
    at = -(-(64 + 56 * n) // PAGE) * PAGE
    head = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 4, 62, 1, 0, 64, 0, 0,
                       64, 56, n, 0, 0, 0)
    with open(files.memory, "rb") as f, open(path, "wb") as g:
        for start, end in files.ranges:
            size = end - start
            head += struct.pack("<IIQQQQQQ", 1, 7, at, start, start, size, size, PAGE)
            vmcore.copy(f, start, g, at, size)
            at += size
        g.truncate(at)
        g.seek(0)
        g.write(head)
    return ()


MDF = ("makedumpfile",)

COPIES = (
    Copy("vmcore.elf", "/proc/vmcore", WRITER, lambda f, p: shutil.copyfile(f.vmcore, p) and ()),
    Copy("kdump.zlib", "makedumpfile -c", TOOL, makedumpfile("-c", "-d", "0"), needs=MDF),
    Copy("kdump.lzo", "makedumpfile -l", TOOL, makedumpfile("-l", "-d", "0"), needs=MDF),
    Copy("kdump.zero", "makedumpfile -l -d 1, pages of zeros left out", TOOL,
         makedumpfile("-l", "-d", "1"), needs=MDF),
    Copy("kdump.31", "makedumpfile -l -d 31, all left out that can be", TOOL,
         makedumpfile("-l", "-d", "31"), judge="excluded", needs=MDF),
    Copy("kdump.flat", "makedumpfile -c -F, flattened", TOOL, makedumpfile("-F", "-c", "-d", "0"),
         needs=MDF),
    Copy("kdump.split", "makedumpfile -c --split", TOOL, split, needs=MDF),
    Copy("kdump.elf", "makedumpfile -E", TOOL, makedumpfile("-E", "-d", "0"), needs=MDF),
    Copy("kdump.elf.flat", "makedumpfile -E -F, flattened ELF", TOOL,
         makedumpfile("-F", "-E", "-d", "0"), needs=MDF, quick=False),
    Copy("stream.gz", "a stream in gzip, as virsh dump can write it", TOOL, packed("gzip", "-1"),
         needs=("gzip",)),
    Copy("stream.bz2", "a stream in bzip2", TOOL, packed("bzip2", "-1"), needs=("bzip2",),
         quick=False),
    Copy("stream.xz", "a stream in xz", TOOL, packed("xz", "-0"), needs=("xz",)),
    Copy("stream.lzo", "a stream in lzop", TOOL, packed("lzop", "-1"), needs=("lzop",)),
    Copy("stream.zst", "a stream in zstd", TOOL, packed("zstd", "-1", "-q"), needs=("zstd",)),
    Copy("raw.zst", "raw memory in zstd", TOOL, packed("zstd", "-1", "-q", of="memory"),
         needs=("zstd",), layout=True),
    Copy("save.raw", "virsh save, raw", WRITER, libvirt(0), layout=True),
    Copy("save.gzip", "virsh save, gzip", WRITER, libvirt(1, "gzip", "-1"), needs=("gzip",)),
    Copy("save.bzip2", "virsh save, bzip2", WRITER, libvirt(2, "bzip2", "-1"), needs=("bzip2",),
         quick=False),
    Copy("save.xz", "virsh save, xz", WRITER, libvirt(3, "xz", "-0"), needs=("xz",), quick=False),
    Copy("save.lzop", "virsh save, lzop", WRITER, libvirt(4, "lzop", "-1"), needs=("lzop",)),
    Copy("save.zstd", "virsh save, zstd", WRITER, libvirt(5, "zstd", "-1", "-q"),
         needs=("zstd",), quick=False),
    Copy("save.part", "virsh save, not finished", WRITER, libvirt(0, magic=b"LibvirtQemudPart"),
         judge="damaged"),
    Copy("guest.vmem", ".vmem alone, FC, CHV", WRITER, bare, layout=True, untold=True),
    Copy("a.vmem", ".vmem with its .vmss", WRITER, vmem(".vmss"), layout=True),
    Copy("b.vmem", ".vmem with its .vmsn, registers one by one", WRITER,
         vmem(".vmsn", blocks=False), layout=True),
    Copy("c.vmem", ".vmem with --vmss", WRITER, vmem(".vmss", beside=False), layout=True),
    Copy("d.vmem", ".vmem with the 32-bit .vmss", WRITER, vmem(".vmss", magic=0xbed2bed0)),
    Copy("inside.vmsn", ".vmsn with memory inside", WRITER, vmsn()),
    Copy("inside-old.vmsn", "32-bit .vmsn with memory inside", WRITER, vmsn(magic=0xbed2bed0),
         quick=False),
    Copy("vmss.core", "vmss2core, physical core", WRITER, vmss2core, layout=True),
    Copy("lime", "LiME", WRITER, lime, layout=True),
    Copy("avml", "AVML, version 2", WRITER, avml),
    Copy("virtualbox", "VirtualBox dumpvmcore", WRITER, virtualbox, layout=True),
)
