# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which guests there are."""

from dataclasses import asdict, dataclass

# What the workload needs; a name that a kernel has neither as a module nor built in is left out.
# Text after the name is arguments for the module.
MODULES = (
    "virtio_pci",
    "virtio_console",
    "virtio_blk",
    "virtio_net napi_weight=32",
    "e1000 copybreak=128",
    "veth",
    "dummy numdummies=0",
    "bridge",
    "8021q",
    "crc32c_generic",
    "ext4",
    "unix_diag",
    "tcp_diag",
)

# Rules of iptables; newer kernels have no such modules.
FIREWALL = ("ip_tables", "iptable_filter", "xt_tcpudp")

MIB = 1 << 20


@dataclass(frozen=True)
class Guest:
    """One guest; two guests with the same fields and inputs are the same guest."""

    name: str
    suite: str
    idea: str
    # Debian's name: a key of arches.ARCHES.
    arch: str = "amd64"
    flavour: str = "amd64"
    # A kernel that the suite offers; none: the newest of the flavour.
    release: str = ""
    # Instead of a suite's kernel one that is built: a variant of samples/kernels.
    build: str = ""
    # The guest whose memory is there when this one starts, as after a reset that keeps it.
    remains: str = ""
    # What of the workload its kernel can't show: labels of check.py.
    lacks: tuple = ()
    memory: str = "256M"
    machine: str = "pc"
    cpu: str = "max"
    second_card: str = "e1000"
    append: str = ""
    kallsyms: bool = True
    # Modules beside MODULES.
    modules: tuple = ()
    # One CPU runs a process at the moment of the snapshot.
    spin: bool = False
    # The guest drops its caches before the snapshot.
    clean: bool = False
    # Containers beside memory.raw: elf, paging (ELF with guest virtual addresses), vmem (no hole),
    # stream (QEMU's migration).
    dumps: tuple = ("elf",)

    def fields(self):
        """All that decides what comes out."""
        return asdict(self)


GUESTS = (
    Guest("deb12-6.1", "bookworm", "6.1, 5-level page tables", dumps=("elf", "paging"), modules=FIREWALL),
    Guest("deb11-5.10", "bullseye", "5.10, 4-level page tables", cpu="max,la57=off", modules=FIREWALL),
    Guest(
        "deb13-6.12",
        "trixie",
        "6.12, memory on both sides of the PCI hole",
        machine="q35",
        memory="3G",
        spin=True,
        dumps=("elf", "vmem"),
        modules=FIREWALL,
    ),
    Guest("sid", "sid", "the newest kernel, 5-level page tables", modules=FIREWALL),
    Guest(
        "deb12-6.1-cloud",
        "bookworm",
        "cloud flavour, oldest CPU",
        flavour="cloud-amd64",
        cpu="qemu64",
        second_card="virtio-net-pci",
    ),
    Guest(
        "arm64-6.12",
        "trixie",
        "arm64 with addresses of 48 bits",
        arch="arm64",
        flavour="arm64",
        machine="virt",
        cpu="cortex-a72",
    ),
    Guest(
        "arm64-6.12-lpa2",
        "trixie",
        "arm64 with addresses of 52 bits and signed pointers",
        arch="arm64",
        flavour="arm64",
        machine="virt",
        cpu="max,pauth-impdef=on",
    ),
    Guest(
        "arm64-6.1",
        "bookworm",
        "arm64 without symbols of data",
        arch="arm64",
        flavour="arm64",
        machine="virt",
        cpu="cortex-a72",
    ),
    Guest(
        "arm64-6.12-16k",
        "trixie",
        "arm64 with pages of 16 KiB",
        arch="arm64",
        flavour="arm64-16k",
        machine="virt",
        cpu="max,pauth-impdef=on",
        # Huge ones have 32 MiB, and the swap area is made for pages of 4 KiB.
        lacks=("hugetlb, transparent huge (real-time kernels have none) and zero pages", "swapped pages"),
    ),
    Guest("arm64-sid", "sid", "the newest kernel of arm64", arch="arm64", flavour="arm64", machine="virt",
          cpu="max,pauth-impdef=on", dumps=("elf", "stream")),
    # Another kernel, an older one, and the same one once more, in memory that an earlier guest left behind.
    Guest("after-sid", "bookworm", "6.1 in the memory that a 7.x left behind", remains="sid", dumps=()),
    Guest("after-6.1", "sid", "the newest kernel in the memory that a 6.1 left behind", remains="deb12-6.1", dumps=()),
    Guest("after-itself", "bookworm", "6.1 in the memory that itself left behind", remains="deb12-6.1", dumps=()),
    Guest(
        "i386-6.1",
        "bookworm",
        "32 bits with PAE, memory above the direct map",
        arch="i386",
        flavour="686-pae",
        memory="1200M",
    ),
    # With less memory there is no free and aligned gigabyte.
    Guest(
        "deb13-6.12-1g-page",
        "trixie",
        "a 1 GiB page",
        machine="q35",
        memory="4G",
        append="hugepagesz=1G hugepages=1 hugepagesz=2M",
        dumps=(),
    ),
    # Small and, for the sake of compression, without remains: freed memory is zero.
    Guest(
        "sample",
        "bookworm",
        "the guest that is kept in this folder",
        memory="128M",
        append="init_on_free=1",
        clean=True,
        modules=FIREWALL,
        dumps=(),
    ),
    Guest(
        "bench-64m",
        "source",
        "for benchmarks: as small as microVMs are, with their kernel",
        build="6.12-micro",
        memory="64M",
        append="dummy.numdummies=0",
        lacks=("modules with arguments",),
        dumps=(),
    ),
    Guest("bench-256m", "bookworm", "for benchmarks"),
    Guest("bench-1g", "bookworm", "for benchmarks", memory="1G"),
    Guest("bench-5g", "bookworm", "for benchmarks", memory="5G"),
)

DEFAULT = ("deb12-6.1", "deb11-5.10", "deb13-6.12", "sid", "deb12-6.1-cloud", "arm64-6.12")

BY_NAME = {guest.name: guest for guest in GUESTS}
