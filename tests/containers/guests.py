# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guests whose memory goes into containers: one a way in which QEMU lays memory out."""
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "samples"))
from maker.definitions import Guest  # noqa: E402


@dataclass(frozen=True)
class Shape:
    """A machine, and the options of QEMU's that its memory needs."""

    name: str
    idea: str
    machine: str = "pc"
    memory: str = "128M"
    cpu: str = "max"
    append: str = ""  # to the kernel's command line
    more: tuple = ()
    # The first and the last version of QEMU that has it.
    since: tuple = (7, 2)
    until: tuple = (99, 0)
    # All containers, or those alone in which the layout of memory shows.
    every: bool = False
    # No machine leaves such a hole in a file that does not tell of it.
    told: bool = False

    def guest(self):
        """As the maker of guests wants it; small, and without remains of what was freed."""
        return Guest(f"containers-{self.name}", "bookworm", self.idea, memory=self.memory,
                     machine=self.machine, cpu=self.cpu,
                     append=f"init_on_free=1 {self.append}".strip(), clean=True, dumps=())


def _backend(name, size, *more):
    return ("-object", ",".join((f"memory-backend-ram,id=ram-{name},size={size}", *more)))


# On a type of machine before 2.8, "max" has leaves of CPUID that it does not tell of by itself (QEMU
# hw/i386/pc.c, pc_compat_2_7): Linux takes it for an i686 and says no more.
OLD_CPU = "max,full-cpuid-auto-level=on"

SHAPES = (
    Shape("pc", "the default machine", every=True),
    Shape("q35", "q35, 4-level page tables", "q35", cpu="max,la57=off"),
    Shape("split", "q35 with memory on both sides of the PCI hole", "q35", "3G"),
    Shape("pc-split", "i440fx with memory on both sides of the PCI hole", "pc", "3600M"),
    Shape("pc-below", "i440fx, the PCI hole moved down", "pc,max-ram-below-4g=1G", "2G"),
    Shape("old-hole", "i440fx 1.7, whose low memory ends at 3.5 GiB", "pc-i440fx-1.7", "4G",
          cpu=OLD_CPU, until=(7, 2)),
    Shape("old", "a machine type without configuration and footers", "pc-i440fx-2.3",
          cpu=OLD_CPU, until=(8, 2)),
    Shape("amd", "a CPU of AMD and room for much memory: high memory from 1 TiB on", "q35",
          "3G,slots=1,maxmem=1100G", cpu="EPYC,phys-bits=48"),
    # It has no timer by which Linux could find out how fast the TSC counts; some such number will do.
    Shape("microvm", "microvm, whose block has another name", "microvm,pcie=on,rtc=on",
          append="tsc_early_khz=2500000"),
    Shape("backend", "memory of a backend with a name", "pc,memory-backend=ram-main",
          more=_backend("main", "128M")),
    Shape("numa", "two NUMA nodes with a backend each", "pc", "160M",
          more=(*_backend("zero", "96M"), *_backend("one", "64M"),
                "-numa", "node,nodeid=0,cpus=0,memdev=ram-zero",
                "-numa", "node,nodeid=1,cpus=1,memdev=ram-one")),
    Shape("dimm", "a DIMM beside the board's memory", "pc", "192M,slots=2,maxmem=1G",
          more=(*_backend("dimm", "128M"), "-device", "pc-dimm,id=dimm,memdev=ram-dimm"),
          told=True),
)

BY_NAME = {shape.name: shape for shape in SHAPES}
